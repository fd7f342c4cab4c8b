"""`querist agent` as people see it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import BaseModel
from typer.testing import CliRunner, Result

from querist.agents.task import AgentResult, Step
from querist.cli.main import app
from tests.agents.shop import say, use
from tests.scripted_model import ScriptedModel

Use = Callable[[object], ScriptedModel]


def run(*arguments: object, stdin: str = "") -> Result:
    return CliRunner().invoke(app, ["agent", *map(str, arguments)], input=stdin, env={"COLUMNS": "120"})


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, with an agent that calculates."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "agents").mkdir()
    text = "description: Does sums.\ntools: [calculator]\nvariables: {tone: dry}\ninstructions: Be {{ tone }}.\n"
    (tmp_path / "agents" / "sums.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def test_it_shows_the_steps_and_then_the_answer(scripted: Use) -> None:
    scripted([use("calculator", expression="17 * 23"), say("391")])
    shown = run("run", "sums", "What is 17 times 23?")
    assert (shown.exit_code, shown.stdout) == (0, "391\n")
    assert "sums → calculator(expression='17 * 23')" in shown.stderr
    assert "391" in shown.stderr


def test_json_is_the_whole_result_and_nothing_else(scripted: Use) -> None:
    scripted([use("calculator", expression="17 * 23"), say("391")])
    shown = run("run", "sums", "What is 17 times 23?", "--json")
    result = json.loads(shown.stdout)
    assert (result["agent"], result["text"], result["usage"]["calls"]) == ("sums", "391", 2)
    assert [step["tool"] for step in result["steps"]] == ["calculator"]
    assert shown.stderr == ""


def test_what_is_no_number_is_null_in_json(monkeypatch: pytest.MonkeyPatch) -> None:
    class Found(BaseModel):
        mean: float

    step = Step(agent="sums", tool="mean", arguments={}, observation="nan", output=Found(mean=float("nan")))
    result = AgentResult(agent="sums", text="There is none.", steps=(step,))
    monkeypatch.setattr("querist.cli.agent._run", lambda *_: (result, None))
    shown = run("run", "sums", "What is the mean of nothing?", "--json")
    assert json.loads(shown.stdout, parse_constant=pytest.fail)["steps"][0]["output"] == {"mean": None}


def test_a_terminal_obeys_nothing_of_what_an_agent_says(scripted: Use) -> None:
    scripted([say("Read on\x1b]52;c;cm0gLXJmIH4=\x07\n\tزبان\u200cها")])
    assert run("run", "sums", "Sum up the page").stdout == "Read on ]52;c;cm0gLXJmIH4= \n\tزبان\u200cها\n"


def test_the_message_and_variables_can_come_from_elsewhere(scripted: Use) -> None:
    model = scripted([say("Ha.")])
    assert run("run", "sums", "-", "--var", "tone=funny", stdin="Hello\n").stdout == "Ha.\n"
    assert model.requests[0].messages[0].content.startswith("Be funny.")
    assert model.requests[0].messages[-1].content == "Hello"


def test_a_tool_without_its_grant_is_refused_and_that_is_told(folder: Path, scripted: Use) -> None:
    (folder / "agents" / "reader.yaml").write_text("description: Reads.\ntools: [file_reader]\n", encoding="utf-8")
    path = str(folder / "notes.txt")
    scripted([use("file_reader", path=path), say("I may not.")])
    shown = run("run", "reader", "Read notes.txt")
    assert f"! 'file_reader' needs the permission 'file_read:{path}', which 'local' does not have." in shown.stderr
    (folder / "notes.txt").write_text("The gate code is 17.", encoding="utf-8")
    scripted([use("file_reader", path=path), say("17")])
    shown = run("run", "reader", "Read notes.txt", "--grant", f"file_read:{folder}")
    assert (shown.stdout, "The gate code is 17." in shown.stderr) == ("17\n", True)


def test_an_agent_can_ask_the_data(kites: Path, scripted: Use) -> None:
    query = "SELECT COUNT(*) AS kites FROM kites WHERE maker = 'Zephyr'"
    scripted([query, query, say("Ten or so.")])
    shown = run("run", "data_analyst", "How many kites of Zephyr are there?", "--data", kites)
    assert (shown.exit_code, shown.stdout) == (0, "kites: 10\n"), shown.output
    assert "data_analyst → ask(text='How many kites of Zephyr are there?')" in shown.stderr


def test_the_orchestrator_lets_specialists_query_and_draw(kites: Path, scripted: Use) -> None:
    query = "SELECT maker, AVG(price) AS mean_price FROM kites GROUP BY maker"
    scripted([use("ask"), query, query, use("data_visualizer"), say("Boreas is the cheapest.")])
    shown = run("run", "orchestrator", "Draw the mean price by maker", "--data", kites)
    assert shown.exit_code == 0, shown.output
    assert "orchestrator → data_visualizer(question='Draw the mean price by maker', data='result_1')" in shown.stderr
    answer, *rest = shown.stdout.splitlines()
    assert answer == "3 rows of maker, mean price."
    assert any(line.startswith("Zephyr") and "█" in line for line in rest), shown.stdout


def test_without_data_it_is_said_how_to_give_some() -> None:
    shown = run("run", "data_analyst", "How many kites?")
    assert (shown.exit_code, "--data" in shown.stderr) == (2, True)


def test_a_session_goes_on_and_its_state_can_be_taken_elsewhere(
    folder: Path, scripted: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted([say("Hello Ada")])
    run("run", "sums", "I am Ada", "--session", "ada", "--save", "ada.json")
    monkeypatch.setenv("QUERIST_HOME", str(folder / "another"))
    model = scripted([say("Ada")])
    run("run", "sums", "Who am I?", "--session", "ada", "--restore", "ada.json")
    assert [m.content for m in model.requests[0].messages[1:]] == ["I am Ada", "Hello Ada", "Who am I?"]


def test_an_answer_is_shown_also_where_its_state_cannot_be_kept(scripted: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    scripted([say("Hello Ada")])
    shown = run("run", "sums", "I am Ada", "--session", "ada", "--save", "ada.json")
    assert (shown.exit_code, shown.stdout) == (2, "Hello Ada\n")
    assert "No space left" in shown.stderr


@pytest.mark.parametrize("state", ['{"version": 9}', "half a sta", '{"version": 1, "agent": "sums"}'])
def test_what_is_no_state_is_told(folder: Path, state: str) -> None:
    (folder / "state.json").write_text(state, encoding="utf-8")
    shown = run("run", "sums", "Hello", "--session", "a", "--restore", "state.json")
    assert (shown.exit_code, "state.json holds no state of an agent" in shown.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sums", " "], "the message is empty"),
        (["sums", "Hello", "--var", "tone"], "Write --var NAME=VALUE"),
        (["sums", "Hello", "--save", "x.json"], "Name it with --session"),
        (["sums", "Hello", "--save", ".", "--session", "a"], "it is a folder"),
        (["pair", "Hello", "--save", "x.json", "--session", "a"], "which keeps no state"),
        (["sums", "Hello", "--grant", "everything"], "is no permission"),
        (["sum", "Hello"], "Did you mean sums?"),
    ],
)
def test_mistakes_are_told_before_anything_runs(arguments: list[str], said: str, folder: Path, scripted: Use) -> None:
    team = "description: Two.\nteam: {strategy: sequential, members: [sums, chat]}\n"
    (folder / "agents" / "pair.yaml").write_text(team, encoding="utf-8")
    scripted([])
    shown = run("run", *arguments)
    assert shown.exit_code != 0
    assert said in shown.stderr


def test_list_shows_ones_own_agents_and_those_of_querist(folder: Path) -> None:
    shown = run("list")
    assert "sums" in shown.stdout and "Does sums." in shown.stdout and "market_analyst" in shown.stdout


def test_a_broken_file_hides_no_other_agent(folder: Path) -> None:
    (folder / "agents" / "broken.yaml").write_text("tools: 7\n", encoding="utf-8")
    listed = {agent["name"]: agent for agent in json.loads(run("list", "--json").stdout)}
    assert "'tools' is 7" in listed["broken"]["error"]
    assert listed["sums"]["error"] == ""


def test_show_tells_what_an_agent_is_made_of_and_what_its_tools_need() -> None:
    shown = run("show", "code").stdout
    assert "file_writer  (may need --grant file_write:…)" in shown
    assert "You are a careful programmer." in shown
    assert json.loads(run("show", "code", "--json").stdout)["limits"]["steps"] == 20
    shown = run("show", "orchestrator").stdout
    assert "analyse  (needs --data, querist[analysis])" in shown and "team          hierarchical" in shown


def test_new_writes_a_file_that_runs(folder: Path, scripted: Use) -> None:
    assert run("new", "helper", "--extends", "sums").exit_code == 0
    scripted([say("Yes.")])
    assert run("run", "helper", "Are you there?").stdout == "Yes.\n"
    assert "extends: sums" in (folder / "agents" / "helper.yaml").read_text(encoding="utf-8")


def test_new_never_overwrites(folder: Path) -> None:
    shown = run("new", "sums")
    assert (shown.exit_code, "is there already" in shown.stderr) == (2, True)
    assert run("new", "../evil").exit_code == 2
