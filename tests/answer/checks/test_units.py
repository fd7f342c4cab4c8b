from __future__ import annotations

import pytest

from tests.answer.checks.conftest import Data, MakeData


@pytest.fixture
def stores(sqlite: MakeData) -> Data:
    return sqlite(
        """
        CREATE TABLE intake (
            id INTEGER PRIMARY KEY, item TEXT, quantity REAL, unit TEXT, price REAL, currency TEXT, bags INTEGER,
            gross_kg REAL, tare_lb REAL, tare_kg REAL, team TEXT, team_unit TEXT
        );
        INSERT INTO intake VALUES
            (1, 'flour', 20, 'kg', 12, 'EUR', 1, 21, 2.2, 1, 'a', 'Unit East'),
            (2, 'milk', 8, 'l', 9, 'EUR', 2, 9, 2.2, 1, 'b', 'Unit West'),
            (3, 'flour', 5, 'lb', 4, 'USD', 3, 6, 2.2, 1, 'a', 'Unit East');
        """
    )


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT sum(quantity) FROM intake",
        "SELECT avg(price) FROM intake",
        "SELECT item, sum(quantity) FROM intake GROUP BY item",
    ],
)
def test_figures_in_several_units_added_up_are_a_warning(stores: Data, sql: str) -> None:
    found = stores.judge(sql)["unit_mixture"]
    assert found.outcome == "warned"
    assert "mixes units" in found.message


def test_rows_of_one_unit_pass(stores: Data) -> None:
    assert stores.judge("SELECT sum(quantity) FROM intake WHERE item = 'milk'")["unit_mixture"].outcome == "passed"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT unit, sum(quantity) FROM intake GROUP BY unit",
        "SELECT sum(quantity) FROM intake WHERE unit = 'kg'",
        "SELECT sum(CASE unit WHEN 'lb' THEN quantity * 0.45 ELSE quantity END) FROM intake",
    ],
)
def test_a_query_that_looks_at_the_unit_is_let_be(stores: Data, sql: str) -> None:
    assert stores.judge(sql).get("unit_mixture") is None or stores.judge(sql)["unit_mixture"].outcome == "passed"


@pytest.mark.parametrize("sql", ["SELECT sum(bags) FROM intake", "SELECT count(quantity) FROM intake"])
def test_figures_without_a_unit_are_let_be(stores: Data, sql: str) -> None:
    assert "unit_mixture" not in stores.judge(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT gross_kg - tare_lb FROM intake",
        "SELECT sum(gross_kg) + sum(tare_lb) FROM intake",
        "SELECT item FROM intake WHERE tare_kg < tare_lb",
    ],
)
def test_arithmetic_or_a_comparison_between_units_is_a_warning(stores: Data, sql: str) -> None:
    assert "kg and lb" in stores.judge(sql)["unit_mixture"].message


def test_arithmetic_within_a_unit_passes(stores: Data) -> None:
    assert stores.judge("SELECT gross_kg - tare_kg FROM intake")["unit_mixture"].outcome == "passed"
    assert "unit_mixture" not in stores.judge("SELECT gross_kg - tare_lb * 0.4536 FROM intake")
