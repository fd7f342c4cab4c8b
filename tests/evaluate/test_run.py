from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from querist.answer.answer import Answer, Evidence, Status, Step
from querist.errors import ModelError, ModelNotFoundError, ModelOutputError, ModelTimeoutError
from querist.evaluate.prediction import PredictionLog, read_predictions
from querist.evaluate.question import ExpectSql, ExpectValue, GoldenQuestion
from querist.evaluate.run import run
from querist.evaluate.score import mark_all
from querist.models.base import Usage
from querist.sources.table import ResultColumn, Table

Reply = str | BaseException


class Asker:
    """Answers with a query, or raises; remembers what it was told."""

    def __init__(self, reply: Callable[[str], Reply]) -> None:
        self.reply = reply
        self.asked: list[tuple[str, str, int]] = []
        self.opened: list[tuple[str, ...]] = []
        self.closed = 0
        self.number = 0

    def open(self, data: tuple[str, ...]) -> Asker:
        self.opened.append(data)
        return self

    def ask(self, question: str, *, note: str = "") -> Answer:
        self.asked.append((question, note, self.number))
        reply = self.reply(question)
        if isinstance(reply, BaseException):
            raise reply
        return Answer(
            question=question, status=Status.AGREED, text="…", sql=reply, source="lights",
            evidence=Evidence(agreement=(2, 3)), usage=Usage(2, 100, 90, 12, 1.5), model="scripted:model",
        )  # fmt: skip

    def replay(self, repeat: int) -> None:
        self.number = repeat

    def take_replayed(self) -> tuple[int, float]:
        return (2, 10.0)

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def questions(lights: Path, tmp_path: Path) -> list[GoldenQuestion]:
    ships = tmp_path / "ships.csv"
    ships.write_text("ship\nAnna\n")
    expected = ExpectSql(("SELECT 1",))
    return [
        GoldenQuestion("a", "A?", (str(lights),), expected, note="a note"),
        GoldenQuestion("b", "B?", (str(ships),), expected),
        GoldenQuestion("c", "C?", (str(lights),), expected),
    ]


def test_questions_about_the_same_data_are_asked_together(questions: list[GoldenQuestion]) -> None:
    asker = Asker(lambda question: "SELECT 1")
    seen: list[str | int] = []
    marked = run(questions, asker.open, on_each=lambda p: seen.append(p.id))
    assert [asked[:2] for asked in asker.asked] == [("A?", "a note"), ("C?", ""), ("B?", "")]
    assert asker.opened == [questions[0].data, questions[1].data]
    assert asker.closed == 2
    assert seen == ["a", "c", "b"]
    assert all(p.right for p in marked)


def test_what_an_answer_took_is_recorded(questions: list[GoldenQuestion]) -> None:
    (prediction,) = run(questions[:1], Asker(lambda question: "SELECT 2").open)
    assert (prediction.sql, prediction.status, prediction.right) == ("SELECT 2", "agreed", False)
    assert (prediction.tokens_in, prediction.tokens_cached, prediction.tokens_out) == (100, 90, 12)
    assert (prediction.model_calls, prediction.replayed, prediction.agreement) == (2, 2, (2, 3))
    assert prediction.db == "lights.sqlite"
    assert prediction.seconds == pytest.approx(prediction.measured + 10.0, abs=0.001)


