"""Questions that look like a verified one and are not: none may be answered from it, for that would be a wrong answer.

Each case has questions that *are* the verified one with other values, so that nothing passes by never matching.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from querist.answer.prepared import Prepared, prepare
from querist.answer.verified import recall, verify
from querist.sources.base import Limits
from querist.sources.open import open_sources
from querist.state.verified_store import VerifiedStore

pytestmark = pytest.mark.anyio

SCRIPT = """
CREATE TABLE hotel (id INTEGER PRIMARY KEY, name TEXT, town TEXT, land TEXT, stars INTEGER, ward TEXT, pets BOOLEAN,
    price REAL, tier TEXT);
CREATE TABLE stay (id INTEGER PRIMARY KEY, hotel_id INTEGER REFERENCES hotel (id), guest TEXT, home TEXT, day TEXT,
    year INTEGER, booked INTEGER, nights INTEGER, state TEXT);
INSERT INTO hotel VALUES (1, 'Anker', 'Bergen', 'Norway', 3, 'First', 1, 90.5, 'A'),
    (2, 'Balder', 'Oslo', 'Norway', 5, 'Second', 0, 210, 'B'), (3, 'Corso', 'Rome', 'Italy', 4, 'First', 1, 150, 'A'),
    (4, 'Dom', 'Georgia', 'America', 2, 'Third', 0, 60, 'C'),
    (5, 'Eden', 'Springfield', 'America', 2, 'First', 1, 55, 'B'),
    (6, 'Fjord', 'Tbilisi', 'Georgia', 3, 'Second', 1, 75, 'A'), (7, 'Gran', 'York', 'England', 3, 'First', 1, 80, 'A'),
    (8, 'Hill', 'New York', 'America', 3, 'First', 1, 99, 'B');
INSERT INTO stay VALUES (1, 1, 'Ada', 'Rome', '2022-12-31', 2022, 2022, 2, 'paid'),
    (2, 1, 'Bo', 'Oslo', '2023-01-01', 2023, 2022, 5, 'paid'),
    (3, 2, 'Ada', 'Rome', '2023-06-30', 2023, 2023, 7, 'open'),
    (4, 3, 'Cy', 'Bergen', '2024-02-29', 2024, 2023, 3, 'paid'),
    (5, 6, 'Di', 'Oslo', '2024-12-31', 2024, 2024, 5, 'void'),
    (6, 4, 'Bo', 'York', '2025-01-01', 2025, 2024, 1, 'paid');
