"""The `--help` pages: they teach by examples, which are right, and are not cut."""

from __future__ import annotations

import re
import shlex

import pytest
from typer.testing import CliRunner

from querist.cli.lazy import load
from querist.cli.main import SUBCOMMANDS, app

GROUPS = {found.name: group.commands for found in SUBCOMMANDS if hasattr(group := load(found), "commands")}
COMMANDS = [(found.name,) for found in SUBCOMMANDS if found.name not in GROUPS]
COMMANDS += [(group, name) for group, commands in GROUPS.items() for name in commands]


def page(*words: str) -> str:
    result = CliRunner().invoke(app, [*words, "--help"])
    assert result.exit_code == 0, result.output
    return result.stdout


def examples(text: str) -> list[str]:
    """The commands that a page shows, without what is piped into them or out of them."""
    return re.findall(r"^ +(?:.+\| |Example: )?(querist [^|<\n]+)", text, re.M)


@pytest.mark.parametrize("group", ["", *GROUPS])
def test_lists_of_commands_are_not_cut(group: str) -> None:
    assert "..." not in page(*group.split()).partition("Commands:")[2]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_command_that_takes_something_shows_an_example(words: tuple[str, ...]) -> None:
    text = page(*words)
    takes = set(re.findall(r"^  (?:-\w, )?(\S+)", text.partition("Options:")[2], re.M)) - {"--json", "--help"}
    if takes or "Arguments:" in text:
        assert any(line.startswith(" ".join(("querist", *words))) for line in examples(text))


@pytest.mark.parametrize("words", [(), *COMMANDS], ids=" ".join)
def test_examples_are_commands_that_exist_with_their_options(words: tuple[str, ...]) -> None:
    for line in examples(page(*words)):
        named = shlex.split(line)[1:]
        shown = page(*named[: 2 if named[0] in GROUPS else 1])
        for option in (word for word in named if re.match(r"--?[a-z]", word)):
            assert re.search(rf"(^|\s){option}[\s,]", shown), f"{option} in: {line}"


def test_exit_codes_are_told_once_for_all_commands() -> None:
    assert "Exits with 0 when" in page()
