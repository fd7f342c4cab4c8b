"""A draft of an analysis: values by name, and how they came about. Drafts are compared by their values."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import product
from typing import Literal, NamedTuple

from querist.analysis.findings import Finding, FindingValue
from querist.analysis.matching import likeness
from querist.analysis.named import Wanted
from querist.charts.chart import Chart

Kind = Literal["techniques", "code"]
NOISE = 1e-4
"""How far apart, as a share, two results of the same computation may be: where solvers stop. Dividing by n instead of
n - 1 moves a deviation further than that in any table of fewer than 5,000 rows."""
ROUNDED = 0.01
"""How far rounding that nobody asked for may take a value from itself."""
TELLING = 3
"""Significant digits with which a number is hardly met by chance; 40, 0.5 and 0.05 are."""
ALIKE = 0.5
"""Share of words that two names of the same value have in common."""
_MAIN = {
    "describe": r"(mean|median|variance|min|max|range|sum|q1|q3|iqr|((population_)?(std|skewness|kurtosis)))(_|$)",
    "correlation": r"(strongest_|highest_|lowest_)?[rp](_|$)",
    "normality": r"statistic|p_value|skewness|kurtosis",
    "outliers": r"outlier_|(mean|median|std|population_std|min|max)_without|(lower|upper)_bound",
    "compare_groups": r"statistic|p_value|mean_",
    "regression": r"coef_|p_value|intercept|(test_|train_|adjusted_|pseudo_)?(r2|mse|rmse|mae|accuracy)",
    "trend": r"slope|p_value|r2|seasonal_strength",
    "forecast": r"forecast_",
    "clusters": r"silhouette|mean_",
}
"""How the findings begin that answer the question, and are no counts or by-products; `missing_values` only counts."""
_KINDS = {
    "mean": "mean", "average": "mean", "avg": "mean", "median": "median", "min": "min", "minimum": "min",
    "lowest": "min", "max": "max", "maximum": "max", "highest": "max", "std": "std", "deviation": "std",
    "count": "count", "sum": "sum",
}  # fmt: skip
"""Words of a name that say which statistic it is."""


@dataclass(frozen=True)
class Draft:
    """One way to the answer and where it led.

    Attributes:
        kind: whether standard techniques or generated code computed it.
        script: the plan as JSON, or the code that ran.
        techniques: names of those that the plan chose; none of code.
        values: the values that were asked for, by name; for a question that names none, all that it found.
        findings: everything that the techniques found; of code, its values.
        summary: the same in sentences; of code, nothing.
        notes: what was done to the data, and what was mended in the script.
        warnings: what to know before trusting the values.
        wanted: what code has to compute to be held against the findings; of code, nothing.
        guesses: what was taken to be meant, without knowing; a draft with any confirms nothing.
        error: why there are no values; empty when there are.
    """

    kind: Kind
    script: str = ""
    techniques: tuple[str, ...] = ()
    values: dict[str, FindingValue] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    summary: str = ""
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    guesses: tuple[str, ...] = ()
    wanted: tuple[str, ...] = ()
    chart: Chart | None = None
    error: str = ""

    @property
    def usable(self) -> bool:
        return not self.error and any(value is not None for value in self.values.values())

    @property
    def complete(self) -> bool:
        """Every value that was asked for is there."""
        return self.usable and all(value is not None for value in self.values.values())


def agree(left: Draft, right: Draft, names: Sequence[Wanted]) -> bool:
    """Whether two drafts say the same.

    For named values all must be equal. Without names, every number of the shorter draft must be among the longer one's,
    and one of them a main finding that is no likely chance, by its digits or by what both call it. Words are not held
    against each other: what one calls `normal` is True for the other.
    """
    if names:
        return not differing(left, right, names)
    techniques = {*left.techniques, *right.techniques}

    def grouped(*numbers: _Number) -> bool:
        """Whether it is a mean of one of several groups, which another mean may equal by chance."""
        return "compare_groups" in techniques and any(number.name.startswith("mean_") for number in numbers)

    few, many = sorted((_numbers(left), _numbers(right)), key=len)
    return all(any(_alike(one, other) for other in many) for one in few) and any(
        _alike(one, other) and _tells(one, other) and bool(one.group or other.group or not grouped(one, other))
        for one, other in product(_main(left), _main(right))
    )


def differing(left: Draft, right: Draft, names: Sequence[Wanted]) -> list[str]:
    """The names of values that are not the same in both, up to the decimals that were asked for."""
    return [w.name for w in names if not same(left.values.get(w.name), right.values.get(w.name), w.places)]


class _Number(NamedTuple):
    """A number of a draft. `group` is what it is the value of, where code gave those of several groups as one."""

    name: str
    value: float
    group: str = ""


def _alike(one: _Number, other: _Number) -> bool:
    """Whether two numbers are the same, and of the same group and kind as far as their names say so."""
    if not same(one.value, other.value):
        return False
    for number, another in ((one, other), (other, one)):
        if number.group and not another.group and _bare(number.group) not in _bare(another.name):
            return False
    kinds, others = _kinds(one.name), _kinds(other.name)
    return not kinds or not others or bool(kinds & others)


def _kinds(name: str) -> set[str]:
    return {_KINDS[word] for word in re.findall(r"[a-z]+", name.lower()) if word in _KINDS}


def _tells(one: _Number, other: _Number) -> bool:
    """Whether it is no likely chance that they are alike, by their digits or by what both are called."""
    return bool(one.value) and (_digits(one.value) >= TELLING or likeness(one.name, other.name) >= ALIKE)


def _bare(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.lower())


def _main(draft: Draft) -> list[_Number]:
    """The numbers that a draft mainly found; of code, which tells nothing else of them, every number."""
    main = re.compile("|".join(_MAIN[name] for name in draft.techniques if name in _MAIN) or "(?!)")
    return [number for number in _numbers(draft) if draft.kind == "code" or main.match(number.name)]


def _numbers(draft: Draft) -> list[_Number]:
    """The numbers among a draft's values; `day: 9.1` in a list is one, of the group `day`."""
    found: list[_Number] = []
    for name, value in draft.values.items():
        for part in value if isinstance(value, list) else [value]:
            label, _, number = part.rpartition(": ") if isinstance(part, str) else ("", "", part)
            read = _number(number if label or not isinstance(part, str) else None)
            if read is not None:
                found.append(_Number(name, read, label))
    return found


