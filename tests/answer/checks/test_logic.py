from __future__ import annotations

import pytest

from tests.answer.checks.conftest import Data, MakeData


@pytest.fixture
def bakery(sqlite: MakeData) -> Data:
    return sqlite(
        """
        CREATE TABLE baker (id INTEGER PRIMARY KEY, name TEXT);
        CREATE TABLE loaf (id INTEGER PRIMARY KEY, baker_id INTEGER REFERENCES baker (id), flour TEXT);
        INSERT INTO baker VALUES (1, 'Ann'), (2, 'Bo'), (3, 'Cy');
        INSERT INTO loaf VALUES (1, 1, 'rye'), (2, 1, 'spelt'), (3, 2, 'spelt');
        """
    )


JOIN = "SELECT DISTINCT baker.name FROM baker JOIN loaf ON loaf.baker_id = baker.id WHERE"


def outcome(data: Data, name: str, sql: str, question: str) -> str | None:
    found = data.judge(sql, question).get(name)
    return found.outcome if found else None


def test_having_another_is_not_having_none(bakery: Data) -> None:
    question = "Which bakers do not bake with rye?"
    for other in ("loaf.flour <> 'rye'", "loaf.flour NOT IN ('rye')", "NOT loaf.flour LIKE 'rye' GROUP BY baker.name"):
        assert outcome(bakery, "none_as_another", f"{JOIN} {other}", question) == "failed"
    for without in ("Which bakers have no loaf that is of rye?", "Who has a loaf that is old but not of rye?"):
        assert outcome(bakery, "none_as_another", f"{JOIN} loaf.flour <> 'rye'", without) == "failed"
    right = "SELECT name FROM baker WHERE id NOT IN (SELECT baker_id FROM loaf WHERE flour = 'rye')"
    assert outcome(bakery, "none_as_another", right, question) != "failed"


@pytest.mark.parametrize(
    ("sql", "question"),
    [
        (f"{JOIN} loaf.flour <> 'rye'", "Which bakers bake with something else than rye?"),
        (f"{JOIN} loaf.flour <> 'rye'", "Which bakers have a loaf that isn't of rye?"),
        ("SELECT id FROM loaf WHERE flour <> 'rye'", "Which loaves are not of rye?"),
        (
            "SELECT loaf.id FROM loaf JOIN baker ON loaf.baker_id = baker.id WHERE baker.name <> 'Ann'",
            "Loaves not by Ann",
        ),
    ],
)
def test_other_inequalities_pass(bakery: Data, sql: str, question: str) -> None:
    assert outcome(bakery, "none_as_another", sql, question) != "failed"


@pytest.mark.parametrize(
    "either",
    [
        "loaf.flour IN ('rye', 'spelt')",
        "loaf.flour IN ('rye', 'spelt') GROUP BY baker.name",
        "loaf.flour = 'rye' OR loaf.flour = 'spelt'",
        "loaf.flour LIKE 'rye%' OR loaf.flour LIKE 'spelt%'",
    ],
)
def test_either_is_not_both(bakery: Data, either: str) -> None:
    question = "Which bakers bake with both rye and spelt?"
    assert outcome(bakery, "both_as_either", f"{JOIN} {either}", question) == "failed"
    assert outcome(bakery, "both_as_either", f"{JOIN} {either}", "Which bakers bake with rye or spelt?") is None


@pytest.mark.parametrize("either", ["loaf.flour IN ('rye', 'spelt')", "loaf.flour = 'rye' OR loaf.flour = 'spelt'"])
def test_both_of_something_else_passes(bakery: Data, either: str) -> None:
    sql = f"SELECT baker.id, baker.name FROM baker JOIN loaf ON loaf.baker_id = baker.id WHERE {either}"
    question = "Show both the id and the name of bakers who bake with rye or spelt."
    assert outcome(bakery, "both_as_either", sql, question) != "failed"
    of_two = "Which bakers, old or young, bake with both rye and spelt?"
    assert outcome(bakery, "both_as_either", sql, of_two) == "failed"


def test_both_by_intersection_passes(bakery: Data) -> None:
    counted = f"{JOIN} loaf.flour IN ('rye', 'spelt') GROUP BY baker.name HAVING COUNT(DISTINCT loaf.flour) = 2"
    for sql in (f"{JOIN} loaf.flour = 'rye' INTERSECT {JOIN} loaf.flour = 'spelt'", counted):
        assert outcome(bakery, "both_as_either", sql, "Which bakers bake with both rye and spelt?") is None


def test_two_values_named_together_may_mean_both(bakery: Data) -> None:
    either = f"{JOIN} loaf.flour IN ('rye', 'spelt')"
    assert outcome(bakery, "both_as_either", either, "Which bakers bake with rye and spelt?") == "warned"
    assert outcome(bakery, "both_as_either", either, "Who bakes loaves of Spelt and loaves of rye?") == "warned"
    assert outcome(bakery, "both_as_either", either, "Which bakers bake with either rye and salt or spelt?") is None


def test_rows_that_are_shown_by_what_they_refer_to_stand_for_that(bakery: Data) -> None:
    sql = "SELECT DISTINCT baker_id FROM loaf WHERE flour IN ('rye', 'spelt')"
    assert outcome(bakery, "both_as_either", sql, "Which bakers bake with both rye and spelt?") == "failed"
    assert outcome(bakery, "both_as_either", sql, "Which bakers bake with rye and spelt?") == "warned"
    loaves = sql.replace("DISTINCT baker_id", "id, baker_id")
    assert outcome(bakery, "both_as_either", loaves, "Which loaves are of both rye and spelt?") == "passed"


@pytest.mark.parametrize("question", ["Loaves of both Ann and Bo", "Loaves of Ann and Bo"])
def test_what_has_only_one_is_found_by_either(bakery: Data, question: str) -> None:
    one = "SELECT loaf.id FROM loaf JOIN baker ON loaf.baker_id = baker.id WHERE baker.name IN ('Ann', 'Bo')"
    assert outcome(bakery, "both_as_either", one, question) in (None, "passed")


def test_both_is_not_either(bakery: Data) -> None:
    question = "Which bakers are called Ann or bake with rye?"
    both = f"{JOIN} baker.name = 'Ann' AND loaf.flour = 'rye'"
    assert outcome(bakery, "either_as_both", both, question) == "failed"
    assert outcome(bakery, "either_as_both", both, "Does Ann bake with rye?") is None
    assert outcome(bakery, "either_as_both", both.replace(" AND ", " OR "), question) is None


def test_an_or_within_one_of_the_conditions_passes(bakery: Data) -> None:
    sql = f"{JOIN} baker.name = 'Ann' AND loaf.flour = 'rye'"
    assert outcome(bakery, "either_as_both", sql, "Which loaves of Ann are of rye or older than a day?") != "failed"
