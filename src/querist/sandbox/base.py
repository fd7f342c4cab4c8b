"""What every sandbox can do, what it is given and what it gives back. Not for opening one: see `open.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from querist.sources.table import Table

Json = Any
"""None, bool, int, float, str, or a list or dictionary of these."""

Strength = Literal["strong", "reduced", "restricted", "remote", "unsafe"]
"""`strong`: namespaces, system-call filter and Landlock; `reduced`: without namespaces; `restricted`: an interpreter
of a subset of Python; `remote`: as strong as the server says; `unsafe`: no walls at all."""

OnOutput = Callable[[str], None]
Limit = Literal["seconds", "cpu_seconds", "memory", "threads", "output", "files"]


@dataclass(frozen=True)
class SandboxLimits:
    """Bounds of one run. Reaching any of them ends it with the status `limit`.

    Attributes:
        seconds: wall-clock time.
        memory: bytes that the run may add to what the loaded libraries take.
        threads: threads alive at once; other processes are never allowed.
        output: bytes that it may print.
        files: bytes of all files that it writes, and of all results that it hands out.
    """

    seconds: float = 60.0
    cpu_seconds: float = 60.0
    memory: int = 2 << 30
    threads: int = 64
    output: int = 1 << 20
    files: int = 64 << 20


@dataclass(frozen=True)
class Job:
    """Python code, and what it gets to see.

    Attributes:
        tables: by name; the code finds each in the dictionary `tables`, and under its name where that is an
            identifier. Bytes are an Arrow IPC stream.
        parameters: by name; the code finds them in the same two ways, in the dictionary `parameters`.
        session: runs of the same session share their variables and files; None shares nothing.
        result: the variable that holds the result when the code ends.
        frames: the library whose data frames the tables become.
    """

    code: str
    tables: Mapping[str, Table | bytes] = field(default_factory=dict)
    parameters: Mapping[str, Json] = field(default_factory=dict)
    limits: SandboxLimits = SandboxLimits()
    session: str | None = None
    result: str = "result"
    frames: Literal["polars", "pandas"] = "polars"


@dataclass(frozen=True)
class File:
    """A file that the code wrote. `name` is a plain file name, `media_type` comes from the content."""

    name: str
    data: bytes
    media_type: str


@dataclass(frozen=True)
class Failure:
    """An error of the code: its class, its message, the line of the code (None when unknown), and the way there."""

    type: str
    message: str
    line: int | None = None
    traceback: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of a run. All of it comes from code that nobody vouches for.

    Attributes:
        value: the result as JSON, without its data frames; those are in `tables`.
        refused: what was not handed out, and why.
        limit: which limit ended it, with the status `limit`.
        peak_memory: bytes, the libraries included; 0 where the backend cannot tell, as for `cpu_seconds`.
    """

    status: Literal["ok", "error", "limit"]
    backend: str
    strength: Strength
    value: Json = None
    tables: Mapping[str, Table] = field(default_factory=dict)
    files: tuple[File, ...] = ()
    refused: tuple[str, ...] = ()
    stdout: str = ""
    stderr: str = ""
    error: Failure | None = None
    limit: Limit | None = None
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_memory: int = 0


class Sandbox(Protocol):
    """Runs code. May be used from several threads and event loops."""

    name: str
    strength: Strength

    async def run(self, job: Job, on_output: OnOutput | None = None) -> Outcome:
        """Run the code to its end or to a limit, and take back what it made. Cancelling it kills the code.

        Args:
            on_output: told what the code prints while it runs.

        Raises:
            SandboxError: the sandbox itself failed. An error of the code is in the outcome.
        """

    async def close(self) -> None:
        """End all sessions and processes. Calling it again does nothing."""
