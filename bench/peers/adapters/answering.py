"""The loop that every adapter runs in its peer's environment: questions in, predictions out.

Standard library only: it is imported where Querist is not installed. What an adapter adds is one function that opens a
database with its peer and gives back a function that answers one question.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sqlite3
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

CANNOT_RUN = 86
"""Exit status of an adapter whose peer cannot run here at all; the reason is the last line of its standard error."""
READY = {"ready": True}
"""The first line of the predictions: everything is imported, the time of the first question begins."""
MAX_ROWS = 10_000


@dataclass(frozen=True)
class Endpoint:
    """The model that everyone uses. `context` is in tokens, `timeout` in seconds for a whole question."""

    base_url: str
    model: str
    api_key: str
    context: int
    timeout: float


@dataclass(frozen=True)
class Prediction:
    """What a peer answered.

    Attributes:
        status: `refused` when the peer itself says that it could not, by other means than its text.
        sql: the last query that it ran with success on the way, else the last one that it tried.
        rows: the rows that it returned, where it returns rows.
        text: what it said, where it says something.
        error: why that is no answer, unless the query turns out to be right.
    """

    status: Literal["answered", "refused", "crashed"] = "answered"
    sql: str | None = None
    rows: list[list[Any]] | None = None
    text: str = ""
    error: str = ""


def said(text: str, sql: str | None) -> Prediction:
    """What a peer answered whose answer is a text."""
    return Prediction("answered", sql, text=text, error="" if text.strip() else "its answer was empty")


class Queries:
    """The queries that a peer ran, for peers that do not return theirs."""

    def __init__(self) -> None:
        self._last: str | None = None
        self._last_good: str | None = None

    def tried(self, sql: str) -> None:
        self._last = sql

    def ran(self, sql: str) -> None:
        self._last_good = sql

    @property
    def answer(self) -> str | None:
        return self._last_good or self._last


Ask = Callable[[str], Prediction]
Open = Callable[[Path, Endpoint], Ask]


def plain_rows(rows: Iterable[Iterable[Any]]) -> list[list[Any]] | None:
    """Rows as JSON can hold them; None when there are more than anybody reads."""
    result: list[list[Any]] = []
    for row in rows:
        if len(result) == MAX_ROWS:
            return None
        result.append([_plain(value) for value in row])
    return result


def _plain(value: Any) -> Any:
    if hasattr(value, "item") and not isinstance(value, (str, bytes)):
        value = value.item()
    if value is None or value != value:  # NaN and NaT are what data frames have for NULL
        return None
    return value if isinstance(value, (bool, int, float, str)) else str(value)


def schema_of(database: Path) -> str:
    """The database's own CREATE statements, for peers that are told the schema by whoever sets them up."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        rows = connection.execute("select sql from sqlite_master where sql is not null and name not like 'sqlite_%'")
        return "\n".join(f"{row[0]};" for row in rows)
    finally:
        connection.close()


def main(load: Callable[[], Open]) -> None:
    """Answer the questions one by one and append each prediction as a line.

    Args:
        load: imports the peer and gives the function that opens a database with it. Opened anew for each question, so
            that none sees another's conversation; the time for that is not the answer's.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("questions", type=Path)
    parser.add_argument("databases", type=Path)
    parser.add_argument("predictions", type=Path)
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--context", type=int, required=True)
    parser.add_argument("--timeout", type=float, required=True)
    a = parser.parse_args()
    endpoint = Endpoint(a.base_url, a.model, "none", a.context, a.timeout)
    with contextlib.redirect_stdout(sys.stderr):
        try:
            open_peer = load()
        except Exception as error:
            traceback.print_exc()
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            sys.exit(CANNOT_RUN)
        with a.predictions.open("a", encoding="utf-8") as out:
            print(json.dumps(READY), file=out, flush=True)
            for line in a.questions.read_text(encoding="utf-8").splitlines():
                question = json.loads(line)
                started = time.monotonic()
                try:
                    ask = open_peer(a.databases / f"{question['db']}.sqlite", endpoint)
                    started = time.monotonic()
                    prediction = ask(question["question"])
                except (Exception, SystemExit) as error:  # code that a model wrote may call exit()
                    traceback.print_exc()
                    prediction = Prediction("crashed", error=f"{type(error).__name__}: {error}"[:2000])
                seconds = round(time.monotonic() - started, 2)
                line = {"id": question["id"], **asdict(prediction), "seconds": seconds}
                print(json.dumps(line), file=out, flush=True)
