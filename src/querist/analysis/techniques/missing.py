"""Missing values of each column."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from querist.analysis.findings import Findings, Gathering
from querist.analysis.frame import present
from querist.analysis.phrases import listed
from querist.analysis.techniques.base import A_COLUMN, Column, Params, Technique, when_asked
from querist.charts.recommend import recommend
from querist.sources.table import ResultColumn, Table


class MissingParams(Params):
    columns: Annotated[list[Column], when_asked(A_COLUMN)] = Field(min_length=1, max_length=50)


class Missing(Technique[MissingParams]):
    name = "missing_values"
    description = "Count missing values by column, and say which column has the most."

    def wanted(self, params: MissingParams) -> tuple[str, ...]:
        return ("missing values of each column",)

    def compute(self, params: MissingParams) -> Findings:
        found = Gathering(self.name)
        there = {column: present(self.frame, column) for column in params.columns}
        counts = {column: len(self.frame) - len(values) for column, values in there.items()}
        for column, count in counts.items():
            found.add(f"missing_{column}", count, f"missing values of {column}")
        with_any = [column for column, count in counts.items() if count]
        found.add("total_missing", sum(counts.values()), "missing values in all")
        found.add("columns_with_missing", with_any, "the columns with missing values")
        found.add("column_count_with_missing", len(with_any), "number of columns with missing values")
        most = max(counts, key=lambda column: counts[column])
        found.add("column_with_most_missing", most if with_any else None, "the column with the most missing values")
        found.add("most_missing", counts[most], "the most missing values of a column")
        found.add("rows", len(self.frame), "rows in all")
        whole = set.intersection(*(set(values.index) for values in there.values()))
        found.add("rows_without_missing", len(whole), "complete rows")
        most_first = sorted(with_any, key=lambda column: -counts[column])
        lack = listed([f"{column} {counts[column]:,}" for column in most_first])
        found.say(f"Missing of {len(self.frame):,} values: {lack}." if lack else "No value is missing.")
        others = [str(name) for name in self.frame.columns if name not in counts]
        if others := [name for name in others if len(present(self.frame, name)) < len(self.frame)]:
            found.warn(f"These columns, which were not looked at, have missing values, too: {listed(others)}.")
        if with_any:
            bars = Table((ResultColumn("column"), ResultColumn("missing values")), tuple(counts.items()))
            told = f"Missing values of {len(self.frame):,} rows, by column"
            found.chart = recommend(bars, kind="bar", title=told)
        return found.done()