def test_a_broken_run_goes_on_where_it_stopped(questions: list[GoldenQuestion], tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    broken = Asker(lambda question: KeyboardInterrupt() if question == "C?" else "SELECT 1")
    log = PredictionLog(path)
    with pytest.raises(KeyboardInterrupt):
        run(questions, broken.open, log=log)
    log.close()
    assert broken.closed == 1
    assert [p.id for p in read_predictions(path)] == ["a"]
    again = Asker(lambda question: "SELECT 1")
    log = PredictionLog(path)
    marked = run(questions, again.open, log=log)
    log.close()
    assert [asked[0] for asked in again.asked] == ["C?", "B?"]
    assert [p.id for p in marked] == ["a", "c", "b"]
    assert [p.id for p in read_predictions(path)] == ["a", "c", "b"]


@pytest.mark.parametrize(
    ("change", "setup", "asked"),
    [
        ({}, "a model", []),
        ({"expected": ExpectValue(2), "tags": ("new",)}, "a model", []),
        ({"question": "A, now?"}, "a model", ["A, now?"]),
        ({"note": "another note"}, "a model", ["A?"]),
        ({"data": ("ships.csv",)}, "a model", ["A?"]),
        ({}, "another model", ["A?", "C?", "B?"]),
    ],
    ids=["nothing", "what is expected", "words", "note", "data", "setup"],
)
def test_what_was_changed_is_asked_again(
    questions: list[GoldenQuestion],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, Any],
    setup: str,
    asked: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    log = PredictionLog(tmp_path / "p.jsonl")
    run(questions, Asker(lambda question: "SELECT 1").open, log=log, setup="a model")
    log.close()
    log = PredictionLog(tmp_path / "p.jsonl")
    again = Asker(lambda question: "SELECT 1")
    run([replace(questions[0], **change), *questions[1:]], again.open, log=log, setup=setup)
    log.close()
    assert [question for question, *_ in again.asked] == asked


def test_predictions_that_do_not_say_what_was_asked_are_taken_for_what_is(
    questions: list[GoldenQuestion], tmp_path: Path
) -> None:
    (tmp_path / "p.jsonl").write_text('{"id": "a", "question": "A?", "sql": "SELECT 1"}\n')
    log = PredictionLog(tmp_path / "p.jsonl")
    again = Asker(lambda question: "SELECT 1")
    run(questions, again.open, log=log, setup="a model")
    log.close()
    assert [question for question, *_ in again.asked] == ["C?", "B?"]


@pytest.mark.parametrize(
    "made",
    [{"steps": (Step(number=1, answer=Answer(question="?", status=Status.AGREED, text="")),)}, {"source": "a, b"}],
    ids=["of several steps", "of several sources"],
)
def test_a_result_that_no_query_gives_again_is_marked_as_it_came(
    made: dict[str, Any], questions: list[GoldenQuestion], tmp_path: Path
) -> None:
    table = Table((ResultColumn("day"), ResultColumn("share")), ((dt.date(2024, 5, 1), Decimal("0.5")),))
    part = Answer(question="B?", status=Status.AGREED, text="…", table=table, sql="SELECT * FROM step_1")
    whole = part.model_copy(update=made)
    asker = Asker(lambda question: "")
    asker.ask = lambda question, *, note="": whole  # type: ignore[method-assign]
    expected = ExpectSql(("SELECT DATE '2024-05-01', 0.5",))
    asked = [replace(questions[1], expected=expected), replace(questions[1], id="d", expected=ExpectValue(1))]
    log = PredictionLog(tmp_path / "p.jsonl")
    marked = run(asked, asker.open, log=log)
    log.close()
    assert [p.mark and p.mark.reason for p in marked] == ["", "expected 1, got 1 row of 2 columns"]
    assert [p.right for p in mark_all(asked, read_predictions(tmp_path / "p.jsonl"))] == [True, False]


def test_data_whose_questions_are_all_answered_are_not_opened(questions: list[GoldenQuestion], tmp_path: Path) -> None:
    log = PredictionLog(tmp_path / "p.jsonl")
    run(questions, Asker(lambda question: "SELECT 1").open, log=log)
    log.close()
    log = PredictionLog(tmp_path / "p.jsonl")
    idle = Asker(lambda question: "SELECT 1")
    assert len(run(questions, idle.open, log=log)) == 3
    log.close()
    assert idle.opened == []


def test_a_question_that_fails_is_wrong_and_the_next_is_asked(questions: list[GoldenQuestion], tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    log = PredictionLog(path)
    run(questions, Asker(lambda q: ModelTimeoutError("too slow") if q == "A?" else "SELECT 1").open, log=log)
    log.close()
    failed, *others = read_predictions(path)
    assert (failed.status, failed.error, failed.right) == ("failed", "model.timeout: too slow", False)
    assert all(p.right for p in others)


def test_two_runs_that_write_to_one_file_lose_no_line(questions: list[GoldenQuestion], tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    logs = [PredictionLog(path), PredictionLog(path)]
    for log, question in zip(logs, questions, strict=False):
        run([question], Asker(lambda q: "SELECT 1").open, log=log)
        log.close()
    assert [p.id for p in read_predictions(path)] == ["a", "b"]


def test_what_failed_because_of_the_model_is_asked_again(questions: list[GoldenQuestion], tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    log = PredictionLog(path)
    run(questions, Asker(lambda q: ModelOutputError("gibberish") if q == "A?" else "SELECT 1").open, log=log)
    log.close()
    log = PredictionLog(path)
    again = Asker(lambda question: "SELECT 1")
    run(questions, again.open, log=log)
    log.close()
    assert [asked[0] for asked in again.asked] == ["A?"]
    assert [p.right for p in read_predictions(path)] == [True, True, True]


def test_a_model_that_is_gone_stops_the_run(questions: list[GoldenQuestion]) -> None:
    asker = Asker(lambda question: ModelTimeoutError("nobody there"))
    with pytest.raises(ModelError, match=r"3 questions in a row failed .* nobody there"):
        run(questions, asker.open)
    missing = Asker(lambda question: ModelNotFoundError("no such model"))
    with pytest.raises(ModelNotFoundError):
        run(questions, missing.open)
    assert len(missing.asked) == 1


def test_each_question_is_asked_as_often_as_wanted(questions: list[GoldenQuestion]) -> None:
    asker = Asker(lambda question: "SELECT 1")
    marked = run(questions[:1], asker.open, repeat=3)
    assert [number for _, _, number in asker.asked] == [0, 1, 2]
    assert [p.repeat for p in marked] == [0, 1, 2]
