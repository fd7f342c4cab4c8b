from __future__ import annotations

import json

import pytest

from querist.errors import UsageError
from querist.evaluate.compare import compare
from querist.evaluate.prediction import Prediction
from querist.evaluate.statistics import Share
from tests.evaluate.marked import marked


def run(pattern: str, **rest: float) -> list[Prediction]:
    """A run with a `+` for each question that is right."""
    return [marked(n, mark == "+", **rest) for n, mark in enumerate(pattern)]


def test_runs_are_compared_pair_by_pair() -> None:
    result = compare(run("++--+"), run("+-+-+"))
    assert (result.first, result.second) == (Share(3, 5), Share(3, 5))
    assert (result.both, result.neither) == (2, 1)
    assert [flip.id for flip in result.lost] == [1]
    assert [flip.id for flip in result.won] == [2]
    assert result.p == 1.0
    assert not result.significant


def test_worse_is_what_chance_does_not_explain() -> None:
    assert compare(run("+" * 8), run("-" * 6 + "++")).worse
    assert not compare(run("+" * 8), run("-" * 5 + "+++")).worse
    assert not compare(run("-" * 8), run("+" * 8)).worse
    assert compare(run("-" * 8), run("+" * 8)).significant


def test_a_question_that_was_asked_several_times_is_one_question() -> None:
    def asked(rights: str, **rest: float) -> list[Prediction]:
        times = [
            marked(n, right == "+", repeat=repeat, **rest) for repeat in range(4) for n, right in enumerate(rights)
        ]
        return sorted(times, key=lambda p: p.repeat)

    result = compare(asked("+" * 20, seconds=2), asked("--" + "+" * 18, seconds=4))
    assert ([flip.id for flip in result.lost], result.p, result.seconds) == ([0, 1], 0.5, 2.0)
    assert (result.first, result.second, result.worse) == (Share(20, 20), Share(18, 20), False)


@pytest.mark.parametrize(("times", "right"), [("+++-", True), ("++--", False), ("-+-", False), ("+", True)])
def test_what_most_of_its_answers_are_a_question_is(times: str, right: bool) -> None:
    first = [marked(0, mark == "+", repeat=n) for n, mark in enumerate(times)]
    result = compare(first, [marked(0, False)])
    assert result.first == Share(right, 1)
    assert [flip.first.right for flip in result.lost] == [True] * right


def test_questions_of_two_sets_that_only_share_an_id_are_not_compared() -> None:
    other = marked(1).model_copy(update={"question": "Another question?"})
    nameless = marked(2, False).model_copy(update={"question": ""})
    result = compare(run("+++"), [marked(0), other, nameless])
    assert (result.second, result.unpaired) == (Share(1, 2), 2)


def test_only_questions_that_both_have_are_compared() -> None:
    result = compare(run("++++"), run("++"))
    assert (result.first, result.unpaired) == (Share(2, 2), 2)
    with pytest.raises(UsageError, match="no question in common"):
        compare(run("+"), [marked("other")])


def test_cost_is_the_median_of_the_pairs() -> None:
    result = compare(run("+++", seconds=2, tokens_in=100), run("+++", seconds=3, tokens_in=50))
    assert (result.seconds, result.tokens) == (1.5, 0.5)
    assert compare(run("+"), run("+")).seconds is None


def test_predictions_without_marks_cannot_be_compared() -> None:
    with pytest.raises(UsageError) as caught:
        compare(run("+"), [Prediction(id=0)])
    assert "--set" in caught.value.hint


def test_a_comparison_is_json_with_both_queries_of_each_flip() -> None:
    second = [marked(0, False, sql="SELECT 2")]
    out = json.loads(json.dumps(compare(run("+"), second).to_dict()))
    assert out["lost"][0]["first"]["sql"] == "SELECT 1"
    assert out["lost"][0]["second"]["sql"] == "SELECT 2"
    assert out["first"]["rate"] == 1.0
