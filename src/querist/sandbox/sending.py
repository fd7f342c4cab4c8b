"""A job as frames: what is sent to a worker, over whatever pipe."""

from __future__ import annotations

import json
import keyword

from querist.errors import UsageError
from querist.sandbox.base import Job
from querist.sandbox.jailed.frames import frame
from querist.sandbox.tables import to_arrow


def check_job(job: Job) -> None:
    """Raise a UsageError when its names cannot be told apart, or the result cannot be a variable."""
    if not job.result.isidentifier() or keyword.iskeyword(job.result):
        raise UsageError(f"{job.result!r} cannot be the name of the variable with the result.")
    given = [*job.tables, *job.parameters, job.result]
    if twice := [name for name in given if given.count(name) > 1]:
        raise UsageError(
            f"{twice[0]!r} is the name of more than one of the tables, the parameters and the result.",
            hint="Give each a name of its own.",
        )


def refuse_session(job: Job, sandbox: str) -> None:
    """Raise a UsageError when the job belongs to a session; for sandboxes that keep none."""
    if job.session is not None:
        raise UsageError(
            f"The sandbox {sandbox!r} has no sessions.", hint="Run the code without one, or choose another sandbox."
        )


def job_frames(job: Job) -> bytes:
    """The job, its tables as Arrow.

    Raises:
        UsageError: see `check_job`; or the parameters are not JSON.
        MissingExtraError: there are tables, and the libraries for them are missing.
    """
    check_job(job)
    about = {"code": job.code, "parameters": dict(job.parameters), "result": job.result, "frames": job.frames}
    try:
        told = json.dumps(about).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"The parameters of the code are not JSON: {error}") from error
    tables = [
        frame("table", table if isinstance(table, bytes) else to_arrow(table), name=name)
        for name, table in job.tables.items()
    ]
    return b"".join([frame("job", told, tables=len(tables)), *tables])
