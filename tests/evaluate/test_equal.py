from __future__ import annotations

import datetime as dt
import decimal
import importlib.util
import os
import random
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from querist.evaluate.equal import is_ordered, same_rows, same_value

Rows = Sequence[Sequence[Any]]

EQUAL: list[tuple[str, Rows, Rows]] = [
    ("nothing and nothing", [], []),
    ("rows in another order", [(1, "a"), (2, "b")], [(2, "b"), (1, "a")]),
    ("columns in another order", [("a", 1), ("b", 2)], [(1, "a"), (2, "b")]),
    ("integer and float", [(3,)], [(3.0,)]),
    ("rounding", [(0.33333,)], [(1 / 3,)]),
    ("NULLs", [(None, 1)], [(1, None)]),
    ("the same rows twice", [(1,), (1,), (2,)], [(1,), (2,), (1,)]),
    ("two columns alike", [(1, 1, 2), (3, 3, 4)], [(2, 1, 1), (4, 3, 3)]),
]
DIFFERENT: list[tuple[str, Rows, Rows]] = [
    ("a row missing", [(1,)], [(1,), (2,)]),
    ("nothing and something", [], [(1,)]),
    ("a column missing", [(1,)], [(1, 2)]),
    ("other counts of the same rows", [(1,), (1,), (2,)], [(1,), (2,), (2,)]),
    ("text and number", [("1",)], [(1,)]),
    ("letters of another case", [("a",)], [("A",)]),
    ("a space more", [("a ",)], [("a",)]),
    ("NULL and nothing written", [(None,)], [("",)]),
    ("NULL and zero", [(None,)], [(0,)]),
    ("off by more than the tolerance", [(1.001,)], [(1.0,)]),
    ("columns that fit only one by one", [(1, 1), (2, 2)], [(1, 2), (2, 1)]),
    ("columns that fit only one by one, three", [(1, 1, 2), (2, 2, 1)], [(1, 2, 1), (2, 1, 1)]),
    ("other signs", [(-5,)], [(5,)]),
]


WHOLE: list[tuple[str, Any, Any, bool]] = [
    ("ids", 1000002, 1000003, False),
    ("dates written as numbers", 20250101, 20250131, False),
    ("ids that came as floats", 1000002.0, 1000003.0, False),
    ("ids longer than a float holds", 9007199254740992, 9007199254740993, False),
    ("a float", 1000002, 1000002.0, True),
    ("a decimal", 9007199254740993, decimal.Decimal("9007199254740993.00"), True),
    ("a sum that is a little off", 1234567, 1234567.0000001, True),
]
"""Stricter than many scorers are."""


@pytest.mark.parametrize(("one", "other", "equal"), [c[1:] for c in WHOLE], ids=[c[0] for c in WHOLE])
def test_whole_numbers_are_compared_exactly(one: Any, other: Any, equal: bool) -> None:
    for got, expected in ((one, other), (other, one)):
        assert same_rows([(got,)], [(expected,)]) is equal
        assert same_rows([("a", got), ("b", got)], [("a", got), ("b", expected)]) is equal
        assert same_value(got, expected) is equal


@pytest.mark.parametrize(("got", "expected"), [c[1:] for c in EQUAL], ids=[c[0] for c in EQUAL])
def test_equal(got: Rows, expected: Rows) -> None:
    assert same_rows(got, expected)
    assert same_rows(expected, got)


@pytest.mark.parametrize(("got", "expected"), [c[1:] for c in DIFFERENT], ids=[c[0] for c in DIFFERENT])
def test_different(got: Rows, expected: Rows) -> None:
    assert not same_rows(got, expected)
    assert not same_rows(expected, got)


def test_the_order_of_rows_counts_where_it_is_asked_for() -> None:
    rows = [(1, "x"), (2, "y"), (3, "z")]
    assert same_rows([("x", 1), ("y", 2), ("z", 3)], rows, ordered=True)
    assert not same_rows(list(reversed(rows)), rows, ordered=True)


def test_numbers_that_rounding_would_tear_apart_are_equal() -> None:
    assert same_rows([(1234.5499,), (7,)], [(1234.5501,), (7,)])
    assert not same_rows([(1234.5499,), (7,)], [(1236.0,), (7,)])


