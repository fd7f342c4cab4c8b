from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from querist.evaluate.prediction import Mark, Prediction
from querist.evaluate.question import (
    Budget,
    Expected,
    ExpectNamed,
    ExpectSql,
    ExpectStatus,
    ExpectTable,
    ExpectValue,
    GoldenQuestion,
)
from querist.evaluate.score import Scorer, mark_all
from querist.sources.base import Limits
from tests.evaluate.conftest import make_database

ANY = Budget()
NORTH = "SELECT name FROM lighthouse WHERE coast = 'north'"


def mark(
    lights: Path,
    expected: Expected,
    sql: str | None,
    *,
    ordered: bool | None = None,
    budget: Budget = ANY,
    **prediction: object,
) -> Mark:
    question = GoldenQuestion("q", "?", (str(lights),), expected, ordered=ordered, budget=budget)
    with Scorer() as scorer:
        marked = scorer.mark(question, Prediction.model_validate({"id": "q", "sql": sql, **prediction}))
    assert marked.mark is not None
    return marked.mark


def test_a_query_is_right_when_it_gives_the_rows_of_an_accepted_one(lights: Path) -> None:
    expected = ExpectSql(("SELECT 'x'", NORTH))
    right = mark(lights, expected, "SELECT name FROM lighthouse WHERE id < 3 ORDER BY 1 DESC")
    assert right.right
    assert right.expected is not None
    assert right.expected.rows == (("Skarv",), ("Terne",))
    wrong = mark(lights, expected, "SELECT name FROM lighthouse")
    assert (wrong.right, wrong.reason) == (False, "expected 1 row, got 5")


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT name, id FROM lighthouse WHERE id < 3", "expected 1 column, got 2"),
        ("SELECT name FROM lighthouse WHERE id > 3", "other values than expected"),
        ("SELECT nam FROM lighthouse", "its query gives no result: no such column: nam"),
        (None, "no query was made (status unverified)"),
    ],
)
def test_why_an_answer_is_wrong_is_said(lights: Path, sql: str | None, reason: str) -> None:
    assert mark(lights, ExpectSql((NORTH,)), sql).reason == reason


def test_the_order_of_rows_counts_where_the_expected_query_orders_them_or_the_question_says_so(lights: Path) -> None:
    up, down = "SELECT name FROM lighthouse ORDER BY 1", "SELECT name FROM lighthouse ORDER BY 1 DESC"
    wrong = mark(lights, ExpectSql((up,)), down)
    assert wrong.reason == "the right rows in the wrong order"
    assert mark(lights, ExpectSql((up,)), down, ordered=False).right
    assert mark(lights, ExpectSql(("SELECT name FROM lighthouse",)), down).right
    assert not mark(lights, ExpectTable((("Terne",), ("Skarv",))), NORTH, ordered=True).right
    assert mark(lights, ExpectTable((("Terne",), ("Skarv",))), NORTH).right


def test_an_expected_query_that_fails_makes_nothing_right(lights: Path) -> None:
    failed = mark(lights, ExpectSql(("SELECT x FROM nowhere",)), NORTH)
    assert not failed.right
    assert failed.reason == "the expected query gives no result: no such table: nowhere"


def test_one_value_is_compared_within_its_tolerance(lights: Path) -> None:
    average = "SELECT avg(height) FROM lighthouse"
    assert mark(lights, ExpectValue(31.6), average).right
    assert mark(lights, ExpectValue(31.5, 0.2), average).right
    assert mark(lights, ExpectValue(31.5, 0.05), average).reason == "expected 31.5 ± 0.05, got 31.6"
    assert mark(lights, ExpectValue(2), NORTH).reason == "expected 2, got 2 rows of 1 column"


def test_named_values_are_found_by_name_or_by_place(lights: Path) -> None:
    expected = ExpectNamed((("mean_height", "31.6"), ("coasts", "3")))
    assert mark(lights, expected, "SELECT count(DISTINCT coast) AS coasts, 31.64 AS mean_height FROM lighthouse").right
    assert mark(lights, expected, "SELECT 31.6, 3").right
    assert mark(lights, expected, "SELECT 31.7, 3").reason == "expected mean_height = 31.6, got 31.7"
    assert not mark(lights, expected, "SELECT 31.6").right


