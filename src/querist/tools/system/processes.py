"""`process_executor`: runs a program: one that was granted by its name as it is, any other behind walls.

One that was granted may do what its user may. Grant only programs whose every argument does no harm.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import Annotated

from pydantic import BaseModel, Field, field_validator

from querist.core.context import RunContext
from querist.core.permissions import Need
from querist.errors import ComponentFailedError, ComponentInputError, SandboxUnavailableError
from querist.sandbox.open import limits_of
from querist.sandbox.programs import behind_walls
from querist.settings import Settings
from querist.tools.confined import READ, open_folder
from querist.tools.reach import check_granted
from querist.tools.tool import Tool, ToolInput

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
    working_dir: Annotated[str | None, READ] = Field(
        default=None,
        description="The folder to run it in; a new, empty one when left out. In the sandbox it can only be read.",
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
    sandboxed: bool = Field(description="Whether it ran in the sandbox; what it wrote is gone then.")


class ProcessExecutor(Tool[ProcessExecutorInput, ProcessResult]):
    name = "process_executor"
    description = """Run a program, without a shell, and give what it prints; in the sandbox if it is not granted.

    It gets no secrets of the environment and no home folder. In the sandbox there are only the system's programs, no
    network, and no way to start another program."""
    permissions = ("process", "file_read")

    async def run(self, input: ProcessExecutorInput, context: RunContext) -> ProcessResult:
        if any("\0" in argument for argument in input.args):
            raise ComponentInputError("An argument has a NUL character in it.")
        need = Need("process", input.command)
        with ExitStack() as held:
            folder = None
            if input.working_dir is not None:
                folder = str(held.enter_context(open_folder(input.working_dir, context)).path)
            if context.principal.grant_for(need) is None:
                return await _run_sandboxed(input, folder, need, context)
            check_granted(context, need)
            program = shutil.which(input.command)
            if program is None:
                raise ComponentInputError(f"There is no program {input.command!r} here.", hint="Check PATH.")
            folder = folder or held.enter_context(tempfile.TemporaryDirectory(prefix="querist-"))
            kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
            return await _run(input, [program, *input.args], folder, kept)


async def _run_sandboxed(
    input: ProcessExecutorInput, folder: str | None, need: Need, context: RunContext
) -> ProcessResult:
    settings = (context.get(Settings) or Settings()).sandbox
    limits = limits_of(settings)
    memory = min(limits.memory, (context.memory_mb or limits.memory) << 20)
    limits = replace(limits, memory=memory, cpu_seconds=min(limits.cpu_seconds, context.cpu_seconds or input.timeout))
    with ExitStack() as held:
        try:
            walls = behind_walls(settings, limits, input.command, input.args, folder)
            command, descriptor = await asyncio.to_thread(held.enter_context, walls)
        except SandboxUnavailableError as error:
            told = f"{input.command!r} is not granted, and without that it runs in a sandbox only. {error.message}"
            raise SandboxUnavailableError(told, hint=f"{error.hint} Or grant {str(need)!r}.") from error
        ran = await _run(input, command, "/", {}, keep=(descriptor,))
    return ran.model_copy(update={"sandboxed": True})


async def _run(
    input: ProcessExecutorInput,
    command: Sequence[str],
    folder: str,
    environment: Mapping[str, str],
    keep: Sequence[int] = (),
) -> ProcessResult:
    started = time.monotonic()
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env=environment,
            pass_fds=keep,
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
        sandboxed=False,
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
