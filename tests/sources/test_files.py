"""Plain files as one locked source: names, formats, the store of converted files, and files that change."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import pytest
import xlsxwriter

from querist.errors import QueryError, QueryTimeoutError, SourceAccessError, SourceFormatError, SourceNotFoundError
from querist.sources import file_cache, json_reading
from querist.sources.base import Limits
from querist.sources.file_cache import Contents, converted
from querist.sources.files import FileSource
from querist.state.paths import cache_dir

Open = Callable[..., FileSource]
Rows = list[list[Any]]


@pytest.fixture
def open_files() -> Iterator[Open]:
    opened: list[FileSource] = []

    def make(*paths: Path, **options: Any) -> FileSource:
        opened.append(FileSource("files", paths=paths, **options))
        opened[-1].schema()
        return opened[-1]

    yield make
    for source in opened:
        source.close()


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def _notes(source: FileSource) -> str:
    return " ".join(note for table in source.schema().tables for note in table.notes)


def _parquet(path: Path) -> Path:
    duckdb.execute(f"COPY (SELECT 1 AS id, DATE '2024-03-05' AS day, [1, 2] AS list) TO '{path}' (FORMAT parquet)")
    return path


def test_files_of_different_formats_can_be_joined(tmp_path: Path, open_files: Open) -> None:
    orders = _write(tmp_path / "orders.csv", "id,who\n1,a\n2,b\n")
    people = _write(tmp_path / "people.json", json.dumps([{"who": "a", "town": "X"}, {"who": "b", "town": "Y"}]))
    days = _parquet(tmp_path / "days.parquet")
    source = open_files(orders, people, days)
    sql = "SELECT town, day FROM orders JOIN people USING (who) JOIN days USING (id)"
    assert source.execute(sql).rows == (("X", dt.date(2024, 3, 5)),)


def test_table_is_named_after_its_file_so_that_it_needs_no_quotes(tmp_path: Path, open_files: Open) -> None:
    source = open_files(
        _write(tmp_path / "Sales 2024 (final).csv", "a\n1\n2\n"), _write(tmp_path / "2024-q1.csv", "a,b\n1,2\n")
    )
    assert [t.name for t in source.schema().tables] == ["Sales_2024_final", "t_2024_q1"]
    assert source.execute("SELECT count(*) FROM Sales_2024_final").scalar() == 2
    assert source.schema().tables[0].origin.endswith("Sales 2024 (final).csv")


def test_two_files_of_one_name_get_the_folder_in_front_and_a_note(tmp_path: Path, open_files: Open) -> None:
    source = open_files(_write(tmp_path / "a" / "x.csv", "n\n1\n2\n"), _write(tmp_path / "b" / "x.csv", "n\n3\n4\n"))
    assert [t.name for t in source.schema().tables] == ["x", "b_x"]
    assert source.execute("SELECT sum(n) FROM b_x").scalar() == 7
    assert "another table 'x'" in _notes(source)


def test_packed_text_is_read(tmp_path: Path, open_files: Open) -> None:
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(b"a,b\n1,2\n"))
    (tmp_path / "y.jsonl.gz").write_bytes(gzip.compress(b'{"a":1}\n{"a":2}\n'))
    source = open_files(tmp_path / "x.csv.gz", tmp_path / "y.jsonl.gz")
    assert source.execute("SELECT sum(y.a) FROM x, y").scalar() == 3


def test_packed_file_that_is_cut_off_is_an_error(tmp_path: Path, open_files: Open) -> None:
    whole = gzip.compress("\n".join(f"{n},{n * 7919}" for n in range(10_000)).encode())
    (tmp_path / "x.csv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceFormatError, match="unpacked"):
        open_files(tmp_path / "x.csv.gz")


def test_damaged_parquet_is_an_error_that_names_the_file(tmp_path: Path, open_files: Open) -> None:
    path = _parquet(tmp_path / "days.parquet")
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(SourceFormatError, match=r"days\.parquet"):
        open_files(path)


@pytest.mark.parametrize("kind", ["csv", "json", "parquet"])
@pytest.mark.parametrize("name", ["sales[1]", "sales?", "[old]/sales", "~sales"])
def test_name_that_looks_like_a_pattern_means_its_own_file(
    tmp_path: Path, open_files: Open, monkeypatch: pytest.MonkeyPatch, name: str, kind: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for n, file in enumerate([Path(f"{name}.{kind}"), Path(f"sales1.{kind}"), Path(f"o/sales.{kind}")]):
        file.parent.mkdir(exist_ok=True)
        duckdb.execute(f"COPY (SELECT {n} AS n, 'x' AS x) TO '{tmp_path}/copy' (FORMAT {kind})")
        Path("copy").rename(file)
    source = open_files(Path(f"{name}.{kind}"))
    assert source.execute(f"SELECT n FROM {source.schema().tables[0].name}").rows == ((0,),)


@pytest.mark.parametrize(("column", "names"), [("year", ["year"]), ("n", ["n", "year"])])
def test_folder_that_names_a_value_hides_no_column_of_the_file(
    tmp_path: Path, open_files: Open, column: str, names: list[str]
) -> None:
    folder = tmp_path / "Year=2024"
    folder.mkdir()
    duckdb.execute(f"COPY (SELECT 2023 AS {column}) TO '{folder}/sales.parquet' (FORMAT parquet)")
    table = open_files(folder / "sales.parquet").execute("SELECT * FROM sales")
    assert ([name.lower() for name in table.names], table.rows[0][0]) == (names, 2023)


def test_optional_file_that_cannot_be_read_is_left_out_and_told(tmp_path: Path, open_files: Open) -> None:
    good, bad = _write(tmp_path / "good.csv", "a,b\n1,2\n"), _write(tmp_path / "bad.json", "{not json")
    source = open_files(good, bad, optional=frozenset({good, bad}))
    assert [t.name for t in source.schema().tables] == ["good"]
    assert "bad.json is left out" in source.notes[0]


def test_a_home_that_cannot_be_written_is_told_with_what_to_do(
    tmp_path: Path, open_files: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUERIST_HOME", str(_write(tmp_path / "file", "")))
    with pytest.raises(SourceAccessError, match=r"kept in .*, which cannot be written") as caught:
        open_files(_write(tmp_path / "good.csv", "a,b\n1,2\n"))
    assert "QUERIST_HOME" in caught.value.hint


def test_a_name_that_is_no_text_is_told_and_hinders_no_other_file(tmp_path: Path, open_files: Open) -> None:
    good, odd = _write(tmp_path / "good.csv", "a,b\n1,2\n"), tmp_path / os.fsdecode(b"caf\xe9.csv")
    try:
        odd.write_text("a,b\n1,2\n")
    except OSError:
        pytest.skip("names of this file system are text")
    source = open_files(good, odd, optional=frozenset({good, odd}))
    assert [t.name for t in source.schema().tables] == ["good"]
    assert source.notes[0].startswith("caf�.csv is left out: ")
    with pytest.raises(SourceFormatError, match="not in UTF-8"):
        open_files(odd)


def test_named_file_that_cannot_be_read_is_an_error(tmp_path: Path, open_files: Open) -> None:
    good, bad = _write(tmp_path / "good.csv", "a,b\n1,2\n"), _write(tmp_path / "bad.json", "{not json")
    with pytest.raises(SourceFormatError, match=r"bad\.json is not valid JSON: .* line 1, column 2"):
        open_files(good, bad)


# --- the lock ---------------------------------------------------------------------------------------------------------


LOCKED_OUT = [
    "SELECT * FROM read_csv('{file}')",
    "SELECT * FROM '{file}'",
    "SELECT * FROM read_text('{file}')",
    "SELECT * FROM glob('{folder}/*')",
    "SELECT * FROM parquet_scan('{file}')",
    "COPY x TO '{folder}/out.csv'",
    "ATTACH '{folder}/other.duckdb'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET memory_limit = '100GB'",
    "SET enable_external_access = true",
    "RESET lock_configuration",
    "PRAGMA enable_profiling",
    "CALL pragma_version()",
    "EXPLAIN ANALYZE SELECT 1",
    "CREATE TEMP TABLE y AS SELECT 1",
    "CREATE OR REPLACE VIEW x AS SELECT 1",
    "DROP VIEW x",
    "USE f0",
    "EXPORT DATABASE '{folder}/out'",
    "BEGIN",
    "PREPARE p AS SELECT 1",
    "DETACH f0",
]


def test_engine_is_locked_without_any_guard(tmp_path: Path, open_files: Open) -> None:
    path = _write(tmp_path / "x.csv", "a,b\n1,2\n")
    source = open_files(path)
    before = sorted(tmp_path.iterdir())
    for sql in LOCKED_OUT:
        with pytest.raises(QueryError):
            source.execute(sql.format(file=path, folder=tmp_path))
        assert sorted(tmp_path.iterdir()) == before
        assert source.execute("SELECT * FROM x").rows == ((1, 2),)


def test_pivot_without_its_values_says_what_to_write(tmp_path: Path, open_files: Open) -> None:
    source = open_files(_write(tmp_path / "x.csv", "a,b\n1,2\n"))
    with pytest.raises(QueryError) as raised:
        source.execute("PIVOT x ON a USING sum(b)")
    assert "IN (" in raised.value.hint
    assert source.execute("PIVOT x ON a IN (1) USING sum(b)").rows == ((2,),)


# --- values -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("SELECT TIMESTAMPTZ '2024-01-01 10:00:00+02'", dt.datetime(2024, 1, 1, 8)),
        ("SELECT TIMESTAMPTZ '2024-01-01 10:00:00+02' AS t; -- end", dt.datetime(2024, 1, 1, 8)),
        ("SELECT INTERVAL 14 MONTH", "1 year 2 months"),
        ("SELECT 12345678901234567890::HUGEINT", 12345678901234567890),
        ("SELECT {'a': 1, 'b': [1, 2]}", {"a": 1, "b": [1, 2]}),
        ("SELECT '\\xAA'::BLOB", b"\xaa"),
        ("SELECT NULL", None),
    ],
)
def test_results_are_plain_python_values(tmp_path: Path, open_files: Open, sql: str, value: object) -> None:
    source = open_files(_write(tmp_path / "x.csv", "a,b\n1,2\n"))
    assert source.execute(sql).scalar() == value


def test_order_survives_the_conversion_of_time_zones(tmp_path: Path, open_files: Open) -> None:
    source = open_files(_write(tmp_path / "x.csv", "a,b\n" + "".join(f"{n},2\n" for n in range(3000))))
    sql = "SELECT a, TIMESTAMPTZ '2024-01-01 10:00:00+00' AS at FROM x ORDER BY a DESC"
    assert [row[0] for row in source.execute(sql)] == list(range(2999, -1, -1))


# --- the store of converted files -------------------------------------------------------------------------------------


def _entries() -> list[Path]:
    return sorted((cache_dir() / "files").iterdir())


def test_file_is_converted_once(tmp_path: Path, open_files: Open) -> None:
    told: list[str] = []
    path = _write(tmp_path / "x.csv", "a,b\n1,2\n")
    open_files(path, on_progress=told.append).close()
    assert told == ["Reading x.csv"]
    second = open_files(path, on_progress=told.append)
    assert told == ["Reading x.csv"]
    assert second.execute("SELECT * FROM x").rows == ((1, 2),)


def test_notes_are_the_same_from_the_store(tmp_path: Path, open_files: Open) -> None:
    path = _write(tmp_path / "x.csv", "zip,n\n01234,NA\n00111,3\n")
    first = open_files(path).schema()
    assert open_files(path).schema() == first
    assert len(first.tables[0].notes) == 2


def test_only_the_file_that_changed_is_converted_again(tmp_path: Path, open_files: Open) -> None:
    told: list[str] = []
    one, two = _write(tmp_path / "one.csv", "a,b\n1,2\n"), _write(tmp_path / "two.csv", "a,b\n1,2\n")
    open_files(one, two).close()
    _write(two, "a,b\n5,6\n7,8\n")
    source = open_files(one, two, on_progress=told.append)
    assert told == ["Reading two.csv"]
    assert source.execute("SELECT sum(a) FROM two").scalar() == 12


def test_open_source_notices_that_a_file_changed(tmp_path: Path, open_files: Open) -> None:
    path = _write(tmp_path / "x.csv", "a,b\n1,2\n")
    source = open_files(path)
    before, profile = source.fingerprint(), source.profile()
    _write(path, "a,b,c\n1,2,3\n4,5,6\n")
    assert source.fingerprint() != before
    assert source.execute("SELECT sum(c) FROM x").scalar() == 9
    assert source.schema().tables[0].row_count == 2
    assert source.profile() != profile


def test_file_that_vanishes_is_told_and_welcome_back(tmp_path: Path, open_files: Open) -> None:
    path = _write(tmp_path / "x.csv", "a,b\n1,2\n")
    source = open_files(path)
    path.rename(tmp_path / "away")
    with pytest.raises(SourceNotFoundError, match="no longer there"):
        source.execute("SELECT 1")
    (tmp_path / "away").rename(path)
    assert source.execute("SELECT * FROM x").rows == ((1, 2),)


def test_damaged_entry_is_made_again(tmp_path: Path, open_files: Open) -> None:
    path = _write(tmp_path / "x.csv", "a,b\n1,2\n")
    open_files(path).close()
    (entry,) = _entries()
    entry.write_bytes(b"damaged")
    assert open_files(path).execute("SELECT * FROM x").rows == ((1, 2),)


def test_failed_conversion_leaves_nothing_behind(tmp_path: Path, open_files: Open) -> None:
    with pytest.raises(SourceFormatError):
        open_files(_write(tmp_path / "x.json", "{not json"))
    assert _entries() == []


def test_least_recently_used_entries_make_room(
    tmp_path: Path, open_files: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, used = _write(tmp_path / "old.csv", "a,b\n1,2\n"), _write(tmp_path / "used.csv", "a,b\n3,4\n")
    open_files(old).close()
    (old_entry,) = _entries()
    open_files(used).close()
    for entry in _entries():
        os.utime(entry, (1, 1) if entry == old_entry else (2, 2))
    monkeypatch.setattr(file_cache, "MAX_BYTES", 2 * old_entry.stat().st_size)
    open_files(used).close()
    open_files(_write(tmp_path / "new.csv", "a,b\n5,6\n")).close()
    assert old_entry not in _entries()
    assert len(_entries()) == 2


def test_entries_are_for_the_owner_only(tmp_path: Path, open_files: Open) -> None:
    open_files(_write(tmp_path / "x.csv", "a,b\n1,2\n"))
    assert (cache_dir() / "files").stat().st_mode & 0o077 == 0


def test_several_processes_convert_and_read_the_same_file_at_once(tmp_path: Path) -> None:
    path = _write(tmp_path / "x.csv", "a,b\n" + "".join(f"{n},{n}\n" for n in range(20_000)))
    code = (
        "import sys; from pathlib import Path; from querist.sources.files import FileSource\n"
        "s = FileSource('f', paths=(Path(sys.argv[1]),)); print(s.execute('SELECT sum(a) FROM x').scalar())"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    assert {process.communicate()[0].strip() for process in processes} == {"199990000"}
    assert len(_entries()) == 1


# --- workbooks --------------------------------------------------------------------------------------------------------


def _workbook(path: Path, sheets: dict[str, Rows]) -> Path:
    book = xlsxwriter.Workbook(str(path), {"default_date_format": "yyyy-mm-dd"})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for number, row in enumerate(rows):
            for column, cell in enumerate(row):
                if cell is not None:
                    sheet.write(number, column, cell)
    book.close()
    return path


def test_single_sheet_is_named_after_the_file(tmp_path: Path, open_files: Open) -> None:
    rows: Rows = [
        ["name", "n", "price", "day", "ok"],
        ["x", 1, 2.5, dt.date(2024, 3, 5), True],
        ["y", 2, 3, None, False],
    ]
    source = open_files(_workbook(tmp_path / "book.xlsx", {"Sheet1": rows}))
    (table,) = source.schema().tables
    assert table.name == "book"
    assert [c.kind for c in table.columns] == ["text", "integer", "number", "date", "boolean"]
    assert source.execute("SELECT * FROM book").rows == (
        ("x", 1, 2.5, dt.date(2024, 3, 5), True),
        ("y", 2, 3.0, None, False),
    )


def test_each_sheet_is_a_table_and_empty_ones_are_told(tmp_path: Path, open_files: Open) -> None:
    sheets: dict[str, Rows] = {"2024": [["a", "b"], [1, 2]], "Old plan": [["a", "b"], [3, 4]], "Empty": []}
    source = open_files(_workbook(tmp_path / "plan.xlsx", sheets))
    assert [t.name for t in source.schema().tables] == ["plan_2024", "plan_Old_plan"]
    assert [t.origin.rpartition(", ")[2] for t in source.schema().tables] == ['sheet "2024"', 'sheet "Old plan"']
    assert source.notes == ("plan.xlsx: sheet 'Empty' is empty and left out",)


def test_title_rows_and_empty_edges_are_skipped(tmp_path: Path, open_files: Open) -> None:
    rows: Rows = [[], [None, "Sales report"], [], [None, "region", "sales"], [None, "N", 1], [None, "S", 2]]
    source = open_files(_workbook(tmp_path / "book.xlsx", {"S": rows}))
    assert source.execute("SELECT region, sales FROM book").rows == (("N", 1), ("S", 2))
    assert "Sales report" in _notes(source)


def test_cells_merged_downwards_are_filled(tmp_path: Path, open_files: Open) -> None:
    book = xlsxwriter.Workbook(str(tmp_path / "book.xlsx"))
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["region", "n"])
    sheet.merge_range(1, 0, 2, 0, "North")
    sheet.write_column(1, 1, [1, 2, 3])
    sheet.write(3, 0, "South")
    book.close()
    source = open_files(tmp_path / "book.xlsx")
    assert source.execute("SELECT * FROM book").rows == (("North", 1), ("North", 2), ("South", 3))


def test_value_of_a_block_that_is_merged_stands_in_all_its_rows(tmp_path: Path, open_files: Open) -> None:
    book = xlsxwriter.Workbook(str(tmp_path / "book.xlsx"))
    sheet = book.add_worksheet()
    sheet.merge_range(0, 0, 1, 2, "Catch by harbour")
    sheet.write_row(2, 0, ["coast", "harbour", "kg"])
    sheet.merge_range(3, 0, 4, 1, "North")
    sheet.write_column(3, 2, [1, 2, 3])
    sheet.write_row(5, 0, ["South", "Sandnes"])
    book.close()
    source = open_files(tmp_path / "book.xlsx")
    assert source.execute("SELECT coast, kg FROM book").rows == (("North", 1), ("North", 2), ("South", 3))
    assert "1 merged cell(s)" in _notes(source) and "skipped 1 row(s)" in _notes(source)


def test_errors_and_hidden_sheets_are_told(tmp_path: Path, open_files: Open) -> None:
    book = xlsxwriter.Workbook(str(tmp_path / "book.xlsx"))
    sheet, old = book.add_worksheet("S"), book.add_worksheet("Old")
    sheet.write_column(0, 0, ["n", 1, 2])
    sheet.write_formula(1, 1, "=1/0", None, "#DIV/0!")
    sheet.write(0, 1, "rate")
    old.write_column(0, 0, ["n", 1])
    old.hide()
    book.close()
    source = open_files(tmp_path / "book.xlsx")
    assert source.execute("SELECT * FROM book_S").rows == ((1, None), (2, None))
    assert source.notes == (
        "book.xlsx: sheet 'Old' is hidden in the workbook",
        "book.xlsx: 1 cell(s) with an error such as #N/A or #DIV/0! read as NULL",
    )


def test_times_and_texts_with_zeros_keep_their_meaning(tmp_path: Path, open_files: Open) -> None:
    rows: Rows = [["zip", "when"], ["01234", dt.datetime(2024, 3, 5, 10, 30)], ["00987", dt.datetime(2024, 3, 5)]]
    source = open_files(_workbook(tmp_path / "book.xlsx", {"S": rows}))
    assert source.execute('SELECT zip, "when" FROM book').rows[0] == ("01234", dt.datetime(2024, 3, 5, 10, 30))


def test_durations_keep_fractions_of_seconds_and_their_sign(tmp_path: Path, open_files: Open) -> None:
    book = xlsxwriter.Workbook(str(tmp_path / "book.xlsx"))
    sheet, form = book.add_worksheet(), book.add_format({"num_format": "[h]:mm:ss.000"})
    sheet.write_row(0, 0, ["lap", "late"])
    sheet.write_row(1, 0, [83.456 / 86400, -1800 / 86400], form)
    sheet.write_row(2, 0, [3600 / 86400, 108000 / 86400], form)
    book.close()
    rows = open_files(tmp_path / "book.xlsx").execute("SELECT * FROM book").rows
    assert rows == ((dt.time(0, 1, 23, 456000), "-00:30:00"), (dt.time(1), "30:00:00"))


def test_cells_that_are_numbers_keep_their_point_beside_texts_with_decimal_commas(
    tmp_path: Path, open_files: Open
) -> None:
    rows: Rows = [["kg", "paid", "owed"], [1.234, "1.234,56", "2.000"], [2.345, "7,5", "3.000"]]
    source = open_files(_workbook(tmp_path / "book.xlsx", {"S": rows}))
    assert source.execute("SELECT * FROM book").rows == ((1.234, 1234.56, 2000), (2.345, 7.5, 3000))


@pytest.mark.parametrize("inner", ["\n", "\r\n", "\r"])
def test_line_breaks_in_the_first_cells_of_a_sheet_are_kept(tmp_path: Path, open_files: Open, inner: str) -> None:
    rows: Rows = [["note", "n"], [f"x{inner}y", 1], ["z", 2]]
    source = open_files(_workbook(tmp_path / "book.xlsx", {"S": rows}))
    assert source.execute("SELECT length(note), n FROM book").rows == ((2 + len(inner), 1), (1, 2))


def test_file_that_is_no_workbook_is_an_error(tmp_path: Path, open_files: Open) -> None:
    with pytest.raises(SourceFormatError, match=r"not what \.xlsx files are") as raised:
        open_files(_write(tmp_path / "x.xlsx", "a,b\n1,2\n"))
    assert "Supported" in raised.value.hint


def test_workbook_without_data_is_an_error(tmp_path: Path, open_files: Open) -> None:
    with pytest.raises(SourceFormatError, match="no sheet with data"):
        open_files(_workbook(tmp_path / "book.xlsx", {"S": []}))


# --- JSON -------------------------------------------------------------------------------------------------------------


def test_nested_objects_become_columns(tmp_path: Path, open_files: Open) -> None:
    records = [{"id": 1, "who": {"name": "a", "home": {"town": "X"}}, "tags": ["p", "q"], "zip": "01234"}]
    source = open_files(_write(tmp_path / "x.json", json.dumps(records)))
    assert source.execute("SELECT id, who_name, who_home_town, tags, zip FROM x").rows == (
        (1, "a", "X", ["p", "q"], "01234"),
    )


def test_json_lines_with_fields_that_come_and_go(tmp_path: Path, open_files: Open) -> None:
    source = open_files(_write(tmp_path / "x.jsonl", '{"a": 1}\n{"a": 2, "b": "x"}\n{"b": "y"}\n'))
    assert source.execute("SELECT a, b FROM x").rows == ((1, None), (2, "x"), (None, "y"))


def test_object_of_record_lists_becomes_several_tables(tmp_path: Path, open_files: Open) -> None:
    data = {"people": [{"n": 1}, {"n": 2}], "towns": [{"t": "X"}], "made": "today"}
    source = open_files(_write(tmp_path / "dump.json", json.dumps(data)))
    assert [(t.name, t.row_count) for t in source.schema().tables] == [("dump_people", 2), ("dump_towns", 1)]
    assert "made" in source.notes[0]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('{"a": [1, 2], "b": ["x", "y"]}', ((1, "x"), (2, "y"))),
        ('{"k1": {"a": 1}, "k2": {"a": 2}}', (("k1", 1), ("k2", 2))),
        ('{"data": [{"a": 1, "b": "x"}]}', ((1, "x"),)),
        ('\ufeff[{"a": 1, "b": NaN}]', ((1, None),)),
        ('{"a": {"0": 1, "1": 2}, "b": {"0": "x", "1": "y"}}', ((1, "x"), (2, "y"))),
        ('{"a": {"2023": 1, "2024": 2}, "b": {"2023": 3, "2024": 4}}', (("2023", 1, 3), ("2024", 2, 4))),
        ('{"a": {"01": 1, "02": 2}, "b": {"01": 3}}', (("01", 1, 3), ("02", 2, None))),
        ('{"k1": {"key": 5, "a": 1}, "k2": {"key": 6, "a": 2}}', (("k1", 5, 1), ("k2", 6, 2))),
        ('{"a": 1}\n{"a": "x"}\n{"a": [1]}', (("1",), ("x",), ("[1]",))),
        ('[{"a": null}]', ((None,),)),
        ('[{"a": 1, "b": {}}]', None),
    ],
)
def test_other_shapes_of_json(tmp_path: Path, open_files: Open, text: str, rows: object) -> None:
    source = open_files(_write(tmp_path / "x.json", text))
    found = source.execute("SELECT * FROM x").rows
    assert found == rows if rows is not None else len(found) == 1


def test_type_of_a_json_field_is_decided_by_all_records(tmp_path: Path, open_files: Open) -> None:
    lines = "".join(json.dumps({"a": n}) + "\n" for n in range(50_000)) + '{"a": "text"}\n'
    source = open_files(_write(tmp_path / "x.jsonl", lines))
    assert source.execute("SELECT count(*), max(a) FROM x").rows[0][0] == 50_001


@pytest.mark.parametrize(
    ("texts", "first", "note"),
    [
        (["2024-03-05", "2024-03-06"], dt.date(2024, 3, 5), ""),
        (["2024-03-05T10:30:00", "2024-03-06"], dt.datetime(2024, 3, 5, 10, 30), ""),
        (["2024-03-05T00:30:00+02:00"], dt.datetime(2024, 3, 4, 22, 30), "column 'd': times are converted to UTC"),
        (["13.02.2024", "01.02.2024"], dt.date(2024, 2, 13), ""),
        (["01-02-2024", "03-04-2024"], "01-02-2024", ""),
        (["10-11-12", "10-11-13"], "10-11-12", ""),
        (["2024-03-05"] * 6_000 + ["soon"], "2024-03-05", "column 'd': kept as text: 'soon' is no date"),
    ],
)
def test_dates_in_json_are_read_as_in_delimited_files(
    tmp_path: Path, open_files: Open, texts: list[str], first: object, note: str
) -> None:
    source = open_files(_write(tmp_path / "x.json", json.dumps([{"d": text} for text in texts])))
    assert source.execute("SELECT d FROM x LIMIT 1").scalar() == first
    assert note in _notes(source) and bool(note) == bool(_notes(source))


def test_long_numbers_in_json_that_are_rounded_are_told(tmp_path: Path, open_files: Open) -> None:
    records = '[{"id": 12345678901234567, "n": 12345678901234567, "x": 1.5}, {"id": 1, "n": 1.5, "x": null}]'
    source = open_files(_write(tmp_path / "x.json", records))
    assert source.execute("SELECT max(id) FROM x").scalar() == 12345678901234567
    assert _notes(source) == "column 'n': numbers of more than 15 digits lose their last ones"


def test_broken_line_of_json_lines_is_named(tmp_path: Path, open_files: Open) -> None:
    with pytest.raises(SourceFormatError, match="at line 3, column"):
        open_files(_write(tmp_path / "x.jsonl", '{"a": 1}\n{"a": 2}\n{"a": '))


def test_json_that_is_too_large_to_mend_is_an_error_in_the_words_of_the_engine(
    tmp_path: Path, open_files: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_reading, "MAX_OBJECT", 12)
    with pytest.raises(SourceFormatError, match=r"x\.jsonl cannot be read: .*[Mm]alformed JSON") as raised:
        open_files(_write(tmp_path / "x.jsonl", '{"a": 1}\n{"a": '))
    assert "one record a line" in raised.value.hint


@pytest.mark.parametrize("text", ["[]", "3", '["a", "b"]', ""])
def test_json_without_records_is_an_error(tmp_path: Path, open_files: Open, text: str) -> None:
    with pytest.raises(SourceFormatError, match=r"x\.json"):
        open_files(_write(tmp_path / "x.json", text))


def test_data_may_change_while_a_query_runs(tmp_path: Path, open_files: Open) -> None:
    file = _write(tmp_path / "numbers.csv", "n\n" + "\n".join(map(str, range(5000))))
    source = open_files(file)
    slow = "SELECT count(*) FROM numbers a, numbers b, numbers c WHERE a.n + b.n * c.n > 7"
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(source.execute, slow, Limits(seconds=1))
        time.sleep(0.3)  # most likely it runs by now
        _write(file, "n\n1\n2\n")
        assert source.execute("SELECT count(*) FROM numbers").scalar() == 2
        assert isinstance(running.exception(), QueryTimeoutError)


def _press_ctrl_c() -> None:
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()  # most likely the engine is at work by then


ENDLESS = "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range % 7 = b.range % 3"


def test_ctrl_c_during_a_query_is_ctrl_c(tmp_path: Path, open_files: Open) -> None:
    source = open_files(_write(tmp_path / "x.csv", "a,b\n1,2\n"))
    with pytest.raises(KeyboardInterrupt):
        _press_ctrl_c()
        source.execute(ENDLESS, Limits(seconds=20))
    assert source.execute("SELECT a FROM x").scalar() == 1


def test_ctrl_c_while_a_file_is_read_is_ctrl_c_and_leaves_nothing_behind(tmp_path: Path) -> None:
    def convert(con: duckdb.DuckDBPyConnection, path: Path, scratch: Path) -> Contents:
        con.execute(ENDLESS)
        return Contents(())

    with pytest.raises(KeyboardInterrupt):
        _press_ctrl_c()
        converted(_write(tmp_path / "x.csv", "a,b\n1,2\n"), convert)
    assert _entries() == []


def test_a_count_is_called_as_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x\n1\n2\n")
    source = FileSource("a", paths=[tmp_path / "a.csv"])
    assert source.execute("SELECT COUNT(*), COUNT(*) > 1 FROM a").names == ["count(*)", "(count(*) > 1)"]
    source.close()
