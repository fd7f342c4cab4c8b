"""Live progress: one line on the terminal's error stream that says what is being done, gone when it is done.

Nothing where that stream is not a terminal. It appears only after a moment, so that what is quick shows nothing and
pays nothing for it.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.status import Status

    from querist.core.events import Event

_MOMENT = 0.8
"""Seconds after which the line appears."""
_HEAD_START = 0.1
"""Seconds that a model's request gets to leave before other work begins beside it."""
_WORDS = {
    "prepare": "Reading what the data hold",
    "understand": "Reading the question in its context",
    "plan": "Planning the steps",
    "step": "Answering",
    "analyse": "Analysing",
    "draft": "Writing a query",
    "query": "Running",
    "repair": "Mending",
}


class Live:
    """Shows the progress of one call. A context manager; `on_event` takes events from any thread."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._wanted = not quiet and sys.stderr.isatty()
        self._text = ""
        self._status: Status | None = None
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._loader: threading.Timer | None = None
        self._ended = True

    def on_event(self, event: Event) -> None:
        from querist.analysis.progress import AnalysisProgress
        from querist.answer.ask import Progress

        if isinstance(event, AnalysisProgress):
            self.tell(event.detail)
        if isinstance(event, Progress):
            if event.stage == "draft" and self._loader is None:
                self._loader = threading.Timer(_HEAD_START, load_show)
                self._loader.daemon = True
                self._loader.start()
            detail = event.detail if event.stage in ("open", "step", "query", "repair") else ""
            self.tell(f"{_WORDS.get(event.stage, '')} {detail}".strip())

    def tell(self, text: str) -> None:
        """What is being done now."""
        with self._lock:
            self._text = text
            if self._status is not None:
                self._status.update(_one_line(text))

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the terminal to something else for a while."""
        self.__exit__(None, None, None)
        yield
        self.__enter__()

    def __enter__(self) -> Self:
        self._ended, self._text = False, _WORDS["prepare"]
        if self._wanted:
            self._timer = threading.Timer(_MOMENT, self._appear)
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        with self._lock:
            self._ended = True
            if self._status is not None:
                self._status.stop()
                self._status = None

    def _appear(self) -> None:
        from rich.console import Console

        with self._lock:
            if not self._ended:
                self._status = Console(stderr=True).status(_one_line(self._text))
                self._status.start()


def load_show() -> None:
    """Import what shows an answer, while the model is at work and nobody waits for it."""
    import importlib

    for name in ("rich.console", "querist.cli.show"):
        importlib.import_module(name)
    if sys.stdout.isatty():
        for name in ("rich.syntax", "pygments.lexers.sql"):
            importlib.import_module(name)


def _one_line(text: str) -> str:
    """As markup of one line: a query that is being run has several, and brackets in it are brackets."""
    from rich.markup import escape

    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return escape(line if len(line) <= 100 else line[:99] + "…")
