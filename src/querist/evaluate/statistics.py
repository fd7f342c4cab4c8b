"""The few statistics that evaluation needs, each from its textbook formula. Nothing here knows of questions."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

Z_95 = 1.959963984540054
"""Half the width of a 95% interval of the normal distribution, in standard deviations."""


@dataclass(frozen=True)
class Share:
    """`part` of `total`, in which each thing was tried so many `times`."""

    part: int
    total: int
    times: int = 1

    @property
    def rate(self) -> float | None:
        """Between 0 and 1; None of nothing."""
        return self.part / self.total if self.total else None

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's score interval, 95%. (E. B. Wilson, J. Am. Stat. Assoc. 22, 1927)

        To try the same again says nothing of others, so each thing counts once in it.
        """
        if not self.total:
            return (0.0, 1.0)
        n, p, z2 = self.total / self.times, self.part / self.total, Z_95**2
        middle = (p + z2 / (2 * n)) / (1 + z2 / n)
        half = Z_95 / (1 + z2 / n) * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
        return (max(0.0, middle - half), min(1.0, middle + half))


def mcnemar(only_first: int, only_second: int) -> float:
    """Two-sided exact p-value of McNemar's test: how surprising the flips are if both are equally good.

    Args:
        only_first: pairs that only the first got right.
        only_second: pairs that only the second got right.
    """
    flips = only_first + only_second
    tail = sum(math.comb(flips, k) for k in range(min(only_first, only_second) + 1))
    return min(1.0, 2 * tail / (1 << flips))


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of the values lie, between two of them linearly; 0 of none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


@dataclass(frozen=True)
class CoveragePoint:
    """Answering only the surest `coverage` of the questions, `accuracy` of those answers are right."""

    coverage: float
    accuracy: float


def coverage_curve(ranked: Sequence[tuple[object, bool]], total: int) -> list[CoveragePoint]:
    """Accuracy at each coverage.

    Args:
        ranked: how sure each answer is (only equality matters) and whether it is right, the surest first. Answers
            that are equally sure make one point, since nothing tells which of them to leave out.
        total: all questions, those that were not answered included.
    """
    points: list[CoveragePoint] = []
    right = 0
    for number, (sure, is_right) in enumerate(ranked, start=1):
        right += is_right
        if number == len(ranked) or ranked[number][0] != sure:
            points.append(CoveragePoint(number / total, right / number))
    return points


def area(points: Sequence[CoveragePoint]) -> float:
    """Mean accuracy over all coverages up to the last (trapezoidal rule, flat before the first point); 0 of none."""
    if not points:
        return 0.0
    total = points[0].coverage * points[0].accuracy
    for before, after in itertools.pairwise(points):
        total += (after.coverage - before.coverage) * (before.accuracy + after.accuracy) / 2
    return total / points[-1].coverage
