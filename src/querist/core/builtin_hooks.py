"""Hooks for what is often wanted: write to the log, count, forbid, change. Each function makes one."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, is_dataclass, replace
from itertools import chain
from typing import Any

from pydantic import BaseModel

from querist.core.hooks import Hook, Hooks, Moving
from querist.errors import VetoError
from querist.settings.policy import HookSettings

log = logging.getLogger("querist.hooks")

_HOLDERS = (dict, list, tuple, set, frozenset)


def logger(level: int = logging.INFO) -> Hook:
    """Write what passes to the log `querist.hooks`."""

    async def write(moving: Moving) -> None:
        what = moving.error.message if moving.error else moving.value
        log.log(level, "%s %s %r", moving.point, moving.component, what)

    return write


@dataclass
class Count:
    """Runs of one component: those that ended well, those that failed, and the seconds of both."""

    finished: int = 0
    failed: int = 0
    seconds: float = 0.0


class Metrics:
    """Counts by component. For any thread."""

    def __init__(self) -> None:
        self.counts: dict[str, Count] = {}
        self._lock = threading.Lock()

    def hook(self) -> Hook:
        """A hook that counts, for the points `after:*` and `error:*`."""

        async def count(moving: Moving) -> None:
            with self._lock:
                count = self.counts.setdefault(moving.component, Count())
                if moving.point.startswith("error:"):
                    count.failed += 1
                else:
                    count.finished += 1
                count.seconds += moving.seconds

        return count


def validator(check: Callable[[Any], str | None]) -> Hook:
    """Forbid what passes when `check` returns why."""

    async def validate(moving: Moving) -> None:
        if why := check(moving.value):
            raise VetoError(why)

    return validate


def transformer(change: Callable[[Any], Any]) -> Hook:
    """Go on with what `change` makes of what passes."""

    async def transform(moving: Moving) -> Any:
        return change(moving.value)

    return transform


def replace_text(pattern: str, replacement: str) -> Callable[[Any], Any]:
    """A change that replaces what matches in all text that a value holds, at any depth."""
    compiled = re.compile(pattern)

    def change(value: Any) -> Any:
        if isinstance(value, str):
            return compiled.sub(replacement, value)
        if isinstance(value, BaseModel):
            return type(value).model_validate(change(dict(value)), by_name=True)
        if is_dataclass(value) and not isinstance(value, type):
            return replace(value, **{part.name: change(getattr(value, part.name)) for part in fields(value)})
        if isinstance(value, dict):
            return {key: change(inner) for key, inner in value.items()}
        if isinstance(value, _HOLDERS):
            return type(value)(change(inner) for inner in value)
        return value

    return change


def find_text(pattern: str) -> Callable[[Any], str | None]:
    """A check that finds what matches in any text that a value holds, keys of mappings among them."""
    compiled = re.compile(pattern)

    def check(value: Any) -> str | None:
        if isinstance(value, str):
            return f"It has text that matches {pattern!r}, which is not allowed." if compiled.search(value) else None
        if isinstance(value, BaseModel):
            value = list(dict(value).values())
        elif is_dataclass(value):
            value = [getattr(value, part.name) for part in fields(value)]
        parts = chain(value, value.values()) if isinstance(value, dict) else value
        return next(filter(None, map(check, parts)), None) if isinstance(value, _HOLDERS) else None

    return check


def add_hooks(
    hooks: Hooks,
    settings: Iterable[HookSettings],
    metrics: Metrics,
    when: Callable[[Moving], bool] | None = None,
) -> list[Callable[[], None]]:
    """Add the hooks that settings ask for; those that count, count into `metrics`. Returns what takes them back."""
    removers = []
    for wanted in settings:
        pattern = wanted.pattern or ""
        match wanted.use:
            case "logger":
                hook = logger(logging.getLevelNamesMapping()[wanted.level.upper()])
            case "metrics":
                hook = metrics.hook()
            case "validator":
                hook = validator(find_text(pattern))
            case "transformer":
                hook = transformer(replace_text(pattern, wanted.replacement))
        guards = wanted.use in ("validator", "transformer")
        remove = hooks.add(
            hook,
            *wanted.at,
            component=wanted.component,
            priority=wanted.priority,
            timeout=wanted.timeout,
            on_error=wanted.on_error or ("stop" if guards else "continue"),
            when=when,
        )
        removers.append(remove)
    return removers
