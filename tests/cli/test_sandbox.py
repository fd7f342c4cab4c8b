"""`querist sandbox`: runs code, says what works here, and fails when an attack succeeds."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from querist.cli.main import app

CODE = "print(len(t['a']))\nresult = sum(t['a'])"


def querist(*arguments: str, input: str = "") -> tuple[int, str]:
    result = CliRunner().invoke(app, ["sandbox", *arguments], input=input)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


def test_code_runs_over_a_table_and_gives_json(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,x\n4,y\n")
    arguments = ("run", "-", "--table", f"t={tmp_path / 't.csv'}", "--backend", "monty", "--json")
    code, out = querist(*arguments, input=CODE)
    told = json.loads(out)
    assert (code, told["value"], told["stdout"], told["strength"]) == (0, 5, "2\n", "restricted")


def test_nothing_that_the_code_says_commands_the_terminal() -> None:
    code = "print('\\x1b]0;x\\x07\\x9bhi')\nresult = {'\\x9b\\u202e': 1}\n"
    for rest in ("", "raise ValueError('\\x1b[2J')"):
        result = CliRunner().invoke(app, ["sandbox", "run", "-", "--backend", "unsafe"], input=code + rest)
        assert "hi" in result.output
        assert all(letter.isprintable() or letter == "\n" for letter in result.output)


def test_tables_are_saved_without_formulas(tmp_path: Path) -> None:
    code = (
        "import polars\nt = polars.DataFrame({'x': ['=1+1', 'y'], 'n': [-1, 2]})\nresult = {'a/b': t, 'a_b': t.head(0)}"
    )
    assert querist("run", "-", "--backend", "unsafe", "--out", str(tmp_path), input=code)[0] == 0
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "a_b.csv": "x,n\n'=1+1,-1\ny,2\n",
        "a_b_2.csv": "x,n\n",
    }


def test_an_outcome_is_shown_also_where_its_files_cannot_be_saved(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file where the folder should be")
    given = ["sandbox", "run", "-", "--backend", "monty", "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, given, input="result = 6 * 7")
    assert (result.exit_code, result.stdout) == (2, "42\n")
    assert "The files cannot be saved to" in result.stderr


def test_code_gets_its_parameters(tmp_path: Path) -> None:
    given = ("--param", "n=[1, 2.5]", "--param", "word=007", "--param", "sign=a=b")
    code, out = querist("run", "-", "--backend", "monty", "--json", *given, input="result = [n, word, sign]")
    assert (code, json.loads(out)["value"]) == (0, [[1, 2.5], "007", "a=b"])


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("--param", "n"), "'n' has no name, or nothing behind it"),
        (("--param", "n=1", "--param", "n=2"), "'n' is given twice"),
        (("--param", "result=1"), "'result' is the name of more than one"),
        (("--table", "=x.csv"), "Write it like --table sales=sales.csv"),
    ],
)
def test_names_that_are_wrong_are_told(given: tuple[str, ...], told: str) -> None:
    result = CliRunner().invoke(app, ["sandbox", "run", "-", "--backend", "monty", *given], input="result = 1")
    assert result.exit_code == 2
    assert told in result.stderr


def test_of_a_folder_with_several_tables_it_says_which_one_the_code_gets(tmp_path: Path) -> None:
    for name in ("elms", "oaks"):
        (tmp_path / f"{name}.csv").write_text("age\n1\n")
    given = ["sandbox", "run", "-", "--backend", "monty", "--table", f"trees={tmp_path}"]
    result = CliRunner().invoke(app, given, input="result = trees")
    assert result.exit_code == 0
    assert f"trees is the table elms of {tmp_path}; left out: oaks." in result.stderr


def test_a_table_is_found_by_its_whole_name(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "trees.duckdb")) as con:
        con.execute("CREATE SCHEMA park; CREATE TABLE park.elms AS SELECT 7 AS age")
    given = ("--backend", "monty", "--table", f"trees={tmp_path / 'trees.duckdb'}")
    assert querist("run", "-", *given, input="result = trees['age']") == (0, "[\n  7\n]\n")


def test_data_without_a_table_are_told(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "empty.sqlite").executescript("CREATE TABLE t (x); DROP TABLE t").close()
    given = ["sandbox", "run", "-", "--backend", "monty", "--table", f"trees={tmp_path / 'empty.sqlite'}"]
    result = CliRunner().invoke(app, given, input="result = 1")
    assert (result.exit_code, "There is no table in" in result.stderr) == (2, True)


def test_code_that_fails_exits_with_1() -> None:
    code, _ = querist("run", "-", "--backend", "monty", input="1 / 0")
    assert code == 1


@pytest.mark.parametrize(
    ("url", "why_not"),
    [("", "sandbox.url is not set"), ("http://10.1.2.3", "can be read on the way"), ("https://10.1.2.3", "")],
)
def test_the_doctor_names_every_sandbox_and_why_it_does_not_work(
    url: str, why_not: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUERIST_SANDBOX__URL", url)
    monkeypatch.setenv("QUERIST_SANDBOX__TOKEN", "x")
    _, out = querist("doctor", "--json")
    backends = {entry["backend"]: entry for entry in json.loads(out)["backends"]}
    assert set(backends) == {"bubblewrap", "container", "landlock", "monty", "remote"}
    assert (why_not in backends["remote"]["why_not"], backends["remote"]["works"]) == (True, not why_not)


def test_an_attack_that_succeeds_exits_with_1() -> None:
    code, out = querist("test", "read-passwd", "--backend", "unsafe", "--json")
    assert code == 1
    assert json.loads(out)["succeeded"] == 1


def test_an_unknown_attack_is_told() -> None:
    result = CliRunner().invoke(app, ["sandbox", "test", "read-passw"])
    assert result.exit_code == 2
    assert "such as read-passwd" in result.stderr
    assert len(result.stderr) < 200


def test_code_that_is_not_there_is_told() -> None:
    result = CliRunner().invoke(app, ["sandbox", "run", "nowhere.py"])
    assert result.exit_code == 2
    assert result.stderr == "Error (usage): The code in 'nowhere.py' cannot be read: No such file or directory.\n"