def test_a_wide_result_is_compared_under_any_order_of_its_columns() -> None:
    rng = random.Random(5)
    rows = [tuple(rng.randrange(2) for _ in range(12)) for _ in range(60)]
    order = rng.sample(range(12), 12)
    shuffled = rng.sample([tuple(row[i] for i in order) for row in rows], 60)
    assert same_rows(shuffled, rows)
    broken = [(*shuffled[0][:11], 1 - shuffled[0][11]), *shuffled[1:]]
    assert not same_rows(broken, rows)


def test_values_of_other_engines_are_compared_by_what_they_say() -> None:
    assert same_rows([(decimal.Decimal("2.50"), dt.date(2024, 5, 1))], [(2.5, "2024-05-01")])
    assert same_rows([(dt.datetime(2024, 5, 1),)], [(dt.date(2024, 5, 1),)])
    assert same_rows([(float("nan"),)], [(float("nan"),)])
    assert same_rows([(True, -0.0)], [(1, 0)])


def test_one_value_may_be_off_by_its_tolerance() -> None:
    assert same_value(10.4, 10, 0.4)
    assert not same_value(10.5, 10, 0.4)
    assert same_value(10.0005, 10)
    assert not same_value(10.1, 10)
    assert same_value(1000002.4, 1000002)
    assert not same_value(1000003, 1000002)
    assert not same_value(9007199254740993, 9007199254740992, 0)
    assert same_value("north", "north", 0.5)
    assert not same_value("10", 10, 1)
    assert same_value(None, None)


@pytest.mark.parametrize(
    ("sql", "ordered"),
    [
        ("SELECT a FROM t ORDER BY a", True),
        ("SELECT a FROM t", False),
        ("SELECT a FROM (SELECT a FROM t ORDER BY a)", False),
        ("SELECT a, (SELECT b FROM (SELECT b FROM (SELECT b FROM u ORDER BY b))) FROM t", False),
        ("SELECT a FROM t UNION SELECT b FROM u ORDER BY 1", True),
        ("SELECT a, rank() OVER (ORDER BY a) FROM t", False),
        ("WITH c AS (SELECT a FROM t ORDER BY a LIMIT 3) SELECT a FROM c", False),
        ("SELECT a FROM t WHERE b = 'order by c'", False),
        ("this is no query", False),
    ],
)
def test_which_queries_say_how_rows_are_ordered(sql: str, ordered: bool) -> None:
    assert is_ordered(sql, "sqlite") is ordered


@pytest.fixture(scope="module")
def outside() -> ModuleType:
    path = os.environ.get("QUERIST_TEST_SCORER", "")
    if not path or not Path(path).is_file():
        pytest.skip("QUERIST_TEST_SCORER does not name a file with another scorer's `equal(got, gold, ordered)`")
    spec = importlib.util.spec_from_file_location("outside_scorer", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_another_scorer_agrees_on_every_pair(outside: ModuleType) -> None:
    for name, got, expected in [*EQUAL, *DIFFERENT]:
        for ordered in (False, True):
            theirs = outside.equal(list(map(tuple, got)), list(map(tuple, expected)), ordered)
            assert same_rows(got, expected, ordered=ordered) == theirs, (name, ordered)


def test_another_scorer_agrees_on_pairs_made_at_random(outside: ModuleType) -> None:
    rng = random.Random(11)
    cells = [0, 1, 2, 2.0, 0.5, "1", "a", "A", None, 1e6, 1e6 + 400, 3.14159, 3.1416]
    equal = 0
    for _ in range(4000):
        width, height = rng.randint(1, 3), rng.randint(0, 4)
        gold = [tuple(rng.choice(cells) for _ in range(width)) for _ in range(height)]
        order = rng.sample(range(width), width)
        got = rng.sample([tuple(row[i] for i in order) for row in gold], height)
        if got and rng.random() < 0.5:
            got[0] = (*got[0][:-1], rng.choice(cells))
        ordered = rng.random() < 0.5
        theirs = outside.equal(got, gold, ordered)
        equal += theirs
        assert same_rows(got, gold, ordered=ordered) == theirs, (got, gold, ordered)
    assert 1000 < equal < 3500
