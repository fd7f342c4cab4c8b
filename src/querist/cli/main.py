"""The command `querist`: its options, and the table of its subcommands. Each subcommand is a module beside this one."""

from __future__ import annotations

import atexit
import codecs
import gc
import io
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from querist.cli.lazy import LazyCommand, QueristGroup, Subcommand, as_command

SUBCOMMANDS = (
    Subcommand("ask", "querist.cli.ask", "ask", "Answer a question about the data, with its evidence."),
    Subcommand("chat", "querist.cli.chat", "chat", "Ask one question after another, each in the light of the last."),
    Subcommand("analyse", "querist.cli.analyse", "analyse", "Answer a statistical question about a table."),
    Subcommand("schema", "querist.cli.schema", "schema", "Show what the data hold: tables, columns, keys, examples."),
    Subcommand("verify", "querist.cli.verify", "verify", "Keep a query as the right one for a question."),
    Subcommand("agent", "querist.cli.agent", "app", "Run agents: models with instructions, tools and a memory."),
    Subcommand("tool", "querist.cli.tool", "app", "List, show and run tools."),
    Subcommand("eval", "querist.cli.eval", "app", "Ask questions whose answers are known, and say how many are right."),
    Subcommand("models", "querist.cli.models", "app", "Fetch, check and serve the models that run on this machine."),
    Subcommand("config", "querist.cli.config", "app", "Show and check the settings."),
    Subcommand("sandbox", "querist.cli.sandbox", "app", "Where generated code runs: try it, attack it, lend it."),
    Subcommand("plugin", "querist.cli.plugin", "app", "List plugins, begin a new one, and trust folders of them."),
    Subcommand("doctor", "querist.cli.doctor", "doctor", "Check the installation, the model and the data."),
)


class _Root(QueristGroup):
    def __init__(self, **attributes: object) -> None:
        super().__init__(**attributes)  # type: ignore[arg-type]
        for subcommand in SUBCOMMANDS:
            self.add_command(LazyCommand(subcommand))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A command of ours, or else of a plugin; these are asked last, so that `--help` need not load them."""
        return super().get_command(ctx, cmd_name) or _of_plugin(cmd_name, ctx.params.get("config"))


def _of_plugin(name: str, config: Path | None) -> Any:
    from querist.plugins.load import load_plugins
    from querist.settings import load_settings

    for plugin in load_plugins(load_settings(config).plugins):
        if name in plugin.brings.commands:
            return as_command(name, plugin.brings.commands[name].run)
        if plugin.problem:  # it may be the one that would bring this command
            typer.echo(f"The plugin {plugin}", err=True)
    return None


app = typer.Typer(
    cls=_Root,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"querist {version('querist')}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="Settings to use instead of ./querist.yaml.")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Tell errors with all their details.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Ask plain-language questions over files and databases, and get answers with evidence.

    \b
    Begin with:
      querist doctor
      querist schema --data sales.csv
      querist ask "What was sold most in May?" --data sales.csv

    Exits with 0 when it worked, 1 when it failed, 2 when the call or the settings are wrong, 130 after Ctrl-C. What
    else a code may mean stands in the help of a command.
    """
    # In the environment they reach everything that loads settings, and the processes that it starts.
    if config is not None:
        _set_while(context, "QUERIST_CONFIG", str(config.expanduser().absolute()))
    if debug:
        _set_while(context, "QUERIST_DEBUG", "1")


def _set_while(context: typer.Context, variable: str, value: str) -> None:
    """Set an environment variable until the command is done."""
    before = os.environ.get(variable)

    def restore() -> None:
        if before is None:
            os.environ.pop(variable, None)
        else:
            os.environ[variable] = before

    os.environ[variable] = value
    context.call_on_close(restore)


def main() -> None:
    """Entry point of the installed program."""
    # A command is short, and most of its own time is loading modules: no need to look for garbage meanwhile.
    gc.set_threshold(100_000)
    if isinstance(sys.stdout, io.TextIOWrapper):  # a letter that it has no bytes for loses no answer
        codecs.register_error("querist-escape", _escaped)
        sys.stdout.reconfigure(errors="querist-escape")
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looking for them reads every installed package
    try:
        app()
    except SystemExit as end:
        _leave(end.code if isinstance(end.code, int) else 1 if end.code else 0)


def _escaped(error: UnicodeError) -> tuple[str, int]:
    """Letters as JSON writes them in ASCII, so that JSON stays JSON."""
    import json

    assert isinstance(error, UnicodeEncodeError)
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


def _leave(code: int) -> NoReturn:
    """End at once. Taking the interpreter apart costs a tenth of a second, and frees what the system frees anyway."""
    atexit._run_exitfuncs()  # what others registered, such as sending the last traces
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # whoever read it may be gone
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
