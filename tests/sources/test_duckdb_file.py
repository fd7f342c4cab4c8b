"""DuckDB database files: schemas, keys and comments, values, and files that cannot be opened."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from querist.errors import QueryError, SourceAccessError, SourceFormatError
from querist.sources.base import ForeignKey
from querist.sources.duckdb_file import DuckDbSource
from querist.state.paths import cache_dir

Make = Callable[[str], DuckDbSource]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    opened: list[DuckDbSource] = []

    def build(script: str) -> DuckDbSource:
        with duckdb.connect(str(tmp_path / "data.duckdb")) as con:
            con.execute(script)
        opened.append(DuckDbSource("data", tmp_path / "data.duckdb"))
        return opened[-1]

    yield build
    for source in opened:
        source.close()


def test_tables_views_comments_and_counts(make: Make) -> None:
    source = make(
        """CREATE TABLE t (id INTEGER PRIMARY KEY, x DECIMAL(9, 2) NOT NULL, kind ENUM ('a', 'b'));
        INSERT INTO t VALUES (1, 2.50, 'a'); CREATE VIEW v AS SELECT x * 2 AS y FROM t;
        COMMENT ON TABLE t IS 'things'; COMMENT ON COLUMN t.x IS 'weight in kg'"""
    )
    t, v = source.schema().tables
    assert (t.name, t.comment, t.row_count, t.primary_key, t.is_view) == ("t", "things", 1, ("id",), False)
    assert [(c.kind, c.nullable, c.comment) for c in t.columns] == [
        ("integer", False, ""),
        ("number", False, "weight in kg"),
        ("text", True, ""),
    ]
    assert (v.name, v.is_view, v.row_count) == ("v", True, None)
    assert source.profile().table("v") is not None


def test_table_of_another_schema_has_its_full_name(make: Make) -> None:
    source = make(
        """CREATE SCHEMA shop; CREATE TABLE shop.a (id INTEGER PRIMARY KEY); INSERT INTO shop.a VALUES (3);
        CREATE TABLE shop.b (a INTEGER REFERENCES shop.a (id)); CREATE TABLE a (x INTEGER)"""
    )
    assert {(t.name, t.namespace) for t in source.schema().tables} == {
        ("a", ""),
        ("shop.a", "shop"),
        ("shop.b", "shop"),
    }
    b = source.schema().table("shop.b")
    assert b is not None and b.foreign_keys == (ForeignKey(("a",), "shop.a", ("id",)),)
    profile = source.profile().table("shop.a")
    assert profile is not None and profile.columns[0].examples == (3,)
    assert source.execute("SELECT id FROM shop.a").scalar() == 3


def test_deleted_rows_are_not_counted(make: Make) -> None:
    source = make("CREATE TABLE t AS SELECT range AS id FROM range(1000); DELETE FROM t WHERE id % 2 = 0")
    assert source.schema().tables[0].row_count == 500


def test_time_with_zone_comes_in_utc(make: Make) -> None:
    source = make("CREATE TABLE t (x TIMESTAMPTZ); INSERT INTO t VALUES ('2024-01-01 10:00:00+02')")
    assert source.execute("SELECT * FROM t").scalar() == dt.datetime(2024, 1, 1, 8)
    assert source.profile().tables[0].columns[0].minimum == dt.datetime(2024, 1, 1, 8)


def test_view_over_a_file_is_refused_without_spoiling_the_rest(make: Make, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a\n1\n")
    source = make(f"CREATE TABLE t (x INTEGER); CREATE VIEW v AS SELECT * FROM read_csv('{tmp_path}/x.csv')")
    with pytest.raises(QueryError, match="disabled"):
        source.execute("SELECT * FROM v")
    assert {t.name for t in source.profile().tables} == {"t", "v"}


def test_odd_columns_are_profiled_too(make: Make) -> None:
    source = make(
        """CREATE TABLE t (l INTEGER[], s STRUCT(a INTEGER), u UUID, b BLOB, j JSON, i INTERVAL, d DOUBLE, e TEXT);
        INSERT INTO t VALUES ([1], {'a': 1}, uuid(), 'x'::BLOB, '{"a": 1}', INTERVAL 1 DAY, 'nan', NULL)"""
    )
    (table,) = source.profile().tables
    assert [c.nulls for c in table.columns] == [0.0] * 7 + [1.0]
    d = table.column("d")
    assert d is not None and (d.minimum, d.maximum) == (None, None)
    assert source.profile() == DuckDbSource("again", source.path).profile()


def test_empty_table_has_an_empty_profile(make: Make) -> None:
    (table,) = make("CREATE TABLE t (x INTEGER, y TEXT)").profile().tables
    assert [(c.nulls, c.distinct, c.examples, c.minimum) for c in table.columns] == [(0.0, 0, (), None)] * 2


def test_what_killed_programs_spilled_is_removed_and_what_others_spill_is_not(make: Make) -> None:
    left, fresh = (cache_dir() / "spill" / name for name in ("1-left", "2-fresh"))
    for folder in (left, fresh):
        folder.mkdir(parents=True)
    os.utime(left, (0, 0))
    make("CREATE TABLE t (x INTEGER)").execute("SELECT x FROM t")
    assert (left.exists(), fresh.exists()) == (False, True)


def test_file_that_another_program_writes_to_is_told(make: Make, tmp_path: Path) -> None:
    source = make("CREATE TABLE t (x INTEGER)")
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    writer = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "data.duckdb")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "open\n"
    try:
        with pytest.raises(SourceAccessError, match="open for writing in another program"):
            source.schema()
    finally:
        writer.communicate()


def test_damaged_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "data.duckdb"
    path.write_bytes(b"\x00" * 8 + b"DUCK" + b"\x01" * 5000)
    with pytest.raises(SourceFormatError, match=r"data\.duckdb"):
        DuckDbSource("data", path).schema()
