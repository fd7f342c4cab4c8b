from __future__ import annotations

import asyncio
import json
import logging
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from querist.core.events import Event, EventBus, RunFinished, RunStarted, SubscriberCutOff


def started(source: str = "x") -> RunStarted:
    return RunStarted(source=source)


def test_a_subscriber_hears_the_names_that_match_its_pattern() -> None:
    bus, runs, all_events, finished = EventBus(), [], [], []
    bus.subscribe(runs.append, "run.*")
    bus.subscribe(all_events.append)
    bus.subscribe(finished.append, "run.finished")
    first, second, other = started(), RunFinished(source="x", seconds=1), Event(source="y")
    for event in (first, second, other):
        bus.emit(event)
    assert runs == [first, second]
    assert all_events == [first, second, other]
    assert finished == [second]


def test_a_subscription_can_be_ended_even_after_events_were_heard() -> None:
    bus, heard = EventBus(), []
    end = bus.subscribe(heard.append)
    bus.emit(started())
    end()
    end()
    bus.emit(started())
    assert len(heard) == 1


def test_one_who_subscribes_late_hears_what_comes_after() -> None:
    bus, heard = EventBus(), []
    bus.emit(started())
    bus.subscribe(heard.append)
    bus.emit(started("late"))
    assert [event.source for event in heard] == ["late"]


@pytest.mark.parametrize("kind", [RuntimeError, SystemExit, asyncio.CancelledError])
def test_a_subscriber_that_fails_is_logged_and_stops_nobody(
    caplog: pytest.LogCaptureFixture, kind: type[BaseException]
) -> None:
    def broken(event: Event) -> None:
        raise kind("no disk")

    bus, heard = EventBus(), []
    bus.subscribe(broken)
    bus.subscribe(heard.append)
    with caplog.at_level(logging.ERROR):
        bus.emit(started())
    assert len(heard) == 1
    assert "no disk" in caplog.text
    assert "run.started" in caplog.text


def test_events_can_be_chosen_by_a_function_and_subscribers_are_told_by_priority() -> None:
    bus, heard = EventBus(), list[str]()
    bus.subscribe(lambda event: heard.append("late"), priority=900)
    bus.subscribe(lambda event: heard.append("early"), lambda event: event.source == "x", priority=1)
    bus.emit(started("x"))
    bus.emit(started("y"))
    assert heard == ["early", "late", "late"]


def test_one_that_keeps_failing_is_left_alone_and_that_is_told() -> None:
    bus, told, calls = EventBus(), list[Event](), list[Event]()

    def broken(event: Event) -> None:
        calls.append(event)
        raise RuntimeError("no disk")

    bus.subscribe(broken, "run.*")
    bus.subscribe(told.append, "subscriber.*")
    for _ in range(20):
        bus.emit(started())
    assert len(calls) == 5
    (cut,) = told
    assert isinstance(cut, SubscriberCutOff)
    assert "broken" in cut.source
    assert "no disk" in cut.reason


def test_one_that_hangs_in_its_own_thread_stops_nobody_and_hears_again_when_it_returns() -> None:
    bus, heard, told, at_work, go = EventBus(), list[str](), list[Event](), threading.Event(), threading.Event()
    done = threading.Event()

    def slow(event: Event) -> None:
        heard.append(event.source)
        at_work.set()
        go.wait(60)
        if event.source == "last":
            done.set()

    end = bus.subscribe(slow, "run.*", timeout=0.01)
    bus.subscribe(told.append, "subscriber.*")
    bus.emit(started("first"))
    assert at_work.wait(60)
    while not told:
        bus.emit(started("lost, some of them"))
    bus.emit(started("lost"))
    assert ["has taken longer" in event.to_dict()["reason"] for event in told] == [True], "it is told once"
    go.set()
    while not done.is_set():
        bus.emit(started("last"))
    assert heard[0] == "first"
    end()


def test_the_latest_events_are_remembered() -> None:
    bus = EventBus(keep=3)
    for number in range(5):
        bus.emit(started(str(number)))
    assert [event.source for event in bus.recent()] == ["2", "3", "4"]
    assert [event.source for event in bus.recent(lambda event: event.source > "3")] == ["4"]
    assert bus.recent("permission.*") == []


def test_an_event_as_data_holds_only_what_json_can() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Odd(Event):
        name: ClassVar[str] = "odd"
        value: object

    event = Odd(source="x", time=1.5, value={"p": Path("a"), "n": float("nan"), "b": b"\xff", "o": object})
    told = event.to_dict()
    assert told["event"] == "odd"
    assert (told["source"], told["time"], told["value"]["p"], told["value"]["n"]) == ("x", 1.5, "a", None)
    json.dumps(told, allow_nan=False)
