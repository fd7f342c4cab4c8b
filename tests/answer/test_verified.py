"""Verified queries: which questions are answered from them, and which must not be."""

from __future__ import annotations

import multiprocessing
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from querist.answer.answer import Answer, Status
from querist.answer.ask import Ask, Question
from querist.answer.prepared import Prepared, prepare
from querist.answer.understand import Turn
from querist.answer.verified import fingerprint, inspect, moved, verify
from querist.answer.wording import words
from querist.app import Querist
from querist.core.runner import Runner
from querist.errors import DataError, GuardError, QueryError, UsageError
from querist.sources.open import open_sources
from querist.sources.table import ResultColumn, Table
from querist.state.verified_file import read_queries, write_queries
from querist.state.verified_store import VerifiedStore
from tests.scripted_model import ScriptedModel

pytestmark = pytest.mark.anyio

SCRIPT = """
CREATE TABLE port (code TEXT PRIMARY KEY, town TEXT, country TEXT, grade TEXT);
CREATE TABLE flight (id INTEGER PRIMARY KEY, origin TEXT, goal TEXT, day TEXT, year INTEGER, seats INTEGER, lang TEXT);
INSERT INTO port VALUES ('O', 'Oslo', 'Norway', 'A'), ('R', 'Rome', 'Italy', 'B'), ('H', 'The Hague', 'Holland', 'A'),
    ('N', 'New York', 'America', 'A'), ('Y', 'York', 'England', 'B'), ('B', 'Bergen', 'Norway', 'A'),
    ('S', 'São Paulo', 'Brazil', 'A');
INSERT INTO flight VALUES (1, 'Oslo', 'Rome', '2019-05-01', 2019, 100, 'C'),
    (2, 'Rome', 'Oslo', '2020-02-29', 2020, 150, 'C++'), (3, 'Rome', 'Oslo', '2020-07-01', 2020, 200, 'C++'),
    (4, 'York', 'Rome', '2021-01-01', 2021, 120, 'Return'), (5, 'New York', 'Oslo', '2021-03-05', 2021, 5, 'Returns');
"""
ROUTE = "SELECT id FROM flight WHERE origin = 'Oslo' AND goal = 'Rome'"
BY_YEAR = "SELECT COUNT(*) FROM flight WHERE year = 2019"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "air.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCRIPT)
    return path


@pytest.fixture
def air(path: Path, tmp_path: Path) -> Iterator[Prepared]:
    (source,) = open_sources([path])
    prepared = prepare(source, tmp_path / "values")
    yield prepared
    prepared.close()
    source.close()


@pytest.fixture
def store(tmp_path: Path) -> VerifiedStore:
    return VerifiedStore(tmp_path / "data" / "verified.sqlite")


async def ask(
    air: Prepared, store: VerifiedStore, text: str, *answers: str, note: str = "", history: tuple[Turn, ...] = ()
) -> tuple[Answer, ScriptedModel]:
    """The answer, and the model: one that was asked without a script for it gives SELECT 'asked'."""
    model = ScriptedModel(list(answers) or (lambda _: "SELECT 'asked' AS model"))
    component = Ask([air.source], model, store.path.parent / "values", verified=store)
    try:
        return await Runner().run(component, Question(text=text, note=note, history=history)), model
    finally:
        component.close()


async def told(air: Prepared, store: VerifiedStore, question: str, sql: str, other: str) -> str:
    """What `other` is answered with when the query is verified for `question`."""
    verify(question, sql, [air], store)
    answer, model = await ask(air, store, other)
    assert (answer.text == "model: asked") == bool(model.requests)
    return answer.text


async def test_a_verified_question_is_answered_without_a_model(air: Prepared, store: VerifiedStore) -> None:
    kept = verify("Which flights go from Oslo to Rome?", ROUTE, [air], store).query
    answer, model = await ask(air, store, "Which flights go from Oslo to Rome?")
    assert (answer.status, answer.text, answer.sql) == (Status.VERIFIED, "id: 1", ROUTE)
    assert model.requests == []
    assert kept.id in answer.evidence.assumptions[0]
    assert kept.id in answer.evidence.attempts[0].strategy


