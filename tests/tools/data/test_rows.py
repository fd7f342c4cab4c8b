from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from querist.errors import ComponentInputError, PermissionDeniedError, SourceFormatError, UsageError

pytestmark = pytest.mark.anyio
Use = Callable[..., Any]

SALES = [
    {"city": "Bern", "kind": "tea", "amount": 10},
    {"city": "Graz", "kind": "tea", "amount": 30},
    {"city": "Bern", "kind": "milk", "amount": 5},
    {"city": "Graz", "kind": "milk", "amount": None},
]


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        (
            [
                {"type": "group_by", "field": "city", "aggregations": ["sum:amount", "count:*", "count:amount"]},
                {"type": "sort", "field": "sum_amount", "order": "desc"},
            ],
            [
                {"city": "Graz", "sum_amount": 30, "count": 2, "count_amount": 1},
                {"city": "Bern", "sum_amount": 15, "count": 2, "count_amount": 2},
            ],
        ),
        (
            [
                {"type": "filter", "condition": "amount is not None and amount * 2 >= 20"},
                {"type": "map", "fields": {"gross": "round(amount * 1.2, 1)"}},
                {"type": "select", "fields": {"city": "place", "gross": "gross"}},
            ],
            [{"place": "Bern", "gross": 12.0}, {"place": "Graz", "gross": 36.0}],
        ),
        (
            [{"type": "aggregate", "aggregations": ["avg:amount", "median:amount"]}],
            [{"avg_amount": 15.0, "median_amount": 10}],
        ),
        (
            [{"type": "sort", "field": ["kind", "amount"]}, {"type": "select", "fields": ["amount"]}],
            [{"amount": 5}, {"amount": None}, {"amount": 10}, {"amount": 30}],
        ),
        (
            [
                {"type": "distinct", "field": "city"},
                {"type": "join", "data": [{"city": "Bern", "land": "CH"}], "on": "city", "how": "left"},
                {"type": "select", "fields": ["city", "land"]},
            ],
            [{"city": "Bern", "land": "CH"}, {"city": "Graz", "land": None}],
        ),
        (
            [
                {"type": "limit", "count": 1},
                {"type": "join", "data": [{"amount": 10.0, "size": "big"}], "on": "amount"},
                {"type": "select", "fields": ["size"]},
            ],
            [{"size": "big"}],
        ),
        ([{"type": "limit", "count": 1, "offset": 3}], [SALES[3]]),
    ],
)
async def test_rows_are_transformed_step_by_step(use: Use, operations: list[Any], expected: list[Any]) -> None:
    assert (await use("data_transformer", data=SALES, operations=operations)).data == expected


@pytest.mark.parametrize(
    ("operation", "told"),
    [
        ({"type": "filter", "condition": "cost > 1"}, "Operation 1 .filter.: There is no value 'cost'"),
        ({"type": "sort", "field": "cost"}, "no field 'cost'"),
        ({"type": "group_by", "aggregations": ["total:amount"]}, "'total:amount' is no aggregation"),
        ({"type": "group_by", "aggregations": ["sum:city"]}, "has no value"),
        ({"type": "group_by", "field": ["kind", "count"], "aggregations": ["count:*"]}, "'count' would be a field and"),
        ({"type": "explode"}, "type"),
        ({"type": "filter", "condition": "().__class__"}, "not allowed"),
    ],
)
async def test_an_operation_that_does_not_fit_is_told(use: Use, operation: dict[str, Any], told: str) -> None:
    with pytest.raises(ComponentInputError, match=told):
        await use("data_transformer", data=SALES, operations=[operation])


CSV = "city;amount;code\nBern;10;007\nGraz;;008\n"


async def test_csv_is_read_with_types(tmp_path: Path, use: Use) -> None:
    (tmp_path / "a.csv").write_bytes(CSV.replace("Bern", "Zürich").encode("cp1252"))
    found = await use("csv_processor", file_path=str(tmp_path / "a.csv"), limit=1)
    assert found.data == [{"city": "Zürich", "amount": 10, "code": "007"}]
    assert (found.columns, found.count, found.truncated) == (["city", "amount", "code"], 2, True)


