"""`querist schema` as people and programs see it."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from querist.cli.main import app


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "orders.csv").write_text("id,zip,who\n1,01234,[bold]Ada\n2,00987,Bram\n")
    with sqlite3.connect(tmp_path / "shop.sqlite") as con:
        con.execute("CREATE TABLE town (id INTEGER PRIMARY KEY, name TEXT) -- places")
        con.execute("CREATE TABLE person (id INTEGER PRIMARY KEY, town_id INTEGER REFERENCES town)")
        con.execute("INSERT INTO town VALUES (1, 'Reedham')")
    return tmp_path


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["schema", *map(str, arguments)], env={"COLUMNS": "160"})


def test_all_tables_are_shown_with_keys_values_and_notes(data: Path) -> None:
    shown = _run("--data", data)
    assert shown.exit_code == 0
    for words in ("orders", "2 rows", "leading zeros", "town", "→ town.id", "primary", "Reedham", "[bold]Ada"):
        assert words in shown.stdout


def test_one_table_can_be_picked(data: Path) -> None:
    shown = _run("--data", data, "--table", "TOWN").stdout
    assert "Reedham" in shown
    assert "orders" not in shown


def test_unknown_table_is_an_error_with_the_nearest_name(data: Path) -> None:
    shown = _run("--data", data, "--table", "order")
    assert shown.exit_code == 1
    assert "Did you mean orders?" in shown.stderr


def test_what_was_mended_and_what_is_not_clean_is_shown(tmp_path: Path) -> None:
    (tmp_path / "tolls.csv").write_text("gate,grade\nNord,a\nNord ,A\nnord,a\nNord,a\n")
    shown = _run("--data", tmp_path).stdout
    assert "! column 'gate': blanks around 1 value are left out" in shown
    assert "! column 'gate': 'nord' is read as 'Nord' (spellings of one word)" in shown
    assert "! column 'grade': values differ only in case or blanks: 'a' and 'A'" in shown
    assert "! 2 rows are the same as another in every column" in shown


def test_few_empty_cells_are_some_and_values_that_are_not_counted_are_not_none(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "x.sqlite") as con:
        con.execute("CREATE TABLE t (n INTEGER, photo BLOB, few INTEGER, never INTEGER)")
        rows = [(n or None, b"x", None if n else 7, None) for n in range(400)]
        con.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", rows)
    lines = [line.split() for line in _run("--data", tmp_path).stdout.splitlines()]
    told = {words[0]: words[2:4] for words in lines if words[1:2] in (["INTEGER"], ["BLOB"])}
    assert told == {"n": ["<1%", "399"], "photo": [], "few": [">99%", "1"], "never": ["100%", "0"]}


def test_json_is_for_programs(data: Path) -> None:
    shown = json.loads(_run("--data", data / "orders.csv", "--json").stdout)
    (table,) = shown[0]["tables"]
    assert (table["name"], table["row_count"]) == ("orders", 2)
    assert table["columns"][1]["profile"]["examples"] == ["00987", "01234"]


def test_no_data_is_an_error_that_says_how_to_name_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shown = _run()
    assert shown.exit_code == 2
    assert "--data" in shown.stderr


def test_control_characters_of_data_do_not_reach_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("id,text\n1,\x1b[31mred\n2,plain\n")
    assert "\x1b[31mred" not in _run("--data", tmp_path / "x.csv").stdout
