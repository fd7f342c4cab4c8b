from __future__ import annotations

import asyncio
import threading

import pytest

from querist.core.event_stream import EventStream
from querist.core.events import Event, EventBus, RunStarted

pytestmark = pytest.mark.anyio


async def test_events_come_as_they_are_told_from_any_thread_until_it_is_closed() -> None:
    bus, heard = EventBus(), list[str]()
    with EventStream(bus, "run.*") as stream:
        bus.emit(RunStarted(source="waits for the reader"))
        bus.emit(Event(source="not wanted"))
        threading.Timer(0.01, bus.emit, [RunStarted(source="comes while the reader waits")]).start()
        async for event in stream:
            heard.append(event.source)
            if len(heard) == 2:
                asyncio.get_running_loop().call_soon(stream.close)
    assert heard == ["waits for the reader", "comes while the reader waits"]


async def test_a_reader_who_is_too_slow_misses_the_oldest_and_can_see_how_many() -> None:
    bus = EventBus()
    with EventStream(bus, size=2) as stream:
        for number in range(5):
            bus.emit(RunStarted(source=str(number)))
        assert [(await anext(stream)).source for _ in range(2)] == ["3", "4"]
        assert stream.dropped == 3


async def test_what_is_told_after_closing_is_not_heard() -> None:
    bus = EventBus()
    with EventStream(bus) as stream:
        pass
    bus.emit(RunStarted(source="late"))
    assert [event async for event in stream] == []