async def test_csv_is_filtered_and_summed_up(use: Use) -> None:
    kept = await use("csv_processor", text=CSV, operation="filter", condition="amount is None")
    assert [row["city"] for row in kept.data] == ["Graz"]
    total = await use("csv_processor", text=CSV, operation="aggregate", aggregations=["sum:amount", "count:*"])
    assert total.data == [{"sum_amount": 10, "count": 2}]
    plain = await use("csv_processor", text="1,x\n2,y", headers=False)
    assert plain.data == [{"column1": 1, "column2": "x"}, {"column1": 2, "column2": "y"}]


async def test_csv_is_written_and_read_again(tmp_path: Path, use: Use) -> None:
    rows = [{"a": 1, "b": 'x,"y"'}, {"a": 2, "b": None}]
    path = str(tmp_path / "new" / "a.csv")
    await use("csv_processor", operation="write", data=rows, file_path=path)
    assert (await use("csv_processor", file_path=path)).data == rows
    assert (await use("csv_processor", operation="write", data=rows, delimiter=";")).text.startswith("a;b\r\n")
    with pytest.raises(PermissionDeniedError):
        await use("csv_processor", operation="write", data=rows, file_path="/etc/a.csv")


async def test_csv_that_is_no_table_is_told(use: Use) -> None:
    with pytest.raises(SourceFormatError, match="Row 3 of the CSV has 1 cells and not 2"):
        await use("csv_processor", text="a,b\n1,2\n3\n")
    with pytest.raises(SourceFormatError, match="same name"):
        await use("csv_processor", text="a,a\n1,2\n")


async def test_numbers_are_described(use: Use) -> None:
    values = [2.1, 2.5, 1.9, 2.2, None, 9.0]
    found = await use("statistical_analyzer", data=values, analyses=["descriptive_stats", "outlier_detection"])
    (told,) = found.descriptive_stats
    assert (told.count, told.missing, told.median) == (5, 1, 2.2)
    assert told.mean == pytest.approx(3.54)
    # 3.54 ± 2.776 × 3.060 / √5, with the t of 4 degrees of freedom
    assert (told.mean_low, told.mean_high) == pytest.approx((-0.2599, 7.3399), abs=1e-3)
    assert found.outlier_detection[0].rows == [5]


async def test_columns_are_correlated_over_the_rows_that_have_both(use: Use) -> None:
    rows = [{"x": i, "y": 2 * i, "z": 1, "name": "n"} for i in range(5)] + [{"x": 9, "y": None, "z": 1, "name": ""}]
    found = {
        (c.a, c.b): c
        for c in (await use("statistical_analyzer", data=rows, analyses=["correlation_matrix"])).correlation_matrix
    }
    assert found["x", "y"].coefficient == pytest.approx(1)
    assert found["x", "y"].count == 5
    assert found["x", "z"].coefficient is None
    with pytest.raises(ComponentInputError, match="no column 'w'"):
        await use("statistical_analyzer", data=rows, columns=["w"])
    with pytest.raises(ComponentInputError, match="no numbers"):
        await use("statistical_analyzer", data=[{"name": "n"}])


async def test_a_text_is_counted(use: Use) -> None:
    text = 'Tea is hot. "Is it?" It is!\n\nMilk isn\'t.'
    everything = ["statistics", "tokens", "sentences", "frequencies", "readability"]
    found = await use("text_analyzer", text=text, analyses=everything, ignore=["it"])
    assert found.sentences == ["Tea is hot.", '"Is it?"', "It is!", "Milk isn't."]
    assert found.tokens[-1] == "isn't"
    assert (found.statistics.words, found.statistics.paragraphs) == (9, 2)
    assert (found.frequencies[0].term, found.frequencies[0].count) == ("is", 3)
    pairs = await use("text_analyzer", text="a b a b", analyses=["frequencies"], ngram=2, limit=1)
    assert pairs.frequencies[0].term == "a b"


async def test_sentences_of_abbreviations_and_of_other_scripts_are_counted(use: Use) -> None:
    for text in ("Dr. Lee met Mr. Ek. They had tea.", "今日は寒い。明日は暖かい。"):
        assert (await use("text_analyzer", text=text)).statistics.sentences == 2


async def test_a_text_that_is_made_to_take_long_does_not(use: Use) -> None:
    found = await use("text_analyzer", text="." * 1_000_000 + "x", analyses=["sentences"])
    assert len(found.sentences) == 1


async def test_reading_ease_is_that_of_flesch(use: Use) -> None:
    found = await use("text_analyzer", text="The cat sat on the mat.", analyses=["readability"])
    assert found.reading_ease == pytest.approx(206.835 - 1.015 * 6 - 84.6, abs=0.1)


