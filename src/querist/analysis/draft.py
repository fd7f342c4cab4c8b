"""A draft of an analysis: values by name, and how they came about. Drafts are compared by their values."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from querist.analysis.findings import Finding, FindingValue
from querist.charts.chart import Chart

Kind = Literal["techniques", "code"]


@dataclass(frozen=True)
class Draft:
    """One way to the answer and where it led.

    Attributes:
        kind: whether standard techniques or generated code computed it.
        script: the plan as JSON, or the code that ran.
        techniques: names of those that the plan chose; none of code.
        values: the values that were asked for, by name; for a question that names none, all that it found.
        findings: everything that the techniques found; of code, its values.
        notes: what was done to the data, and what was mended in the script.
        error: why there are no values; empty when there are.
    """

    kind: Kind
    script: str = ""
    techniques: tuple[str, ...] = ()
    values: dict[str, FindingValue] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    chart: Chart | None = None
    error: str = ""

    @property
    def usable(self) -> bool:
        return not self.error and any(value is not None for value in self.values.values())

    @property
    def complete(self) -> bool:
        """Every value that was asked for is there."""
        return self.usable and all(value is not None for value in self.values.values())


def agree(left: Draft, right: Draft, names: tuple[str, ...]) -> bool:
    """Whether two drafts say the same.

    For named values all must be equal. Without names, every value of the shorter draft must be among the longer one's,
    and closer than rounding, for nothing says which of them is meant.
    """
    if names:
        return all(same(left.values.get(name), right.values.get(name)) for name in names)
    few, many = sorted((list(left.values.values()), list(right.values.values())), key=len)
    return bool(few) and all(any(same(one, other) and _close(one, other) for other in many) for one in few)


def _close(left: FindingValue, right: FindingValue) -> bool:
    numbers = _number(left), _number(right)
    return numbers[0] is None or numbers[1] is None or math.isclose(numbers[0], numbers[1], rel_tol=0.01)


def same(left: FindingValue, right: FindingValue) -> bool:
    """Equal, up to rounding: numbers are compared to the decimals of the one that has fewer, at least one."""
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(same(a, b) for a, b in zip(left, right, strict=True))
    numbers = [_number(value) for value in (left, right)]
    if numbers[0] is not None and numbers[1] is not None:
        decimals = max(1, min(_decimals(numbers[0]), _decimals(numbers[1])))
        return abs(numbers[0] - numbers[1]) <= 0.5 * 10.0**-decimals * 1.001
    return left is not None and right is not None and str(left).strip().lower() == str(right).strip().lower()


def _number(value: FindingValue) -> float | None:
    if isinstance(value, bool) or value is None or isinstance(value, list):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def _decimals(number: float) -> int:
    text = f"{number:.10f}".rstrip("0")
    return len(text.partition(".")[2])
