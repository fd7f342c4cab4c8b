from __future__ import annotations

import logging

import pytest

from querist.core.events import Event, EventBus, RunFinished, RunStarted


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


def test_a_subscriber_that_fails_is_logged_and_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    def broken(event: Event) -> None:
        raise RuntimeError("no disk")

    bus, heard = EventBus(), []
    bus.subscribe(broken)
    bus.subscribe(heard.append)
    with caplog.at_level(logging.ERROR):
        bus.emit(started())
    assert len(heard) == 1
    assert "no disk" in caplog.text
    assert "run.started" in caplog.text
