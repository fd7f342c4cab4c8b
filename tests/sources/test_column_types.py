"""Which type a column of text gets, and when it stays text."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from querist.sources.column_types import Hints, Reading, hints, read_column


def _values(reading: Reading, texts: list[str]) -> list[Any]:
    """The values that the reading's SQL gives; fails when it says that a value does not fit."""
    value = reading.value.replace("{c}", "c")
    fits = (reading.fits or "true").replace("{c}", "c")
    words = ", ".join(f"'{w}'" for w in ("", *reading.null_words))
    sql = f"SELECT CASE WHEN c IN ({words}) THEN NULL ELSE {value} END, c IN ({words}) OR ({fits}) FROM t"
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'Asia/Tokyo'")
        con.execute("CREATE TABLE t (n INTEGER, c VARCHAR)")
        con.executemany("INSERT INTO t VALUES (?, ?)", list(enumerate(texts)))
        rows = con.execute(sql + " ORDER BY n").fetchall()
    assert all(ok for _, ok in rows), rows
    return [v for v, _ in rows]


@pytest.mark.parametrize(
    ("texts", "kind", "values"),
    [
        (["1", "-20", "0"], "BIGINT", [1, -20, 0]),
        (["1", "12345678901234567890"], "HUGEINT", [1, 12345678901234567890]),
        (["1", "2.50", ".5", "-3.", "1e3"], "DOUBLE", [1.0, 2.5, 0.5, -3.0, 1000.0]),
        (["0.30000000000000004", "1"], "DOUBLE", [0.30000000000000004, 1.0]),
        (["true", "FALSE"], "BOOLEAN", [True, False]),
        (["1,234.50", "2,000.10", "7"], "DOUBLE", [1234.5, 2000.1, 7.0]),
        (["1,234,567", "5"], "BIGINT", [1234567, 5]),
        (["12,345,678,901,234,567", "-5"], "BIGINT", [12345678901234567, -5]),
        (["12,345,678,901,234,567,890", "5"], "HUGEINT", [12345678901234567890, 5]),
        (["12.345.678.901.234.567,89", "1,5"], "DECIMAL(38, 2)", [Decimal("12345678901234567.89"), Decimal("1.50")]),
        (["1.234,50", "7,5"], "DOUBLE", [1234.5, 7.5]),
        (["3,5", "-0,25"], "DOUBLE", [3.5, -0.25]),
        (["0,125", "1,500"], "DOUBLE", [0.125, 1.5]),
        (["1 234", "12 000,5"], "DOUBLE", [1234.0, 12000.5]),
        (["1'234.50", "2.5"], "DOUBLE", [1234.5, 2.5]),
        (["$1,234.50", "-$5.25", "$0.99"], "DOUBLE", [1234.5, -5.25, 0.99]),
        (["12,50 €", "3,00 €"], "DOUBLE", [12.5, 3.0]),
        (["12%", "3.5%"], "DOUBLE", [12.0, 3.5]),
        (["(123)", "45", "-7"], "BIGINT", [-123, 45, -7]),
        (["($1,234.50)", "$5"], "DOUBLE", [-1234.5, 5.0]),
        (["−5", "2.5"], "DOUBLE", [-5.0, 2.5]),
        (["12345678901234567.89", "-1.5"], "DECIMAL(38, 2)", [Decimal("12345678901234567.89"), Decimal("-1.50")]),
        (["10:05", "23:10:30"], "TIME", [dt.time(10, 5), dt.time(23, 10, 30)]),
    ],
)
def test_numbers_booleans_and_times(texts: list[str], kind: str, values: list[Any]) -> None:
    reading = read_column(texts)
    assert reading.type == kind
    assert _values(reading, texts) == values


