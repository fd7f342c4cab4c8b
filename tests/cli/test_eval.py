"""`querist eval`, as it is typed, with a model that replies from a script."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import textwrap
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from querist.cli.main import app
from querist.models.base import Request
from tests.cli.conftest import Script
from tests.scripted_model import ScriptedModel

GOLDEN = """\
data: kites.csv
questions:
  - question: How many kites are there?
    sql: SELECT count(*) FROM kites
    tags: [counts]
  - question: How many makers are there?
    value: 3
    tags: [counts, makers]
  - question: What does the cheapest kite cost?
    value: 1000.5
"""
REPLIES = {
    "kites are there": "SELECT count(*) FROM kites",
    "makers are there": "SELECT count(DISTINCT maker) FROM kites",
    "cheapest": "SELECT max(price) FROM kites",
}


def reply(request: Request) -> str:
    asked = request.messages[-1].content
    return next(query for words, query in REPLIES.items() if words in asked)


def run(*arguments: str | Path, code: int = 0) -> Result:
    result = CliRunner().invoke(app, ["eval", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result


def figures(*arguments: str | Path, code: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("run", *arguments, "--json", code=code).stdout)
    return found


@pytest.fixture
def golden(kites: Path) -> Path:
    path = kites.with_name("golden.yaml")
    path.write_text(GOLDEN)
    return path


@pytest.fixture
def question_set(kites: Path) -> Path:
    folder = kites.parent / "set"
    (folder / "databases").mkdir(parents=True)
    kites.rename(folder / "databases" / "kites.csv")
    golds = {
        "How many kites are there?": "SELECT count(*) FROM kites",
        "How many makers are there?": "SELECT count(DISTINCT maker) FROM kites",
        "What does the cheapest kite cost?": "SELECT min(price) FROM kites",
    }
    lines = [
        json.dumps({"id": n, "db": "kites.csv", "question": q, "gold": [sql], "hardness": "easy", "evidence": "a hint"})
        for n, (q, sql) in enumerate(golds.items())
    ]
    (folder / "questions.jsonl").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def model(scripted: Callable[[Script], ScriptedModel]) -> ScriptedModel:
    return scripted(reply)


def test_a_golden_file_is_asked_and_what_is_wrong_is_shown(golden: Path, model: ScriptedModel) -> None:
    out = run("run", golden, code=1).stdout
    assert out.startswith("right        2/3 66.7%")
    assert re.search(r"^  counts +2/2 100.0%$", out, re.M)
    assert "  what-does-the-cheapest-kite-cost: expected 1000.5, got 30000.5" in out


def test_all_right_ends_with_0(golden: Path, model: ScriptedModel) -> None:
    result = figures(golden, "--tag", "counts")
    assert (result["accuracy"], result["questions"]) == (1.0, 2)


@pytest.mark.parametrize(("least", "code"), [("0.6", 0), ("0.7", 1), ("0", 0)])
def test_the_share_that_must_pass_can_be_set(golden: Path, model: ScriptedModel, least: str, code: int) -> None:
    run("run", golden, "--min-accuracy", least, code=code)


def test_a_question_set_is_measured_and_ends_with_0(question_set: Path, model: ScriptedModel) -> None:
    result = figures(question_set)
    assert result["right"] == {"part": 2, "total": 3, "rate": 2 / 3}
    assert result["by_hardness"]["easy"]["total"] == 3
    assert run("run", question_set, "--min-accuracy", "0.9", code=1)


def test_the_program_is_told_the_note_and_never_what_is_expected(question_set: Path, model: ScriptedModel) -> None:
    run("run", question_set, "--quick", "1")
    prompts = "\n".join(message.content for request in model.requests for message in request.messages)
    assert "a hint" in prompts
    assert "SELECT count(*)" not in prompts


def test_predictions_hold_what_an_outside_scorer_needs(
    question_set: Path, model: ScriptedModel, tmp_path: Path
) -> None:
    path = tmp_path / "p.jsonl"
    run("run", question_set, "--predictions", path)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["id"] for line in lines] == [0, 1, 2]
    for line in lines:
        assert {"sql", "status", "seconds", "db", "tokens_in", "tokens_out", "tokens_cached", "model_calls"} <= set(
            line
        )
        assert {"agreement", "warnings", "error", "text"} <= set(line)
    assert lines[0]["db"] == "kites.csv"


def test_a_run_goes_on_where_it_stopped(question_set: Path, model: ScriptedModel, tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    run("run", question_set, "--predictions", path, "--no-cache")
    asked = len(model.requests)
    path.write_text("".join(line + "\n" for line in path.read_text().splitlines()[:2]) + '{"id": 2, "sq')
    result = figures(question_set, "--predictions", path, "--no-cache")
    assert result["questions"] == 3
    assert len(model.requests) - asked == asked // 3
    assert figures(question_set, "--predictions", path, "--no-cache", "--fresh")["questions"] == 3
    assert len(model.requests) == asked + asked // 3 + asked


def test_all_is_asked_again_of_another_model_and_with_other_settings(
    question_set: Path, model: ScriptedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = ("run", question_set, "--predictions", tmp_path / "p.jsonl", "--no-cache")
    run(*call)
    asked = len(model.requests)
    run(*call)
    assert len(model.requests) == asked
    run(*call, "--model", "local:another")
    assert len(model.requests) == 2 * asked
    monkeypatch.setenv("QUERIST_ANSWER__DRAFTS", "2")
    run(*call, "--model", "local:another")
    assert len(model.requests) == 3 * asked


def test_a_rerun_replays_the_model_unless_told_not_to(golden: Path, model: ScriptedModel) -> None:
    first = figures(golden, code=1)
    asked = len(model.requests)
    again = figures(golden, code=1)
    assert len(model.requests) == asked
    assert again["replayed"]["rate"] == 1.0
    assert again["per_question"] == first["per_question"]
    figures(golden, "--no-cache", code=1)
    assert len(model.requests) == 2 * asked


def test_repeating_shows_which_answers_differ(golden: Path, scripted: Callable[[Script], ScriptedModel]) -> None:
    turn = 0

    def wavering(request: Request) -> str:
        nonlocal turn
        turn += 1
        first = "kites are there" in request.messages[-1].content and turn <= 2
        return f"SELECT {29 if first else 30} AS n"

    scripted(wavering)
    result = figures(golden, "--repeat", "2", code=1)
    assert (result["questions"], result["repeats"]) == (6, 2)
    assert result["unstable"] == ["how-many-kites-are-there"]
    out = run("run", golden, "--repeat", "2", code=1).stdout
    assert "unstable     1 questions differ between 2 times: how-many-kites-are-there" in out


def test_a_junit_file_is_written_for_ci(golden: Path, model: ScriptedModel, tmp_path: Path) -> None:
    run("run", golden, "--junit", tmp_path / "junit.xml", code=1)
    (suite,) = ET.parse(tmp_path / "junit.xml").getroot()
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("golden", "3", "1")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nowhere",), "There is no nowhere."),
        (("golden.yaml", "--tag", "none"), "Its tags: counts, makers."),
        ((".",), "There are no questions in ."),
    ],
)
def test_a_call_that_makes_no_sense_ends_with_2(
    golden: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], told: str
) -> None:
    monkeypatch.chdir(golden.parent)
    assert told in run("run", *arguments, code=2).stderr


def test_a_mistake_in_a_golden_file_ends_with_2_and_its_place(golden: Path) -> None:
    golden.write_text(GOLDEN.replace("value: 3", "valu: 3"))
    error = run("run", golden, code=2).stderr
    assert f"{golden}:7:5: unknown key 'valu'" in error


def test_a_run_that_cannot_go_on_is_told_apart_from_one_that_did_not_pass(golden: Path, model: ScriptedModel) -> None:
    golden.write_text(GOLDEN.replace("kites.csv", "gone.csv"))
    assert "gone.csv" in run("run", golden, code=2).stderr


def test_two_runs_are_compared(
    question_set: Path, tmp_path: Path, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    run("run", question_set, "--predictions", first)
    monkeypatch.setitem(REPLIES, "cheapest", "SELECT min(price) FROM kites")
    run("run", question_set, "--predictions", second, "--no-cache")
    out = run("compare", first, second).stdout
    assert "2 both right, 0 neither, 0 only A, 1 only B" in out
    assert "    a  select max(price) from kites\n    b  select min(price) from kites" in out.lower()
    assert json.loads(run("compare", second, first, "--json").stdout)["p"] == 1.0
    run("compare", second, first, "--fail-if-worse")


def test_significantly_worse_can_fail_ci(tmp_path: Path) -> None:
    for name, right in (("a", True), ("b", False)):
        lines = [json.dumps({"id": n, "mark": {"right": right}}) for n in range(6)]
        (tmp_path / name).write_text("\n".join(lines) + "\n")
    run("compare", tmp_path / "a", tmp_path / "b", "--fail-if-worse", code=1)
    run("compare", tmp_path / "a", tmp_path / "b")
    run("compare", tmp_path / "b", tmp_path / "a", "--fail-if-worse")


def test_predictions_of_others_are_marked_against_a_set(question_set: Path, tmp_path: Path) -> None:
    path = tmp_path / "theirs.jsonl"
    path.write_text('{"id": 0, "sql": "SELECT 30"}\n{"id": 1, "sql": "SELECT 4"}\n')
    assert "--set" in run("report", path, code=2).stderr
    found = json.loads(run("report", path, "--set", question_set, "--json").stdout)
    assert found["right"] == {"part": 1, "total": 2, "rate": 0.5}
    assert found["missing"] == 1


def test_a_report_is_one_page(golden: Path, model: ScriptedModel, tmp_path: Path) -> None:
    run("run", golden, "--predictions", tmp_path / "nightly.jsonl", code=1)
    run("report", tmp_path / "nightly.jsonl", "-o", tmp_path / "site" / "report.html")
    page = (tmp_path / "site" / "report.html").read_text()
    assert "<h1>nightly</h1>" in page
    assert "What does the cheapest kite cost?" in page


def test_a_session_becomes_golden_questions(kites: Path, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(kites.parent)
    chat = CliRunner().invoke(app, ["chat", "--data", "kites.csv"], input="How many kites are there?\n/quit\n")
    assert chat.exit_code == 0, chat.output
    assert "1 question is new in golden.yaml" in run("record", "--data", "kites.csv").stdout
    assert figures("golden.yaml")["accuracy"] == 1.0
    assert "it is there already" in run("record", "--data", "kites.csv", code=2).stderr


PROGRAM = """
import sys
sys.path.insert(0, {root!r})
import time
from querist.models import open
from tests.scripted_model import ScriptedModel