async def test_a_query_runs_as_it_was_written_and_is_not_mended(air: Prepared, store: VerifiedStore) -> None:
    query = "SELECT COUNT(*) FROM port WHERE town = 'OSLO'"
    assert await told(air, store, "How many ports are in big letters?", query, "how many ports are in big letters") == (
        "count: 0"
    )


@pytest.mark.parametrize(
    ("question", "sql", "other", "expected"),
    [
        ("Flights from Oslo to Rome", ROUTE, "flights from Rome to Oslo", "id: 2, 3"),
        ("Flights from Oslo to Rome", ROUTE, "Please show me the flights from York to rome!", "id: 4"),
        ("Flights from Oslo to Rome", ROUTE, "flights from New York to Oslo", "id: 5"),
        ("How many flights in 2019?", BY_YEAR, "how many flights in 2020", "count: 2"),
        (
            "Ports in Oslo",
            "SELECT code FROM port WHERE LOWER(town) = 'oslo'",
            "ports in Sao Paulo",
            "code: S",
        ),
        ("Ports in Oslo", "SELECT code FROM port WHERE town = 'Oslo'", "ports in Sao Paulo", "code: S"),
        ("Ports in Oslo", "SELECT code FROM port WHERE town = 'Oslo'", "ports in The Hague", "code: H"),
        (
            "Ports of Rome",
            "SELECT code FROM port WHERE UPPER(town) = 'ROME'",
            "ports of york",
            "code: Y",
        ),
        ("Top 2 flights", "SELECT id FROM flight ORDER BY seats DESC LIMIT 2", "top 1 flights", "id: 3"),
        (
            "Flights with more than 150 seats",
            "SELECT id FROM flight WHERE seats > 150",
            "flights with more than 1,000 seats",
            "No rows match.",
        ),
        (
            "Flights from 2019 to 2020",
            "SELECT COUNT(*) FROM flight WHERE year BETWEEN 2019 AND 2020",
            "flights from 2020 to 2021",
            "count: 4",
        ),
        (
            "Flights on 2019-05-01",
            "SELECT id FROM flight WHERE day = '2019-05-01'",
            "flights on 2020-07-01",
            "id: 3",
        ),
        (
            "How many flights in 2019?",
            "SELECT COUNT(*) FROM flight WHERE day >= '2019-01-01' AND day < '2020-01-01'",
            "How many flights in 2020?",
            "count: 2",
        ),
        (
            "How many flights in 2019?",
            "SELECT COUNT(*) FROM flight WHERE strftime('%Y', day) = '2019'",
            "How many flights in 2021?",
            "count: 2",
        ),
        (
            "Flights that touch Rome",
            "SELECT id FROM flight WHERE origin = 'Rome' OR goal = 'Rome'",
            "flights that touch Oslo",
            "id: 1, 2, 3, 5",
        ),
        (
            "Share of seats in 2019",
            "SELECT SUM(seats) FROM flight f WHERE f.year = 2019 AND seats <= "
            "(SELECT MAX(seats) FROM flight WHERE year = 2019)",
            "share of seats in 2020",
            "total seats: 350",
        ),
    ],
)
async def test_other_values_are_bound(
    air: Prepared, store: VerifiedStore, question: str, sql: str, other: str, expected: str
) -> None:
    assert await told(air, store, question, sql, other) == expected


async def test_a_bound_answer_tells_which_values_it_has(air: Prepared, store: VerifiedStore) -> None:
    verify("Flights from Oslo to Rome", ROUTE, [air], store)
    answer, _ = await ask(air, store, "flights from Rome to Oslo")
    assert answer.status is Status.VERIFIED
    assert "“Flights from Oslo to Rome”, with 'Rome' for 'Oslo', 'Oslo' for 'Rome'" in answer.evidence.assumptions[0]


