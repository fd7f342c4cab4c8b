"""Correlation of columns, pair by pair, with p-values, of several pairs also with those that allow for their number."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from pydantic import Field

from querist.analysis.findings import Findings, Gathering
from querist.analysis.frame import complete, numbers, present
from querist.analysis.phrases import listed, p_text
from querist.analysis.techniques.base import (
    BY,
    Column,
    Grouping,
    Params,
    Technique,
    follows,
    groups,
    in_time,
    label,
    tell_ungrouped,
    when_asked,
)
from querist.charts.chart import Chart
from querist.charts.columns import title
from querist.charts.recommend import SERIES
from querist.charts.statistical import REST, points
from querist.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

MOST_CORRELATED = 8
"""Columns of which each is held against each."""
FEW = 10
"""Spearman's p of fewer rows is far off: 0 for three in the same order, where it is 1/3."""
SIGNS = {"pearson": "r", "spearman": "ρ", "kendall": "τ"}
_STRENGTHS = {0.7: "strong", 0.3: "moderate", 0.0: "weak"}
"""Usual words for |r| from there on."""


class _Measured(NamedTuple):
    r: float
    left: str
    right: str
    p: float
    words: str
    tail: str
    n: int


class CorrelationParams(Params):
    columns: list[Column] = Field(min_length=2, max_length=MOST_CORRELATED)
    method: Annotated[Literal["pearson", "spearman", "kendall"], when_asked("pearson|spearman|kendall|rank")] = (
        "pearson"
    )
    by: Annotated[Grouping, when_asked(BY)] = ""


class Correlation(Technique[CorrelationParams]):
    name = "correlation"
    description = "Correlation coefficient and p-value for each pair of columns."

    def wanted(self, params: CorrelationParams) -> tuple[str, ...]:
        return (f"{params.method} correlation", "p-value")

    def compute(self, params: CorrelationParams) -> Findings:
        from scipy import stats

        test = {"pearson": stats.pearsonr, "spearman": stats.spearmanr, "kendall": stats.kendalltau}[params.method]
        found = Gathering(self.name)
        pairs = list(combinations(dict.fromkeys(params.columns), 2))
        if not pairs:
            raise UsageError("A correlation needs two different columns.", hint="Name another column.")
        measured: list[_Measured] = []
        for group, frame in groups(self.frame, params.by):
            for left, right in pairs:
                filled = not any(present(frame, name).empty for name in (left, right))
                both = complete(frame, (left, right)) if filled else frame[[left, right]].head(0)
                where = f" where {params.by} = {group}" if group else ""
                found.left_out(len(frame) - len(both), f"{left} or {right}{where}")
                tail = (f"_{left}_{right}" if len(pairs) > 1 else "") + (f"_{group}" if group else "")
                r = p = None
                if len(both) >= 3 and both.nunique().min() > 1:
                    r, p = (float(part) for part in test(both[left], both[right]))
                    measured.append(_Measured(r, left, right, p, f"{left} and {right}{where}", tail, len(both)))
                    if params.method == "spearman" and len(both) < FEW:
                        rough = f"Spearman's p is rough for {len(both)} rows{where}, and may be far too small"
                        found.warn(f"{rough}; Kendall's is surer.")
                else:
                    found.warn(f"{left} and {right} have too few different values for a correlation{where}.")
                found.add(f"r{tail}", r, f"{params.method} correlation of {left} and {right}{where}")
                found.add(f"p{tail}", p, f"p-value of the correlation of {left} and {right}{where}")
                found.add(f"n{tail}", len(both), f"rows in the correlation of {left} and {right}{where}")
        if not measured:
            raise UsageError(found.warnings[-1], hint="Choose columns that vary, with at least 3 rows in common.")
        tell_ungrouped(found, self.frame, params.by)
        strongest = max(measured, key=lambda pair: abs(pair.r))
        told, adjusted = p_text(strongest.p), {pair: pair.p for pair in measured}
        if len(measured) > 1:
            chosen = {"highest": max(measured), "lowest": min(measured), "strongest": strongest}
            for word, pair in chosen.items():
                found.add(f"{word}_r", pair.r, f"{word} of these correlations")
                found.add(f"{word}_r_pair", f"{pair.left}, {pair.right}", f"the pair with the {word} correlation")
            adjusted = _adjust(measured, found)
            told = f"{p_text(adjusted[strongest])} for {len(measured)} correlations"
        _say(measured, adjusted, SIGNS[params.method], found)
        if time := in_time(self.frame):
            compared = {name for pair in measured for name in (pair.left, pair.right)}
            following = {name for name in compared if follows(numbers(self.frame, name))}
            if any({pair.left, pair.right} <= following for pair in measured):
                found.warn(
                    f"The rows are in order of {time}, and each is like the one before it in "
                    f"{', '.join(sorted(following))}: p takes rows for independent, and is too small."
                )
        told = f" by {title(params.by)}" if params.by else f": {SIGNS[params.method]} = {strongest.r:.2f}, {told}"
        found.chart = _picture(self.frame, (strongest.left, strongest.right), params.by, told, len(pairs))
        return found.done()