async def test_rows_are_drawn(use: Use) -> None:
    rows = [{"month": f"2024-{m:02}-01", "sales": m * 10.0} for m in range(1, 13)]
    found = await use("data_visualizer", data=rows, chartTypes=["trend", "distribution"], exportFormat="svg", title="S")
    assert [chart.kind for chart in found.charts] == ["line", "histogram"]
    assert all(chart.image.startswith("<svg") for chart in found.charts)
    (png,) = (await use("data_visualizer", data=rows, export_format="png")).charts
    assert base64.b64decode(png.image).startswith(b"\x89PNG")
    with pytest.raises(ComponentInputError, match="No chart"):
        await use("data_visualizer", data=[{"a": "x"}])
    hostile = [{"<script>1</script>": '"><img src=x onerror=alert(1)>', "n": n} for n in (1, 2)]
    (drawn,) = (await use("data_visualizer", data=hostile, export_format="svg")).charts
    assert not [tag for tag in ("<script", "<img") if tag in drawn.image]


async def test_a_spec_is_drawn_without_what_misleads(use: Use) -> None:
    y = {"field": "sales", "type": "quantitative", "scale": {"domain": [8, 10]}}
    spec = {"mark": "bar", "encoding": {"x": {"field": "shop", "type": "nominal"}, "y": y}}
    rows = [{"shop": "a", "sales": 9}, {"shop": "b", "sales": 10}]
    (drawn,) = (await use("data_visualizer", data=rows, spec=spec, title="Sales")).charts
    assert (drawn.kind, drawn.spec["title"]["text"]) == ("bar", "Sales")
    assert drawn.spec["encoding"]["y"]["scale"] == {"zero": True}
    assert drawn.notes == ["Left out of the spec: y.scale."]
    with pytest.raises(UsageError, match="fetches or computes nothing"):
        await use("data_visualizer", data=rows, spec={**spec, "data": {"url": "http://x/y.csv"}})


async def test_what_a_spreadsheet_would_compute_is_written_as_text(use: Use) -> None:
    cells = ["=cmd|' /C calc'!A0", "@SUM(1)", "+49 30", "-1.5", "\t=1", "plain", -2]
    rows = [{"=name": cell} for cell in cells]
    written = await use("csv_processor", operation="write", data=rows)
    assert [line[0] for line in written.text.splitlines()] == ["'", "'", "'", "'", "-", "'", "p", "-"]
    as_given = await use("csv_processor", operation="write", data=rows, formulas=True)
    assert [line[0] for line in as_given.text.splitlines()] == ["=", "=", "@", "+", "-", "\t", "p", "-"]


async def test_a_mark_and_numbers_without_bounds_do_no_harm(tmp_path: Path, use: Use) -> None:
    (tmp_path / "a.csv").write_text("\ufeffa,b\n1,1e999\n", encoding="utf-8")
    for given in ({"text": "\ufeffa,b\n1,1e999\n"}, {"file_path": str(tmp_path / "a.csv"), "encoding": "utf-8"}):
        assert (await use("csv_processor", **given)).data == [{"a": 1, "b": "1e999"}]
    with pytest.raises(ComponentInputError, match="delimiter"):
        await use("csv_processor", text="a", delimiter='"')


async def test_what_no_number_or_chart_can_be_made_of_is_told(use: Use) -> None:
    with pytest.raises(ComponentInputError, match="too large"):
        aggregate = {"type": "aggregate", "aggregations": ["avg:a"]}
        await use("data_transformer", data=[{"a": 10**400}], operations=[aggregate])
    with pytest.raises(ComponentInputError, match="do not all hold numbers"):
        await use("statistical_analyzer", data=[{"a": "x"}], columns=["a"])
    with pytest.raises(ComponentInputError, match="'a' holds several values"):
        await use("data_visualizer", data=[{"a": [1]}])


async def test_rows_of_the_same_values_are_one_and_keep_their_order(use: Use) -> None:
    rows = [{"a": 1, "b": "x"}, {"a": 2, "b": "x"}, {"b": "x", "a": 1.0}, {"c": 1, "b": "x"}]
    found = await use("data_transformer", data=rows, operations=[{"type": "distinct"}])
    assert found.data == [rows[0], rows[1], rows[3]]
