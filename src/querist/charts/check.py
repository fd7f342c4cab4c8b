"""Checks of a spec, whoever made it: valid, over columns that are there, nothing fetched, nothing misleading."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from querist.charts.chart import Chart, Spec
from querist.charts.given import read, upright
from querist.charts.recommend import draw
from querist.charts.style import SCHEMA
from querist.errors import MissingExtraError, UsageError
from querist.sources.table import Table

if TYPE_CHECKING:
    from jsonschema import Draft7Validator

_ALLOWED = {"$schema", "title", "description", "mark", "encoding", "width", "height", "data", "config"}
_FORBIDDEN = {"url", "href", "expr", "signal", "test", "filter", "calculate"}
"""Keys that name an address or hold an expression. A chart is data, not code."""


def from_spec(spec: Spec, table: Table) -> Chart:
    """A chart from a spec that a model or a person wrote over the columns of `table`; its data are taken from there.

    It shows the columns that the spec shows, summed up as that says, with the same marks where they can be read. Sizes,
    colours, scales and order are those of all charts, so that nothing misleads; what was changed is in the notes.

    Raises:
        UsageError: it is not valid, names a column that is not there, wants to fetch or compute something, or cannot
            be drawn honestly.
        MissingExtraError: the extra `charts` is missing.
    """
    if extra := sorted(set(spec) - _ALLOWED):
        raise UsageError(f"A chart may not have {extra[0]!r}.", hint=f"Use only {', '.join(sorted(_ALLOWED))}.")
    for key, _ in _parts({name: part for name, part in spec.items() if name != "$schema"}):
        if key in _FORBIDDEN or key.endswith("Expr"):
            raise UsageError(f"A chart may not have {key!r}: it is data and fetches or computes nothing.")
    names = table.unique_names()
    for key, field in _parts(spec.get("encoding", {})):
        if key == "field" and field not in names:
            raise UsageError(f"The chart names a column {field!r}.", hint=f"The columns are {', '.join(names)}.")
    validate({**spec, "$schema": SCHEMA, "data": {"values": []}})
    given = read(spec, table)
    heading = spec.get("title", "")
    title = heading.get("text", "") if isinstance(heading, dict) else heading
    chart = draw(given.case, title if isinstance(title, str) else " ".join(title), given.kind, cut=table.truncated)
    if chart is None:
        raise UsageError("No chart shows these rows in that way.", hint="Give it at least two rows with amounts.")
    return upright(chart) if given.upright and chart.kind == "bar" else chart


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


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    """Every key in it, however deep, with what stands there."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield key, item
            yield from _parts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _parts(item)
