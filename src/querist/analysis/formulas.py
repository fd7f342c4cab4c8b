"""Formulas over findings, such as `'linear' if p < 0.05 and abs(r) >= 0.5 else 'none'`.

A small language read from Python's syntax and computed here: names of findings, numbers, texts, comparisons, conditions
and a few functions. Nothing else is understood, so a formula can do nothing but compute; every number that it uses is a
finding's or stands in it.
"""

from __future__ import annotations

import ast
import difflib
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from querist.analysis.findings import FindingValue, plain
from querist.errors import UsageError

LONGEST = 500
_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
    ast.Is: operator.eq,
    ast.IsNot: operator.ne,
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": abs, "round": round, "min": min, "max": max, "sum": sum, "len": len, "sqrt": math.sqrt, "int": int,
    "float": float, "str": str, "sorted": sorted,
}  # fmt: skip


def compute(formula: str, values: Mapping[str, FindingValue]) -> FindingValue:
    """What the formula says of these findings. A name that nearly fits one finding is read as it.

    Raises:
        UsageError: it is no formula, names something unknown, or cannot be computed.
    """
    if len(formula) > LONGEST:
        raise UsageError(f"The formula is longer than {LONGEST} characters.")
    try:
        tree = ast.parse(formula.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError) as error:
        raise UsageError(f"{formula!r} is not a formula.") from error
    try:
        return plain(_value(tree.body, values))
    except (TypeError, ValueError, ArithmeticError, RecursionError) as error:
        raise UsageError(f"{formula!r} cannot be computed: {error}.") from error


def _value(node: ast.expr, values: Mapping[str, FindingValue]) -> Any:
    if isinstance(node, ast.Constant) and isinstance(node.value, (bool, int, float, str, type(None))):
        return node.value
    if isinstance(node, ast.Name):
        return values[known_name(node.id, values)]
    if isinstance(node, ast.IfExp):
        return _value(node.body if _value(node.test, values) else node.orelse, values)
    if isinstance(node, ast.BoolOp):
        wanted = isinstance(node.op, ast.Or)
        return wanted if any(bool(_value(part, values)) is wanted for part in node.values) else not wanted
    if isinstance(node, ast.UnaryOp):
        value = _value(node.operand, values)
        return not value if isinstance(node.op, ast.Not) else -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        return _BINARY[type(node.op)](_numeric(node.left, values), _numeric(node.right, values))
    if isinstance(node, ast.Compare):
        left = _value(node.left, values)
        for sign, part in zip(node.ops, node.comparators, strict=True):
            right = _value(part, values)
            if not _COMPARE[type(sign)](left, right):
                return False
            left = right
        return True
    if isinstance(node, (ast.List, ast.Tuple)):
        return [_value(part, values) for part in node.elts]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS:
        return _FUNCTIONS[node.func.id](*(_value(part, values) for part in node.args))
    raise UsageError(f"{ast.unparse(node)!r} is not part of a formula.")


def _numeric(node: ast.expr, values: Mapping[str, FindingValue]) -> float:
    value = _value(node, values)
    if not isinstance(value, (int, float)):
        raise UsageError(f"{ast.unparse(node)!r} is not a number.")
    return value


def known_name(name: str, values: Mapping[str, FindingValue]) -> str:
    """The finding of that name, or the one that it nearly spells; UsageError when there is none."""
    if name in values:
        return name
    lowered = {known.lower(): known for known in values}
    near = difflib.get_close_matches(name.lower(), lowered, 1, 0.8)
    if not near:
        raise UsageError(f"There is no finding {name!r}.", hint=f"Findings: {', '.join(list(values)[:30])}.")
    return lowered[near[0]]
