"""The chart follows from the columns and the question, shows no more than can be read, and says what it left out."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from querist.charts.check import validate
from querist.charts.recommend import recommend
from querist.charts.style import PALETTE
from querist.sources.table import ResultColumn, Table

DAYS = [dt.date(2024, 1, day) for day in range(1, 11)]


def table(names: str, *rows: tuple[Any, ...]) -> Table:
    return Table(tuple(ResultColumn(name) for name in names.split()), rows)


@pytest.mark.parametrize(
    ("data", "question", "kind"),
    [
        (table("region revenue_usd", ("N", 5), ("S", 7)), "Revenue by region?", "bar"),
        (table("day sold", *((day, 3) for day in DAYS)), "How much was sold?", "line"),
        (table("day sold", *((day.isoformat(), 3) for day in DAYS)), "How much was sold?", "line"),
        (table("year price", *((2010 + n, n) for n in range(9))), "Prices", "line"),
        (table("x y", *((n, n * n) for n in range(9))), "", "scatter"),
        (table("rent", *((n % 7 + 0.5,) for n in range(30))), "", "histogram"),
        (table("kind share_pct", ("a", 60), ("b", 40)), "The kinds as a pie", "pie"),
        (table("kind share_pct", ("a", 60), ("b", 40)), "The kinds", "bar"),
        (table("a b n", *((f"a{i}", f"b{j}", i * j) for i in range(9) for j in range(9))), "", "heatmap"),
        (table("ticket status", *((f"t{n}", "open" if n % 3 else "closed") for n in range(9))), "", "bar"),
    ],
)
def test_the_columns_and_the_question_decide(data: Table, question: str, kind: str) -> None:
    chart = recommend(data, question)
    assert chart is not None
    assert chart.kind == kind
    validate(chart.spec)


@pytest.mark.parametrize("data", [table("n", (42,)), table("name", ("a",), ("b",)), table("a b")])
def test_what_no_chart_shows_better_has_none(data: Table) -> None:
    assert recommend(data, "What?") is None


def test_bars_start_at_zero_the_largest_first_and_no_more_than_fit() -> None:
    chart = recommend(table("city orders", *((f"City {n}", 100 + n) for n in range(60))))
    assert chart is not None
    assert chart.spec["encoding"]["x"]["scale"] == {"zero": True}
    assert len(chart.spec["data"]["values"]) == 25
    assert chart.spec["data"]["values"][-1] == {"city": "City 59", "orders": 159}
    assert chart.notes == ("The 25 largest of 60 are drawn.",)
    assert chart.spec["title"]["subtitle"] == ["The 25 largest of 60 are drawn."]


def test_a_pie_of_many_slices_becomes_bars_and_says_so() -> None:
    chart = recommend(table("city orders", *((f"City {n}", n + 1) for n in range(40))), "orders", kind="pie")
    assert chart is not None
    assert chart.kind == "bar"
    assert chart.notes[0] == "A pie with more than 6 slices cannot be read; bars are drawn instead."


def test_a_wish_that_the_columns_cannot_fulfil_is_told() -> None:
    chart = recommend(table("city orders", ("A", 1), ("B", 2)), kind="scatter")
    assert chart is not None
    assert chart.notes == ("A scatter chart cannot show these columns; a bar chart is drawn instead.",)


def test_titles_have_words_and_units() -> None:
    chart = recommend(table("region avg(unit_price_usd)", ("N", 5.0), ("S", 7.0)), "what do they cost?")
    assert chart is not None
    assert chart.title == "What do they cost?"
    assert chart.spec["encoding"]["x"]["title"] == "Average unit price (USD)"
    other = recommend(table("region revenue_usd", ("N", 5.0), ("S", 7.0)))
    assert other is not None
    assert other.spec["encoding"]["x"]["title"] == "Revenue (USD)"


def test_lines_are_few_and_in_colours_that_everyone_can_tell_apart() -> None:
    rows = [(day, f"p{number}", number + 1) for day in DAYS for number in range(12)]
    chart = recommend(table("day product sold", *rows))
    assert chart is not None
    assert len({row["product"] for row in chart.spec["data"]["values"]}) == 7
    assert chart.spec["config"]["range"]["category"] == PALETTE


def test_days_of_the_week_are_in_their_order() -> None:
    chart = recommend(table("weekday visits", ("Fri", 1), ("Mon", 2), ("Sun", 3)), kind="bar")
    assert chart is not None
    assert chart.spec["encoding"]["y"]["sort"] == ["Mon", "Fri", "Sun"]


def test_several_rows_of_one_bar_are_averaged_and_told() -> None:
    chart = recommend(table("city rent", ("A", 1), ("A", 3), ("B", 5)), kind="bar")
    assert chart is not None
    assert chart.spec["data"]["values"] == [{"city": "A", "rent": 2.0}, {"city": "B", "rent": 5.0}]
    assert chart.notes == ("Each mark is the mean of Rent over several rows.",)


def test_many_points_are_thinned_and_told() -> None:
    chart = recommend(table("x y", *((n, n) for n in range(5000))))
    assert chart is not None
    assert len(chart.spec["data"]["values"]) <= 2000
    assert chart.notes == ("One row in 3 is drawn, of 5,000.",)


def test_a_name_with_a_point_is_no_path() -> None:
    chart = recommend(table("a.b c[d]", ("x", 1), ("y", 2)))
    assert chart is not None
    assert chart.spec["data"]["values"][0] == {"a_b": "x", "c_d_": 1}
