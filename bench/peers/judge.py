"""What became of each question: right, wrong, refused or crashed. Whether results are equal, the set's own scorer says.

The rules are in README.md; where they leave room, it goes to the peer.
"""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import Any


class Outcome(StrEnum):
    RIGHT = "right"
    WRONG = "wrong"
    REFUSED = "refused"
    CRASHED = "crashed"


@dataclass(frozen=True)
class Verdict:
    """`warned` is whether the program said itself that the answer may be wrong; `reason` says why it is no answer."""

    outcome: Outcome
    warned: bool = False
    reason: str = ""


_STATUS = {
    "answered": "answered",
    "refused": "refused",
    "crashed": "crashed",
    # Querist's own
    "verified": "answered",
    "agreed": "answered",
    "unverified": "answered",
    "needs_clarification": "refused",
    "failed": "refused",
}

_COULD_NOT = re.compile(
    r"\b(sorry|apologi[sz]e|unable to|(?:do not|don't) (?:know|have)|could(?: not|n't)|"
    r"can(?:not|'t| not) (?:answer|provide|determine|find|execute|retrieve|access|complete|be)|"
    r"not (?:able|possible|available|provided)|errors?|invalid|no such|does not exist|doesn't exist|"
    r"iteration limit|tool limit|limit reached|try again|please (?:provide|clarify|specify))\b",
    re.IGNORECASE,
)


def load_scorer(folder: Path) -> ModuleType:
    """The module `score.py` that lies beside the question set.

    Raises:
        FileNotFoundError: there is none.
    """
    file = folder.resolve().parent / "score.py"
    if not file.exists():
        raise FileNotFoundError(f"the question set's scorer is expected at {file}")
    spec = importlib.util.spec_from_file_location("question_set_score", file)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(f"{file} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # the set's folder is not ours to write to
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
    return module


def judge(scorer: ModuleType, database: Path, golds: list[str], line: dict[str, Any], timeout: float) -> Verdict:
    """Judge one line of predictions.

    Args:
        database: the set's own file, never the copy that the peer had.
        golds: the accepted queries.
        line: `id`, `seconds`, and what the program gave of `status`, `sql`, `rows`, `text`, `error`, `warnings`. Where
            `rows` is no list it only counts them.
        timeout: seconds after which an answer is none.
    """
    sql, text = line.get("sql") or None, line.get("text") or ""
    rows = line["rows"] if isinstance(line.get("rows"), list) else None
    status = line.get("status") or ("answered" if sql else "crashed")
    meaning = _STATUS.get(status)
    if meaning is None:
        raise ValueError(f"{line['id']} has the status {status!r}; known are {', '.join(_STATUS)}")
    if meaning == "crashed":
        return Verdict(Outcome.CRASHED, reason=line.get("error") or "no answer")
    if (line.get("seconds") or 0) > timeout:
        return Verdict(Outcome.CRASHED, reason=f"took longer than {timeout:g} s")
    if meaning == "refused":
        return Verdict(Outcome.REFUSED, reason=text or line.get("error") or status)
    warned = bool(line.get("warnings"))
    unrun = None if sql or rows is not None else query_in(text)
    if scorer.correct(database, unrun, golds):
        return Verdict(Outcome.RIGHT, warned)
    if scorer.correct(database, sql, golds) or any(_same_rows(scorer, database, gold, rows) for gold in golds):
        return Verdict(Outcome.RIGHT, warned)
    if _COULD_NOT.search(text):
        return Verdict(Outcome.REFUSED, reason=text)
    if line.get("error"):
        return Verdict(Outcome.CRASHED, reason=line["error"])
    if unrun is not None:
        return Verdict(Outcome.CRASHED, reason=f"it ended with a query that it did not run: {unrun}")
    if rows is None and not text and (sql is None or scorer.execute(database, sql) is None):
        return Verdict(Outcome.CRASHED, reason="its query does not run" if sql else "no answer")
    return Verdict(Outcome.WRONG, warned)


def query_in(text: str) -> str | None:
    """The query that stands in a text as code: all of it, a fenced block, or a call of no tool."""
    if re.match(r"\s*(?:select\s|with\s+\w+\s+as\s*\()", text, re.IGNORECASE):
        return text.strip().rstrip(";").rstrip()
    fenced = re.search(r"```(?:sql|sqlite)\s(.*?)(?:```|$)", text, re.DOTALL | re.IGNORECASE)
    if fenced:
        return fenced.group(1).strip().rstrip(";").rstrip()
    written = re.search(r'"(?:sql|query)"\s*:\s*("(?:[^"\\]|\\.)*")', text)
    if written is None:
        return None
    try:
        return str(json.loads(written.group(1), strict=False))
    except ValueError:  # a model's idea of an escape
        return written.group(1)[1:-1]


def _same_rows(scorer: ModuleType, database: Path, gold: str, rows: list[list[Any]] | None) -> bool:
    if rows is None:
        return False
    return bool(scorer.equal([tuple(row) for row in rows], scorer.execute(database, gold), scorer.is_ordered(gold)))
