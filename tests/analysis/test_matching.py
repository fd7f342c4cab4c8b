"""A wanted value is taken from the finding whose name says the same, and from none where that is not clear."""

from __future__ import annotations

import pytest

from querist.analysis.findings import Finding
from querist.analysis.matching import match, pick
from querist.analysis.named import Wanted


@pytest.mark.parametrize(
    ("wanted", "findings", "found"),
    [
        ("correlation_coefficient", "r p n", "r"),
        ("pValue", "r p n", "p"),
        ("std_dev_rent", "mean_rent std_rent", "std_rent"),
        ("root_mean_squared_error", "test_mse test_rmse", "test_rmse"),
        ("number_of_outliers", "outlier_count outlier_mean", "outlier_count"),
        ("strength", "r p n", None),
        ("mean", "mean_rent mean_size", None),
        ("total_rent", "sum_rent count_rent", "sum_rent"),
        ("total_rent", "count_rent mean_rent", None),
        ("mean", "mean_rent", None),
    ],
)
def test_names_that_say_the_same(wanted: str, findings: str, found: str | None) -> None:
    known = [Finding(name=name, value=1.0, meaning="") for name in findings.split()]
    matched = match([Wanted(wanted, "")], known)
    assert (matched[wanted].name if matched else None) == found


def test_words_are_not_guessed() -> None:
    assert not match([Wanted("trend", "")], [Finding(name="trend", value="rising", meaning="")])


BOTH = [
    Finding(name="r", value=0.1, meaning="pearson correlation of age and rent"),
    Finding(name="p", value=0.3, meaning="p-value of the correlation of age and rent"),
    Finding(name="r_2", value=0.9, meaning="spearman correlation of age and rent"),
    Finding(name="p_2", value=0.01, meaning="p-value of the correlation of age and rent"),
]
GROUPS = [
    Finding(name="mean_rent_1", value=5.0, meaning="mean of rent where pclass = 1"),
    Finding(name="mean_rent_2", value=7.0, meaning="mean of rent where pclass = 2"),
]


@pytest.mark.parametrize(
    ("wanted", "findings", "found"),
    [
        (Wanted("pearson_correlation", ""), BOTH[:2], "r"),
        (Wanted("spearman_correlation", ""), BOTH[:2], None),
        (Wanted("spearman_correlation", ""), BOTH, None),
        (Wanted("pearson_correlation", ""), BOTH, "r"),
        (Wanted("correlation", "Spearman's coefficient"), BOTH[:2], None),
        (Wanted("correlation", ""), BOTH, None),
        (Wanted("pearson_p_value", ""), BOTH[:2], "p"),
        (Wanted("spearman_p_value", ""), BOTH, None),
        (Wanted("mean_rent_class1", ""), GROUPS, "mean_rent_1"),
        (Wanted("mean_rent_below2", ""), GROUPS, None),
        (Wanted("mean_rent_change_1", ""), GROUPS, None),
    ],
)
def test_a_value_of_another_method_or_of_other_rows_is_another_value(
    wanted: Wanted, findings: list[Finding], found: str | None
) -> None:
    matched = match([wanted], findings)
    assert (matched[wanted.name].name if matched else None) == found


def test_no_value_is_given_for_two() -> None:
    known = [Finding(name="r2", value=0.9, meaning="R squared on all rows")]
    assert list(match([Wanted("r_squared", "")], known)) == ["r_squared"]
    assert match([Wanted("r_squared", ""), Wanted("test_r_squared", "")], known) == {}


MEAN_STD = [Wanted("mean_age", ""), Wanted("std_age", "")]


def test_given_values_are_picked_by_name() -> None:
    given = {"Std Age": 3.0, "Mean Age": 30.0, "n": 5}
    assert pick(MEAN_STD, given) == ({"mean_age": 30.0, "std_age": 3.0}, "")


def test_their_order_is_a_guess_that_is_told() -> None:
    picked, guess = pick(MEAN_STD, {"average": 30.0, "deviation": 3.0})
    assert picked == {"mean_age": 30.0, "std_age": 3.0}
    assert guess == "Values were taken by their order: 'average' for mean_age, 'deviation' for std_age."


@pytest.mark.parametrize(
    "given", [{"std": 3, "mean": 30}, {"age_sd": 3, "age_mean": 30}, {"a": 1}, {"a": 1, "b": 2, "c": 3}]
)
def test_where_words_contradict_the_order_or_the_number_differs_values_are_lacking(given: dict[str, float]) -> None:
    assert pick(MEAN_STD, given) == ({"mean_age": None, "std_age": None}, "")
