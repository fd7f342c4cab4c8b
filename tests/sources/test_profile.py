"""Profiles where the conformance suite does not look: large tables, samples, wide tables, and values of every type."""

from __future__ import annotations

import datetime as dt
import decimal
import sqlite3
import uuid
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from querist.sources.base import ColumnProfile, Profile, Source, TableProfile
from querist.sources.duckdb_file import DuckDbSource
from querist.sources.open import open_sources
from querist.sources.profile import DUCKDB, SQLITE, build_profile
from querist.sources.profile_store import load_profile, store_profile
from querist.sources.sqlite import SqliteSource

UNCLEAN = """
WITH RECURSIVE r(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM r WHERE n < 499)
SELECT CASE WHEN n = 3 THEN 'WORD 4 ' ELSE 'word ' || n END AS word,
    CASE WHEN n = 5 THEN '1,200' WHEN n = 6 THEN 'n/a' WHEN n = 7 THEN '' ELSE '' || n END AS figure
FROM r UNION ALL SELECT 'word 499', '499'
"""
"""Many values, of which one comes in two spellings; text among numbers; and the last row twice."""


def _column(profile: Profile, table: str, name: str) -> ColumnProfile:
    found = profile.table(table)
    column = found.column(name) if found else None
    assert column is not None
    return column


def _large(folder: Path, engine: str) -> Profile:
    """60,000 rows, profiled as if more than 10,000 were many."""
    rows = "n AS id, n % 7 AS seven, CASE WHEN n % 2 = 0 THEN 'even' END AS word, n * 3 AS triple"
    if engine == "duckdb":
        with duckdb.connect(str(folder / "x.duckdb")) as con:
            con.execute(f"CREATE TABLE t AS SELECT {rows} FROM range(60000) r(n)")
        return build_profile(DuckDbSource("x", folder / "x.duckdb"), replace(DUCKDB, exact_rows=10_000))
    with sqlite3.connect(folder / "x.sqlite") as lite:
        numbers = "WITH RECURSIVE r(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM r WHERE n < 59999)"
        lite.execute(f"CREATE TABLE t AS {numbers} SELECT {rows} FROM r")
    return build_profile(SqliteSource("x", folder / "x.sqlite"), replace(SQLITE, exact_rows=10_000))


@pytest.mark.parametrize("engine", ["duckdb", "sqlite"])
def test_large_table_is_sampled_and_says_so(tmp_path: Path, engine: str) -> None:
    profile = _large(tmp_path, engine)
    table = profile.table("t")
    assert table is not None
    assert (table.row_count, table.sampled) == (60_000, True)


@pytest.mark.parametrize("engine", ["duckdb", "sqlite"])
def test_what_is_cheap_is_exact_on_large_tables(tmp_path: Path, engine: str) -> None:
    profile = _large(tmp_path, engine)
    assert (_column(profile, "t", "id").minimum, _column(profile, "t", "id").maximum) == (0, 59_999)
    assert _column(profile, "t", "word").nulls == 0.5
    assert set(_column(profile, "t", "seven").examples) == set(range(7))


@pytest.mark.parametrize("engine", ["duckdb", "sqlite"])
def test_number_of_different_values_is_about_right_on_large_tables(tmp_path: Path, engine: str) -> None:
    profile = _large(tmp_path, engine)
    assert _column(profile, "t", "triple").distinct == pytest.approx(60_000, rel=0.1)
    assert _column(profile, "t", "seven").distinct == 7
    assert _column(profile, "t", "id").likely_key


@pytest.mark.parametrize("engine", ["duckdb", "sqlite"])
def test_table_too_large_to_scan_is_known_from_its_sample(tmp_path: Path, engine: str) -> None:
    columns = "n AS id, CASE WHEN n % 4 = 0 THEN 1 END AS x"
    source: Source
    if engine == "duckdb":
        with duckdb.connect(str(tmp_path / "x")) as con:
            con.execute(f"CREATE TABLE t AS SELECT {columns} FROM range(300000) r(n)")
        source, dialect = DuckDbSource("x", tmp_path / "x"), DUCKDB
    else:
        with sqlite3.connect(tmp_path / "x") as lite:
            numbers = "WITH RECURSIVE r(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM r WHERE n < 299999)"
            lite.execute(f"CREATE TABLE t AS {numbers} SELECT {columns} FROM r")
        source, dialect = SqliteSource("x", tmp_path / "x"), SQLITE
    profile = build_profile(source, replace(dialect, exact_rows=5_000, scan_rows=5_000))
    table = profile.table("t")
    assert table is not None and table.row_count == 300_000
    assert _column(profile, "t", "x").nulls == pytest.approx(0.75, abs=0.03)
    assert _column(profile, "t", "id").distinct == pytest.approx(300_000, rel=0.1)


