from __future__ import annotations

import json

import pytest

from querist.evaluate.prediction import Preview
from querist.evaluate.statistics import CoveragePoint, Share
from querist.evaluate.summary import summarize
from tests.evaluate.marked import marked


def table(*rows: list[int]) -> Preview:
    return Preview(columns=("n",), rows=tuple(map(tuple, rows)), total=len(rows))


def test_answers_are_counted_by_kind_and_status() -> None:
    summary = summarize(
        [
            marked(1, hardness="easy", tags=("a",)),
            marked(2, False, hardness="easy", tags=("a", "b")),
            marked(3, False, "failed", hardness="hard", sql=None),
        ],
        missing=4,
    )
    assert summary.right == Share(1, 3)
    assert summary.by_hardness == {"easy": Share(1, 2), "hard": Share(0, 1)}
    assert summary.by_tag == {"a": Share(1, 2), "b": Share(0, 1)}
    assert summary.by_status == {"agreed": Share(1, 2), "failed": Share(0, 1)}
    assert summary.trusted == Share(1, 2)
    assert summary.missing == 4


def test_silent_are_wrong_answers_that_nothing_marks_as_doubtful() -> None:
    summary = summarize(
        [
            marked(1, False, "agreed"),
            marked(2, False, "unverified"),
            marked(3, False, "agreed", warnings=("Careful.",)),
            marked(4, False, "refused"),
            marked(5, False, "failed"),
            marked(6, True, "agreed"),
        ]
    )
    assert summary.silent == Share(2, 6)


def test_needless_are_right_answers_with_a_warning() -> None:
    assert summarize([marked(1), marked(2, warnings=("Careful.",)), marked(3, False)]).needless == Share(1, 2)


def test_time_tokens_and_calls_are_given_for_a_question() -> None:
    summary = summarize(
        [
            marked(n, seconds=n, measured=0.5, tokens_in=100, tokens_out=n, tokens_cached=80, model_calls=2, replayed=1)
            for n in (1, 2, 3)
        ]
    )
    assert summary.seconds == {"p50": 2.0, "p90": pytest.approx(2.8), "p99": pytest.approx(2.98), "sum": 6.0}
    assert summary.measured == 1.5
    assert summary.per_question == {"tokens_in": 100, "tokens_cached": 80, "tokens_out": 2, "model_calls": 2}
    assert summary.replayed == Share(3, 6)


def test_the_surest_answers_come_first_in_the_curve() -> None:
    summary = summarize(
        [
            marked("warned", False, "agreed", agreement=(2, 2), warnings=("Careful.",)),
            marked("alone", False, "unverified", agreement=(1, 3)),
            marked("most", True, "agreed", agreement=(2, 3)),
            marked("all", True, "agreed", agreement=(2, 2)),
            marked("none", False, "refused"),
        ]
    )
    assert summary.curve == [
        CoveragePoint(0.2, 1.0),
        CoveragePoint(0.4, 0.5),
        CoveragePoint(0.6, pytest.approx(2 / 3)),
        CoveragePoint(0.8, 0.5),
    ]


def test_questions_that_differ_between_times_are_unstable() -> None:
    summary = summarize(
        [
            marked("a", sql="SELECT 1"),
            marked("a", sql="SELECT 2", repeat=1),
            marked("b"),
            marked("b", repeat=1),
            marked("c", sql=None, result=table([1], [2])),
            marked("c", sql=None, result=table([1], [3]), repeat=1),
            marked("d", sql=None, result=table([1], [2])),
            marked("d", sql=None, result=table([2], [1]), repeat=1),
        ]
    )
    assert (summary.repeats, summary.unstable) == (2, ("a", "c"))


def test_to_ask_the_same_again_does_not_make_a_figure_surer() -> None:
    once = summarize([marked(n, n > 2, hardness="easy") for n in range(10)])
    often = summarize([marked(n, n > 2, hardness="easy", repeat=repeat) for n in range(10) for repeat in range(4)])
    assert often.right.total == 40
    assert often.right.interval == once.right.interval == often.by_hardness["easy"].interval


def test_an_unknown_price_makes_the_sum_unknown() -> None:
    assert summarize([marked(1, cost=0.25), marked(2, cost=0.5)]).cost == 0.75
    assert summarize([marked(1, cost=0.25), marked(2, cost=None)]).cost is None


def test_the_figures_are_json_even_of_nothing() -> None:
    full = json.loads(json.dumps(summarize([marked(1), marked(2, False)]).to_dict()))
    assert full["accuracy"] == 0.5
    assert full["right"] == {"part": 1, "total": 2, "rate": 0.5}
    assert full["trusted"]["coverage"] == 1.0
    assert full["curve"] == [[1.0, 0.5]]
    empty = json.loads(json.dumps(summarize([], missing=3).to_dict()))
    assert (empty["accuracy"], empty["missing"]) == (None, 3)
