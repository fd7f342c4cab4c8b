#!/usr/bin/env python3
"""Questions that the data cannot answer, made from a question set: does Querist refuse them?

usage: python bench/unanswerable.py SET OUT [--columns N] [--elsewhere N]
Makes the folder OUT with golden.yaml and the databases it asks, for `querist eval run OUT/golden.yaml`. Two kinds,
told apart by tag:
`column`: a column that the question names and its gold query needs is dropped from a copy of the database;
`elsewhere`: the question is asked of another database of the set. The same set unchanged shows the false refusals.
"""

from __future__ import annotations

import argparse
import random
import re
import shutil
import sqlite3
from collections import defaultdict
from contextlib import closing
from pathlib import Path

from ruamel.yaml import YAML

from querist.evaluate.question import ExpectSql, GoldenQuestion
from querist.evaluate.question_set import read_question_set
from querist.sources.joins import words_of

SEED = 7
PER_VARIANT = 3
"""Questions asked of one altered database at the most: each costs the model the reading of another schema."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("set", type=Path)
    arguments.add_argument("out", type=Path)
    arguments.add_argument("--columns", type=int, default=60, metavar="N", help="questions whose column is dropped")
    arguments.add_argument("--elsewhere", type=int, default=40, metavar="N", help="questions asked of other data")
    chosen = arguments.parse_args()
    if chosen.out.exists() and any(chosen.out.iterdir()):
        arguments.error(f"{str(chosen.out)!r} is not empty: name another folder, or empty it")
    questions = [q for q in read_question_set(chosen.set) if isinstance(q.expected, ExpectSql) and len(q.data) == 1]
    chosen.out.mkdir(parents=True, exist_ok=True)
    golden = without_a_column(questions, chosen.out, chosen.columns) + elsewhere(questions, chosen.elsewhere)
    with (chosen.out / "golden.yaml").open("w", encoding="utf-8") as file:
        YAML().dump({"questions": golden}, file)
    print(f"{len(golden)} questions in {chosen.out / 'golden.yaml'}")


def without_a_column(questions: list[GoldenQuestion], out: Path, count: int) -> list[dict[str, object]]:
    by_variant: dict[tuple[str, str, str], list[GoldenQuestion]] = defaultdict(list)
    for question in questions:
        for table, column in droppable(Path(question.data[0]), question.question):
            by_variant[question.data[0], table, column].append(question)
    order = sorted(by_variant)
    random.Random(SEED).shuffle(order)
    golden: list[dict[str, object]] = []
    for number, (data, table, column) in enumerate(order):
        if len(golden) >= count:
            break
        copy = out / f"{Path(data).stem}_{number}.sqlite"
        shutil.copy(data, copy)
        with closing(sqlite3.connect(copy)) as connection:
            try:
                connection.execute(f'ALTER TABLE "{table}" DROP COLUMN "{column}"')
            except sqlite3.OperationalError:  # a key, or part of an index
                copy.unlink()
                continue
            connection.commit()
            broken = [q for q in by_variant[data, table, column] if not runs(connection, q)][:PER_VARIANT]
        golden += [
            {
                "id": f"column-{number}-{i}",
                "question": q.question,
                "data": copy.name,
                "expect": "refuse",
                "tags": ["column"],
            }
            for i, q in enumerate(broken)
        ]
    return golden[:count]


def droppable(data: Path, question: str) -> list[tuple[str, str]]:
    """The columns that the question names and whose name no other table has."""
    said = set(words_of(question))
    with closing(sqlite3.connect(f"file:{data}?mode=ro", uri=True)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        columns = [
            (table, row[1], row[5]) for table in tables for row in connection.execute(f'PRAGMA table_info("{table}")')
        ]
    all_words = [set(words_of(name)) for table, name, _ in columns] + [set(words_of(table)) for table in tables]
    found = []
    for table, name, key in columns:
        words = set(words_of(name)) - {"id"}
        alone = sum(bool(words & other) for other in all_words) == 1
        if words and words <= said and alone and not key and not re.search(r"(?i)id$", name):
            found.append((table, name))
    return found


def runs(connection: sqlite3.Connection, question: GoldenQuestion) -> bool:
    """SQLite reads an unknown name in double quotes as text, which no gold query of use means."""
    assert isinstance(question.expected, ExpectSql)
    try:
        connection.execute(question.expected.queries[0]).fetchone()
    except sqlite3.Error:
        return False
    return True


def elsewhere(questions: list[GoldenQuestion], count: int) -> list[dict[str, object]]:
    chance = random.Random(SEED)
    databases = sorted({q.data[0] for q in questions})
    golden: list[dict[str, object]] = []
    for number, question in enumerate(chance.sample(questions, count)):
        other = chance.choice([data for data in databases if data != question.data[0]])
        golden.append(
            {
                "id": f"elsewhere-{number}",
                "question": question.question,
                "data": str(Path(other).absolute()),
                "expect": "refuse",
                "tags": ["elsewhere"],
            }
        )
    return golden


if __name__ == "__main__":
    main()
