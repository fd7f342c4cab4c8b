"""`querist verify` as people see it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from querist.cli.main import app
from tests.scripted_model import ScriptedModel

Use = Callable[[object], ScriptedModel]

QUESTION = "What did the kites of Aeolus cost?"
QUERY = "SELECT SUM(price) AS price FROM kites WHERE maker = 'Aeolus'"


def run(*arguments: object, stdin: str = "") -> Result:
    return CliRunner().invoke(app, [*map(str, arguments)], input=stdin, env={"COLUMNS": "120"})


@pytest.fixture
def kept(kites: Path, scripted: Use) -> str:
    """The id of a query that was verified; and no model may be asked."""
    scripted([])
    shown = run("verify", QUESTION, "--sql", QUERY, "--data", kites)
    assert shown.exit_code == 0, shown.output
    return shown.stdout.split()[1].rstrip(":")


def test_it_shows_the_result_and_which_other_questions_it_answers(kites: Path) -> None:
    shown = run("verify", QUESTION, "--sql", QUERY, "--data", kites).stdout.splitlines()
    assert shown[0].endswith(f": {QUESTION}")
    assert shown[1:] == ["  result     price: 165,005", "  also with  another kites.maker than 'Aeolus'"]


def test_it_needs_no_model(kites: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(*_: object) -> None:
        raise AssertionError("a model was opened")

    monkeypatch.setattr("querist.models.open.open_model", opened)
    assert run("verify", QUESTION, "--sql", QUERY, "--data", kites).exit_code == 0


def test_ask_answers_from_it_and_says_so(kites: Path, kept: str) -> None:
    shown = run("ask", "what did the kites of boreas cost", "--data", kites)
    assert shown.exit_code == 0, shown.output
    lines = shown.stdout.splitlines()
    assert lines[0] == "price: 145,005"
    assert any(line.startswith("verified: a query that was verified") for line in lines)
    assert f"From the verified query {kept}, “{QUESTION}”, with 'Boreas' for 'Aeolus'." in lines


def test_the_last_answer_of_a_chat_can_be_verified_as_it_was_understood(kites: Path, scripted: Use) -> None:
    scripted([QUERY, QUERY, "What did the kites of Zephyr cost?", *[QUERY.replace("Aeolus", "Zephyr")] * 2])
    run("chat", "--data", kites, stdin="What did the kites of Aeolus cost?\nand of Zephyr?\n")
    shown = run("verify", "--last", "--data", kites)
    assert shown.exit_code == 0, shown.output
    assert ": What did the kites of Zephyr cost?" in shown.stdout


def test_the_last_answer_of_ask_can_be_verified(kites: Path, scripted: Use) -> None:
    scripted([QUERY, QUERY])
    run("ask", QUESTION, "--data", kites)
    shown = run("verify", "--last", "--data", kites)
    assert shown.exit_code == 0, shown.output
    assert f": {QUESTION}" in shown.stdout


def test_evaluation_is_about_the_engine_and_uses_none(kites: Path, kept: str, scripted: Use, tmp_path: Path) -> None:
    scripted(lambda _: QUERY)
    (tmp_path / "golden.yaml").write_text(f"data: kites.csv\nquestions: [{{question: {QUESTION!r}, sql: {QUERY!r}}}]\n")
    assert "2.00 model calls" in run("eval", "run", tmp_path / "golden.yaml").output


def test_without_an_answer_there_is_no_last_one(kites: Path) -> None:
    shown = run("verify", "--last", "--data", kites)
    assert (shown.exit_code, "no answer to verify yet" in shown.stderr) == (2, True)


def test_list_and_remove(kept: str) -> None:
    assert f"{kept}  " in run("verify", "--list").stdout
    assert run("verify", "--remove", kept).stdout == f"Removed {kept}.\n"
    assert run("verify", "--list").stdout == "No query is verified yet.\n"
    assert run("verify", "--remove", kept).exit_code == 2


def test_check_tells_what_changed_and_fails_when_a_query_is_stale(kites: Path, kept: str) -> None:
    shown = run("verify", "--check", "--data", kites)
    assert (shown.stdout, shown.exit_code) == (f"ok       {kept}  {QUESTION}\n", 0)
    kites.write_text("kite_id,maker,price,launched\n1,Aeolus,5.5,2001-01-01\n")
    shown = run("verify", "--check", "--data", kites)
    assert shown.stdout.startswith("changed")
    assert shown.exit_code == 0
    kites.write_text("kite_id,builder,price,launched\n1,Aeolus,5.5,2001-01-01\n")
    shown = run("verify", "--check", "--data", kites)
    assert shown.stdout.startswith("stale")
    assert "there is no kites.maker any more" in shown.stdout
    assert shown.exit_code == 1


def test_programs_read_json(kites: Path, kept: str) -> None:
    again = json.loads(run("verify", QUESTION, "--sql", QUERY, "--data", kites, "--json").stdout)
    assert (again["id"], again["rows"], again["slots"]) == (kept, 1, ["kites.maker than 'Aeolus'"])
    (listed,) = json.loads(run("verify", "--list", "--json").stdout)
    assert (listed["id"], listed["question"], listed["sql"]) == (kept, QUESTION, again["sql"])
    kites.write_text("kite_id,builder,price,launched\n1,Aeolus,5.5,2001-01-01\n")
    shown = run("verify", "--check", "--data", kites, "--json")
    assert [found["state"] for found in json.loads(shown.stdout)] == ["stale"]
    assert shown.exit_code == 1
    shown = run("verify", "--remove", kept, "--json")
    assert (shown.exit_code, "goes with" in shown.stderr) == (2, True)


def test_a_file_carries_them_to_another_place(kites: Path, kept: str, tmp_path: Path) -> None:
    file, copy = tmp_path / "verified.yaml", tmp_path / "elsewhere" / "kites.csv"
    assert run("verify", "--export", file).stdout == f"1 verified query in {file}.\n"
    copy.parent.mkdir()
    copy.write_bytes(kites.read_bytes())
    shown = run("verify", "--import", file, "--data", copy)
    assert shown.exit_code == 0, shown.output
    assert run("ask", "What did the kites of Zephyr cost?", "--data", copy).stdout.startswith("price: 155,005")


@pytest.mark.parametrize(
    "arguments",
    [(), ("--list", "--check"), (QUESTION, "--data", "kites.csv"), ("--last", "--sql", QUERY), ("", "--sql", QUERY)],
)
def test_a_call_that_makes_no_sense_is_told(arguments: tuple[str, ...]) -> None:
    shown = run("verify", *arguments)
    assert (shown.exit_code, "Error (usage)" in shown.stderr) == (2, True)
