"""An analysis over several tables has one row for each row of one of them, whatever was brought in."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from querist.analysis import load as loading
from querist.analysis.assemble import Assembly
from querist.analysis.load import choose, doubt, load
from querist.sources.base import Limits, Source
from querist.sources.open import open_sources
from querist.sources.table import Table

SHOP = """
CREATE TABLE town (town_id INTEGER PRIMARY KEY, name TEXT, height REAL);
CREATE TABLE buyer (buyer_id INTEGER PRIMARY KEY, name TEXT, age INTEGER, town_id INTEGER REFERENCES town(town_id));
CREATE TABLE sale (sale_id INTEGER PRIMARY KEY, buyer_id INTEGER REFERENCES buyer(buyer_id), amount REAL, sold TEXT);
CREATE TABLE visit (visit_id INTEGER PRIMARY KEY, buyer_id INTEGER REFERENCES buyer(buyer_id), minutes REAL);
CREATE TABLE match (match_id INTEGER PRIMARY KEY, home INTEGER REFERENCES town(town_id),
  away INTEGER REFERENCES town(town_id), goals INTEGER);
CREATE TABLE price (shelf INTEGER, "row" INTEGER, cents INTEGER, PRIMARY KEY (shelf, "row"));
CREATE TABLE label (label_id INTEGER PRIMARY KEY, shelf INTEGER, "row" INTEGER, colour TEXT,
  FOREIGN KEY (shelf, "row") REFERENCES price(shelf, "row"));
INSERT INTO town VALUES (1, 'Aa', 10), (2, 'Bee', 500);
INSERT INTO buyer VALUES (1, 'Ann', 30, 1), (2, 'Bob', 40, 2), (3, 'Cy', 50, NULL);
INSERT INTO sale VALUES (1, 1, 10, 'a'), (2, 1, 20, 'b'), (3, 2, 5, 'c'), (4, NULL, 7, 'd');
INSERT INTO visit VALUES (1, 1, 3), (2, 2, 4), (3, 2, 5);
INSERT INTO match VALUES (1, 1, 2, 3), (2, 2, 1, 0);
INSERT INTO price VALUES (1, 1, 90), (1, 2, 80);
INSERT INTO label VALUES (1, 1, 1, 'red'), (2, 1, 2, 'blue'), (3, 1, 2, 'red');
"""


@pytest.fixture
def shop(tmp_path: Path) -> Source:
    connection = sqlite3.connect(tmp_path / "shop.sqlite")
    connection.executescript(SHOP)
    connection.close()
    (source,) = open_sources([str(tmp_path / "shop.sqlite")])
    return source


def read(question: str, source: Source, table: str = "") -> tuple[Assembly, Table]:
    _, assembly = choose(question, [source], table)
    rows, used, why = load(source, assembly)
    assert (used, why) == (assembly, "")
    return assembly, rows


def column(table: Table, name: str) -> list[object]:
    place = table.unique_names().index(name)
    return [row[place] for row in table.rows]


def test_a_question_about_one_table_reads_it_as_it_stands(shop: Source) -> None:
    assembly, rows = read("Is the amount of a sale normally distributed?", shop)
    assert (assembly.base.name, assembly.brought, len(rows.rows)) == ("sale", {}, 4)


def test_columns_of_the_tables_that_it_refers_to_are_looked_up(shop: Source) -> None:
    assembly, rows = read("Is the amount correlated with the age?", shop)
    assert assembly.base.name == "sale"
    assert assembly.brought == {"buyer": "Looked up for each row of sale: age of buyer."}
    assert column(rows, "age") == [30, 30, 40, None]


def test_over_several_links(shop: Source) -> None:
    _, rows = read("Is the amount correlated with the height of the town?", shop)
    assert column(rows, "height") == [10, 10, 500, None]


def test_a_table_named_alone_gives_the_column_that_names_its_rows(shop: Source) -> None:
    assembly, rows = read("Do the amounts of sales differ between towns?", shop)
    assert assembly.base.name == "sale"
    assert column(rows, "name") == ["Aa", "Aa", "Bee", None]


def test_rows_that_refer_to_a_row_are_counted(shop: Source) -> None:
    assembly, rows = read("Is the age of the buyers correlated with the number of sales?", shop)
    assert assembly.base.name == "buyer"
    assert column(rows, "number_of_sale") == [2, 1, 0]


def test_per_row_of_a_table_amounts_are_summed_and_averaged(shop: Source) -> None:
    assembly, rows = read("Is the total amount per buyer correlated with the average minutes and the age?", shop)
    assert assembly.base.name == "buyer"
    assert column(rows, "total_amount") == [30, 5, None]
    assert column(rows, "average_minutes") == [3, 4.5, None]
    assert len(rows.rows) == 3


def test_for_each_asks_for_groups_and_not_for_sums(shop: Source) -> None:
    assembly, rows = read("Is the amount normally distributed for each buyer?", shop)
    assert (assembly.base.name, len(rows.rows)) == ("sale", 4)
    assert column(rows, "name") == ["Ann", "Ann", "Bob", None]


def test_the_table_that_is_prescribed_gives_the_rows(shop: Source) -> None:
    assembly, rows = read("Is the amount correlated with the age?", shop, "buyer")
    assert (assembly.base.name, len(rows.rows)) == ("buyer", 3)
    assembly, rows = read("Do the ages differ between towns?", shop, "sale")
    assert (assembly.base.name, len(rows.rows)) == ("sale", 4)


def test_a_table_that_two_ways_lead_to_is_not_brought_in_and_that_is_told(shop: Source) -> None:
    question = "Are the goals of a match correlated with the height?"
    assembly, _ = read(question, shop)
    assert (assembly.base.name, assembly.brought) == ("match", {})
    assert "height of the table town" in doubt(question, [shop], assembly)


def test_keys_of_several_columns_are_compared_whole(shop: Source) -> None:
    assembly, rows = read("Do the cents differ by colour?", shop)
    assert (assembly.base.name, column(rows, "cents")) == ("label", [90, 80, 80])


@pytest.mark.parametrize("most", [100, 2])
def test_a_key_that_repeats_leaves_the_rows_alone_and_is_told(
    most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "LIMITS", Limits(rows=most))
    connection = sqlite3.connect(tmp_path / "odd.sqlite")
    connection.executescript(
        "CREATE TABLE kind (code TEXT, weight REAL); CREATE TABLE item (code TEXT REFERENCES kind(code), size REAL);"
        "INSERT INTO kind VALUES ('a', 1), ('a', 2); INSERT INTO item VALUES ('a', 3), ('a', 4);"
    )
    connection.close()
    (source,) = open_sources([str(tmp_path / "odd.sqlite")])
    _, assembly = choose("Is the size of an item correlated with its weight?", [source])
    assert list(assembly.brought) == ["kind"]
    rows, used, why = load(source, assembly)
    assert (len(rows.rows), used.brought, why) == (2, {}, "kind was left out: what seems to be its key repeats.")


def test_likely_keys_of_files_join_as_well(tmp_path: Path) -> None:
    (tmp_path / "pupils.csv").write_text("pupil_id,school_id,mark\n1,7,2.0\n2,8,3.0\n3,7,1.0\n")
    (tmp_path / "schools.csv").write_text("school_id,pupil money\n7,100\n8,200\n")
    (source,) = open_sources([str(tmp_path)])
    assembly, rows = read("Is the mark correlated with the pupil money?", source)
    assert (assembly.base.name, column(rows, "pupil money")) == ("pupils", [100, 200, 100])
