from __future__ import annotations

import pytest

from tests.answer.checks.conftest import Data, MakeData


@pytest.fixture
def herbarium(sqlite: MakeData) -> Data:
    return sqlite(
        """
        CREATE TABLE collector (id INTEGER PRIMARY KEY, name TEXT, country TEXT);
        CREATE TABLE sheet (
            id INTEGER PRIMARY KEY, genus TEXT, habitat TEXT, found_on TEXT, entered TEXT,
            collector_id INTEGER REFERENCES collector (id), checker_id INTEGER REFERENCES collector (id)
        );
        INSERT INTO collector VALUES
            (1, 'Ines Valdal', 'Norway'), (2, 'Omar Reith', 'Morocco'), (3, 'Zoe Lund', 'Norway');
        INSERT INTO sheet VALUES
            (1, 'Carex', 'bog', '2021-05-03', '14.06.2021', 1, 2),
            (2, 'Salix', 'river bank', '2021-06-11', '02.07.2021', 1, NULL),
            (3, 'Quercus', 'wood', '2022-05-20', '31.05.2022', 2, 1),
            (4, 'Carex', 'bog', '2023-07-01', '09.08.2023', 2, 1);
        """
    )


def test_an_absent_literal_is_to_be_mended_when_it_leaves_nothing(herbarium: Data) -> None:
    absent = herbarium.judge("SELECT id FROM sheet WHERE genus = 'Quercis'")["literal_absent"]
    assert absent.outcome == "failed"
    assert "sheet.genus holds no 'Quercis'; the nearest value is 'Quercus'" in absent.message


def test_a_count_of_zero_is_nothing_too(herbarium: Data) -> None:
    absent = herbarium.judge("SELECT count(*) FROM sheet WHERE habitat = 'dune'")["literal_absent"]
    assert absent.outcome == "failed"
    assert "its values are 'bog', 'river bank', 'wood'" in absent.message


def test_the_message_names_the_column_that_has_the_value(herbarium: Data) -> None:
    absent = herbarium.judge("SELECT id FROM collector WHERE name = 'Norway'")["literal_absent"]
    assert "collector.country (as 'Norway') does" in absent.message


def test_an_absent_literal_only_warns_where_rows_are_left(herbarium: Data) -> None:
    assert herbarium.judge("SELECT id FROM sheet WHERE genus <> 'carex'")["literal_absent"].outcome == "warned"


@pytest.mark.parametrize(
    "condition",
    [
        "genus = 'Carex'",
        "genus IN ('carex', 'Carex')",
        "genus = 'Karex' OR genus = 'Carex'",
        "lower(genus) = 'carex'",
        "genus LIKE 'carex'",
        "trim(genus) = 'Salix'",
    ],
)
def test_a_literal_that_the_column_holds_passes(herbarium: Data, condition: str) -> None:
    assert herbarium.judge(f"SELECT id FROM sheet WHERE {condition}")["literal_absent"].outcome == "passed"


@pytest.mark.parametrize("condition", ["genus LIKE 'Foo%'", "genus = ''", "id = 77"])
def test_what_is_no_whole_text_is_not_looked_up(herbarium: Data, condition: str) -> None:
    assert "literal_absent" not in herbarium.judge(f"SELECT id FROM sheet WHERE {condition}")


@pytest.mark.parametrize("condition", ["found_on > '05/01/2022'", "entered = '2021-06-14'", "found_on = '3 May 2021'"])
def test_a_date_in_another_form_than_its_column_is_to_be_mended(herbarium: Data, condition: str) -> None:
    found = herbarium.judge(f"SELECT id FROM sheet WHERE {condition}")["date_literal"]
    assert found.outcome == "failed"
    assert "is not written like that" in found.message


@pytest.mark.parametrize(
    "condition",
    [
        "found_on > '2022-01-01'",
        "found_on BETWEEN '2021' AND '2022'",
        "entered = '14.06.2021'",
        "found_on < '2022-05-20 12:00'",
    ],
)
def test_a_date_in_the_form_of_its_column_passes(herbarium: Data, condition: str) -> None:
    assert herbarium.judge(f"SELECT id FROM sheet WHERE {condition}")["date_literal"].outcome == "passed"


def test_not_in_over_a_null_is_to_be_mended(herbarium: Data) -> None:
    sql = "SELECT name FROM collector WHERE id NOT IN (SELECT checker_id FROM sheet{})"
    found = herbarium.judge(sql.format(""))["null_in_not_in"]
    assert found.outcome == "failed"
    assert "checker_id IS NOT NULL" in found.message
    kept = herbarium.judge(sql.format(" WHERE checker_id IS NOT NULL"))
    assert kept["null_in_not_in"].outcome == "passed"


def test_not_in_over_a_column_without_nulls_needs_no_probe(herbarium: Data) -> None:
    checks = herbarium.judge("SELECT name FROM collector WHERE id NOT IN (SELECT collector_id FROM sheet)")
    assert checks["null_in_not_in"].outcome == "passed"
    assert herbarium.probes == []


def test_not_in_over_a_column_that_a_left_join_leaves_empty_is_to_be_mended(herbarium: Data) -> None:
    query = "SELECT s.collector_id FROM collector AS c LEFT JOIN sheet AS s ON s.collector_id = c.id"
    found = herbarium.judge(f"SELECT name FROM collector WHERE id NOT IN ({query})")["null_in_not_in"]
    assert found.outcome == "failed"


def test_not_in_over_a_common_table_expression_is_probed_with_it(herbarium: Data) -> None:
    found = herbarium.judge(
        "WITH checked AS (SELECT checker_id AS who FROM sheet) "
        "SELECT name FROM collector WHERE id NOT IN (SELECT who FROM checked)"
    )
    assert found["null_in_not_in"].outcome == "failed"


@pytest.mark.parametrize(
    "condition",
    ["checker_id <> 2", "NOT checker_id = 2", "checker_id NOT IN (2, 3)", "checker_id NOT BETWEEN 2 AND 3"],
)
def test_a_negation_that_leaves_out_the_unknown_is_a_warning(herbarium: Data, condition: str) -> None:
    found = herbarium.judge(f"SELECT id FROM sheet WHERE {condition} AND id > 0")["null_in_negation"]
    assert found.outcome == "warned"
    assert "leaves out 1 row where sheet.checker_id is empty" in found.message


@pytest.mark.parametrize("condition", ["checker_id <> 2 AND id <> 2", "genus NOT LIKE 'C%'", "NOT (found_on = '2022')"])
def test_a_negation_where_all_is_known_passes(herbarium: Data, condition: str) -> None:
    assert herbarium.judge(f"SELECT id FROM sheet WHERE {condition}")["null_in_negation"].outcome == "passed"


@pytest.mark.parametrize("condition", ["checker_id <> 2 AND checker_id IS NOT NULL", "checker_id = 1"])
def test_a_condition_that_speaks_of_the_unknown_or_denies_nothing_is_let_be(herbarium: Data, condition: str) -> None:
    assert "null_in_negation" not in herbarium.judge(f"SELECT id FROM sheet WHERE {condition}")
