"""A question set of three questions with its scorer, in the format that `bench/peers` takes."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

SCORER = """
import sqlite3

def execute(database, sql):
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        return connection.execute(sql).fetchall()
    except sqlite3.Error:
        return None
    finally:
        connection.close()

def is_ordered(sql):
    return "order by" in sql.lower()

def equal(predicted, gold, ordered):
    if predicted is None or gold is None:
        return False
    return predicted == gold if ordered else sorted(predicted) == sorted(gold)

def correct(database, sql, golds):
    if not sql:
        return False
    return any(equal(execute(database, sql), execute(database, gold), is_ordered(gold)) for gold in golds)

def select(questions, quick):
    return questions[:quick] if quick else questions
"""

QUESTIONS = [
    {
        "id": "q1",
        "db": "trees",
        "question": "How many trees?",
        "gold": ["select count(*) from tree"],
        "hardness": "easy",
    },
    {"id": "q2", "db": "trees", "question": "Which is tallest?", "gold": ["select 'oak'"], "hardness": "easy"},
    {
        "id": "q3",
        "db": "trees",
        "question": "How tall is it?",
        "gold": ["select max(height) from tree"],
        "hardness": "hard",
    },
]


def make_set(root: Path) -> Path:
    """Write the set to `root/trees` and its scorer to `root`; the set's folder."""
    folder = root / "trees"
    (folder / "databases").mkdir(parents=True)
    (folder / "questions.jsonl").write_text("".join(json.dumps(q) + "\n" for q in QUESTIONS))
    (root / "score.py").write_text(SCORER)
    connection = sqlite3.connect(folder / "databases" / "trees.sqlite")
    connection.executescript(
        "create table tree (name text, height int); insert into tree values ('oak', 30), ('elm', 20)"
    )
    connection.close()
    return folder
