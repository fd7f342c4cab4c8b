"""A table on its way to a chart: its rows cut down to what can be drawn, with notes of what was left out."""

from __future__ import annotations

import decimal
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from querist.charts.columns import ChartColumn, field_names, is_finite, moment
from querist.charts.thinning import OUTLINED, POINTS, outline, sample
from querist.sources.table import Table, Value, json_cell

MOST_OTHER = 0.5
"""Share of the whole up to which the rest is drawn as one mark; a larger one would hide the others."""
MISSING = "(missing)"
_OTHER = re.compile(r"Other \([\d,]+ more\)")
Row = dict[str, Any]


@dataclass
class Case:
    rows: list[Row]
    columns: list[ChartColumn]
    partial: bool = False
    """Whether the rows are known not to be the whole."""
    notes: list[str] = field(default_factory=list)
    means: bool = False
    """Whether the marks are means of several rows."""

    def of(self, role: str) -> list[ChartColumn]:
        return [column for column in self.columns if column.role == role]

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def only(self, *drawn: ChartColumn) -> None:
        """Note the amounts that are not drawn."""
        if rest := [column.title for column in self.of("amount") if column not in drawn]:
            self.note(f"Not drawn: {', '.join(rest)}.")

    def known(self, rows: Sequence[Row], *columns: ChartColumn) -> list[Row]:
        """The rows that have a value in all of these columns, with a note of the others."""
        for column in columns:
            held = [row for row in rows if row[column.name] is not None]
            if len(held) < len(rows):
                self.note(f"Rows without {column.title} are left out: {len(rows) - len(held):,}.")
            rows = held
        return list(rows)

    def averaged(self, rows: Sequence[Row], by: Sequence[ChartColumn], y: ChartColumn) -> list[Row]:
        """One row for each group: where there are several, their mean, and a note of it."""
        groups: dict[tuple[Any, ...], list[Any]] = {}
        known = self.known(rows, y)
        for row in known:
            key = tuple(MISSING if row[c.name] is None else row[c.name] for c in by)
            groups.setdefault(key, []).append(row[y.name])
        if len(groups) < len(known):
            self.note(f"Each mark is the mean of {y.title} over several rows.")
            self.means = True
        return [
            {**dict(zip((c.name for c in by), key, strict=True)), y.name: sum(values) / len(values)}
            for key, values in groups.items()
        ]

    def largest(
        self, rows: list[Row], of: ChartColumn, y: ChartColumn, most: int, by: Sequence[ChartColumn]
    ) -> list[Row]:
        """No more than `most` values of a category: the largest, and where amounts may be summed the others as one.

        Args:
            by: what the rows are told apart by besides.
        """
        totals: dict[Any, float] = {}
        for row in rows:
            totals[row[of.name]] = totals.get(row[of.name], 0.0) + abs(row[y.name])
        if len(totals) <= most:
            return rows
        ranked = sorted(totals, key=lambda key: -totals[key])
        whole = sum(totals.values()) or 1
        summed = y.additive and not self.partial and not self.means and not of.ordered
        joined = summed and sum(totals[key] for key in ranked[most - 1 :]) <= MOST_OTHER * whole
        kept = set(ranked[: most - joined])
        drawn = [row for row in rows if row[of.name] in kept]
        if not joined:
            rest = sum(totals[key] for key in ranked[most:]) / whole
            beside = f" The others hold {rest:.0%} of the whole." if summed else ""
            self.note(f"The {most} largest of {len(totals):,} are drawn.{beside}")
            return drawn
        other = f"Other ({len(totals) - len(kept):,} more)"
        sums: dict[tuple[Any, ...], float] = {}
        for row in rows:
            if row[of.name] not in kept:
                key = tuple(row[c.name] for c in by)
                sums[key] = sums.get(key, 0) + row[y.name]
        self.note(f"The {len(kept)} largest of {len(totals):,} are drawn, and the others as one.")
        names = [c.name for c in by]
        others = [{of.name: other, y.name: total, **dict(zip(names, key, strict=True))} for key, total in sums.items()]
        return drawn + others

    def sampled(self, rows: list[Row], colour: ChartColumn | None) -> list[Row]:
        """As many points as can be drawn, of every colour."""
        drawn = sample(rows, [row[colour.name] for row in rows] if colour else [None] * len(rows))
        if len(drawn) < len(rows):
            self.note(f"Of {len(rows):,} points {len(drawn):,} are drawn.")
        return drawn

    def outlined(self, rows: list[Row], along: ChartColumn, y: ChartColumn, colour: ChartColumn | None) -> list[Row]:
        """Lines of as many points as can be drawn, each from its start to its end."""
        if len(rows) <= POINTS:
            return rows
        lines: dict[Any, list[Row]] = {}
        for row in sorted(rows, key=lambda row: row[along.name]):
            lines.setdefault(row[colour.name] if colour else None, []).append(row)
        drawn = [row for line in lines.values() for row in outline(line, lambda row: row[y.name], POINTS // len(lines))]
        self.note(OUTLINED.format(len(rows), len(drawn)))
        return drawn


def by_size(rows: Sequence[Row], along: ChartColumn, y: ChartColumn) -> list[Any]:
    """The values of a category from the largest to the smallest; what stands for others comes last."""
    totals: dict[Any, float] = {}
    for row in rows:
        totals[row[along.name]] = totals.get(row[along.name], 0.0) + row[y.name]
    return sorted(totals, key=lambda key: (is_rest(key), -totals[key]))


def is_rest(value: Any) -> bool:
    """Whether a mark stands for others."""
    return bool(_OTHER.fullmatch(str(value)))


def values_of(table: Table, columns: Sequence[ChartColumn]) -> list[Row]:
    """The rows as Vega-Lite reads them: JSON values under names that it does not take for paths."""
    names = field_names(table.unique_names())
    times = {column.place for column in columns if column.role == "time"}
    return [
        {name: moment(row[place]) if place in times else _cell(row[place]) for place, name in enumerate(names)}
        for row in table.rows
    ]


def _cell(value: Value) -> Any:
    if not is_finite(value):
        return None
    if isinstance(value, decimal.Decimal) or (isinstance(value, int) and abs(value) > 2**53):
        return float(value)
    cell = json_cell(value)
    return cell if cell is None or isinstance(cell, (bool, int, float, str)) else json.dumps(cell, ensure_ascii=False)
