"""Outputs of one component by its input, in memory. Not for what several processes share: see `state/cache.py`."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

log = logging.getLogger(__name__)


class OutputCache:
    """At most `size` outputs, each for `ttl` seconds, least recently used out first.

    Whoever gets one gets a copy of its own. It holds what succeeded, since nothing else is put into it.
    """

    def __init__(self, ttl: float, size: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.ttl, self.size = ttl, size
        self._clock = clock
        self._kept: OrderedDict[str, tuple[float, BaseModel]] = OrderedDict()
        self._lock = threading.Lock()

    @staticmethod
    def key(version: str, input: BaseModel) -> str:
        """The same for inputs that say the same, in whichever order; empty for one that cannot be written down."""
        try:
            return f"{version} {json.dumps(input, sort_keys=True, default=_written)}"
        except (TypeError, ValueError):
            return ""

    def get(self, key: str) -> BaseModel | None:
        with self._lock:
            kept, output = self._kept.get(key, (0.0, None))
            if output is None:
                return None
            if self._clock() - kept > self.ttl:
                del self._kept[key]
                return None
            self._kept.move_to_end(key)
        return output.model_copy(deep=True)

    def put(self, key: str, output: BaseModel) -> None:
        try:
            copy = output.model_copy(deep=True)
        except Exception as error:
            log.warning("an output cannot be copied, and so is not kept: %r", error)
            return
        with self._lock:
            self._kept[key] = (self._clock(), copy)
            self._kept.move_to_end(key)
            if len(self._kept) > self.size:
                self._kept.popitem(last=False)


def _written(value: Any) -> Any:
    """What JSON does not know, with its type: two of different types may look alike."""
    if hasattr(value, "get_secret_value"):
        raise TypeError("secrets are not written down")
    if isinstance(value, BaseModel):
        plain: Any = dict(value)
    elif is_dataclass(value):
        plain = {part.name: getattr(value, part.name) for part in fields(value)}
    elif isinstance(value, (set, frozenset)):
        plain = sorted(map(repr, value))
    else:
        plain = to_jsonable_python(value)
    return [type(value).__qualname__, plain]
