"""The chart follows from the columns and the question, shows no more than can be read, and says what it left out."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import json
import os
import re
import subprocess
import sys
from collections import Counter
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
        (table("shop_id sold", (101, 5), (205, 7), (309, 2)), "", "bar"),
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


def test_a_great_loss_is_among_the_largest() -> None:
    chart = recommend(table("city profit", *((f"City {n}", 100 + n) for n in range(30)), ("Sunk", -900)))
    assert chart is not None
    assert {"city": "Sunk", "profit": -900} in chart.spec["data"]["values"]


def test_what_repeats_is_counted() -> None:
    chart = recommend(table("ticket status", *((f"t{n}", "open" if n % 3 else "closed") for n in range(9))))
    assert chart is not None
    assert {row["status"]: row["_rows"] for row in chart.spec["data"]["values"]} == {"open": 6, "closed": 3}


def test_amounts_of_one_unit_stand_side_by_side() -> None:
    chart = recommend(table("region revenue_usd costs_usd", ("N", 5, 4), ("S", 7, 2)))
    assert chart is not None
    drawn = {(row["region"], row["_measure"]): row["_value"] for row in chart.spec["data"]["values"]}
    revenue, costs = "Revenue (USD)", "Costs (USD)"
    assert drawn == {("N", revenue): 5, ("N", costs): 4, ("S", revenue): 7, ("S", costs): 2}


SALES = [(f"City {n}", 1000 // (n + 1)) for n in range(60)]


@pytest.mark.parametrize(
    ("names", "sql"),
    [
        ("city sum(sales)", ""),
        ("city total_sales", ""),
        ("city sales", "SELECT city, SUM(sales) AS sales FROM shops GROUP BY city"),
        ("city n", "SELECT city, COUNT(*) AS n FROM shops GROUP BY city"),
        ("city n", "SELECT city, ROUND(SUM(sales), 2) AS n FROM shops GROUP BY city"),
        ("city n", "SELECT `city`, SUM(`sales`) AS n FROM `shops` GROUP BY `city`"),
    ],
)
def test_bars_that_do_not_fit_are_summed_where_that_has_a_meaning(names: str, sql: str) -> None:
    chart = recommend(table(names, *SALES), sql=sql)
    assert chart is not None
    assert chart.notes == ("The 24 largest of 60 are drawn, and the others as one.",)
    last = chart.spec["data"]["values"][-1]
    assert list(last.values()) == ["Other (36 more)", sum(n for _, n in SALES[24:])]
    assert chart.spec["encoding"]["y"]["sort"][-1] == "Other (36 more)"


@pytest.mark.parametrize(
    ("names", "sql"),
    [
        ("city avg(sales)", ""),
        ("city sales", ""),
        ("city count(DISTINCT_x)", ""),
        ("city avg_total_usd", ""),
        ("city totalPerHead", ""),
        ("city running_total", ""),
        ("city median_total", ""),
        ("city total_change", ""),
        ("city count_pct", ""),
        ("city total_sales", "SELECT * FROM (SELECT city, avg(total) AS total_sales FROM shops GROUP BY city)"),
        ("city total_sales", "SELECT city, AVG(total) FROM shops GROUP BY 1 UNION SELECT city, AVG(total) FROM old"),
        ("city total_sales", "no SQL at all"),
        ("city n", "SELECT city, COUNT(*) AS n FROM shops GROUP BY ROLLUP (city)"),
        ("city n", "SELECT city, COUNT(*) AS n FROM shops GROUP BY CUBE (city)"),
        ("city n", "SELECT city, COUNT(*) AS n FROM shops GROUP BY GROUPING SETS ((city), ())"),
        ("city total_sales", "SELECT city, AVG(total) AS total_sales FROM shops GROUP BY city"),
        ("city n", "SELECT city, COUNT(DISTINCT buyer) AS n FROM shops GROUP BY city"),
    ],
)
def test_means_and_the_like_are_never_summed(names: str, sql: str) -> None:
    chart = recommend(table(names, *SALES), sql=sql)
    assert chart is not None
    assert chart.notes == ("The 25 largest of 60 are drawn.",)


def test_a_rest_that_would_hide_the_others_is_told_and_not_drawn() -> None:
    chart = recommend(table("city total", *((f"City {n}", 100) for n in range(1000))))
    assert chart is not None
    assert chart.notes == ("The 25 largest of 1,000 are drawn. The others hold 98% of the whole.",)


def test_lines_that_do_not_fit_become_one_in_grey() -> None:
    rows = [(day, f"p{number}", 100 - 8 * number) for day in DAYS for number in range(9)]
    chart = recommend(table("day product total_sold", *rows))
    assert chart is not None
    assert chart.spec["encoding"]["color"]["scale"]["domain"][-1] == "Other (3 more)"
    assert chart.spec["data"]["values"][-1] == {
        "product": "Other (3 more)",
        "total_sold": 52 + 44 + 36,
        "day": "2024-01-10T00:00:00",
    }


def test_a_pie_of_many_slices_becomes_bars_and_says_so() -> None:
    chart = recommend(table("city orders", *((f"City {n}", n + 1) for n in range(40))), "orders", kind="pie")
    assert chart is not None
    assert chart.kind == "bar"
    assert chart.notes[0] == "A pie with more than 6 slices cannot be read; bars are drawn instead."


@pytest.mark.parametrize(
    ("names", "sql"),
    [
        ("kind avg_rent", ""),
        ("kind rent", ""),
        ("kind share_pct", ""),
        ("kind total", "SELECT kind, AVG(rent) AS total FROM flats GROUP BY kind"),
    ],
)
def test_a_pie_of_what_does_not_add_up_becomes_bars_and_says_so(names: str, sql: str) -> None:
    chart = recommend(table(names, ("a", 70), ("b", 60)), kind="pie", sql=sql)
    assert chart is not None
    assert chart.kind == "bar"
    assert "which may not add up, cannot be read; bars are drawn instead." in chart.notes[0]


@pytest.mark.parametrize(
    ("truncated", "sql"),
    [
        ("Only the first 60 rows are here.", ""),
        ("", "SELECT city, SUM(sales) AS total FROM shops GROUP BY city ORDER BY 2 DESC LIMIT 60"),
        ("", "SELECT city, SUM(sales) AS total FROM shops GROUP BY city ORDER BY 2 DESC FETCH FIRST 60 ROWS ONLY"),
        ("", "SELECT city, SUM(sales) AS total FROM shops GROUP BY city HAVING SUM(sales) > 10"),
        ("", "SELECT city, SUM(sales) AS total FROM shops GROUP BY city ORDER BY 2 DESC OFFSET 3"),
        ("", "SELECT city, SUM(sales) AS total FROM shops GROUP BY city QUALIFY RANK() OVER (ORDER BY SUM(sales)) > 3"),
    ],
)
def test_some_rows_are_not_taken_for_the_whole(truncated: str, sql: str) -> None:
    some = dataclasses.replace(table("city total", *SALES), truncated=truncated or None)
    bars = recommend(some, sql=sql)
    assert bars is not None
    assert bars.notes == ("The 25 largest of 60 are drawn.", *filter(None, [truncated]))
    pie = recommend(dataclasses.replace(some, rows=some.rows[:5]), kind="pie", sql=sql.replace("60", "5"))
    assert pie is not None
    assert pie.notes[0] == "A pie of some rows only cannot be read; bars are drawn instead."


def test_a_limit_that_was_not_met_leaves_nothing_out() -> None:
    sql = "SELECT city, SUM(sales) AS total FROM shops GROUP BY city LIMIT 100"
    chart = recommend(table("city total", ("A", 5), ("B", 6)), kind="pie", sql=sql)
    assert chart is not None
    assert chart.kind == "pie"


def test_a_pie_with_several_rows_for_a_slice_says_why_it_is_none() -> None:
    chart = recommend(table("city orders", ("A", 1), ("A", 2), ("B", 2)), kind="pie")
    assert chart is not None
    assert chart.notes[0] == "A pie with several rows for a slice cannot be read; bars are drawn instead."


def test_times_without_an_amount_make_no_line() -> None:
    rows = [(DAYS[0], None), (DAYS[1], None), (DAYS[2], None), (None, 5)]
    assert recommend(table("day sold", *rows)) is None


def test_a_wish_that_the_columns_cannot_fulfil_is_told() -> None:
    chart = recommend(table("city orders", ("A", 1), ("B", 2), ("B", 4)), kind="scatter")
    assert chart is not None
    assert set(chart.notes) == {
        "A scatter chart cannot show these columns; a bar chart is drawn instead.",
        "Each mark is the mean of Orders over several rows.",
    }


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
    assert chart.notes == ("Of 5,000 points 2,000 are drawn.",)


def test_a_name_with_a_point_is_no_path() -> None:
    chart = recommend(table("a.b c[d]", ("x", 1), ("y", 2)))
    assert chart is not None
    assert chart.spec["data"]["values"][0] == {"a_b": "x", "c_d": 1}


def test_names_that_would_be_one_field_stay_two() -> None:
    chart = recommend(table("a.b a_b __proto__", ("x", 1, 2), ("y", 2, 3)))
    assert chart is not None
    assert chart.spec["data"]["values"] == [{"a_b": "x", "a_b_2": 1}, {"a_b": "y", "a_b_2": 2}]
    assert recommend(Table((ResultColumn(""), ResultColumn("constructor")), (("x", 1), ("y", 2)))) is not None


def test_rows_without_a_number_are_left_out_and_told() -> None:
    rows = [("a", 1.5), ("b", float("nan")), ("c", None), (None, 2.0), ("d", decimal.Decimal("NaN"))]
    chart = recommend(table("city rent", *rows))
    assert chart is not None
    assert chart.notes == ("Rows without Rent are left out: 3.",)
    assert [row["city"] for row in chart.spec["data"]["values"]] == ["a", "(missing)"]
    assert recommend(table("city rent", ("a", float("nan")), ("b", float("inf")))) is None


def test_a_histogram_counts_every_row_once_and_keeps_none() -> None:
    chart = recommend(table("rent", *((float(n % 100),) for n in range(10_000))), "Distribution of the rent")
    assert chart is not None
    assert sum(row["_rows"] for row in chart.spec["data"]["values"]) == 10_000
    assert len(chart.spec["data"]["values"]) == 20
    validate(chart.spec)


def test_years_and_months_stand_in_their_order_whatever_that_of_the_rows() -> None:
    years = recommend(table("year n", (2003, 1), (2001, 2), (2002, 3)), kind="line")
    months = recommend(table("month n", ("Mar", 1), ("Jan", 2), ("Dec", 3)), kind="line")
    assert years is not None
    assert months is not None
    assert years.spec["encoding"]["x"]["type"] == "quantitative"
    assert years.text().splitlines()[-1] == "2001 … 2003"
    assert months.text().splitlines()[-1] == "Jan … Dec"


@pytest.mark.parametrize("value", [10**40, ["a", "b"], 1e308, dt.timedelta(days=1), b"\xff"])
def test_any_value_makes_a_chart_or_none(value: Any) -> None:
    for data in (table("a n", (value, 1), ("x", 2)), table("a n", ("x", value), ("y", 2))):
        chart = recommend(data)
        assert chart is None or chart.text()


def test_of_many_points_every_line_is_drawn_to_its_end_with_its_peaks() -> None:
    days = [dt.date(2020, 1, 1) + dt.timedelta(days=n) for n in range(1500)]
    rows = [(day, name, 900 if n == 733 else n % 7) for n, day in enumerate(days) for name in ("North", "South")]
    chart = recommend(table("day region sold", *rows))
    assert chart is not None
    drawn: list[dict[str, Any]] = chart.spec["data"]["values"]
    assert len(drawn) <= 2000
    for name in ("North", "South"):
        line = [row for row in drawn if row["region"] == name]
        assert (line[0]["day"][:10], line[-1]["day"][:10]) == (str(days[0]), str(days[-1]))
        assert {row["sold"] for row in line} >= {0, 6, 900}
    assert chart.notes == (f"Of 3,000 points {len(drawn):,} are drawn: the lowest and the highest of each stretch.",)


def test_of_many_points_those_of_every_colour_are_drawn() -> None:
    rows = [(n, n % 7, ("a", "b", "c")[n % 3]) for n in range(6000)] + [(n, 9, "rare") for n in range(20)]
    chart = recommend(table("x y kind", *rows))
    assert chart is not None
    drawn = Counter(row["kind"] for row in chart.spec["data"]["values"])
    assert drawn["rare"] == 20
    assert min(drawn[kind] for kind in "abc") > 600
    assert {row["y"] for row in chart.spec["data"]["values"] if row["kind"] == "a"} == set(range(7))


def test_a_date_is_drawn_as_that_date_west_of_greenwich() -> None:
    months = [dt.date(2024, month, 1) for month in (3, 4, 5)]
    written: list[list[Any]] = [months, [str(day) for day in months], [str(day)[:7] for day in months], months[:2]]
    charts = [recommend(table("day sold", *((day, 3) for day in days))) for days in written]
    specs = json.dumps([chart.spec for chart in charts if chart])
    draw = "import json, sys, querist.charts.render as r; print(*map(r.to_svg, json.load(sys.stdin)), sep='|')"
    west = {**os.environ, "TZ": "America/New_York"}
    done = subprocess.run(
        [sys.executable, "-c", draw], input=specs, env=west, capture_output=True, text=True, check=True
    )
    told = [re.findall(r'"[^"]*[dD]ay: (.*?)[;"]', drawn)[0] for drawn in done.stdout.split("|")]
    assert told == [*["Mar 01, 2024"] * 3, "2024-03-01"]


def test_two_moments_of_a_day_are_two_bars() -> None:
    chart = recommend(table("at sold", ("2024-03-01 08:00", 3), ("2024-03-01 09:00", 4)))
    assert chart is not None
    assert [row["at"] for row in chart.spec["data"]["values"]] == ["2024-03-01 08:00:00", "2024-03-01 09:00:00"]
    assert "timeUnit" not in chart.spec["encoding"]["y"]


def test_what_only_looks_like_a_month_is_none() -> None:
    chart = recommend(table("part total", ("1234-56", 3), ("1234-57", 4), ("1234-58", 5)))
    assert chart is not None
    assert chart.kind == "bar"
    assert "1234-56" in [row["part"] for row in chart.spec["data"]["values"]]


def bins(*values: float) -> list[tuple[float, int]]:
    chart = recommend(table("size", *((value,) for value in values)), kind="histogram")
    assert chart is not None
    return [(row["_from"], row["_rows"]) for row in chart.spec["data"]["values"]]


def test_a_histogram_of_even_values_is_even() -> None:
    tenths = [n / 10 for n in range(31)]
    assert bins(*tenths * 10) == [(value, 10) for value in tenths]
    assert {rows for _, rows in bins(*(1000 + n / 10 for n in range(30)))} == {1}
    assert {rows for _, rows in bins(*(-n * 0.01 for n in range(1, 31)))} == {1}
    assert {rows for _, rows in bins(*range(0, 120, 2))} == {2}
    assert {rows for _, rows in bins(*range(1, 8))} == {1}


def test_a_histogram_shows_where_there_is_nothing() -> None:
    assert [rows for _, rows in bins(1, 1, 2, 5, 5)] == [2, 1, 0, 0, 2]


def test_amounts_that_are_not_drawn_are_told() -> None:
    for data in (
        table("region revenue_usd customers", ("N", 5e6, 4), ("S", 7e6, 2)),
        table("day region revenue_usd customers", *((day, "NS"[n % 2], n, 3) for n, day in enumerate(DAYS))),
    ):
        chart = recommend(data)
        assert chart is not None
        assert chart.notes == ("Not drawn: Customers.",)


def test_a_line_breaks_where_a_value_is_missing() -> None:
    sold = [3, 4, None, 5, None, 6, 7, 8, 9, 9]
    chart = recommend(table("day sold", *zip(DAYS, sold, strict=True)))
    assert chart is not None
    assert chart.notes == ("Rows without Sold are left out: 2.",)
    validate(chart.spec)
    assert len(re.findall("M", re.findall(r'"line mark" d="([^"]*)"', chart.svg())[0])) == 3
    assert chart.text().splitlines()[0].split()[0] == "▁▂▃▅▆▇██"


@pytest.mark.parametrize(("lowest", "zero"), [(1, True), (8, False)])
def test_an_axis_of_lines_starts_at_zero_where_that_takes_little_of_it(lowest: int, zero: bool) -> None:
    chart = recommend(table("day sold", *((day, lowest + day.day % 3) for day in DAYS)))
    assert chart is not None
    assert chart.spec["encoding"]["y"]["scale"] == {"zero": zero}


def test_only_the_line_breaks_that_lacks_a_value() -> None:
    rows = [(day, name, None if (day.day, name) == (4, "N") else day.day) for day in DAYS for name in "NS"]
    chart = recommend(table("day region sold", *rows, (DAYS[3], "S", None), (DAYS[4], "W", None)))
    assert chart is not None
    empty = [row for row in chart.spec["data"]["values"] if row["sold"] is None]
    assert empty == [{"day": "2024-01-04T00:00:00", "region": "N", "sold": None}]


def test_quarters_stand_in_their_order() -> None:
    chart = recommend(table("period sold", ("2024-Q2", 9), ("2024-Q1", 1), ("2024-Q3", 5)))
    assert chart is not None
    assert (chart.kind, chart.spec["encoding"]["x"]["sort"]) == ("line", "ascending")


def test_an_axis_of_days_shows_no_hours() -> None:
    chart = recommend(table("day sold", *((day, 3) for day in DAYS[:4])))
    assert chart is not None
    assert not re.findall(r">\d+ [AP]M<", chart.svg())


@pytest.mark.parametrize(
    ("data", "without"),
    [
        (table("day sold", *((day, 3) for day in DAYS), (None, 900)), "Day"),
        (table("x y", *((n, n * n) for n in range(9)), (3, None)), "Y"),
        (table("rent", *((n + 0.5,) for n in range(9)), (None,)), "Rent"),
    ],
)
def test_rows_that_have_no_place_are_told(data: Table, without: str) -> None:
    chart = recommend(data)
    assert chart is not None
    assert chart.notes == (f"Rows without {without} are left out: 1.",)
