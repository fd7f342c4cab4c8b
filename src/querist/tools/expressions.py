"""Formulas and conditions written by others: arithmetic, comparisons, named values and a list of functions.

Python's grammar, read into a tree and walked here; nothing of it is ever executed as Python. Numbers, texts and loops
cannot grow without end: there are no loops, and every result is held to a size.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from querist.errors import ComponentInputError

MAX_LENGTH = 2_000
"""Characters of an expression."""
MAX_BITS = 14_000
"""Of a whole number: some 4200 digits, which is as many as Python writes out."""
MAX_TEXT = 100_000
"""Characters of a text that an expression makes."""

Function = Callable[..., Any]


def _power(base: Any, exponent: Any) -> Any:
    if isinstance(base, int) and isinstance(exponent, int):
        if exponent > 0 and base.bit_length() * exponent > MAX_BITS:
            raise OverflowError("the power is too large")
        if exponent < -MAX_BITS:
            raise OverflowError("the power is too small")
    return base**exponent


def _factorial(n: int) -> int:
    if n > 1_000:
        raise OverflowError("the factorial is too large")
    return math.factorial(n)


def _round(number: float, places: int = 0) -> float:
    if abs(places) > 400:
        raise OverflowError("there are no such decimal places")
    return round(number, places) if places else round(number)


def _choose(n: int, k: int) -> int:
    if n > 10_000:
        raise OverflowError("there are too many to choose from")
    return math.comb(n, k)


ARITHMETIC: dict[str, Function] = {
    **{
        name: getattr(math, name)
        for name in (
            *("sqrt", "cbrt", "exp", "log", "log2", "log10", "sin", "cos", "tan", "asin", "acos", "atan", "atan2"),
            *("sinh", "cosh", "tanh", "degrees", "radians", "hypot", "floor", "ceil", "trunc", "gcd", "isclose"),
        )
    },
    "ln": math.log,
    "abs": abs,
    "round": _round,
    "min": min,
    "max": max,
    "factorial": _factorial,
    "comb": _choose,
}
"""Functions of numbers."""
CONSTANTS = {"pi": math.pi, "π": math.pi, "e": math.e, "tau": math.tau}

TEXT: dict[str, Function] = {
    "lower": lambda text: str(text).lower(),
    "upper": lambda text: str(text).upper(),
    "trim": lambda text: str(text).strip(),
    "length": lambda text: len(text),
    "contains": lambda text, part: str(part) in str(text),
    "starts_with": lambda text, part: str(text).startswith(str(part)),
    "ends_with": lambda text, part: str(text).endswith(str(part)),
    "number": float,
    "text": str,
    "coalesce": lambda *values: next((value for value in values if value is not None), None),
}
"""Functions of text, for conditions on rows."""

_BINARY: dict[type[ast.operator], Function] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: _power,
}
_UNARY: dict[type[ast.unaryop], Function] = {ast.UAdd: operator.pos, ast.USub: operator.neg, ast.Not: operator.not_}
_COMPARED: dict[type[ast.cmpop], Function] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}


class Expression:
    """An expression, read and found to be allowed.

    Args:
        text: such as `price * 1.19 > 100 and kind in ["a", "b"]`.
        functions: those that it may call, by name.

    Raises:
        ComponentInputError: it cannot be read, or holds something that is not allowed.
    """

    def __init__(self, text: str, functions: Mapping[str, Function]) -> None:
        self.text = text
        self._functions = functions
        if len(text) > MAX_LENGTH:
            raise ComponentInputError(f"The expression has more than {MAX_LENGTH:,} characters.")
        try:
            self._tree = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            reason = error.msg if isinstance(error, SyntaxError) else str(error)
            raise ComponentInputError(f"{text!r} cannot be read: {reason}.") from error

    def __call__(self, values: Mapping[str, Any]) -> Any:
        """Its value, with names standing for `values`.

        Raises:
            ComponentInputError: it has none: division by zero, an unknown name, types that do not go together.
        """
        try:
            return self._value(self._tree, values)
        except (ArithmeticError, TypeError, ValueError, RecursionError) as error:
            raise ComponentInputError(f"{self.text!r} has no value: {error}.") from error

    def _value(self, node: ast.expr, values: Mapping[str, Any]) -> Any:
        match node:
            case ast.Constant(value=bool() | int() | float() | str() | None as constant):
                return _bounded(constant)
            case ast.Name(id=name):
                if name not in values:
                    known = ", ".join(list(values)[:20]) or "none"
                    raise ComponentInputError(f"There is no value {name!r} in {self.text!r}.", hint=f"Known: {known}.")
                return values[name]
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                a, b = self._value(left, values), self._value(right, values)
                both_text = isinstance(a, str) and isinstance(b, str) and isinstance(op, ast.Add)
                if not both_text and not (isinstance(a, int | float) and isinstance(b, int | float)):
                    raise TypeError(f"{type(a).__name__} and {type(b).__name__} do not go together")
                return _bounded(_BINARY[type(op)](a, b))
            case ast.UnaryOp(op=op, operand=operand) if type(op) in _UNARY:
                return _UNARY[type(op)](self._value(operand, values))
            case ast.BoolOp(op=op, values=parts):
                value: Any = None
                for part in parts:
                    value = self._value(part, values)
                    if bool(value) is isinstance(op, ast.Or):
                        break
                return value
            case ast.Compare(left=left, ops=ops, comparators=others) if all(type(op) in _COMPARED for op in ops):
                a = self._value(left, values)
                for compared, other in zip(ops, others, strict=True):
                    b = self._value(other, values)
                    if not _COMPARED[type(compared)](a, b):
                        return False
                    a = b
                return True
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self._value(body if self._value(test, values) else orelse, values)
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                return [self._value(element, values) for element in elements]
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in self._functions:
                return _bounded(self._functions[name](*(self._value(argument, values) for argument in arguments)))
            case ast.Call(func=ast.Name(id=name)):
                known = ", ".join(self._functions)
                raise ComponentInputError(f"There is no function {name!r} in {self.text!r}.", hint=f"Known: {known}.")
        raise ComponentInputError(f"{ast.unparse(node)!r} is not allowed in {self.text!r}.")


def _bounded(value: Any) -> Any:
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        raise OverflowError("the number is too large")
    if isinstance(value, str) and len(value) > MAX_TEXT:
        raise OverflowError("the text is too long")
    if isinstance(value, complex):
        raise ValueError("it is not a real number")
    return value
