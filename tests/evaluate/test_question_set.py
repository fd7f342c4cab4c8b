from __future__ import annotations

from pathlib import Path

import pytest

from querist.errors import SourceNotFoundError, UsageError
from querist.evaluate.question import ExpectNamed, ExpectSql
from querist.evaluate.question_set import read_question_set, select


def test_a_set_is_read_with_its_notes_and_its_kinds_of_expectation(question_set: Path) -> None:
    many, north, high = read_question_set(question_set)
    assert many.data == (str(question_set / "databases" / "lights.sqlite"),)
    assert north.note == "coasts are written in small letters"
    assert north.hardness == "hard"
    assert high.id == 3
    assert high.expected == ExpectSql(("SELECT height FROM lighthouse ORDER BY 1 DESC",))


def test_data_may_be_files_by_name_and_values_expected_by_name(question_set: Path) -> None:
    (question_set / "databases" / "ships.csv").write_text("ship,tons\nAnna,12\n")
    line = (
        '{"id": "x", "db": "ships.csv", "question": "How heavy?", "constraints": "Round it.", "format": "@t[t]", '
        '"answers": [["t", "12"]]}'
    )
    (question_set / "questions.jsonl").write_text(line + "\n")
    (question,) = read_question_set(question_set)
    assert question.expected == ExpectNamed((("t", "12"),))
    assert question.note == "Round it.\n@t[t]"
    assert question.data[0].endswith("ships.csv")


def test_a_question_may_hold_signs_that_end_lines_elsewhere(question_set: Path) -> None:
    line = '{"id": 1, "db": "lights", "question": "How\u2028many\x85?", "gold": "SELECT 1"}'
    (question_set / "questions.jsonl").write_text(line + "\r\n", encoding="utf-8")
    assert [question.question for question in read_question_set(question_set)] == ["How\u2028many\x85?"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("no json", r"questions\.jsonl:1: the line is not right"),
        ('{"id": 1, "db": "lights", "gold": ["SELECT 1"]}', r":1: question is not right: Field required"),
        ('{"id": "\udcff"}', r":1: the line is not right"),
        ('{"id": 1, "db": "lights", "question": "?"}', "says neither `gold` nor `answers`"),
    ],
)
def test_a_line_that_is_no_question_is_told_with_its_place(question_set: Path, line: str, told: str) -> None:
    (question_set / "questions.jsonl").write_text(line + "\n", encoding="utf-8", errors="surrogateescape")
    with pytest.raises(UsageError, match=told):
        read_question_set(question_set)


def test_a_folder_without_questions_and_a_missing_database_are_told(question_set: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There are no questions in"):
        read_question_set(tmp_path)
    (question_set / "databases" / "lights.sqlite").unlink()
    with pytest.raises(SourceNotFoundError, match="there is no 'lights'"):
        read_question_set(question_set)


def test_a_quick_run_spreads_over_the_set() -> None:
    assert select(range(10), 4) == [0, 2, 5, 7]
    assert select(range(3), 10) == [0, 1, 2]
    assert select(range(3), None) == [0, 1, 2]
