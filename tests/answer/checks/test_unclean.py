"""Values that are not clean: what a query makes of them is told where its result is wrong because of it."""

from __future__ import annotations

import pytest

from tests.answer.checks.conftest import Data, MakeData


@pytest.fixture
def quays(sqlite: MakeData) -> Data:
    return sqlite(
        "CREATE TABLE quay (quay_id INTEGER PRIMARY KEY, town TEXT, built TEXT, depth TEXT, tons INTEGER, paid TEXT);"
        "INSERT INTO quay VALUES (1, 'Vik', '2024-01-05', '7', 9, '01/02/2024'), (2, 'VIK', '05/13/2024', 'n/a', 11, "
        "'03/04/2024'), (3, 'Os', '2024-03-02', '12', '', '05/06/2024'), (4, ' Vik', '2024-03-02', '9', 30, "
        "'05/07/2024'), (5, 'Os', '2024-03-02', '8', 4, '05/08/2024'), (6, 'Nes', NULL, '10', 5, NULL);"
    )


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT town, count(*) FROM quay GROUP BY town",
        "SELECT town, sum(tons) FROM quay WHERE quay_id < 3 GROUP BY 1",
        "SELECT count(DISTINCT town) FROM quay",
        "SELECT DISTINCT town FROM quay",
        "SELECT lower(town), count(*) FROM quay GROUP BY lower(town)",
        "SELECT count(*) FROM quay AS a JOIN quay AS b ON a.town = b.town",
        "WITH t AS (SELECT town AS place FROM quay) SELECT place, count(*) FROM t GROUP BY place",
    ],
)
def test_spellings_of_one_value_that_are_taken_apart_are_a_warning(quays: Data, sql: str) -> None:
    check = quays.judge(sql)["spellings_apart"]
    assert check.outcome == "warned"
    assert "quay.town" in check.message and "'Vik'" in check.message
    assert "' Vik'" in check.message or "quay_id < 3" in sql or "lower(" in sql


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT lower(trim(town)), count(*) FROM quay GROUP BY lower(trim(town))",
        "SELECT town, count(*) FROM quay WHERE town = 'Vik' GROUP BY town",
        "SELECT town, count(*) FROM quay WHERE quay_id > 4 GROUP BY town",
        "SELECT quay_id, town FROM quay GROUP BY quay_id, town",
        "SELECT DISTINCT town, quay_id FROM quay",
        "SELECT t, count(*) FROM (SELECT lower(trim(town)) AS t FROM quay) AS q GROUP BY t",
        "SELECT built, count(*) FROM quay GROUP BY quay_id",
        "SELECT town FROM quay",
    ],
)
def test_spellings_that_are_not_taken_apart_are_let_be(quays: Data, sql: str) -> None:
    checks = quays.judge(sql)
    assert "spellings_apart" not in checks or checks["spellings_apart"].outcome == "passed"


@pytest.mark.parametrize(
    "condition",
    ["town = 'Vik'", "town <> 'Vik'", "town IN ('Vik', 'Os')", "town = 'Vik' OR town = 'VIK'", "lower(town) = 'vik'"],
)
def test_a_condition_that_takes_some_spellings_only_is_to_be_mended(quays: Data, condition: str) -> None:
    check = quays.judge(f"SELECT count(*) FROM quay WHERE {condition}")["spelling_left_out"]
    assert check.outcome == "failed"
    assert "compare LOWER(TRIM(town)) with 'vik'" in check.message


