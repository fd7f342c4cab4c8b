"""Delimited files of every shape people have, read into typed tables without losing a row or a cell."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from querist.errors import SourceFormatError
from querist.sources.csv_reading import load_csv
from querist.sources.text_encoding import plain_text


@dataclass(frozen=True)
class Loaded:
    names: list[str]
    types: list[str]
    rows: list[tuple[Any, ...]]
    notes: str


Load = Callable[[str | bytes], Loaded]


def _load(folder: Path, content: str | bytes) -> Loaded:
    path = folder / "data.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with duckdb.connect() as con:
        plain, notes = plain_text(path, folder)
        loaded = load_csv(con, plain, "t", folder, "data.csv")
        result = con.execute("SELECT * FROM t")
        names, types = [d[0] for d in result.description or ()], [str(d[1]) for d in result.description or ()]
        rows = result.fetchall()
    assert len(rows) == loaded.rows
    return Loaded(names, types, rows, "\n".join((*notes, *loaded.notes)))


@pytest.fixture
def load(tmp_path: Path) -> Load:
    return lambda content: _load(tmp_path, content)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^", "~"])
def test_any_usual_delimiter_is_found(load: Load, delimiter: str) -> None:
    table = load("\n".join(delimiter.join(row) for row in (["name", "n"], ["x", "1"], ["y", "2"])))
    assert (table.names, table.rows) == (["name", "n"], [("x", 1), ("y", 2)])


def test_delimiter_inside_quotes_is_no_delimiter(load: Load) -> None:
    assert load('who;what\n"a;b";1,5\n"c";2,5\n').rows == [("a;b", 1.5), ("c", 2.5)]


def test_line_that_excel_writes_for_the_delimiter_is_followed(load: Load) -> None:
    assert load("sep=;\na;b\n1;2\n").rows == [(1, 2)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_is_read(load: Load, end: str) -> None:
    assert load(end.join(["a,b", "1,x", "2,y", ""])).rows == [(1, "x"), (2, "y")]


def test_mixed_line_ends_are_read(load: Load) -> None:
    assert load("a,b\r\n1,x\n2,y\r\n").rows == [(1, "x"), (2, "y")]


def test_missing_last_line_end_loses_nothing(load: Load) -> None:
    assert load("a,b\n1,2\n3,4").rows == [(1, 2), (3, 4)]


def test_quoted_line_breaks_and_doubled_quotes_are_kept(load: Load) -> None:
    assert load('id,text\n1,"two\nlines"\n2,"say ""hi"""\n').rows == [(1, "two\nlines"), (2, 'say "hi"')]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("inner", ["\n", "\r\n", "\r"])
def test_line_breaks_in_cells_of_a_file_that_is_mended_are_kept(load: Load, end: str, inner: str) -> None:
    rows = ["note,n", f'"x{inner}y",1', "z", "", '"",3', ""]
    assert load(end.join(rows)).rows == [(f"x{inner}y", 1), ("z", None), (None, 3)]


def test_single_quotes_and_backslashes_are_understood(load: Load) -> None:
    assert load("'a','b'\n'x,1','2'\n'y','3'\n").rows == [("x,1", 2), ("y", 3)]
    assert load('a,b\n"5\\" pipe",1\n"x",2\n').rows == [('5" pipe', 1), ("x", 2)]


def test_backslash_that_escapes_nothing_is_kept(load: Load) -> None:
    table = load('a,b\n"say \\"hi\\" in C:\\temp",1\nD:\\new,2\n"x\\\\y\\, z",3\n')
    assert table.rows == [('say "hi" in C:\\temp', 1), ("D:\\new", 2), ("x\\y, z", 3)]


def test_blanks_after_the_delimiter_are_dropped(load: Load) -> None:
    assert load('a, b, c\n1, 2, x\n2, "3", "y, z"\n').rows == [(1, 2, "x"), (2, 3, "y, z")]
    assert load("name | n | town\nAda | 1 | X\nBob | 2 | Y\n").rows == [("Ada", 1, "X"), ("Bob", 2, "Y")]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1"]
)
def test_western_text_in_any_encoding_is_read(load: Load, encoding: str) -> None:
    text = "name,city\nJosé,Zürich\nZoë,Malmö\n"
    assert load(text.encode(encoding)).rows == [("José", "Zürich"), ("Zoë", "Malmö")]


def test_cyrillic_in_its_code_page_is_read(load: Load) -> None:
    rows = "имя\tгород\nИван\tМосква и окрестности\nАнна\tСанкт-Петербург, центр города\n"
    table = load(rows.encode("cp1251"))
    assert table.rows[0] == ("Иван", "Москва и окрестности")
    assert "cp1251" in table.notes


def test_few_broken_bytes_in_utf8_do_not_change_the_rest(load: Load) -> None:
    good = "".join(f"{n},Zoë Müller\n" for n in range(50)).encode()
    table = load(b"id,name\n" + good + b"50,broken \xff here\n")
    assert table.rows[0] == (0, "Zoë Müller")
    assert table.rows[50] == (50, "broken � here")
    assert "not valid UTF-8" in table.notes


