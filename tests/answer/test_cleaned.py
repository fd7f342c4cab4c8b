"""An answer tells what is not clean in the values that it uses: what reading mended, and what was found and left."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from querist.answer.answer import Answer, Status
from querist.answer.ask import Ask, Question
from querist.answer.cleaned import cleaned
from querist.answer.prepared import prepare
from querist.answer.verified import verify
from querist.core.context import RunContext
from querist.core.runner import Runner
from querist.sources.open import open_sources
from querist.state.verified_store import VerifiedStore
from tests.scripted_model import ScriptedModel


def _told(path: Path, sql: str) -> list[str]:
    with closing(open_sources([str(path)])[0]) as source:
        return cleaned(sql, source.schema(), source.profile())


def test_only_what_the_query_reads_is_told(tmp_path: Path) -> None:
    path = tmp_path / "fares.csv"
    path.write_text('line,fare,since\nA,"$1,200",05.03.2024\nB,$3,06.03.2024\nC,N/A,07.03.2024\n')
    assert _told(path, "SELECT max(fare) FROM fares") == [
        "fares.fare: the comma in '$1,200' is read as a thousands separator",
        "fares.fare: the currency sign $ is left out",
        "fares.fare: 'N/A' read as NULL",
        "fares.fare: empty in 1 of 3 rows",
    ]
    assert _told(path, "SELECT line FROM fares") == []


def test_what_reading_mended_in_one_of_several_files_is_told(tmp_path: Path) -> None:
    (tmp_path / "tolls_2023.csv").write_text("gate,euros\nNord,1\nNord,2\n")
    (tmp_path / "tolls_2024.csv").write_text("gate,euros\nNord ,1\nNord,2\n")
    assert _told(tmp_path, "SELECT gate, sum(euros) FROM tolls GROUP BY gate") == [
        "tolls.gate: tolls_2024.csv: blanks around 1 value are left out"
    ]


@pytest.fixture
def ferry(tmp_path: Path) -> Path:
    path = tmp_path / "ferry.sqlite"
    with closing(sqlite3.connect(path)) as con, con:
        con.execute("CREATE TABLE trip (quay TEXT, sailed TEXT, cars TEXT)")
        rows = [("Vik", "2024-01-05", "7"), ("VIK", "05/13/2024", "n/a"), ("Vik", "2024-01-05", "7"), ("Os", None, "9")]
        con.executemany("INSERT INTO trip VALUES (?, ?, ?)", rows)
    return path


def test_what_is_not_clean_in_a_database_is_told_and_left(ferry: Path) -> None:
    before = ferry.read_bytes()
    assert _told(ferry, "SELECT quay, max(sailed), sum(cars) FROM trip GROUP BY quay") == [
        "trip.quay: values differ only in case or blanks: 'Vik' and 'VIK'",
        "trip.sailed: empty in 1 of 4 rows",
        "trip.sailed: dates as text, which do not sort as dates: %Y-%m-%d, %m/%d/%Y",
        "trip.cars: 1 row has text among the numbers, such as 'n/a'",
        "trip: 1 row is the same as another in every column, and counted",
    ]
    assert ferry.read_bytes() == before


def test_words_for_missing_values_are_told(tmp_path: Path) -> None:
    (tmp_path / "tolls.csv").write_text("gate,euros\nNord,1\nN/A,2\n-,3\n")
    assert _told(tmp_path / "tolls.csv", "SELECT count(DISTINCT gate) FROM tolls") == [
        "tolls.gate: '-', 'N/A' in 2 rows may stand for a missing value"
    ]


def test_rows_that_repeat_are_told_only_where_they_are_counted(ferry: Path) -> None:
    assert _told(ferry, "SELECT cars FROM trip WHERE cars = '9'") == [
        "trip.cars: 1 row has text among the numbers, such as 'n/a'"
    ]


def test_a_last_row_of_sums_is_left_out_and_that_is_told_where_rows_are_added_up(tmp_path: Path) -> None:
    path = tmp_path / "tolls.csv"
    path.write_text("gate,euros\nNord,1\nWest,2\nTotal,3\n")
    assert _told(path, "SELECT sum(euros) FROM tolls") == [
        "tolls: the last row, 'Total', is the sum of the others and left out"
    ]
    assert _told(path, "SELECT gate FROM tolls WHERE euros = 1") == []


@pytest.mark.anyio
async def test_a_last_row_that_may_be_the_sum_is_a_warning_where_rows_are_added_up(tmp_path: Path) -> None:
    (tmp_path / "trips.csv").write_text("gate,euros\nNord,1\nWest,2\nTotal,4\n")
    answer = await _asked(tmp_path / "trips.csv", "SELECT sum(euros) FROM trips")
    told = "trips: the last row, 'Total', may be the sum of the others; it is read as one of them."
    assert (answer.status, answer.evidence.warnings) == ("unverified", [told])
    assert (await _asked(tmp_path / "trips.csv", "SELECT gate, euros FROM trips")).status == "agreed"


def test_clean_data_have_nothing_to_tell(tmp_path: Path) -> None:
    (tmp_path / "gates.csv").write_text("gate,opened\nNord,2024-01-05\nWest,2024-02-06\n")
    assert _told(tmp_path / "gates.csv", "SELECT gate, max(opened), count(*) FROM gates GROUP BY gate") == []


async def _asked(path: Path, sql: str) -> Answer:
    with closing(open_sources([str(path)])[0]) as source:
        component = Ask([source], ScriptedModel([sql] * 5), path.parent / "values")
        with closing(component):
            return await Runner().run(component, Question(text="What do the trips say?"), RunContext())


@pytest.mark.anyio
async def test_what_was_mended_in_a_file_counts_together_and_is_in_the_evidence(tmp_path: Path) -> None:
    text = "id,quay,cars,sailed\n1,Vik,7,2024-01-05\n2,vik,5,2024-03-02\n3, Vik ,4,05/13/2024\n4,,9,2024-02-01\n"
    (tmp_path / "trips.csv").write_text(f"{text}4,,9,2024-02-01\n")
    answer = await _asked(tmp_path / "trips.csv", "SELECT quay, sum(cars) FROM trips WHERE quay <> 'Os' GROUP BY quay")
    assert answer.table is not None and answer.table.rows == (("Vik", 16),)
    assert answer.evidence.assumptions == (
        "trips.quay: blanks around 1 value are left out",
        "trips.quay: 'vik' is read as 'Vik' (spellings of one word)",
        "trips.quay: empty in 2 of 5 rows",
        "trips: 1 row is the same as another in every column, and counted",
    )
    answer = await _asked(tmp_path / "trips.csv", "SELECT max(sailed) FROM trips")
    assert answer.table is not None and answer.table.rows == ((dt.date(2024, 5, 13),),)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("sql", "warning"),
    [
        ("SELECT quay, count(cars) FROM trip GROUP BY quay", "spellings of one value in trip.quay as different ones"),
        ("SELECT max(sailed) FROM trip", "max(sailed) does not read these as dates"),
        ("SELECT avg(cars) FROM trip", "trip.cars"),
    ],
)
async def test_a_result_that_is_wrong_because_of_it_is_not_agreed(ferry: Path, sql: str, warning: str) -> None:
    answer = await _asked(ferry, sql)
    assert answer.status is Status.UNVERIFIED
    assert warning.lower() in " ".join(answer.evidence.warnings).lower()


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("condition", "cars"),
    [
        ("quay = 'Vik'", 3),
        ("quay <> 'Vik'", 1),
        ("quay IN ('Vik', 'Os')", 4),
        ("NOT quay IN ('VIK')", 1),
        ("quay = 'Vik' AND sailed = '2024-01-05'", 2),
    ],
)
async def test_a_condition_takes_all_spellings_of_a_value_and_says_so(ferry: Path, condition: str, cars: int) -> None:
    answer = await _asked(ferry, f"SELECT count(cars) FROM trip WHERE {condition}")
    assert answer.table is not None and answer.table.rows == ((cars,),)
    assert "took all spellings of a value, which its column writes in several" in answer.evidence.attempts[0].mended
    assert "spelling_left_out" not in [check.name for check in answer.evidence.checks if check.outcome != "passed"]


@pytest.mark.anyio
async def test_codes_that_differ_in_case_are_told_and_not_taken_for_one(ferry: Path) -> None:
    with closing(sqlite3.connect(ferry)) as con, con:
        con.execute("CREATE TABLE fare (class TEXT, euros INTEGER)")
        con.executemany("INSERT INTO fare VALUES (?, ?)", [("a", 5), ("A", 9), ("a", 6)])
    answer = await _asked(ferry, "SELECT sum(euros) FROM fare WHERE class = 'a'")
    assert answer.table is not None and answer.table.rows == ((11,),)
    assert any("fare.class also holds 'A'" in warning for warning in answer.evidence.warnings)
    assert answer.status is Status.UNVERIFIED


@pytest.mark.anyio
async def test_a_verified_query_tells_it_too(ferry: Path, tmp_path: Path) -> None:
    store = VerifiedStore(tmp_path / "verified.sqlite")
    with closing(open_sources([str(ferry)])[0]) as source, closing(prepare(source, tmp_path / "values")) as prepared:
        verify("Cars by quay", "SELECT quay, count(cars) FROM trip GROUP BY quay", [prepared], store)
        with closing(Ask([source], ScriptedModel([]), tmp_path / "values", verified=store)) as component:
            answer = await Runner().run(component, Question(text="Cars by quay"), RunContext())
    assert answer.status is Status.VERIFIED  # who verified it accepted the warning
    assert "trip.quay: values differ only in case or blanks: 'Vik' and 'VIK'" in answer.evidence.assumptions
