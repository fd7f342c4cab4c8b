"""A name stands for another only where nothing but case and punctuation differs."""

from __future__ import annotations

import pytest

from querist.analysis.spelling import spelt_alike


@pytest.mark.parametrize(
    ("name", "names", "meant"),
    [
        ("close price", ["Close Price", "Open Price"], "Close Price"),
        ("Close_Price", ["close-price"], "close-price"),
        ("ClosePrice", ["close price"], "close price"),
        ("growth", ["Growth (%)"], "Growth (%)"),
        ("a", ["A", "a"], "a"),
    ],
)
def test_names_that_differ_in_case_and_punctuation_are_the_same(name: str, names: list[str], meant: str) -> None:
    assert spelt_alike(name, names) == meant


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("sales_2023", "sales_2022"),
        ("female_count", "male_count"),
        ("min_temperature", "max_temperature"),
        ("employer_share", "employee_share"),
        ("asymmetric", "symmetric"),
        ("unpaid", "paid"),
        ("volumes", "volume"),
        ("v1.1", "v11"),
        ("share<5", "share>5"),
        ("growth $", "growth %"),
        ("?", "!"),
    ],
)
def test_any_other_name_is_another_thing_however_near(name: str, other: str) -> None:
    assert spelt_alike(name, [other]) is None


def test_of_two_names_that_both_fit_none_is_taken() -> None:
    assert spelt_alike("PRICE", ["Price", "price"]) is None
