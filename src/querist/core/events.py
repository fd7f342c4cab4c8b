"""Events tell that something happened; nobody can change anything through them (that is what hooks are for)."""

from __future__ import annotations

import fnmatch
import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any, ClassVar

from pydantic_core import from_json, to_json

from querist.core.breaker import Breaker
from querist.errors import BreakerOpenError

log = logging.getLogger(__name__)

_FAILURES, _WINDOW = 5, 60.0
"""So many failures in so many seconds cut a subscriber off, for as long."""
_QUEUE = 10_000
"""Events that may wait for a subscriber with a thread of its own."""


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

    def to_dict(self) -> dict[str, Any]:
        """The event as JSON-ready data: its name as `event`, and its fields. What JSON cannot hold becomes text."""
        values = {part.name: getattr(self, part.name) for part in fields(self)}
        told = to_json(values, bytes_mode="base64", inf_nan_mode="null", fallback=str)
        return {"event": self.name, **from_json(told)}


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


@dataclass(frozen=True, kw_only=True)
class SubscriberCutOff(Event):
    """The subscriber `source` kept failing, or hangs, and hears nothing for a while."""

    name: ClassVar[str] = "subscriber.cut_off"
    reason: str


Subscriber = Callable[[Event], None]
Wanted = str | Callable[[Event], bool]
"""Which events: a pattern of their names (`run.*`), or a function that says so of each."""


class EventBus:
    """Hands each event to those who subscribed to it, at once and in the thread that emits it.

    A subscriber must be quick and may be called from several threads, unless it asks for a thread of its own. One that
    keeps failing is left alone for a while, which is logged and told as an event.

    Args:
        keep: events that `recent` remembers.
    """

    def __init__(self, keep: int = 1000) -> None:
        self._recent: deque[Event] = deque(maxlen=keep)
        self._subscriptions: tuple[_Subscription, ...] = ()
        self._matching: dict[str, tuple[_Subscription, ...]] = {}
        self._lock = threading.Lock()

    def subscribe(
        self, subscriber: Subscriber, wanted: Wanted = "*", *, priority: int = 500, timeout: float | None = None
    ) -> Callable[[], None]:
        """Call `subscriber` with every event that is wanted. Returns what ends that.

        Args:
            priority: lower is told first.
            timeout: give it a thread of its own, where events wait for it. While one call takes longer than these
                seconds, or too many wait, it hears nothing, which is logged and told.
        """
        kind = _Subscription if timeout is None else partial(_ThreadSubscription, timeout=timeout)
        entry = kind(subscriber, wanted, priority, self.emit)
        with self._lock:
            self._subscriptions = tuple(sorted((*self._subscriptions, entry), key=lambda e: e.priority))
            self._matching = {}

        def unsubscribe() -> None:
            with self._lock:
                self._subscriptions = tuple(e for e in self._subscriptions if e is not entry)
                self._matching = {}
            entry.end()

        return unsubscribe

    def emit(self, event: Event) -> None:
        """Tell all subscribers. Never raises: a subscriber's failure is logged, and the others still hear the event."""
        self._recent.append(event)
        matching = self._matching.get(event.name)
        for subscription in self._find(event.name) if matching is None else matching:
            subscription.tell(event)

    def recent(self, wanted: Wanted = "*") -> list[Event]:
        """The latest events, oldest first."""
        return [event for event in self._recent.copy() if _is(event, wanted)]

    def _find(self, name: str) -> tuple[_Subscription, ...]:
        with self._lock:
            matching = tuple(
                entry
                for entry in self._subscriptions
                if not isinstance(entry.wanted, str) or fnmatch.fnmatchcase(name, entry.wanted)
            )
            self._matching[name] = matching
        return matching


class _Subscription:
    def __init__(self, subscriber: Subscriber, wanted: Wanted, priority: int, emit: Callable[[Event], None]) -> None:
        self.wanted, self.priority = wanted, priority
        self.name = getattr(subscriber, "__qualname__", type(subscriber).__name__)
        self._subscriber = subscriber
        self._when = None if isinstance(wanted, str) else wanted
        self._emit = emit
        self._breaker = Breaker(self.name, _FAILURES, _WINDOW, _WINDOW)

    def tell(self, event: Event) -> None:
        self._call(event)

    def end(self) -> None:
        pass

    def _call(self, event: Event) -> None:
        try:
            trying = self._breaker.enter()
        except BreakerOpenError:
            return
        try:
            if self._when is None or self._when(event):
                self._subscriber(event)
            self._breaker.succeeded()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # whoever tells an event is neither to end nor to be cancelled by it
            log.exception("a subscriber failed on the event %r of %r", event.name, event.source)
            if self._breaker.failed():
                self._cut_off(f"it failed {_FAILURES} times within {_WINDOW:g} s, at last with {error!r}")
        finally:
            if trying:
                self._breaker.release()

    def _cut_off(self, reason: str) -> None:
        log.error("the subscriber %s hears no events for now: %s", self.name, reason)
        self._emit(SubscriberCutOff(source=self.name, reason=reason))


class _ThreadSubscription(_Subscription):
    """One whose subscriber is called in a thread of its own. Whoever emits finds out that it hangs."""

    def __init__(self, *arguments: Any, timeout: float) -> None:
        super().__init__(*arguments)
        self._timeout = timeout
        self._began: float | None = None
        self._behind = False
        self._waiting: queue.Queue[Event | None] = queue.Queue(_QUEUE)
        threading.Thread(target=self._work, name=f"events of {self.name}", daemon=True).start()

    def tell(self, event: Event) -> None:
        began, reason = self._began, ""
        if began is not None and time.monotonic() - began > self._timeout:
            reason = f"one call has taken longer than {self._timeout:.4g} s"
        elif self._waiting.full():
            reason = f"{_QUEUE:,} events wait for it"
        told, self._behind = self._behind, bool(reason)
        if not reason:
            with suppress(queue.Full):  # another thread was quicker: the next event tells
                self._waiting.put_nowait(event)
        elif not told:
            self._cut_off(reason)

    def end(self) -> None:
        with suppress(queue.Full):
            self._waiting.put_nowait(None)

    def _work(self) -> None:
        while (event := self._waiting.get()) is not None:
            self._began = time.monotonic()
            self._call(event)
            self._began = None


def _is(event: Event, wanted: Wanted) -> bool:
    return fnmatch.fnmatchcase(event.name, wanted) if isinstance(wanted, str) else wanted(event)
