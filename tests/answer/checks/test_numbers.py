from __future__ import annotations

from dataclasses import replace

import pytest

from querist.answer.checks import run_checks
from tests.answer.checks.conftest import Data, MakeData


@pytest.fixture
def races(sqlite: MakeData) -> Data:
    return sqlite(
        """
        CREATE TABLE race (
            id INTEGER PRIMARY KEY, place TEXT, starters INTEGER, finishers INTEGER, laps INTEGER, record TEXT,
            bib TEXT, prize TEXT, day TEXT, iso TEXT, dropout_pct REAL, metres REAL
        );
        INSERT INTO race VALUES
            (1, 'Aarhus', 40, 30, 4, '9', '101', '1,200', '03/04/2022', '2022-04-03', 25.0, 9000),
            (2, 'Bergen', 25, 20, 0, '10', '220', '3,500', '21/05/2022', '2022-05-21', 20.0, 12000.5),
            (3, 'Aarhus', 31, 30, 5, '105', '300', '12,000', '14/01/2023', '2023-01-14', 3.2, 10000);
        CREATE TABLE entry (id INTEGER PRIMARY KEY, fee DECIMAL(8, 2));
        INSERT INTO entry VALUES (1, 20), (2, 15);
        """
    )


@pytest.mark.parametrize("value", ["sum(place)", "avg(day)", "sum(prize)", "sum(CAST(prize AS INTEGER))"])
def test_adding_up_text_is_vetoed(races: Data, value: str) -> None:
    assert races.judge(f"SELECT {value} FROM race")["non_numeric_aggregate"].outcome == "failed"


@pytest.mark.parametrize("value", ["sum(starters)", "avg(record)", "sum(CAST(record AS REAL))", "sum(length(place))"])
def test_adding_up_numbers_passes(races: Data, value: str) -> None:
    assert races.judge(f"SELECT {value} FROM race")["non_numeric_aggregate"].outcome == "passed"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT max(record) FROM race",
        "SELECT place FROM race ORDER BY record DESC",
        "SELECT place FROM race WHERE record > 50",
        "SELECT place FROM race WHERE record BETWEEN '9' AND '20'",
        "SELECT record AS best FROM race ORDER BY best",
    ],
)
def test_ordering_numbers_kept_as_text_is_a_warning(races: Data, sql: str) -> None:
    found = races.judge(sql)["number_as_text"]
    assert found.outcome == "warned"
    assert "CAST(record AS REAL)" in found.message


def test_numbers_as_text_of_the_same_width_sort_right(races: Data) -> None:
    assert races.judge("SELECT max(bib) FROM race")["number_as_text"].outcome == "passed"


@pytest.mark.parametrize(
    "sql",
    ["SELECT max(CAST(record AS REAL)) FROM race", "SELECT max(starters) FROM race", "SELECT max(place) FROM race"],
)
def test_ordering_other_columns_is_let_be(races: Data, sql: str) -> None:
    assert "number_as_text" not in races.judge(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT max(day) FROM race",
        "SELECT place FROM race ORDER BY day",
        "SELECT place FROM race WHERE day > '01/06/2022'",
        "SELECT strftime('%Y', day) FROM race",
        "SELECT julianday(day) FROM race",
    ],
)
def test_dates_as_text_that_do_not_sort_are_a_warning(races: Data, sql: str) -> None:
    found = races.judge(sql)["date_as_text"]
    assert found.outcome == "warned"
    assert "race.day holds dates as text like" in found.message


def test_dates_as_text_that_sort_pass(races: Data) -> None:
    assert races.judge("SELECT max(iso), strftime('%Y', max(iso)) FROM race")["date_as_text"].outcome == "passed"


@pytest.mark.parametrize(
    "value",
    [
        "finishers / starters",
        "sum(finishers) * 100 / sum(starters)",
        "count(*) / count(DISTINCT place)",
        "avg(finishers / starters)",
    ],
)
def test_a_division_that_drops_the_fraction_is_to_be_mended(races: Data, value: str) -> None:
    found = races.judge(f"SELECT {value} FROM race")["integer_division"]
    assert found.outcome == "failed"
    assert "multiply one side by 1.0" in found.message


@pytest.mark.parametrize(
    ("condition", "outcome"),
    [
        ("strftime('%Y', iso) = 2022", "failed"),
        ("2021 < strftime('%Y', iso)", "failed"),
        ("substr(iso, 1, 4) IN (2022, 2023)", "failed"),
        ("(strftime('%m', iso)) BETWEEN 1 AND 6", "failed"),
        ("strftime('%Y', iso) = '2022'", "passed"),
        ("CAST(strftime('%Y', iso) AS INTEGER) > 2021", None),
        ("starters > 20", None),
    ],
)
def test_text_that_is_compared_with_a_number_is_vetoed(races: Data, condition: str, outcome: str | None) -> None:
    found = races.judge(f"SELECT count(*) FROM race WHERE {condition}").get("text_against_number")
    assert (found.outcome if found else None) == outcome


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        ("count(CASE WHEN laps > 4 THEN 1 ELSE 0 END)", "failed"),
        ("count(iif(laps > 4, 1, 0))", "failed"),
        ("count(laps > 4)", "failed"),
        ("count(CASE WHEN laps > 4 THEN 1 END)", "passed"),
        ("count(CASE WHEN laps > 4 THEN 1 ELSE NULL END)", "passed"),
        ("count(DISTINCT place)", "passed"),
        ("sum(CASE WHEN laps > 4 THEN 1 ELSE 0 END)", None),
    ],
)
def test_a_count_of_what_need_not_hold_is_vetoed(races: Data, value: str, outcome: str | None) -> None:
    found = races.judge(f"SELECT {value} FROM race").get("condition_counted")
    assert (found.outcome if found else None) == outcome