def test_file_without_header_gets_numbered_columns_and_keeps_its_first_row(load: Load) -> None:
    table = load("1,2.5\n3,4.5\n")
    assert (table.names, table.rows) == (["column1", "column2"], [(1, 2.5), (3, 4.5)])
    assert "no header" in table.notes


def test_text_values_that_come_again_are_no_header(load: Load) -> None:
    assert load("alice,paris\nbob,london\ncarl,paris\n").rows[0] == ("alice", "paris")


def test_years_are_a_header_among_names(load: Load) -> None:
    assert load("country,2019,2020\nNL,1,2\nBE,3,4\n").names == ["country", "2019", "2020"]


def test_duplicate_and_blank_headers_get_names_that_are_noted(load: Load) -> None:
    table = load("a,A,,b\n1,2,3,4\n")
    assert table.names == ["a", "A_2", "column3", "b"]
    assert "more than once" in table.notes and "no name" in table.notes


def test_name_that_is_made_up_takes_none_from_another_column(load: Load) -> None:
    assert load("n,n,,n_2,column3\n1,2,3,4,5\n").names == ["n", "n_3", "column3_2", "n_2", "column3"]


def test_empty_column_without_a_name_is_left_out(load: Load) -> None:
    table = load("a,b,\n1,2,\n3,4,\n")
    assert (table.names, table.notes) == (["a", "b"], "")


def test_names_that_a_statistics_program_leaves_out_are_put_back(load: Load) -> None:
    table = load("x,y\nr1,1,2\nr2,3,4\n")
    assert (table.names, table.rows) == (["row", "x", "y"], [("r1", 1, 2), ("r2", 3, 4)])
    assert "the first column is called row" in table.notes


def test_delimiter_at_the_end_of_the_header_alone_costs_no_row(load: Load) -> None:
    table = load("name,town,\nAda,Bern\nBob,Chur\n")
    assert (table.names, table.rows, table.notes) == (["name", "town"], [("Ada", "Bern"), ("Bob", "Chur")], "")


def test_lines_above_the_table_are_skipped_and_told(load: Load) -> None:
    table = load("Report of 2024\nmade by hand\n\nname,amount\nx,1\ny,2\n")
    assert (table.names, table.rows) == (["name", "amount"], [("x", 1), ("y", 2)])
    assert "skipped 2 line(s)" in table.notes and "Report of 2024" in table.notes


def test_header_alone_gives_a_table_without_rows(load: Load) -> None:
    table = load("name,amount\n")
    assert (table.names, table.rows) == (["name", "amount"], [])


@pytest.mark.parametrize("content", ["", "\n\n", "   \n"])
def test_empty_file_is_an_error_that_says_so(load: Load, content: str) -> None:
    with pytest.raises(SourceFormatError, match="empty"):
        load(content)


@pytest.mark.parametrize("content", ["<!DOCTYPE html><html>gone</html>", "<?xml version='1.0'?><a/>"])
def test_web_page_in_place_of_data_is_an_error(load: Load, content: str) -> None:
    with pytest.raises(SourceFormatError, match="web page"):
        load(content)


def test_delimiters_alone_are_no_table(load: Load) -> None:
    with pytest.raises(SourceFormatError, match="empty"):
        load(",,\n,,\n")


def test_binary_file_is_an_error_that_says_so(load: Load) -> None:
    with pytest.raises(SourceFormatError, match="not a text file"):
        load(b"\x00\x01\x02\x03 binary \x00\x00 stuff \x7f")


def test_blanks_of_any_kind_around_a_number_leave_it_a_number(load: Load) -> None:
    table = load("a,b\nx,1\ny,2\u00a0\nz,\t3 \nx,\u00a0\n")
    assert (table.rows, table.notes) == ([("x", 1), ("y", 2), ("z", 3), ("x", None)], "")


@pytest.mark.parametrize("above", [1, 6_000])
def test_header_that_comes_again_is_no_row(load: Load, above: int) -> None:
    table = load("boat,kg\n" + "Terna,1\n" * above + "boat,kg\nHavn,2\n")
    assert (len(table.rows), table.rows[-1]) == (above + 1, ("Havn", 2))
    assert table.notes == "1 row(s) that repeat the header are left out"


def test_row_that_is_the_header_in_one_column_only_is_a_row(load: Load) -> None:
    assert load("word,means\nboat,ship\nword,means\nword,term\n").rows == [("boat", "ship"), ("word", "term")]


def test_ragged_rows_lose_no_cell_and_are_counted(load: Load) -> None:
    table = load("a,b\n1,2,3\n4\n5,6\n")
    assert table.rows == [(1, 2, 3), (4, None, None), (5, 6, None)]
    assert "1 row(s) have fewer" in table.notes and "1 row(s) have more" in table.notes


def test_quote_that_is_never_closed_swallows_no_rows(load: Load) -> None:
    table = load('id,size\n1,"x\n2,y\n3,"z"\n')
    assert table.rows == [(1, "x"), (2, "y"), (3, "z")]
    assert "not closed" in table.notes


