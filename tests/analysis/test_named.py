"""Values are asked for by name, with the decimals that the words about each say."""

from __future__ import annotations

import pytest

from querist.analysis.named import Wanted, wanted


@pytest.mark.parametrize(
    ("format", "constraints", "places"),
    [
        ("@low[value] @high[value]", "", [None, None]),
        ("@low[rounded to 2 decimals] @high[an integer]", "", [2, 2]),
        ("@low[x]: two decimal places. @high[y]: three decimal places.", "", [2, 3]),
        ('@low[x] @high[y] where "x" is a number with two decimals and "y" one to 4 decimal places', "", [2, 4]),
        ('@low[x] @high[y] where "x" and "y" are decimal numbers, rounded to one decimal', "", [1, 1]),
        ("@low[value] @high[value]", "Round to three digits after the point.", [3, 3]),
        ("@low[rounded to 2 decimals] @high[x, 2 decimals]", "Scale to 4 decimals first.", [2, 2]),
    ],
)
def test_each_value_has_the_decimals_that_are_said_of_it(
    format: str, constraints: str, places: list[int | None]
) -> None:
    assert [value.places for value in wanted(format, constraints)] == places


def test_a_value_is_asked_for_once() -> None:
    assert wanted("@low[a] @high[b] @low[c]") == (Wanted("low", "c"), Wanted("high", "b"))
