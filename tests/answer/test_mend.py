from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

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
        pytest.param(
            "SELECT plate FROM truck WHERE tonnes = (SELECT MAX(truck.tonnes) FROM truck AS u WHERE u.truck_id > 1)",
            [("PA-301",)],
            id="a subquery that does not use its alias",
        ),
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
        "SELECT plate FROM truck WHERE tonnes > "
        "(SELECT AVG(u.tonnes) FROM truck AS u WHERE u.depot_id = truck.depot_id)",
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


CLUB = """
CREATE TABLE hall (code TEXT PRIMARY KEY, town TEXT, built INTEGER);
CREATE TABLE player (player_id INTEGER PRIMARY KEY, name TEXT, coach_id INTEGER, wage INTEGER, active INTEGER,
    height REAL, rank TEXT, club_id INTEGER REFERENCES club(club_id));
CREATE TABLE club (club_id INTEGER PRIMARY KEY, title TEXT, captain_id INTEGER, built INTEGER,
    home_hall TEXT REFERENCES hall(code));
CREATE TABLE game (game_id INTEGER PRIMARY KEY, held TEXT, season TEXT, state TEXT, winner TEXT, loser TEXT,
    latitude REAL, hall TEXT REFERENCES hall(code), reserve_hall TEXT REFERENCES hall(code));
CREATE TABLE seat (block TEXT, place INTEGER, label TEXT, PRIMARY KEY (block, place));
CREATE TABLE ticket (ticket_id INTEGER PRIMARY KEY, block TEXT, place INTEGER,
    FOREIGN KEY (block, place) REFERENCES seat(block, place));
INSERT INTO seat VALUES ('N', 1, 'Balcony'), ('N', 2, 'Stalls');
INSERT INTO ticket VALUES (1, 'N', 1), (2, 'N', 2);
INSERT INTO hall VALUES ('AH', 'Aalen', 1), ('BH', 'Bergen', 2), ('C+', 'Chur', 3), ('C++', 'Cork', 4);
INSERT INTO club VALUES (1, 'Owls', 12, 1, 'AH'), (2, 'Crows', 13, 2, 'BH');
INSERT INTO player VALUES (11, 'Ann', NULL, 10, 1, 1.8, 'A', 1), (12, 'Bea', 11, 20, 1, 1.7, 'B', 1),
    (13, 'Cem', 11, 30, 0, 1.9, 'B', 2);
INSERT INTO game VALUES (1, '2031-02-01', 'Q1 2031', 'RETURNED', 'Owls', 'Crows', 1.5, 'AH', 'BH'),
    (2, '2031-02-05', 'Q2 2031', 'Returned ', 'Owls', 'Crows', 2.5, 'AH', 'BH'),
    (3, '2031-03-05', 'Q2 2032', 'active', 'Robins', 'Owls', 3.5, 'BH', 'AH');
"""


@pytest.fixture(scope="module")
def club(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    folder = tmp_path_factory.mktemp("club")
    connection = sqlite3.connect(folder / "club.sqlite")
    connection.executescript(CLUB)
    connection.close()
    (source,) = open_sources([folder / "club.sqlite"])
    prepared = prepare(source, folder / "values")
    yield prepared
    prepared.close()
    source.close()


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("SELECT 1 FROM game WHERE held = '2031-02-02'", id="another day"),
        pytest.param("SELECT 1 FROM game WHERE season = 'Q1 2032'", id="another quarter"),
        pytest.param("SELECT 1 FROM game WHERE state = 'inactive'", id="the opposite of a value"),
        pytest.param("SELECT 1 FROM game WHERE winner = 'Cows'", id="a short word with another letter"),
        pytest.param("SELECT 1 FROM hall WHERE code = 'C'", id="signs that mean something"),
        pytest.param("SELECT 1 FROM game WHERE winner = 'Crows'", id="what only the opposite role has"),
        pytest.param("SELECT 1 FROM game WHERE winner LIKE '%Crow%'", id="a text that only the opposite role has"),
        pytest.param("SELECT 1 FROM player WHERE inactive = 1", id="the opposite of a column"),
        pytest.param("SELECT MAX(altitude) FROM game", id="a column with other first letters"),
        pytest.param("SELECT AVG(age) FROM player", id="a short column name within another"),
        pytest.param("SELECT weight FROM player", id="a column with two other letters"),
        pytest.param(
            "SELECT 1 FROM club AS c JOIN player AS p ON c.captain_id = p.player_id", id="a key of another role"
        ),
        pytest.param("SELECT 1 FROM club AS c JOIN game AS g ON c.title = g.winner", id="a join on names"),
        pytest.param("SELECT town FROM game WHERE game_id = 1", id="a table behind either of two keys"),
        pytest.param("SELECT reserve_hall FROM hall", id="a key by the name of one of its roles"),
        pytest.param("SELECT COUNT(*) FROM ticket WHERE block = 'Balcony'", id="a name behind half a key"),
        pytest.param(
            "SELECT 1 FROM game JOIN player ON game.hall = player.rank WHERE town = 'Bergen'",
            id="the same for one in the way",
        ),
    ],
)
def test_what_may_mean_something_else_is_left_as_it_is(club: Prepared, query: str) -> None:
    assert mend(query, club) == Mended(query)


