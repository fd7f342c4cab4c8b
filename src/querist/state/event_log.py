"""Events kept on disk: what happened, and which permissions were used. Not for what programs need in order to work."""

from __future__ import annotations

import json
import logging
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from querist.core.events import Event, EventBus, Wanted
from querist.settings.policy import EventSettings
from querist.state.paths import data_dir

log = logging.getLogger(__name__)

_WAITING = 100_000
"""Events that may wait to be written."""
_BATCH = 1000
_CLEAN_SECONDS = 3600.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY,
    time REAL NOT NULL,
    name TEXT NOT NULL,
    source TEXT NOT NULL,
    run_id TEXT NOT NULL,
    data TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS events_by_time ON events (time);
CREATE INDEX IF NOT EXISTS events_by_run ON events (run_id);
"""


@dataclass(frozen=True)
class EventCount:
    """How often an event happened; `first` and `last` are seconds since the epoch."""

    name: str
    count: int
    first: float
    last: float


class EventLog:
    """Events in one SQLite file, written by a thread of its own so that whoever tells them does not wait.

    It never stops the work: what cannot be written is logged and counted in `lost`.

    Args:
        path: made with its folder on first use, readable by its owner only. Several processes may share it.
        days: older events are deleted.
        clock: seconds since the epoch.
    """

    def __init__(self, path: Path, days: float = 30.0, clock: Callable[[], float] = time.time) -> None:
        self.path, self.days = path, days
        self.lost = 0
        self._clock = clock
        self._waiting: queue.Queue[Event | None] = queue.Queue(_WAITING)
        self._cleaned = float("-inf")
        self._writer: threading.Thread | None = None
        self._lock = threading.Lock()

    def attach(self, bus: EventBus, wanted: Wanted = "*") -> Callable[[], None]:
        """Keep the events of a bus. Returns what ends that."""
        return bus.subscribe(self.write, wanted)

    def write(self, event: Event) -> None:
        """Keep an event; it is on disk soon, after `flush` at the latest."""
        if self._writer is None:
            self._start()
        try:
            self._waiting.put_nowait(event)
        except queue.Full:
            self.lost += 1

    def flush(self) -> None:
        """Wait until all events so far are written."""
        if self._waiting.unfinished_tasks:
            self._start()
            self._waiting.join()

    def replay(self, start: float = 0.0, end: float = float("inf"), name: str = "*") -> Iterator[dict[str, Any]]:
        """The events from `start` until before `end`, in order, as `Event.to_dict` gave them.

        Args:
            start, end: seconds since the epoch.
            name: pattern of their names, such as `permission.*`.
        """
        self.flush()
        query = "SELECT data FROM events WHERE time >= ? AND time < ? AND name GLOB ? ORDER BY time, id"
        with closing(self._open()) as database:
            for (data,) in database.execute(query, (start, end, name)):
                yield json.loads(data)

    def statistics(self) -> list[EventCount]:
        """How often each event happened, the most frequent first."""
        self.flush()
        query = "SELECT name, count(*), min(time), max(time) FROM events GROUP BY name ORDER BY count(*) DESC, name"
        with closing(self._open()) as database:
            return [EventCount(*row) for row in database.execute(query)]

    def close(self) -> None:
        """Write what waits. It opens again when it is used."""
        with self._lock:
            if self._writer is not None:
                self._waiting.put(None)
                self._writer.join()
                self._writer = None

    def _start(self) -> None:
        with self._lock:
            if self._writer is None:
                self._writer = threading.Thread(target=self._work, name="event log", daemon=True)
                self._writer.start()

    def _work(self) -> None:
        ended = False
        while not ended:
            batch = [self._waiting.get()]
            while len(batch) < _BATCH:
                try:
                    batch.append(self._waiting.get_nowait())
                except queue.Empty:
                    break
            ended = None in batch
            events = [event for event in batch if event is not None]
            try:
                if events:
                    self._store(events)
            except (sqlite3.Error, OSError) as error:
                self.lost += len(events)
                log.warning("%d events could not be written to %s: %s", len(events), self.path, error)
            finally:
                for _ in batch:
                    self._waiting.task_done()

    def _store(self, events: list[Event]) -> None:
        rows = []
        for event in events:
            try:
                data = json.dumps(event.to_dict(), ensure_ascii=False)
            except ValueError as error:
                self.lost += 1
                log.warning("the event %r of %r could not be written: %s", event.name, event.source, error)
            else:
                rows.append((event.time, event.name, event.source, event.run_id, data))
        with closing(self._open()) as database, database:
            database.executemany("INSERT INTO events (time, name, source, run_id, data) VALUES (?, ?, ?, ?, ?)", rows)
            if self._clock() - self._cleaned > _CLEAN_SECONDS:
                self._cleaned = self._clock()
                database.execute("DELETE FROM events WHERE time < ?", (self._cleaned - self.days * 86400,))

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # SQLite gives its companion files the rights of the database file, so these are set before it opens it.
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        database = sqlite3.connect(self.path, timeout=5.0)
        try:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            database.executescript(_SCHEMA)
        except BaseException:
            database.close()
            raise
        return database


@contextmanager
def kept(bus: EventBus, settings: EventSettings) -> Iterator[None]:
    """Meanwhile keep the events of a bus, where the settings ask for that."""
    if not settings.keep:
        yield
        return
    log = EventLog(data_dir() / "events.sqlite", settings.days)
    end = log.attach(bus)
    try:
        yield
    finally:
        end()
        log.close()
