"""How tools, and what they give, are shown to people."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

from querist.cli.show import open_console

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.table import Table

    from querist.core.component import Component

ROWS = 50
"""Rows of a table that are shown; `--json` gives all."""


def show_list(rows: list[dict[str, Any]]) -> None:
    grid = _grid("tool", "what it does", "may need")
    group = ""
    for row in rows:
        if row["group"] != group:
            group = row["group"]
            if grid.row_count:
                grid.add_row()
            grid.add_row(f"[dim]{group}[/]")
        grid.add_row(f"[bold]{row['name']}[/]", _safe(row["description"]), ", ".join(row["permissions"]))
    open_console().print(grid)


def show_tool(tool: Component[Any, Any], extra: str) -> None:
    console = open_console()
    console.print(f"[bold]{tool.name}[/]  {_safe(tool.description)}")
    permissions = ", ".join(tool.permissions)
    console.print(f"\nMay need: {permissions or 'nothing'}", highlight=False)
    if extra:
        console.print(_safe(f'Needs: pip install "querist[{extra}]"'))
    taken, given = tool.input_schema(), tool.output_schema()
    console.print("", _fields("input", taken, taken), sep="\n")
    for name, part in taken.get("$defs", {}).items():
        if "properties" in part:
            console.print("", _fields(name, part, taken), sep="\n")
    console.print("", _fields("output", given, given, defaults=False), sep="\n")
    console.print(f"\nRun it: {_safe(_example(tool))}", soft_wrap=True)


def show_output(output: BaseModel) -> None:
    """Plain text as it is; rows as a table; all else as names and values."""
    console = open_console()
    data = {key: value for key, value in output.model_dump(mode="json").items() if value is not None}
    if len(data) == 1 and (lines := _lines(next(iter(data.values())))) is not None:
        console.print(_printable(lines), markup=False, soft_wrap=True)
        return
    for key, value in data.items():
        if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            console.print(f"[bold]{_safe(key)}[/]")
            console.print(_table(value))
            if len(value) > ROWS:
                console.print(f"[dim]{len(value) - ROWS:,} more; --json gives all.[/]")
        else:
            lines = _lines(value)
            told = json.dumps(value, ensure_ascii=False, indent=2) if lines is None else lines
            gap = "\n" if "\n" in told else "  "
            console.print(f"[bold]{_safe(key)}[/]{gap}{_safe(told)}", soft_wrap=True)


def _grid(*titles: str) -> Table:
    from rich.table import Table

    grid = Table(box=None, pad_edge=False)
    for title in titles:
        grid.add_column(title, overflow="fold", header_style="dim")
    return grid


def _table(rows: list[dict[str, Any]]) -> Table:
    names = list(dict.fromkeys(name for row in rows[:ROWS] for name, cell in row.items() if cell is not None))
    grid = _grid(*map(_safe, names))
    for row in rows[:ROWS]:
        cells = ("" if row.get(name) is None else row[name] for name in names)
        grid.add_row(*(_safe(f"{cell:.12g}" if isinstance(cell, float) else _told(cell)) for cell in cells))
    return grid


def _fields(title: str, schema: dict[str, Any], whole: dict[str, Any], defaults: bool = True) -> Table:
    """The fields of an object that a JSON Schema describes."""
    grid = _grid(_safe(title), "type", *(("default",) if defaults else ()), "meaning")
    for name, field in schema.get("properties", {}).items():
        required = name in schema.get("required", ())
        default = "[yellow]required[/]" if required else _default(field)
        told = (_safe(_type(field, whole)), *((default,) if defaults else ()), _safe(field.get("description", "")))
        grid.add_row(f"[bold]{_safe(name)}[/]", *told)
    return grid


def _lines(value: Any) -> str | None:
    """A plain value, or some of them, one a line; None for what has parts."""
    if isinstance(value, (dict, list)):
        plain = isinstance(value, list) and value and not any(isinstance(item, (dict, list)) for item in value)
        return "\n".join(map(_told, value)) if plain else None
    return _told(value)


def _told(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _type(field: dict[str, Any], whole: dict[str, Any]) -> str:
    """A JSON Schema in a few words."""
    if "$ref" in field:
        named = field["$ref"].rpartition("/")[2]
        return _type(whole["$defs"][named], whole) if "enum" in whole["$defs"][named] else named
    for key in ("anyOf", "oneOf"):
        if key in field:
            kinds = [_type(part, whole) for part in field[key] if part.get("type") != "null"]
            return " or ".join(dict.fromkeys(kinds))
    if "enum" in field or "const" in field:
        return " | ".join(map(str, field.get("enum", [field.get("const")])))
    if field.get("type") == "array":
        return f"list of {_type(field.get('items', {}), whole)}"
    kind = str(field.get("type", "anything"))
    return {"string": "text", "boolean": "true or false"}.get(kind, kind)


def _default(field: dict[str, Any]) -> str:
    default = field.get("default")
    return "" if default in (None, "", [], {}) else _safe(_told(default))


def _example(tool: Component[Any, Any]) -> str:
    """A command with what must be given, by the examples of the fields where they have some."""
    schema = tool.input_schema()
    parts = []
    for name, field in schema.get("properties", {}).items():
        if name in schema.get("required", ()) or "examples" in field:
            parts.append(f"{name}={shlex.quote(_told(field.get('examples', [name.upper()])[0]))}")
    grants = " ".join(f"--grant {kind}:…" for kind in tool.permissions)
    return " ".join(part for part in ("querist tool run", tool.name, *parts, grants) if part)


def _printable(text: str) -> str:
    """Text from outside without what could steer a terminal."""
    return "".join(ch if ch.isprintable() or ch in "\n\t" else "�" for ch in text)


def _safe(text: str) -> str:
    from rich.markup import escape

    return escape(_printable(text))
