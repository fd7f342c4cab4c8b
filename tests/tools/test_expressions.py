from __future__ import annotations

from typing import Any

import pytest

from querist.errors import ComponentInputError
from querist.tools.expressions import ARITHMETIC, TEXT, Expression

ROW = {"price": 12.5, "kind": "Tea", "note": None}


def value(text: str, **values: Any) -> Any:
    return Expression(text, ARITHMETIC | TEXT)({**ROW, **values})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2 + 3 * 4 ** 2", 50),
        ("-7 // 2", -4),
        ("price * 2 > 20 and kind == 'Tea'", True),
        ("kind in ['Tea', 'Milk']", True),
        ("note is None", True),
        ("1 < price < 10", False),
        ("'cheap' if price < 10 else 'dear'", "dear"),
        ("contains(lower(kind), 'te')", True),
        ("coalesce(note, 'x') + '!'", "x!"),
        ("note and note > 1", None),
    ],
)
def test_an_expression_has_the_value_that_its_reader_expects(text: str, expected: Any) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "().__class__",
        "kind.upper()",
        "[x for x in [1]]",
        "(lambda: 1)()",
        "kind[0]",
        "f'{price}'",
        "(x := 1)",
        "open('/etc/passwd')",
        "max(*[1])",
        "round(number=1)",
        "b'x'",
        "1j",
        "...",
        "1; 2",
        "",
        "(" * 500,
        "-" * 1999 + "1",
        "x" * 3000,
    ],
)
def test_nothing_else_of_python_is_understood(text: str) -> None:
    with pytest.raises(ComponentInputError):
        value(text)


@pytest.mark.parametrize(
    "text",
    [
        "9 ** 9 ** 9",
        "2 ** -99999999",
        "factorial(99999)",
        "round(5, -10 ** 9)",
        "comb(10**9, 10**8)",
        "'a' * 10 ** 9",
        "10 ** 4000 * 10 ** 4000",
        "10.0 ** 400",
        "1 / 0",
        "(-1) ** 0.5",
        "1 < 'a'",
    ],
)
def test_what_would_grow_without_end_or_has_no_value_is_told(text: str) -> None:
    with pytest.raises(ComponentInputError, match="has no value"):
        value(text)


def test_an_unknown_name_is_told_with_those_that_are_known() -> None:
    with pytest.raises(ComponentInputError, match="'cost'") as failure:
        value("cost + 1")
    assert "price" in failure.value.hint
