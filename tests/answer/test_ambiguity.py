"""A question with two readings is asked back, with what each would give; one that only looks so is answered."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from querist.answer.answer import Answer, Status
from querist.answer.ask import Ask, Question
from querist.core.context import RunContext
from querist.core.runner import Runner
from querist.errors import QueryTimeoutError
from querist.sources.base import Limits, Source
from querist.sources.open import open_sources
from querist.sources.table import Table
from tests.scripted_model import ScriptedModel

pytestmark = pytest.mark.anyio
SCRIPT = """
CREATE TABLE lamp (id INTEGER PRIMARY KEY, model TEXT, list_price REAL, sale_price REAL, net_weight REAL,
    gross_weight REAL, stars REAL, sold INTEGER, lamp_watts REAL, lamp_lumens REAL, maker_code INTEGER);
INSERT INTO lamp VALUES (1, 'Moon', 80, 60, 2, 2, 4.5, 10, 5, 400, 7), (2, 'Sun', 120, 120, 3, 3, 3.5, 90, 9, 800, 6);
CREATE TABLE bolt ("Länge netto" INTEGER, "Länge brutto" INTEGER, net_grams INTEGER, gross_grams INTEGER);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
INSERT INTO bolt SELECT i, i + 1, i, i FROM n;
CREATE TABLE crate (net_volume INTEGER, gross_volume INTEGER, list_price REAL, sale_price REAL);
INSERT INTO crate VALUES (1, 2, 30, 20);
CREATE VIEW offer AS SELECT model, list_price, sale_price FROM lamp;
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
        ("What is the average value of a lamp?", "SELECT AVG(lamp_watts) FROM lamp"),
        ("Which is the best-selling lamp?", "SELECT model FROM lamp ORDER BY sold DESC LIMIT 1"),
        ("Which lamp is rated best?", "SELECT model FROM lamp ORDER BY stars DESC LIMIT 1"),
        ("List the grams of all bolts.", "SELECT net_grams FROM bolt"),
    ],
    ids=[
        "the column is named",
        "both readings give the same",
        "both are shown",
        "no column at all",
        "only the table is named",
        "best by what is said",
        "rated best",
        "many rows that are the same",
    ],
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
    assert [reading.label for reading in answer.readings] == ["lamp.stars", "lamp.list_price"]


async def test_keys_and_codes_measure_nothing(lamps: Source, tmp_path: Path) -> None:
    best = "SELECT model FROM lamp ORDER BY sold LIMIT 1"
    assert (await ask(lamps, tmp_path, "What is the best model of lamp?", best)).readings == ()


async def test_a_reading_holds_for_the_whole_query(lamps: Source, tmp_path: Path) -> None:
    dearest = "SELECT model, list_price FROM lamp WHERE list_price = (SELECT MAX(list_price) FROM lamp)"
    answer = await ask(lamps, tmp_path, "Which lamp has the highest price?", dearest)
    assert [reading.table.rows for reading in answer.readings] == []
    cheapest = "SELECT list_price FROM lamp WHERE model = 'Moon' UNION SELECT MIN(list_price) FROM lamp"
    answer = await ask(lamps, tmp_path, "What is the lowest price, and that of the Moon?", cheapest)
    assert answer.readings[1].sql.count("sale_price") == 2
    assert "list_price" not in answer.readings[1].sql


async def test_one_word_at_a_time_is_asked_back(lamps: Source, tmp_path: Path) -> None:
    both = "SELECT AVG(net_volume), AVG(list_price) FROM crate"
    answer = await ask(lamps, tmp_path, "What are the average volume and price of the crates?", both)
    assert [reading.label for reading in answer.readings] == ["crate.net_volume", "crate.gross_volume"]


@pytest.mark.parametrize(
    ("question", "sql", "other"),
    [
        ("What is the highest Länge?", 'SELECT MAX("Länge netto") FROM bolt', 301),
        ("What is the average price of the offers?", "SELECT AVG(list_price) FROM offer", 90),
        ("What is the mean price?", "WITH p AS (SELECT list_price AS x FROM lamp) SELECT AVG(x) FROM p", 90),
    ],
    ids=["quoted names", "a view", "a WITH"],
)
async def test_readings_of_all_kinds_of_queries(
    question: str, sql: str, other: int, lamps: Source, tmp_path: Path
) -> None:
    answer = await ask(lamps, tmp_path, question, sql)
    assert answer.readings[1].table.rows == ((other,),)


async def test_a_note_decides(lamps: Source, tmp_path: Path) -> None:
    answer = await ask(lamps, tmp_path, "What is the best model of lamp?", LIST, note="best is by stars")
    assert answer.status is not Status.NEEDS_CLARIFICATION


async def test_a_reading_is_written_as_the_query_is(lamps: Source, tmp_path: Path) -> None:
    sql = "SELECT printf('%.1f', avg(L.list_price)) FROM lamp AS L WHERE L.list_price > 0"
    answer = await ask(lamps, tmp_path, "What is the average price of the lamps?", sql)
    assert answer.readings[1].sql == sql.replace("list_price", '"sale_price"')


async def test_cancelling_stops_the_query_of_a_reading(
    lamps: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trying, stopped = threading.Event(), threading.Event()
    execute = lamps.execute

    def slow(sql: str, limits: Limits) -> Table:
        if sql == LIST.replace("list_price", '"sale_price"'):
            trying.set()
            stopped.wait(5)
        return execute(sql, limits)

    monkeypatch.setattr(lamps, "execute", slow)
    monkeypatch.setattr(lamps, "interrupt", stopped.set)
    asking = asyncio.create_task(ask(lamps, tmp_path, "What is the average price of the lamps?", LIST))
    assert await asyncio.to_thread(trying.wait, 5)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert await asyncio.to_thread(stopped.wait, 5)


async def test_a_reading_that_takes_too_long_ends_the_trying(
    lamps: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []
    execute = lamps.execute
    best = "SELECT model FROM lamp ORDER BY stars DESC LIMIT 1"

    def slow(sql: str, limits: Limits) -> Table:
        if not sql.startswith("SELECT model FROM lamp ORDER BY") or sql == best:
            return execute(sql, limits)
        tried.append(sql)
        raise QueryTimeoutError("too slow")

    monkeypatch.setattr(lamps, "execute", slow)
    answer = await ask(lamps, tmp_path, "What is the best model of lamp?", best)
    assert (answer.status, len(tried)) == (Status.AGREED, 1)
