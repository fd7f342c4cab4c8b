"""A spec that a model or a person wrote, read for what it shows: which columns, where, and how they are summed up.

How that is drawn is decided in `recommend`, so that no scale, order or overlap in the spec can mislead.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from querist.charts.additive import is_mean
from querist.charts.case import Case, values_of
from querist.charts.chart import Chart, Kind, Spec
from querist.charts.columns import ChartColumn, Role, chart_columns, day_of, field_names, title
from querist.charts.recommend import BARS, SERIES
from querist.charts.style import HEIGHT
from querist.errors import UsageError
from querist.sources.table import Table

_KINDS: dict[str, Kind] = {
    "bar": "bar", "line": "line", "area": "line", "point": "scatter", "circle": "scatter", "square": "scatter",
    "tick": "scatter", "arc": "pie", "rect": "heatmap",
}  # fmt: skip
_PLACES = ("x", "y", "theta", "color", "xOffset", "yOffset")
_TAKEN = {"field", "type", "aggregate", "bin", "timeUnit", "axis", "legend", "title", "format"}
"""Parts of a channel that are read, or that only say how it looks."""
_WAYS: dict[str, Callable[[Sequence[Any]], float]] = {
    "sum": sum, "mean": statistics.fmean, "average": statistics.fmean, "median": statistics.median, "min": min,
    "max": max, "count": len, "distinct": lambda values: len(set(values)),
}  # fmt: skip
_CALLS = {"mean": "avg({})", "average": "avg({})", "distinct": "count(distinct {})"}
_PERIODS = {"year": 4, "yearmonth": 7, "yearmonthdate": 10}
"""Time units, and how many characters of a moment each keeps."""
_LETTERS = 80
"""More do not fit below bars side by side."""
Channels = Mapping[str, Spec]


@dataclass(frozen=True)
class Given:
    """Rows and columns to draw, and as what; `upright`: as bars that stand, where they are bars."""

    case: Case
    kind: Kind
    upright: bool = False


def read(spec: Spec, table: Table) -> Given:
    """What a valid spec shows of a table.

    Raises:
        UsageError: no chart is drawn that way.
    """
    mark = spec["mark"]["type"] if isinstance(spec["mark"], dict) else spec["mark"]
    if mark not in _KINDS:
        raise UsageError(f"A chart with the mark {mark!r} is not drawn.", hint=f"Use one of {', '.join(_KINDS)}.")
    kind, columns = _KINDS[mark], chart_columns(table)
    case = Case(values_of(table, columns), [], partial=bool(table.truncated))
    channels, left_out = _channels(spec)
    at = _columns(channels, table, columns)
    if any(channel.get("bin") for channel in channels.values()):
        case.columns.append(_binned(kind, channels, at))
        return Given(case, "histogram")
    measure = _measure(kind, channels, at)
    if channels.get(measure, {}).get("type", "quantitative") != "quantitative":
        left_out.append(f"{measure}.type")
    if left_out:
        case.note(f"Left out of the spec: {', '.join(left_out)}.")
    if mark == "area":
        case.note("Lines are drawn instead of areas.")
    for place in reversed(_PLACES) if kind == "heatmap" else _PLACES:
        if place in at and place != measure and at[place].name not in {column.name for column in case.columns}:
            _place(case, kind if measure else "scatter", channels[place], at[place])
    for column in case.columns[1:]:
        if kind in ("bar", "scatter") and column.role == "category" and column.distinct > SERIES:
            case.note(f"{column.title} is not drawn: it has {column.distinct:,} values.")
    if not measure:
        return Given(case, kind)
    if not 1 <= len(case.columns) <= 2:
        raise UsageError("A chart shows an amount by one column or by two.", hint="Group by more in the query.")
    _sum_up(case, channels[measure], at.get(measure))
    along = case.columns[0]
    if kind == "bar" and along.ordered and along.distinct > BARS:
        case.note(f"A line is drawn instead of more than {BARS} bars.")
        kind = "line"
    return Given(case, kind, upright=measure == "y")


def _channels(spec: Spec) -> tuple[dict[str, Spec], list[str]]:
    """The channels that show columns, and the parts of the spec that are not heeded."""
    channels, left_out = {}, []
    for name, channel in spec.get("encoding", {}).items():
        if name in ("tooltip", "order"):
            continue
        if not isinstance(channel, dict) or not channel.keys() & {"field", "aggregate"}:
            left_out.append(name)
        elif name in _PLACES:
            channels[name] = channel
            left_out += [f"{name}.{key}" for key in channel if key not in _TAKEN and channel[key] != {"zero": True}]
        else:
            raise UsageError(f"A chart may not have the channel {name!r}.", hint=f"Use {', '.join(_PLACES)}.")
    return channels, left_out


def _columns(channels: Channels, table: Table, columns: Sequence[ChartColumn]) -> dict[str, ChartColumn]:
    """The column of each channel; none of one that counts rows."""
    fields = dict(zip(names := table.unique_names(), field_names(names), strict=True))
    held = {column.name: column for column in columns}
    found = {}
    for place, channel in channels.items():
        if "field" in channel:
            if fields[channel["field"]] not in held:
                raise UsageError(f"The column {channel['field']!r} holds nothing to draw.")
            found[place] = held[fields[channel["field"]]]
    return found


def _binned(kind: Kind, channels: Channels, at: Mapping[str, ChartColumn]) -> ChartColumn:
    """The column of a histogram."""
    binned = [place for place, channel in channels.items() if channel.get("bin")]
    others = [channel for place, channel in channels.items() if place not in binned]
    counts = [channel.get("aggregate") == "count" for channel in others]
    if kind != "bar" or len(binned) != 1 or counts != [True] or at[binned[0]].role != "amount":
        raise UsageError("Bins are drawn of one column of amounts, with the count of its rows.")
    return at[binned[0]]


def _measure(kind: Kind, channels: Channels, at: Mapping[str, ChartColumn]) -> str:
    """The channel whose length, height, angle or colour is the amount; empty for points, which show two."""
    summed = [place for place, channel in channels.items() if "aggregate" in channel]
    if len(summed) > 1:
        raise UsageError("A chart sums up one column.", hint=f"Take 'aggregate' from {summed[-1]!r}.")
    if kind == "scatter" and not summed:
        return ""
    possible = {"pie": ("theta",), "heatmap": ("color",)}.get(kind, ("y", "x"))
    amounts = [place for place in possible if place in at and at[place].role == "amount"]
    typed = [place for place in amounts if channels[place].get("type") == "quantitative"]
    found = next(iter(summed or (typed if len(typed) == 1 else amounts)), "")
    if found not in possible:
        raise UsageError(f"A {kind} chart shows an amount at {' or '.join(possible)}.", hint="Give it one there.")
    return found


def _place(case: Case, kind: Kind, channel: Spec, column: ChartColumn) -> None:
    """Add a column that tells the marks apart, cut to periods where its channel says so."""
    name, first = column.name, not case.columns
    if kind == "scatter" and column.role == "amount" and len(case.columns) < 2:
        case.columns.append(column)
        return
    kept, period = len("2024-03-01T00:00:00"), channel.get("timeUnit")
    if period is not None:
        if column.role != "time" or str(period) not in _PERIODS:
            hint = f"Use {', '.join(_PERIODS)} of a column of dates, or group in the query."
            raise UsageError(f"The time unit {period!r} is not drawn.", hint=hint)
        kept = _PERIODS[period]
    role: Role = "time" if kind in ("line", "scatter") and first and column.role == "time" else "category"
    if column.role == "time":
        as_is = role == "time"
        _change(case, name, lambda at: at[:kept] + "0000-01-01T00:00:00"[kept:] if as_is else day_of(at)[:kept])
    distinct = len({row[name] for row in case.rows if row[name] is not None})
    ordered = first and (column.ordered or column.role == "amount")
    case.columns.append(replace(column, role=role, ordered=ordered, distinct=distinct))


def _change(case: Case, name: str, change: Callable[[str], str]) -> None:
    case.rows = [{**row, name: None if row[name] is None else change(row[name])} for row in case.rows]


def _sum_up(case: Case, channel: Spec, column: ChartColumn | None) -> None:
    """Make the rows one for each mark, where the spec says how, and add the column of what they show."""
    way, name = str(channel.get("aggregate", "")), channel.get("field", "*")
    if not way and column is not None and column.role == "amount":
        case.columns.append(column)
        return
    if way not in _WAYS or (column is None and way != "count"):
        raise UsageError(f"The aggregate {way!r} is not drawn.", hint=f"Use {', '.join(_WAYS)} of a column.")
    if way not in ("count", "distinct") and column is not None and column.role != "amount":
        raise UsageError(f"There is no {way} of {name!r}: it holds no amounts.")
    if way == "sum" and is_mean(name):
        case.note(f"{title(name)} may not be added up; the mean is drawn instead of the sum.")
        way = "mean"
    groups: dict[tuple[Any, ...], list[Any]] = {}
    for row in case.known(case.rows, column) if column else case.rows:
        value = row[column.name] if column else 1
        groups.setdefault(tuple(row[beside.name] for beside in case.columns), []).append(value)
    names = [beside.name for beside in case.columns]
    case.rows = [{**dict(zip(names, key, strict=True)), "_value": _WAYS[way](values)} for key, values in groups.items()]
    called = "Rows" if column is None else title(_CALLS.get(way, f"{way}({{}})").format(name))
    lowest = min((row["_value"] for row in case.rows), default=None)
    additive = way in ("sum", "count")
    case.columns.append(ChartColumn("_value", "amount", called, False, 0, 0, lowest, additive))


def upright(bars: Chart) -> Chart:
    """Horizontal bars as vertical ones."""
    turned = {"x": "y", "y": "x", "yOffset": "xOffset"}
    encoding = {turned.get(place, place): channel for place, channel in bars.spec["encoding"].items()}
    names = {str(row[encoding["x"]["field"]]) for row in bars.spec["data"]["values"]}
    encoding["x"] = {**encoding["x"], "axis": {"labelAngle": 0 if len("  ".join(names)) < _LETTERS else -45}}
    return replace(bars, spec={**bars.spec, "encoding": encoding, "height": HEIGHT})