@pytest.mark.parametrize(
    "condition",
    [
        "lower(trim(town)) = 'vik'",
        "town IN ('Vik', ' Vik', 'VIK')",
        "town <> 'Vik' AND town NOT IN ('VIK', ' Vik')",
        "town <> 'Vik' AND town NOT LIKE 'VIK' AND NOT town LIKE ' Vik'",
        "town LIKE '%vik'",
        "town = 'Os'",
        "town = 'Nowhere'",
    ],
)
def test_a_condition_that_takes_all_spellings_or_none_is_let_be(quays: Data, condition: str) -> None:
    checks = quays.judge(f"SELECT count(*) FROM quay WHERE {condition}")
    assert "spelling_left_out" not in checks or checks["spelling_left_out"].outcome == "passed"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT max(built) FROM quay",
        "SELECT town, max(built) OVER () FROM quay",
        "SELECT min(b) FROM (SELECT built AS b FROM quay) AS q",
        "SELECT town FROM quay ORDER BY built DESC LIMIT 1",
        "SELECT count(*) FROM quay WHERE built BETWEEN '2024-01-01' AND '2024-12-31'",
        "SELECT count(*) FROM quay WHERE built >= '2024-02-01'",
        "SELECT strftime('%m', built) FROM quay",
        "SELECT max(paid) FROM quay",
    ],
)
def test_dates_in_several_forms_that_are_ordered_as_text_are_a_veto(quays: Data, sql: str) -> None:
    check = quays.judge(sql)["unsorted_dates"]
    assert check.outcome == "failed"
    assert "dates as text" in check.message


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT built, count(*) FROM quay GROUP BY built",
        "SELECT count(*) FROM quay WHERE built = '2024-05-13'",
        "SELECT count(*) FROM quay WHERE built LIKE '2024%'",
        "SELECT count(DISTINCT substr(built, 1, 4)) FROM quay",
    ],
)
def test_dates_in_several_forms_that_are_compared_as_text_are_a_warning(quays: Data, sql: str) -> None:
    assert quays.judge(sql)["unsorted_dates"].outcome == "warned"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT built FROM quay WHERE built IS NOT NULL",
        "SELECT count(built) FROM quay",
        "SELECT count(*) FROM quay WHERE paid = '01/02/2024'",
        "SELECT max(CASE WHEN built LIKE '%/%' THEN substr(built, 7) || '-' || substr(built, 1, 2) ELSE built END) "
        "FROM quay",
    ],
)
def test_dates_that_are_shown_counted_or_told_apart_are_let_be(quays: Data, sql: str) -> None:
    assert "unsorted_dates" not in quays.judge(sql)


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("SELECT avg(CAST(depth AS REAL)) FROM quay", "'n/a'"),
        ("SELECT min(CAST(depth AS REAL)) FROM quay", "'n/a'"),
        ("SELECT avg(tons) FROM quay", "''"),
        ("SELECT avg(t) FROM (SELECT tons AS t FROM quay) AS q", "''"),
        ("SELECT max(tons) FROM quay", "''"),
        ("SELECT town FROM quay ORDER BY tons DESC LIMIT 1", "''"),
        ("SELECT count(*) FROM quay WHERE tons > 10", "''"),
        ("SELECT count(*) FROM quay WHERE 10 <= tons", "''"),
    ],
)
def test_text_that_counts_as_a_number_is_a_warning(quays: Data, sql: str, text: str) -> None:
    check = quays.judge(sql)["text_among_numbers"]
    assert check.outcome == "warned"
    assert text in check.message


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT avg(CAST(depth AS REAL)) FROM quay WHERE depth <> 'n/a'",
        "SELECT sum(CAST(depth AS REAL)) FROM quay",
        "SELECT min(tons) FROM quay",
        "SELECT count(*) FROM quay WHERE tons < 10",
        "SELECT depth FROM quay",
    ],
)
def test_text_that_is_left_out_or_adds_nothing_is_let_be(quays: Data, sql: str) -> None:
    checks = quays.judge(sql)
    assert "text_among_numbers" not in checks or checks["text_among_numbers"].outcome == "passed"


def test_clean_values_have_nothing_to_be_checked(sqlite: MakeData) -> None:
    data = sqlite(
        "CREATE TABLE t (w TEXT, d TEXT, n INTEGER); INSERT INTO t VALUES ('a', '2024-01-02', 1), ('b', NULL, 2)"
    )
    checks = data.judge("SELECT w, max(d), avg(n) FROM t WHERE w = 'a' GROUP BY w ORDER BY max(n) DESC")
    assert not {"spellings_apart", "spelling_left_out", "unsorted_dates", "text_among_numbers"} & checks.keys()
    assert data.probes == []
