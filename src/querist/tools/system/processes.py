"""`process_executor`: runs a program that was granted by name.

Not a sandbox: the program may do what its user may. Grant only programs whose every argument does no harm.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress

from pydantic import BaseModel, Field, field_validator

from querist.core.component import Component
from querist.core.context import RunContext
from querist.core.permissions import Need
from querist.errors import ComponentFailedError, ComponentInputError
from querist.tools.confined import open_folder, to_read
from querist.tools.tool import ToolInput

MAX_OUTPUT = 1_000_000
"""Bytes kept of each of the two outputs; what goes beyond is read and dropped."""

_LAST_SECONDS = 5.0
"""For what is left in its pipes; more only where something it started has left its group and holds them open."""

_INHERITED = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "SYSTEMROOT")
"""Variables that a program gets. Not HOME: that is where keys are."""


_NAME = re.compile(r"[A-Za-z0-9_][\w.+-]*")


class ProcessExecutorInput(ToolInput):
    command: str = Field(description="Name of the program, without a path.", min_length=1, max_length=100)
    args: list[str] = Field(
        default=[], description="Its arguments, each by itself; no shell reads them.", max_length=200
    )
    stdin: str = Field(default="", description="Text for its standard input.", max_length=MAX_OUTPUT)
    working_dir: str | None = Field(
        default=None, description="The folder to run it in; a new, empty one when left out."
    )
    timeout: float = Field(
        default=30, description="Seconds after which it and all that it started are killed.", gt=0, le=600
    )

    @field_validator("command")
    @classmethod
    def _name(cls, command: str) -> str:
        if not _NAME.fullmatch(command):
            raise ValueError("must be the name of a program, without a path")
        return command


class ProcessResult(BaseModel):
    exit_code: int | None = Field(description="Nothing where it was killed for its time.")
    stdout: str
    stderr: str
    timed_out: bool
    truncated: bool = Field(description="Whether output beyond the bound was dropped.")
    seconds: float


class ProcessExecutor(Component[ProcessExecutorInput, ProcessResult]):
    name = "process_executor"
    description = """Run a program that is granted by its name, without a shell, and give what it prints.

    It gets no secrets of the environment and no home folder, but it is not in a sandbox."""
    permissions = ("process", "file_read")

    def needs(self, input: ProcessExecutorInput) -> Iterable[Need]:
        yield Need("process", input.command)
        if input.working_dir is not None:
            yield to_read(input.working_dir)

    async def run(self, input: ProcessExecutorInput, context: RunContext) -> ProcessResult:
        import tempfile

        program = shutil.which(input.command)
        if program is None:
            raise ComponentInputError(f"There is no program {input.command!r} here.", hint="Check PATH.")
        if any("\0" in argument for argument in input.args):
            raise ComponentInputError("An argument has a NUL character in it.")
        if input.working_dir is not None:
            with open_folder(input.working_dir, context) as folder:
                return await _run(program, input, str(folder.path))
        with tempfile.TemporaryDirectory(prefix="querist-") as scratch:
            return await _run(program, input, scratch)


async def _run(program: str, input: ProcessExecutorInput, folder: str) -> ProcessResult:
    started = time.monotonic()
    try:
        process = await asyncio.create_subprocess_exec(
            program,
            *input.args,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env={name: os.environ[name] for name in _INHERITED if name in os.environ},
            start_new_session=True,  # so that what it starts can be killed with it
        )
    except OSError as error:
        raise ComponentFailedError(f"{input.command!r} cannot be started: {error.strerror or error}.") from error
    outputs = [bytearray(), bytearray()]
    timed_out = False
    try:
        async with asyncio.timeout(input.timeout):
            await asyncio.gather(
                _read(process.stdout, outputs[0]),
                _read(process.stderr, outputs[1]),
                _write(process.stdin, input.stdin.encode()),
            )
            await process.wait()
    except TimeoutError:
        timed_out = True
    finally:
        _kill(process)
        # asyncio sees the end of a process only when its pipes have been read to theirs.
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_SECONDS):
                await asyncio.gather(_read(process.stdout, outputs[0]), _read(process.stderr, outputs[1]))
                await process.wait()
    return ProcessResult(
        exit_code=None if timed_out else process.returncode,
        stdout=outputs[0][:MAX_OUTPUT].decode(errors="replace"),
        stderr=outputs[1][:MAX_OUTPUT].decode(errors="replace"),
        timed_out=timed_out,
        truncated=any(len(output) > MAX_OUTPUT for output in outputs),
        seconds=time.monotonic() - started,
    )


async def _read(stream: asyncio.StreamReader | None, into: bytearray) -> None:
    """Read to the end; keep the beginning, and one byte beyond the bound to tell that there was more."""
    assert stream is not None
    while chunk := await stream.read(65536):
        into += chunk[: MAX_OUTPUT + 1 - len(into)]


async def _write(stream: asyncio.StreamWriter | None, data: bytes) -> None:
    assert stream is not None
    with suppress(BrokenPipeError, ConnectionResetError):
        stream.write(data)
        await stream.drain()
    stream.close()


def _kill(process: asyncio.subprocess.Process) -> None:
    """Kill it and all that it started, also where it has ended and left others behind."""
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        elif process.returncode is None:
            process.kill()
