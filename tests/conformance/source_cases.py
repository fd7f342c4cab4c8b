"""The sources that the conformance suite runs over, each filled with the same two tables.

A new kind of source adds a `Case`; nothing in the suite itself changes.
"""

from __future__ import annotations

import csv
import datetime as dt
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from querist.sources.base import Source

PEOPLE_COLUMNS = ("id", "name", "born", "score", "home town")
PEOPLE = [
    (1, "Ada", dt.date(1990, 5, 17), 3.5, "Reedham"),
    (2, "Bram O'Neil", dt.date(1985, 12, 1), None, "Grand Arden"),
    (3, "Zoë 🦊", dt.date(2001, 1, 31), -1.25, None),
    (4, "Dov", None, 10.0, "Reedham"),
]
VISITS_COLUMNS = ("id", "person_id", "cost", "group")
VISITS = [(n, n % 4 + 1, n * 10, "red" if n % 3 else "blue") for n in range(1, 41)]


@dataclass(frozen=True)
class Case:
    """A kind of source.

    Attributes:
        make: a context in which a source with the tables `people` and `visits` is open; it is given an empty folder.
        endless: a query that runs for hours if nothing stops it.
        has_keys: primary and foreign keys can be declared (visits.person_id points to people.id).
        dates_are_text: the engine has no date type of its own.
    """

    name: str
    make: Callable[[Path], AbstractContextManager[Source]]
    endless: str
    has_keys: bool = True
    dates_are_text: bool = False
    quote: Callable[[str], str] = lambda name: f'"{name}"'


_TABLES = """
CREATE TABLE people (
    id INTEGER PRIMARY KEY, name VARCHAR(50) NOT NULL, born DATE, score {number}, "home town" VARCHAR(50)
);
CREATE TABLE visits (
    id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES people (id), cost INTEGER, "group" VARCHAR(10)
);
"""


@contextmanager
def _files(folder: Path) -> Iterator[Source]:
    from querist.sources.files import FileSource

    tables = (("people", PEOPLE_COLUMNS, PEOPLE), ("visits", VISITS_COLUMNS, VISITS))
    for name, header, rows in tables:
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header, *rows])
    source = FileSource("case", paths=(folder / "people.csv", folder / "visits.csv"))
    yield source
    source.close()


@contextmanager
def _sqlite(folder: Path) -> Iterator[Source]:
    from querist.sources.sqlite import SqliteSource

    con = sqlite3.connect(folder / "case.sqlite")
    con.executescript(_TABLES.format(number="REAL"))
    people = [tuple(str(v) if isinstance(v, dt.date) else v for v in row) for row in PEOPLE]
    con.executemany("INSERT INTO people VALUES (?, ?, ?, ?, ?)", people)
    con.executemany("INSERT INTO visits VALUES (?, ?, ?, ?)", VISITS)
    con.commit()
    con.close()
    source = SqliteSource("case", folder / "case.sqlite")
    yield source
    source.close()


@contextmanager
def _duckdb(folder: Path) -> Iterator[Source]:
    import duckdb

    from querist.sources.duckdb_file import DuckDbSource

    con = duckdb.connect(str(folder / "case.duckdb"))
    con.execute(_TABLES.format(number="DOUBLE"))
    con.executemany("INSERT INTO people VALUES (?, ?, ?, ?, ?)", PEOPLE)
    con.executemany("INSERT INTO visits VALUES (?, ?, ?, ?)", VISITS)
    con.close()
    source = DuckDbSource("case", folder / "case.duckdb")
    yield source
    source.close()


@contextmanager
def _postgres(folder: Path) -> Iterator[Source]:
    import psycopg

    from querist.sources.sql import SqlSource
    from tests.sources.postgres_server import shared_postgres

    server = shared_postgres()
    url = server.url(server.new_database(_TABLES.format(number="double precision")))
    with psycopg.connect(url) as con, con.cursor() as cursor:
        cursor.executemany("INSERT INTO people VALUES (%s, %s, %s, %s, %s)", PEOPLE)
        cursor.executemany("INSERT INTO visits VALUES (%s, %s, %s, %s)", VISITS)
        con.commit()
        cursor.execute("SELECT pg_stat_force_next_flush()")
    source = SqlSource("case", url)
    yield source
    source.close()


@contextmanager
def _mysql(folder: Path) -> Iterator[Source]:
    from querist.sources.sql import SqlSource
    from tests.sources.mysql_server import empty_database

    with empty_database() as (url, connection), connection.cursor() as cursor:
        # MySQL ignores a REFERENCES that stands beside its column, MariaDB does not.
        ddl = _TABLES.format(number="double").replace('"', "`").replace("REFERENCES people (id)", "")
        for statement in ddl.split(";")[:2]:
            cursor.execute(statement)
        cursor.execute("ALTER TABLE visits ADD FOREIGN KEY (person_id) REFERENCES people (id)")
        cursor.executemany("INSERT INTO people VALUES (%s, %s, %s, %s, %s)", PEOPLE)
        cursor.executemany("INSERT INTO visits VALUES (%s, %s, %s, %s)", VISITS)
        source = SqlSource("case", url)
        yield source
        source.close()


_DUCKDB_ENDLESS = "SELECT count(*) FROM range(10000000) a(i), range(10000000) b(j) WHERE i * j % 7 = 3"
_SQLITE_ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
_MYSQL_ENDLESS = f"SELECT count(*) FROM {', '.join(f'visits v{n}' for n in range(8))}"

CASES = [
    Case("files", _files, _DUCKDB_ENDLESS, has_keys=False),
    Case("duckdb", _duckdb, _DUCKDB_ENDLESS),
    Case("sqlite", _sqlite, _SQLITE_ENDLESS, dates_are_text=True),
    Case("postgres", _postgres, "SELECT pg_sleep(100000)"),
    Case("mysql", _mysql, _MYSQL_ENDLESS, quote=lambda name: f"`{name}`"),
]
