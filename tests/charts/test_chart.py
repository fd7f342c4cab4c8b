"""A chart is data: a spec from anywhere is checked, nothing is fetched or computed, and it is drawn offline."""

from __future__ import annotations

import json
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


def test_a_cut_off_axis_is_drawn_from_zero_and_told() -> None:
    cut = json.loads(json.dumps(BARS))
    cut["encoding"]["y"]["scale"] = {"domain": [4, 8]}
    chart = from_spec(cut, TABLE)
    assert chart.spec["encoding"]["y"]["scale"] == {"zero": True}
    assert chart.notes == ("The axis of the bars was cut off; it is drawn from zero.",)


def test_a_pie_of_many_slices_is_drawn_as_bars() -> None:
    many = Table(TABLE.columns, tuple((f"r{n}", n + 1) for n in range(40)))
    encoding = {"theta": {"field": "sold", "type": "quantitative"}, "color": {"field": "region", "type": "nominal"}}
    chart = from_spec({"mark": "arc", "encoding": encoding}, many)
    assert chart.kind == "bar"
    assert chart.notes[0] == "A pie of more than 6 slices cannot be read; bars are drawn instead."


@pytest.mark.parametrize(
    "scale", [{"domainMin": 4}, {"zero": False}, {"type": "log"}, {"domain": [4, 8], "type": "sqrt"}]
)
def test_bars_are_drawn_from_zero_and_in_proportion(scale: dict[str, Any]) -> None:
    bent = json.loads(json.dumps(BARS))
    bent["encoding"]["y"]["scale"] = scale
    chart = from_spec(bent, TABLE)
    assert chart.spec["encoding"]["y"]["scale"] == {"zero": True}
    assert chart.notes[0].endswith("it is drawn from zero.")


def test_a_pie_with_negative_parts_or_slices_without_a_colour_is_drawn_as_bars() -> None:
    encoding = {"theta": {"field": "sold", "type": "quantitative"}, "color": {"field": "region", "type": "nominal"}}
    losses = Table(TABLE.columns, (("North", -5), ("South", 7)))
    assert from_spec({"mark": "arc", "encoding": encoding}, losses).kind == "bar"
    many = Table(TABLE.columns, tuple((f"r{n}", n + 1) for n in range(40)))
    assert from_spec({"mark": "arc", "encoding": {"theta": encoding["theta"]}}, many).kind == "bar"


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
