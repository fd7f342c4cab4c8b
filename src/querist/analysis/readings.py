"""Readings: a few lines of assignments over findings, such as

    relationship = 'linear' if p < 0.05 and abs(r) >= 0.5 else 'none'

A small language read from Python's syntax and computed here: names of findings, numbers, texts, comparisons, conditions
and a few functions. Nothing else is understood, so that a reading can do nothing but compute; every number that it uses
is a finding's or stands in it.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from querist.analysis.findings import FindingValue, plain
from querist.analysis.spelling import spelt_alike
from querist.errors import UsageError

LONGEST = 4000
_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.Not: operator.not_,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
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
_DIGITS = 400
"""More than a float has on either side of its point: rounding to a trillion of them would have no end."""


def _round(number: float, ndigits: int | None = None) -> float:
    return round(number, ndigits if ndigits is None else max(-_DIGITS, min(ndigits, _DIGITS)))


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": abs, "round": _round, "min": min, "max": max, "sum": sum, "len": len, "sqrt": math.sqrt, "int": int,
    "float": float, "str": str, "sorted": sorted,
}  # fmt: skip


def read(code: str, findings: Mapping[str, FindingValue]) -> tuple[dict[str, FindingValue], list[str]]:
    """What the lines assign, by name, and a sentence for each line that could not be computed.

    A finding's name may differ in case and punctuation. Keys of a dictionary count as names. What rests on no finding,
    neither by its value nor by a condition, is nothing that was found, and is left out.

    Raises:
        UsageError: it is not readable at all.
    """
    if len(code) > LONGEST:
        raise UsageError(f"The reading is longer than {LONGEST:,} characters.")
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise UsageError(f"The reading of the results is not in Python's syntax: {error}.") from error
    reading = _Reading(findings)
    reading.follow(tree.body)
    return reading.assigned, reading.problems


class _Reading:
    def __init__(self, findings: Mapping[str, FindingValue]) -> None:
        self.findings = findings
        self.assigned: dict[str, FindingValue] = {}
        self.stated: dict[str, FindingValue] = {}
        """What rests on no finding, such as the `level = 0.05` that a later line compares with."""
        self.problems: list[str] = []

    def follow(self, lines: Sequence[ast.stmt], *, decided: bool = False) -> None:
        """Compute the lines; `decided`: a finding decided that these are computed at all."""
        for line in lines:
            try:
                self._line(line, decided)
                continue
            except UsageError as error:
                self.problems.append(error.message)
            except (TypeError, ValueError, ArithmeticError, RecursionError) as error:
                self.problems.append(f"{ast.unparse(line)!r} cannot be computed: {error}.")
            for part in ast.walk(line):  # what it was before the line is not what it is to be
                if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                    self.assigned.pop(part.id, None)
                    self.stated.pop(part.id, None)

    def _line(self, line: ast.stmt, decided: bool) -> None:
        if isinstance(line, ast.If):
            lines = line.body if self._value(line.test) else line.orelse
            self.follow(lines, decided=decided or self._rests(line.test))
        elif isinstance(line, ast.Assign) and isinstance(line.value, ast.Dict):
            for key, part in zip(line.value.keys, line.value.values, strict=True):
                if isinstance(key, ast.Constant):
                    self._keep(str(key.value), part, decided)
        elif isinstance(line, ast.Assign):
            for target in line.targets:
                if isinstance(target, ast.Name):
                    self._keep(target.id, line.value, decided)
                elif isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
                    self._keep(str(target.slice.value), line.value, decided)
                else:
                    raise UsageError(f"{ast.unparse(line)!r} is not part of a reading.")
        elif isinstance(line, ast.AugAssign) and isinstance(line.target, ast.Name):
            name = line.target.id
            self._keep(name, ast.BinOp(ast.Name(name, ast.Load()), line.op, line.value), decided)
        elif not isinstance(line, (ast.Expr, ast.Import, ast.ImportFrom, ast.Pass)):  # these change no value
            raise UsageError(f"{ast.unparse(line).splitlines()[0]!r} is not part of a reading.")

    def _keep(self, name: str, node: ast.expr, decided: bool) -> None:
        value, found = plain(self._value(node)), decided or self._rests(node)
        self.assigned.pop(name, None)
        (self.assigned if found else self.stated)[name] = value

    def _rests(self, node: ast.expr) -> bool:
        """Whether a finding has a part in it."""
        names = [part.id for part in ast.walk(node) if isinstance(part, ast.Name)]
        return any(name in self.assigned or spelt_alike(name, self.findings) for name in names)

    def _value(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Constant) and isinstance(node.value, (bool, int, float, str, type(None))):
            return node.value
        if isinstance(node, ast.Name):
            return self._named(node.id)
        if isinstance(node, ast.IfExp):
            return self._value(node.body if self._value(node.test) else node.orelse)
        if isinstance(node, ast.BoolOp):
            value = None
            for part in node.values:
                value = self._value(part)
                if bool(value) is isinstance(node.op, ast.Or):
                    break
            return value
        if isinstance(node, ast.UnaryOp) and type(node.op) in _UNARY:
            return _UNARY[type(node.op)](self._value(node.operand))
        if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
            number = _BINARY[type(node.op)](self._number(node.left), self._number(node.right))
            float(number)  # raises where it is too large: squares of squares would have no end
            return number
        if isinstance(node, ast.Compare):
            left = self._value(node.left)
            for sign, part in zip(node.ops, node.comparators, strict=True):
                right = self._value(part)
                if not _COMPARE[type(sign)](left, right):
                    return False
                left = right
            return True
        if isinstance(node, (ast.List, ast.Tuple)):
            return [self._value(part) for part in node.elts]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS:
            named = {str(part.arg): self._value(part.value) for part in node.keywords}
            return _FUNCTIONS[node.func.id](*(self._value(part) for part in node.args), **named)
        raise UsageError(f"{ast.unparse(node)!r} is not part of a reading.")

    def _number(self, node: ast.expr) -> float:
        value = self._value(node)
        if not isinstance(value, (int, float)):
            raise UsageError(f"{ast.unparse(node)!r} is not a number.")
        return value

    def _named(self, name: str) -> FindingValue:
        for known in (self.assigned, self.stated, self.findings):
            if name in known:
                return known[name]
        if (alike := spelt_alike(name, self.findings)) is None:
            raise UsageError(f"There is no finding {name!r}.", hint=f"Findings: {', '.join(list(self.findings)[:30])}.")
        return self.findings[alike]
