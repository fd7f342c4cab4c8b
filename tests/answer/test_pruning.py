"""A schema that does not fit is cut to what the question needs: its tables and what joins them, recall first."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from querist.answer.prepared import Prepared, prepare
from querist.answer.pruning import fitted
from querist.sources.open import open_sources

WIDE = ", ".join(f"reading_{n} REAL" for n in range(400))
SCRIPT = f"""
CREATE TABLE sailor (sailor_id INTEGER PRIMARY KEY, nickname TEXT);
CREATE TABLE voyage (voyage_id INTEGER PRIMARY KEY, sailor_id INTEGER REFERENCES sailor, harbour_id INTEGER
    REFERENCES harbour);
CREATE TABLE harbour (harbour_id INTEGER PRIMARY KEY, depth REAL);
CREATE TABLE buoy (buoy_id INTEGER PRIMARY KEY, {WIDE}, salinity REAL);
INSERT INTO sailor VALUES (1, 'Popeye');
INSERT INTO buoy (buoy_id) VALUES (1);
""" + "".join(
    f"CREATE TABLE ledger_{n} (entry_{n} INTEGER PRIMARY KEY, debit_{n} REAL, credit_{n} REAL);" for n in range(60)
)


@pytest.fixture(scope="module")
def sea(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    folder = tmp_path_factory.mktemp("sea")
    connection = sqlite3.connect(folder / "sea.sqlite")
    connection.executescript(SCRIPT)
    connection.close()
    (source,) = open_sources([folder / "sea.sqlite"])
    prepared = prepare(source, folder / "values")
    yield prepared
    prepared.close()
    source.close()


def test_what_fits_is_shown_whole(sea: Prepared) -> None:
    shown = fitted("How deep is the harbour?", sea, "bare", 100_000)
    assert (shown.text, shown.left_out) == (sea.rendered("bare"), "")


def test_the_tables_of_the_question_come_with_those_that_join_them(sea: Prepared) -> None:
    shown = fitted("Which sailor saw the deepest harbour?", sea, "bare", 200)
    assert all(f"CREATE TABLE {name} (" in shown.text for name in ("sailor", "voyage", "harbour"))
    assert "CREATE TABLE buoy" not in shown.text
    assert shown.left_out == "59 tables"
    assert len(shown.text) <= 200 * 3


def test_a_table_is_found_by_a_value(sea: Prepared) -> None:
    assert "CREATE TABLE sailor" in fitted("Where did Popeye go?", sea, "bare", 60).text


def test_a_table_that_is_too_wide_keeps_its_keys_and_what_the_question_names(sea: Prepared) -> None:
    shown = fitted("What is the mean salinity at each buoy?", sea, "rich", 300)
    assert "buoy_id INTEGER PRIMARY KEY" in shown.text
    assert "salinity" in shown.text
    assert "reading_399" not in shown.text


def test_a_wide_table_is_narrowed_beside_others(sea: Prepared) -> None:
    shown = fitted("Which sailor saw a buoy with a salinity over 3?", sea, "bare", 300)
    assert "CREATE TABLE sailor" in shown.text
    assert "salinity" in shown.text
    assert "reading_399" not in shown.text
    assert len(shown.text) <= 300 * 3


def test_what_is_left_out_is_told(sea: Prepared) -> None:
    assert fitted("What is the mean salinity at each buoy?", sea, "bare", 300).left_out == "59 tables and 380 columns"
    assert fitted("How deep is the harbour?", sea, "bare", 60).left_out == "62 tables"


def test_what_is_left_over_is_filled_up(sea: Prepared) -> None:
    shown = fitted("Which sailor is called Popeye?", sea, "bare", 1000)
    assert shown.text.count("CREATE TABLE ledger_") > 10