PORTS = "SELECT code FROM port WHERE country = 'Norway'"


@pytest.mark.parametrize(
    ("question", "sql", "other"),
    [
        ("Ports in Norway", PORTS, "ports not in Norway"),
        ("Ports not in Norway", "SELECT code FROM port WHERE country <> 'Norway'", "ports in Italy"),
        ("Flights before 2020", "SELECT id FROM flight WHERE year < 2020", "flights after 2020"),
        ("Flights before 2020", "SELECT id FROM flight WHERE year < 2020", "flights before 200"),
        ("Flights from Oslo to Rome", ROUTE, "flights to Oslo from Rome"),
        ("Flights from Oslo to Rome", ROUTE, "flights from Oslo"),
        ("Ports in Norway", PORTS, "ports in Narnia"),
        ("Ports in Norway", PORTS, "ports in Norwai"),
        ("Ports in Norway", PORTS, "ports in Oslo"),
        ("Ports in Norway", PORTS, "ports in Norway and Italy"),
        ("Ports in Norway", PORTS, "ports"),
        ("Ports in Norway", PORTS, "How many ports in Norway"),
        ("Flights with seats > 100", "SELECT id FROM flight WHERE seats > 100", "Flights with seats < 100"),
        ("Flights with seats > 100", "SELECT id FROM flight WHERE seats > 100", "Flights with seats >= 100"),
        ("Flights with 100 seats", "SELECT id FROM flight WHERE seats = 100", "Flights with 100% seats"),
        ("Flights with 100 seats", "SELECT id FROM flight WHERE seats = 100", "Flights with -100 seats"),
        ("Flights with 100 seats", "SELECT id FROM flight WHERE seats = 100", "Flights with 1.500 seats"),
        ("Top 2 flights", "SELECT id FROM flight ORDER BY seats DESC LIMIT 2", "top 2.5 flights"),
        ("Top flights", "SELECT id FROM flight ORDER BY seats DESC LIMIT 5", "top 3 flights"),
        ("Top 5 flights", "SELECT id FROM flight ORDER BY seats DESC LIMIT 3", "top 3 flights"),
        ("Flights on 2019-05-01", "SELECT id FROM flight WHERE day = '2019-05-01'", "flights on 2020-02-31"),
        ("More flights than seats", "SELECT COUNT(*) > SUM(seats) FROM flight", "more seats than flights"),
        ("Flights in C++", "SELECT id FROM flight WHERE lang = 'C++'", "Flights in C#"),
        ("Flights called Return", "SELECT id FROM flight WHERE lang || '' = 'Return'", "flights called Returns"),
    ],
)
async def test_another_question_goes_the_normal_way(
    air: Prepared, store: VerifiedStore, question: str, sql: str, other: str
) -> None:
    assert await told(air, store, question, sql, other) == "model: asked"


@pytest.mark.parametrize(
    ("question", "sql", "other"),
    [
        # 2020 would stay behind.
        ("Flights in 2019", "SELECT id FROM flight WHERE year >= 2019 AND year < 2020", "flights in 2020"),
        ("Flights in 2019", "SELECT id FROM flight WHERE year = 2019 AND day < '2020-06-01'", "flights in 2020"),
        # The 5 of a bound and the 5 of a filter are not the same 5.
        ("Top 5 flights", "SELECT id FROM flight WHERE seats > 5 ORDER BY seats LIMIT 5", "top 3 flights"),
        # Which 1 is meant?
        ("Top 1 flight", "SELECT id FROM flight ORDER BY seats * 1 LIMIT 1", "top 3 flights"),
        # The nth is found by skipping n - 1.
        ("Flight number 3", "SELECT id FROM flight ORDER BY id LIMIT 1 OFFSET 2", "flight number 2"),
        # What "grade A" takes in besides stays behind.
        ("Ports of grade A", "SELECT code FROM port WHERE grade IN ('A', 'X')", "ports of grade B"),
        # A name would tell the wrong year.
        ("Seats in 2019", "SELECT SUM(seats) AS seats_2019 FROM flight WHERE year = 2019", "seats in 2020"),
        # February has another length.
        (
            "Flights in February 2020",
            "SELECT id FROM flight WHERE day BETWEEN '2020-02-01' AND '2020-02-29'",
            "flights in February 2021",
        ),
        # Only a part of the value's uses is understood.
        (
            "Flights from Oslo",
            "SELECT id FROM flight WHERE origin = 'Oslo' AND origin || '' = 'Oslo'",
            "flights from Rome",
        ),
    ],
)
async def test_a_value_that_more_depends_on_is_not_bound(
    air: Prepared, store: VerifiedStore, question: str, sql: str, other: str
) -> None:
    assert await told(air, store, question, sql, question.upper()) != "model: asked"
    assert await told(air, store, question, sql, other) == "model: asked"