def test_a_column_that_repeats_values_side_by_side_is_no_key_of_a_table_too_large_to_scan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("querist.sources.profile.SAMPLE", 500)
    with sqlite3.connect(tmp_path / "x") as lite:
        numbers = "WITH RECURSIVE r(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM r WHERE n < 29999)"
        lite.execute(f"CREATE TABLE lines AS {numbers} SELECT n AS line_id, n / 3 AS order_id FROM r")
    dialect = replace(SQLITE, exact_rows=1_000, scan_rows=1_000)
    profile = build_profile(SqliteSource("x", tmp_path / "x"), dialect)
    assert [_column(profile, "lines", name).likely_key for name in ("line_id", "order_id")] == [True, False]


def test_a_large_table_is_sampled_whatever_numbers_its_rows_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("querist.sources.profile.SAMPLE", 1_000)
    with sqlite3.connect(tmp_path / "x.sqlite") as lite:
        lite.execute("CREATE TABLE posts (id INTEGER PRIMARY KEY, words INTEGER)")
        first = 1_700_000_000_000_000_000
        lite.executemany("INSERT INTO posts VALUES (?, ?)", [(first + 4096 * n, n % 50) for n in range(3_000)])
    profile = build_profile(SqliteSource("x", tmp_path / "x.sqlite"), replace(SQLITE, exact_rows=1_000))
    assert (_column(profile, "posts", "id").distinct, _column(profile, "posts", "words").distinct) == (3_000, 50)
    assert len(_column(profile, "posts", "words").examples) == 10


def test_a_sample_that_holds_no_row_is_no_sample(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "x.sqlite") as lite:
        lite.execute("CREATE TABLE t (x INTEGER)")
        lite.executemany("INSERT INTO t VALUES (?)", [(n % 5,) for n in range(100)])
    none = replace(
        SQLITE, exact_rows=10, scan_rows=10, sample=lambda table, rows, wanted: f"SELECT * FROM {table} LIMIT 0"
    )
    column = _column(build_profile(SqliteSource("x", tmp_path / "x.sqlite"), none), "t", "x")
    assert (column.nulls, column.distinct, sorted(column.examples)) == (0, 5, [0, 1, 2, 3, 4])


def test_wide_table_with_one_broken_column_keeps_the_others(tmp_path: Path) -> None:
    columns = ", ".join(f"{i} AS c{i}" for i in range(150))
    with sqlite3.connect(tmp_path / "x.sqlite") as lite:
        lite.execute("CREATE TABLE t (x)")
        lite.execute("INSERT INTO t VALUES ('not json')")
        lite.execute(f"CREATE VIEW v AS SELECT {columns}, json_extract(x, '$.a') AS bad FROM t")
    profile = build_profile(SqliteSource("x", tmp_path / "x.sqlite"), SQLITE)
    assert _column(profile, "v", "c149").examples == (149,)
    assert _column(profile, "v", "bad").examples == ()


def test_long_texts_are_cut(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "x.sqlite") as lite:
        lite.execute("CREATE TABLE t (x TEXT)")
        lite.execute("INSERT INTO t VALUES (?)", ("y" * 5_000,))
    column = _column(build_profile(SqliteSource("x", tmp_path / "x.sqlite"), SQLITE), "t", "x")
    assert len(column.examples[0]) == 201
    assert len(column.maximum) == 201


def test_all_values_of_a_column_with_few_are_listed(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "x.sqlite") as lite:
        lite.execute("CREATE TABLE t (twenty INTEGER, more INTEGER)")
        lite.executemany("INSERT INTO t VALUES (?, ?)", [(n % 20, n % 21) for n in range(420)])
    profile = build_profile(SqliteSource("x", tmp_path / "x.sqlite"), SQLITE)
    assert sorted(_column(profile, "t", "twenty").examples) == list(range(20))
    assert len(_column(profile, "t", "more").examples) == 10


