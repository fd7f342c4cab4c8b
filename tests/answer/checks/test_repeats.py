from __future__ import annotations

import pytest

from querist.answer.answer import Check
from tests.answer.checks.conftest import Data, MakeData

MILL = """
    CREATE TABLE grower (id INTEGER PRIMARY KEY, name TEXT, valley TEXT, debt INTEGER);
    CREATE TABLE delivery (
        id INTEGER PRIMARY KEY, grower_id INTEGER REFERENCES grower (id), crop TEXT, kilos INTEGER, freight INTEGER
    );
    CREATE TABLE sample (id INTEGER PRIMARY KEY, delivery_id INTEGER REFERENCES delivery (id), moisture REAL);
    INSERT INTO grower VALUES
        (1, 'Aino', 'North', 100), (2, 'Bela', 'North', 200), (3, 'Cato', 'South', 50), (4, 'Bela', 'South', 70);
    INSERT INTO delivery VALUES
        (1, 1, 'rye', 300, 10), (2, 1, 'oats', 200, 20), (3, 2, 'rye', 500, 30), (4, 3, 'rye', 100, 5);
    INSERT INTO sample VALUES (1, 1, 13.5), (2, 1, 13.9), (3, 3, 12.0);
"""


@pytest.fixture
def mill(sqlite: MakeData) -> Data:
    return sqlite(MILL)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT sum(g.debt) FROM grower g JOIN delivery d ON d.grower_id = g.id", "same row of grower up to 2 times"),
        ("SELECT avg(debt) FROM grower g, delivery d WHERE d.grower_id = g.id", "every matching row of delivery"),
        ("SELECT g.name, sum(g.debt) FROM grower g JOIN delivery d ON d.grower_id = g.id GROUP BY g.id", "grower"),
        ("SELECT sum(d.freight) FROM delivery d LEFT JOIN sample s ON s.delivery_id = d.id", "row of sample"),
        (
            "SELECT g.name, count(d.id) FROM grower g JOIN delivery d ON d.grower_id = g.id "
            "JOIN sample s ON s.delivery_id = d.id GROUP BY g.id",
            "same row of delivery up to 2 times",
        ),
    ],
)
def test_a_total_over_repeated_rows_is_a_warning(mill: Data, sql: str, said: str) -> None:
    found = mill.judge(sql)["fan_out"]
    assert found.outcome == "warned"
    assert said in found.message


def test_counting_joined_rows_for_the_number_of_the_one_side_is_a_warning(mill: Data) -> None:
    sql = "SELECT count(*) FROM grower g JOIN delivery d ON d.grower_id = g.id WHERE d.kilos > 100"
    for question in ("How many growers delivered more than 100 kilos?", "Number of growers with more than 100 kilos"):
        assert mill.judge(sql, question)["fan_out"].outcome == "warned"
    by_valley = f"{sql} GROUP BY g.valley"
    assert "fan_out" not in mill.judge(by_valley, "How many came for each grower's valley?")
    passed = mill.judge(sql, "How many deliveries of growers have more than 100 kilos?")["fan_out"]
    assert passed.outcome == "passed"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT sum(d.kilos) FROM grower g JOIN delivery d ON d.grower_id = g.id",
        "SELECT g.valley, count(d.id) FROM grower g LEFT JOIN delivery d ON d.grower_id = g.id GROUP BY g.valley",
        "SELECT sum(g.debt) FROM grower g JOIN delivery d ON d.grower_id = g.id WHERE d.id = 3",
        "SELECT sum(g.debt) FROM grower g JOIN delivery d ON d.grower_id = g.id WHERE d.kilos > 250",
        "SELECT crop, sum(g.debt) FROM grower g JOIN delivery d ON d.grower_id = g.id GROUP BY crop",
    ],
)
def test_a_total_of_rows_that_come_once_passes(mill: Data, sql: str) -> None:
    assert mill.judge(sql)["fan_out"].outcome == "passed"


def test_a_part_of_a_key_does_not_tell_rows_apart(sqlite: MakeData) -> None:
    mill = sqlite(
        f"""{MILL}
        CREATE TABLE tariff (crop TEXT, year INTEGER, fee INTEGER, PRIMARY KEY (crop, year));
        INSERT INTO tariff VALUES ('rye', 2030, 5), ('rye', 2031, 6), ('oats', 2031, 7);
        """
    )
    sql = "SELECT sum(d.kilos) FROM delivery d JOIN tariff t ON t.crop = d.crop"
    assert mill.judge(sql)["fan_out"].outcome == "warned"
    assert mill.judge(f"{sql} AND t.year = 2031")["fan_out"].outcome == "passed"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(DISTINCT g.id) FROM grower g JOIN delivery d ON d.grower_id = g.id",
        "SELECT max(g.debt) FROM grower g JOIN delivery d ON d.grower_id = g.id",
        "SELECT g.name, count(g.id) FROM grower g JOIN delivery d ON d.grower_id = g.id GROUP BY g.id",
        "SELECT g.id, avg(g.debt) FROM grower g JOIN delivery d ON d.grower_id = g.id GROUP BY g.id",
        "SELECT sum(debt) FROM grower",
    ],
)
def test_an_aggregate_that_repeats_do_not_touch_is_let_be(mill: Data, sql: str) -> None:
    assert "fan_out" not in mill.judge(sql)


