"""Breaker: leaves what keeps failing alone for a while. Closed, open, then half-open: one may try whether it works."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Literal

from querist.errors import BreakerOpenError

State = Literal["closed", "open", "half-open"]


class Breaker:
    """Opens after `threshold` failures within `window` seconds, lets one try after `reset` seconds. For any thread.

    Args:
        name: whose it is, for the error.
        clock: seconds, for tests.
    """

    def __init__(
        self, name: str, threshold: int, window: float, reset: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.name, self.window, self.reset = name, window, reset
        self._clock = clock
        self._failures: deque[float] = deque(maxlen=threshold)
        self._opened: float | None = None
        self._trying = False
        self._lock = threading.Lock()

    @property
    def state(self) -> State:
        if self._opened is None:
            return "closed"
        return "half-open" if self._clock() - self._opened >= self.reset else "open"

    def enter(self) -> bool:
        """Ask to begin. Returns whether this is the one that tries: it has to call `release` when it ends, however.

        Raises:
            BreakerOpenError: it is open, or another one is trying.
        """
        if self._opened is None:
            return False
        with self._lock:
            if self._opened is None:
                return False
            left = self._opened + self.reset - self._clock()
            if left <= 0 and not self._trying:
                self._trying = True
                return True
        raise BreakerOpenError(
            f"{self.name!r} failed {self._failures.maxlen} times within {self.window:.4g} s and is left alone"
            f"{f' for another {left:.1f} s' if left > 0 else ' while one run tries whether it works again'}.",
            hint="Try again later; its last errors say what is wrong.",
            retry_after=max(left, 0.0),
        )

    def release(self) -> None:
        """The one that tried has ended."""
        with self._lock:
            self._trying = False

    def succeeded(self) -> bool:
        """Note a success. Returns whether that closed it."""
        if self._opened is None:
            return False
        with self._lock:
            if self.state != "half-open":
                return False
            self._opened = None
            self._failures.clear()
            return True

    def failed(self) -> bool:
        """Note a failure. Returns whether that opened it."""
        with self._lock:
            now, state = self._clock(), self.state
            self._failures.append(now)
            full = len(self._failures) == self._failures.maxlen and now - self._failures[0] <= self.window
            if state == "half-open" or (state == "closed" and full):
                self._opened = now
                return True
            return False
