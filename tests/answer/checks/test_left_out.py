from __future__ import annotations

import pytest

from tests.answer.checks.conftest import Data, MakeData


@pytest.fixture
def harbour(sqlite: MakeData) -> Data:
    return sqlite(
        """
        CREATE TABLE ship (id INTEGER PRIMARY KEY, name TEXT, flag TEXT, length_m REAL, built INTEGER);
        INSERT INTO ship VALUES (1, 'Vesta', 'Norway', 80, 1999), (2, 'Corvus', 'Malta', 120, 2015);
        """
    )


@pytest.mark.parametrize(
    "question",
    [
        "Which ships are longer than 100 m?",
        "Ships of at least 100 metres",
        "Which ships are over 1,000 m or 100 m long?",
    ],
)
def test_a_number_that_the_query_forgets_is_told(harbour: Data, question: str) -> None:
    found = harbour.judge("SELECT name FROM ship", question)["number_left_out"]
    assert found.outcome == "failed"
    assert "100" in found.message or "1000" in found.message


@pytest.mark.parametrize(
    ("question", "sql"),
    [
        ("Which ships are longer than 100 m?", "SELECT name FROM ship WHERE length_m > 100"),
        ("Ships of at least 100 m", "SELECT name FROM ship WHERE length_m > 99"),
        ("Ships built in the year 2015", "SELECT name FROM ship WHERE built BETWEEN '2015-01-01' AND '2015-12-31'"),
        ("What are the three longest ships?", "SELECT name FROM ship ORDER BY length_m DESC LIMIT 3"),
        ("Ships built by 2015 at least once", "SELECT name FROM ship WHERE built > '0001-01-01' AND built <= 2015"),
        ("What share, in 100%, is from Norway?", "SELECT AVG(flag = 'Norway') FROM ship"),
    ],
)
def test_a_number_that_is_used_in_any_form_passes(harbour: Data, question: str, sql: str) -> None:
    assert harbour.judge(sql, question).get("number_left_out", None) is None or (
        harbour.judge(sql, question)["number_left_out"].outcome == "passed"
    )


def test_a_value_that_the_query_forgets_is_told(harbour: Data) -> None:
    found = harbour.judge("SELECT COUNT(*) FROM ship", "How many ships sail under the flag of Malta?")["value_left_out"]
    assert found.outcome == "failed"
    assert "'Malta' (ship.flag)" in found.message


@pytest.mark.parametrize(
    ("question", "sql"),
    [
        ("How many ships are from Malta?", "SELECT COUNT(*) FROM ship WHERE flag = 'Malta'"),
        ("How many ships are from malta?", "SELECT COUNT(*) FROM ship WHERE lower(flag) LIKE '%malta%'"),
    ],
)
def test_a_value_that_is_used_passes(harbour: Data, question: str, sql: str) -> None:
    assert harbour.judge(sql, question)["value_left_out"].outcome == "passed"


def test_a_question_that_names_nothing_is_not_judged(harbour: Data) -> None:
    assert not {"number_left_out", "value_left_out"} & set(
        harbour.judge("SELECT name FROM ship", "Which ships are there?")
    )


@pytest.mark.parametrize(
    "question",
    [
        "How many ships are there by flag?",
        "How many ships sail for each flag?",
        "Ships per flag",
        "How many ships are there for all the different flags?",
        "What is the average length per flag?",
        "What is the average length per ship flag?",
    ],
)
def test_one_figure_for_all_is_no_answer_to_a_figure_by_something(harbour: Data, question: str) -> None:
    figure = "AVG(length_m)" if "average" in question else "COUNT(*)"
    found = harbour.judge(f"SELECT {figure} FROM ship", question)["grouping_left_out"]
    assert found.outcome == "failed"
    assert "group it" in found.message


@pytest.mark.parametrize(
    ("question", "sql"),
    [
        ("How many ships are there by flag?", "SELECT flag, COUNT(*) FROM ship GROUP BY flag"),
        ("Which ships are there, sorted by flag?", "SELECT name FROM ship ORDER BY flag"),
        ("How many ships were built by the name of Vesta?", "SELECT COUNT(*) FROM ship WHERE name = 'Vesta'"),
        ("What is the average length per ship?", "SELECT AVG(length_m) FROM ship"),
        ("How many ships are there per flag on average?", "SELECT COUNT(*) * 1.0 / COUNT(DISTINCT flag) FROM ship"),
        (
            "What is the average number of ships for each flag?",
            "SELECT AVG(ships) FROM (SELECT COUNT(*) AS ships FROM ship GROUP BY flag)",
        ),
        ("What is the share of each flag?", "SELECT DISTINCT flag, COUNT(*) OVER (PARTITION BY flag) FROM ship"),
    ],
)
def test_what_is_grouped_or_not_asked_for_by_anything_passes(harbour: Data, question: str, sql: str) -> None:
    found = harbour.judge(sql, question).get("grouping_left_out")
    assert found is None or found.outcome == "passed"


def test_one_row_is_no_answer_to_a_question_about_each(harbour: Data) -> None:
    sql = "SELECT flag, COUNT(*) FROM ship GROUP BY flag ORDER BY 2 DESC LIMIT 1"
    assert harbour.judge(sql, "How many ships does each flag have?")["all_but_one_left_out"].outcome == "failed"
    assert "all_but_one_left_out" not in harbour.judge(sql, "Which flag has the most ships?")