def test_quote_in_the_middle_of_a_cell_is_kept(load: Load) -> None:
    assert load('id,size\n1,5" pipe\n2,big\n').rows == [(1, '5" pipe'), (2, "big")]


def test_ragged_row_far_below_the_sample_is_found(load: Load) -> None:
    table = load("a,b\n" + "1,2\n" * 200_000 + "3,4,5\n")
    assert len(table.rows) == 200_001
    assert table.rows[-1] == (3, 4, 5)


def test_single_column_skips_blank_lines(load: Load) -> None:
    assert load("only\nx\n\ny\n").rows == [("x",), ("y",)]


def test_line_of_delimiters_alone_is_no_row(load: Load) -> None:
    assert load("a,b\n1,2\n,\n3,4\n,\n").rows == [(1, 2), (3, 4)]
    assert load('a,b\n1,2\n"",\n3,4,5\n,\n').rows == [(1, 2, None), (3, 4, 5)]


def test_very_long_cell_is_read(load: Load) -> None:
    table = load("id,text\n1," + "x" * 5_000_000 + "\n2,y\n")
    assert [len(row[1]) for row in table.rows] == [5_000_000, 1]


def test_value_below_the_sample_decides_the_type_too(load: Load) -> None:
    table = load("a,b\n" + "1,2\n" * 6_000 + "x,3\n")
    assert table.types == ["VARCHAR", "BIGINT"]
    assert table.rows[-1] == ("x", 3) and table.rows[0] == ("1", 2)
    assert "'x' is no number" in table.notes


def test_value_below_the_sample_that_proves_the_decimal_comma_proves_it_for_all_columns(load: Load) -> None:
    table = load("a;b\n" + "1.234;7\n" * 6_000 + "1.500;7,5\n")
    assert table.rows[-1] == (1500, 7.5)
    assert "the point in '1.234' is read as a thousands separator" in table.notes


def test_column_that_is_empty_in_the_sample_is_judged_by_what_follows(load: Load) -> None:
    assert load("a,b\n" + ",2\n" * 6_000 + "5,3\n").rows[-1] == (5, 3)


def test_word_for_null_below_the_sample_is_found_and_told(load: Load) -> None:
    table = load("a,b\n" + "1,2\n" * 6_000 + "NA,3\n")
    assert table.rows[-1] == (None, 3)
    assert "'NA' read as NULL" in table.notes


def test_thousand_columns_are_read(load: Load) -> None:
    header = ",".join(f"c{i}" for i in range(1_000))
    row = ",".join(str(i) for i in range(1_000))
    table = load(f"{header}\n{row}\n{row}\n")
    assert len(table.names) == 1_000
    assert table.rows[1][999] == 999


def test_big_and_exact_numbers_stay_exact(load: Load) -> None:
    table = load(f"i,h,d,t\n{2**62},{2**100},1234567890123456789.25,{'9' * 50}\n1,1,2.5,{'8' * 50}\n")
    assert table.rows[0] == (2**62, 2**100, Decimal("1234567890123456789.25"), "9" * 50)


@pytest.mark.parametrize(
    ("first", "big", "exact"),
    [
        ("1.5", "12345678901234567", Decimal(12345678901234567)),
        ('"1,234.5"', '"12,345,678,901,234,567"', Decimal(12345678901234567)),
        ("12345678901234567.25", "1e-5", 0.00001),
    ],
)
def test_digits_below_the_sample_are_kept(load: Load, first: str, big: str, exact: object) -> None:
    assert load("n,x\n" + f"{first},a\n" * 6_000 + f"{big},a\n").rows[-1][0] == exact


def test_numbers_that_lose_digits_and_none_that_is_too_large_are_told(load: Load) -> None:
    table = load("n,m\n12345678901234567,1e400\n1e3,2\n")
    assert "column 'n': numbers of more than 15 digits lose their last ones" in table.notes
    assert table.rows[0][1] == "1e400" and "'1e400' is no number" in table.notes


def test_dates_are_read_by_what_the_whole_column_allows(load: Load) -> None:
    table = load("day\tother\n05/03/2024\t1\n13/03/2024\t2\n")
    assert [row[0] for row in table.rows] == [dt.date(2024, 3, 5), dt.date(2024, 3, 13)]


_CELL = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufeff\u2028\u2029\x85"), max_size=12
)


@example(rows=[("", '\\"', 0)], delimiter=",")
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(_CELL, _CELL, st.integers(-(10**17), 10**17)), min_size=1, max_size=12),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
)
def test_what_a_csv_writer_writes_is_read_back(
    tmp_path: Path, rows: list[tuple[str, str, int]], delimiter: str
) -> None:
    # A word in front keeps the cells text; numbers and dates are other tests.
    rows = [(f"k{i} {a}", f"v {b}", n) for i, (a, b, n) in enumerate(rows)]
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows([("key one", "value two", "number three"), *rows])
    assert _load(tmp_path, out.getvalue()).rows == rows
