"""A question with two readings is asked back, with what each would give; one that only looks so is answered."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from querist.answer.answer import Answer, Status
from querist.answer.ask import Ask, Question
from querist.core.context import RunContext
from querist.core.runner import Runner
from querist.sources.base import Source
from querist.sources.open import open_sources
from tests.scripted_model import ScriptedModel

pytestmark = pytest.mark.anyio
SCRIPT = """
CREATE TABLE lamp (id INTEGER PRIMARY KEY, model TEXT, list_price REAL, sale_price REAL, net_weight REAL,
    gross_weight REAL, stars REAL, sold INTEGER);
INSERT INTO lamp VALUES (1, 'Moon', 80, 60, 2, 2, 4.5, 10), (2, 'Sun', 120, 120, 3, 3, 3.5, 90);
"""
LIST = "SELECT AVG(list_price) FROM lamp"


@pytest.fixture
def lamps(tmp_path: Path) -> Iterator[Source]:
    connection = sqlite3.connect(tmp_path / "lamps.sqlite")
    connection.executescript(SCRIPT)
    connection.close()
    (source,) = open_sources([tmp_path / "lamps.sqlite"])
    yield source
    source.close()


async def ask(lamps: Source, folder: Path, text: str, sql: str, *, assume: bool = False, note: str = "") -> Answer:
    component = Ask([lamps], ScriptedModel([sql, sql]), folder / "values")
    try:
        return await Runner().run(component, Question(text=text, assume=assume, note=note), RunContext())
    finally:
        component.close()


async def test_a_word_that_fits_two_columns_is_asked_back(lamps: Source, tmp_path: Path) -> None:
    answer = await ask(lamps, tmp_path, "What is the average price of the lamps?", LIST)
    assert answer.status is Status.NEEDS_CLARIFICATION
    assert [reading.label for reading in answer.readings] == ["lamp.list_price", "lamp.sale_price"]
    assert [reading.table.rows for reading in answer.readings] == [((100.0,),), ((90.0,),)]
    assert "lamp.list_price" in answer.text
    assert "100" in answer.text
    assert answer.table is None


async def test_with_assume_the_reading_is_stated(lamps: Source, tmp_path: Path) -> None:
    answer = await ask(lamps, tmp_path, "What is the average price of the lamps?", LIST, assume=True)
    assert (answer.status, answer.table and answer.table.rows) == (Status.AGREED, ((100.0,),))
    assert answer.evidence.assumptions == ("Read as lamp.list_price, not as lamp.sale_price",)


@pytest.mark.parametrize(
    ("question", "sql"),
    [
        ("What is the average list price of the lamps?", LIST),
        ("What is the average weight of the lamps?", "SELECT AVG(net_weight) FROM lamp"),
        ("Which price is the highest?", "SELECT MAX(list_price), MAX(sale_price) FROM lamp"),
        ("How many lamps are there?", "SELECT COUNT(*) FROM lamp"),
    ],
    ids=["the column is named", "both readings give the same", "both are shown", "no column at all"],
)
async def test_what_has_one_reading_is_answered(question: str, sql: str, lamps: Source, tmp_path: Path) -> None:
    answer = await ask(lamps, tmp_path, question, sql)
    assert answer.readings == ()
    assert answer.table is not None


async def test_the_best_is_the_best_by_some_measure(lamps: Source, tmp_path: Path) -> None:
    best = "SELECT model FROM lamp ORDER BY stars DESC LIMIT 1"
    answer = await ask(lamps, tmp_path, "What is the best model of lamp?", best)
    assert answer.status is Status.NEEDS_CLARIFICATION
    assert {reading.table.rows[0][0] for reading in answer.readings} == {"Moon", "Sun"}


async def test_a_note_decides(lamps: Source, tmp_path: Path) -> None:
    answer = await ask(lamps, tmp_path, "What is the best model of lamp?", LIST, note="best is by stars")
    assert answer.status is not Status.NEEDS_CLARIFICATION
