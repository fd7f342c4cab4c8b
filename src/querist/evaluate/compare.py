"""Compares two runs question by question: which is better, whether chance explains it, and which questions flipped."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from querist.errors import UsageError
from querist.evaluate.prediction import Prediction
from querist.evaluate.statistics import Share, mcnemar

SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Flip:
    """A question that only one of the two runs got right."""

    id: str | int
    question: str
    first: Prediction
    second: Prediction


@dataclass(frozen=True)
class Comparison:
    """The second run against the first, over the questions that both have.

    Attributes:
        first, second: right answers of each.
        both, neither: questions that both, or none of them, got right.
        lost, won: questions that only the first, or only the second, got right.
        p: of McNemar's exact test, two-sided.
        seconds, tokens: the second's by the first's, median over the pairs; None where the first has none.
        unpaired: questions that only one of them has.
    """

    first: Share
    second: Share
    both: int
    neither: int
    lost: tuple[Flip, ...]
    won: tuple[Flip, ...]
    p: float
    seconds: float | None
    tokens: float | None
    unpaired: int

    @property
    def significant(self) -> bool:
        return self.p < SIGNIFICANT

    @property
    def worse(self) -> bool:
        """The second is worse, and chance does not explain it."""
        return self.significant and len(self.lost) > len(self.won)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "first": _run(self.first),
            "second": _run(self.second),
            "both": self.both,
            "neither": self.neither,
            "lost": [_flip(flip) for flip in self.lost],
            "won": [_flip(flip) for flip in self.won],
            "p": self.p,
            "significant": self.significant,
            "worse": self.worse,
            "seconds_ratio": self.seconds,
            "tokens_ratio": self.tokens,
            "unpaired": self.unpaired,
        }


def compare(first: Sequence[Prediction], second: Sequence[Prediction]) -> Comparison:
    """Compare two runs of marked predictions.

    Raises:
        UsageError: predictions without marks, or no question that both have.
    """
    if any(p.mark is None for p in (*first, *second)):
        raise UsageError("There are predictions without a mark.", hint="Name the question set with --set to mark them.")
    ones = {(p.id, p.repeat): p for p in first}
    twos = {(p.id, p.repeat): p for p in second}
    keys = [key for key in ones if key in twos]
    if not keys:
        raise UsageError("The two runs have no question in common.")
    pairs = [(ones[key], twos[key]) for key in keys]
    lost = tuple(Flip(a.id, a.question or b.question, a, b) for a, b in pairs if a.right and not b.right)
    won = tuple(Flip(a.id, a.question or b.question, a, b) for a, b in pairs if b.right and not a.right)
    both = sum(a.right and b.right for a, b in pairs)
    return Comparison(
        first=Share(both + len(lost), len(pairs)),
        second=Share(both + len(won), len(pairs)),
        both=both,
        neither=len(pairs) - both - len(lost) - len(won),
        lost=lost,
        won=won,
        p=mcnemar(len(lost), len(won)),
        seconds=_ratio([(a.seconds, b.seconds) for a, b in pairs]),
        tokens=_ratio([(a.tokens_in + a.tokens_out, b.tokens_in + b.tokens_out) for a, b in pairs]),
        unpaired=len(ones) + len(twos) - 2 * len(keys),
    )


def _ratio(pairs: Sequence[tuple[float, float]]) -> float | None:
    ratios = [second / first for first, second in pairs if first > 0]
    return statistics.median(ratios) if ratios else None


def _run(share: Share) -> dict[str, Any]:
    return {"right": share.part, "questions": share.total, "rate": share.rate, "interval_95": list(share.interval)}


def _flip(flip: Flip) -> dict[str, Any]:
    return {
        "id": flip.id,
        "question": flip.question,
        "first": {"sql": flip.first.sql, "status": flip.first.status},
        "second": {"sql": flip.second.sql, "status": flip.second.status},
    }
