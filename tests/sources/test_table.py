from __future__ import annotations

import csv
import datetime as dt
import decimal
import io
import json
from pathlib import Path

import pytest

from querist.sources.table import ResultColumn, Table, json_cell


@pytest.mark.parametrize("text", ["a\rb", "a\nb", "a\r\nb", 'a "b", c', "a\r\n", ""])
def test_csv_is_read_back_as_it_was_written(tmp_path: Path, text: str) -> None:
    Table((ResultColumn("note"), ResultColumn("n")), ((text, 1), ("z", 2))).to_csv(tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [["note", "n"], [text, "1"], ["z", "2"]]
    assert (tmp_path / "out.csv").read_bytes().startswith(b"note,n\n")


def test_csv_holds_nothing_that_only_python_can_read() -> None:
    columns = tuple(map(ResultColumn, ("key", "tags", "place", "none")))
    text = io.StringIO()
    Table(columns, ((b"\x00\xff", ["a", 'é, "b"'], {"town": "Graz", "at": None}, None),)).write_csv(text)
    (_, row) = csv.reader(io.StringIO(text.getvalue()))
    assert row == ["00ff", '["a", "é, \\"b\\""]', '{"town": "Graz", "at": null}', ""]


def test_whole_numbers_beyond_what_floats_hold_keep_their_digits_in_pandas() -> None:
    rows = ((2**53 + 1, 1, 1.5), (None, None, None))
    frame = Table(tuple(map(ResultColumn, ("parent", "few", "price"))), rows).to_pandas()
    assert frame["parent"].tolist() == [2**53 + 1, None]
    assert [frame[name].dtype.kind for name in ("few", "price")] == ["f", "f"]


@pytest.mark.parametrize(
    ("duration", "written"),
    [
        (dt.timedelta(hours=8, minutes=30), "08:30:00"),
        (dt.timedelta(hours=-1), "-01:00:00"),
        (dt.timedelta(days=5, minutes=30, milliseconds=250), "120:30:00.250000"),
        (dt.timedelta(), "00:00:00"),
    ],
)
def test_durations_are_written_as_sql_does(duration: dt.timedelta, written: str) -> None:
    assert json_cell(duration) == written
    text = io.StringIO()
    Table((ResultColumn("late"),), ((duration,),)).write_csv(text)
    assert text.getvalue() == f"late\n{written}\n"


@pytest.mark.parametrize("number", [float, decimal.Decimal])
def test_what_is_no_finite_number_makes_no_text_of_a_column_that_is_handed_on(
    tmp_path: Path, number: type[float] | type[decimal.Decimal]
) -> None:
    rows = tuple((number(text),) for text in ("1.5", "NaN", "-Infinity"))
    lines = Table((ResultColumn("n"),), rows).hand_on(tmp_path, "step_1").read_text().splitlines()
    assert [json.loads(line)["n"] for line in lines] == [1.5, None, None]
