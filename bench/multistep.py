#!/usr/bin/env python3
"""What plans of several steps are worth: ten questions over two sources, asked with and without them.

usage: python bench/multistep.py [--model NAME]
The data are those of `examples/`: a library in SQLite, a shop in CSV files. A part of a question is answered when one
result has its rows, each with at least the expected cells; a question is right when all its parts are.
"""

from __future__ import annotations

import argparse
import csv
import sqlite3
import time
from contextlib import nullcontext
from pathlib import Path
from unittest import mock

from querist.answer import ask
from querist.answer.answer import Answer
from querist.app import Querist
from querist.errors import QueristError
from querist.models.cached import CachedModel
from querist.models.open import open_model
from querist.settings import load_settings
from querist.sources.table import Table
from querist.state.cache import ContentCache
from querist.state.paths import cache_dir

EXAMPLES = Path(__file__).parent.parent / "examples"
QUESTIONS: list[tuple[str, list[str]]] = [
    (
        "How many members does the library have, and which product is the most expensive?",
        ["SELECT count(*) FROM members", "SELECT product FROM products ORDER BY price DESC LIMIT 1"],
    ),
    (
        "How many loans were there in 2025, and how many orders were there in 2025?",
        [
            "SELECT count(*) FROM loans WHERE lent_on LIKE '2025%'",
            "SELECT count(*) FROM orders WHERE \"ordered on\" LIKE '2025%'",
        ],
    ),
    (
        "Which branch has the most seats, and how many fines are not paid yet?",
        [
            "SELECT name FROM branches ORDER BY seats DESC LIMIT 1",
            "SELECT count(*) FROM fines WHERE paid_on IS NULL",
        ],
    ),
    (
        "Which genre has the most books, and in which region are the most customers?",
        [
            "SELECT genre FROM books GROUP BY 1 ORDER BY count(*) DESC LIMIT 1",
            "SELECT region FROM customers GROUP BY 1 ORDER BY count(*) DESC LIMIT 1",
        ],
    ),
    (
        "How many customers live in Millbrook, and how many members have a junior card?",
        [
            "SELECT count(*) FROM customers WHERE town = 'Millbrook'",
            "SELECT count(*) FROM members WHERE card = 'junior'",
        ],
    ),
    (
        "What is the average price of the products, and how many pages does the longest book have?",
        ["SELECT avg(price) FROM products", "SELECT max(pages) FROM books"],
    ),
    (
        "In which town does the customer live who has the same name as the library member with the most loans?",
        [
            "SELECT town FROM customers WHERE name = (SELECT name FROM members JOIN loans USING (member_id) "
            "GROUP BY member_id, name ORDER BY count(*) DESC LIMIT 1)"
        ],
    ),
    (
        "How many products weigh more grams than there are loans in the library?",
        ["SELECT count(*) FROM products WHERE weight_g > (SELECT count(*) FROM loans)"],
    ),
    (
        "For each customer name that is also the name of a member, show the number of orders and the number of loans.",
        [
            "SELECT name, orders, loans FROM (SELECT name, count(*) AS orders FROM customers JOIN orders "
            "USING (customer_id) GROUP BY 1) JOIN (SELECT name, count(*) AS loans FROM members JOIN loans "
            "USING (member_id) GROUP BY 1) USING (name)"
        ],
    ),
    (
        "How many books were published before 1990, and how many orders were returned, and how many branches exist?",
        [
            "SELECT count(*) FROM books WHERE published < 1990",
            "SELECT count(*) FROM orders WHERE status = 'returned'",
            "SELECT count(*) FROM branches",
        ],
    ),
]


def expected() -> list[list[list[tuple[object, ...]]]]:
    """The rows of every part of every question."""
    database = sqlite3.connect(":memory:")
    with sqlite3.connect(EXAMPLES / "library.sqlite") as library:
        library.backup(database)
    for path in (EXAMPLES / "shop").glob("*.csv"):
        names, *rows = csv.reader(path.open(encoding="utf-8"))
        filled = [[cell or None for cell in row] for row in rows]
        columns = ", ".join(f'"{name}" NUMERIC' for name in names)
        database.execute(f"CREATE TABLE {path.stem} ({columns})")
        database.executemany(f"INSERT INTO {path.stem} VALUES ({', '.join('?' * len(names))})", filled)
    return [[database.execute(sql).fetchall() for sql in parts] for _, parts in QUESTIONS]


def right(answer: Answer, parts: list[list[tuple[object, ...]]]) -> bool:
    """Whether each part stands in a result."""
    tables = [answer.table, *(step.answer.table for step in answer.steps)]
    return all(any(table is not None and _holds(table, rows) for table in tables) for rows in parts)


def _holds(table: Table, rows: list[tuple[object, ...]]) -> bool:
    given = [{_plain(cell) for cell in row} for row in table.rows]
    return len(given) == len(rows) and all(any({_plain(c) for c in row} <= cells for cells in given) for row in rows)


def _plain(cell: object) -> object:
    try:
        return round(float(str(cell)), 4)
    except ValueError:
        return str(cell)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--model")
    chosen = arguments.parse_args()
    settings = load_settings()
    cache = ContentCache(cache_dir() / "model-replies.sqlite", 500_000_000)
    model = CachedModel(open_model(chosen.model or settings.models.coding, settings), cache)
    wanted = expected()
    for title, planned in (("without plans", False), ("with plans", True)):
        print(f"\n{title}")
        good = calls = 0
        started = time.monotonic()
        with Querist(EXAMPLES / "library.sqlite", EXAMPLES / "shop", model=model, use_verified=False) as opened:
            for (question, _), parts in zip(QUESTIONS, wanted, strict=True):
                off = mock.patch.object(ask, "seems_several", lambda *_: False)
                try:
                    with nullcontext() if planned else off:
                        answer = opened.ask(question)
                except QueristError as error:
                    print(f"  failed   {question}: {error}")
                    continue
                found = right(answer, parts)
                good += found
                calls += answer.usage.calls
                mark = "right" if found else "wrong"
                print(f"  {mark}  {answer.status:12} {len(answer.steps)} steps  {question}", flush=True)
        seconds = time.monotonic() - started + model.take_replayed()[1]
        per = len(QUESTIONS)
        print(f"  {good} of {per} right, {calls / per:.1f} calls and {seconds / per:.1f} s a question")


if __name__ == "__main__":
    main()
