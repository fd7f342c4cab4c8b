"""Queries while they run: what stops one when its time is up or when asked. For every engine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType

from querist.errors import QueryTimeoutError
from querist.sources.base import Limits


class RunningQuery:
    """Stops one query when its time is up or when asked. Use as a context manager around the query.

    `stop` may be called at a moment when the engine has nothing to stop, so it is called again until the query ends.
    """

    def __init__(self, stop: Callable[[], None], seconds: float) -> None:
        self._stop, self._seconds = stop, seconds
        self._done, self._wake = threading.Event(), threading.Event()
        self.timed_out = self.cancelled = False
        self._watch = threading.Thread(target=self._run, name="querist-query-watch", daemon=True)

    def __enter__(self) -> RunningQuery:
        self._watch.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._wake.set()
        self._watch.join()

    def cancel(self) -> None:
        self.cancelled = True
        self._wake.set()

    def _run(self) -> None:
        self._wake.wait(self._seconds)
        if not self._done.is_set() and not self.cancelled:
            self.timed_out = True
        while not self._done.wait(0.01):
            self._stop()


def timeout_error(limits: Limits) -> QueryTimeoutError:
    return QueryTimeoutError(
        f"The query ran longer than {limits.seconds:g} s and was stopped.",
        hint="Ask for less, or allow more time: limits.seconds in querist.yaml.",
    )
