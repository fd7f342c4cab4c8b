"""Hooks may change or stop what happens, at points before and after a run and where it fails. Events only tell.

A point is `MOMENT:KIND`, such as `before:tool`, with the moments before, after and error and the kinds of components;
`MOMENT:component` is all kinds. `system:start`, `system:config` and `system:stop` are called by `Querist`; any other
name is for whoever calls `Hooks.fire`.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from itertools import groupby
from typing import Any, ClassVar, Literal

from querist.core.context import RunContext
from querist.core.events import Event
from querist.errors import HookFailedError, QueristError, UsageError, VetoError

log = logging.getLogger(__name__)

OnError = Literal["continue", "stop", "rollback"]
Moment = Literal["before", "after", "error"]


@dataclass(frozen=True)
class Moving:
    """What passes a point, as hooks see it.

    Attributes:
        point: such as `before:tool`.
        component: name of the component; empty at points that belong to no run.
        value: what the hook may replace: the input before, the output after, None where it failed.
        input: the input of the run, after hooks that came before it.
        error: why it failed, at `error` points.
        seconds: since the run began.
    """

    point: str
    component: str
    value: Any
    context: RunContext
    input: Any = None
    error: QueristError | None = None
    seconds: float = 0.0


Hook = Callable[[Moving], Awaitable[Any]]
"""Returns what to go on with in place of `value`, or None to leave it. Raises `VetoError` to forbid it.

