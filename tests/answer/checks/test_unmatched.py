from __future__ import annotations

import pytest

from tests.answer.checks.conftest import Data, MakeData
from tests.answer.checks.test_repeats import MILL


@pytest.fixture
def mill(sqlite: MakeData) -> Data:
    return sqlite(MILL)


def test_groups_that_a_join_drops_are_a_warning_when_each_is_asked_for(mill: Data) -> None:
    sql = "SELECT g.id, count(*) FROM grower g JOIN delivery d ON d.grower_id = g.id GROUP BY g.id"
    found = mill.judge(sql, "How many deliveries did each grower make?")["groups_lost"]
    assert found.outcome == "warned"
    assert "1 value of grower.id with no match in delivery is left out" in found.message


@pytest.mark.parametrize("join", ["JOIN", "LEFT JOIN"])
def test_a_condition_on_the_matches_drops_groups_too(mill: Data, join: str) -> None:
    sql = f"SELECT g.id, count(d.id) FROM grower g {join} delivery d ON d.grower_id = g.id WHERE {{}} GROUP BY g.id"
    found = mill.judge(sql.format("d.crop = 'oats'"), "How many deliveries of oats did each grower make?")[
        "groups_lost"
    ]
    assert found.outcome == "warned"
    assert "3 values of grower.id with no match in delivery are left out" in found.message
    passed = mill.judge(sql.format("d.kilos > 50 AND g.id < 4"), "Large deliveries of each grower below 4?")
    assert passed["groups_lost"].outcome == "passed"


def test_no_group_is_lost_where_all_match(mill: Data) -> None:
    sql = "SELECT g.valley, count(*) FROM grower g JOIN delivery d ON d.grower_id = g.id GROUP BY g.valley"
    assert mill.judge(sql, "Deliveries for the valley of each grower?")["groups_lost"].outcome == "passed"
    sql = "SELECT g.id, count(*) FROM grower g JOIN delivery d ON d.grower_id = g.id WHERE g.id < 4 GROUP BY g.id"
    assert mill.judge(sql, "Deliveries of each grower numbered below 4?")["groups_lost"].outcome == "passed"


@pytest.mark.parametrize(
    ("join", "question"),
    [
        ("JOIN", "Which valleys delivered most?"),
        ("JOIN", "Deliveries for each grower who has any"),
        ("LEFT JOIN", "How many deliveries did each grower make?"),
    ],
)
def test_groups_may_be_missing_where_not_each_is_asked_for(mill: Data, join: str, question: str) -> None:
    sql = f"SELECT g.id, count(d.id) FROM grower g {join} delivery d ON d.grower_id = g.id GROUP BY g.id"
    assert "groups_lost" not in mill.judge(sql, question)


def test_groups_lost_are_judged_on_other_engines_too(duck: MakeData) -> None:
    sql = "SELECT g.id, count(*) FROM grower g JOIN delivery d ON d.grower_id = g.id GROUP BY g.id"
    assert duck(MILL).judge(sql, "Number of deliveries for every grower")["groups_lost"].outcome == "warned"


LEFT = "FROM grower g LEFT JOIN delivery d ON d.grower_id = g.id"


@pytest.mark.parametrize(
    ("sql", "question"),
    [
        (f"SELECT g.name, count(*) {LEFT} GROUP BY g.id", ""),
        (f"SELECT g.name, count(g.id) AS n {LEFT} GROUP BY g.id ORDER BY n", ""),
        (f"SELECT g.valley, count(*) {LEFT} GROUP BY g.valley", "How many deliveries are there for each valley?"),
        (f"SELECT g.name {LEFT} GROUP BY g.id HAVING count(*) <= 1", "Which growers have at most one delivery?"),
    ],
)
def test_no_match_that_counts_as_one_is_to_be_mended(mill: Data, sql: str, question: str) -> None:
    found = mill.judge(sql, question)["unmatched_counted"]
    assert found.outcome == "failed"
    assert 'COUNT(d."grower_id") counts 0 there' in found.message


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT g.name, count(*) {LEFT} WHERE g.id < 4 GROUP BY g.id",
        f"SELECT g.name, count(*) {LEFT} AND d.kilos > 0 WHERE d.id IS NOT NULL GROUP BY g.id",
    ],
)
def test_a_count_where_all_match_passes(mill: Data, sql: str) -> None:
    assert mill.judge(sql)["unmatched_counted"].outcome == "passed"


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT g.name, count(d.id) {LEFT} GROUP BY g.id",
        f"SELECT g.valley, count(*) {LEFT} GROUP BY g.valley",
        f"SELECT count(*) {LEFT}",
        "SELECT g.name, count(*) FROM grower g JOIN delivery d ON d.grower_id = g.id GROUP BY g.id",
    ],
)
def test_a_count_of_matches_or_of_rows_that_may_lack_one_is_let_be(mill: Data, sql: str) -> None:
    assert "unmatched_counted" not in mill.judge(sql)