SHARE = "(SELECT count(*) FROM race WHERE laps > 4) * 100 / (SELECT count(*) FROM race)"


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT {SHARE}",
        f"SELECT place FROM race WHERE {SHARE} > 40",
        "WITH a AS (SELECT count(*) AS n FROM race WHERE laps > 4), b AS (SELECT count(*) AS n FROM race) "
        "SELECT a.n * 100 / b.n FROM a, b",
        "SELECT place, n / k FROM (SELECT place, sum(finishers) AS n, max(starters) AS k FROM race GROUP BY place)",
        "SELECT place FROM race ORDER BY finishers / starters DESC LIMIT 1",
        "SELECT place, sum(finishers) AS n FROM race GROUP BY place ORDER BY n / max(starters) DESC",
        "SELECT place FROM race WHERE finishers / starters > 0.7",
        "SELECT place FROM race GROUP BY place HAVING sum(finishers) / sum(starters) >= 0.8",
        "SELECT place, count(*) * 100 / sum(count(*)) OVER () FROM race GROUP BY place",
        "SELECT finishers / nullif(laps, 0) FROM race",
        "SELECT coalesce(sum(finishers), 0) / count(*) FROM race",
        "SELECT sum(place = 'Aarhus') * 100 / count(*) FROM race",
        "SELECT (SELECT min(fee) FROM entry) / (SELECT count(*) FROM entry)",
    ],
)
def test_a_dropped_fraction_is_found_wherever_the_integers_come_from(races: Data, sql: str) -> None:
    assert races.judge(sql)["integer_division"].outcome == "failed"


@pytest.mark.parametrize("value", ["finishers / 10", "sum(finishers) / 4", "metres / 4", "sum(metres) / 2"])
def test_a_division_that_comes_out_even_passes(races: Data, value: str) -> None:
    assert races.judge(f"SELECT {value} FROM race")["integer_division"].outcome == "passed"


@pytest.mark.parametrize(
    "value", ["finishers * 1.0 / starters", "avg(laps) / 7", "starters / 10 * 10", "CAST(starters / 7 AS INTEGER)"]
)
def test_a_division_that_keeps_or_means_to_drop_the_fraction_is_let_be(races: Data, value: str) -> None:
    assert "integer_division" not in races.judge(f"SELECT {value} FROM race")


@pytest.mark.parametrize("sql", ["SELECT COUNT() FROM t", "WITH t AS (SELECT a FROM t) SELECT max(a) / 2 FROM t"])
def test_what_only_other_engines_allow_breaks_no_check(duck: MakeData, sql: str) -> None:
    found = duck("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1)").judge(sql)
    assert {check.outcome for check in found.values()} == {"passed"}


@pytest.mark.parametrize(("dialect", "outcome"), [("postgres", "failed"), ("duckdb", None)])
def test_whether_a_division_drops_the_fraction_depends_on_the_engine(
    duck: MakeData, dialect: str, outcome: str | None
) -> None:
    case = duck("CREATE TABLE t (a INTEGER, b INTEGER); INSERT INTO t VALUES (1, 2)").case("SELECT a / b FROM t")
    found = run_checks(replace(case, schema=replace(case.schema, dialect=dialect)))
    assert next((check.outcome for check in found if check.name == "integer_division"), None) == outcome


def test_a_divisor_that_is_zero_is_a_warning_where_the_engine_gives_null(races: Data) -> None:
    assert races.judge("SELECT metres / laps FROM race")["division_by_zero"].outcome == "warned"
    assert races.judge("SELECT metres / laps FROM race WHERE laps > 0")["division_by_zero"].outcome == "passed"
    assert "division_by_zero" not in races.judge("SELECT metres / nullif(laps, 0) FROM race")


def test_a_divisor_that_is_zero_is_to_be_mended_where_the_engine_gives_infinity(duck: MakeData) -> None:
    data = duck("CREATE TABLE t (g TEXT, a DOUBLE, b DOUBLE); INSERT INTO t VALUES ('x', 1, 0), ('y', 1, 2)")
    assert data.judge("SELECT avg(a / b) FROM t")["division_by_zero"].outcome == "failed"
    assert data.judge("SELECT g, sum(a) / sum(b) FROM t GROUP BY g")["division_by_zero"].outcome == "failed"
    assert data.judge("SELECT sum(a) / sum(b) FROM t")["division_by_zero"].outcome == "passed"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT avg(dropout_pct) FROM race",
        "SELECT avg(m) FROM (SELECT place, avg(metres) AS m FROM race GROUP BY place) AS s",
        "WITH s AS (SELECT round(sum(finishers) * 1.0 / sum(starters), 2) AS r FROM race GROUP BY place) "
        "SELECT avg(r) FROM s",
    ],
)
def test_an_average_of_averages_is_a_warning(races: Data, sql: str) -> None:
    assert races.judge(sql, "What share gave up?")["average_of_averages"].outcome == "warned"


@pytest.mark.parametrize(
    ("sql", "question"),
    [
        ("SELECT avg(dropout_pct) FROM race", "What is the average dropout percentage?"),
        (
            "SELECT avg(n) FROM (SELECT place, count(*) AS n FROM race GROUP BY place) AS s",
            "How many races has a place?",
        ),
        (
            "SELECT avg(m) FROM (SELECT place, avg(metres) AS m FROM race GROUP BY place) AS s",
            "The mean of the average metres",
        ),
        ("SELECT avg(metres) FROM race", "How long is a race?"),
    ],
)
def test_an_average_of_plain_figures_or_one_that_was_asked_for_passes(races: Data, sql: str, question: str) -> None:
    assert races.judge(sql, question)["average_of_averages"].outcome == "passed"
