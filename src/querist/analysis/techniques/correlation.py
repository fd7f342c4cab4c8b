"""Correlation of columns, pair by pair, with p-values."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from querist.analysis.findings import Findings, Gathering
from querist.analysis.frame import complete, present
from querist.analysis.techniques.base import Column, Grouping, Params, Technique, groups, label, p_text
from querist.charts.chart import Chart
from querist.charts.columns import title
from querist.charts.recommend import SERIES
from querist.charts.statistical import REST, points
from querist.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

SIGNS = {"pearson": "r", "spearman": "ρ", "kendall": "τ"}


class CorrelationParams(Params):
    columns: list[Column] = Field(min_length=2, max_length=8)
    method: Literal["pearson", "spearman", "kendall"] = "pearson"
    by: Grouping = ""


class Correlation(Technique[CorrelationParams]):
    name = "correlation"
    description = "Correlation coefficient and p-value for each pair of columns."

    def compute(self, params: CorrelationParams) -> Findings:
        from scipy import stats

        test = {"pearson": stats.pearsonr, "spearman": stats.spearmanr, "kendall": stats.kendalltau}[params.method]
        found = Gathering(self.name)
        pairs = list(combinations(dict.fromkeys(params.columns), 2))
        if not pairs:
            raise UsageError("A correlation needs two different columns.", hint="Name another column.")
        measured: list[tuple[float, str, str, float]] = []
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
                    measured.append((r, left, right, p))
                else:
                    found.warn(f"{left} and {right} have too few different values for a correlation{where}.")
                found.add(f"r{tail}", r, f"{params.method} correlation of {left} and {right}{where}")
                found.add(f"p{tail}", p, f"p-value of the correlation of {left} and {right}{where}")
                found.add(f"n{tail}", len(both), f"rows in the correlation of {left} and {right}{where}")
        if not measured:
            raise UsageError(found.warnings[-1], hint="Choose columns that vary, with at least 3 rows in common.")
        if len(measured) > 1:
            strongest = max(measured, key=lambda pair: abs(pair[0]))
            chosen = {"highest": max(measured), "lowest": min(measured), "strongest": strongest}
            for word, (r, left, right, _) in chosen.items():
                found.add(f"{word}_r", r, f"{word} of these correlations")
                found.add(f"{word}_r_pair", f"{left}, {right}", f"the pair with the {word} correlation")
        r, left, right, p = max(measured, key=lambda pair: abs(pair[0]))
        told = f" by {title(params.by)}" if params.by else f": {SIGNS[params.method]} = {r:.2f}, {p_text(p)}"
        found.chart = _picture(self.frame, (left, right), params.by, told, len(pairs))
        return found.done()


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