def test_a_refusal_is_right_where_it_is_expected(lights: Path) -> None:
    assert mark(lights, ExpectStatus("refused"), None, status="refused").right
    wrong = mark(lights, ExpectStatus("refused"), NORTH, status="agreed")
    assert wrong.reason == "expected a refusal, got an answer that is agreed"
    assert not mark(lights, ExpectStatus("refused"), None, status="failed").right
    assert mark(lights, ExpectStatus("needs_clarification"), None, status="needs_clarification").right


def test_a_right_answer_over_its_budget_has_not_passed(lights: Path) -> None:
    budget = Budget(seconds=2, tokens=100)
    dear = mark(lights, ExpectSql((NORTH,)), NORTH, budget=budget, seconds=2.5, tokens_in=90, tokens_out=20)
    assert dear.right
    assert not dear.passed
    assert dear.over_budget == ("took 2.5 s of 2 s", "took 110 tokens of 100")
    assert mark(lights, ExpectSql((NORTH,)), NORTH, budget=budget, seconds=1, tokens_in=9, tokens_out=2).passed


def test_nothing_that_is_marked_can_write(lights: Path) -> None:
    before = lights.read_bytes()
    assert not mark(lights, ExpectSql((NORTH,)), "DELETE FROM lighthouse").right
    assert lights.read_bytes() == before


def test_a_result_that_is_cut_is_not_compared(lights: Path) -> None:
    question = GoldenQuestion("q", "?", (str(lights),), ExpectSql(("SELECT name FROM lighthouse",)))
    with Scorer(Limits(rows=3)) as scorer:
        marked = scorer.mark(question, Prediction(id="q", sql="SELECT name FROM lighthouse"))
    assert marked.mark is not None
    assert not marked.right
    assert "3 rows" in marked.mark.reason


def test_of_several_sources_the_one_that_was_asked_is_taken(lights: Path, tmp_path: Path) -> None:
    table = tmp_path / "ships.csv"
    table.write_text("name\nSkarv\nTerne\n")
    question = GoldenQuestion("q", "?", (str(lights), str(table)), ExpectSql((NORTH,), "lights"))
    with Scorer() as scorer:
        assert scorer.mark(question, Prediction(id="q", sql="SELECT name FROM ships")).right


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """The database without its first lighthouse."""
    path = make_database(tmp_path / "other.sqlite")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM lighthouse WHERE name = 'Skarv'")
    return path


def test_a_query_is_marked_on_the_source_that_it_was_made_for(lights: Path, other: Path) -> None:
    question = GoldenQuestion("q", "?", (str(lights), str(other)), ExpectSql((NORTH,), "lights"))
    with Scorer() as scorer:
        marked = [scorer.mark(question, Prediction(id="q", sql=NORTH, source=name)) for name in ("lights", "other")]
    assert [prediction.right for prediction in marked] == [True, False]


def test_what_was_expected_of_other_data_is_forgotten(lights: Path, other: Path) -> None:
    with Scorer() as scorer:
        for path, count in ((lights, 5), (other, 4)):
            question = GoldenQuestion("q", "?", (str(path),), ExpectSql(("SELECT count(*) FROM lighthouse",)))
            assert scorer.mark(question, Prediction(id="q", sql=f"SELECT {count}")).right


def test_a_file_of_predictions_is_marked_question_by_question(lights: Path) -> None:
    questions = [GoldenQuestion(id, "?", (str(lights),), ExpectSql((NORTH,)), tags=("a",)) for id in ("x", "y", "z")]
    predictions = [
        Prediction(id="y", sql="SELECT 1", question="?"),
        Prediction(id="x", sql=NORTH),
        Prediction(id="other", sql=NORTH),
        Prediction(id="z", sql=NORTH, question="A question of another set?"),
    ]
    marked = mark_all(questions, predictions)
    assert [(p.id, p.right) for p in marked] == [("x", True), ("y", False)]
    assert marked[0].mark is not None
    assert marked[0].mark.tags == ("a",)
