from __future__ import annotations

from decimal import Decimal

import pytest

from querist.answer.vote import Ballot, groups, is_blank, result_key
from querist.sources.table import ResultColumn, Table, Value


def table(*rows: tuple[Value, ...]) -> Table:
    width = len(rows[0]) if rows else 1
    return Table(tuple(ResultColumn(f"c{i}") for i in range(width)), rows)


def same(one: Table, other: Table) -> bool:
    return result_key(one) == result_key(other)


def test_order_of_rows_and_columns_does_not_matter() -> None:
    assert same(table(("a", 1), ("b", 2)), table((2, "b"), (1, "a")))


def test_pairs_that_are_crossed_are_not_the_same() -> None:
    assert not same(table(("a", 1), ("b", 2)), table(("a", 2), ("b", 1)))


def test_repeated_rows_count() -> None:
    assert not same(table((1,), (1,)), table((1,)))


def test_numbers_are_compared_by_value_not_by_type_or_last_digit() -> None:
    assert same(table((1,)), table((1.0,)))
    assert same(table((Decimal("2.50"),)), table(("2.5",)))
    assert same(table((1 / 3,)), table((0.333333,)))
    assert not same(table((0.33,)), table((0.34,)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1000002, 1000003),
        (20250101, 20250131),
        (2**53, 2**53 + 1),
        (1000002.0, 1000003.0),
        (Decimal(1000002), 1000003),
        (123457, 123456.7),
        (1234567.89, 1234571.13),
        (0.12345, 0.12348),
        ("007", "7"),
        ("007", 7),
        ("1.10", "1.1"),
        ("1e5", 100000),
        ("1000002", "1000003"),
    ],
)
def test_ids_codes_and_amounts_are_compared_as_they_are(one: Value, other: Value) -> None:
    assert not same(table((one,)), table((other,)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1000002, 1000002.0),
        (1000002, Decimal("1000002.00")),
        (1000002, "1000002"),
        (1000002, 1000002.0000001),
        (1234567.894999, 1234567.89),
        (0.1 + 0.2, 0.3),
        (True, 1),
        (-0.0, 0),
        (float("nan"), float("nan")),
        (float("inf"), float("inf")),
    ],
)
def test_how_an_engine_writes_a_number_does_not_matter(one: Value, other: Value) -> None:
    assert same(table((one,)), table((other,)))


def test_null_is_not_zero_and_not_text() -> None:
    assert not same(table((None,)), table((0,)))
    assert not same(table((None,)), table(("None",)))


def test_a_table_with_one_column_more_is_another_result() -> None:
    assert not same(table((1,)), table((1, 1)))


def test_blank_is_no_rows_or_only_null() -> None:
    assert is_blank(table())
    assert is_blank(table((None, None)))
    assert not is_blank(table((0,)))


def winner(*tables: Table) -> list[int]:
    return [ballot.draft for ballot in groups([Ballot(i, t) for i, t in enumerate(tables)])[0]]


def test_the_result_with_most_votes_wins() -> None:
    assert winner(table((1,)), table((2,)), table((2,))) == [1, 2]


def test_of_equals_the_earlier_draft_wins() -> None:
    assert winner(table((1,)), table((2,))) == [0]


def test_of_equals_one_that_nothing_speaks_against_wins() -> None:
    ranked = groups([Ballot(0, table((1,)), flawed=True), Ballot(1, table((2,)))])
    assert [group[0].draft for group in ranked] == [1, 0]


def test_a_blank_result_never_wins_over_one_that_is_not() -> None:
    assert winner(table(), table((None,)), table(), table((7,))) == [3]
    assert winner(table(), table()) == [0, 1]