def test_values_of_every_type_come_back_from_the_store() -> None:
    values = (
        1,
        2.5,
        "x",
        True,
        None,
        dt.date(2024, 1, 2),
        dt.datetime(2024, 1, 2, 3, 4, 5, 6),
        dt.time(1, 2),
        dt.timedelta(days=1, seconds=2),
        decimal.Decimal("1.10"),
        uuid.UUID(int=5),
        [1, 2],
        {"a": 1},
    )
    column = ColumnProfile(
        "c",
        0.5,
        13,
        values,
        dt.date(2024, 1, 2),
        decimal.Decimal("9.99"),
        spellings=(("a", "A"),),
        date_formats=("%Y",),
        not_numbers=("x",),
        missing_words=("-",),
    )
    profile = Profile("print", (TableProfile("t", 3, (column,), True, 2),))
    store_profile(profile)
    assert load_profile("print") == profile
    assert load_profile("another") is None


@pytest.mark.parametrize("engine", ["sqlite", "duckdb"])
def test_what_is_not_clean_is_found_among_many_values(tmp_path: Path, engine: str) -> None:
    if engine == "sqlite":
        with sqlite3.connect(tmp_path / "x") as lite:
            lite.execute(f"CREATE TABLE t AS {UNCLEAN}")
        profile = SqliteSource("x", tmp_path / "x").profile()
    else:
        with duckdb.connect(str(tmp_path / "x")) as con:
            con.execute(f"CREATE TABLE t AS {UNCLEAN}")
        profile = DuckDbSource("x", tmp_path / "x").profile()
    assert _column(profile, "t", "word").spellings == (("WORD 4 ", "word 4"),)
    assert set(_column(profile, "t", "figure").not_numbers) == {"", "1,200", "n/a"}
    assert _column(profile, "t", "figure").not_number_rows == 3
    assert profile.tables[0].repeated_rows == 1


def test_text_in_a_column_of_numbers_is_found(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "x.sqlite") as lite:
        lite.execute("CREATE TABLE t (n INTEGER, m REAL)")
        lite.executemany("INSERT INTO t VALUES (?, ?)", [(1, 1.5), ("", 2.5), ("?", None), ("", "7")])
    profile = SqliteSource("x", tmp_path / "x.sqlite").profile()
    assert (_column(profile, "t", "n").not_numbers, _column(profile, "t", "n").not_number_rows) == (("", "?"), 3)
    assert _column(profile, "t", "m").not_numbers == ()


def test_rows_that_repeat_are_not_counted_where_that_takes_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("querist.sources.profile.FEW_ROWS", 3)
    (tmp_path / "a.csv").write_text("x\n1\n1\n2\n2\n")
    (tmp_path / "b.csv").write_text("x\n1\n2\n3\n4\n")
    with closing(open_sources([str(tmp_path)])[0]) as source:
        assert {t.name: t.repeated_rows for t in source.profile().tables} == {"a": None, "b": 0}


@pytest.mark.parametrize(
    ("texts", "formats"),
    [
        (["2024-01-05", "2024-02-06 10:30"], ()),
        (["05/13/2024", "01/02/2024"], ()),
        (["2024-01-05", "05/13/2024", "5 May 2024"], ("%Y-%m-%d", "%d %b %Y", "%m/%d/%Y")),
        (["2024-1-5", "2024-10-6"], ("%Y-%-m-%-d",)),
        (["01/02/2024", "03/04/2024"], ("%d/%m/%Y or %m/%d/%Y",)),
        (["2024-01-05", ""], ()),
        (["05/13/2024", ""], ("%m/%d/%Y",)),
        (["2024-01-05", "soon"], ()),
    ],
)
def test_dates_as_text_that_do_not_sort_are_found(tmp_path: Path, texts: list[str], formats: tuple[str, ...]) -> None:
    with sqlite3.connect(tmp_path / "x.sqlite") as lite:
        lite.execute("CREATE TABLE t (d TEXT)")
        lite.executemany("INSERT INTO t VALUES (?)", [(text,) for text in texts])
    assert _column(SqliteSource("x", tmp_path / "x.sqlite").profile(), "t", "d").date_formats == formats
