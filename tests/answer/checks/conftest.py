"""Small invented databases to judge queries on, each a real file behind a real source and the real guard."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from querist.answer.answer import Check
from querist.answer.checks import Case, run_checks
from querist.answer.values import value_index
from querist.sources.base import Limits, Source
from querist.sources.duckdb_file import DuckDbSource
from querist.sources.guard import guard
from querist.sources.joins import join_graph
from querist.sources.sqlite import SqliteSource
from querist.sources.table import Table


@dataclass
class Data:
    """A source to judge queries on; `probes` has the queries that the last judgement's checks ran."""

    source: Source
    folder: Path
    probes: list[str] = field(default_factory=list)

    def judge(self, sql: str, question: str = "", limits: Limits = Limits()) -> dict[str, Check]:
        """The checks that apply, by name."""
        return {check.name: check for check in run_checks(self.case(sql, question, limits))}

    def case(self, sql: str, question: str = "", limits: Limits = Limits()) -> Case:
        schema, profile = self.source.schema(), self.source.profile()
        guarded = guard(sql, schema)
        self.probes.clear()

        def run(probe: str) -> Table:
            self.probes.append(probe)
            return self.source.execute(guard(probe, schema).sql, Limits(seconds=5, rows=100))

        return Case(
            question=question,
            sql=sql,
            tree=guarded.expression,
            table=self.source.execute(guarded.sql, limits),
            schema=schema,
            profile=profile,
            joins=join_graph(schema, profile),
            values=value_index(self.source, self.folder / "values"),
            run=run,
        )


MakeData = Callable[[str], Data]


@pytest.fixture
def sqlite(tmp_path: Path) -> MakeData:
    """Make a SQLite database from a script."""

    def make(script: str) -> Data:
        path = tmp_path / "data.sqlite"
        with sqlite3.connect(path) as con:
            con.executescript(script)
        con.close()
        return Data(SqliteSource("data", path), tmp_path)

    return make


@pytest.fixture
def duck(tmp_path: Path) -> MakeData:
    """Make a DuckDB database from a script."""

    def make(script: str) -> Data:
        import duckdb

        path = tmp_path / "data.duckdb"
        with duckdb.connect(str(path)) as con:
            con.execute(script)
        return Data(DuckDbSource("data", path), tmp_path)

    return make
