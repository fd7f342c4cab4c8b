"""How evaluation is shown on the command line: the line that runs along, the figures, and a comparison of two runs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from querist.evaluate.compare import Comparison, Flip
    from querist.evaluate.prediction import Prediction
    from querist.evaluate.statistics import Share
    from querist.evaluate.summary import Summary

SHOWN_FLIPS = 20
SHOWN_FAILURES = 10


class Progress:
    """One line on the terminal's error stream, written anew with each answer; nothing where that is no terminal."""

    def __init__(self, total: int, *, quiet: bool) -> None:
        self.total = total
        self.marked: list[Prediction] = []
        self._shown = sys.stderr.isatty() and not quiet

    def add(self, prediction: Prediction) -> None:
        self.marked.append(prediction)
        if not self._shown:
            return
        done = len(self.marked)
        right = sum(p.right for p in self.marked)
        asked = sum(p.seconds for p in self.marked) / done
        left = sum(p.measured for p in self.marked) / done * (self.total - done)
        line = (
            f"{done}/{self.total}  right {right} ({100 * right / done:.1f}%)  "
            f"{asked:.1f} s a question  {left / 60:.0f} min left  {prediction.id}"
        )
        sys.stderr.write(f"\r\x1b[K{line[:110]}")
        sys.stderr.flush()

    def end(self) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def summary_lines(summary: Summary) -> list[str]:
    """The figures of a run for people, a line each."""
    low, high = summary.right.interval
    each, seconds = summary.per_question, summary.seconds
    lines = [
        f"right        {_of(summary.right)}  (95% interval {100 * low:.1f} to {100 * high:.1f}%)",
        *(f"  {kind:<18} {_of(share)}" for kind, share in summary.by_hardness.items()),
        *(f"  {tag:<18} {_of(share)}" for tag, share in summary.by_tag.items()),
        "by status",
        *(f"  {kind:<18} {_of(share)}" for kind, share in summary.by_status.items()),
        f"sure         {_of(summary.trusted)} right of the verified and agreed, which are "
        f"{_percent(summary.trusted.total, summary.questions)} of all",
        f"silent       {_of(summary.silent)} wrong without a warning, of all",
        f"needless     {_of(summary.needless)} of the right answers carry a warning",
        f"coverage     {100 * summary.coverage_area:.1f}% mean accuracy, the surest answers first",
        f"seconds      median {seconds['p50']:.2f}, p90 {seconds['p90']:.2f}, p99 {seconds['p99']:.2f}; "
        f"in all {seconds['sum']:.0f}",
        f"a question   {each['model_calls']:.2f} model calls, {each['tokens_in']:.0f} tokens in "
        f"({each['tokens_cached']:.0f} of them read before), {each['tokens_out']:.0f} out",
    ]
    if summary.passed.part != summary.right.part:
        lines.insert(1, f"passed       {_of(summary.passed)}: right, and within the budget")
    if summary.replayed.part:
        lines.append(
            f"cache        {_of(summary.replayed)} of the model calls were replayed; seconds count them as they were"
        )
    if summary.repeats > 1:
        named = ", ".join(map(str, summary.unstable[:20])) or "none"
        lines.append(f"unstable     {len(summary.unstable)} questions differ between {summary.repeats} times: {named}")
    if summary.missing:
        lines.append(f"missing      {summary.missing} questions have no answer yet; they count as neither")
    return lines


def failure_lines(marked: list[Prediction]) -> list[str]:
    """What is not right, a line each, the first few of them."""
    failed = [p for p in marked if p.mark is not None and not p.mark.passed]
    lines = []
    for p in failed[:SHOWN_FAILURES]:
        assert p.mark is not None
        lines.append(f"  {p.id}: {'; '.join(part for part in (p.mark.reason, *p.mark.over_budget) if part)}")
    if len(failed) > SHOWN_FAILURES:
        lines.append(f"  … and {len(failed) - SHOWN_FAILURES} more")
    return lines


def comparison_lines(comparison: Comparison, first: str, second: str) -> list[str]:
    """A comparison for people, a line each."""
    c = comparison
    total = c.first.total
    word = "worse" if len(c.lost) > len(c.won) else "better"
    verdict = f"{word}, beyond what chance explains" if c.significant else "no more than chance explains"
    lines = [
        f"A  {_with_interval(c.first)}  {first}",
        f"B  {_with_interval(c.second)}  {second}",
        f"of {total} questions that both have: {c.both} both right, {c.neither} neither, "
        f"{len(c.lost)} only A, {len(c.won)} only B",
        f"B against A: {verdict} (McNemar's exact test, p = {c.p:.3g})",
    ]
    ratios = [("seconds", c.seconds), ("tokens", c.tokens)]
    told = ", ".join(f"{ratio:.2f} times the {name}" for name, ratio in ratios if ratio is not None)
    if told:
        lines.append(f"B takes {told} of A (median of the pairs)")
    if c.unpaired:
        lines.append(f"{c.unpaired} questions are in only one of the files and are left out")
    for title, flips in (("lost: only A is right", c.lost), ("won: only B is right", c.won)):
        lines += _flip_lines(title, flips)
    return lines


def _flip_lines(title: str, flips: tuple[Flip, ...]) -> list[str]:
    if not flips:
        return []
    lines = ["", f"{title} ({len(flips)})"]
    for flip in flips[:SHOWN_FLIPS]:
        lines.append(f"  {flip.id}: {flip.question}")
        lines.append(f"    A  {_one_line(flip.first.sql)}")
        lines.append(f"    B  {_one_line(flip.second.sql)}")
    if len(flips) > SHOWN_FLIPS:
        lines.append(f"  … and {len(flips) - SHOWN_FLIPS} more; --json has all")
    return lines


def _one_line(sql: str | None) -> str:
    return " ".join(sql.split()) if sql else "no query"


def _with_interval(share: Share) -> str:
    low, high = share.interval
    return f"{100 * (share.rate or 0):5.1f}% ({100 * low:.1f} to {100 * high:.1f}%)"


def _of(share: Share) -> str:
    return f"{share.part}/{share.total}" + ("" if share.rate is None else f" {100 * share.rate:.1f}%")


def _percent(part: int, total: int) -> str:
    return f"{100 * part / total:.1f}%" if total else "0%"
