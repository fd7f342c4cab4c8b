"""A wanted value is taken from the finding whose name says the same, and from none where that is not clear."""

from __future__ import annotations

import pytest

from querist.analysis.findings import Finding
from querist.analysis.matching import match
from querist.analysis.named import Wanted


@pytest.mark.parametrize(
    ("wanted", "findings", "found"),
    [
        ("correlation_coefficient", "r p n", "r"),
        ("pValue", "r p n", "p"),
        ("mean_rent_class1", "mean_Rent_1 mean_Rent_2 std_Rent_1", "mean_Rent_1"),
        ("std_dev_rent", "mean_rent std_rent", "std_rent"),
        ("root_mean_squared_error", "test_mse test_rmse", "test_rmse"),
        ("number_of_outliers", "outlier_count outlier_mean", "outlier_count"),
        ("strength", "r p n", None),
        ("mean", "mean_rent mean_size", None),
    ],
)
def test_names_that_say_the_same(wanted: str, findings: str, found: str | None) -> None:
    known = [Finding(name=name, value=1.0, meaning="") for name in findings.split()]
    matched = match([Wanted(wanted, "")], known)
    assert (matched[wanted].name if matched else None) == found


def test_words_are_not_guessed() -> None:
    assert not match([Wanted("trend", "")], [Finding(name="trend", value="rising", meaning="")])
