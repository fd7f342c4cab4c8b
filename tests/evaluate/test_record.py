from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from querist.errors import UsageError
from querist.evaluate.golden import read_golden
from querist.evaluate.question import ExpectSql, ExpectStatus
from querist.evaluate.record import last_session, record


def line(question: str, status: str = "agreed", sql: str | None = "SELECT 1", **rest: Any) -> dict[str, Any]:
    answer = {"question": question, "status": status, "text": "…", "sql": sql, "source": "lights", **rest}
    return {"time": "2025-01-01T00:00:00+00:00", "question": question, "answer": answer}


def session(folder: Path, *lines: dict[str, Any]) -> Path:
    path = folder / "session.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in lines))
    return path


def test_answers_become_golden_questions_with_their_queries(tmp_path: Path) -> None:
    written = session(
        tmp_path,
        line("How many: all?", sql="SELECT count(*)\nFROM lighthouse"),
        line("And lit?", understood="How many are lit?"),
        line("How high?", "unverified"),
        line("Who paints them?", "refused", None),
        line("Broken?", "failed", None),
        line("In steps?", sql="SELECT * FROM step_1", steps=[{"number": 1}, {"number": 2}]),
        line("Over two sources?", source="lights, ships"),
        {"time": "…", "question": "Stopped?", "stopped": True},
        {"time": "…", "question": "Error?", "error": {"code": "model", "message": "…", "hint": ""}},
    )
    golden = tmp_path / "golden.yaml"
    recorded = record(written, golden, [str(tmp_path / "lights.sqlite")])
    assert recorded.added == 4
    assert [question for question, _ in recorded.left_out] == [
        "Broken?",
        "In steps?",
        "Over two sources?",
        "Stopped?",
        "Error?",
    ]
    count, lit, high, painted = read_golden(golden)
    assert (count.question, count.expected) == (
        "How many: all?",
        ExpectSql(("SELECT count(*)\nFROM lighthouse",), "lights"),
    )
    assert lit.question == "How many are lit?"
    assert high.tags == ("unverified",)
    assert painted.expected == ExpectStatus("refused")
    assert count.data == (str(tmp_path / "lights.sqlite"),)
    assert golden.read_text().startswith("# Recorded answers: read each query")


def test_a_session_may_hold_any_text_and_be_cut_off_anywhere(tmp_path: Path) -> None:
    lines = [json.dumps(line(text), ensure_ascii=False).encode() for text in ("How\u2028many?", "How\x85high?", "Où?")]
    written = tmp_path / "session.jsonl"
    written.write_bytes(b"\n".join(lines).partition("ù".encode())[0] + b"\xc3")
    recorded = record(written, tmp_path / "golden.yaml", ["lights.sqlite"])
    assert (recorded.added, recorded.left_out) == (2, ())


def test_data_are_named_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tests").mkdir()
    record(session(tmp_path, line("How many?")), Path("tests/golden.yaml"), ["data/lights.sqlite"])
    (question,) = read_golden(Path("tests/golden.yaml"))
    assert question.data == ("tests/../data/lights.sqlite",)


def test_what_is_there_is_kept_and_not_recorded_twice(tmp_path: Path) -> None:
    golden = tmp_path / "golden.yaml"
    golden.write_text("# Ours.\ndata: lights.sqlite\nquestions:\n  - question: How many? # checked\n    value: 5\n")
    recorded = record(session(tmp_path, line("How many?"), line("How high?")), golden, [])
    assert recorded.added == 1
    assert recorded.left_out == (("How many?", "it is there already"),)
    assert [question.question for question in read_golden(golden)] == ["How many?", "How high?"]
    assert golden.read_text().startswith("# Ours.\n")
    assert "# checked" in golden.read_text()


def test_answers_of_several_sources_name_theirs(tmp_path: Path) -> None:
    golden = tmp_path / "golden.yaml"
    record(session(tmp_path, line("How many?"), line("How heavy?", source="ships")), golden, ["a.sqlite", "b.csv"])
    assert [q.expected for q in read_golden(golden)] == [
        ExpectSql(("SELECT 1",), "lights"),
        ExpectSql(("SELECT 1",), "ships"),
    ]


def test_the_source_is_named_where_others_could_answer_too(tmp_path: Path) -> None:
    golden = tmp_path / "golden.yaml"
    for data, question in ((["seas.sqlite", "lights.sqlite"], "How many?"), ([], "How high?")):
        record(session(tmp_path, line(question)), golden, data)
    assert [q.expected for q in read_golden(golden)] == [ExpectSql(("SELECT 1",), "lights")] * 2


def test_data_have_to_be_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        record(session(tmp_path, line("How many?")), tmp_path / "golden.yaml", [])
    assert "--data" in caught.value.hint
    assert not (tmp_path / "golden.yaml").exists()


def test_a_file_that_is_no_session_or_no_golden_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "other.jsonl").write_text("no session\nat all\n")
    with pytest.raises(UsageError, match=r"other\.jsonl:1 is not a line of a session"):
        record(tmp_path / "other.jsonl", tmp_path / "golden.yaml", ["x"])
    (tmp_path / "settings.yaml").write_text("limits: {rows: 5}\n")
    with pytest.raises(UsageError, match="is no golden file"):
        record(session(tmp_path, line("How many?")), tmp_path / "settings.yaml", ["x"])


def test_the_last_session_is_the_newest(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no session yet"):
        last_session(tmp_path)
    for name in ("20250101-120000-9.jsonl", "20250102-080000-1.jsonl"):
        (tmp_path / name).write_text("")
    assert last_session(tmp_path).name.startswith("20250102")
