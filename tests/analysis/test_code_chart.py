"""The picture of what code read says what it shows, and shows some of everything where there is much."""

from __future__ import annotations

import pandas as pd

from querist.analysis.code_chart import MOST_ROWS, chart_of_code, columns_read


def test_it_says_in_the_picture_that_it_shows_no_result() -> None:
    frame = pd.DataFrame({"city": ["A", "B"], "rent": [5, 7]})
    chart = chart_of_code("df.groupby('city')['rent'].mean()", frame, "Rents")
    assert chart is not None
    assert chart.notes == ("This shows the data that the code read (city, rent), not its result.",)
    assert chart.spec["title"] == {"text": "Rents", "subtitle": list(chart.notes)}


def test_a_method_is_no_column_that_was_read() -> None:
    assert columns_read("df.groupby('city').size()", ["size", "city"]) == ["city"]
    assert columns_read("df.size.mean() + df['city'].count()", ["city", "size", "count"]) == ["size", "city"]


def test_of_rows_that_take_turns_all_kinds_are_looked_at() -> None:
    frame = pd.DataFrame({"city": ["A", "B"] * MOST_ROWS, "rent": range(2 * MOST_ROWS)})
    chart = chart_of_code("df.groupby('city')['rent'].mean()", frame, "Rents")
    assert chart is not None
    assert {row["city"] for row in chart.spec["data"]["values"]} == {"A", "B"}
    assert chart.notes[1] == "Of 100,000 rows 50,000 were looked at."
