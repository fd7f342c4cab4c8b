"""Checks of a spec, whoever made it: valid, over columns that are there, nothing fetched, nothing misleading."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from querist.charts.case import values_of
from querist.charts.chart import Chart, Kind, Spec
from querist.charts.columns import chart_columns, field_names
from querist.charts.recommend import PIE_SLICES, recommend
from querist.charts.style import CONFIG, HEIGHT, SCHEMA, WIDTH
from querist.errors import MissingExtraError, UsageError
from querist.sources.table import Table

if TYPE_CHECKING:
    from jsonschema import Draft7Validator

_KINDS: dict[str, Kind] = {
    "bar": "bar", "line": "line", "area": "line", "point": "scatter", "circle": "scatter", "square": "scatter",
    "tick": "scatter", "arc": "pie", "rect": "heatmap",
}  # fmt: skip
_ALLOWED = {"$schema", "title", "description", "mark", "encoding", "width", "height", "data", "config"}
_FORBIDDEN = {"url", "href", "expr", "signal", "test", "filter", "calculate"}
"""Keys that name an address or hold an expression. A chart is data, not code."""


def from_spec(spec: Spec, table: Table) -> Chart:
    """A chart from a spec that a model or a person wrote over the columns of `table`; its data are taken from there.

    What misleads is mended, and told in the notes: bars whose axis does not start at zero, and pies that cannot be
    read, which become bars.

    Raises:
        UsageError: it is not valid, names a column that is not there, or wants to fetch or compute something.
        MissingExtraError: the extra `charts` is missing.
    """
    if extra := sorted(set(spec) - _ALLOWED):
        raise UsageError(f"A chart may not have {extra[0]!r}.", hint=f"Use only {', '.join(sorted(_ALLOWED))}.")
    for key in _keys({name: part for name, part in spec.items() if name != "$schema"}):
        if key in _FORBIDDEN or key.endswith("Expr"):
            raise UsageError(f"A chart may not have {key!r}: it is data and fetches or computes nothing.")
    names = table.unique_names()
    for field in _fields(spec.get("encoding", {})):
        if field not in names:
            raise UsageError(f"The chart names a column {field!r}.", hint=f"The columns are {', '.join(names)}.")
    fields = dict(zip(names, field_names(names), strict=True))
    whole: Spec = {
        "width": WIDTH,
        "height": HEIGHT,
        **{key: _with_fields(part, fields) for key, part in spec.items() if key not in ("data", "config")},
        "$schema": SCHEMA,
        "data": {"values": values_of(table, chart_columns(table))},
        "config": CONFIG,
    }
    validate(whole)
    mark = whole["mark"]["type"] if isinstance(whole["mark"], dict) else whole["mark"]
    if mark not in _KINDS:
        raise UsageError(f"A chart with the mark {mark!r} is not drawn.", hint=f"Use one of {', '.join(_KINDS)}.")
    if mark == "arc" and (why := _unreadable(whole)):
        bars = recommend(table, kind="bar")
        if bars is None:
            raise UsageError(f"A pie {why} cannot be read.", hint="Show fewer parts, or bars.")
        return Chart(bars.spec, "bar", (f"A pie {why} cannot be read; bars are drawn instead.", *bars.notes))
    return Chart(whole, _KINDS[mark], tuple(_mend_axes(whole, mark)))


def _unreadable(pie: Spec) -> str:
    """What makes a pie unreadable; empty when nothing does."""
    rows, encoding = pie["data"]["values"], pie["encoding"]
    angle = encoding.get("theta", {})
    parts = [
        channel["field"]
        for name, channel in encoding.items()
        if isinstance(channel, dict) and "field" in channel and name not in ("theta", "tooltip", "order")
    ]
    slices = len({tuple(row[field] for field in parts) for row in rows}) if "aggregate" in angle else len(rows)
    if slices > PIE_SLICES:
        return f"of more than {PIE_SLICES} slices"
    sizes = [row[angle["field"]] for row in rows] if "field" in angle else []
    return "with negative parts" if any(isinstance(size, (int, float)) and size < 0 for size in sizes) else ""


def validate(spec: Spec) -> None:
    """Hold a spec against the schema of Vega-Lite.

    Raises:
        UsageError: it is not valid; the message says where and why.
    """
    from jsonschema.exceptions import best_match

    error = best_match(_validator().iter_errors(spec))
    if error is not None:
        place = ".".join(map(str, error.absolute_path)) or "the chart"
        raise UsageError(f"The chart is not valid at {place}: {error.message[:200]}")


@functools.cache
def _validator() -> Draft7Validator:
    import importlib.util

    try:
        from jsonschema import Draft7Validator
    except ImportError as error:
        raise MissingExtraError("jsonschema", "charts", "check a chart") from error
    found = importlib.util.find_spec("altair")  # not imported: that takes a second, and only its schema is needed
    if found is None or found.origin is None:
        raise MissingExtraError("altair", "charts", "check a chart")
    schema = Path(found.origin).parent / "vegalite" / "v6" / "schema" / "vega-lite-schema.json"
    return Draft7Validator(json.loads(schema.read_text(encoding="utf-8")))


def _mend_axes(spec: Spec, mark: str) -> Iterator[str]:
    """Make bars and areas start at zero: their length is what is read."""
    if mark not in ("bar", "area"):
        return
    for name in ("x", "y"):
        channel = spec["encoding"].get(name, {})
        scale = channel.get("scale") or {}
        if channel.get("type") != "quantitative":
            continue
        bent = scale.get("type", "linear") != "linear"
        if bent or scale.get("zero") is False or any(key.startswith("domain") for key in scale):
            kept = {key: value for key, value in scale.items() if not key.startswith("domain") and key != "type"}
            channel["scale"] = {**kept, "zero": True}
            yield f"The axis of the bars was {'not linear' if bent else 'cut off'}; it is drawn from zero."


def _with_fields(value: Any, fields: Mapping[str, str]) -> Any:
    """The part of a spec with columns under the names that the data have them."""
    if isinstance(value, list):
        return [_with_fields(item, fields) for item in value]
    if isinstance(value, dict):
        return {
            key: fields.get(item, item) if key == "field" and isinstance(item, str) else _with_fields(item, fields)
            for key, item in value.items()
        }
    return value


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _keys(item)
    elif isinstance(value, list):
        for item in value:
            yield from _keys(item)


def _fields(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "field" and isinstance(item, str):
                yield item
            else:
                yield from _fields(item)
    elif isinstance(value, list):
        for item in value:
            yield from _fields(item)
