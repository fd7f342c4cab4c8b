from __future__ import annotations

import pytest

from querist.sources.base import Limits
from tests.answer.checks.conftest import Data, MakeData


@pytest.fixture
def boats(sqlite: MakeData) -> Data:
    return sqlite(
        """
        CREATE TABLE boat (id INTEGER PRIMARY KEY, name TEXT, length REAL, crew INTEGER, sunk_on TEXT);
        INSERT INTO boat VALUES
            (1, 'Alba', 9.5, 4, NULL), (2, 'Brisa', 12.0, 4, NULL), (3, 'Cormorant', 12.0, 2, NULL),
            (4, 'Dipper', 7.2, NULL, NULL), (5, 'Eider', 12.0, 1, NULL), (6, 'Fulmar', 6.0, 3, NULL);
        """
    )


def test_no_rows_are_a_warning(boats: Data) -> None:
    assert boats.judge("SELECT name FROM boat WHERE length > 50")["empty_result"].outcome == "warned"
    assert boats.judge("SELECT name FROM boat WHERE length > 10")["empty_result"].outcome == "passed"


def test_a_computed_null_is_vetoed(boats: Data) -> None:
    assert boats.judge("SELECT max(length) FROM boat WHERE crew > 99")["all_null"].outcome == "failed"
    assert boats.judge("SELECT max(length) FROM boat WHERE crew > 3")["all_null"].outcome == "passed"


def test_a_stored_null_may_be_the_answer(boats: Data) -> None:
    assert boats.judge("SELECT sunk_on FROM boat WHERE name = 'Alba'")["all_null"].outcome == "warned"


def test_a_cut_result_says_so(boats: Data) -> None:
    cut = boats.judge("SELECT name FROM boat", limits=Limits(rows=2))["truncated"]
    assert cut.outcome == "warned"
    assert "2 rows" in cut.message
    assert boats.judge("SELECT name FROM boat")["truncated"].outcome == "passed"


def test_a_top_cut_between_equals_says_how_many_tie(boats: Data) -> None:
    tie = boats.judge("SELECT name FROM boat ORDER BY length DESC LIMIT 1")["top_k_ties"]
    assert tie.outcome == "warned"
    assert "3 rows share first place (12.0), but only 1 of them" in tie.message


def test_a_tie_before_the_end_of_the_top_is_told_with_its_place(boats: Data) -> None:
    tie = boats.judge("SELECT name, length AS metres FROM boat WHERE crew >= 1 ORDER BY crew DESC, metres LIMIT 4")
    assert tie["top_k_ties"].outcome == "passed"
    tie = boats.judge("SELECT name FROM boat WHERE id <> 1 ORDER BY length DESC LIMIT 2")
    assert "but only 2 of them fit into LIMIT 2" in tie["top_k_ties"].message


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT name FROM boat ORDER BY length LIMIT 1",
        "SELECT name FROM boat ORDER BY length DESC LIMIT 3",
        "SELECT name FROM boat ORDER BY 1 LIMIT 2",
        "SELECT max(length) AS longest FROM boat GROUP BY crew > 2 ORDER BY longest DESC LIMIT 1 OFFSET 1",
    ],
)
def test_a_clear_top_passes(boats: Data, sql: str) -> None:
    assert boats.judge(sql)["top_k_ties"].outcome == "passed"


def test_a_tie_that_shows_the_same_either_way_passes(boats: Data) -> None:
    assert boats.judge("SELECT length FROM boat ORDER BY length DESC LIMIT 1")["top_k_ties"].outcome == "passed"


def test_ties_of_groups_are_seen(boats: Data) -> None:
    tie = boats.judge("SELECT crew, count(*) FROM boat WHERE crew < 4 GROUP BY crew ORDER BY count(*) DESC LIMIT 1")
    assert tie["top_k_ties"].outcome == "warned"


