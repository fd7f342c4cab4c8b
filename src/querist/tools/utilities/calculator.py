"""`calculator`: the value of an expression."""

from __future__ import annotations

import math
import re

from pydantic import BaseModel, Field

from querist.core.component import Component
from querist.core.context import RunContext
from querist.errors import ComponentInputError
from querist.tools.expressions import ARITHMETIC, CONSTANTS, Expression
from querist.tools.tool import ToolInput

DIGITS = 15
"""Significant digits of a result: one fewer than where binary fractions show, so that 0.1 + 0.2 is 0.3."""

_SIGNS = {"^": "**", "×": "*", "·": "*", "÷": "/", "−": "-"}


class CalculatorInput(ToolInput):
    expression: str = Field(description="Such as `sqrt(25) + log10(100) * sin(π / 4)`.", examples=["2 ^ 10 / 3"])
    variables: dict[str, int | float] = Field(default={}, description="What names in the expression stand for.")
    precision: int | None = Field(default=None, description="Decimal places of the result.", ge=0, le=DIGITS)


class Calculated(BaseModel):
    result: int | float


class Calculator(Component[CalculatorInput, Calculated]):
    name = "calculator"
    description = f"""Calculate the value of an expression.

    `^` and `**` are powers. `log(x)` is the natural logarithm, `log(x, b)` that to the base b; `log10`, `log2` and `ln`
    say it in their names. Angles are in radians. Constants: pi or π, e, tau.
    Functions: {", ".join(sorted(ARITHMETIC))}."""

    async def run(self, input: CalculatorInput, context: RunContext) -> Calculated:
        text = input.expression
        for written, meant in _SIGNS.items():
            text = text.replace(written, meant)
        if re.search(r"[\"'\[]", text):
            raise ComponentInputError("The calculator knows numbers only.")
        value = Expression(text, ARITHMETIC)({**CONSTANTS, **input.variables})
        if not isinstance(value, int | float) or not math.isfinite(value):
            raise ComponentInputError(f"{input.expression!r} has no finite value.")
        if isinstance(value, float):
            value = float(f"{value:.{DIGITS}g}") if input.precision is None else round(value, input.precision)
        return Calculated(result=value)