async def test_the_same_value_twice_stays_the_same_value(air: Prepared, store: VerifiedStore) -> None:
    sql = "SELECT COUNT(*) FROM flight WHERE year = 2019"
    assert await told(air, store, "In 2019, flights of 2019", sql, "in 2020, flights of 2020") == "count: 2"
    assert await told(air, store, "In 2019, flights of 2019", sql, "in 2020, flights of 2021") == "model: asked"


def test_a_year_that_only_the_next_stands_for_is_not_promised(air: Prepared, store: VerifiedStore) -> None:
    kept = verify("Flights after 2019", "SELECT id FROM flight WHERE day >= '2020-01-01'", [air], store)
    assert kept.slots == ()


async def test_a_bound_query_that_finds_nothing_is_doubted(air: Prepared, store: VerifiedStore) -> None:
    verify("Ports in Oslo, Norway", "SELECT code FROM port WHERE town = 'Oslo' AND country = 'Norway'", [air], store)
    answer, _ = await ask(air, store, "ports in Rome, Norway")
    assert answer.status is Status.UNVERIFIED
    assert any("other values" in warning for warning in answer.evidence.warnings)


@pytest.mark.parametrize(
    ("question", "condition", "said"),
    [
        ("How many flights this year?", "year = 2021", "“this year”, but the verified query holds 2021,"),
        ("Flights of last month", "day >= '2021-02-01' AND day < '2021-03-01'", "'2021-02-01', '2021-03-01'"),
        ("How many flights in the past 30 days?", "day > '2021-02-05'", "“past 30 days”"),
        ("What flew yesterday", "day = '2021-03-04'", "“yesterday”"),
        ("Flights of the current quarter", "day LIKE '2021-0%'", "“current quarter”"),
        ("Flights two weeks ago", "strftime('%W', day) = '09'", "“ago”, but the verified query holds '09'"),
        ("Flights of last March", "strftime('%Y-%m', day) = '2021-03'", "“last March”"),
        ("Flights this year and in 2020", "year IN (2020, 2021)", "holds 2021,"),
        ("Flights of today in 2021", "day >= '2021-03-04' AND year = 2021", "holds '2021-03-04',"),
        ("Year-to-date flights", "day >= '2021-01-01'", "“to date”"),
        ("Flights of the last-but-one month", "day LIKE '2021-02%'", "“last but one month”"),
        ("Flights so far this year", "CAST(REPLACE(day, '-', '') AS INTEGER) > 20210101", "holds 20210101,"),
    ],
)
async def test_a_time_that_passes_is_not_verified_for_ever(
    air: Prepared, store: VerifiedStore, question: str, condition: str, said: str
) -> None:
    kept = verify(question, f"SELECT COUNT(*) FROM flight WHERE {condition}", [air], store)
    assert said in kept.draft.checks[-1].message
    answer, model = await ask(air, store, question)
    assert (answer.status, model.requests) == (Status.UNVERIFIED, [])
    assert any(said in warning for warning in answer.evidence.warnings)


