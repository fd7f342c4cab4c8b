from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from querist.errors import ConfigError, UsageError
from querist.evaluate.golden import read_golden
from querist.evaluate.question import Budget, ExpectSql, ExpectStatus, ExpectTable, ExpectValue
from querist.evaluate.score import mark_all

EXAMPLES = Path(__file__).parents[2] / "examples"
FULL = """\
data: [lights.sqlite, "postgresql://host/db"]
questions:
  - question: How many lighthouses are there?
    sql: SELECT count(*) FROM lighthouse
    tags: smoke
  - question: How many lighthouses are there?
    sql: [SELECT 5, SELECT count(*) FROM lighthouse]
    source: lights
    ordered: true
  - id: rows
    question: Which stand where?
    table: [[Skarv, north], [2024-05-01, null]]
    data: other.csv
  - question: How high is the highest?
    value: 42.25
    tolerance: 0.5
    note: in metres
    budget: {seconds: 3, tokens: 900}
  - question: Who paints them?
    expect: refuse
  - question: Which is the best?
    expect: clarify
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "golden.yaml"
    path.write_text(text)
    return path


def test_every_kind_of_question_is_read(tmp_path: Path) -> None:
    count, again, rows, value, refused, unclear = read_golden(write(tmp_path, FULL))
    assert count.expected == ExpectSql(("SELECT count(*) FROM lighthouse",))
    assert count.data == (str(tmp_path / "lights.sqlite"), "postgresql://host/db")
    assert count.tags == ("smoke",)
    assert count.place.endswith("golden.yaml:3")
    assert again.expected == ExpectSql(("SELECT 5", "SELECT count(*) FROM lighthouse"), "lights")
    assert again.ordered is True
    assert rows.expected == ExpectTable((("Skarv", "north"), (dt.date(2024, 5, 1), None)))
    assert rows.data == (str(tmp_path / "other.csv"),)
    assert value.expected == ExpectValue(42.25, 0.5)
    assert (value.note, value.budget) == ("in metres", Budget(3, 900))
    assert refused.expected == ExpectStatus("refused")
    assert unclear.expected == ExpectStatus("needs_clarification")


def test_questions_without_an_id_are_named_after_their_words(tmp_path: Path) -> None:
    ids = [question.id for question in read_golden(write(tmp_path, FULL))]
    assert ids[:3] == ["how-many-lighthouses-are-there", "how-many-lighthouses-are-there-2", "rows"]


def test_an_expected_null_is_a_value(tmp_path: Path) -> None:
    (question,) = read_golden(write(tmp_path, "data: x.csv\nquestions:\n  - question: What?\n    value: null\n"))
    assert question.expected == ExpectValue(None)


HEAD = "data: x.csv\nquestions:\n"


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        (HEAD + "  - question: A?\n    sql: SELECT 1\n    tag: x\n", "5:5", "unknown key 'tag' in 'questions[0]'"),
        (HEAD + "  - question: A?\n", "3:5", "exactly one of sql, table, value, expect is needed"),
        (HEAD + "  - question: A?\n    sql: SELECT 1\n    value: 2\n", "3:5", "it has sql and value"),
        (HEAD + "  - sql: SELECT 1\n", "3:5", "the 'question' of question 1 is missing"),
        (HEAD + "  - question: A?\n    expect: no\n", "4:13", "must be 'refuse' or 'clarify'"),
        (HEAD + "  - question: A?\n    value: {a: 1}\n", "4:12", "must be one value"),
        (HEAD + "  - question: A?\n    table: [[1, 2], [1]]\n", "3:5", "differ in their number of values"),
        (HEAD + "  - question: A?\n    sql: SELECT 1\n    tolerance: 1\n", "3:5", "'tolerance' needs 'value'"),
        (HEAD + "  - question: A?\n    value: 1\n    budget: {seconds: -1}\n", "5:23", "must be greater than 0"),
        (HEAD + "  - question: A?\n    value: 1\n    budget: {second: 1}\n", "5:14", "unknown key 'second'"),
        ("questions:\n  - question: A?\n    value: 1\n", "2:5", "question 1 is about no data"),
        (HEAD + "  - {question: A?, value: 1, id: a}\n  - {question: B?, value: 1, id: a}\n", "4:34", "there twice"),
        ("data: x.csv\n", "", "there are no questions in it"),
        (HEAD + "  - question: A?\n   sql: SELECT 1\n", "4:4", "is not YAML"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str, place: str, told: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        read_golden(path)
    assert told in caught.value.message
    assert caught.value.message.startswith(f"{path}:{place}" if place else str(path))


def test_an_unknown_key_is_told_with_the_nearest_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read_golden(write(tmp_path, HEAD + "  - question: A?\n    sqll: SELECT 1\n    value: 1\n"))
    assert "Did you mean 'sql'?" in caught.value.hint


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read_golden(write(tmp_path, HEAD + "  - question: A?\n  - question: B?\n    value: 1\n    no: 2\n"))
    assert "There are 2 mistakes in" in caught.value.message


def test_a_file_that_is_not_there_is_a_mistake_of_the_call(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no golden file"):
        read_golden(tmp_path / "none.yaml")


def test_the_examples_are_right_by_their_own_queries() -> None:
    """What is expected as a value or as rows is what a query written by hand gives."""
    from querist.evaluate.prediction import Prediction

    by_hand = {
        "how-many-pages-has-the-longest-book": "SELECT max(pages) FROM books",
        "open-fines": "SELECT sum(cents) / 100.0 FROM fines WHERE paid_on IS NULL",
        "books-by-branch": "SELECT count(*), name FROM books JOIN branches USING (branch_id) GROUP BY name",
    }
    questions = read_golden(EXAMPLES / "golden.yaml")
    predictions = [
        Prediction(id=q.id, sql=q.expected.queries[0] if isinstance(q.expected, ExpectSql) else by_hand[str(q.id)])
        for q in questions
    ]
    marked = mark_all(questions, predictions)
    assert len(marked) == len(questions)
    assert [p.id for p in marked if not p.right] == []