@pytest.mark.parametrize(
    ("draft", "expected"),
    [
        pytest.param("state = 'returned'", 2, id="every spelling"),
        pytest.param("state <> 'returned'", 1, id="none of the spellings"),
        pytest.param("state IN ('returned', 'active')", 3, id="every spelling among others"),
        pytest.param("reserve_hall = 'Bergen'", 2, id="a name behind a key"),
        pytest.param("reserve_hall = 'Bergen' AND hall = 'Aalen'", 2, id="names behind two keys to one table"),
    ],
)
def test_what_is_certain_is_mended_in_full_and_is_no_guess(club: Prepared, draft: str, expected: int) -> None:
    found = mend(f"SELECT COUNT(*) FROM game WHERE {draft}", club)
    assert (club.source.execute(found.sql).rows, found.guesses) == (((expected,),), ())


def test_a_key_that_several_tables_share_is_no_guess(fleet: Prepared) -> None:
    found = mended(fleet, "SELECT km FROM trip WHERE depot_id = 2")
    assert (fleet.source.execute(found.sql).rows, found.guesses) == (((300,),), ())


def test_a_role_gets_a_join_of_its_own(club: Prepared) -> None:
    sql = "SELECT COUNT(*) FROM game AS g JOIN hall AS h ON g.hall = h.code WHERE g.reserve_hall = 'Aalen'"
    assert club.source.execute(mend(sql, club).sql).rows == ((1,),)


@pytest.mark.parametrize(
    ("draft", "sentence"),
    [
        (
            "SELECT 1 FROM game WHERE winner = 'Robbins'",
            "'Robbins' for game.winner, which does not hold it; 'Robins' was taken",
        ),
        ("SELECT heigth FROM player", "heigth, which does not exist; player.height was taken instead"),
        ("SELECT name FROM playr", "the table playr, which does not exist; player was taken"),
        ("SELECT built FROM player", "built, which does not exist; club.built was taken"),
        ("SELECT held FROM game WHERE state = 'Q1 2031'", "state, which does not hold 'Q1 2031'; game.season"),
        ("SELECT 1 FROM player AS p JOIN club AS c ON p.player_id = c.club_id", "no keys of each other"),
        ("SELECT 1 FROM player AS p JOIN club AS c ON p.name = c.title", "no keys of each other"),
        ("SELECT name FROM player AS a JOIN player AS b ON a.coach_id = b.player_id", "does not say whose name"),
        ("SELECT club_id FROM player AS p LEFT JOIN club AS c ON p.club_id = c.club_id", "does not say whose club_id"),
        ("SELECT hall FROM hall WHERE built = 2", "hall, which does not exist; hall.code was taken"),
    ],
)
def test_what_may_be_wrong_is_told_as_a_guess(club: Prepared, draft: str, sentence: str) -> None:
    assert sentence in " ".join(mend(draft, club).guesses)


