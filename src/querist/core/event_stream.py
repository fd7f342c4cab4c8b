"""Events for a reader in an event loop, such as a server that streams them to a browser."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from contextlib import suppress
from typing import Self

from querist.core.events import Event, EventBus, Wanted


class EventStream:
    """Events to iterate over, `async for event in stream`, as they come; made within the event loop that reads them.

    A context manager: leaving it ends the iteration. A reader who is too slow misses the oldest.

    Args:
        size: events that may wait for the reader.

    Attributes:
        dropped: how many were missed.
    """

    def __init__(self, bus: EventBus, wanted: Wanted = "*", size: int = 1000) -> None:
        self.dropped = 0
        self._waiting: deque[Event] = deque()
        self._size = size
        self._loop = asyncio.get_running_loop()
        self._arrived = asyncio.Event()
        self._idle, self._closed = False, False
        self._lock = threading.Lock()
        self._unsubscribe = bus.subscribe(self._put, wanted)

    def close(self) -> None:
        self._unsubscribe()
        self._closed = True
        self._arrived.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while True:
            with self._lock:
                if self._waiting:
                    return self._waiting.popleft()
                self._idle = True
                self._arrived.clear()
            if self._closed:
                raise StopAsyncIteration
            await self._arrived.wait()

    def _put(self, event: Event) -> None:
        with self._lock:
            if len(self._waiting) == self._size:
                self._waiting.popleft()
                self.dropped += 1
            self._waiting.append(event)
            wake, self._idle = self._idle, False
        if wake:
            with suppress(RuntimeError):  # the reader's event loop is closed
                self._loop.call_soon_threadsafe(self._arrived.set)
