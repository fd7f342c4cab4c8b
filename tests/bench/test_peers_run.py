from __future__ import annotations

import json
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.peers import drive as driving
from bench.peers import run as command
from bench.peers.environments import Environment
from bench.peers.peers import PEERS, Peer
from bench.peers.querist_setup import command as querist_command
from querist.settings import load_settings

ADAPTERS = Path(driving.__file__).parent / "adapters"

ANSWERS = """
import sys
sys.path.insert(0, {adapters!r})
from answering import Prediction, main

def load():
    {load}
    def open_peer(database, endpoint):
        def ask(question):
            {ask}
        return ask
    return open_peer

main(load)
"""


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the command over a small set with a peer whose `ask` is the given code; the report."""
    from tests.bench.question_set import make_set

    folder = make_set(tmp_path / "sets")
    monkeypatch.setattr(driving, "_SLACK_SECONDS", 0.3)
    monkeypatch.setattr(command, "prepare", lambda peer, work: Environment(sys.executable, "1.0", 2.0, 3))

    def run(ask: str, *more: str, load: str = "pass") -> dict[str, Any]:
        adapter = tmp_path / "peer.py"
        adapter.write_text(ANSWERS.format(adapters=str(ADAPTERS), load=load, ask=ask))
        monkeypatch.setattr(command, "find", lambda names: [Peer("tester", "Tester", "A test.", adapter=str(adapter))])
        arguments = [str(folder), "--base-url", "http://127.0.0.1:9/v1", "--work", str(tmp_path / "work"), *more]
        status = command.main([*arguments, "--out", str(tmp_path / "out")])
        (peer,) = json.loads((tmp_path / "out" / "peers.json").read_text())["peers"]
        return {**peer, "exit": status, "markdown": (tmp_path / "out" / "peers.md").read_text(), "folder": folder}

    return run


def test_every_answer_is_scored_and_the_table_says_so(ran: Any) -> None:
    report = ran("return Prediction('answered', 'select count(*) from tree')")
    assert report["outcomes"] == {"q1": "right", "q2": "wrong", "q3": "wrong"}
    assert (report["right"], report["wrong_without_warning"], report["exit"]) == (1, 2, 0)
    assert "| Tester | 1.0 | 1 (33.3%) | 0 | 0 | 2 | 0 |" in report["markdown"]


def test_a_peer_that_raises_loses_only_that_question(ran: Any) -> None:
    report = ran("return Prediction('answered', 'select 2') if 'many' in question else 1 / 0")
    assert report["outcomes"] == {"q1": "right", "q2": "crashed", "q3": "crashed"}


def test_a_peer_that_hangs_is_ended_and_goes_on_with_the_next(ran: Any) -> None:
    slow = "import time; time.sleep(60 if 'tallest' in question else 0); return Prediction('answered', 'select 30')"
    report = ran(slow, "--timeout", "1")
    assert report["outcomes"] == {"q1": "wrong", "q2": "crashed", "q3": "right"}


def test_a_peer_that_is_too_slow_for_every_question_ran_all_the_same(ran: Any) -> None:
    report = ran("import time; time.sleep(60)", "--timeout", "0.3")
    assert report["outcomes"] == {"q1": "crashed", "q2": "crashed", "q3": "crashed"}
    assert report["cannot_run"] == ""


def test_a_slow_start_is_not_the_first_questions_time(ran: Any) -> None:
    report = ran("return Prediction('answered', 'select 2')", "--timeout", "0.5", load="import time; time.sleep(1.5)")
    assert report["crashed"] == 0


def test_a_peer_whose_process_dies_goes_on_with_the_next(ran: Any) -> None:
    report = ran("import os; 'tallest' in question and os._exit(9); return Prediction('answered', 'select 30')")
    assert report["outcomes"] == {"q1": "wrong", "q2": "crashed", "q3": "right"}


def test_a_peer_that_cannot_start_stays_in_the_table_with_the_reason(ran: Any) -> None:
    report = ran("pass", load="import a_package_that_nobody_has")
    assert "a_package_that_nobody_has" in report["cannot_run"]
    assert "cannot run: ModuleNotFoundError" in report["markdown"]
    assert report["exit"] == 1


def test_a_peer_that_always_dies_is_given_up_with_the_reason(ran: Any) -> None:
    report = ran("import os, sys; print('no room', file=sys.stderr, flush=True); os._exit(9)")
    assert report["cannot_run"] == "ended with status 9: no room"
    assert ran("return Prediction('answered', 'select 2')")["outcomes"] == {"q1": "right", "q2": "wrong", "q3": "wrong"}


def test_writing_to_the_data_is_told_and_undone(ran: Any) -> None:
    report = ran(
        "import sqlite3; c = sqlite3.connect(database); n = c.execute('select count(*) from tree').fetchone()[0]; "
        "c.execute('delete from tree'); c.commit(); c.close(); import time; time.sleep(0.3); "
        "return Prediction('answered', f'select {n}')"
    )
    assert "q1: trees.sqlite" in report["wrote_to_data"]
    original = sqlite3.connect(report["folder"] / "databases" / "trees.sqlite")
    assert original.execute("select count(*) from tree").fetchone() == (2,)
    original.close()


def test_a_second_run_asks_only_what_the_first_left(ran: Any) -> None:
    ran("return Prediction('answered', 'select 2')", "--quick", "3")
    report = ran("1 / 0", "--quick", "3")
    assert report["outcomes"] == {"q1": "right", "q2": "wrong", "q3": "wrong"}
    assert ran("1 / 0", "--quick", "3", "--max-tokens", "99")["crashed"] == 3
    assert ran("1 / 0", "--quick", "3", "--fresh")["crashed"] == 3


def test_an_endpoint_that_is_gone_stops_the_run_and_blames_nobody(ran: Any, capsys: pytest.CaptureFixture[str]) -> None:
    call = "import urllib.request; urllib.request.urlopen(endpoint.base_url + '/chat/completions', data=b'{}')"
    with pytest.raises(FileNotFoundError):
        ran(call)
    assert "cannot be reached" in capsys.readouterr().err
    assert ran("return Prediction('answered', 'select 2')")["questions"] == 3


def test_peers_never_see_the_gold(ran: Any) -> None:
    look = "return Prediction('answered', None, text=open(__import__('sys').argv[1]).read())"
    report = ran(look)
    written = Path(report["folder"]).parents[1] / "work" / "runs" / "trees-3-local" / "tester" / "results.jsonl"
    shown = json.loads(written.read_text().splitlines()[0])["text"]
    assert "How many trees?" in shown
    assert "gold" not in shown


def test_every_peer_has_its_adapter_and_pinned_requirements() -> None:
    for peer in PEERS:
        if peer.adapter:
            assert (ADAPTERS / peer.adapter).is_file()
            pins = (ADAPTERS.parent / "requirements" / f"{peer.requirements}.txt").read_text().splitlines()
            assert all("==" in line for line in pins)


def test_neither_or_both_endpoints_is_a_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tests.bench.question_set import make_set

    folder = make_set(tmp_path)
    assert command.main([str(folder), "--work", str(tmp_path)]) == 2
    assert "--base-url URL or --local" in capsys.readouterr().err


def test_querists_own_settings_count_where_they_lie(tmp_path: Path) -> None:
    url = "http://127.0.0.1:9/v1"
    program, option, file, *rest = querist_command(sys.executable, tmp_path, tmp_path / "p", tmp_path, url, "small")
    assert (Path(program).name, option, rest[:2]) == ("querist", "--config", ["eval", "run"])
    providers = load_settings(Path(file)).models.providers
    assert providers["openai-compatible"].base_url == url
