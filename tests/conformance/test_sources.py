"""What every source must do, whatever engine is behind it. See `source_cases.py` for the sources it runs over."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from querist.errors import QueristError, QueryError, QueryTimeoutError, UsageError
from querist.sources.base import ForeignKey, Limits, Source
from tests.conformance.source_cases import CASES, PEOPLE_COLUMNS, VISITS_COLUMNS, Case


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


@pytest.fixture
def source(case: Case, tmp_path: Path) -> Iterator[Source]:
    with case.make(tmp_path) as source:
        yield source


def test_schema_names_all_tables_and_their_columns_in_order(source: Source) -> None:
    tables = {t.name: t for t in source.schema().tables}
    assert set(tables) == {"people", "visits"}
    assert tuple(c.name for c in tables["people"].columns) == PEOPLE_COLUMNS
    assert tuple(c.name for c in tables["visits"].columns) == VISITS_COLUMNS


def test_schema_tells_kinds_that_hold_across_engines(source: Source) -> None:
    people = source.schema().table("PEOPLE")
    assert people is not None
    assert [c.kind for c in people.columns] == ["integer", "text", "date", "number", "text"]


def test_schema_speaks_the_dialect_of_the_source(source: Source) -> None:
    assert source.schema().dialect == source.dialect != ""


def test_schema_knows_declared_keys(case: Case, source: Source) -> None:
    if not case.has_keys:
        assert all(not t.primary_key and not t.foreign_keys for t in source.schema().tables)
        return
    visits = source.schema().table("visits")
    assert visits is not None
    assert visits.primary_key == ("id",)
    assert visits.foreign_keys == (ForeignKey(("person_id",), "people", ("id",)),)


def test_row_count_is_right_where_it_is_told(source: Source) -> None:
    for name, rows in (("people", 4), ("visits", 40)):
        table = source.schema().table(name)
        assert table is not None
        assert table.row_count in (rows, None)


def test_fingerprint_stays_while_the_data_do(source: Source) -> None:
    before = source.fingerprint()
    source.schema()
    source.execute("SELECT 1")
    assert source.fingerprint() == before


def test_result_has_the_names_and_values_that_were_asked_for(source: Source) -> None:
    table = source.execute("SELECT name AS who, id * 2 AS twice FROM people ORDER BY id")
    assert table.names == ["who", "twice"]
    assert table.rows == (("Ada", 2), ("Bram O'Neil", 4), ("Zoë 🦊", 6), ("Dov", 8))
    assert table.truncated is None
    assert table.source == source.name


def test_dates_come_as_dates_or_as_iso_text(case: Case, source: Source) -> None:
    born = source.execute("SELECT born FROM people WHERE id = 1").scalar()
    assert born == ("1990-05-17" if case.dates_are_text else dt.date(1990, 5, 17))


def test_null_comes_as_none(source: Source) -> None:
    assert source.execute("SELECT score FROM people WHERE id = 2").scalar() is None


def test_numbers_come_as_python_numbers(source: Source) -> None:
    assert float(source.execute("SELECT score FROM people WHERE id = 3").scalar()) == -1.25


def test_tables_can_be_joined(source: Source) -> None:
    sql = "SELECT p.name, sum(v.cost) FROM people p JOIN visits v ON v.person_id = p.id GROUP BY p.name ORDER BY p.name"
    assert [(name, int(cost)) for name, cost in source.execute(sql)] == [
        ("Ada", 2200),
        ("Bram O'Neil", 1900),
        ("Dov", 2100),
        ("Zoë 🦊", 2000),
    ]


def test_names_that_need_quotes_work_with_them(case: Case, source: Source) -> None:
    town, group = case.quote("home town"), case.quote("group")
    assert source.execute(f"SELECT count({town}) FROM people").scalar() == 3
    assert source.execute(f"SELECT count(DISTINCT {group}) FROM visits").scalar() == 2


def test_empty_result_keeps_its_columns(source: Source) -> None:
    table = source.execute("SELECT id, name FROM people WHERE id = 99")
    assert (len(table), table.names) == (0, ["id", "name"])


def test_row_limit_cuts_and_says_so(source: Source) -> None:
    table = source.execute("SELECT id FROM visits ORDER BY id", Limits(rows=7))
    assert [row[0] for row in table] == [1, 2, 3, 4, 5, 6, 7]
    assert table.truncated is not None
    assert "7 rows" in table.truncated


def test_result_of_exactly_the_row_limit_is_whole(source: Source) -> None:
    table = source.execute("SELECT id FROM visits", Limits(rows=40))
    assert (len(table), table.truncated) == (40, None)


def test_byte_limit_cuts_and_says_so(source: Source) -> None:
    table = source.execute("SELECT * FROM visits", Limits(bytes=200))
    assert 0 < len(table) < 40
    assert table.truncated is not None
    assert "200 bytes" in table.truncated


def test_query_that_takes_too_long_is_stopped(case: Case, source: Source) -> None:
    with pytest.raises(QueryTimeoutError, match=r"0\.2 s"):
        source.execute(case.endless, Limits(seconds=0.2))
    assert source.execute("SELECT count(*) FROM people").scalar() == 4


def test_interrupt_stops_a_query_of_another_thread(case: Case, source: Source) -> None:
    source.schema()
    failed: list[QueristError] = []

    def run() -> None:
        try:
            source.execute(case.endless, Limits(seconds=60))
        except QueristError as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    while thread.is_alive():  # it may not have begun when it is stopped for the first time
        source.interrupt()
        time.sleep(0.02)
    thread.join()
    assert [type(error) for error in failed] == [QueryError]
    assert source.execute("SELECT count(*) FROM people").scalar() == 4


def test_closing_stops_the_query_that_runs(case: Case, source: Source) -> None:
    source.schema()
    failed: list[QueristError] = []

    def run() -> None:
        try:
            source.execute(case.endless, Limits(seconds=60))
        except QueristError as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(0.3)  # most likely it runs by now; if not, it is refused
    source.close()
    thread.join()
    assert len(failed) == 1
    assert isinstance(failed[0], (QueryError, UsageError))


def test_interrupt_of_an_idle_source_does_nothing(source: Source) -> None:
    source.interrupt()
    assert source.execute("SELECT count(*) FROM people").scalar() == 4


@pytest.mark.parametrize("sql", ["SELECT nothing FROM people", "SELECT * FROM nowhere", "SELEC 1", "SELECT 1 FROM"])
def test_faulty_query_raises_with_the_engines_words(source: Source, sql: str) -> None:
    with pytest.raises(QueryError) as raised:
        source.execute(sql)
    word = {"SELECT nothing FROM people": "nothing", "SELECT * FROM nowhere": "nowhere"}.get(sql, "")
    assert word in raised.value.message
    assert "\n" not in raised.value.message.strip()


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM visits",
        "UPDATE visits SET cost = 0",
        "INSERT INTO visits (id, person_id, cost) VALUES (99, 1, 1)",
        "DROP TABLE visits",
        "CREATE TABLE more (id INTEGER)",
        "ALTER TABLE visits ADD COLUMN extra INTEGER",
        "SELECT 1; DELETE FROM visits",
        "COMMIT; DELETE FROM visits",
    ],
)
def test_engine_itself_refuses_to_write(source: Source, sql: str) -> None:
    with pytest.raises(QueryError):
        source.execute(sql)
    assert source.execute("SELECT sum(cost), count(*) FROM visits").rows == ((8200, 40),)
    assert {t.name for t in source.schema().tables} == {"people", "visits"}


def test_several_threads_may_ask_at_once(source: Source) -> None:
    def ask(number: int) -> int:
        return int(source.execute(f"SELECT sum(cost) FROM visits WHERE person_id = {number % 4 + 1}").scalar())

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(40))) == [2200, 1900, 2000, 2100] * 10


def test_profile_describes_every_column(source: Source) -> None:
    people = source.profile().table("people")
    assert people is not None
    assert (people.row_count, people.sampled) == (4, False)
    assert tuple(c.name for c in people.columns) == PEOPLE_COLUMNS
    assert [c.nulls for c in people.columns] == [0.0, 0.0, 0.25, 0.25, 0.25]
    assert [c.distinct for c in people.columns] == [4, 4, 3, 3, 2]


def test_profile_lists_all_values_of_columns_with_few_most_frequent_first(source: Source) -> None:
    visits = source.profile().table("visits")
    assert visits is not None
    group = visits.column("group")
    assert group is not None
    assert group.examples == ("red", "blue")


def test_profile_tells_the_range_of_values(source: Source) -> None:
    profile = source.profile()
    people, visits = profile.table("people"), profile.table("visits")
    assert people is not None and visits is not None
    cost, born = visits.column("cost"), people.column("born")
    assert cost is not None and born is not None
    assert (cost.minimum, cost.maximum) == (10, 400)
    assert (str(born.minimum), str(born.maximum)) == ("1985-12-01", "2001-01-31")


def test_profile_finds_likely_keys_only_where_values_and_names_fit(source: Source) -> None:
    profile = source.profile()
    keys = {(t.name, c.name) for t in profile.tables for c in t.columns if c.likely_key}
    assert keys == {("people", "id"), ("visits", "id")}


def test_profile_finds_dates_kept_as_text(case: Case, source: Source) -> None:
    people = source.profile().table("people")
    born = people.column("born") if people else None
    assert born is not None
    assert born.date_format == ("%Y-%m-%d" if case.dates_are_text else "")


def test_profile_is_kept_under_the_fingerprint_of_the_data(source: Source) -> None:
    from querist.sources.profile_store import load_profile

    made = source.profile()
    assert made.fingerprint == source.fingerprint()
    assert load_profile(source.fingerprint()) == made


def test_closing_twice_is_fine_and_asking_afterwards_is_not(source: Source) -> None:
    source.schema()
    source.close()
    source.close()
    with pytest.raises(UsageError, match="closed"):
        source.execute("SELECT 1")
