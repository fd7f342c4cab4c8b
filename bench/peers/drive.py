"""Runs one peer over the questions: a fresh copy of the data, a clean environment, a watchdog, and resuming."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.peers.adapters.answering import CANNOT_RUN, READY
from bench.peers.environments import Environment
from bench.peers.meter import Call, Meter
from bench.peers.peers import ONESHOT, QUERIST, Peer

_ADAPTERS = Path(__file__).parent / "adapters"
_POLL_SECONDS = 0.02
_START_SECONDS = 90.0  # for importing, until an adapter says that it is ready
_COMMAND_SECONDS = 10.0  # the same for programs that say nothing, on top of the first question's time
_SLACK_SECONDS = 3.0
_GIVE_UP_AFTER = 3  # processes that ended without a line, when none ever wrote one

_OFFLINE = {
    "ANONYMIZED_TELEMETRY": "False",
    "DO_NOT_TRACK": "true",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "LANGCHAIN_TRACING_V2": "false",
    "LANGSMITH_TRACING": "false",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "MPLBACKEND": "Agg",
    "NO_PROXY": "127.0.0.1,localhost",
    "OTEL_SDK_DISABLED": "true",
    "SCARF_NO_ANALYTICS": "true",
    "TRANSFORMERS_OFFLINE": "1",
}


class CannotRun(Exception):
    """A peer that gives no answer to any question here; the message says why."""


@dataclass(frozen=True)
class Task:
    """What everyone is asked.

    Attributes:
        folder: the question set.
        questions: those to ask, with their gold, in the order to ask them.
        model: the name that is sent to the endpoint.
        context: tokens that the model reads and writes at most.
        timeout: seconds for one question.
    """

    folder: Path
    questions: list[dict[str, Any]]
    model: str
    context: int
    timeout: float


OnLine = Callable[[dict[str, Any], list[Call], list[str]], None]
"""Called with each prediction, the calls of the model it took, and the database files that changed meanwhile."""


def drive(
    peer: Peer, environment: Environment, task: Task, home: Path, meter: Meter, done: set[str], each: OnLine
) -> None:
    """Ask the peer the questions that are not `done`, in as many processes as it takes.

    A process that dies or takes too long over a question loses that question and goes on with the next.

    Raises:
        CannotRun: the peer said so, or never wrote a line.
    """
    shutil.rmtree(home, ignore_errors=True)
    data = _Copy(task.folder / "databases", home / "set" / "databases", {q["db"] for q in task.questions})
    pending = [q for q in task.questions if q["id"] not in done]
    answered, silent = bool(done), 0
    while pending:
        log = home / "log.txt"
        command = _command(peer, environment, task, pending, home, meter)
        got = 0
        with log.open("ab") as output, _Process(command, home, output) as process:
            first = _START_SECONDS if peer.adapter else _COMMAND_SECONDS + task.timeout
            for line in _lines(process, home / "predictions.jsonl", first, task.timeout + _SLACK_SECONDS):
                pending = [q for q in pending if q["id"] != line["id"]]
                got += 1
                each(line, meter.take(), data.mend())
        status, last = process.returncode, _last_line(log)
        if status == CANNOT_RUN:
            raise CannotRun(last)
        slow = process.killed and process.ready  # too slow for a question is an answer to it: it ran
        answered, silent = answered or got > 0, 0 if got or slow else silent + 1
        if not answered and silent == _GIVE_UP_AFTER:
            raise CannotRun(f"ended with status {status}: {last}")
        if not pending:
            return
        meter.abort()
        lost, reason = pending.pop(0), f"the process ended with status {status}: {last}"
        seconds = process.since_line
        if process.killed:
            reason, seconds = f"no answer in {task.timeout:g} s", task.timeout
        line = {"id": lost["id"], "status": "crashed", "seconds": round(seconds, 2), "error": reason}
        each(line, meter.take(), data.mend())


class _Process:
    """A peer's process, which ends with its children when this is left. `returncode` is set then.

    `ready`: it has imported everything; `killed`: it was ended, for it took too long.
    """

    def __init__(self, command: list[str], home: Path, output: Any) -> None:
        self._started = self.last_line = time.monotonic()
        self.since_line = 0.0
        self.killed = self.ready = False
        self.returncode: int | None = None
        self._popen = subprocess.Popen(
            command, cwd=home, env=_clean_environment(home), stdout=output, stderr=output,
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def __enter__(self) -> _Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.since_line = time.monotonic() - self.last_line
        if self._popen.poll() is None:
            os.killpg(self._popen.pid, signal.SIGKILL)
        self.returncode = self._popen.wait()

    @property
    def is_running(self) -> bool:
        return self._popen.poll() is None


def _lines(process: _Process, file: Path, first: float, each: float) -> Iterator[dict[str, Any]]:
    """The predictions as they are written, until the process ends or takes longer over one than `each` seconds.

    Until it writes anything, it has `first` seconds.
    """
    allowed, rest = first, b""
    with file.open("rb") as stream:
        while True:
            running = process.is_running  # asked before reading, so that nothing written before the end is missed
            rest += stream.read()
            *complete, rest = rest.split(b"\n")
            for text in complete:
                process.last_line, allowed = time.monotonic(), each
                process.ready = True
                if (line := json.loads(text)) != READY:
                    yield line
            if not running:
                return
            if time.monotonic() - process.last_line > allowed:
                process.killed = True
                return
            time.sleep(_POLL_SECONDS)


class _Copy:
    """The peer's own copy of the databases, compared with the original after every question and put right."""

    def __init__(self, original: Path, copy: Path, names: set[str]) -> None:
        self.copy = copy
        copy.mkdir(parents=True)
        self._original = {f"{name}.sqlite": original / f"{name}.sqlite" for name in sorted(names)}
        self._digest = {name: _digest(file) for name, file in self._original.items()}
        self._seen: dict[str, tuple[int, int]] = {}
        for name in self._original:
            self._restore(name)

    def mend(self) -> list[str]:
        """Names of the files that were changed or added since the last time."""
        changed = [name for name in self._original if self._stamp(name) != self._seen[name]]
        changed = [
            name
            for name in changed
            if not (self.copy / name).exists() or _digest(self.copy / name) != self._digest[name]
        ]
        for name in changed:
            self._restore(name)
        for file in self.copy.iterdir():
            if file.name not in self._original:
                changed.append(file.name)
                shutil.rmtree(file) if file.is_dir() else file.unlink(missing_ok=True)
        return changed

    def _restore(self, name: str) -> None:
        new = self.copy.parent / f"{name}.new"
        shutil.copyfile(self._original[name], new)
        new.replace(self.copy / name)
        self._seen[name] = self._stamp(name)

    def _stamp(self, name: str) -> tuple[int, int]:
        file = self.copy / name
        if not file.exists():
            return (0, 0)
        status = file.stat()
        return status.st_size, status.st_mtime_ns


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _command(
    peer: Peer, environment: Environment, task: Task, pending: list[dict[str, Any]], home: Path, meter: Meter
) -> list[str]:
    """The command that answers the pending questions into `home/predictions.jsonl`, with the files that it reads."""
    questions, predictions = home / "set" / "questions.jsonl", home / "predictions.jsonl"
    predictions.write_bytes(b"")
    if peer is QUERIST or peer is ONESHOT:  # both read the set's own format
        _write_lines(questions, pending)
    else:  # the gold is nobody's business
        shown = [{"id": q["id"], "db": q["db"], "question": _with_evidence(q)} for q in pending]
        _write_lines(questions, shown)
    if peer is QUERIST:
        from bench.peers.querist_setup import command

        return command(environment.python, questions.parent, predictions, home, meter.url, task.model)
    if peer is ONESHOT:
        script = task.folder.resolve().parent / "oneshot.py"
        if not script.exists():
            raise CannotRun(f"the baseline script is expected at {script}")
        start = [environment.python, "-B", str(script), str(questions.parent), str(predictions)]
        return [*start, "--base-url", meter.url, "--model", task.model]
    return [
        environment.python, str(_ADAPTERS / peer.adapter), str(questions), str(questions.parent / "databases"),
        str(predictions), "--base-url", meter.url, "--model", task.model, "--context", str(task.context),
        "--timeout", str(task.timeout),
    ]  # fmt: skip


def _with_evidence(question: dict[str, Any]) -> str:
    hint = f"\nHint: {question['evidence']}" if question.get("evidence") else ""
    return f"{question['question']}{hint}"


def _write_lines(file: Path, rows: list[dict[str, Any]]) -> None:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _clean_environment(home: Path) -> dict[str, str]:
    """Nothing of the user's but the path: no keys, no configuration, no caches of earlier runs."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TMPDIR") if name in os.environ}
    return {**kept, **_OFFLINE, "HOME": str(home), "QUERIST_HOME": str(home / "querist"), "PYTHONUNBUFFERED": "1"}


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1][:500] if lines else "no message"
