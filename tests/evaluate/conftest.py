"""A small invented database of lighthouses, and questions about it."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

SCRIPT = """
CREATE TABLE lighthouse (id INTEGER PRIMARY KEY, name TEXT, coast TEXT, height REAL, lit INTEGER);
INSERT INTO lighthouse VALUES
    (1, 'Skarv', 'north', 31.5, 1), (2, 'Terne', 'north', 24.0, 1), (3, 'Lunde', 'west', 42.25, 0),
    (4, 'Havsule', 'west', 18.0, 1), (5, 'Alke', 'south', 42.25, 0);
"""
QUESTIONS: list[dict[str, Any]] = [
    {"id": "how-many", "question": "How many lighthouses are there?", "gold": ["SELECT count(*) FROM lighthouse"]},
    {
        "id": "north",
        "question": "Which lighthouses stand in the north?",
        "gold": ["SELECT name FROM lighthouse WHERE coast = 'north'"],
        "hardness": "hard",
        "evidence": "coasts are written in small letters",
    },
    {
        "id": 3,
        "question": "How high is each, the highest first?",
        "gold": "SELECT height FROM lighthouse ORDER BY 1 DESC",
    },
]


def make_database(path: Path) -> Path:
    connection = sqlite3.connect(path)
    connection.executescript(SCRIPT)
    connection.close()
    return path


@pytest.fixture
def lights(tmp_path: Path) -> Path:
    """The database."""
    return make_database(tmp_path / "lights.sqlite")


@pytest.fixture
def question_set(tmp_path: Path) -> Path:
    """A folder with three questions about the database."""
    folder = tmp_path / "set"
    (folder / "databases").mkdir(parents=True)
    make_database(folder / "databases" / "lights.sqlite")
    lines = [json.dumps({"db": "lights", "hardness": "easy", **question}) for question in QUESTIONS]
    (folder / "questions.jsonl").write_text("\n".join(lines) + "\n")
    return folder
