from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from querist.answer.mend import Mended, mend
from querist.answer.prepared import Prepared, prepare
from querist.sources.joins import JoinGraph
from querist.sources.open import open_sources


def mended(fleet: Prepared, sql: str) -> Mended:
    return mend(sql, fleet)


def rows(fleet: Prepared, sql: str) -> list[tuple[object, ...]]:
    return sorted(fleet.source.execute(mended(fleet, sql).sql).rows)


@pytest.mark.parametrize(
    ("draft", "expected"),
    [
        pytest.param(
            "SELECT T1.town FROM truck AS T1 JOIN depot AS T2 ON T1.depot_id = T2.depot_id WHERE T2.tonnes > 15",
            [("Passau",)],
            id="columns under the wrong alias",
        ),
        pytest.param("SELECT Plate_ FROM trucks WHERE Tonnes > 15", [("PA-301",)], id="names that are nearly right"),
        pytest.param("SELECT plate FROM truck WHERE town = 'Lindau'", [("LI-200",)], id="a table that is missing"),
        pytest.param("SELECT km FROM trip WHERE town = 'Lindau'", [(300,)], id="two tables that are missing"),
        pytest.param("SELECT plate FROM truck WHERE plate = 'li-200'", [("LI-200",)], id="a literal in another case"),
        pytest.param("SELECT depot_id FROM depot WHERE town = 'Alesund'", [(1,)], id="a literal without its accent"),
        pytest.param(
            "SELECT depot_id FROM depot WHERE town IN ('lindau', 'pasau')", [(2,), (3,)], id="a misspelt literal"
        ),
        pytest.param(
            "SELECT town FROM depot WHERE region_id = 'South'",
            [("Lindau",), ("Passau",)],
            id="a name compared with a foreign key",
        ),
        pytest.param("SELECT km FROM trip WHERE plate = 'Jon Falk'", [(300,)], id="a value of another column"),
        pytest.param(
            "SELECT trip.km FROM trip JOIN truck ON trip.trip_id = truck.truck_id WHERE truck.plate = 'PA-301'",
            [(50,)],
            id="a join that is not on the keys",
        ),
        pytest.param(
            "SELECT COUNT(*) FROM region AS r JOIN truck AS t ON r.region_id = t.truck_id WHERE r.label = 'South'",
            [(3,)],
            id="a join that leaves out the table between",
        ),
        pytest.param(
            "SELECT COUNT(*) FROM region AS r JOIN truck AS t ON r.region_id = t.region_id WHERE r.label = 'South'",
            [(3,)],
            id="a join on a column that the table lacks",
        ),
        pytest.param(
            "SELECT COUNT(*) FROM region AS r JOIN truck AS t ON t.region_id = r.region_id WHERE r.label = 'South'",
            [(3,)],
            id="the same, written the other way round",
        ),
        pytest.param('SELECT depot_id FROM depot WHERE town = "Lindau"', [(2,)], id="text in double quotes"),
    ],
)
def test_a_draft_that_is_nearly_right_becomes_right(
    fleet: Prepared, draft: str, expected: list[tuple[object, ...]]
) -> None:
    assert rows(fleet, draft) == expected
    assert mended(fleet, draft).notes


@pytest.mark.parametrize(
    "query",
    [
        "SELECT town FROM depot ORDER BY town",
        "SELECT d.town, COUNT(*) AS trucks FROM depot AS d JOIN truck AS t ON t.depot_id = d.depot_id GROUP BY d.town",
        "SELECT town FROM depot WHERE depot_id NOT IN (SELECT depot_id FROM truck)",
        "SELECT t.plate FROM truck AS t WHERE t.tonnes > "
        "(SELECT AVG(u.tonnes) FROM truck AS u WHERE u.depot_id = t.depot_id)",
        "WITH heavy AS (SELECT truck_id AS id, plate AS sign FROM truck WHERE tonnes > 10) SELECT sign FROM heavy "
        "JOIN trip ON trip.truck_id = heavy.id",
        "SELECT a.town, b.town FROM depot AS a JOIN depot AS b "
        "ON a.region_id = b.region_id AND a.depot_id < b.depot_id",
        "SELECT driver AS who, SUM(km) AS distance FROM trip GROUP BY who HAVING distance > 100 ORDER BY distance DESC",
        "SELECT driver FROM trip WHERE driver LIKE '%berg%'",
        "SELECT town FROM depot WHERE town <> 'Rome'",
        "SELECT rowid FROM depot",
    ],
)
def test_a_right_query_is_left_as_it_is(fleet: Prepared, query: str) -> None:
    assert mended(fleet, query) == Mended(query)


