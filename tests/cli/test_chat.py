"""`querist chat`, with what is typed coming from a pipe or a terminal."""

from __future__ import annotations

import csv
import json
import signal
from collections.abc import Callable
from pathlib import Path

from typer.testing import CliRunner, Result

from querist.cli.main import app
from querist.errors import ModelAccessError
from querist.models.base import Request
from querist.state.paths import data_dir
from tests.cli.test_ask import completion, on_terminal, server_settings
from tests.models.http_server import Answer as Reply
from tests.models.http_server import Call, serving
from tests.scripted_model import ScriptedModel

Use = Callable[[object], ScriptedModel]

COUNT = "SELECT COUNT(*) AS kites FROM kites"
BY_MAKER = "SELECT maker, COUNT(*) AS kites FROM kites GROUP BY maker ORDER BY maker"


def chat(data: Path, *lines: str) -> Result:
    return CliRunner().invoke(app, ["chat", "--data", str(data)], input="\n".join(lines) + "\n", env={"COLUMNS": "100"})


def replies(request: Request) -> str:
    """A model that rewrites the follow-up, and knows two queries."""
    asked = request.messages[-1].content
    if request.prefix == "standalone":
        return "How many kites are there by maker?" if "and by maker" in asked else "How many kites?"
    return BY_MAKER if "by maker" in asked else COUNT


def test_a_follow_up_is_understood_in_the_light_of_the_last_question(kites: Path, scripted: Use) -> None:
    model = scripted(replies)
    shown = chat(kites, "How many kites?", "and by maker?")
    assert shown.exit_code == 0, shown.output
    assert "kites: 30" in shown.stdout
    assert "Understood as: How many kites are there by maker?" in shown.stdout
    (rewriting,) = [request for request in model.requests if request.prefix == "standalone"]
    assert COUNT in rewriting.messages[-1].content


def test_reset_forgets_the_questions_so_far(kites: Path, scripted: Use) -> None:
    model = scripted(replies)
    chat(kites, "How many kites?", "/reset", "How many kites?")
    assert not [request for request in model.requests if request.prefix == "standalone"]


def test_sql_explain_and_schema_show_what_they_say(kites: Path, scripted: Use) -> None:
    scripted(replies)
    shown = chat(kites, "How many kites?", "/sql", "/explain", "/schema", "/schema kites", "/help").stdout
    assert shown.count(COUNT) >= 3
    assert "1. direct" in shown
    assert shown.count("launched") == 2
    assert "/save FILE" in shown


def test_save_writes_the_format_that_the_name_asks_for(kites: Path, scripted: Use, tmp_path: Path) -> None:
    scripted(replies)
    files = [tmp_path / f"out.{ending}" for ending in ("csv", "json", "md")]
    shown = chat(kites, "How many kites by maker?", *(f"/save {file}" for file in files))
    assert shown.stdout.count("Saved to") == 3
    assert list(csv.reader(files[0].open())) == [
        ["maker", "kites"],
        ["Aeolus", "10"],
        ["Boreas", "10"],
        ["Zephyr", "10"],
    ]
    assert json.loads(files[1].read_text())["sql"] == BY_MAKER
    assert "| Boreas | 10 |" in files[2].read_text()


def test_slips_are_told_and_the_conversation_goes_on(kites: Path, scripted: Use) -> None:
    scripted(replies)
    shown = chat(
        kites, "/sql", "/scheme", "/save", "How many kites?", "/save x.pdf", f"/save {kites}/x.csv", "/schema no"
    )
    assert shown.exit_code == 0
    for words in ("no answer yet", "Did you mean /schema?", "does not end in", "cannot be saved", "no table 'no'"):
        assert words in shown.stderr
    assert "kites: 30" in shown.stdout


def test_an_error_of_the_model_does_not_end_the_conversation(kites: Path, scripted: Use) -> None:
    scripted([ModelAccessError("no key", hint="set one"), *[COUNT] * 2])
    shown = chat(kites, "How many kites?", "How many kites?")
    assert "Error (model.access): no key" in shown.stderr
    assert "kites: 30" in shown.stdout


def test_the_session_is_kept_as_it_goes(kites: Path, scripted: Use) -> None:
    scripted([COUNT, COUNT, ModelAccessError("no key")])
    chat(kites, "How many kites?", "And now?", "/quit", "never asked")
    (file,) = (data_dir() / "sessions").glob("*.jsonl")
    first, second = map(json.loads, file.read_text().splitlines())
    assert (first["question"], first["answer"]["table"]["rows"]) == ("How many kites?", [[30]])
    assert (second["question"], second["error"]["code"]) == ("And now?", "model.access")
    assert file.stat().st_mode & 0o077 == 0


def test_questions_of_a_file_are_read_as_data_are(kites: Path, scripted: Use) -> None:
    scripted(replies)
    written = b"\xef\xbb\xbfHow many kites?\r\n" + "How many for Äolus?\r\n".encode("cp1252")
    shown = CliRunner().invoke(app, ["chat", "--data", str(kites)], input=written)
    assert shown.exit_code == 0, shown.output
    (file,) = (data_dir() / "sessions").glob("*.jsonl")
    asked = [json.loads(line)["question"] for line in file.read_text(encoding="utf-8").splitlines()]
    assert asked == ["How many kites?", "How many for Äolus?"]


def test_an_answer_that_cannot_be_kept_is_shown(kites: Path, scripted: Use) -> None:
    scripted([COUNT, COUNT])
    data_dir().mkdir(parents=True)
    (data_dir() / "sessions").write_text("a file where the folder should be")
    shown = chat(kites, "How many kites?")
    assert shown.exit_code == 0
    assert "kites: 30" in shown.stdout
    assert "! This is not kept in" in shown.stderr


def test_a_conversation_without_a_question_leaves_no_file(kites: Path, scripted: Use) -> None:
    scripted([])
    chat(kites, "/help")
    assert not (data_dir() / "sessions").exists()


def test_ctrl_c_stops_the_question_and_not_the_conversation(kites: Path) -> None:
    def answer(call: Call) -> Reply:
        return completion(COUNT, delay=30 if "slow" in call.json["messages"][-1]["content"] else 0)

    with serving(answer) as server:
        typed = {"> ": "slow kites?\n", "Stopped.": "How many kites?\n", "kites: 30": "/quit\n"}
        seen, code = on_terminal(
            ["chat", "-d", str(kites)], typed, server_settings(server.url), until="Writing a query", sig=signal.SIGINT
        )
    assert code == 0
    assert "Stopped." in seen
    assert "kites: 30" in seen
    (file,) = (data_dir() / "sessions").glob("*.jsonl")
    first, second = map(json.loads, file.read_text().splitlines())
    assert (first["question"], first["stopped"]) == ("slow kites?", True)
    assert second["question"] == "How many kites?"
    assert "slow kites?" in (data_dir() / "history").read_text()
