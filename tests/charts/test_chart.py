"""A chart is data: a spec from anywhere is checked, nothing is fetched or computed, and it is drawn offline."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from querist.charts.chart import Chart
from querist.charts.check import from_spec
from querist.charts.recommend import recommend
from querist.errors import UsageError
from querist.sources.table import ResultColumn, Table

TABLE = Table((ResultColumn("region"), ResultColumn("sold")), (("North", 5), ("South", 7), ("<script>", 2)))
BARS: dict[str, Any] = {
    "mark": "bar",
    "encoding": {"x": {"field": "region", "type": "nominal"}, "y": {"field": "sold", "type": "quantitative"}},
}


@pytest.fixture(scope="module")
def chart() -> Chart:
    found = recommend(TABLE, "What was sold?")
    assert found is not None
    return found


def test_a_spec_over_the_columns_gets_the_tables_data() -> None:
    chart = from_spec(BARS, TABLE)
    assert (chart.kind, chart.notes) == ("bar", ())
    assert chart.spec["data"]["values"][0] == {"region": "North", "sold": 5}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"y": {"scale": {"domain": [4, 8]}}}, "y.scale"),
        ({"y": {"scale": {"domainMin": 4}}}, "y.scale"),
        ({"y": {"scale": {"zero": False}}}, "y.scale"),
        ({"y": {"scale": {"type": "log"}}}, "y.scale"),
        ({"y": {"scale": {"reverse": True}}}, "y.scale"),
        ({"y": {"scale": {"range": [0, 320]}}}, "y.scale"),
        ({"y": {"scale": None}}, "y.scale"),
        ({"y": {"type": None, "scale": {"type": "linear", "domain": [4, 8]}}}, "y.scale"),
        ({"y": {"type": None, "aggregate": "mean", "scale": {"domain": [4, 8]}}}, "y.scale"),
        ({"y": {"sort": "descending"}}, "y.sort"),
        ({"y": {"stack": None}}, "y.stack"),
        ({"y": {"type": "ordinal"}}, "y.type"),
        ({"y": {"type": "nominal"}}, "y.type"),
        ({"y": {"bandPosition": 0.5}}, "y.bandPosition"),
        ({"opacity": {"value": 0}}, "opacity"),
    ],
)
@pytest.mark.parametrize("mark", ["bar", {"type": "bar", "clip": True, "y2Offset": 50}])
def test_bars_are_drawn_from_zero_upwards_and_in_proportion(mark: Any, change: dict[str, Any], told: str) -> None:
    encoding = {name: {**BARS["encoding"].get(name, {}), **channel} for name, channel in change.items()}
    encoding = {
        name: {k: v for k, v in channel.items() if (k, v) != ("type", None)} for name, channel in encoding.items()
    }
    chart = from_spec({"mark": mark, "encoding": {**BARS["encoding"], **encoding}}, TABLE)
    y = chart.spec["encoding"]["y"]
    assert (y["type"], y["scale"], y.keys() & {"sort", "stack", "bandPosition"}) == (
        "quantitative",
        {"zero": True},
        set(),
    )
    assert chart.spec["mark"] == {"type": "bar", "tooltip": True}
    assert chart.notes == (f"Left out of the spec: {told}.",)
    assert chart.spec["title"]["subtitle"] == list(chart.notes)


def test_rows_of_one_bar_are_averaged_and_never_drawn_over_each_other() -> None:
    twice = Table(TABLE.columns, (("North", 5), ("North", 9), ("South", 7)))
    chart = from_spec(BARS, twice)
    assert [row["sold"] for row in chart.spec["data"]["values"]] == [7, 7]
    assert chart.notes == ("Each mark is the mean of Sold over several rows.",)


@pytest.mark.parametrize(
    ("way", "sold", "title"),
    [
        ("sum", 21, "Total sold"),
        ("max", 10, "Highest sold"),
        ("min", 5, "Lowest sold"),
        ("mean", 7, "Average sold"),
        ("median", 6, "Median sold"),
        ("count", 3, "Count sold"),
        ("distinct", 3, "Different sold"),
    ],
)
def test_rows_are_summed_up_as_the_spec_says(way: str, sold: int, title: str) -> None:
    twice = Table(TABLE.columns, (("North", 5), ("North", 6), ("North", 10), ("South", 7)))
    y = {"field": "sold", "aggregate": way, "type": "quantitative"}
    chart = from_spec({"mark": "bar", "encoding": {**BARS["encoding"], "y": y}}, twice)
    assert [row["_value"] for row in chart.spec["data"]["values"]] == [sold, 1 if way in ("count", "distinct") else 7]
    assert chart.spec["encoding"]["y"]["title"] == title
    assert chart.text(60)


def test_means_are_not_added_up() -> None:
    means = Table((ResultColumn("city"), ResultColumn("avg_rent")), (("A", 5), ("A", 9), ("B", 7)))
    encoding = {"x": {"field": "avg_rent", "aggregate": "sum"}, "y": {"field": "city"}}
    chart = from_spec({"mark": "bar", "encoding": encoding}, means)
    assert [row["_value"] for row in chart.spec["data"]["values"]] == [7, 7]
    assert chart.notes == ("Avg rent may not be added up; the mean is drawn instead of the sum.",)


def test_bars_of_two_columns_stand_side_by_side() -> None:
    columns = (ResultColumn("region"), ResultColumn("kind"), ResultColumn("price"))
    prices = Table(columns, tuple((region, kind, 5) for region in "NS" for kind in "ab"))
    encoding = {"x": {"field": "region"}, "y": {"field": "price"}, "color": {"field": "kind"}}
    chart = from_spec({"mark": "bar", "encoding": encoding}, prices)
    assert chart.spec["encoding"]["xOffset"] == {"field": "kind"}
    area = from_spec({"mark": "area", "encoding": encoding}, prices)
    assert area.kind != "area"
    assert area.notes[0] == "Lines are drawn instead of areas."


DATED = Table(
    (ResultColumn("day"), ResultColumn("sold")), tuple((f"2024-0{n // 9 + 1}-{n % 9 + 1:02}", n) for n in range(27))
)


def test_lines_run_from_left_to_right_by_periods_of_the_spec() -> None:
    x = {"field": "day", "timeUnit": "yearmonth", "sort": "descending"}
    chart = from_spec({"mark": "line", "encoding": {"x": x, "y": {"field": "sold", "aggregate": "sum"}}}, DATED)
    assert [(row["day"][:10], row["_value"]) for row in chart.spec["data"]["values"]] == [
        ("2024-01-01", 36),
        ("2024-02-01", 117),
        ("2024-03-01", 198),
    ]
    assert chart.spec["encoding"]["x"]["type"] == "temporal"
    assert chart.notes == ("Left out of the spec: x.sort.",)


def test_numbers_along_a_line_stand_as_far_apart_as_they_are() -> None:
    doses = Table((ResultColumn("dose"), ResultColumn("effect")), ((1, 5), (2, 9), (10, 12)))
    encoding = {"x": {"field": "dose", "type": "ordinal"}, "y": {"field": "effect", "type": "quantitative"}}
    chart = from_spec({"mark": "line", "encoding": encoding}, doses)
    assert (chart.kind, chart.spec["encoding"]["x"]["type"]) == ("line", "quantitative")


def test_more_bars_than_can_be_read_over_time_are_a_line() -> None:
    chart = from_spec({"mark": "bar", "encoding": {"x": {"field": "day"}, "y": {"field": "sold"}}}, DATED)
    assert chart.kind == "line"
    assert chart.notes == ("A line is drawn instead of more than 25 bars.",)


def test_points_keep_their_axes_and_bins_are_a_histogram() -> None:
    pairs = Table((ResultColumn("rain"), ResultColumn("corn")), tuple((n, n * n) for n in range(9)))
    points = from_spec({"mark": "point", "encoding": {"y": {"field": "corn"}, "x": {"field": "rain"}}}, pairs)
    assert [points.spec["encoding"][side]["field"] for side in "xy"] == ["rain", "corn"]
    bins = {"x": {"field": "rain", "bin": True}, "y": {"aggregate": "count"}}
    assert from_spec({"mark": "bar", "encoding": bins}, pairs).kind == "histogram"


def test_a_pie_that_cannot_be_read_is_drawn_as_bars() -> None:
    encoding = {"theta": {"field": "sold", "type": "quantitative"}, "color": {"field": "region", "type": "nominal"}}
    many = Table(TABLE.columns, tuple((f"r{n}", n + 1) for n in range(40)))
    losses = Table(TABLE.columns, (("North", -5), ("South", 7)))
    for table, why in (
        (many, "with more than 6 slices"),
        (losses, "with negative parts"),
        (TABLE, "of Sold, which may"),
    ):
        chart = from_spec({"mark": "arc", "encoding": encoding}, table)
        assert chart.kind == "bar"
        assert chart.notes[0].startswith(f"A pie {why}")
    encoding["theta"] = {"field": "sold", "aggregate": "sum"}
    assert from_spec({"mark": "arc", "encoding": encoding}, TABLE).kind == "pie"


@pytest.mark.parametrize("text", ["\x1b[31m\x00", "\ud800", "a\\b", "</script>", "x" * 5000])
def test_hostile_texts_are_drawn_as_texts(text: str) -> None:
    columns = (ResultColumn(text), ResultColumn("n" + text))
    chart = recommend(Table(columns, ((text, 1), ("y", 2))), f"What of {text}?")
    assert chart is not None
    assert chart.svg().startswith("<svg")
    width = int.from_bytes(chart.png(1.0)[16:20], "big")
    assert width < 1200


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"mark": "image", "encoding": {**BARS["encoding"], "url": {"value": "http://x/y.png"}}}, "fetches"),
        ({"transform": [{"calculate": "1+1", "as": "x"}]}, "may not have 'transform'"),
        ({"mark": {"type": "bar", "href": "javascript:alert(1)"}}, "may not have 'href'"),
        ({"mark": {"type": "bar", "color": {"expr": "1"}}}, "may not have 'expr'"),
        ({"encoding": {"x": {"field": "sold", "axis": {"labelExpr": "1"}}}}, "may not have 'labelExpr'"),
        ({"encoding": {"x": {"field": "nothing", "type": "nominal"}}}, "names a column 'nothing'"),
        ({"encoding": {"x": {"field": "sold", "type": "quantity"}}}, "not valid at encoding.x"),
        ({"mark": "geoshape"}, "is not drawn"),
        ({"encoding": {**BARS["encoding"], "y2": {"field": "sold"}}}, "may not have the channel 'y2'"),
        ({"encoding": {**BARS["encoding"], "row": {"field": "sold"}}}, "may not have the channel 'row'"),
        ({"encoding": {"x": {"field": "region"}, "y": {"field": "region"}}}, "A bar chart shows an amount at y or x"),
        ({"encoding": {"x": {"field": "region"}, "y": {"field": "region", "aggregate": "mean"}}}, "no amounts"),
        (
            {"encoding": {"x": {"field": "region"}, "y": {"field": "sold", "aggregate": "stdev"}}},
            "'stdev' is not drawn",
        ),
        ({"encoding": {"x": {"field": "region", "timeUnit": "year"}, "y": {"field": "sold"}}}, "'year' is not drawn"),
        ({"encoding": {"y": {"field": "sold"}}}, "by one column or by two"),
        ({"encoding": {"x": {"field": "sold", "bin": True}, "y": {"field": "sold"}}}, "Bins are drawn of one"),
        ({"encoding": {"x": {"field": {"repeat": "row"}}, "y": {"field": "sold"}}}, "names a column"),
    ],
)
def test_a_spec_that_fetches_computes_or_is_not_valid_is_refused(change: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        from_spec({**BARS, **change}, TABLE)


def test_it_is_saved_in_the_format_of_its_ending(chart: Chart, tmp_path: Path) -> None:
    starts = {"svg": b"<svg", "png": b"\x89PNG", "pdf": b"%PDF", "json": b"{", "txt": b"What was sold?"}
    for ending, start in starts.items():
        assert chart.save(tmp_path / f"chart.{ending}").read_bytes().startswith(start)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".pdf", ".png", ".svg", ".txt"]
    with pytest.raises(UsageError, match=re.escape("cannot be saved as 'chart.xyz'")):
        chart.save(tmp_path / "chart.xyz")


def test_a_page_holds_all_it_needs_and_no_script_of_the_data(chart: Chart) -> None:
    page = chart.html()
    assert not re.findall(r"<(?:script|link)[^>]+(?:src|href)=", page)
    assert '"<script>"' not in page


def test_a_terminal_shows_bars_in_proportion(chart: Chart) -> None:
    lines = chart.text(40).splitlines()
    assert lines[0] == "What was sold?"
    assert [line.split()[0] for line in lines[1:]] == ["South", "North", "<script>"]
    assert lines[1].count("█") > lines[2].count("█") > lines[3].count("█")
    assert max(map(len, lines)) <= 40


def test_a_terminal_shows_large_amounts_in_full() -> None:
    rows = (("North", 12345678.9), ("South", 1234567), ("West", 12.5))
    found = recommend(Table((ResultColumn("region"), ResultColumn("sold")), rows))
    assert found is not None
    assert [line.split()[-1] for line in found.text(60).splitlines()] == ["12,345,679", "1,234,567", "12.5"]
