from __future__ import annotations

from pathlib import Path

import pytest

from querist.errors import UsageError
from querist.evaluate.prediction import Prediction, PredictionLog, read_predictions


def write(path: Path, *ids: str | int) -> None:
    log = PredictionLog(path)
    for id in ids:
        log.add(Prediction(id=id, sql=f"SELECT '{id}'", seconds=1.5))
    log.close()


def test_each_prediction_is_a_whole_line_in_the_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "p.jsonl"
    log = PredictionLog(path)
    log.add(Prediction(id="a"))
    assert [p.id for p in read_predictions(path)] == ["a"]
    log.add(Prediction(id=2))
    assert [p.id for p in read_predictions(path)] == ["a", 2]
    log.close()


def test_a_torn_last_line_is_passed_over_and_cut_off_before_writing_on(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    write(path, "a", "b")
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    assert [p.id for p in read_predictions(path)] == ["a"]
    assert [p.id for p in PredictionLog(path).done] == ["a"]
    write(path, "c")
    assert [p.id for p in read_predictions(path)] == ["a", "c"]


def test_a_last_line_that_only_lacks_its_end_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    write(path, "a")
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    write(path, "b")
    assert [p.id for p in read_predictions(path)] == ["a", "b"]


def test_a_broken_line_before_the_last_is_told_with_its_number(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text('{"id": 1}\nbroken\n{"id": 2}\n')
    with pytest.raises(UsageError, match=r"p\.jsonl:2 is not a prediction"):
        read_predictions(path)


def test_answers_of_two_models_are_not_taken_for_repeats_of_one(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    log = PredictionLog(path)
    for id, repeat, asked in [("a", 0, "old"), ("a", 1, "old"), ("b", 0, "old"), ("b", 1, ""), ("a", 0, "new")]:
        log.add(Prediction(id=id, repeat=repeat, asked=asked))
    log.close()
    assert [(p.id, p.repeat, p.asked) for p in read_predictions(path)] == [
        ("a", 0, "new"),
        ("b", 0, "old"),
        ("b", 1, ""),
    ]


def test_of_several_predictions_for_a_question_the_last_counts(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text('{"id": 1, "sql": "SELECT 1"}\n{"id": 1, "sql": "SELECT 2"}\n')
    (prediction,) = read_predictions(path)
    assert prediction.sql == "SELECT 2"


def test_lines_of_other_programs_need_only_an_id_and_may_say_more(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text('{"id": 1, "sql": null, "seconds": 2, "their_own": [1]}\n')
    assert read_predictions(path)[0].seconds == 2


def test_fresh_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    write(path, "a")
    log = PredictionLog(path, fresh=True)
    log.close()
    assert read_predictions(path) == []


def test_a_file_that_cannot_be_written_is_a_mistake_of_the_call(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="Predictions cannot be written to"):
        PredictionLog(tmp_path / "file" / "p.jsonl")
