"""Events tell that something happened; nobody can change anything through them (that is what hooks are for)."""

from __future__ import annotations

import fnmatch
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Event:
    """Base of all events. Subclasses set `name` (dotted, stable) and add their own fields.

    Attributes:
        source: what it is about, such as the name of a component.
        run_id: the run that it belongs to; empty for events of the program as a whole.
        parent_id: the run that started that run; empty for the outermost.
        time: seconds since the epoch.
    """

    name: ClassVar[str] = "event"
    source: str
    run_id: str = ""
    parent_id: str = ""
    time: float = field(default_factory=time.time)


@dataclass(frozen=True, kw_only=True)
class RunStarted(Event):
    name: ClassVar[str] = "run.started"


@dataclass(frozen=True, kw_only=True)
class RunFinished(Event):
    """`cached` tells that the output was kept from an earlier run."""

    name: ClassVar[str] = "run.finished"
    seconds: float
    cached: bool = False


@dataclass(frozen=True, kw_only=True)
class RunFailed(Event):
    """`code` is the error's stable code, `message` its text."""

    name: ClassVar[str] = "run.failed"
    seconds: float
    code: str
    message: str


@dataclass(frozen=True, kw_only=True)
class RunCancelled(Event):
    name: ClassVar[str] = "run.cancelled"
    seconds: float


@dataclass(frozen=True, kw_only=True)
class PermissionUsed(Event):
    """The audit record of a grant: who used it, for what."""

    name: ClassVar[str] = "permission.used"
    principal: str
    need: str
    grant: str


Subscriber = Callable[[Event], None]


class EventBus:
    """Hands each event to those who subscribed to its name, at once and in the thread that emits it.

    A subscriber must be quick, and may be called from several threads.
    """

    def __init__(self) -> None:
        self._subscribers: tuple[tuple[str, Subscriber], ...] = ()
        self._matching: dict[str, tuple[Subscriber, ...]] = {}
        self._lock = threading.Lock()

    def subscribe(self, subscriber: Subscriber, pattern: str = "*") -> Callable[[], None]:
        """Call `subscriber` with every event whose name matches `pattern` (`run.*`). Returns what ends that."""
        entry = (pattern, subscriber)
        with self._lock:
            self._subscribers = (*self._subscribers, entry)
            self._matching = {}

        def unsubscribe() -> None:
            with self._lock:
                self._subscribers = tuple(e for e in self._subscribers if e is not entry)
                self._matching = {}

        return unsubscribe

    def emit(self, event: Event) -> None:
        """Tell all subscribers. Never raises: a subscriber's failure is logged, and the others still hear the event."""
        for subscriber in self._of(event.name):
            try:
                subscriber(event)
            except Exception:
                log.exception("a subscriber failed on the event %r of %r", event.name, event.source)

    def _of(self, name: str) -> tuple[Subscriber, ...]:
        matching = self._matching.get(name)
        if matching is None:
            with self._lock:
                matching = tuple(s for pattern, s in self._subscribers if fnmatch.fnmatchcase(name, pattern))
                self._matching[name] = matching
        return matching
