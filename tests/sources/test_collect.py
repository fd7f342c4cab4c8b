from __future__ import annotations

import pytest

from querist.sources.base import Limits
from querist.sources.collect import Fetch, collect_rows
from querist.sources.table import ResultColumn, Table


def fetch_from(rows: list[tuple[object, ...]]) -> Fetch:
    rest = iter(rows)
    return lambda n: [row for _, row in zip(range(n), rest, strict=False)]


def collect(data: list[tuple[object, ...]], **limits: int) -> Table:
    return collect_rows(fetch_from(data), [ResultColumn("a")], Limits(**limits), source="here")


def test_all_rows_arrive_in_order_across_batches() -> None:
    table = collect([(n,) for n in range(3_456)])
    assert [row[0] for row in table] == list(range(3_456))
    assert table.truncated is None
    assert table.source == "here"


@pytest.mark.parametrize("extra", [1, 500])
def test_a_result_longer_than_the_row_cap_is_cut_and_says_so(extra: int) -> None:
    table = collect([(n,) for n in range(2_000 + extra)], rows=2_000)
    assert len(table) == 2_000
    assert table.truncated is not None and "2,000 rows" in table.truncated


def test_a_result_that_just_fits_the_row_cap_is_not_called_cut() -> None:
    assert collect([(n,) for n in range(2_000)], rows=2_000).truncated is None


def test_a_result_larger_than_the_byte_cap_is_cut_and_says_so() -> None:
    table = collect([("x" * 1_000,)] * 500, bytes=100_000)
    assert 90 <= len(table) <= 100
    assert table.truncated is not None and "100,000 bytes" in table.truncated


def test_a_single_huge_row_is_still_shown() -> None:
    table = collect([("x" * 1_000,)], bytes=10)
    assert len(table) == 1
    assert table.truncated is None


def test_nested_values_count_towards_the_byte_cap() -> None:
    table = collect([([{"k": "x" * 1_000}],)] * 500, bytes=100_000)
    assert len(table) < 100


def test_no_rows_make_an_empty_table_with_its_columns() -> None:
    table = collect([])
    assert table.names == ["a"]
    assert len(table) == 0
