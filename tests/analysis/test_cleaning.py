"""Text is mended where nothing is lost, and everything that was done or found is told."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from querist.analysis.cleaning import clean


@pytest.mark.parametrize(
    ("text", "values", "told"),
    [
        (["$1,234", "$5", "$7.50"], [1234.0, 5.0, 7.5], "text was read as numbers"),
        (["12%", "3%", "-"], [12, 3, None], "text was read as numbers"),
        (["2024-01-05", "2024/02/06"], ["2024-01-05", "2024-02-06"], "text was read as dates, in 2 formats"),
        (["1.234,56", "7,5"], [1234.56, 7.5], "text was read as numbers"),
        (["(123)", "45"], [-123, 45], "(123) is read as negative"),
        (["2024-01-05", "13/02/2024", "Feb 20, 2024"], ["2024-01-05", "2024-02-13", "2024-02-20"], "in 3 formats"),
        (["Bern", " Bern", "Chur"], ["Bern", "Bern", "Chur"], "blanks around 1 value were left out"),
        (["10:05", "12:30"], [dt.time(10, 5), dt.time(12, 30)], "text was read as times"),
        (["9007199254740993", "5"], [9007199254740993, 5], "text was read as numbers"),
        (["Bern", "bern", "Bern"], ["Bern", "Bern", "Bern"], "'bern' was read as 'Bern'"),
        (["Bern", "N/A", ""], ["Bern", None, None], "'', 'n/a' in 2 rows was read as missing"),
    ],
)
def test_what_is_safe_is_mended_and_told(text: list[str], values: list[object], told: str) -> None:
    frame = pd.DataFrame({"x": text})
    cleaned, notes = clean(frame)
    got = [
        None if pd.isna(value) else str(value)[:10] if isinstance(value, pd.Timestamp) else value
        for value in cleaned["x"]
    ]
    assert got == values
    assert told in " ".join(notes).lower() or told in " ".join(notes)
    assert frame["x"].tolist() == text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (["a", "A", "b"], "'A' and 'a': kept"),
        (["yes", "no", "NO"], "'NO' and 'no': kept"),
        (["1", "2", "3", "4", "x"], "most values are numbers"),
        (["01/02/2024", "03/04/2024"], "may be day/month or month/day"),
        (["01/02/2024", "2024-03-05"], "may be day/month or month/day"),
        (["2024-03-05", "01/02/2024", "x"], ""),
        (["2024-02-30", "2024-01-01"], "'2024-02-30' cannot be read as the others"),
        (["$5", "€7"], "not all numbers are of one unit ($, €)"),
        (["12%", "0.5"], "not all numbers are of one unit (%)"),
        (["(1)", "(2)"], ""),
        (["none", "some"], ""),
        (["12345678901234567.25", "1.5"], "numbers of more than 15 digits"),
        (["12345678901234567890", "1"], "numbers of more than 15 digits"),
    ],
)
def test_what_could_mean_something_is_left(text: list[str], told: str) -> None:
    cleaned, notes = clean(pd.DataFrame({"x": text}))
    assert cleaned["x"].tolist() == text
    assert told in " ".join(notes)


def test_repeated_rows_are_told_and_kept() -> None:
    cleaned, notes = clean(pd.DataFrame({"x": [1, 1], "y": ["a b", "a b"]}))
    assert len(cleaned) == 2
    assert notes == ["1 row the same as another in every column: kept."]


def test_text_among_numbers_is_told() -> None:
    frame = pd.DataFrame({"x": pd.Series([1, "two"], dtype="object")})
    assert clean(frame)[1] == ["x: holds text among other values: left as they are."]


def test_clean_data_stay_the_very_same() -> None:
    frame = pd.DataFrame({"x": [1, 2], "y": ["one", "two"]})
    cleaned, notes = clean(frame)
    assert cleaned is frame
    assert notes == []