BILLS = """
    CREATE TABLE bill (id INTEGER PRIMARY KEY, payer TEXT, amount INTEGER, price INTEGER);
    CREATE TABLE item (id INTEGER PRIMARY KEY, bill_id INTEGER REFERENCES bill (id), thing TEXT);
    INSERT INTO bill VALUES (1, 'Uma', 100, 100), (2, 'Vic', 50, 50), (3, 'Wes', 20, 20);
    INSERT INTO item VALUES (1, 1, 'rope'), (2, 1, 'sail'), (3, 1, 'buoy'), (4, 2, 'rope');
"""


@pytest.mark.parametrize("figure", ["amount", "price"])
def test_the_amount_of_a_bill_does_not_count_anew_for_each_item(sqlite: MakeData, figure: str) -> None:
    bills = sqlite(BILLS)
    sql = f"SELECT sum(b.{figure}) FROM bill b JOIN item i ON i.bill_id = b.id"
    for question in (f"What is the total {figure} of the bills that have items?", f"Total {figure} of all bills"):
        assert bills.judge(sql, question)["fan_out"].outcome == "warned"


def test_a_figure_counts_anew_for_each_event_that_is_asked_for(sqlite: MakeData) -> None:
    tolls = sqlite(
        """
        CREATE TABLE gate (id INTEGER PRIMARY KEY, weight INTEGER);
        CREATE TABLE passage (id INTEGER PRIMARY KEY, gate_id INTEGER REFERENCES gate (id));
        INSERT INTO gate VALUES (1, 3), (2, 4);
        INSERT INTO passage VALUES (1, 1), (2, 1), (3, 2);
        """
    )
    sql = "SELECT sum(weight) FROM passage JOIN gate ON passage.gate_id = gate.id"
    assert "fan_out" not in tolls.judge(sql, "What is the total weight of all passages?")
    assert tolls.judge(sql, "What is the total weight of the gates with passages?")["fan_out"].outcome == "warned"


def test_a_price_counts_anew_for_each_sale(sqlite: MakeData) -> None:
    shop = sqlite(
        """
        CREATE TABLE seed (id INTEGER PRIMARY KEY, price INTEGER);
        CREATE TABLE sale (id INTEGER PRIMARY KEY, seed_id INTEGER REFERENCES seed (id));
        INSERT INTO seed VALUES (1, 3), (2, 4);
        INSERT INTO sale VALUES (1, 1), (2, 1), (3, 2);
        """
    )
    assert "fan_out" not in shop.judge("SELECT sum(price) FROM sale JOIN seed ON sale.seed_id = seed.id")


@pytest.mark.parametrize(
    ("sql", "outcome"),
    [
        ("SELECT count(grower_id) FROM delivery", "failed"),
        ("SELECT crop, count(grower_id) FROM delivery GROUP BY crop", "passed"),
        ("SELECT count(grower_id) FROM delivery WHERE kilos > 200", "passed"),
        ("SELECT count(DISTINCT grower_id) FROM delivery", None),
    ],
)
def test_counting_references_to_things_for_the_things_is_to_be_mended(
    mill: Data, sql: str, outcome: str | None
) -> None:
    found = mill.judge(sql, "How many growers delivered something?").get("references_counted")
    assert (found.outcome if found else None) == outcome
    assert "references_counted" not in mill.judge(sql, "How many deliveries of growers are there?")


def test_the_same_thing_listed_once_for_each_match_is_a_warning(mill: Data) -> None:
    found = mill.judge("SELECT g.name FROM grower g JOIN delivery d ON d.grower_id = g.id WHERE d.kilos < 400")
    assert found["duplicate_rows"].outcome == "failed"
    assert "Some rows of grower are listed several times" in found["duplicate_rows"].message


def test_different_things_of_the_same_name_pass(mill: Data) -> None:
    sql = "SELECT g.name FROM grower g LEFT JOIN delivery d ON d.grower_id = g.id AND d.crop = 'rye'"
    assert mill.judge(sql)["duplicate_rows"].outcome == "passed"


def test_one_row_for_each_match_passes_where_it_is_asked_for(mill: Data) -> None:
    sql = "SELECT g.name FROM grower g JOIN delivery d ON d.grower_id = g.id"
    assert mill.judge(sql, "Who brought each delivery?")["duplicate_rows"].outcome == "passed"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT DISTINCT g.name FROM grower g JOIN delivery d ON d.grower_id = g.id",
        "SELECT valley FROM grower",
        "SELECT g.name, count(*) FROM grower g JOIN delivery d ON d.grower_id = g.id GROUP BY g.id",
    ],
)
def test_lists_without_repeating_joins_are_let_be(mill: Data, sql: str) -> None:
    assert "duplicate_rows" not in mill.judge(sql)


