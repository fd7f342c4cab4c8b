"""`querist tool`: list, show and run tools, by hand as a model would."""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from querist.errors import ComponentInputError, ComponentNotFoundError, PermissionDeniedError, UsageError
from querist.tools.catalogue import ENTRIES, GROUPS, load_tool

if TYPE_CHECKING:
    from pydantic import BaseModel

    from querist.core.component import Component
    from querist.core.permissions import Principal
    from querist.core.registry import Registry
    from querist.settings import Settings

app = typer.Typer(no_args_is_help=True, help="List, show and run tools.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Name = Annotated[str, typer.Argument(help="Name of a tool; `querist tool list` shows all.")]


@app.command("list")
def list_tools(
    group: Annotated[
        str | None, typer.Option("--group", "-g", metavar="GROUP", help=f"Only these: {', '.join(GROUPS)}, plugins.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List all tools, with what each may need to be granted.

    Example: querist tool list --group files
    """
    from querist.settings import load_settings

    rows: list[dict[str, Any]] = [
        {
            "name": entry.name,
            "group": entry.group,
            "description": entry.summary,
            "permissions": list(entry.permissions),
            "extra": entry.extra,
        }
        for entry in ENTRIES
    ]
    if group in (None, "plugins"):
        rows += [
            {
                "name": found.name,
                "group": "plugins",
                "description": found.description.splitlines()[0],
                "permissions": list(found.permissions),
                "extra": "",
            }
            for found in _of_plugins(load_settings())
        ]
    elif group not in GROUPS:
        raise UsageError(f"There is no group {group!r}.", hint=f"There are {', '.join(GROUPS)}, plugins.")
    rows = [row for row in rows if group in (None, row["group"])]
    if as_json:
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    from querist.cli.tool_show import show_list

    show_list(rows)


@app.command()
def show(name: Name, as_json: Json = False) -> None:
    """Show what a tool takes and gives, and what it needs to be granted.

    Example: querist tool show csv_processor
    """
    from querist.settings import load_settings

    tool = _find(name, load_settings())
    if as_json:
        offered = tool.to_tool()
        described = {**offered.to_mcp(), "permissions": list(tool.permissions)}
        typer.echo(json.dumps(described, indent=2, ensure_ascii=False))
        return
    from querist.cli.tool_show import show_tool

    show_tool(tool, next((entry.extra for entry in ENTRIES if entry.name == name), ""))


@app.command()
def run(
    name: Name,
    values: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY=VALUE]...", help="The input; or - to read it as JSON from the standard input."),
    ] = None,
    input_: Annotated[str | None, typer.Option("--input", "-i", metavar="JSON", help="The input as JSON.")] = None,
    grant: Annotated[
        list[str] | None,
        typer.Option("--grant", "-g", metavar="KIND:SCOPE", help="What it may do; beyond that only what settings say."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Run a tool once.

    Values that are not plain text are written as JSON. Nothing of the world outside may be touched unless it is
    granted; what is missing is told.

    \b
    Examples:
      querist tool run calculator expression="sqrt(2) * 3" precision=4
      querist tool run file_search path=docs content=limit --grant file_read:docs
      querist tool run data_transformer --json - < operations.json
    """
    from dataclasses import replace

    from querist.core.context import RunContext
    from querist.core.permissions import Grant, Principal
    from querist.core.runner import Runner
    from querist.settings import load_settings
    from querist.state.event_log import kept

    settings = load_settings()
    tool = _find(name, settings)
    given = _input(tool, values or [], input_)
    principal = Principal.of(settings)
    principal = replace(principal, grants=(*principal.grants, *map(Grant.parse, grant or ())))
    context = RunContext(principal=principal).with_extras(settings)
    try:
        with kept(context.events, settings.events):
            output: BaseModel = asyncio.run(Runner.of(settings).run(tool, given, context))
    except PermissionDeniedError as error:
        raise _with_options(error, tool, given, principal) from error.__cause__
    if as_json:
        typer.echo(output.model_dump_json(indent=2))
        return
    from querist.cli.tool_show import show_output

    show_output(output)


def _with_options(
    error: PermissionDeniedError, tool: Component[Any, Any], given: dict[str, Any], principal: Principal
) -> PermissionDeniedError:
    """The refusal, with the options that would have allowed it."""
    missing = [need for need in tool.needs(tool.input_type.model_validate(given)) if not principal.grant_for(need)]
    options = " ".join(f"--grant {shlex.quote(str(need))}" for need in missing)
    return PermissionDeniedError(error.message, hint=f"Allow it with {options}" if options else error.hint)


def _find(name: str, settings: Settings) -> Component[Any, Any]:
    """A tool of the catalogue, or a component of a plugin."""
    try:
        return load_tool(name)
    except ComponentNotFoundError:
        plugins = _of_plugins(settings)
        if name not in plugins:
            raise
        return plugins.get(name)


def _of_plugins(settings: Settings) -> Registry:
    from querist.core.registry import Registry
    from querist.plugins.load import add_components, load_plugins

    registry = Registry()
    add_components(load_plugins(settings.plugins), registry)
    return registry


def _input(tool: Component[Any, Any], values: list[str], whole: str | None) -> dict[str, Any]:
    from querist.sources.text_encoding import decode

    if values == ["-"]:
        values, whole = [], decode(sys.stdin.buffer.read())[0]
    given = {} if whole is None else _object(whole)
    properties = tool.input_schema().get("properties", {})
    for text in values:
        key, sign, value = text.partition("=")
        if not sign:
            raise UsageError(f"{text!r} is not KEY=VALUE.", hint=f"`querist tool show {tool.name}` tells the keys.")
        given[key] = value if _is_text(properties.get(key, {})) else _value(value)
    return given


def _object(text: str) -> dict[str, Any]:
    from pydantic_core import from_json

    try:
        given = from_json(text)
    except ValueError as error:
        raise ComponentInputError(f"The input is not JSON: {error}.") from error
    if not isinstance(given, dict):
        raise ComponentInputError("The input is JSON, but not an object.", hint='Such as {"path": "a.txt"}.')
    return given


def _is_text(schema: dict[str, Any]) -> bool:
    """Whether a field takes text only, so that `name=5` means the text."""
    kinds = [part.get("type") for part in schema.get("anyOf", [schema])]
    return "string" in kinds and set(kinds) <= {"string", "null"}


def _value(text: str) -> Any:
    from pydantic_core import from_json

    try:
        return from_json(text)
    except ValueError:
        return text
