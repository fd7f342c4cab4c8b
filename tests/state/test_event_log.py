from __future__ import annotations

import stat
import threading
from pathlib import Path
from typing import Any

from querist.core.events import Event, EventBus, PermissionUsed, RunFinished, RunStarted
from querist.state.event_log import EventCount, EventLog


def test_events_are_there_for_whoever_opens_the_file_later(tmp_path: Path) -> None:
    path, bus = tmp_path / "data" / "events.sqlite", EventBus()
    log = EventLog(path, days=1e6)
    log.attach(bus)
    used = PermissionUsed(source="read", principal="ann", need="file_read:a", grant="file_read:.", time=2)
    bus.emit(RunStarted(source="read", run_id="r", time=1))
    bus.emit(used)
    bus.emit(RunFinished(source="read", run_id="r", seconds=0.5, time=3))
    log.close()
    later = EventLog(path)
    assert [event["event"] for event in later.replay()] == ["run.started", "permission.used", "run.finished"]
    assert list(later.replay(name="permission.*")) == [used.to_dict()]
    assert [event["time"] for event in later.replay(start=2, end=3)] == [2]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_statistics_count_by_name(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.sqlite", days=1e6)
    for time in (5, 3, 4):
        log.write(RunStarted(source="x", time=time))
    log.write(Event(source="y", time=1))
    assert log.statistics() == [EventCount("run.started", 3, 3, 5), EventCount("event", 1, 1, 1)]
    log.close()


def test_old_events_are_deleted(tmp_path: Path) -> None:
    path, day = tmp_path / "events.sqlite", 86400.0
    first = EventLog(path, days=10, clock=lambda: 20 * day)
    first.write(RunStarted(source="old", time=11 * day))
    first.write(RunStarted(source="new", time=19 * day))
    first.close()
    later = EventLog(path, days=10, clock=lambda: 25 * day)
    later.write(RunStarted(source="now", time=25 * day))
    assert [event["source"] for event in later.replay()] == ["new", "now"]
    later.close()


def test_closing_ends_even_while_events_are_told(tmp_path: Path) -> None:
    writing, go = threading.Event(), threading.Event()

    class Slow(Event):
        def to_dict(self) -> dict[str, Any]:
            writing.set()
            go.wait(60)
            return super().to_dict()

    log = EventLog(tmp_path / "events.sqlite", days=1e6)
    log.write(Slow(source="slow", time=1))
    assert writing.wait(60)
    closing = threading.Thread(target=log.close, daemon=True)
    telling = threading.Thread(target=log.write, args=(Event(source="late", time=2),), daemon=True)
    for thread in (closing, telling):
        thread.start()
        thread.join(0.05)
    go.set()
    for thread in (closing, telling):
        thread.join(10)
        assert not thread.is_alive()
    assert [event["source"] for event in log.replay()] == ["slow", "late"]
    log.close()


def test_a_place_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    log, bus = EventLog(tmp_path / "file" / "events.sqlite"), EventBus()
    log.attach(bus)
    bus.emit(RunStarted(source="x"))
    log.flush()
    assert log.lost == 1
    log.close()
