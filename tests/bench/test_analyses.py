"""A question in plain words is right when technique, values and words are, and a lie when its words are false."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bench.analyses import faults
from querist.analysis.analysis import Analysis
from querist.analysis.findings import Finding
from querist.analysis.techniques import TECHNIQUES

CASE: dict[str, Any] = {
    "technique": ["correlation"],
    "values": [["r", -0.9005]],
    "says": "negativ",
    "never": "(?<!no )positiv",
}


def answer(text: str, r: float = -0.9, technique: str = "correlation") -> Analysis:
    found = [Finding(name="r", value=r, meaning="pearson correlation")]
    return Analysis(question="?", status="unverified", text=text, techniques=[technique], findings=found)


@pytest.mark.parametrize(
    ("result", "wrong"),
    [
        (answer("A negative correlation."), []),
        (answer("A negative correlation.", r=-0.8), ["value"]),
        (answer("A negative correlation.", technique="describe"), ["technique"]),
        (answer("It is 3."), ["words"]),
        (answer("A positive correlation."), ["words", "lie"]),
    ],
)
def test_what_is_wrong_with_an_answer(result: Analysis, wrong: list[str]) -> None:
    assert faults(CASE, result) == wrong


def test_the_sets_can_be_asked() -> None:
    known = {kind.name for kind in TECHNIQUES}
    cases = [
        (file.parent, json.loads(line))
        for file in Path("bench/questions").glob("*/cases.jsonl")
        for line in file.read_text().splitlines()
    ]
    assert len(cases) > 70
    for folder, case in cases:
        assert not pd.read_csv(folder / case["file"]).empty
        assert {*case["technique"]} <= known
        assert re.compile(case["says"])
        assert re.compile(case["never"]) is not None
