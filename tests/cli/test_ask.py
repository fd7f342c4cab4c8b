"""`querist ask` as people and programs see it."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from querist.answer.answer import Answer, Attempt, Check, Evidence, Status
from querist.answer.present import present
from querist.cli.ask import _print_csv
from querist.cli.main import app
from querist.cli.show import as_markdown, in_lines, open_console, show_answer, show_table, status_line
from querist.errors import ModelAccessError
from querist.models.base import Request
from querist.sources.table import ResultColumn, Table
from tests.models.http_server import Answer as Reply
from tests.models.http_server import Call, serving
from tests.scripted_model import ScriptedModel

Use = Callable[[object], ScriptedModel]

BY_MAKER = "SELECT maker, SUM(price) AS revenue FROM kites GROUP BY maker ORDER BY maker"


def ask(*arguments: object, width: int = 100) -> Result:
    return CliRunner().invoke(app, ["ask", *map(str, arguments)], env={"COLUMNS": str(width)})


def test_an_answer_has_its_table_its_status_its_query_and_what_it_took(kites: Path, scripted: Use) -> None:
    scripted(lambda _: BY_MAKER)
    shown = ask("Total price by maker?", "--data", kites)
    assert shown.exit_code == 0, shown.output
    lines = shown.stdout.splitlines()
    assert "maker   revenue" in lines
    assert "Aeolus  165,005" in lines
    assert "agreed: 2 of 2 independent drafts gave this result" in lines
    assert BY_MAKER in lines
    assert "scripted:model" in lines[-1]
    assert shown.stderr == ""


def test_json_is_one_document_with_the_whole_answer(kites: Path, scripted: Use) -> None:
    scripted(lambda _: BY_MAKER)
    data = json.loads(ask("Total price by maker?", "--data", kites, "--json").stdout)
    assert data["status"] == "agreed"
    assert data["table"]["rows"][0] == ["Aeolus", 165005.0]
    assert [attempt["strategy"] for attempt in data["evidence"]["attempts"]][:1] == ["direct"]


def test_json_of_an_error_is_one_document_too(kites: Path, scripted: Use) -> None:
    scripted([ModelAccessError("no key", hint="set one")])
    shown = ask("Revenue?", "--data", kites, "--json")
    assert json.loads(shown.stdout) == {"error": {"code": "model.access", "message": "no key", "hint": "set one"}}
    assert "Error (model.access): no key" in shown.stderr
    assert shown.exit_code == 1


def test_csv_saves_every_row_and_the_screen_says_how_many_are_left_out(
    kites: Path, scripted: Use, tmp_path: Path
) -> None:
    scripted(lambda _: "SELECT kite_id, maker FROM kites ORDER BY kite_id")
    assert "… 10 more rows; --csv FILE saves all" in ask("All kites?", "--data", kites).stdout
    file = tmp_path / "out.csv"
    shown = ask("All kites?", "--data", kites, "--csv", file)
    assert len(list(csv.reader(file.open()))) == 31
    assert f"30 rows are in {file}." in shown.stderr


def test_one_row_is_told_as_one(kites: Path, scripted: Use, tmp_path: Path) -> None:
    scripted(lambda _: "SELECT COUNT(*) AS kites FROM kites")
    shown = ask("How many kites?", "--data", kites, "--csv", tmp_path / "out.csv")
    assert f"1 row is in {tmp_path / 'out.csv'}." in shown.stderr


def test_csv_to_the_standard_output_is_nothing_but_csv(kites: Path, scripted: Use) -> None:
    scripted(lambda _: BY_MAKER)
    rows = list(csv.reader(io.StringIO(ask("Revenue?", "--data", kites, "--csv", "-").stdout)))
    assert rows[0] == ["maker", "revenue"]
    assert len(rows) == 4


def test_what_speaks_against_rows_on_the_standard_output_is_on_the_error_stream(
    kites: Path, scripted: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUERIST_LIMITS__ROWS", "5")
    scripted(lambda _: "SELECT kite_id, maker FROM kites ORDER BY kite_id")
    shown = ask("All kites?", "--data", kites, "--csv", "-")
    assert len(shown.stdout.splitlines()) == 6
    assert "unverified: " in shown.stderr
    assert "! " in shown.stderr


def test_rows_that_the_standard_output_cannot_take_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.StringIO):
        def flush(self) -> None:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(sys, "stdout", Full())
    answer = Answer(question="?", status=Status.AGREED, text="2", table=Table((ResultColumn("n"),), ((2,),)))
    with pytest.raises(OSError, match="No space left"):
        _print_csv(answer)


@pytest.mark.parametrize("other", [["--json"], ["--chart", "-"]], ids=lambda options: options[0])
def test_two_cannot_both_have_the_standard_output(other: list[str], kites: Path) -> None:
    shown = ask("Revenue?", "--data", kites, *other, "--csv", "-")
    assert (shown.exit_code, f"{' '.join(other)} and --csv -" in shown.stderr) == (2, True)


def test_a_file_that_cannot_be_written_is_an_error_before_anything_is_asked(kites: Path, scripted: Use) -> None:
    model = scripted(lambda _: BY_MAKER)
    for file in (kites / "out.csv", kites.parent):
        shown = ask("Revenue?", "--data", kites, "--csv", file)
        assert shown.exit_code == 2
        assert "cannot be written" in shown.stderr
    assert model.requests == []


def test_an_answer_is_shown_even_when_its_file_fails_at_last(kites: Path, scripted: Use, tmp_path: Path) -> None:
    file = tmp_path / "out.csv"

    def answer(_: Request) -> str:
        file.mkdir(exist_ok=True)  # meanwhile someone else takes the name
        return BY_MAKER

    scripted(answer)
    shown = ask("Revenue?", "--data", kites, "--csv", file)
    assert "Boreas" in shown.stdout
    assert "cannot be saved" in shown.stderr


def test_explain_shows_every_draft_and_check_and_the_times(kites: Path, scripted: Use) -> None:
    scripted(lambda request: "SELECT nothing FROM kites" if "Boreas" in str(request.messages) else BY_MAKER)
    shown = ask("Total price by maker?", "--data", kites, "--explain").stdout
    for words in ("Drafts", "1. direct", "Checks", "empty_result", "Time", "model", "database", "result A, the answer"):
        assert words in shown


def test_a_question_that_no_query_answers_fails_with_1(kites: Path, scripted: Use) -> None:
    scripted(lambda _: "SELECT wingspan FROM nowhere")
    shown = ask("Wingspan?", "--data", kites)
    assert shown.exit_code == 1
    assert "failed: no query could be made to run" in shown.stdout


def test_note_and_drafts_reach_the_answer_path(kites: Path, scripted: Use) -> None:
    model = scripted(lambda _: BY_MAKER)
    shown = ask("Revenue?", "--data", kites, "--note", "dear means over 20000", "--drafts", "1")
    assert "unverified: 1 of 1 independent draft gave this result" in shown.stdout
    assert len(model.requests) == 1
    assert "dear means over 20000" in model.requests[0].messages[-1].content


def test_no_data_is_an_error_that_says_how_to_name_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shown = ask("Revenue?")
    assert shown.exit_code == 2
    assert "--data" in shown.stderr


def test_a_model_that_is_not_there_is_an_error_with_the_command_that_fetches_it(kites: Path) -> None:
    shown = ask("Revenue?", "--data", kites)
    assert shown.exit_code == 1
    assert "querist models pull qwen2.5-coder-1.5b" in shown.stderr


def test_data_that_are_not_there_are_told_before_a_model_that_is_not(tmp_path: Path) -> None:
    assert "Error (data.not_found)" in ask("Revenue?", "--data", tmp_path / "none.csv").stderr


# A real process on a real terminal.


def on_terminal(
    arguments: list[str], keys: dict[str, str], env: dict[str, str], until: str = "", sig: int = 0
) -> tuple[str, int]:
    """Run querist on a terminal; type a value of `keys` when its key is shown; send `sig` when `until` is."""
    main, side = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "querist.cli.main", *arguments],
        stdin=side, stdout=side, stderr=side, env={**os.environ, "TERM": "xterm", "COLUMNS": "100", **env},
        start_new_session=True,
    )  # fmt: skip
    os.close(side)
    seen, waiting = "", dict(keys)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if not select.select([main], [], [], 0.2)[0]:
            continue
        try:
            piece = os.read(main, 65536)
        except OSError:  # Linux says so when the other side is closed
            break
        if not piece:
            break
        seen += piece.decode(errors="replace")
        for prompt in [prompt for prompt in waiting if prompt in seen]:
            os.write(main, waiting.pop(prompt).encode())
        if until and until in seen and sig:
            process.send_signal(sig)
            sig = 0
    os.close(main)
    return seen, process.wait(10)


def completion(sql: str, delay: float = 0.0) -> Reply:
    choice = {"message": {"role": "assistant", "content": sql}, "finish_reason": "stop"}
    return Reply({"choices": [choice], "usage": {"prompt_tokens": 9, "completion_tokens": 9}}, delay=delay)


def server_settings(url: str) -> dict[str, str]:
    providers = {"openai-compatible": {"base_url": f"{url}/v1"}}
    return {"QUERIST_MODELS__PROVIDERS": json.dumps(providers), "QUERIST_MODELS__CODING": "openai-compatible:any"}


def test_a_terminal_shows_progress_and_colours(kites: Path) -> None:
    with serving(lambda _: completion(BY_MAKER, delay=1.2)) as server:
        seen, code = on_terminal(["ask", "Revenue?", "-d", str(kites)], {}, server_settings(server.url))
    assert code == 0
    assert "Writing a query" in seen
    assert "\x1b[32magreed" in seen
    assert "165,005" in seen


def test_ctrl_c_stops_the_question_with_130(kites: Path) -> None:
    def answer(call: Call) -> Reply:
        return completion(BY_MAKER, delay=30)

    with serving(answer) as server:
        arguments = ["ask", "Revenue?", "-d", str(kites)]
        seen, code = on_terminal(arguments, {}, server_settings(server.url), until="Writing a query", sig=signal.SIGINT)
    assert code == 130
    assert "Stopped." in seen
    assert "Traceback" not in seen


def test_a_terminal_is_asked_whether_to_fetch_the_model_that_is_missing(kites: Path) -> None:
    seen, code = on_terminal(["ask", "Revenue?", "-d", str(kites)], {"[Y/n]": "n\n"}, {})
    assert "1.1 GB, licence Apache-2.0" in seen
    assert code == 1
    assert "querist models pull qwen2.5-coder-1.5b" in seen


# How things are shown.


def shown_table(table: Table, width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    monkeypatch.setenv("COLUMNS", str(width))
    show_table(open_console(), table)
    return capsys.readouterr().out


def table(names: list[str], *rows: tuple[object, ...]) -> Table:
    return Table(tuple(ResultColumn(name) for name in names), rows)


@pytest.mark.parametrize(
    ("name", "values", "cells"),
    [
        ("revenue", (1234567, None, 9999), ["1,234,567", "NULL", "9999"]),
        ("price", (1.5, 20000, 2.25), ["1.50", "20,000.00", "2.25"]),
        ("share", (0.12345, 0.5), ["0.1235", "0.5000"]),
        ("tiny", (0.5, 0.0000012), ["0.5000", "1.2e-06"]),
        ("whole", (3.0, 4.0), ["3", "4"]),
        ("order_id", (10001, 2), ["10001", "2"]),
        ("year", (2024, 12024), ["2024", "12024"]),
        ("extract", (Decimal(2024), Decimal(2025)), ["2024", "2025"]),
        ("bytes", (Decimal("12345678901234567890"), None), ["12,345,678,901,234,567,890", "NULL"]),
        ("balance", (Decimal("12345678901234567.89"), Decimal("1.25")), ["12,345,678,901,234,567.89", "1.25"]),
        ("turnover", (1234567890.55,), ["1,234,567,890.55"]),
        ("change", (-0.0, 2.5, Decimal("NaN")), ["0.0", "2.5", "NaN"]),
    ],
)
def test_numbers_are_aligned_and_formatted(
    name: str,
    values: tuple[object, ...],
    cells: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = shown_table(table([name], *((v,) for v in values)), 80, monkeypatch, capsys).splitlines()[2:]
    assert [line.strip() for line in shown] == cells
    assert len({len(line) for line in shown}) == 1


def test_the_only_row_that_a_limit_left_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    cut = replace(table(["name", "town"], ("Ada", "Reedham")), truncated="Only the first row fits.")
    show_answer(open_console(), Answer(question="?", status=Status.UNVERIFIED, text=present(cut), table=cut))
    assert "Ada   Reedham" in capsys.readouterr().out


def test_a_line_break_in_a_name_ends_no_row_of_markdown() -> None:
    broken = table(["net | sales\n2024", "town"], (1, "Reedham"))
    text = as_markdown(Answer(question="?", status=Status.AGREED, text="1", table=broken))
    assert "| net \\| sales 2024 | town |\n| --- | --- |\n| 1 | Reedham |\n" in text


def test_a_table_is_cut_to_the_width_and_says_which_columns_are_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wide = table(["name", "remark", "town"], ("Ada", "x" * 300, "Reedham"))
    shown = shown_table(wide, 60, monkeypatch, capsys)
    assert all(len(line) <= 60 for line in shown.splitlines())
    assert "…" in shown
    assert "1 more columns (town)" in shown


def test_wide_characters_keep_columns_in_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = shown_table(table(["town", "n"], ("東京", 1), ("Bern", 2)), 60, monkeypatch, capsys).splitlines()
    assert lines[2] == "東京  1"
    assert lines[3] == "Bern  2"


def test_nothing_from_data_or_model_is_obeyed_by_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    answer = Answer(
        question="?",
        status=Status.UNVERIFIED,
        text="[bold]a\x1b[31m",
        table=table(["x\x1b[2J", "y"], ("\x1b]0;t\x07", "[red]r"), ("b", "c")),
        sql="SELECT '\x1b[31m'",
        evidence=Evidence(checks=(Check("c", "warned", "\x1b[5m[blink]"),)),
    )
    show_answer(open_console(), answer)
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\x07" not in out
    assert "[bold]a" in out
    assert "[red]r" in out


def test_a_long_query_is_shown_a_clause_a_line_and_stays_the_same_query() -> None:
    sql = (
        "SELECT a, COUNT(*) FROM t LEFT JOIN u ON t.i = u.i WHERE x = 'kept FROM here' AND y IN (SELECT z FROM w) "
        'AND "ORDER BY" > 1 GROUP BY a ORDER BY 2 LIMIT 3'
    )
    lines = in_lines(sql)
    assert lines.replace("\n", " ") == sql
    assert [line.split()[0] for line in lines.splitlines()] == [
        "SELECT",
        "FROM",
        "LEFT",
        "WHERE",
        "GROUP",
        "ORDER",
        "LIMIT",
    ]
    escaped = sql.replace("kept", "it\\'s")
    assert in_lines(escaped) == escaped


@pytest.mark.parametrize(
    ("status", "agreement", "checks", "words"),
    [
        (Status.AGREED, (2, 3), (), "agreed: 2 of 3 independent drafts gave this result"),
        (Status.UNVERIFIED, (1, 1), (), "unverified: 1 of 1 independent draft gave this result, and nothing else"),
        (Status.UNVERIFIED, (2, 2), (Check("c", "warned", "odd"),), "gave this result, and a check warns"),
        (Status.NEEDS_CLARIFICATION, (0, 0), (), "needs clarification: "),
        (Status.REFUSED, (0, 0), (), "refused: "),
        (Status.VERIFIED, (1, 1), (), "verified: a query that was verified"),
    ],
)  # fmt: skip
def test_the_status_is_told_in_words(
    status: Status, agreement: tuple[int, int], checks: tuple[Check, ...], words: str
) -> None:
    evidence = Evidence((Attempt("SELECT 1", "direct"),), checks, agreement)
    assert words in status_line(Answer(question="?", status=status, text="", evidence=evidence))


@pytest.mark.parametrize(
    ("status", "code"), [(Status.AGREED, 0), (Status.REFUSED, 3), (Status.NEEDS_CLARIFICATION, 3), (Status.FAILED, 1)]
)
def test_the_exit_code_tells_the_status(
    status: Status, code: int, kites: Path, scripted: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted([])
    answer = Answer(question="?", status=status, text="so")
    monkeypatch.setattr("querist.app.Querist.ask", lambda *_, **__: answer)
    assert ask("?", "--data", kites).exit_code == code


def test_steps_are_shown_one_by_one_with_their_queries(
    kites: Path, scripted: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = {
        "steps": [
            {"question": "How many kites are there?", "source": "kites", "needs": []},
            {"question": "What is the total price by maker?", "source": "kites", "needs": []},
        ]
    }

    def reply(request: Request) -> str | dict[str, Any]:
        if request.schema is not None:
            return plan
        return "SELECT COUNT(*) FROM kites" if "How many" in request.messages[-1].content else BY_MAKER

    scripted(reply)
    shown = ask("How many kites are there, and how many makers?", "--data", kites).stdout
    assert "How many kites are there? count: 30" in shown
    assert "agreed: the least sure of its 2 steps is" in shown
    first, second = shown.split("Step 1: ")[1].split("Step 2: ")
    assert first.startswith("How many kites are there? (kites)\ncount: 30\nagreed: 2 of 2")
    assert "SELECT COUNT(*) FROM kites" in first
    assert "Zephyr" in second
    monkeypatch.setattr(f"{__name__}.BY_MAKER", "SELECT maker, price FROM kites LIMIT 1")
    second = ask("How many kites are there, and how many makers?", "--data", kites).stdout.split("Step 2: ")[-1]
    assert "\n! " in second  # what speaks against a step stands beside it