At `error` points, what it returns is the output of the run in place of the error.
"""


@dataclass(frozen=True, kw_only=True)
class HookFailed(Event):
    """A hook (`source`) failed or took too long; `point` is where."""

    name: ClassVar[str] = "hook.failed"
    point: str
    message: str


@dataclass(frozen=True)
class _Entry:
    hook: Hook
    name: str
    at: tuple[str, ...]
    component: str
    priority: int
    timeout: float
    on_error: OnError
    parallel: bool
    when: Callable[[Moving], bool] | None

    def is_at(self, point: str, general: str, component: str) -> bool:
        return fnmatchcase(component, self.component) and any(
            fnmatchcase(point, pattern) or fnmatchcase(general, pattern) for pattern in self.at
        )


class Hooks:
    """The hooks of one runner. They may be added and removed at any time."""

    def __init__(self) -> None:
        self._entries: tuple[_Entry, ...] = ()
        self._found: dict[tuple[str, str], tuple[_Entry, ...]] = {}
        self._lock = threading.Lock()

    def add(
        self,
        hook: Hook,
        *at: str,
        component: str = "*",
        priority: int = 500,
        timeout: float = 5.0,
        on_error: OnError = "continue",
        parallel: bool = False,
        when: Callable[[Moving], bool] | None = None,
    ) -> Callable[[], None]:
        """Call a hook at some points. Returns what takes that back.

        Args:
            hook: an async function. It runs in the event loop: what blocks belongs into `asyncio.to_thread`.
            at: points, or patterns of them: `before:tool`, `after:*`.
            component: pattern of the names of the components that it is for.
            priority: 0 to 1000, lower is called first; those of equal priority in the order in which they were added.
            timeout: seconds for one call; a hook that takes longer is left behind and counts as failed.
            on_error: when it fails: go on without it, let the run fail, or undo what the hooks of this point changed,
                skip the rest of them and go on. A veto always holds.
            parallel: run it together with its neighbours that are parallel too. It may veto but not change anything.
            when: called first; False skips the hook.

        Raises:
            UsageError: it could never be called, or not as asked.
        """
        name = getattr(hook, "__name__", type(hook).__name__)
        if not (inspect.iscoroutinefunction(hook) or inspect.iscoroutinefunction(type(hook).__call__)):
            raise UsageError(f"The hook {name!r} is not async.", hint="Write `async def`.")
        if not at:
            raise UsageError(f"The hook {name!r} names no point.", hint="Name one, such as `before:tool`.")
        if not 0 <= priority <= 1000 or timeout <= 0:
            raise UsageError(
                f"The hook {name!r} has the priority {priority} and the timeout {timeout}.",
                hint="Priorities are 0 to 1000, timeouts above 0.",
            )
        entry = _Entry(hook, name, at, component, priority, timeout, on_error, parallel, when)
        with self._lock:
            self._entries = tuple(sorted((*self._entries, entry), key=lambda entry: entry.priority))
            self._found = {}

        def remove() -> None:
            with self._lock:
                self._entries = tuple(other for other in self._entries if other is not entry)
                self._found = {}

        return remove

    def __len__(self) -> int:
        return len(self._entries)

    def at(self, moment: Moment, kind: str, component: str) -> tuple[_Entry, ...]:
        """The hooks for a moment of a component, first to be called first."""
        return self._at(f"{moment}:{kind}", f"{moment}:component", component) if self._entries else ()

    async def fire(self, point: str, value: Any = None, context: RunContext | None = None) -> Any:
        """Call the hooks of a point that belongs to no run, and return the value as they made it.

        Raises:
            VetoError, HookFailedError: a hook forbids it, or must not fail and did.
        """
        entries = self._at(point, point, "") if self._entries else ()
        return await pass_through(entries, Moving(point, "", value, context or RunContext()))

    def _at(self, point: str, general: str, component: str) -> tuple[_Entry, ...]:
        found = self._found.get((point, component))
        if found is None:
            with self._lock:
                found = tuple(entry for entry in self._entries if entry.is_at(point, general, component))
                self._found[point, component] = found
        return found


async def pass_through(
    entries: tuple[_Entry, ...], moving: Moving, fit: Callable[[Any], Any] = lambda value: value
) -> Any:
    """The value after all these hooks.

    Args:
        fit: what hooks return as what can be gone on with. Where it raises, the hook has failed.

    Raises:
        VetoError, HookFailedError: see `Hooks.fire`.
    """
    first = moving.value
    for parallel, group in groupby(entries, key=lambda entry: entry.parallel):
        try:
            if parallel:
                await _together(list(group), moving)
                continue
            for entry in group:
                changed = await _call(entry, moving, fit)
                if changed is not None:
                    moving = replace(moving, value=changed)
        except _Rollback:
            return first
    return moving.value


class _Rollback(Exception):
    """Undo what the hooks of this point changed."""


async def _together(entries: list[_Entry], moving: Moving) -> None:
    def unchanged(value: Any) -> Any:
        raise TypeError("a parallel hook cannot change anything")

    results = await asyncio.gather(*(_call(entry, moving, unchanged) for entry in entries), return_exceptions=True)
    errors = [result for result in results if isinstance(result, BaseException)]
    # A veto weighs most, then a hook that must not fail, then one after which to go back.
    for kind in (VetoError, HookFailedError, BaseException):
        for error in errors:
            if isinstance(error, kind):
                raise error


async def _call(entry: _Entry, moving: Moving, fit: Callable[[Any], Any]) -> Any:
    """What one hook returns; None where it is skipped, or failed and may."""
    try:
        if entry.when is not None and not entry.when(moving):
            return None
        changed = await _bounded(entry, moving)
        return None if changed is None else fit(changed)
    except VetoError:
        raise
    except (Exception, SystemExit) as error:
        why = str(error) or type(error).__name__
        log.warning("the hook %r failed at %s of %r: %s", entry.name, moving.point, moving.component, why)
        moving.context.emit(HookFailed(source=entry.name, point=moving.point, message=why))
        if entry.on_error == "stop":
            raise HookFailedError(
                f"The hook {entry.name!r} failed at {moving.point} of {moving.component!r}: {why}",
                hint="Mend the hook, or let it fail with on_error: continue.",
            ) from error
        if entry.on_error == "rollback":
            raise _Rollback from error
        return None


async def _called(hook: Hook, moving: Moving) -> Any:
    try:
        return await hook(moving)
    except SystemExit as error:  # from a task it would end the event loop
        raise RuntimeError(f"SystemExit: {error}") from error


async def _bounded(entry: _Entry, moving: Moving) -> Any:
    """A task of its own, so that even a hook that does not let itself be cancelled can be left behind."""
    task = asyncio.ensure_future(_called(entry.hook, moving))
    try:
        done, _ = await asyncio.wait({task}, timeout=entry.timeout)
    except asyncio.CancelledError:
        task.cancel()
        raise
    if not done:
        task.cancel()
        raise TimeoutError(f"it took longer than {entry.timeout:.4g} s")
    if task.cancelled():
        raise RuntimeError("it was cancelled")
    return task.result()