def reply(request):
    if "makers" in request.messages[-1].content:
        time.sleep(60)
    return "SELECT count(*) FROM kites"

open.open_model = lambda names, settings=None: ScriptedModel(reply)
from querist.cli.main import main
main()
"""


def test_ctrl_c_leaves_whole_lines_and_says_what_is_done(question_set: Path, tmp_path: Path) -> None:
    """In a terminal: the line that runs along shows how many are right."""
    path = tmp_path / "p.jsonl"
    root = str(Path(__file__).parents[2])
    program = [sys.executable, "-c", textwrap.dedent(PROGRAM.format(root=root)), "eval", "run", str(question_set)]
    ours, theirs = pty.openpty()
    process = subprocess.Popen([*program, "--predictions", str(path)], stdout=subprocess.PIPE, stderr=theirs, text=True)
    os.close(theirs)
    shown = b""
    try:
        while b"1/3  right 1 (100.0%)" not in shown:
            shown += os.read(ours, 1000)
        process.send_signal(signal.SIGINT)
        while b"Stopped after 1 of 3 answers." not in shown:
            shown += os.read(ours, 1000)
        out, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        os.close(ours)
    assert process.returncode == 130
    assert "right        1/1 100.0%" in out
    assert "missing      2 questions" in out
    assert [json.loads(line)["id"] for line in path.read_text().splitlines()] == [0]


def test_a_junit_file_that_cannot_be_written_is_told_before_anything_is_asked(
    golden: Path, model: ScriptedModel
) -> None:
    assert "cannot be written" in run("run", golden, "--junit", golden / "junit.xml", code=2).stderr
    assert model.requests == []
