from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from querist.answer.draft import STRATEGIES, Draft, Task, settle
from querist.answer.prepared import Prepared, prepare
from querist.sources.open import open_sources

pytestmark = pytest.mark.anyio

REEF = """
CREATE TABLE diver (id INTEGER PRIMARY KEY, name TEXT, club TEXT, teacher_id INTEGER REFERENCES diver (id));
CREATE TABLE dive (id INTEGER PRIMARY KEY, diver_id INTEGER REFERENCES diver (id), depth INTEGER, began TEXT);
INSERT INTO diver VALUES (1, 'Ann', 'Reef', NULL), (2, 'Bob', 'Kelp', 1), (3, 'Cy', 'Kelp', 2), (4, 'Ann', 'Kelp', 2),
    (5, 'Dee', 'Fjord', NULL);
INSERT INTO dive VALUES (1, 2, 40, '2031-05-04 09:00'), (2, 2, 38, '2031-05-31 07:30'), (3, 3, 30, '2031-05-31 15:10'),
    (4, 4, 20, '2031-06-01 08:00'), (5, 4, 10, '2031-06-02 08:00'), (6, 1, 12, '2031-06-03 10:00');
"""


@pytest.fixture(scope="module")
def reef(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    folder = tmp_path_factory.mktemp("reef")
    connection = sqlite3.connect(folder / "reef.sqlite")
    connection.executescript(REEF)
    connection.close()
    (source,) = open_sources([folder / "reef.sqlite"])
    prepared = prepare(source, folder / "values")
    yield prepared
    prepared.close()
    source.close()


async def settled(reef: Prepared, sql: str, question: str = "") -> Draft:
    return await settle(Task(question, reef), STRATEGIES[0], sql)


def shown(draft: Draft) -> list[object]:
    assert draft.table is not None
    return [row[0] if len(row) == 1 else row for row in draft.table.rows]


def found(draft: Draft) -> dict[str, str]:
    return {check.name: check.message for check in draft.checks if check.outcome != "passed"}


DIVERS = "FROM diver AS d JOIN dive AS v ON v.diver_id = d.id"


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        (f"SELECT d.name {DIVERS} WHERE d.id < 4", ["Bob", "Cy", "Ann"]),
        (f"SELECT d.id, d.name {DIVERS} WHERE d.id > 3", [(4, "Ann")]),
        (f"SELECT d.name AS diver {DIVERS} WHERE club = 'Kelp' ORDER BY name DESC", ["Cy", "Bob", "Ann"]),
    ],
)
async def test_rows_that_a_join_repeats_are_shown_once(reef: Prepared, sql: str, names: list[object]) -> None:
    draft = await settled(reef, sql)
    assert (shown(draft), found(draft)) == (names, {})
    assert any("each row once" in note for note in draft.mended)


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        pytest.param(f"SELECT d.name {DIVERS} WHERE d.id IN (1, 4)", ["Ann"] * 3, id="two people of one name"),
        pytest.param(f"SELECT d.name {DIVERS} ORDER BY v.depth DESC LIMIT 2", ["Bob"] * 2, id="a top of the others"),
        pytest.param(f"SELECT d.club {DIVERS} WHERE d.id < 4 ORDER BY v.depth", ["Reef", *["Kelp"] * 3], id="an order"),
    ],
)
async def test_rows_that_may_be_meant_stay_with_a_warning(reef: Prepared, sql: str, names: list[object]) -> None:
    draft = await settled(reef, sql)
    assert (shown(draft), draft.mended) == (names, ())
    assert set(found(draft)) == {"duplicate_rows"}


async def test_a_join_that_leaves_nothing_may_be_what_is_asked(reef: Prepared) -> None:
    sql = f"SELECT d.name {DIVERS} WHERE d.club = 'Fjord'"
    draft = await settled(reef, sql, "Who from Fjord has been under water?")
    assert (shown(draft), draft.mended) == ([], ())
    assert set(found(draft)) == {"empty_result"}


async def test_a_partner_that_lacks_something_is_still_a_partner(reef: Prepared) -> None:
    joined = "SELECT a.name FROM diver AS a JOIN diver AS b ON a.teacher_id = b.id"
    assert shown(await settled(reef, f"{joined} WHERE b.teacher_id IS NULL")) == ["Bob"]
    assert shown(await settled(reef, f"{joined} WHERE b.id IS NULL")) == ["Ann", "Dee"]


@pytest.mark.parametrize(
    ("question", "condition", "count"),
    [
        ("How many dives in May 2031?", "began BETWEEN '2031-05-01' AND '2031-05-31'", 3),
        ("How many dives until 31 May 2031?", "began <= '2031-05-31'", 3),
        ("How many dives until June 1st, 2031?", "'2031-06-01' >= began", 4),
        ("How many dives on 2031-05-31?", "began = '2031-05-31'", 2),
        ("How many dives not on 31 May 2031?", "began <> '2031-05-31'", 4),
        ("How many dives after 2031-05-31?", "began > '2031-05-31'", 3),
        ("How many dives after 2031-05-31?", "'2031-05-31' < began", 3),
        ("How many dives outside of May 2031?", "began NOT BETWEEN '2031-05-01' AND '2031-05-31'", 3),
        ("How many dives after 31 May 2031?", "began > date('2031-05-31')", 3),
    ],
)
async def test_a_day_of_a_column_with_times_is_all_of_it(
    reef: Prepared, question: str, condition: str, count: int
) -> None:
    draft = await settled(reef, f"SELECT COUNT(*) FROM dive WHERE {condition}", question)
    assert (shown(draft), found(draft)) == ([count], {})
    assert draft.mended == ("took all of a day, since the column has times",)


@pytest.mark.parametrize(
    "condition", ["began < '2031-06-01'", "began <= '2031-05-30'", "date(began) = '2031-05-31'", "club <= '2031-05-31'"]
)
async def test_a_day_that_cuts_no_times_off_is_let_be(reef: Prepared, condition: str) -> None:
    draft = await settled(reef, f"SELECT COUNT(*) {DIVERS} WHERE {condition}", "How many dives until 2031-05-31?")
    assert draft.mended == ()
    assert "day_as_moment" not in found(draft)


async def test_a_day_that_stands_for_always_has_none_after_it(reef: Prepared) -> None:
    draft = await settled(reef, "SELECT COUNT(*) FROM dive WHERE began <= '9999-12-31'", "How many dives are there?")
    assert (shown(draft), found(draft), draft.mended) == ([6], {}, ())


async def test_a_first_of_a_month_that_may_end_the_month_before_is_told(reef: Prepared) -> None:
    sql = "SELECT COUNT(*) FROM dive WHERE began BETWEEN '2031-05-01' AND '2031-06-01'"
    draft = await settled(reef, sql, "How many dives in May?")
    assert (shown(draft), draft.mended) == ([3], ())
    assert "leaves out what is later on 2031-06-01" in found(draft)["day_as_moment"]