def test_keys_that_no_file_declares_are_still_of_different_things(tmp_path: Path) -> None:
    (tmp_path / "firms.csv").write_text("id,title,founder_id\n1,Arco,3\n2,Bolt,1\n")
    (tmp_path / "persons.csv").write_text("id,name,firm_id\n1,Ann,2\n2,Bea,1\n3,Cem,1\n")
    (source,) = open_sources([tmp_path])
    prepared = prepare(source, tmp_path / "values")
    founders = "SELECT name FROM firms AS f JOIN persons AS p ON f.founder_id = p.id"
    assert mend(founders, prepared) == Mended(founders)
    mixed = mend("SELECT name FROM firms AS f JOIN persons AS p ON f.id = p.id WHERE title = 'Bolt'", prepared)
    assert (source.execute(mixed.sql).rows, len(mixed.guesses)) == ((("Ann",),), 1)
    prepared.close()
    source.close()


def test_the_form_of_a_date_in_double_quotes_is_no_column(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "probes.sqlite")
    connection.execute("CREATE TABLE probe (y REAL, taken TEXT)")
    connection.execute("INSERT INTO probe VALUES (2.5, '2031-04-01')")
    connection.commit()
    connection.close()
    (source,) = open_sources([tmp_path / "probes.sqlite"])
    prepared = prepare(source, tmp_path / "values")
    assert rows(prepared, 'SELECT strftime("%Y", taken), y FROM probe') == [("2031", 2.5)]
    prepared.close()
    source.close()


def test_a_text_that_came_after_the_index_was_made_stays(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "guests.sqlite")
    names = [f"{chr(65 + n)}dalbert" for n in range(26)]
    connection.execute("CREATE TABLE guest (name TEXT, host TEXT)")
    connection.executemany("INSERT INTO guest VALUES (?, 'Nadal')", [(name,) for name in names])
    connection.commit()
    (source,) = open_sources([tmp_path / "guests.sqlite"])
    prepared = prepare(source, tmp_path / "values")
    for name in ("Kdalbart", "Nadal"):
        connection.execute("UPDATE guest SET name = ? WHERE name = 'Kdalbert'", (name,))
        connection.commit()
        query = f"SELECT COUNT(*) FROM guest WHERE name = '{name}'"
        assert mend(query, prepared) == Mended(query)
        connection.execute("UPDATE guest SET name = 'Kdalbert' WHERE name = ?", (name,))
    connection.close()
    prepared.close()
    source.close()


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
        ("How many orders not in 2025?", "placed NOT LIKE '2025%'", 2),
        ("How many orders did Jane place in 2025?", "placed = '2025-01-01'", 4),
        ("How many orders of the market in 2025?", "placed = '2025-01-01'", 4),
        ("How many orders in March 2025?", "placed = '2025-03-01'", 2),
        ("How many orders in Dec. 2025?", "placed = '2025-12-01'", 1),
        ("How many orders in March 2025?", "placed LIKE '2025-03-%'", 2),
        ("How many orders in December 2025?", "placed = '2025-12-01'", 1),
        ("How many orders on 1 March 2025?", "placed = '2025-03-01'", 1),
        ("How many orders on 2025-03-01?", "placed = '2025-03-01'", 1),
        ("How many orders on March 31st, 2025?", "placed = '2025-03-31'", 1),
        ("How many orders on new year's day?", "placed = '2025-01-01'", 1),
        ("How many orders on New Year's Day 2025?", "placed = '2025-01-01'", 1),
        ("How many orders on the last day of March 2025?", "placed = '2025-03-31'", 1),
        ("How many orders on the first of March 2025?", "placed = '2025-03-01'", 1),
        ("How many orders at the end of March 2025?", "placed = '2025-03-31'", 1),
        ("How many orders at the end of 2025?", "placed = '2025-12-31'", 1),
        ("How many orders at the start of 2025?", "placed = '2025-01-01'", 1),
        ("How many orders at year-end 2025?", "placed = '2025-12-31'", 1),
        ("How many orders on Christmas 2025?", "placed = '2025-12-25'", 0),
        ("How many orders in the first quarter of 2025?", "placed = '2025-01-01'", 1),
        ("How many orders in 2025-03?", "placed = '2025-03-01'", 2),
        ("How many orders in 3/2025?", "placed = '2025-03-01'", 2),
        ("How many orders on 01/03/2025?", "placed = '2025-03-01'", 1),
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
