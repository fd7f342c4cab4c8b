"""Outputs of one component by its input, in memory. Not for what several processes share: see `state/cache.py`."""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from pydantic import BaseModel


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
        """The same for inputs that say the same, in whichever order; empty for one that JSON cannot hold."""
        try:
            return f"{version} {json.dumps(input.model_dump(mode='json'), sort_keys=True)}"
        except ValueError:
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
        copy = output.model_copy(deep=True)
        with self._lock:
            self._kept[key] = (self._clock(), copy)
            self._kept.move_to_end(key)
            if len(self._kept) > self.size:
                self._kept.popitem(last=False)
