"""Runs a job in a process of its own that speaks over its standard streams: in a container, or without any walls."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
import time
from codecs import getincrementaldecoder
from collections.abc import Mapping, Sequence
from pathlib import Path

from querist.errors import SandboxError
from querist.sandbox.base import Job, Limit, OnOutput, Outcome, Strength
from querist.sandbox.received import Received
from querist.sandbox.sending import job_frames, refuse_session

PROGRAM = Path(__file__).parent
START_SECONDS = 60.0
"""In which it has to be ready for the job; only then the clock of the job starts."""
READY = b"\n"
_PORTION = 1 << 16


async def run_piped(
    command: Sequence[str],
    job: Job,
    on_output: OnOutput | None,
    *,
    name: str,
    strength: Strength,
    folder: str | None = None,
    environment: Mapping[str, str] | None = None,
    exits: Mapping[int, Limit] | None = None,
) -> Outcome:
    """Start the command, send it the job, and gather what it says until it ends or has to.

    What the code prints arrives on the command's standard error, whichever stream it printed to.

    Args:
        exits: the limits that the command tells of by its exit code.

    Raises:
        SandboxError: the command does not start, or no worker in it.
        UsageError: the job belongs to a session.
    """
    refuse_session(job, name)
    frames = job_frames(job)
    received, printed = Received(job.limits.files + job.limits.output), bytearray()
    decoder = getincrementaldecoder("utf-8")("replace")
    limit: Limit | None = None
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=folder,
            env=environment,
            start_new_session=True,
        )
    except OSError as error:
        raise SandboxError(f"The sandbox {name!r} did not start: {error}") from error
    stdin, stdout, stderr = process.stdin, process.stdout, process.stderr
    assert stdin and stdout and stderr

    async def send() -> None:
        with contextlib.suppress(ConnectionError):
            stdin.write(frames)
            await stdin.drain()
            stdin.close()  # no more jobs: the worker ends after this one

    async def ready() -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(START_SECONDS):
                return await stdout.read(1) == READY
        return False

    async def listen() -> None:
        while not received.ended and (data := await stdout.read(_PORTION)):
            received.feed(data)

    async def gather() -> None:
        nonlocal limit
        while data := await stderr.read(_PORTION):
            room = job.limits.output - len(printed)
            printed.extend(data[:room])
            if on_output and (text := decoder.decode(data[:room])):
                on_output(text)
            if len(data) > room:
                limit = "output"
                return

    sending, gathering = asyncio.create_task(send()), asyncio.create_task(gather())
    tasks = [sending, gathering]
    try:
        if not await ready():
            await asyncio.wait([gathering], timeout=1)
            said = printed.decode(errors="replace").strip()[-500:] or "it said nothing"
            raise SandboxError(f"The sandbox {name!r} did not start: {said}")
        started = time.monotonic()
        listening = asyncio.create_task(listen())
        tasks.append(listening)
        async with asyncio.timeout(job.limits.seconds):
            await asyncio.wait((listening, gathering), return_when=asyncio.FIRST_COMPLETED)
            if limit is None:
                await listening
        await asyncio.wait([gathering], timeout=1)  # an engine may be slower with what was printed
        if not received.ended and limit is None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), 1)  # and with how it ended
    except TimeoutError:
        limit = "seconds"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        with contextlib.suppress(TimeoutError):  # a process that it left behind may hold its pipes for ever
            await asyncio.wait_for(process.wait(), 2)
        await asyncio.wait([gathering], timeout=1)  # what was printed before the end is still in the pipe
        for task in tasks:
            task.cancel()
    if not received.ended and limit is None and process.returncode is not None:
        limit = (exits or {}).get(process.returncode)
    return received.outcome(
        name,
        strength,
        stdout=printed.decode(errors="replace"),
        stderr="",
        limit=limit,
        exit_code=process.returncode,
        seconds=time.monotonic() - started,
    )


def start_command(python: str, program: str, prepare: str = "pass") -> list[str]:
    """Runs the worker that lies in `program`, with jobs on its standard input and frames on its standard output.

    Args:
        prepare: a statement that goes ahead of it.
    """
    code = (
        f"import os, sys; sys.path.insert(0, {program!r}); from jailed import worker; "
        "results = os.dup(1); os.dup2(2, 1); jobs = os.dup(0); os.dup2(os.open(os.devnull, os.O_RDONLY), 0); "
        f"{prepare}; os.write(results, {READY!r}); worker.serve(jobs, results)"
    )
    return [python, "-I", "-c", code]


class UnsafeSandbox:
    """No sandbox: the code may do whatever this program may. For development, by an explicit setting only."""

    name = "unsafe"
    strength: Strength = "unsafe"

    async def run(self, job: Job, on_output: OnOutput | None = None) -> Outcome:
        with tempfile.TemporaryDirectory(prefix="querist-unsafe-", ignore_cleanup_errors=True) as folder:
            command = start_command(sys.executable, str(PROGRAM))
            return await run_piped(command, job, on_output, name=self.name, strength=self.strength, folder=folder)

    async def close(self) -> None:
        """Nothing is kept."""
