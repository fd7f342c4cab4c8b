"""Commands that are imported when they are called, so that each command pays only for itself and `--help` for none."""

from __future__ import annotations

import errno
import importlib
from dataclasses import dataclass
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

from querist.cli.errors import exit_code, print_error, show_error


@dataclass(frozen=True)
class Subcommand:
    """A line of the command table.

    Attributes:
        module: where it is written.
        attribute: a function that is the command (`command`), or a Typer app with commands of its own (`app`).
        help: what the list of commands says about it.
    """

    name: str
    module: str
    attribute: str
    help: str


class LazyCommand(TyperCommand):
    """Stands for a command in lists and completions, and gives way to the real one when that is called."""

    def __init__(self, subcommand: Subcommand) -> None:
        super().__init__(
            subcommand.name, help=subcommand.help, short_help=subcommand.help, callback=None, rich_markup_mode=None
        )
        self.subcommand = subcommand

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        return load(self.subcommand).make_context(info_name, args, parent=parent, **extra)


def load(subcommand: Subcommand) -> Any:
    """Import a command."""
    return as_command(subcommand.name, getattr(importlib.import_module(subcommand.module), subcommand.attribute))


def as_command(name: str, found: Any) -> Any:
    """A command from a typed function, or from a Typer app."""
    # Help is plain text everywhere: the framed one costs more time than the rest of the program's start.
    if isinstance(found, typer.Typer):
        found.rich_markup_mode = None
        return get_group(found)
    single = typer.Typer(add_completion=False, rich_markup_mode=None)
    single.command(name)(found)
    return get_command(single)


class QueristGroup(TyperGroup):
    """The top of the command line: tells errors in the words made for them, and sets the exit code."""

    def invoke(self, ctx: Any) -> Any:
        as_json = "--json" in ctx.args  # of the command, which is not known yet
        try:
            return super().invoke(ctx)
        except typer.TyperException as error:  # the options are wrong, which Typer tells with the usage
            if as_json:
                print_error("usage", error.format_message(), "")
            raise
        except (typer.Exit, typer.Abort, EOFError):
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno == errno.EPIPE:
                raise  # whoever read our output went away, which Typer handles
            show_error(error, as_json=as_json)
            raise typer.Exit(exit_code(error)) from error
        except BaseException as error:
            import asyncio  # only needed to know its way of stopping, and slow to import for those that do without

            if not isinstance(error, (KeyboardInterrupt, asyncio.CancelledError)):
                raise
            typer.echo("\nStopped.", err=True)
            raise typer.Exit(130) from error
