from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.peers.judge import Outcome, Verdict, judge, load_scorer, query_in
from tests.bench.question_set import make_set

GOLD = ["select count(*) from tree"]


def verdict(root: Path, **line: Any) -> Verdict:
    folder = make_set(root)
    return judge(load_scorer(folder), folder / "databases" / "trees.sqlite", GOLD, {"id": "q1", **line}, timeout=10)


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        ({"status": "answered", "sql": "select 2"}, Outcome.RIGHT),
        ({"status": "answered", "sql": "select 3"}, Outcome.WRONG),
        ({"status": "answered", "sql": "select nothing from nowhere"}, Outcome.CRASHED),
        ({"status": "answered", "sql": None}, Outcome.CRASHED),
        ({"sql": "select 2"}, Outcome.RIGHT),
        ({"sql": None}, Outcome.CRASHED),
        ({"status": "answered", "sql": "select a dialect", "rows": [[2]]}, Outcome.RIGHT),
        ({"status": "answered", "sql": "select 3", "rows": [[3]], "text": "There are 3."}, Outcome.WRONG),
        ({"status": "answered", "sql": "select x", "text": "There are 7 trees."}, Outcome.WRONG),
        ({"status": "answered", "sql": "select x", "text": "I could not find such a column."}, Outcome.REFUSED),
        ({"status": "answered", "sql": "select 2", "text": "Sorry, I do not know."}, Outcome.RIGHT),
        ({"status": "answered", "text": "Try this:\n```sql\nselect 2;\n```"}, Outcome.RIGHT),
        ({"status": "answered", "text": "Try this:\n```sql\nselect 3;\n```"}, Outcome.CRASHED),
        ({"status": "answered", "sql": "select 3", "error": "its answer was empty"}, Outcome.CRASHED),
        ({"status": "answered", "sql": "select 2", "error": "its answer was empty"}, Outcome.RIGHT),
        ({"status": "refused", "sql": "select 2"}, Outcome.REFUSED),
        ({"status": "crashed", "sql": "select 2", "error": "boom"}, Outcome.CRASHED),
        ({"status": "answered", "sql": "select 2", "seconds": 11}, Outcome.CRASHED),
        ({"status": "agreed", "sql": "select 2"}, Outcome.RIGHT),
        ({"status": "agreed", "sql": "select 3", "rows": 1}, Outcome.WRONG),
        ({"status": "needs_clarification", "sql": None}, Outcome.REFUSED),
        ({"status": "failed", "sql": None}, Outcome.REFUSED),
    ],
)
def test_each_kind_of_answer_has_its_outcome(tmp_path: Path, line: dict[str, Any], outcome: Outcome) -> None:
    assert verdict(tmp_path, **line).outcome is outcome


def test_a_wrong_answer_counts_as_warned_only_with_a_warning(tmp_path: Path) -> None:
    assert verdict(tmp_path / "a", sql="select 3", warnings=["The join multiplies rows."]).warned
    assert not verdict(tmp_path / "b", status="unverified", sql="select 3", warnings=[]).warned


def test_a_status_that_nobody_defined_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'maybe'"):
        verdict(tmp_path, status="maybe")


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("```sql\nselect 1;\n```", "select 1"),
        ('{"name": "run", "arguments": {"sql": "select \\"a\\" from t"}}', 'select "a" from t'),
        ("SELECT 1 FROM t;\n", "SELECT 1 FROM t"),
        ("There are 7.", None),
        ("With 7 trees, none.", None),
        ("```python\nprint(1)\n```", None),
    ],
)
def test_a_query_is_found_where_it_stands_as_code(text: str, query: str | None) -> None:
    assert query_in(text) == query


def test_a_set_without_a_scorer_says_where_it_is_expected(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"score\.py"):
        load_scorer(tmp_path / "set")
