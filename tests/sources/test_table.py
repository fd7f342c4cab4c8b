from __future__ import annotations

import csv
from pathlib import Path

import pytest

from querist.sources.table import ResultColumn, Table


@pytest.mark.parametrize("text", ["a\rb", "a\nb", "a\r\nb", 'a "b", c', "a\r\n", ""])
def test_csv_is_read_back_as_it_was_written(tmp_path: Path, text: str) -> None:
    Table((ResultColumn("note"), ResultColumn("n")), ((text, 1), ("z", 2))).to_csv(tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [["note", "n"], [text, "1"], ["z", "2"]]
    assert (tmp_path / "out.csv").read_bytes().startswith(b"note,n\n")