def test_a_result_that_is_called_current_holds_a_fixed_time_all_the_same(air: Prepared, store: VerifiedStore) -> None:
    kept = verify("Flights this year", "SELECT COUNT(*) AS current_year FROM flight WHERE year = 2021", [air], store)
    assert kept.draft.checks[-1].name == "verified_fixed_time"


@pytest.mark.parametrize(
    ("question", "condition"),
    [
        ("How many flights this year?", "year = CAST(strftime('%Y', 'now') AS INTEGER)"),
        ("How many flights last month?", "day >= DATE('now', '-1 month')"),
        ("How many flights yesterday?", "day < CURRENT_DATE"),
        ("How many flights yesterday?", "julianday(day) > julianday() - 1"),
        ("How many flights in the latest year?", "year = (SELECT MAX(year) FROM flight)"),
        ("How many flights in 2021?", "year = 2021"),
        ("How many flights in 2021?", "day >= '2021-01-01' AND day < '2022-01-01'"),
        ("Flights next to last in 2021", "year = 2021"),
        ("Last month of 2021: flights since 2021-03-05", "day >= '2021-03-05'"),
        ("Flights today with more than 150 seats", "seats > 150"),
        ("Big flights this week", "seats > 150 AND day > DATE('now', '-7 days')"),
    ],
)
async def test_a_time_that_is_named_or_is_the_current_one_is_verified(
    air: Prepared, store: VerifiedStore, question: str, condition: str
) -> None:
    verify(question, f"SELECT COUNT(*) FROM flight WHERE {condition}", [air], store)
    answer, _ = await ask(air, store, question)
    assert answer.status is Status.VERIFIED


async def test_a_query_for_the_very_values_wins_then_the_latest(air: Prepared, store: VerifiedStore) -> None:
    verify("Flights in 2019", "SELECT 'oldest' FROM flight WHERE year = 2019", [air], store)
    verify("Flights in 2020", "SELECT 'older' FROM flight WHERE year = 2020 LIMIT 1", [air], store)
    verify("Flights in 2021", "SELECT 'latest' FROM flight WHERE year = 2021 LIMIT 1", [air], store)
    assert "oldest" in (await ask(air, store, "flights in 2019"))[0].text
    assert "older" in (await ask(air, store, "flights in 2020"))[0].text
    store.remove(next(query.id for query in store.all() if "oldest" in query.sql))
    assert "latest" in (await ask(air, store, "flights in 2019"))[0].text


async def test_verifying_a_question_again_replaces_its_query(air: Prepared, store: VerifiedStore) -> None:
    verify("Which flights?", "SELECT 1", [air], store)
    verify("please which FLIGHTS", "SELECT 2", [air], store)
    assert [query.sql for query in store.all()] == ["SELECT 2"]


async def test_a_note_may_change_the_meaning_so_the_model_is_asked(air: Prepared, store: VerifiedStore) -> None:
    verify("Big flights", "SELECT id FROM flight WHERE seats > 150", [air], store)
    answer, _ = await ask(air, store, "Big flights", note="big means above 100 seats")
    assert answer.text == "model: asked"


async def test_a_follow_up_is_matched_as_it_is_understood(air: Prepared, store: VerifiedStore) -> None:
    verify("How many flights in 2019?", BY_YEAR, [air], store)
    past = (Turn(question="How many flights in 2019?", sql=BY_YEAR),)
    answer, model = await ask(air, store, "and in 2021?", "How many flights in 2021?", history=past)
    assert (answer.text, answer.status, len(model.requests)) == ("count: 2", Status.VERIFIED, 1)
    assert answer.usage.calls == 1


