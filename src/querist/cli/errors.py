"""How errors are told on the command line."""

from __future__ import annotations

import os
import re

import typer

from querist.errors import ComponentInputError, ComponentNotFoundError, ConfigError, QueristError, UsageError

_OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Control characters, all but tabs and the ends of lines."""


def debugging() -> bool:
    """Whether the whole story is wanted: `querist --debug` or `QUERIST_DEBUG=1`."""
    return os.environ.get("QUERIST_DEBUG", "").lower() not in ("", "0", "false", "no")


def show_error(error: Exception, *, as_json: bool = False) -> None:
    """Tell an error on standard error: its code, what failed, and what to do. With `--debug` the traceback as well.

    Args:
        as_json: tell it on standard output too, for a program that reads JSON there.
    """
    if debugging():
        import traceback

        typer.echo("".join(traceback.format_exception(error)), err=True)
    if isinstance(error, QueristError):
        code, message, hint = error.code, error.message, error.hint
    elif isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        code, message = "system", f"{where}{error.strerror or error}."
        hint = "`querist doctor` tells whether there is room, and whether Querist's own folders can be written."
    else:
        code, message = "unexpected", f"{type(error).__name__}: {error}"
        hint = "This is a fault in Querist itself. `querist --debug …` shows where it happened."
    if as_json:
        print_error(code, message, hint)
    head = typer.style(f"Error ({code}):", fg=None if os.environ.get("NO_COLOR") else "red", bold=True)
    typer.echo(f"{head} {harmless(message)}", err=True)
    if hint:
        typer.echo(f"  {harmless(hint)}", err=True)


def harmless(text: str) -> str:
    """Text that data or a model may have a part in, without what a terminal would obey."""
    return _OBEYED.sub(" ", text)


def print_error(code: str, message: str, hint: str) -> None:
    """Tell an error on standard output, for a program that reads JSON there."""
    import json

    told = {"code": code, "message": message, "hint": hint}
    typer.echo(json.dumps({"error": told}, indent=2, ensure_ascii=False))


def exit_code(error: Exception) -> int:
    """2 where the call or the settings are wrong, 1 for everything else."""
    return 2 if isinstance(error, (ConfigError, UsageError, ComponentNotFoundError, ComponentInputError)) else 1