@pytest.mark.parametrize(
    ("texts", "first"),
    [
        (["2024-03-05", "2024-12-31"], dt.date(2024, 3, 5)),
        (["2024/3/5", "2024/12/31"], dt.date(2024, 3, 5)),
        (["13/03/2024", "05/03/2024"], dt.date(2024, 3, 13)),
        (["3/13/2024", "3/5/2024"], dt.date(2024, 3, 13)),
        (["05.03.2024", "06.03.2024"], dt.date(2024, 3, 5)),
        (["25-12-99", "1-2-05"], dt.date(1999, 12, 25)),
        (["5 Mar 2024", "17 March 2024"], dt.date(2024, 3, 5)),
        (["05-Mar-24", "06-Apr-24"], dt.date(2024, 3, 5)),
        (["Mar 5, 2024", "Apr 15, 2024"], dt.date(2024, 3, 5)),
        (["01/01/2024", "01/02/2024", "01/03/2024"], dt.date(2024, 1, 1)),
        (["2024-03-05 10:30", "2024-03-05 10:30:15.5"], dt.datetime(2024, 3, 5, 10, 30)),
        (["2024-03-05T10:30:00", "2024-03-06T00:00:00"], dt.datetime(2024, 3, 5, 10, 30)),
        (["2024-03-05T10:30:00Z", "2024-03-05T10:30:00+02:00"], dt.datetime(2024, 3, 5, 10, 30)),
        (["2024-03-05 10:30:00.123456789", "2024-03-05 11:00:00.5"], dt.datetime(2024, 3, 5, 10, 30, 0, 123456)),
        (["1/25/2024 1:05 PM", "1/5/2024 11:00 AM"], dt.datetime(2024, 1, 25, 13, 5)),
        (["2024-03-05", "2024-03-06 10:00"], dt.datetime(2024, 3, 5)),
    ],
)
def test_dates(texts: list[str], first: dt.date) -> None:
    reading = read_column(texts)
    values = _values(reading, texts)
    assert values[0] == first
    assert None not in values


@pytest.mark.parametrize(
    ("texts", "order"),
    [(["01/01/2024", "01/02/2024", "01/03/2024"], "day/month"), (["1/1/2024", "2/1/2024", "3/1/2024"], "month/day")],
)
def test_first_of_each_month_tells_the_day_from_the_month(texts: list[str], order: str) -> None:
    reading = read_column(texts)
    assert _values(reading, texts)[1] == dt.date(2024, 2, 1)
    assert reading.notes == (f"dates such as {texts[0]!r} are read as {order}",), "they may be days of January"


def test_first_part_of_three_short_ones_may_be_a_year() -> None:
    reading = read_column(["24/12/05", "25/12/05"])
    assert _values(reading, ["24/12/05"]) == [dt.date(2005, 12, 24)]
    assert "dates such as '24/12/05' are read as day/month/year" in reading.notes
    assert len(read_column(["24/12/05", "25/12/55"]).notes) == 1
    assert hints([["24-01-05", "24-02-17"]]).day_first is None


@pytest.mark.parametrize(
    ("texts", "note"),
    [
        (["01234", "00987"], "leading zeros"),
        (["007", "12"], "leading zeros"),
        (["01/02/2024", "03/04/2024"], "day/month or month/day"),
        (["12/02/2024", "03/11/2024"], "day/month or month/day"),
        (["01/02/2024", "01/03/2024"], "day/month or month/day"),
        (["13.02.2024", "02/03/2024"], "'02/03/2024' may be day/month or month/day"),
        (["24-01-05", "24-02-17"], "'24-01-05' may be day/month/year or year/month/day"),
        (["9" * 50, "1"], "38 digits"),
        (["1", "2", "3", "4", "many"], "not 'many'"),
    ],
)
def test_text_with_a_reason(texts: list[str], note: str) -> None:
    reading = read_column(texts)
    assert reading.is_text
    assert note in " ".join(reading.notes)


@pytest.mark.parametrize(
    "texts",
    [
        ["+49 30 123", "+49 40 456"],
        ["1.2.3", "1.2.4"],
        ["$5", "€5"],
        ["$5", "5"],
        ["(1)", "(2)"],
        ["31/02/2024x", "01/02/2024"],
        ["2024-13-45x", "2024-01-01"],
        ["yes", "no"],
        ["NA", "-"],
        ["1,23,4", "5"],
        ["0x10", "0x11"],
        ["inf", "1"],
        ["12:30 uur", "13:00 uur"],
        ["25/12/2024", "12/25/2024"],
    ],
)
def test_text_stays_text(texts: list[str]) -> None:
    assert read_column(texts).is_text