async def test_what_a_check_said_when_it_was_verified_is_accepted(air: Prepared, store: VerifiedStore) -> None:
    kept = verify("Flights of nobody", "SELECT id FROM flight WHERE seats > 999", [air], store)
    assert kept.query.accepted == ("empty_result",)
    answer, _ = await ask(air, store, "flights of nobody")
    assert answer.status is Status.VERIFIED


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("ALTER TABLE flight DROP COLUMN year", "there is no flight.year any more"),
        ("ALTER TABLE flight RENAME TO flight_log", "there is no flight any more"),
        (
            "CREATE TABLE f (id INTEGER, year TEXT); DROP TABLE flight; ALTER TABLE f RENAME TO flight",
            "flight.year was INTEGER and is TEXT now",
        ),
    ],
)
async def test_a_query_whose_schema_changed_is_stale_and_not_used(
    path: Path, air: Prepared, store: VerifiedStore, tmp_path: Path, change: str, reason: str
) -> None:
    verify("How many flights in 2019?", BY_YEAR, [air], store)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(change)
    answer, model = await ask(air, store, "how many flights in 2019")
    assert answer.text == "model: asked"
    assert len(model.requests) == 2
    assert any("stale" in warning and reason in warning for warning in answer.evidence.warnings)
    now = prepare(air.source, tmp_path / "values")
    assert [(found.state, found.reason) for found in inspect([now], store)] == [("stale", reason)]
    now.close()


async def test_a_step_tells_of_the_verified_query_that_it_was_and_was_not_answered_from(
    path: Path, air: Prepared, store: VerifiedStore
) -> None:
    verify("How many ports are in Norway?", "SELECT COUNT(*) FROM port WHERE country = 'Norway'", [air], store)
    verify("How many flights are there in 2019?", BY_YEAR, [air], store)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE flight DROP COLUMN year")
    answer, _ = await ask(air, store, "How many flights are there in 2019, and how many ports are in Norway?")
    assert [step.answer.text for step in answer.steps] == ["model: asked", "count: 2"]
    assert any("Step 1" in warning and "is stale" in warning for warning in answer.evidence.warnings)
    assert any("Step 2: From the verified query" in told for told in answer.evidence.assumptions)


async def test_columns_that_it_does_not_read_may_change(path: Path, air: Prepared, store: VerifiedStore) -> None:
    verify("How many flights in 2019?", BY_YEAR, [air], store)
    verify("All ports", "SELECT * FROM port", [air], store)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("ALTER TABLE flight ADD COLUMN pilot TEXT; ALTER TABLE port ADD COLUMN size INTEGER")
    assert (await ask(air, store, "how many flights in 2019"))[0].status is Status.VERIFIED
    assert (await ask(air, store, "all ports"))[0].text == "model: asked"


async def test_inspection_tells_whether_the_result_is_still_the_same(
    path: Path, air: Prepared, store: VerifiedStore
) -> None:
    verify("How many flights in 2019?", BY_YEAR, [air], store)
    assert [found.state for found in inspect([air], store)] == ["ok"]
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE flight SET year = 2019")
    assert [(found.state, found.reason) for found in inspect([air], store)] == [("changed", "other values")]


def test_a_result_has_changed_where_its_numbers_have_and_not_how_they_add_up() -> None:
    def of(*cells: float) -> str:
        return fingerprint(Table((ResultColumn("n"),), tuple((cell,) for cell in cells)))

    assert of(0.1 + 0.2, 1.0) == of(1.0, 0.3)
    assert of(1234.567) != of(1234.568)
    assert of(0.5) != of(0.5, 0.5)


async def test_a_query_belongs_to_its_data(
    air: Prepared, store: VerifiedStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (named_otherwise,) = open_sources(["air.sqlite"])
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "air.sqlite").write_bytes((tmp_path / "air.sqlite").read_bytes())
    (other,) = open_sources(["copy/air.sqlite"])
    verify("How many flights in 2019?", BY_YEAR, [air], store)
    for source, status in ((named_otherwise, Status.VERIFIED), (other, Status.AGREED)):
        component = Ask([source], ScriptedModel([BY_YEAR] * 2), tmp_path / "values", verified=store)
        assert (await Runner().run(component, Question(text="how many flights in 2020"))).status is status
        component.close()
        source.close()


