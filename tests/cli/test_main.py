from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from querist.cli.lazy import QueristGroup, Subcommand, load
from querist.cli.main import SUBCOMMANDS, app
from querist.errors import ConfigError, DataError, UsageError

RUN = CliRunner()


def raising(error: BaseException) -> typer.Typer:
    """A command line whose only command fails with `error`."""
    app = typer.Typer(cls=QueristGroup, rich_markup_mode=None)

    @app.callback()
    def root() -> None:
        """Fail."""

    @app.command()
    def go(as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
        raise error

    return app


def test_help_lists_every_command_with_its_line() -> None:
    result = RUN.invoke(app, ["--help"])
    assert result.exit_code == 0
    for subcommand in SUBCOMMANDS:
        assert f"  {subcommand.name} " in result.output
        assert subcommand.help.split()[0] in result.output


@pytest.mark.parametrize("subcommand", SUBCOMMANDS, ids=lambda s: s.name)
def test_every_command_of_the_table_exists_and_has_help(subcommand: Subcommand) -> None:
    assert load(subcommand) is not None
    result = RUN.invoke(app, [subcommand.name, "--help"])
    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: root {subcommand.name}")


def test_help_imports_no_heavy_library_and_no_command() -> None:
    code = (
        "import sys; sys.argv = ['querist', '--help']\n"
        "from querist.cli.main import app\n"
        "try: app()\n"
        "except SystemExit: print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert "querist.cli.main" in loaded
    heavy = {"duckdb", "sqlglot", "sqlalchemy", "httpx", "pydantic", "pydantic_ai", "rich", "ruamel.yaml", "asyncio"}
    assert not loaded & heavy
    assert not loaded & {subcommand.module for subcommand in SUBCOMMANDS}


def test_version() -> None:
    assert RUN.invoke(app, ["--version"]).output.startswith("querist 0.")


def test_a_misspelt_command_is_told_with_the_nearest() -> None:
    result = RUN.invoke(app, ["confg"])
    assert result.exit_code == 2
    assert "Did you mean 'config'?" in result.stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [(ConfigError("bad", hint="do it"), 2), (UsageError("bad", hint="do it"), 2), (DataError("bad", hint="do it"), 1)],
)
def test_an_error_is_told_with_its_code_and_hint_and_sets_the_exit_code(error: DataError, code: int) -> None:
    result = RUN.invoke(raising(error), ["go"])
    assert result.exit_code == code
    assert result.stderr == f"Error ({error.code}): bad\n  do it\n"
    assert result.stdout == ""


def test_a_terminal_obeys_nothing_of_what_an_error_quotes() -> None:
    result = RUN.invoke(raising(DataError("no column '\x1b[2Jx'", hint="There are:\na\x9bb.")), ["go"])
    assert result.stderr == "Error (data): no column ' [2Jx'\n  There are:\na b.\n"


def test_with_json_an_error_is_on_the_standard_output_as_well() -> None:
    result = RUN.invoke(raising(DataError("bad", hint="do it")), ["go", "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {"error": {"code": "data", "message": "bad", "hint": "do it"}}
    assert result.stderr == "Error (data): bad\n  do it\n"


@pytest.mark.parametrize("arguments", [["--json"], ["Revenue?", "--json", "--drafts", "0"], ["--json", "--wrong"]])
def test_wrong_options_are_told_in_json_too(arguments: list[str]) -> None:
    result = RUN.invoke(app, ["ask", *arguments])
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["code"] == "usage"
    assert "Usage: " in result.stderr


def test_a_fault_of_the_program_is_told_without_a_traceback_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    result = RUN.invoke(raising(ZeroDivisionError("by zero")), ["go"])
    assert result.exit_code == 1
    assert result.stderr.startswith("Error (unexpected): ZeroDivisionError: by zero\n")
    assert "Traceback" not in result.stderr
    monkeypatch.setenv("QUERIST_DEBUG", "1")
    assert "Traceback" in RUN.invoke(raising(ZeroDivisionError("by zero")), ["go"]).stderr
    monkeypatch.setenv("QUERIST_DEBUG", "0")
    assert "Traceback" not in RUN.invoke(raising(ZeroDivisionError("by zero")), ["go"]).stderr


def test_what_the_system_refuses_is_no_fault_of_the_program() -> None:
    result = RUN.invoke(raising(OSError(28, "No space left on device", "/data/x")), ["go"])
    assert result.exit_code == 1
    assert result.stderr.startswith("Error (system): /data/x: No space left on device.\n")
    assert "fault in Querist" not in result.stderr


def test_letters_that_the_output_has_no_bytes_for_are_escaped() -> None:
    command = [sys.executable, "-m", "querist.cli.main", "config", "validate", "żółw.yaml", "--json"]
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(command, capture_output=True, env=environment)
    assert done.returncode == 2
    assert "żółw.yaml" in json.loads(done.stdout.decode("latin-1"))["error"]["message"]


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), asyncio.CancelledError()], ids=["Ctrl-C", "cancelled"])
def test_being_stopped_is_told_in_a_word(stop: BaseException) -> None:
    result = RUN.invoke(raising(stop), ["go"])
    assert result.exit_code == 130
    assert result.stderr == "\nStopped.\n"


def test_debug_and_config_hold_for_one_call_only(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr("querist.settings.load_settings", lambda *_: seen.append(os.environ["QUERIST_CONFIG"]))
    RUN.invoke(app, ["--debug", "--config", "x.yaml", "config", "show"])
    assert seen[0].endswith("/x.yaml")
    assert "QUERIST_CONFIG" not in os.environ
    assert "QUERIST_DEBUG" not in os.environ