def test_a_top_that_begins_with_null_is_to_be_mended(boats: Data) -> None:
    found = boats.judge("SELECT name FROM boat ORDER BY crew LIMIT 1")["null_on_top"]
    assert found.outcome == "failed"
    assert "crew IS NOT NULL" in found.message
    kept = boats.judge("SELECT name FROM boat WHERE crew IS NOT NULL ORDER BY crew LIMIT 1")
    assert kept["null_on_top"].outcome == "passed"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT name FROM boat WHERE crew = (SELECT crew FROM boat WHERE crew < 4 "
        "GROUP BY crew ORDER BY count(*) DESC LIMIT 1)",
        "SELECT name FROM boat WHERE id IN (SELECT id FROM boat ORDER BY length DESC LIMIT 2)",
        "WITH longest AS (SELECT * FROM boat ORDER BY length DESC LIMIT 1) SELECT avg(crew) FROM longest",
        "SELECT name FROM (SELECT name FROM boat ORDER BY length DESC LIMIT 1) UNION ALL SELECT 'Zander'",
    ],
)
def test_a_tie_inside_a_query_is_told(boats: Data, sql: str) -> None:
    assert boats.judge(sql)["top_k_ties"].outcome == "warned"


@pytest.mark.parametrize(("limit", "outcome"), [("crew LIMIT 1", "passed"), ("crew DESC LIMIT 1", "warned")])
def test_a_top_of_a_common_table_expression_is_probed_with_those_before_it(
    boats: Data, limit: str, outcome: str
) -> None:
    sql = (
        "WITH manned AS (SELECT * FROM boat WHERE crew > 0), "
        f"top AS (SELECT name FROM manned ORDER BY {limit}) SELECT name FROM top"
    )
    found = boats.judge(sql)
    assert found["top_k_ties"].outcome == outcome
    assert not any("could not be finished" in check.message or "broke off" in check.message for check in found.values())


def test_nothing_to_sort_by_on_top_inside_a_query_is_to_be_mended(boats: Data) -> None:
    sql = "SELECT name FROM boat WHERE id = (SELECT id FROM boat ORDER BY crew LIMIT 1)"
    assert boats.judge(sql)["null_on_top"].outcome == "failed"


@pytest.mark.parametrize("limit", ["ORDER BY length", "ORDER BY length LIMIT -1 OFFSET 1", "LIMIT -1 OFFSET 1"])
def test_a_query_without_a_top_is_not_probed(boats: Data, limit: str) -> None:
    boats.judge(f"SELECT name FROM boat {limit}")
    assert boats.probes == []


def test_a_top_is_read_in_the_words_of_other_engines_too(duck: MakeData) -> None:
    data = duck("CREATE TABLE t (a INTEGER, b INTEGER); INSERT INTO t VALUES (1, 5), (2, 5), (3, 4)")
    assert data.judge("SELECT a FROM t ORDER BY b DESC FETCH FIRST 1 ROW ONLY")["top_k_ties"].outcome == "warned"


@pytest.mark.parametrize(
    ("sql", "outcome"),
    [
        ("SELECT name, max(length) FROM boat", "warned"),
        ("SELECT crew > 2, name, max(length) FROM boat WHERE crew > 0 GROUP BY crew > 2", "warned"),
        ("SELECT name, min(length) FROM boat", "passed"),
        ("SELECT crew, name, min(length) FROM boat GROUP BY crew", "passed"),
        ("SELECT crew, max(length) FROM boat GROUP BY crew", None),
        ("SELECT max(length) FROM boat", None),
    ],
)
def test_the_row_of_a_maximum_that_others_share_is_told(boats: Data, sql: str, outcome: str | None) -> None:
    found = boats.judge(sql).get("top_k_ties")
    assert (found.outcome if found else None) == outcome


@pytest.mark.parametrize(
    ("sql", "question", "outcome"),
    [
        ("SELECT name FROM boat LIMIT 1", "Which boat is the longest?", "failed"),
        ("SELECT name FROM boat LIMIT 3", "What are the top 3 boats?", "failed"),
        (
            "SELECT name FROM boat WHERE crew = (SELECT crew FROM boat LIMIT 1)",
            "Boats with the crew of Alba?",
            "failed",
        ),
        ("SELECT name FROM boat LIMIT 3", "Show me three boats", None),
        ("SELECT name FROM boat WHERE id = 2 LIMIT 1", "Which boat is number 2?", "passed"),
        ("SELECT name FROM boat WHERE EXISTS (SELECT 1 FROM boat LIMIT 1)", "Which boats are there?", None),
    ],
)
def test_a_limit_that_takes_any_rows_is_to_be_mended(boats: Data, sql: str, question: str, outcome: str | None) -> None:
    found = boats.judge(sql, question).get("any_rows")
    assert (found.outcome if found else None) == outcome