def _say(measured: list[_Measured], p_values: dict[_Measured, float], sign: str, found: Gathering) -> None:
    """A sentence for the pair, or of several for the strongest that is significant, and for the others that are."""
    clear = sorted((pair for pair in measured if p_values[pair] < 0.05), key=lambda pair: -abs(pair.r))
    first = clear[0] if clear else max(measured, key=lambda pair: abs(pair.r))
    after = "" if len(measured) == 1 else f" after Holm for {len(measured)} correlations"
    figures = f"{sign} = {first.r:.3g}, {p_text(p_values[first])}{after}, n = {first.n:,}"
    if not clear:
        which = "have the strongest correlation, not a significant one" if after else "show no significant correlation"
        found.say(f"{first.words} {which}: {figures}.")
        return
    strength = next(word for least, word in _STRENGTHS.items() if abs(first.r) >= least)
    kind = f"{strength} {'positive' if first.r > 0 else 'negative'}"
    strongest = ", the strongest that is significant" if after else ""
    found.say(f"{first.words} have a {kind} correlation{strongest}: {figures}.")
    if others := [f"{pair.words} ({pair.r:.3g})" for pair in clear[1:]]:
        found.say(f"Also significant: {listed(others)}.")
    elif after:
        found.say("No other pair is significant.")


def _adjust(measured: list[_Measured], found: Gathering) -> dict[_Measured, float]:
    """The p-values after Holm: of many correlations of noise, too, the strongest looks strong."""
    from statsmodels.stats.multitest import multipletests

    adjusted = multipletests([pair.p for pair in measured], method="holm")[1]
    for pair, p in zip(measured, adjusted, strict=True):
        found.add(f"p_adjusted{pair.tail}", p, f"p-value of {pair.words}, adjusted for {len(measured)} correlations")
    found.warn(
        f"Among {len(measured)} correlations some look strong by chance: p_adjusted allows for it (Holm), p not."
    )
    return dict(zip(measured, adjusted.tolist(), strict=True))


def _picture(frame: pd.DataFrame, pair: tuple[str, str], by: str, told: str, pairs: int) -> Chart:
    """The rows by two columns, in the colours of the largest groups."""
    both = complete(frame, pair)
    colours, names = [""] * len(both), []
    if by:
        both = both.loc[frame[by].reindex(both.index).notna()]
        groups = frame.loc[both.index, by].map(label)
        largest = groups.value_counts().index[:SERIES].tolist()
        colours = groups.where(groups.isin(largest), REST).tolist()
        names = [*sorted(largest), *[REST] * (groups.nunique() > SERIES)]
    across, up = pair
    marks = list(zip(both[across].tolist(), both[up].tolist(), colours, strict=True))
    notes = [f"The strongest of {pairs} pairs is drawn."] if pairs > 1 else []
    axes = (title(across), title(up))
    return points(marks, axes, f"{axes[1]} against {axes[0]}{told}", names=names, notes=notes)
