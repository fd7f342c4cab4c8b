from __future__ import annotations

import pytest

from querist.evaluate.statistics import CoveragePoint, Share, area, coverage_curve, mcnemar, percentile


@pytest.mark.parametrize(
    ("part", "total", "low", "high"),
    # 81 of 263: R. G. Newcombe, Statistics in Medicine 17 (1998). 0 of n: up to z² / (n + z²). 8 of 10: by hand.
    [(8, 10, 0.4901625, 0.9433178), (0, 10, 0.0, 0.2775328), (81, 263, 0.2552847, 0.3662199), (0, 0, 0.0, 1.0)],
)
def test_wilson_interval(part: int, total: int, low: float, high: float) -> None:
    assert Share(part, total).interval == pytest.approx((low, high), abs=1e-4)


def test_trying_the_same_again_makes_nothing_surer() -> None:
    assert Share(24, 30, times=3).interval == Share(8, 10).interval


def test_the_share_of_nothing_is_unknown() -> None:
    assert Share(0, 0).rate is None
    assert Share(1, 4).rate == 0.25


@pytest.mark.parametrize(
    ("lost", "won", "p"),
    # 2 * sum(C(n, k) for k up to the smaller) / 2^n, at most 1: by hand.
    [(1, 9, 2 * 11 / 1024), (9, 1, 2 * 11 / 1024), (0, 5, 2 / 32), (0, 6, 2 / 64), (5, 5, 1.0), (0, 0, 1.0)],
)
def test_mcnemar(lost: int, won: int, p: float) -> None:
    assert mcnemar(lost, won) == pytest.approx(p)


def test_mcnemar_of_many_flips_does_not_overflow() -> None:
    assert 0 < mcnemar(900, 1100) < 1e-4


def test_percentiles_lie_between_the_values() -> None:
    values = [4.0, 1.0, 3.0, 2.0]
    assert percentile(values, 0.5) == 2.5
    assert percentile(values, 0.0) == 1.0
    assert percentile(values, 1.0) == 4.0
    assert percentile([7.0], 0.9) == 7.0
    assert percentile([], 0.5) == 0.0


def test_answers_that_are_equally_sure_make_one_point() -> None:
    ranked = [("a", True), ("a", True), ("b", False), ("b", True)]
    assert coverage_curve(ranked, total=8) == [CoveragePoint(0.25, 1.0), CoveragePoint(0.5, 0.75)]


def test_the_area_is_the_mean_accuracy_over_the_coverage_reached() -> None:
    assert area([CoveragePoint(0.5, 1.0)]) == 1.0
    assert area([CoveragePoint(0.5, 1.0), CoveragePoint(1.0, 0.5)]) == pytest.approx(0.5 * 1.0 + 0.5 * 0.75)
    assert area([]) == 0.0
