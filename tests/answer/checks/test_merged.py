from __future__ import annotations

import pytest

from tests.answer.checks.conftest import Data, MakeData
from tests.answer.checks.test_repeats import MILL


@pytest.fixture
def mill(sqlite: MakeData) -> Data:
    return sqlite(MILL)


DELIVERIES = "FROM grower g JOIN delivery d ON d.grower_id = g.id"
TWO_BELAS = """
    INSERT INTO delivery VALUES (5, 4, 'rye', 50, 10);
"""


@pytest.fixture
def namesakes(sqlite: MakeData) -> Data:
    return sqlite(MILL + TWO_BELAS)


@pytest.mark.parametrize(
    ("sql", "question"),
    [
        (f"SELECT g.name, sum(d.kilos) {DELIVERIES} GROUP BY g.name", "How many kilos did each grower bring?"),
        (
            f"SELECT g.name {DELIVERIES} GROUP BY g.name ORDER BY count(*) DESC LIMIT 1",
            "Which grower came most often?",
        ),
        (f"SELECT count(DISTINCT g.name) {DELIVERIES}", "How many growers delivered something?"),
        ("SELECT valley, count(DISTINCT name) FROM grower GROUP BY valley", "How many growers are in each valley?"),
    ],
)
def test_different_things_of_one_name_that_are_taken_together_are_a_warning(
    namesakes: Data, sql: str, question: str
) -> None:
    found = namesakes.judge(sql, question)["namesakes"].outcome
    assert found == ("passed" if "valley" in sql else "warned")


@pytest.mark.parametrize(
    ("sql", "question"),
    [
        (f"SELECT g.name, sum(d.kilos) {DELIVERIES} GROUP BY g.id", "How many kilos did each grower bring?"),
        (f"SELECT g.valley, sum(d.kilos) {DELIVERIES} GROUP BY g.valley", "How many kilos came from growers' valleys?"),
        ("SELECT name, count(*) FROM grower GROUP BY name", "How many growers are there of each name?"),
        ("SELECT count(DISTINCT name) FROM grower", "How many different names do growers have?"),
        (f"SELECT g.name, sum(d.kilos) {DELIVERIES} GROUP BY g.name", "How many kilos came under each name?"),
    ],
)
def test_names_that_are_asked_for_are_let_be(namesakes: Data, sql: str, question: str) -> None:
    assert "namesakes" not in namesakes.judge(sql, question)


def test_names_that_differ_pass(mill: Data) -> None:
    sql = f"SELECT g.name, sum(d.kilos) {DELIVERIES} GROUP BY g.name"
    assert mill.judge(sql, "How many kilos did each grower bring?")["namesakes"].outcome == "passed"


def test_equal_figures_that_are_added_once_are_a_warning(namesakes: Data) -> None:
    found = namesakes.judge(f"SELECT sum(DISTINCT d.freight) {DELIVERIES}")["equal_figures"]
    assert found.outcome == "warned"
    assert namesakes.judge(f"SELECT sum(DISTINCT g.debt) {DELIVERIES}")["equal_figures"].outcome == "passed"


@pytest.mark.parametrize(("union", "outcome"), [("UNION", "warned"), ("UNION ALL", None)])
def test_a_union_that_drops_what_is_to_be_added_is_a_warning(mill: Data, union: str, outcome: str | None) -> None:
    sql = f"SELECT sum(n) FROM (SELECT debt AS n FROM grower {union} SELECT kilos FROM delivery) AS both"
    found = mill.judge(sql).get("equal_figures")
    assert (found.outcome if found else None) == outcome
