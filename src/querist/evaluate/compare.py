"""Compares two runs question by question: which is better, whether chance explains it, and which questions flipped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median
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

    A question that was asked several times is one question, and right where it was more often right than not.

    Attributes:
        first, second: right answers of each.
        both, neither: questions that both, or none of them, got right.
        lost, won: questions that only the first, or only the second, got right.
        p: of McNemar's exact test, two-sided.
        seconds, tokens: the second's by the first's, median over the pairs; None where the first has none.
        unpaired: questions that only one of them has, in these words.
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
    ones, twos = _by_question(first), _by_question(second)
    asked = [(ones[id], twos[id]) for id in ones if id in twos and _same(ones[id][0], twos[id][0])]
    if not asked:
        raise UsageError("The two runs have no question in common.")
    pairs = [(_typical(a), _typical(b)) for a, b in asked]
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
        seconds=_ratio([(fmean(p.seconds for p in a), fmean(p.seconds for p in b)) for a, b in asked]),
        tokens=_ratio([(fmean(map(_tokens, a)), fmean(map(_tokens, b))) for a, b in asked]),
        unpaired=len(ones) + len(twos) - 2 * len(pairs),
    )


def _by_question(run: Sequence[Prediction]) -> dict[str | int, list[Prediction]]:
    found: dict[str | int, list[Prediction]] = {}
    for prediction in run:
        found.setdefault(prediction.id, []).append(prediction)
    return found


def _same(first: Prediction, second: Prediction) -> bool:
    """Not only the same id, which questions of two sets may have, or a question and what was made of it."""
    return first.question == second.question or not first.question or not second.question


def _typical(times: Sequence[Prediction]) -> Prediction:
    """The first answer that is right, or wrong, as most of them are."""
    right = 2 * sum(p.right for p in times) > len(times)
    return next(p for p in times if p.right == right)


def _tokens(prediction: Prediction) -> int:
    return prediction.tokens_in + prediction.tokens_out


def _ratio(pairs: Sequence[tuple[float, float]]) -> float | None:
    ratios = [second / first for first, second in pairs if first > 0]
    return median(ratios) if ratios else None


def _run(share: Share) -> dict[str, Any]:
    return {"right": share.part, "questions": share.total, "rate": share.rate, "interval_95": list(share.interval)}


def _flip(flip: Flip) -> dict[str, Any]:
    return {
        "id": flip.id,
        "question": flip.question,
        "first": {"sql": flip.first.sql, "status": flip.first.status},
        "second": {"sql": flip.second.sql, "status": flip.second.status},
    }