@pytest.mark.parametrize(
    ("question", "sql", "error"),
    [
        ("Flights?", "DELETE FROM flight", GuardError),
        ("Flights?", "SELECT nothing FROM flight", GuardError),
        ("Flights?", "SELECT json_extract('{', '$') FROM flight", QueryError),
        ("?!", "SELECT 1", UsageError),
    ],
)
async def test_what_does_not_run_is_not_kept(
    air: Prepared, store: VerifiedStore, question: str, sql: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        verify(question, sql, [air], store)
    assert store.all() == []


async def test_a_broken_store_stops_no_answer_and_is_told(air: Prepared, store: VerifiedStore) -> None:
    store.path.parent.mkdir()
    store.path.write_bytes(b"no database at all" * 100)
    answer, _ = await ask(air, store, "how many flights")
    assert answer.text == "model: asked"
    assert any("cannot be used" in warning for warning in answer.evidence.warnings)
    with pytest.raises(DataError, match="cannot be used"):
        verify("Flights?", "SELECT 1", [air], store)


def _keep(store: VerifiedStore, path: Path, first: int) -> None:
    (source,) = open_sources([path])
    prepared = prepare(source, path.parent / "values")
    for number in range(first, first + 10):
        verify(f"Question number{number}", f"SELECT {number}", [prepared], store)


async def test_processes_may_verify_at_once(air: Prepared, path: Path, store: VerifiedStore) -> None:
    spawn = multiprocessing.get_context("spawn")
    others = [spawn.Process(target=_keep, args=(store, path, first)) for first in (0, 100)]
    for process in others:
        process.start()
    for process in others:
        process.join(60)
    assert len(store.all()) == 20


async def test_a_file_brings_queries_to_other_data_of_that_name(
    air: Prepared, store: VerifiedStore, tmp_path: Path
) -> None:
    kept = verify("How many flights\nin 2019?", "SELECT COUNT(*)\nFROM flight\nWHERE year = 2019", [air], store).query
    write_queries(tmp_path / "verified.yaml", store.all())
    text = (tmp_path / "verified.yaml").read_text()
    assert "sql: |-\n" in text
    assert str(tmp_path) not in text
    (query,) = read_queries(tmp_path / "verified.yaml")
    assert moved(query, [air]) == moved(query, [air, air]) == kept
    with pytest.raises(UsageError, match="is about 'ships'; the data here are air, air"):
        moved(query.model_copy(update={"source": "ships"}), [air, air])


@pytest.mark.parametrize(
    "text", ["verified: 5", "[", "verified: [{question: What?}]", "verified: [5]", "verified:\n- {sql: 5, x: 1}"]
)
async def test_a_file_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "verified.yaml"
    file.write_text(text)
    with pytest.raises(UsageError, match=r"verified\.yaml"):
        read_queries(file)


async def test_python_verifies_and_asks(path: Path) -> None:
    with Querist(path, model=ScriptedModel([])) as querist:
        querist.verify("How many flights in 2019?", BY_YEAR)
        assert querist.ask("how many flights in 2020?").text == "count: 2"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Show me the ships", "ships"),
        ("Could you please list ships?", "SHIPS"),
        ("What are the 'fast' ships", "fast ships."),
        ("ships > 1,000.50", "ships > 1000.5"),
    ],
)
async def test_politeness_case_and_separators_do_not_count(one: str, other: str) -> None:
    assert words(one) == words(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ships = 5", "ships != 5"),
        ("(a or b) and c", "a or (b and c)"),
        ("5th ship", "5 ships"),
        ("ano", "año"),
        ("the fastest ship", "the fastest ships"),
        ("price, tax and name", "price tax and name"),
        ("-5 degrees", "5 degrees"),
        ("Are all ships fast", "all ships fast"),
    ],
)
async def test_what_may_change_the_meaning_counts(one: str, other: str) -> None:
    assert words(one) != words(other)