def _digits(number: float) -> int:
    """Significant digits."""
    return len(Decimal(repr(number)).as_tuple().digits) - repr(number).endswith(".0")


def same(left: FindingValue, right: FindingValue, places: int | None = None) -> bool:
    """Equal, up to the decimals that were asked for, or as far as one of two numbers is visibly rounded: 0.45, 0.4512.

    Whole numbers must be equal, and nothing but zero is zero, unless the decimals that were asked for make it so.
    """
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(same(a, b, places) for a, b in zip(left, right, strict=True))
    one, other = _number(left), _number(right)
    if one is None or other is None:
        return left is not None and right is not None and str(left).strip().lower() == str(right).strip().lower()
    if one.is_integer() and other.is_integer():
        return math.isclose(one, other, rel_tol=1e-14)  # the last digits of a longer sum depend on its order
    if places is not None and round(one, places) == round(other, places):
        return True
    unit = 10.0 ** -max(1, min(_decimals(one), _decimals(other)))
    rounded = abs(one - other) <= 0.5 * unit * 1.001 and math.isclose(one, other, rel_tol=ROUNDED)
    return rounded or math.isclose(one, other, rel_tol=NOISE)


def _number(value: FindingValue) -> float | None:
    if isinstance(value, bool) or value is None or isinstance(value, list):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _decimals(number: float) -> int:
    return max(0, -int(Decimal(repr(number)).normalize().as_tuple().exponent))