def test_a_column_that_no_group_decides_is_a_warning(mill: Data) -> None:
    found = mill.judge("SELECT name, valley, count(*) FROM grower GROUP BY valley")["ungrouped_column"]
    assert found.outcome == "warned"
    assert found.message.startswith("grower.name is neither grouped nor aggregated")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT valley, count(*) FROM grower GROUP BY valley ORDER BY debt DESC LIMIT 1",
        "SELECT valley FROM grower GROUP BY valley HAVING debt > avg(debt)",
        "SELECT g.valley, count(*) FROM grower g JOIN delivery d ON d.grower_id = g.id GROUP BY valley ORDER BY d.crop",
    ],
)
def test_a_column_that_no_group_decides_and_that_decides_itself_is_a_warning(mill: Data, sql: str) -> None:
    found = mill.judge(sql)["ungrouped_column"]
    assert found.outcome == "warned"
    assert "an arbitrary one decides" in found.message


def test_a_column_beside_a_total_of_everything_is_to_be_mended(mill: Data) -> None:
    assert mill.judge("SELECT name, sum(debt) FROM grower")["ungrouped_column"].outcome == "failed"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT name, sum(debt) FROM grower GROUP BY id",
        "SELECT g.name, sum(d.kilos) FROM grower g JOIN delivery d ON d.grower_id = g.id GROUP BY d.grower_id",
        "SELECT upper(valley), count(*) FROM grower GROUP BY upper(valley)",
        "SELECT valley AS v, count(*) FROM grower GROUP BY v",
        "SELECT valley, count(*) FROM grower GROUP BY 1",
        "SELECT valley, count(*) FROM grower WHERE valley = 'North'",
        "SELECT name, max(debt) FROM grower",
        "SELECT valley, sum(debt) AS debt FROM grower GROUP BY valley HAVING debt > 60 ORDER BY debt",
        "SELECT name, sum(debt) FROM grower GROUP BY id ORDER BY valley, lower(name)",
        "SELECT crop, freight, count(*) FROM delivery GROUP BY crop, kilos",
    ],
)
def test_a_column_that_the_groups_decide_passes(mill: Data, sql: str) -> None:
    assert mill.judge(sql)["ungrouped_column"].outcome == "passed"


def test_joins_are_judged_on_other_engines_too(duck: MakeData) -> None:
    mill = duck(MILL)
    sql = 'SELECT sum("G".debt) FROM grower AS "G" JOIN delivery d ON d.grower_id = "G".id'
    assert mill.judge(sql)["fan_out"].outcome == "warned"
    for sql in (
        "SELECT valley, count(*) FROM grower GROUP BY ROLLUP (valley)",
        "SELECT valley, count(*) FILTER (WHERE debt > 50) FROM grower GROUP BY valley",
        "SELECT valley, sum(debt) FROM grower GROUP BY ALL",
    ):
        assert mill.judge(sql).get("ungrouped_column", Check("", "passed")).outcome == "passed"


@pytest.mark.parametrize(
    ("sql", "outcome"),
    [
        ("SELECT COUNT(*) FROM a CROSS JOIN b", "failed"),
        ("SELECT COUNT(*) FROM a JOIN b ON a.id = a.n", "failed"),
        ("SELECT COUNT(*) FROM a, b WHERE a.n > 1", "failed"),
        ("SELECT COUNT(*) FROM a JOIN b ON a.id = b.a_id", "passed"),
        ("SELECT COUNT(*) FROM a, b WHERE a.id = b.a_id", "passed"),
        ("SELECT COUNT(*) FROM a JOIN b USING (id)", "passed"),
        ("SELECT COUNT(*) FROM a JOIN b ON a_id = n", "passed"),
        ("SELECT COUNT(*) FROM a CROSS JOIN (SELECT MAX(n) AS m FROM a) AS top WHERE a.n = top.m", "passed"),
        ("SELECT COUNT(*) FROM a CROSS JOIN (SELECT a_id FROM b) AS c", "failed"),
        (
            "WITH x AS (SELECT SUM(n) AS n FROM a), y AS (SELECT COUNT(*) AS n FROM b) SELECT x.n - y.n FROM x, y",
            "passed",
        ),
        ("WITH x AS (SELECT SUM(n) AS n FROM a) SELECT a.n - x.n FROM a, x", "passed"),
        ("SELECT COUNT(*) FROM a, b WHERE a.n > 1 AND b.id > 0", "warned"),
        ("SELECT COUNT(*) FROM a, b WHERE n > 1", "failed"),
        ("SELECT one.n - other.n FROM a AS one, a AS other WHERE one.id = 1 AND other.n = 6", "passed"),
        ("SELECT COUNT(*) FROM a JOIN a AS c ON c.n > 0 JOIN b ON b.a_id = a.id AND b.id = c.id", "passed"),
    ],
)
def test_tables_that_nothing_links_are_told(sqlite: MakeData, sql: str, outcome: str) -> None:
    data = sqlite(
        "CREATE TABLE a (id INTEGER PRIMARY KEY, n INTEGER); CREATE TABLE b (id INTEGER PRIMARY KEY, a_id INTEGER);"
        "INSERT INTO a VALUES (1, 5), (2, 6); INSERT INTO b VALUES (1, 1), (2, 1);"
    )
    assert data.judge(sql)["unlinked_tables"].outcome == outcome
