"""What came back over the pipe, made into an outcome. Every byte is from code that nobody vouches for.

Nothing is unpickled, no path is taken, no size is believed.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any

from querist.sandbox.artifacts import as_file
from querist.sandbox.base import Failure, File, Limit, Outcome, Strength
from querist.sandbox.jailed.frames import LONGEST_HEADER, LONGEST_VALUE, MOST_FILES, free_name
from querist.sandbox.tables import MOST_CELLS, from_arrow
from querist.sources.table import Table

_SIGNALS = {6: "aborted", 7: "bus error", 9: "killed", 11: "crashed", 31: "bad call"}
_LIMIT_SIGNALS: dict[int, Limit] = {24: "cpu_seconds", 25: "files"}
_MOST_FRAMES = 500
_AT_LIMITS: tuple[tuple[str, str, Limit], ...] = (
    ("MemoryError", "", "memory"),
    ("OSError", r"\[Errno (27|28)\]", "files"),
    ("RuntimeError", "can't start new thread", "threads"),
)
"""The errors, by class and message, that Python raises where a limit is held by the kernel."""


class Forged(ValueError):
    """What came is no frame that a worker writes: the code wrote to the pipe itself."""


@dataclass
class Received:
    """Takes bytes in any portions; `ended` once the job's last frame was there. Holds at most `most` bytes.

    `sound` when it ended as a worker ends a job and nothing came after: only then the next job's frames are its own.
    """

    most: int
    value: Any = None
    tables: dict[str, Table] = field(default_factory=dict)
    files: list[File] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    failure: Failure | None = None
    ended: bool = False
    too_much: bool = False
    _buffer: bytearray = field(default_factory=bytearray)
    _told_end: bool = False
    _taken: int = 0
    _frames: int = 0
    _cells: int = MOST_CELLS

    @property
    def sound(self) -> bool:
        return self._told_end and not self._buffer

    def feed(self, data: bytes) -> None:
        """Take what arrived. Never raises: what is forged is noted in `refused`, and ends the job."""
        self._taken += len(data)
        if self._taken > self.most or self._frames > _MOST_FRAMES:
            self.too_much = self.ended = True
            return
        self._buffer += data
        try:
            while not self.ended and self._one():
                pass
        except (ValueError, TypeError, RecursionError, KeyError) as error:
            self.refused.append(f"The result is not taken: {str(error)[:200]}.")
            self.failure = Failure("ForgedResult", "The code wrote to the channel of its results itself.")
            self.ended = True

    def _one(self) -> bool:
        line = self._buffer.find(b"\n", 0, LONGEST_HEADER)
        if line < 0:
            if len(self._buffer) >= LONGEST_HEADER:
                raise Forged("a frame without a header")
            return False
        header = json.loads(self._buffer[:line])
        if not isinstance(header, dict):
            raise Forged("a header that is none")
        kind, size, name = header.get("kind"), header.get("size"), header.get("name", "")
        if type(size) is not int or size < 0 or not isinstance(name, str):
            raise Forged("a frame of no sound size")
        if size > LONGEST_VALUE and kind not in ("table", "file"):
            raise Forged(f"a result larger than {LONGEST_VALUE >> 20} MB")
        if size > self.most:
            self.too_much = self.ended = True
            return False
        if len(self._buffer) < line + 1 + size:
            return False
        name = _text(name)
        body = bytes(self._buffer[line + 1 : line + 1 + size])
        del self._buffer[: line + 1 + size]
        self._frames += 1
        self._take(kind, name, body)
        return True

    def _take(self, kind: object, name: str, body: bytes) -> None:
        if kind == "value":
            value = json.loads(body, parse_constant=lambda _: None)
            json.dumps(value, ensure_ascii=False, allow_nan=False).encode()  # no 1e999, no halves of characters
            self.value = value
        elif kind == "table":
            self._try(f"the table {name[:60]!r}", lambda: self._take_table(name[:200], body))
        elif kind == "file":
            self._try(f"the file {name[:60]!r}", lambda: self._take_file(name, body))
        elif kind == "refused":
            self.refused.append(f"Not handed out: {_text(body.decode(errors='replace'))[:300]}.")
        elif kind == "end":
            self.failure = failure_of(json.loads(body))
            self.ended = self._told_end = True
        else:
            raise Forged("a frame of no known kind")

    def _take_table(self, name: str, body: bytes) -> None:
        if name in self.tables:
            raise ValueError("there is another of this name")
        table = from_arrow(body, most_cells=self._cells)
        self._cells -= len(table) * len(table.columns)
        self.tables[name] = table

    def _take_file(self, name: str, body: bytes) -> None:
        if len(self.files) >= MOST_FILES:
            raise ValueError(f"at most {MOST_FILES} are")
        file = as_file(name, body)
        path = PurePosixPath(file.name)
        self.files.append(replace(file, name=free_name(path.stem, [f.name for f in self.files], path.suffix)))

    def _try(self, what: str, take: Any) -> None:
        try:
            take()
        except ValueError as error:
            self.refused.append(f"Not handed out: {what}: {error}.")

    def outcome(
        self,
        backend: str,
        strength: Strength,
        *,
        stdout: str,
        stderr: str,
        limit: Limit | None,
        exit_code: int | None,
        seconds: float,
        cpu_seconds: float = 0.0,
        peak_memory: int = 0,
    ) -> Outcome:
        """What the host saw goes before what the code says of itself."""
        limit = limit or ("files" if self.too_much else None)
        failure = self.failure
        if limit is None and failure is not None:
            limit = _reached(failure)
        if limit is None and not self.ended:
            limit, failure = _end(exit_code, stdout + stderr)
        status = "limit" if limit else "error" if failure else "ok"
        return Outcome(
            status=status,  # type: ignore[arg-type]
            backend=backend,
            strength=strength,
            value=self.value if status == "ok" else None,
            tables=self.tables if status == "ok" else {},
            files=tuple(self.files),
            refused=tuple(self.refused),
            stdout=stdout,
            stderr=stderr,
            error=failure,
            limit=limit,
            seconds=seconds,
            cpu_seconds=cpu_seconds,
            peak_memory=peak_memory,
        )


def failure_of(said: object) -> Failure | None:
    """The error that it tells of; None when it tells of none.

    Raises:
        Forged: it is told in no way that a worker tells.
    """
    if said is None:
        return None
    if not isinstance(said, dict):
        raise Forged("an error that is none")
    line = said.get("line")
    return Failure(
        _text(said.get("type"))[:100],
        _text(said.get("message"))[:2000],
        line if type(line) is int and line > 0 else None,
        _text(said.get("traceback"))[:10_000],
    )


def _reached(failure: Failure) -> Limit | None:
    """The limit that made this error."""
    for kind, said, limit in _AT_LIMITS:
        if failure.type == kind and re.match(said, failure.message):
            return limit
    return None


def _text(said: object) -> str:
    """Without halves of characters, which no file and no terminal takes."""
    return str(said).encode(errors="replace").decode()


def _end(exit_code: int | None, printed: str) -> tuple[Limit | None, Failure | None]:
    """Of a process that ended without a word."""
    code = exit_code or 0
    signal = -code if code < 0 else code - 128 if code > 128 else 0  # the latter is how container engines tell it
    if signal == 6 and "memory allocation" in printed:
        return "memory", None
    if signal in _LIMIT_SIGNALS:
        return _LIMIT_SIGNALS[signal], None
    how = _SIGNALS.get(signal, f"signal {signal}") if signal else f"exit code {exit_code}"
    return None, Failure("ProcessEnded", f"The process of the code ended by itself ({how}).")
