"""The figures of a run: how much is right, how sure the program was of it, and what it cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from querist.answer.answer import Status
from querist.answer.vote import result_key
from querist.evaluate.prediction import Prediction
from querist.evaluate.statistics import CoveragePoint, Share, area, coverage_curve, percentile
from querist.sources.table import ResultColumn, Table

STATUSES = tuple(status.value for status in Status)


@dataclass(frozen=True)
class Summary:
    """Figures of one run over a set.

    Attributes:
        right: answers that are right, of all questions asked. Its rate is the execution accuracy.
        passed: right and within their budget.
        by_hardness, by_tag, by_status: right answers among those of each kind.
        silent: wrong answers without a warning, of all questions: given as an answer (`verified`, `agreed` or
            `unverified`), wrong, and no check warned. A refusal or a failure is never silent.
        trusted: right answers among those that are `verified` or `agreed`.
        needless: right answers that carry a warning, of all right answers.
        seconds: percentiles 50, 90 and 99 of the time of a question, and the sum. Replies from the cache count with
            the time that they took when they were made.
        measured: seconds on the clock, summed.
        per_question: means of tokens in, tokens that the server had read already, tokens out, and model calls.
        replayed: share of model calls that came from the cache.
        cost: US dollars; None when the price of some model is unknown.
        curve: accuracy at each coverage, the surest answers first.
        coverage_area: mean accuracy over that curve.
        missing: questions that have no prediction.
        unstable: questions that gave different results when they were asked again.
    """

    questions: int
    right: Share
    passed: Share
    by_hardness: dict[str, Share]
    by_tag: dict[str, Share]
    by_status: dict[str, Share]
    silent: Share
    trusted: Share
    needless: Share
    seconds: dict[str, float]
    measured: float
    per_question: dict[str, float]
    replayed: Share
    cost: float | None
    curve: list[CoveragePoint]
    coverage_area: float
    missing: int = 0
    repeats: int = 1
    unstable: tuple[str | int, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready. Every share says `part`, `total` and `rate`."""
        out: dict[str, Any] = {}
        for name, value in vars(self).items():
            if isinstance(value, Share):
                out[name] = _share(value)
            elif name.startswith("by_"):
                out[name] = {kind: _share(share) for kind, share in value.items()}
            elif name == "curve":
                out[name] = [[round(p.coverage, 4), round(p.accuracy, 4)] for p in value]
            elif isinstance(value, tuple):
                out[name] = list(value)
            else:
                out[name] = value
        out["accuracy"] = self.right.rate
        out["interval_95"] = list(self.right.interval)
        out["trusted"]["coverage"] = self.trusted.total / self.questions if self.questions else None
        return out


def summarize(marked: Sequence[Prediction], *, missing: int = 0) -> Summary:
    """The figures of these answers. Of a question that was asked several times, each time counts; in intervals, once.

    Args:
        missing: questions that were not asked; they do not count as wrong.
    """
    right = [p for p in marked if p.right]
    calls = sum(p.model_calls for p in marked)
    seconds = [p.seconds for p in marked]
    ranked = sorted((p for p in marked if p.answered), key=sureness)
    curve = coverage_curve([(sureness(p), p.right) for p in ranked], len(marked) or 1)
    costs = [p.cost for p in marked]
    repeats = max((p.repeat for p in marked), default=0) + 1
    return Summary(
        questions=len(marked),
        right=_right(marked, repeats),
        passed=Share(sum(p.mark is not None and p.mark.passed for p in marked), len(marked)),
        by_hardness=_by(((p.mark.hardness, p) for p in marked if p.mark and p.mark.hardness), (), repeats),
        by_tag=_by(((tag, p) for p in marked if p.mark for tag in p.mark.tags), (), repeats),
        by_status=_by(((p.status, p) for p in marked), STATUSES, repeats),
        silent=Share(sum(p.silent for p in marked), len(marked)),
        trusted=_right([p for p in marked if p.status in (Status.VERIFIED, Status.AGREED)]),
        needless=Share(sum(bool(p.warnings) for p in right), len(right)),
        seconds={
            "p50": percentile(seconds, 0.5),
            "p90": percentile(seconds, 0.9),
            "p99": percentile(seconds, 0.99),
            "sum": sum(seconds),
        },
        measured=sum(p.measured for p in marked),
        per_question={
            "tokens_in": _mean(p.tokens_in for p in marked),
            "tokens_cached": _mean(p.tokens_cached for p in marked),
            "tokens_out": _mean(p.tokens_out for p in marked),
            "model_calls": _mean(p.model_calls for p in marked),
        },
        replayed=Share(sum(p.replayed for p in marked), calls),
        cost=None if None in costs else sum(c for c in costs if c is not None),
        curve=curve,
        coverage_area=area(curve),
        missing=missing,
        repeats=repeats,
        unstable=tuple(unstable(marked)),
    )


def sureness(prediction: Prediction) -> tuple[int, float, int]:
    """How sure the program is of an answer, the surest lowest: status, then share of agreeing drafts, then warnings."""
    agreed, ran = prediction.agreement
    place = STATUSES.index(prediction.status) if prediction.status in STATUSES else len(STATUSES)
    return (place, -(agreed / ran if ran else 0.0), min(1, len(prediction.warnings)))


def unstable(marked: Iterable[Prediction]) -> list[str | int]:
    """Questions whose answers differ between the times that they were asked: other query, result, status, or mark."""
    seen: dict[str | int, set[Hashable]] = {}
    for p in marked:
        result = p.result and result_key(Table(tuple(map(ResultColumn, p.result.columns)), p.result.rows))
        seen.setdefault(p.id, set()).add((p.sql, result, p.status, p.right))
    return [id for id, answers in seen.items() if len(answers) > 1]


def _right(marked: Sequence[Prediction], repeats: int = 1) -> Share:
    return Share(sum(p.right for p in marked), len(marked), repeats)


def _by(pairs: Iterable[tuple[str, Prediction]], order: Sequence[str], repeats: int) -> dict[str, Share]:
    total: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for kind, prediction in pairs:
        total[kind] += 1
        right[kind] += prediction.right
    known = [kind for kind in order if kind in total]
    return {kind: Share(right[kind], total[kind], repeats) for kind in [*known, *(k for k in total if k not in known)]}


def _mean(values: Iterable[float]) -> float:
    numbers = list(values)
    return sum(numbers) / len(numbers) if numbers else 0.0


def _share(share: Share) -> dict[str, Any]:
    return {"part": share.part, "total": share.total, "rate": share.rate}
