"""`querist schema`: what the data hold, as tables, columns, keys and examples of values."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from querist.cli.ask import Data
from querist.errors import SourceNotFoundError, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from querist.sources.base import ColumnProfile, Profile, Source, TableProfile, TableSchema
    from querist.sources.table import Value

EXAMPLES_WIDTH = 60
"""Characters of example values shown for a column."""


def schema(
    data: Data = None,
    table: Annotated[str | None, typer.Option("--table", "-t", metavar="TABLE", help="Show this table only.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Show tables, columns, types, keys, row counts and example values of the data.

    \b
    Examples:
      querist schema --data sales.csv
      querist schema -d shop.db --table orders --json
    """
    from querist.sources.open import open_sources

    with _progress(quiet=as_json) as report:
        sources = open_sources(_specs(data), on_progress=report)
        try:
            described = _described(sources, table, report)
        finally:
            for source in sources:
                source.close()
    if as_json:
        output = [_source_json(s, [(t, p.table(t.name) if p else None) for t in tables]) for s, tables, p in described]
        typer.echo(json.dumps(output, indent=2, ensure_ascii=False))
        return
    from rich.console import Console

    _print_sources(Console(highlight=False), described)


def show_sources(console: Console, sources: Sequence[Source], table: str | None = None) -> None:
    """Print what open sources hold, all tables or the one called `table`.

    Raises:
        SourceNotFoundError: none is called so.
    """
    with _progress(quiet=False) as report:
        described = _described(sources, table, report)
    _print_sources(console, described)


Described = list[tuple["Source", Sequence["TableSchema"], "Profile | None"]]


def _described(sources: Sequence[Source], table: str | None, report: Callable[[str], None]) -> Described:
    shown = [(source, _tables(source, table)) for source in sources]
    if table is not None and not any(tables for _, tables in shown):
        raise _no_such_table(table, sources)
    report("Looking at the values")
    return [(source, tables, source.profile() if tables else None) for source, tables in shown]


def _print_sources(console: Console, described: Described) -> None:
    for source, tables, profile in described:
        if not tables:
            continue
        console.print(f"[bold]{_safe(source.name)}[/] ({source.dialect}, {_safe(source.describe())})")
        for note in getattr(source, "notes", ()):
            console.print(f"  [yellow]! {_safe(note)}[/]")
        for found in tables:
            _print_table(console, found, profile.table(found.name) if profile else None)


def _specs(data: Sequence[str] | None) -> Sequence[str]:
    if data:
        return data
    from querist.settings import load_settings

    if configured := load_settings().data:
        return configured
    raise UsageError("No data are named.", hint="Name some: querist schema --data sales.csv")


def _tables(source: Source, wanted: str | None) -> Sequence[TableSchema]:
    tables = source.schema().tables
    return tables if wanted is None else [t for t in tables if t.name.lower() == wanted.lower()]


