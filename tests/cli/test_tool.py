"""`querist tool` as people see it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from querist.cli.main import app
from querist.cli.tool_show import show_tool
from querist.state.event_log import EventLog
from querist.state.paths import data_dir
from querist.tools.catalogue import ENTRIES, load_tool


def run(*arguments: object, stdin: str = "") -> Result:
    return CliRunner().invoke(app, ["tool", *map(str, arguments)], input=stdin, env={"COLUMNS": "120"})


def test_it_lists_all_tools_or_those_of_a_group() -> None:
    everything = json.loads(run("list", "--json").stdout)
    assert [row["name"] for row in everything[: len(ENTRIES)]] == [entry.name for entry in ENTRIES]
    shown = run("list", "--group", "utilities").stdout
    assert "calculator" in shown
    assert "file_reader" not in shown
    assert "There are files, web" in run("list", "--group", "stuff").stderr


def test_it_shows_what_a_tool_takes_and_how_to_run_it() -> None:
    shown = run("show", "hash_calculator").stdout
    assert "May need: file_read" in shown
    assert "md5 | sha1 | sha256" in shown
    assert "querist tool run hash_calculator" in shown
    offered = json.loads(run("show", "hash_calculator", "--json").stdout)
    assert offered["inputSchema"]["properties"]["algorithm"]["default"] == "sha256"
    assert "Did you mean 'hash_calculator'?" in run("show", "hash_calc").stderr


def test_every_tool_can_be_shown(capsys: pytest.CaptureFixture[str]) -> None:
    for entry in ENTRIES:
        show_tool(load_tool(entry.name), entry.extra)
        assert f"querist tool run {entry.name}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [
        (["expression=2 ^ a", 'variables={"a": 10}'], ""),
        (["--input", '{"expression": "2 ^ a"}', 'variables={"a": 10}'], ""),
        (["-"], '{"expression": "2 ^ a", "variables": {"a": 10}}'),
        (["-"], '\ufeff{"expression": "2 ^ a", "variables": {"a": 10}}'),
    ],
)
def test_it_takes_values_one_by_one_or_as_json(arguments: list[str], stdin: str) -> None:
    assert run("run", "calculator", *arguments, stdin=stdin).stdout == "1024\n"


def test_text_that_looks_like_a_number_stays_text() -> None:
    assert run("run", "base64_encoder", "text=5").stdout.split() == ["result", "NQ==", "is_hex", "false"]


def test_rows_are_shown_as_a_table_and_given_as_json(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("city,sold\nBern,3\n")
    arguments = ("run", "csv_processor", f"file_path={tmp_path}/a.csv", "--grant", f"file_read:{tmp_path}")
    assert ["Bern", "3"] in [line.split() for line in run(*arguments).stdout.splitlines()]
    assert json.loads(run(*arguments, "--json").stdout)["data"] == [{"city": "Bern", "sold": 3}]


def test_amounts_of_a_table_are_shown_to_the_cent(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("city,sold\nBern,1234567.89\nThun,0.1\n")
    shown = run("run", "csv_processor", f"file_path={tmp_path}/a.csv", "--grant", f"file_read:{tmp_path}").stdout
    assert ["Bern", "1234567.89"] in [line.split() for line in shown.splitlines()]


def test_nothing_is_granted_by_default_and_the_error_names_what_to_grant(tmp_path: Path) -> None:
    path = tmp_path / "my file.txt"
    path.write_text("x")
    refused = run("run", "file_reader", f"path={path}")
    assert refused.exit_code == 1
    assert f"Allow it with --grant 'file_read:{path}'" in refused.stderr
    as_json = json.loads(run("run", "file_reader", f"path={path}", "--json").stdout)
    assert as_json["error"]["code"] == "run.permission"
    assert "content  x" in run("run", "file_reader", f"path={path}", "--grant", f"file_read:{path}").stdout


def test_the_parts_of_an_input_are_shown_as_well() -> None:
    shown = run("show", "data_transformer").stdout
    assert "list of Filter or Map or Select" in shown
    assert [line.split()[:3] for line in shown.splitlines() if "condition" in line.split()] == [
        ["condition", "text", "required"]
    ]


def test_plain_values_come_one_a_line() -> None:
    assert len(run("run", "uuid_generator", "count=3").stdout.splitlines()) == 3


def test_what_comes_from_outside_cannot_steer_the_terminal() -> None:
    assert run("run", "template_processor", "template=\x1b[2J[bold]x").stdout == "�[2J[bold]x\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["hash_calculator", "-i", r'{"text": "\ud800"}'], "not JSON"),
        (["calculator", "expression"], "'expression' is not KEY=VALUE"),
        (["calculator", "--input", "[1]"], "not an object"),
        (["calculator", "--input", "{"], "not JSON"),
        (["calculator", "expresion=1"], "It takes: expression, variables, precision"),
        (["calculator", "expression=1", "--grant", "all"], "KIND:SCOPE"),
    ],
)
def test_a_call_that_is_not_right_is_told(arguments: list[str], told: str) -> None:
    assert told in run("run", *arguments).stderr


def test_the_use_of_a_permission_is_kept_where_the_settings_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.txt").write_text("abc")
    monkeypatch.setenv("QUERIST_EVENTS__KEEP", "true")
    done = run("run", "hash_calculator", f"path={tmp_path / 'a.txt'}", "--grant", f"file_read:{tmp_path}")
    assert done.exit_code == 0, done.stderr
    (used,) = EventLog(data_dir() / "events.sqlite").replay(name="permission.*")
    assert (used["source"], used["grant"]) == ("hash_calculator", f"file_read:{tmp_path}")
