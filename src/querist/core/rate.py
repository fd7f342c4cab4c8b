"""RateLimit: so much a minute, and a burst after a pause. Whoever comes too soon waits, or is told when to come."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

from querist.errors import RunRateLimitError


class RateLimit:
    """A bucket that holds `burst` and fills at `per_minute`. For any thread and event loop.

    Args:
        what: that which is bounded, such as "runs of 'fetch'", for the error.
        clock: seconds, for tests.
    """

    def __init__(self, what: str, per_minute: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.what, self.per_minute, self.burst = what, per_minute, burst
        self._clock = clock
        self._level, self._filled = burst, clock()
        self._lock = threading.Lock()

    async def take(self, amount: float, patience: float) -> None:
        """Wait until `amount` is there, and take it. 0 waits for debts of `spend` to be paid.

        Args:
            patience: seconds that one is ready to wait.

        Raises:
            RunRateLimitError: it would take longer.
        """
        with self._lock:
            self._fill()
            wait = max(0.0, (amount - self._level) / self.per_minute * 60)
            if wait > patience:
                raise RunRateLimitError(
                    f"There have been {self.per_minute:g} {self.what} in the last minute, which is as many as may be.",
                    hint=f"Try again in {wait:.1f} s, or raise the `rate`.",
                    retry_after=wait,
                )
            self._level -= amount
        if wait:
            try:
                await asyncio.sleep(wait)
            except asyncio.CancelledError:
                self.spend(-amount)
                raise

    def spend(self, amount: float) -> None:
        """Take what has been used already, into debt if need be."""
        with self._lock:
            self._fill()
            self._level -= amount

    def _fill(self) -> None:
        now = self._clock()
        self._level = min(self.burst, self._level + (now - self._filled) * self.per_minute / 60)
        self._filled = now
