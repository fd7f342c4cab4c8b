"""What travels with a run: who it is, who listens, how long it may take, whether it is still wanted.

Knows nothing of models or data: upper layers put their own things in by type (`with_extras`).
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any, Self, TypeVar

from querist.core.events import Event, EventBus
from querist.core.permissions import Grant, Principal

T = TypeVar("T")

log = logging.getLogger(__name__)


class Priority(IntEnum):
    """Who goes first where runs have to wait for each other."""

    URGENT = 0
    HIGH = 1
    NORMAL = 2
    LOW = 3
    IDLE = 4


class Cancellation:
    """A wish to stop, shared by a run and all runs below it. May be made from any thread."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._cancelled = False

    @property
    def cancelled(self) -> bool:
        return self._cancelled

    def cancel(self) -> None:
        """Stop everything that runs under it. Calling it again does nothing."""
        with self._lock:
            if self._cancelled:
                return
            self._cancelled = True
            callbacks = list(self._callbacks)
        for callback in callbacks:
            try:
                callback()
            except Exception:  # the others have to be told all the same
                log.exception("what was told of a cancellation failed")

    def on_cancel(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` when it is cancelled, at once if it is already. Returns what takes that back.

        For work that cannot be awaited, such as a query in a thread: `on_cancel(source.interrupt)`.
        """
        with self._lock:
            already = self._cancelled
            if not already:
                self._callbacks.append(callback)
        if already:
            callback()

        def forget() -> None:
            with self._lock:
                if callback in self._callbacks:
                    self._callbacks.remove(callback)

        return forget


@dataclass(frozen=True)
class RunContext:
    """The surroundings of one run. `RunContext()` is the outside, where no run is yet; the runner makes the others.

    Attributes:
        run_id: empty outside of any run.
        parent_id: the run that started this one; empty for the outermost.
        deadline: on the clock of `time.monotonic()`; None when there is none.
        principal: whoever the run is for, with what it may do.
        priority: for the run and all below it.
        memory_mb, cpu_seconds: bounds for what works in a process of its own; None where there are none.
        held: names of the components around this one whose places it shares; kept by the runner.
        meters: what is told how many tokens were used; kept by the runner.
    """

    run_id: str = ""
    parent_id: str = ""
    events: EventBus = field(default_factory=EventBus)
    cancellation: Cancellation = field(default_factory=Cancellation)
    deadline: float | None = None
    extras: Mapping[type, Any] = field(default_factory=dict)
    principal: Principal = field(default_factory=Principal)
    priority: Priority = Priority.NORMAL
    memory_mb: int | None = None
    cpu_seconds: float | None = None
    held: frozenset[str] = frozenset()
    meters: tuple[Callable[[int], None], ...] = ()

    def child(self, timeout: float | None = None, extras: Mapping[type, Any] | None = None) -> RunContext:
        """The context of a new run inside this one, to end within `timeout` seconds and by this one's deadline.

        Args:
            extras: in place of this one's.
        """
        deadline = self.deadline
        if timeout is not None:
            own = time.monotonic() + timeout
            deadline = own if deadline is None else min(own, deadline)
        run_id = os.urandom(8).hex()
        return RunContext(
            run_id,
            self.run_id,
            self.events,
            self.cancellation,
            deadline,
            self.extras if extras is None else extras,
            self.principal,
            self.priority,
            self.memory_mb,
            self.cpu_seconds,
            self.held,
            self.meters,
        )

    def remaining(self) -> float | None:
        """Seconds until the deadline, negative after it; None when there is none."""
        return None if self.deadline is None else self.deadline - time.monotonic()

    def emit(self, event: Event) -> None:
        """Tell an event as this run's own."""
        self.events.emit(event if event.run_id else replace(event, run_id=self.run_id, parent_id=self.parent_id))

    def spend(self, tokens: int) -> None:
        """Note that the run used tokens of a language model; they count for its principal and all runs around it."""
        if self.principal.budget is not None:
            self.principal.budget.spend(tokens)
        for meter in self.meters:
            meter(tokens)

    def narrowed(self, grants: Iterable[Grant | str]) -> Self:
        """This context with only these grants, each as far as it was granted before; for what is trusted less."""
        wanted = (Grant.parse(grant) if isinstance(grant, str) else grant for grant in grants)
        return replace(self, principal=self.principal.narrowed(wanted))

    def with_extras(self, *things: object) -> RunContext:
        """This context with `things` in it, each to be found by its type; they reach all runs below."""
        return replace(self, extras={**self.extras, **{type(thing): thing for thing in things}})

    def get(self, kind: type[T]) -> T | None:
        """The extra of exactly this type; None when there is none."""
        return self.extras.get(kind)


current_run: ContextVar[RunContext | None] = ContextVar("querist_run", default=None)
"""The context of the innermost run around the caller, for code that cannot be given one."""
