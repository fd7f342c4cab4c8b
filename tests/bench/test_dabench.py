"""The marks of the benchmark of analyses: every named answer, to the decimals that are expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.dabench import kept_in, right, same


@pytest.mark.parametrize(
    ("expected", "given", "equal"),
    [
        ("34.65", "34.651", True),
        ("34.65", "34.66", False),
        ("139", "139.0", True),
        ("139", "139.4", False),
        ("Yes", "yes", True),
        ('"Non-Normal"', "Non-Normal", True),
        ("1, 2018, 88.32", "1, 2018, 88.3211", True),
        ("314, 577", "577, 314", False),
        ("nan", "nan", True),
        ("0.21", "none", False),
    ],
)
def test_a_value_is_right_to_the_decimals_expected(expected: str, given: str, equal: bool) -> None:
    assert same(expected, given) is equal


def test_every_named_answer_counts() -> None:
    question = {"answers": [["mean", "1.50"], ["word", "none"]]}
    assert right(question, {"mean": "1.5", "word": "None", "more": "7"})
    assert not right(question, {"mean": "1.5"})


def test_a_run_goes_on_with_answers_of_its_own_model_and_set_only(tmp_path: Path) -> None:
    runs = [("querist", "small"), ("querist", "openai:large/2"), ("baseline", "small")]
    kept = [kept_in(tmp_path, kind, tmp_path / folder, model) for kind, model in runs for folder in ("shops", "trees")]
    assert len(set(kept)) == len(kept)
    assert {file.parent for file in kept} == {tmp_path}
