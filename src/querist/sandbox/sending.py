"""A job as frames: what is sent to a worker, over whatever pipe."""

from __future__ import annotations

import json
import keyword

from querist.errors import UsageError
from querist.sandbox.base import Job
from querist.sandbox.jailed.frames import frame
from querist.sandbox.tables import to_arrow


def job_frames(job: Job) -> bytes:
    """The job, its tables as Arrow.

    Raises:
        UsageError: the parameters are not JSON, or the result cannot be a variable.
        MissingExtraError: there are tables, and the libraries for them are missing.
    """
    if not job.result.isidentifier() or keyword.iskeyword(job.result):
        raise UsageError(f"{job.result!r} cannot be the name of the variable with the result.")
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
