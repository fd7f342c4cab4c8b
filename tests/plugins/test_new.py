"""A new plugin is whole: its own tests pass, and it runs from the command line once its folder is trusted."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from querist.cli.main import app
from querist.errors import UsageError
from querist.plugins import load
from querist.plugins.new import new_plugin


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)))


def test_its_own_tests_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = new_plugin("word-count", tmp_path)
    assert 'word-count = "querist_word_count"' in (folder / "pyproject.toml").read_text()
    monkeypatch.syspath_prepend(str(folder))
    tests = [test for name, test in runpy.run_path(str(folder / "tests/test_word_count.py")).items() if "test_" in name]
    assert len(tests) == 2
    for test in tests:
        test()


def test_its_command_runs_from_a_folder_once_that_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "There are no plugins" in run("plugin", "list").stdout
    Path("plugins").mkdir()
    assert "If its code may run: querist plugin trust plugins" in run("plugin", "list").stderr
    assert "The plugin is in querist-count" in run("plugin", "new", "count").stdout
    Path("querist.yaml").write_text("plugins: querist-count\n")
    assert "left out: you have not said that its code may run" in run("plugin", "list").stdout
    assert "may run" in run("count", "to be").stderr
    assert run("plugin", "trust", "querist-count").exit_code == 0
    listed = json.loads(run("plugin", "list", "--json").stdout)
    assert [(p["name"], p["brings"]) for p in listed] == [
        ("querist_count", {"components": ["count_words"], "commands": ["count"]})
    ]
    assert "ok    plugins   querist_count (" in run("doctor").stdout
    assert run("count", "to be or not to be").stdout == "6\n"
    assert "Count the words of a text." in run("count", "--help").stdout
    assert run("plugin", "trust", "--revoke", "querist-count").exit_code == 0
    assert run("count", "to be").exit_code == 2
    load._in_folder.cache_clear()
    del sys.modules["querist_plugin_querist_count"]


@pytest.mark.parametrize("name", ["Word", "two words", "-x", "../up", ""])
def test_a_name_that_cannot_be_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name of a plugin"):
        new_plugin(name, tmp_path)


def test_a_folder_that_is_there_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "querist-mine").mkdir()
    (tmp_path / "querist-mine" / "README.md").write_text("Mine.")
    with pytest.raises(UsageError, match="already a folder"):
        new_plugin("mine", tmp_path)
    assert (tmp_path / "querist-mine" / "README.md").read_text() == "Mine."