def test_words_for_null_count_only_beside_other_types() -> None:
    reading = read_column(["1", "N/A", "-"])
    assert reading.null_words == ("-", "N/A")
    assert _values(reading, ["1", "N/A", "-"]) == [1, None, None]
    assert read_column(["apple", "N/A"]).null_words == ()


def test_impossible_dates_are_misfits_of_the_sql() -> None:
    reading = read_column(["28/02/2024", "13/01/2024"])
    assert _values(reading, ["31/02/2024"]) == [None]


@pytest.mark.parametrize(
    ("texts", "later"),
    [
        (["13/03/2024", "05/03/2024"], "14/03/24"),
        (["2024-03-05"], "24-03-06"),
        (["5 Mar 2024", "17/03/2024"], "6 Mar 24"),
        (["13/03/2024 10:30:00.1234"], "14/03/24 10:30:00.1234"),
    ],
)
def test_a_year_of_two_digits_among_years_of_four_is_a_misfit(texts: list[str], later: str) -> None:
    reading = read_column(texts)
    assert None not in _values(reading, texts)
    assert _values(reading, [later]) == [None]


def test_other_columns_decide_what_a_column_leaves_open() -> None:
    file = [["13/02/2024", "2/1/2023"], ["1,5", "2,25"]]
    known = hints(file)
    assert known == Hints(decimal_comma=True, day_first=True)
    dates = ["01/02/2024", "03/04/2024"]
    assert _values(read_column(dates, known), dates)[0] == dt.date(2024, 2, 1)
    assert _values(read_column(["1.234", "2.500"], known), ["1.234"]) == [1234]
    assert _values(read_column(["1.234", "2.500"]), ["1.234"]) == [1.234]
    assert _values(read_column(["0.125", "2.500"], known), ["0.125"]) == [0.125]


def test_comma_that_may_be_either_is_told() -> None:
    assert "thousands separator" in read_column(["1,234", "5"]).notes[0]
    semicolons = hints([["1,234", "5"]], ";")
    assert "decimal comma" in read_column(["1,234", "5"], semicolons).notes[0]
    proven = hints([["1,234", "5"], ["0.25", "1.5"]], ";")
    assert "thousands separator" in read_column(["1,234", "5"], proven).notes[0]


@pytest.mark.parametrize(
    ("texts", "note"),
    [
        (["1001", "10E2"], "'10E2' is read as the number 1000"),
        (["3.9", "3.10"], "'3.10' is read as the number 3.1"),
        (["110 001", "110 002"], "the blanks in '110 001' are read as thousands separators"),
        (["3:20", "12:15"], "'3:20' is read as hours and minutes"),
    ],
)
def test_what_may_be_a_code_or_a_duration_is_told(texts: list[str], note: str) -> None:
    assert read_column(texts).notes == (note,)


@pytest.mark.parametrize(
    "texts",
    [["1.0", "2.25"], ["5", "2.50"], ["1e+16", "2.5E-05"], ["2.5", "1.5e+10"], ["1'234.50"], ["09:30", "3:20:15"]],
)
def test_numbers_and_times_of_one_meaning_have_no_note(texts: list[str]) -> None:
    assert read_column(texts).notes == ()


def test_point_that_may_group_thousands_is_told() -> None:
    semicolons = hints([["1.234", "12.500"]], ";")
    assert read_column(["1.234", "12.500"], semicolons).notes == ("the point in '1.234' is read as a decimal point",)
    assert read_column(["1.234", "0.500"], semicolons).notes == ()
    assert read_column(["1.234", "12.500"]).notes == ()


def test_columns_that_contradict_each_other_prove_nothing() -> None:
    assert hints([["1,5"], ["1.5"]]).decimal_comma is None
    assert hints([["13/01/2024"], ["01/13/2024"]]).day_first is None