def _no_such_table(wanted: str, sources: Sequence[Source]) -> SourceNotFoundError:
    import difflib

    names = {t.name.lower(): t.name for source in sources for t in source.schema().tables}
    close = [names[n] for n in difflib.get_close_matches(wanted.lower(), list(names), n=3)]
    listed = ", ".join(list(names.values())[:20])
    hint = f"Did you mean {' or '.join(close)}?" if close else f"There are: {listed}."
    return SourceNotFoundError(f"There is no table {wanted!r}.", hint=hint)


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[str], None]]:
    """A line on the terminal that tells what takes a while, gone when it is done."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status("Opening") as status:
        yield lambda text: status.update(_safe(text))


def _print_table(console: Console, table: TableSchema, profile: TableProfile | None) -> None:
    from rich import box
    from rich.table import Table

    rows = table.row_count if table.row_count is not None else profile.row_count if profile else None
    facts = [] if rows is None else [f"{rows:,} row{'' if rows == 1 else 's'}"]
    if table.is_view:
        facts.append("view")
    if profile and profile.sampled:
        facts.append("values from a sample")
    if profile and profile.repeated_rows is None:
        facts.append("not searched for rows that repeat")
    console.print(f"\n[bold cyan]{_safe(table.name)}[/]  {', '.join(facts)}  [dim]{_safe(table.comment)}[/]")
    if table.origin:
        console.print(f"  [dim]from {_safe(table.origin)}[/]")
    for note in (*table.notes, *_flaws(profile)):
        console.print(f"  [yellow]! {_safe(note)}[/]")
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for title in ("column", "type", "key", "empty", "different", "values"):
        grid.add_column(title, justify="right" if title in ("empty", "different") else "left", overflow="fold")
    for column in table.columns:
        found = profile.column(column.name) if profile else None
        values = _values(found) if found else ""
        about = f"[dim]({_safe(column.comment)})[/]" if column.comment else ""
        grid.add_row(
            _safe(column.name),
            _safe(column.type),
            _safe(_key(table, column.name, found)),
            _part(found.nulls) if found else "",
            f"{found.distinct:,}" if found and (found.distinct or found.nulls == 1) else "",
            " ".join(part for part in (_safe(values), about) if part),
        )
    console.print(grid)


def _flaws(profile: TableProfile | None) -> Iterator[str]:
    from querist.sources.flaws import column_flaws, repeated_rows

    if profile and (repeated := repeated_rows(profile)):
        yield repeated
    for column in profile.columns if profile else ():
        yield from (f"column {column.name!r}: {flaw}" for flaw in column_flaws(column))


def _key(table: TableSchema, column: str, profile: ColumnProfile | None) -> str:
    parts = ["primary"] if column in table.primary_key else []
    if not parts and profile and profile.likely_key:
        parts.append("likely")
    for key in table.foreign_keys:
        if column in key.columns:
            parts.append(f"→ {key.target_table}.{key.target_columns[key.columns.index(column)]}")
    return " ".join(parts)


def _part(share: float) -> str:
    """In percent, nothing of nothing; what rounding would make nothing or all is told to be neither."""
    if 0 < share < 0.01:
        return "<1%"
    return ">99%" if 0.99 < share < 1 else f"{share:.0%}" if share else ""


def _values(profile: ColumnProfile) -> str:
    """Examples, or the range where examples say little; and what kind of text it is."""
    kind = "numbers as text: " if profile.numeric_text else ""
    if profile.date_format:
        kind = f"dates as text ({profile.date_format}): "
    listed = len(profile.examples) >= profile.distinct
    low, high = profile.minimum, profile.maximum
    if not listed and low is not None and (profile.date_format or not isinstance(low, str)):
        return f"{kind}{low} … {high}"
    text = ""
    for i, value in enumerate(profile.examples):
        more = ("" if i == 0 else ", ") + str(value)
        if len(text) + len(more) > EXAMPLES_WIDTH and i:
            return f"{kind}{text}, …"
        text += more
    return f"{kind}{text}" + ("" if listed else ", …")


def _safe(text: str) -> str:
    """Text from data as a terminal may show it: no control characters, and nothing that is taken for markup."""
    from rich.markup import escape

    return escape("".join(ch if ch.isprintable() else " " for ch in text))


def _source_json(source: Source, tables: Sequence[tuple[TableSchema, TableProfile | None]]) -> dict[str, Any]:
    return {
        "name": source.name,
        "dialect": source.dialect,
        "location": source.describe(),
        "notes": list(getattr(source, "notes", ())),
        "tables": [_table_json(table, profile) for table, profile in tables],
    }


def _table_json(table: TableSchema, profile: TableProfile | None) -> dict[str, Any]:
    from dataclasses import asdict

    data = asdict(table)
    data["repeated_rows"] = profile.repeated_rows if profile else None
    if profile is not None:
        data["row_count"] = profile.row_count if table.row_count is None else table.row_count
        data["sampled"] = profile.sampled
    for column in data["columns"]:
        found = profile.column(column["name"]) if profile else None
        column["profile"] = _profile_json(found) if found else None
    return data


def _profile_json(profile: ColumnProfile) -> dict[str, Value]:
    from dataclasses import asdict

    from querist.sources.table import json_cell

    data: dict[str, Value] = json_cell(asdict(profile))
    return data
