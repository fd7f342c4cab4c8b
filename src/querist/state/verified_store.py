"""Keeps verified queries: one SQLite file in the data directory, which several processes may use at once."""

from __future__ import annotations

import contextlib
import datetime as dt
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from querist.errors import DataError
from querist.state.sqlite_file import open_file, remedy

_TABLE = "CREATE TABLE IF NOT EXISTS verified (id TEXT PRIMARY KEY, record TEXT NOT NULL)"


class VerifiedQuery(BaseModel):
    """A question and the query that a person vouches for.

    Attributes:
        id: the same for the same question about the same source.
        source, place: the name of the source, and where its data are.
        reads: the part of the schema it depends on: types by `table.column`, row layout by `table.*`, "" for a table.
        result: fingerprint of its rows when it was verified.
        accepted: names of the checks that had something to say when it was verified.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    question: str = Field(min_length=1)
    sql: str = Field(min_length=1)
    source: str
    place: str
    reads: dict[str, str]
    result: str
    rows: int
    accepted: tuple[str, ...] = ()
    verified: dt.datetime


class VerifiedStore:
    """The verified queries in a file, which is made when the first one is kept.

    Every method raises DataError when the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def all(self) -> list[VerifiedQuery]:
        """All that are kept, the latest first."""
        if not self.path.exists():
            return []
        with self._open() as database:
            rows = database.execute("SELECT record FROM verified").fetchall()
            found = [VerifiedQuery.model_validate_json(record) for (record,) in rows]
        return sorted(found, key=lambda query: (query.verified, query.id), reverse=True)

    def add(self, query: VerifiedQuery) -> None:
        """Keep one, in place of the one with its id."""
        with self._open() as database:
            database.execute("INSERT OR REPLACE INTO verified VALUES (?, ?)", (query.id, query.model_dump_json()))

    def remove(self, id: str) -> bool:
        """Forget one; False when there is none with that id."""
        if not self.path.exists():
            return False
        with self._open() as database:
            return database.execute("DELETE FROM verified WHERE id = ?", (id,)).rowcount > 0

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with open_file(self.path, _TABLE) as database:
                yield database
        except (sqlite3.Error, OSError, ValueError) as error:  # a record that does not validate is a ValueError
            raise DataError(
                f"The verified queries in {self.path} cannot be used: {error}.",
                hint=remedy(error, "Move it away, and bring its queries back with `querist verify --import FILE`."),
            ) from error
