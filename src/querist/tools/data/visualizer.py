"""`data_visualizer`: rows as charts. What is drawn, and how, is decided in `charts`."""

from __future__ import annotations

import base64
from typing import Any, Literal

from pydantic import BaseModel, Field

from querist.charts.chart import Chart, Kind
from querist.charts.check import from_spec
from querist.charts.recommend import recommend
from querist.core.context import RunContext
from querist.errors import ComponentInputError
from querist.sources.table import ResultColumn, Table
from querist.tools.data.given import MAX_ROWS, Row
from querist.tools.tool import ThreadTool, ToolInput

ChartType = Literal["auto", "trend", "correlation", "distribution", "bar", "pie", "heatmap"]

_KINDS: dict[str, Kind] = {
    "trend": "line",
    "correlation": "scatter",
    "distribution": "histogram",
    "bar": "bar",
    "pie": "pie",
    "heatmap": "heatmap",
}


class DataVisualizerInput(ToolInput):
    data: list[Row] = Field(description="The rows, one value for each column.", min_length=1, max_length=MAX_ROWS)
    chart_types: list[ChartType] = Field(
        default=["auto"], description="The charts wanted; `auto` is the one that suits best."
    )
    export_format: Literal["spec", "svg", "png"] = Field(
        default="spec",
        description="`spec`: Vega-Lite only. Images, and a `spec` that is given, need the extra `charts`.",
    )
    spec: dict[str, Any] | None = Field(
        default=None,
        description="A Vega-Lite spec (`mark` and `encoding`) to draw instead; what would mislead is mended and told.",
    )
    question: str = Field(default="", description="What was asked; its words decide between charts that are possible.")
    title: str = Field(default="", description="Of the charts.")
    columns: list[str] = Field(default=[], description="Those to draw; all when left out.")


class Drawn(BaseModel):
    kind: Kind
    spec: dict[str, Any] = Field(description="Vega-Lite, with the data.")
    notes: list[str] = Field(description="What was drawn instead of what was wanted, or left out, and why.")
    image: str | None = Field(description="The SVG, or the PNG as base64.")


class Charts(BaseModel):
    charts: list[Drawn]

    def __str__(self) -> str:
        drawn = ", ".join(f"a {chart.kind} chart" for chart in self.charts)
        return " ".join([f"Drawn: {drawn}.", *(note for chart in self.charts for note in chart.notes)])


class DataVisualizer(ThreadTool[DataVisualizerInput, Charts]):
    name = "data_visualizer"
    description = "Draw rows as charts: a Vega-Lite spec for each, and its image as SVG or PNG if asked to."

    def work(self, input: DataVisualizerInput, context: RunContext) -> Charts:
        table = _table(input.data, input.columns)
        if input.spec is not None:
            titled = {"title": input.title or input.question, **input.spec}
            return Charts(charts=[_drawn(from_spec(titled, table), input.export_format)])
        drawn = []
        for wanted in input.chart_types:
            chart = recommend(table, input.question, kind=_KINDS.get(wanted), title=input.title)
            if chart is None:
                raise ComponentInputError("No chart shows these rows.", hint="Give at least one column of numbers.")
            drawn.append(_drawn(chart, input.export_format))
        return Charts(charts=drawn)


def _table(rows: list[Row], columns: list[str]) -> Table:
    names = columns or list(dict.fromkeys(name for row in rows for name in row))
    if missing := [name for name in names if not any(name in row for row in rows)]:
        raise ComponentInputError(f"There is no column {missing[0]!r}.", hint=f"There are {', '.join(rows[0])}.")
    nested = [name for row in rows for name in names if isinstance(row.get(name), list | dict)]
    if nested:
        raise ComponentInputError(
            f"A cell of {nested[0]!r} holds several values.", hint="Give one value for each cell."
        )
    cells = tuple(tuple(row.get(name) for name in names) for row in rows)
    return Table(tuple(ResultColumn(name) for name in names), cells)


def _drawn(chart: Chart, form: str) -> Drawn:
    image = None
    if form != "spec":
        image = chart.svg() if form == "svg" else base64.b64encode(chart.png()).decode()
    return Drawn(kind=chart.kind, spec=chart.spec, notes=list(chart.notes), image=image)
