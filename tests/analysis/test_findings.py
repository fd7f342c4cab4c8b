"""Findings have names that tell them apart, and that a formula can be written with."""

from __future__ import annotations

import pytest

from querist.analysis.findings import Gathering, identifier
from querist.analysis.readings import read


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("mean_Price ($)", "mean_Price"),
        ("std_ - a  b_", "std__a_b"),
        ("mean_Осло", "mean_Осло"),
        ("mean_東京 (都)", "mean_東京_都"),
        ("sum_दिल्ली", "sum_दिल्ली"),
        ("area_m²", "area_m2"),
        ("$ %", "value"),
    ],
)
def test_a_name_is_an_identifier_in_any_language(text: str, name: str) -> None:
    assert identifier(text) == name
    assert name.isidentifier()


def test_values_of_one_name_are_both_kept() -> None:
    found = Gathering("describe")
    found.add("mean_a-b", 3.0, "mean where city = 'a-b'")
    found.add("mean_a b", 5.0, "mean where city = 'a b'")
    assert [(finding.name, finding.value) for finding in found.done().values] == [
        ("mean_a_b", 3.0),
        ("mean_a_b_2", 5.0),
    ]


def test_groups_in_other_letters_have_names_of_their_own() -> None:
    found = Gathering("describe")
    for place, (group, mean) in enumerate({"Осло": 3.0, "Рига": 5.0}.items()):
        found.add(f"mean_{group}", mean, f"mean where city = {group!r}")
        assert found.done().values[place].name == f"mean_{group}"
    values = {finding.name: finding.value for finding in found.done().values}
    assert read("gap = mean_Рига - mean_Осло", values) == ({"gap": 2.0}, [])
