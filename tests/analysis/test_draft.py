"""Drafts agree where they say the same thing, and neither by chance nor by rounding that nobody asked for."""

from __future__ import annotations

import pytest

from querist.analysis.draft import Draft, agree, same
from querist.analysis.findings import FindingValue


@pytest.mark.parametrize(
    ("left", "right", "places"),
    [
        (0.45, 0.4512, None),
        (25.0, 25.004, None),
        ("0.45", 0.4512, None),
        (0.123456, 0.1234567, None),
        (1e-12, 0.0, 4),
        (0.03, 0.0312, 2),
        ("North", "north ", None),
        ([1.5, 2], [1.5, 2.0], None),
        (123456789012345680.0, 123456789012345696.0, None),
    ],
)
def test_values_that_are_the_same(left: FindingValue, right: FindingValue, places: int | None) -> None:
    assert same(left, right, places)
    assert same(right, left, places)


@pytest.mark.parametrize(
    ("left", "right", "places"),
    [
        (1e-12, 0.049, None),
        (0.0, 0.05, None),
        (0.5, 0.45, None),
        (0.001, 0.0014, None),
        (0.03, 0.0312, None),
        (0.0012, 0.0049, 3),
        (100_000, 100_001, None),
        (12.9, 12.8, None),
        (0.0, -0.004, 3),
        (None, 0.0, None),
        (True, 1, None),
    ],
)
def test_values_that_differ(left: FindingValue, right: FindingValue, places: int | None) -> None:
    assert not same(left, right, places)
    assert not same(right, left, places)


CORRELATION = {"r": 0.4512, "p": 0.0312, "n": 60}
GROUPS = {"statistic": 2.413, "p_value": 0.0213, "significant": False, "mean_a": 31.24, "count_a": 40}


@pytest.mark.parametrize(
    ("technique", "found", "by_code"),
    [
        ("correlation", CORRELATION, {"correlation": 0.4512}),
        ("correlation", CORRELATION, {"r": 0.4512, "p": 0.0312, "rows": 60}),
        ("compare_groups", GROUPS, {"t": 2.413, "p": 0.0213}),
        ("describe", {"mean_age": 31.24}, {"mean": 31.24, "rows": 60}),
        ("describe", {"mean_age": 20.0}, {"average age": 20.0}),
    ],
)
def test_without_names_drafts_agree_on_a_main_finding(
    technique: str, found: dict[str, FindingValue], by_code: dict[str, FindingValue]
) -> None:
    assert agree(Draft("techniques", techniques=(technique,), values=found), Draft("code", values=by_code), ())


@pytest.mark.parametrize(
    ("technique", "found", "by_code"),
    [
        ("correlation", CORRELATION, {"rows": 60}),
        ("correlation", CORRELATION, {"r": 0.4512, "p": 0.2}),
        ("compare_groups", GROUPS, {"is_rising": False}),
        ("compare_groups", GROUPS, {"clusters": 40}),
        ("compare_groups", GROUPS, {"mean": 31.24}),
        ("describe", {"max_age": 40}, {"rows": 40}),
        ("describe", {"count_age": 40}, {"count": 40}),
        ("describe", {"mean_share": 0.5}, {"p": 0.5}),
        ("describe", {"mean_age": 31.24, "n": 600}, {"rows": 600}),
        ("missing_values", {"missing_age": 177}, {"missing": 177}),
        ("correlation", CORRELATION, {}),
    ],
)
def test_without_names_nothing_incidental_makes_drafts_agree(
    technique: str, found: dict[str, FindingValue], by_code: dict[str, FindingValue]
) -> None:
    assert not agree(Draft("techniques", techniques=(technique,), values=found), Draft("code", values=by_code), ())


@pytest.mark.parametrize(
    ("technique", "found", "by_code", "alike"),
    [
        ("describe", {"mean_price_A": 7.334, "mean_price_B": 5.213}, {"mean": ["A: 7.334", "B: 5.213"]}, True),
        ("describe", {"mean_price_A": 7.334, "mean_price_B": 5.213}, {"mean": ["A: 5.213", "B: 7.334"]}, False),
        ("compare_groups", {"mean_A": 7.334, "mean_B": 5.213}, {"mean of each group": ["A: 7.334", "B: 5.213"]}, True),
        ("describe", {"min_x": 3.25, "max_x": 9.75, "mean_x": 6.125}, {"min": 9.75, "max": 3.25}, False),
        ("compare_groups", {"p_value": 0.0}, {"p-value": 0.0}, False),
    ],
)
def test_numbers_of_groups_and_statistics_are_held_against_their_like(
    technique: str, found: dict[str, FindingValue], by_code: dict[str, FindingValue], alike: bool
) -> None:
    left, right = Draft("techniques", techniques=(technique,), values=found), Draft("code", values=by_code)
    assert agree(left, right, ()) is agree(right, left, ()) is alike
