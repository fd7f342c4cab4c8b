"""Gate: lets so many in at once. The others wait, those of the higher priority first; too many are turned away."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import threading

from querist.core.context import Priority
from querist.errors import QueueFullError


class Gate:
    """At most `limit` inside and `queue` waiting. Those who wait may belong to different event loops and threads.

    Args:
        name: what it bounds, for the error.
    """

    def __init__(self, name: str, limit: int, queue: int) -> None:
        self.name, self.limit, self.queue = name, limit, queue
        self.inside = 0
        self._waiting: list[tuple[Priority, int, _Waiter]] = []
        self._order = itertools.count()
        self._lock = threading.Lock()

    async def enter(self, priority: Priority = Priority.NORMAL) -> None:
        """Come in, now or when it is one's turn. Whoever came in has to `leave`.

        Raises:
            QueueFullError: too many wait already.
        """
        with self._lock:
            if self.inside < self.limit:
                self.inside += 1
                return
            if len(self._waiting) >= self.queue:
                raise QueueFullError(
                    f"{self.limit} of {self.name} run and {len(self._waiting)} wait, which is as many as may.",
                    hint="Try again later, or raise `limit` or `queue` under `concurrency`.",
                )
            waiter = _Waiter()
            place = (priority, next(self._order), waiter)
            heapq.heappush(self._waiting, place)
        try:
            await waiter.turn
        except asyncio.CancelledError:
            with self._lock:
                if waiter.called:
                    self._next()
                else:
                    self._waiting.remove(place)
                    heapq.heapify(self._waiting)
            raise

    def leave(self) -> None:
        with self._lock:
            self._next()

    def _next(self) -> None:
        """Give the place that becomes free to the first who waits."""
        while self._waiting:
            if heapq.heappop(self._waiting)[2].call():
                return
        self.inside -= 1


class _Waiter:
    def __init__(self) -> None:
        self.called = False
        self._loop = asyncio.get_running_loop()
        self.turn: asyncio.Future[None] = self._loop.create_future()

    def call(self) -> bool:
        """Tell that it is its turn. Returns whether anybody can hear it."""
        try:
            self._loop.call_soon_threadsafe(self._set)
        except RuntimeError:  # its event loop is closed
            return False
        self.called = True
        return True

    def _set(self) -> None:
        if not self.turn.done():
            self.turn.set_result(None)