"""


@dataclass(frozen=True)
class Case:
    question: str
    sql: str
    same: tuple[str, ...]
    others: tuple[str, ...]


CASES = {
    "the land of a town that the question does not say": Case(
        "Hotels in Oslo",
        "SELECT name FROM hotel WHERE town = 'Oslo' AND land = 'Norway'",
        (),
        ("hotels in Bergen", "hotels in Rome", "hotels in Springfield"),
    ),
    "a town and its land, both said": Case(
        "Hotels in Oslo, Norway",
        "SELECT name FROM hotel WHERE town = 'Oslo' AND land = 'Norway'",
        ("hotels in Rome, Italy",),
        ("hotels in Oslo", "hotels in Norway", "hotels in Norway, Oslo", "hotels in Oslo or Norway"),
    ),
    "a threshold that holds for this land": Case(
        "Cheap hotels in Norway", "SELECT name FROM hotel WHERE land = 'Norway' AND price < 100", (),
        ("cheap hotels in Italy",),
    ),
    "a rate that holds for this land": Case(
        "Prices in crowns in Norway", "SELECT price * 11.5 FROM hotel WHERE land = 'Norway'", (),
        ("prices in crowns in Italy",),
    ),
    "a flag that the question does not say": Case(
        "Dog hotels in Norway", "SELECT name FROM hotel WHERE land = 'Norway' AND pets = TRUE", (),
        ("dog hotels in Italy",),
    ),
    "a town that is left out": Case(
        "Hotels outside the capital of Norway", "SELECT name FROM hotel WHERE land = 'Norway' AND town <> 'Oslo'", (),
        ("hotels outside the capital of Italy",),
    ),
    "a value of another column too": Case(
        "Hotels in Norway", "SELECT name FROM hotel WHERE land = 'Norway'", ("hotels in Italy",),
        ("hotels in Georgia", "hotels in Oslo", "hotels in Norway and Italy", "hotels not in Norway",
         "hotels outside Norway", "hotel in Norway", "hotels in Norwai", "hotels in price", "names of hotels in Norway",
         "how many hotels in Norway", "hotels in Norway in 2023", "hotels in Norway?!  by town"),
    ),
    "the order of words": Case(
        "Guests from Oslo who stayed in Bergen",
        "SELECT guest FROM stay JOIN hotel ON hotel.id = hotel_id WHERE home = 'Oslo' AND town = 'Bergen'",
        ("guests from Bergen who stayed in Rome",),
        ("guests who stayed in Bergen from Oslo", "guests in Oslo who stayed from Bergen",
         "guests from Oslo who stayed in Norway", "guests from Oslo who never stayed in Bergen",
         "guests from Oslo and Rome who stayed in Bergen"),
    ),
    "part of a longer name": Case(
        "Hotels in York", "SELECT name FROM hotel WHERE town = 'York'", ("hotels in New York",),
        ("hotels in new old York", "new hotels in York", "hotels in York new"),
    ),
    "a limit": Case(
        "Top 3 hotels by price", "SELECT name FROM hotel ORDER BY price DESC LIMIT 3", ("top 5 hotels by price",),
        ("top hotels by price", "top 3 hotels by stars", "bottom 3 hotels by price", "top 3% hotels by price",
         "top 2.5 hotels by price", "top -3 hotels by price", "top 3rd hotels by price", "top three hotels by price"),
    ),
    "a number that happens to be the limit": Case(
        "Best hotel with 2 beds in ward", "SELECT name FROM hotel WHERE ward = 'Second' ORDER BY stars LIMIT 2", (),
        ("best hotel with 3 beds in ward",),
    ),
    "a number that happens to be the threshold": Case(
        "Good hotels in ward 2", "SELECT name FROM hotel WHERE ward = 'Second' AND stars > 2", (),
        ("good hotels in ward 3",),
    ),
    "the only hotel": Case(
        "Best hotel of ward 1", "SELECT name FROM hotel WHERE ward LIKE 'First' ORDER BY stars LIMIT 1", (),
        ("best hotel of ward 2",),
    ),
    "a limit that is the threshold too": Case(
        "Top 3 hotels with 3 stars", "SELECT name FROM hotel WHERE stars = 3 ORDER BY price LIMIT 3", (),
        ("top 3 hotels with 4 stars", "top 4 hotels with 3 stars", "top 4 hotels with 4 stars"),
    ),
    "comparison": Case(
        "Hotels below 100", "SELECT name FROM hotel WHERE price < 100", ("hotels below 80",),
        ("hotels above 100", "hotels below -100", "hotels below 1.000", "hotels below 100.5", "hotels below 100%",
         "hotels not below 100", "hotels below 100 by price", "hotels below 100 and 200", "hotels below Rome"),
    ),
    "a share": Case(
        "Share of hotels below 100", "SELECT 100.0 * SUM(price < 100) / COUNT(*) FROM hotel", (),
        ("share of hotels below 200",),
    ),
    "a year and the next": Case(
        "Stays in 2023", "SELECT COUNT(*) FROM stay WHERE day >= '2023-01-01' AND day < '2024-01-01'",
        ("stays in 2024",), ("stays in 2023 and 2024", "stays before 2023", "stays since 2023", "stays in 202"),
    ),
    "a year against the one before": Case(
        "More stays in 2023 than before",
        "SELECT SUM(year = 2023) - SUM(year = 2022) FROM stay", (), ("more stays in 2024 than before",),
    ),
    "two years": Case(
        "Stays from 2022 to 2023", "SELECT COUNT(*) FROM stay WHERE year BETWEEN 2022 AND 2023",
        ("stays from 2023 to 2024",), ("stays from 2023", "stays to 2023", "stays from 2022 to", "stays 2022 to 2023"),
    ),
    "a part of a year": Case(
        "Stays in summer 2023", "SELECT COUNT(*) FROM stay WHERE day >= '2023-06-01' AND day < '2023-09-01'", (),
        ("stays in summer 2024",),
    ),
    "a year that only looks like its bound": Case(
        "Stays in 2023 and after", "SELECT COUNT(*) FROM stay WHERE year >= 2023 AND year <= 2025", (),
        ("stays in 2022 and after",),
    ),
    "the year after": Case(
        "Stays after 2022", "SELECT COUNT(*) FROM stay WHERE day >= '2023-01-01'", (),
        ("stays after 2021", "stays after 2023"),
    ),
    "a year in a name": Case(
        "Nights in 2023", "SELECT SUM(nights) AS nights_2023 FROM stay WHERE year = 2023", (), ("nights in 2024",)
    ),
    "a year in a label": Case(
        "Nights of 2023", "SELECT 'in 2023', SUM(nights) FROM stay WHERE year = 2023", (), ("nights of 2024",)
    ),
    "a rate of a year": Case(
        "Income of 2023", "SELECT SUM(nights) * 1.25 FROM stay WHERE year = 2023", (), ("income of 2024",)
    ),
    "a year beside a filter that defines a word": Case(
        "Finished stays in 2023", "SELECT COUNT(*) FROM stay WHERE year = 2023 AND state = 'paid'",
        ("finished stays in 2024",), ("open stays in 2024", "stays in 2024"),
    ),
    "an age of years": Case(
        "Stays of 2023 booked long before", "SELECT COUNT(*) FROM stay WHERE year = 2023 AND booked < 2022", (),
        ("stays of 2024 booked long before",),
    ),
    "a day and the next": Case(
        "Stays on 2023-01-01", "SELECT COUNT(*) FROM stay WHERE day >= '2023-01-01' AND day < '2023-01-02'", (),
        ("stays on 2025-01-01",),
    ),
    "days": Case(
        "Stays between 2023-01-01 and 2023-06-30",
        "SELECT COUNT(*) FROM stay WHERE day BETWEEN '2023-01-01' AND '2023-06-30'",
        ("stays between 2024-01-01 and 2024-12-31",),
        ("stays between 2023-01-01 and 2023-06-31", "stays between 2023 and 2024", "stays between 2023-01-01"),
    ),
    "a part of what a value takes in": Case(
        "Hotels of tier A", "SELECT name FROM hotel WHERE tier IN ('A', 'B')", (), ("hotels of tier C",)
    ),
    "one value in two columns": Case(
        "Guests at home in Oslo", "SELECT guest FROM stay JOIN hotel ON hotel.id = hotel_id "
        "WHERE home = 'Oslo' AND town = 'Oslo'", ("guests at home in Bergen",), ("guests at home in Norway",)
    ),
    "only some uses of the value are understood": Case(
        "Stays from Oslo", "SELECT id FROM stay WHERE home = 'Oslo' AND home || '' = 'Oslo'", (), ("stays from Rome",)
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def inn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    path = tmp_path_factory.mktemp("inn") / "inn.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCRIPT)
    (source,) = open_sources([path])
    prepared = prepare(source, path.parent / "values")
    yield prepared
    prepared.close()
    source.close()


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_no_near_miss_is_answered(inn: Prepared, tmp_path: Path, case: Case) -> None:
    store = VerifiedStore(tmp_path / "verified.sqlite")
    verify(case.question, case.sql, [inn], store)

    async def answered(question: str) -> bool:
        return (await recall(question, question, [inn], store, Limits())).answer is not None

    assert [question for question in case.others if await answered(question)] == []
    assert [question for question in (case.question.upper(), *case.same) if not await answered(question)] == []