@pytest.mark.parametrize(
    "text", ["", "I cannot answer that.", "SELECT FROM WHERE", "DROP TABLE truck", "SELECT 1; SELECT 2"]
)
def test_what_is_no_single_query_is_left_to_the_guard(fleet: Prepared, text: str) -> None:
    assert mended(fleet, text) == Mended(text)


def test_a_name_that_could_mean_anything_is_left_alone(fleet: Prepared) -> None:
    query = "SELECT colour FROM truck"
    assert mended(fleet, query) == Mended(query)


@pytest.mark.parametrize("wrong", ["a.driver = b.driver", "a.driver = b.Driver", "b.drivers = a.driver"])
def test_no_join_condition_ever_compares_a_table_with_itself(fleet: Prepared, wrong: str) -> None:
    sql = f"SELECT COUNT(*) FROM trip AS a JOIN region AS b ON {wrong}"
    for joins in (fleet.joins, JoinGraph([])):
        assert "a.driver = a.driver" not in mend(sql, replace(fleet, joins=joins)).sql.lower()


@pytest.mark.parametrize(
    ("draft", "expected"),
    [
        pytest.param(
            "SELECT plate FROM truck AS t JOIN trip AS p ON p.truck_id = t.truck_id WHERE p.truck_id IS NULL",
            [("PA-300",)],
            id="rows that lack a partner",
        ),
        pytest.param(
            "SELECT driver FROM trip WHERE SUM(km) > 100 AND trip_id > 0 GROUP BY driver",
            [("Ada Berg",), ("Jon Falk",)],
            id="a condition on a total in WHERE",
        ),
        pytest.param(
            "SELECT town FROM depot WHERE depot_id NOT IN (SELECT depot_id FROM trip)",
            [],
            id="a subquery that would return a column of the query around it",
        ),
        pytest.param(
            "SELECT label FROM region WHERE region_id IN (SELECT region_id FROM truck WHERE tonnes > 12)",
            [("South",)],
            id="a table that is missing in a subquery",
        ),
        pytest.param("SELECT km FROM trip WHERE driver LIKE '%AX%'", [], id="a text that stands elsewhere"),
        pytest.param(
            "SELECT p.km FROM trip AS p JOIN truck AS t ON t.truck_id = p.truck_id WHERE p.driver LIKE '%PA-30%'",
            [(50,)],
            id="a text that stands in another column of the query",
        ),
    ],
)
def test_the_shape_of_a_query_is_mended(fleet: Prepared, draft: str, expected: list[tuple[object, ...]]) -> None:
    assert rows(fleet, draft) == expected


def test_a_row_is_not_compared_with_a_total_of_its_group(fleet: Prepared) -> None:
    draft = "SELECT driver FROM trip WHERE km > AVG(km) GROUP BY driver"
    assert mend(draft, fleet).notes == ()


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    folder = tmp_path_factory.mktemp("orders")
    days = ("2024-12-31", "2025-01-01", "2025-03-01", "2025-03-31", "2025-12-31", "2026-01-01")
    (folder / "orders.csv").write_text("id,placed\n" + "".join(f"{i},{day}\n" for i, day in enumerate(days)))
    (source,) = open_sources([folder / "orders.csv"])
    prepared = prepare(source, folder / "values")
    yield prepared
    prepared.close()
    source.close()


@pytest.mark.parametrize(
    ("question", "condition", "count"),
    [
        ("How many orders in 2025?", "placed = '2025-01-01'", 4),
        ("How many orders in 2025?", "placed = DATE '2025-12-31'", 4),
        ("How many orders in 2025?", "placed LIKE '2025%'", 4),
        ("How many orders in 2025?", "placed = '2025'", 4),
        ("How many orders in March 2025?", "placed = '2025-03-01'", 2),
        ("How many orders in March 2025?", "placed LIKE '2025-03-%'", 2),
        ("How many orders in December 2025?", "placed = '2025-12-01'", 1),
        ("How many orders on 1 March 2025?", "placed = '2025-03-01'", 1),
        ("How many orders on 2025-03-01?", "placed = '2025-03-01'", 1),
        ("How many orders on March 31st, 2025?", "placed = '2025-03-31'", 1),
        ("How many orders on new year's day?", "placed = '2025-01-01'", 1),
        ("How many orders in 2026?", "placed = '2026-01-01' OR id = 0", 2),
    ],
)
def test_a_day_that_stands_for_a_year_or_a_month_becomes_it(
    orders: Prepared, question: str, condition: str, count: int
) -> None:
    sql = f"SELECT COUNT(*) FROM orders WHERE {condition}"
    changed = mend(sql, orders, question)
    assert orders.source.execute(changed.sql).rows == ((count,),)
    assert bool(changed.notes) == (changed.sql != sql)
