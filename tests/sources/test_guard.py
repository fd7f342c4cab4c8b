from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from querist.errors import GuardError
from querist.sources.base import Column, Schema, TableSchema
from querist.sources.guard import guard
from tests.sources.guard_cases import (
    PASSING,
    PASSING_EVERYWHERE,
    PASSING_UNRUN,
    REFUSED,
    SHOP_ROWS,
    shop,
)
from tests.sources.postgres_server import PostgresServer

Run = Callable[[str], list[tuple[Any, ...]]]

CREATE = (
    'CREATE TABLE customers (id INTEGER, name TEXT, country TEXT, signup DATE, "Loyalty Points" INTEGER)',
    "CREATE TABLE orders "
    "(id INTEGER, customer_id INTEGER, amount NUMERIC(10, 2), placed DATE, status TEXT, details TEXT)",
    'CREATE TABLE "order items" (order_id INTEGER, sku TEXT, qty INTEGER, "unit price" DOUBLE PRECISION)',
)


def fill(execute: Callable[[str, tuple[object, ...]], object], mark: str) -> None:
    for table, rows in SHOP_ROWS.items():
        for row in rows:
            execute(f'INSERT INTO "{table}" VALUES ({", ".join([mark] * len(row))})', row)


@pytest.fixture(scope="module")
def run_sqlite() -> Iterator[Run]:
    connection = sqlite3.connect(":memory:")
    for statement in CREATE:
        connection.execute(statement)
    fill(connection.execute, "?")
    yield lambda sql: connection.execute(sql).fetchall()
    connection.close()


@pytest.fixture(scope="module")
def run_duckdb() -> Iterator[Run]:
    connection = duckdb.connect()
    for statement in CREATE:
        connection.execute(statement)
    fill(connection.execute, "?")
    yield lambda sql: connection.execute(sql).fetchall()
    connection.close()


@pytest.fixture(scope="module")
def run_postgres(postgres: PostgresServer) -> Iterator[Run]:
    with psycopg.connect(postgres.url(postgres.new_database(*CREATE)), autocommit=True) as connection:
        fill(lambda sql, row: connection.cursor().execute(sql, row), "%s")
        yield lambda sql: connection.execute(sql.encode()).fetchall()


@pytest.fixture(scope="module")
def run_names(postgres: PostgresServer) -> Iterator[Run]:
    database = postgres.new_database(
        """CREATE TABLE "Employees" ("Id" int, "Full Name" text); INSERT INTO "Employees" VALUES (7, 'x');
        CREATE SCHEMA crm; CREATE TABLE crm.visits (employee int); INSERT INTO crm.visits VALUES (7);
        CREATE TABLE crm.audit (n int); INSERT INTO crm.audit VALUES (7);
        CREATE TABLE audit (n int); INSERT INTO audit VALUES (8)"""
    )
    with psycopg.connect(postgres.url(database), autocommit=True) as connection:
        yield lambda sql: connection.execute(sql.encode()).fetchall()


@pytest.mark.parametrize(("dialect", "rule", "sql"), REFUSED, ids=[f"{d}-{r}-{q[:60]}" for d, r, q in REFUSED])
def test_refused(dialect: str, rule: str, sql: str) -> None:
    with pytest.raises(GuardError) as refusal:
        guard(sql, shop(dialect))
    assert refusal.value.rule == rule


RUNNABLE = [
    (dialect, sql) for dialect in ("sqlite", "duckdb", "postgres") for sql in [*PASSING_EVERYWHERE, *PASSING[dialect]]
]


@pytest.mark.parametrize(("dialect", "sql"), RUNNABLE, ids=[f"{d}-{q[:60]}" for d, q in RUNNABLE])
def test_passes_and_means_the_same(dialect: str, sql: str, request: pytest.FixtureRequest) -> None:
    run: Run = request.getfixturevalue(f"run_{dialect}")
    guarded = guard(sql, shop(dialect)).sql
    rows = run(sql)
    assert rows, "a statement that finds nothing would prove nothing"
    assert run(guarded) == rows


@pytest.mark.parametrize(("dialect", "sql"), PASSING_UNRUN, ids=[f"{d}-{q[:60]}" for d, q in PASSING_UNRUN])
def test_passes(dialect: str, sql: str) -> None:
    assert guard(sql, shop(dialect)).sql


def test_what_runs_has_no_comments_and_one_statement() -> None:
    query = guard("SELECT 1 -- one\n/* two */ + 2; -- three", shop("sqlite"))
    assert query.sql == "SELECT 1 + 2"


def test_a_space_that_is_no_space_runs_as_a_space() -> None:
    assert guard("SELECT\u00a0name FROM customers", shop("postgres")).sql == "SELECT name FROM customers"


def test_tells_which_tables_and_columns_are_read() -> None:
    query = guard(
        "WITH big AS (SELECT customer_id FROM orders WHERE amount > 50) "
        "SELECT c.NAME FROM Customers c JOIN big b ON b.customer_id = c.id",
        shop("duckdb"),
    )
    assert set(query.tables) == {"orders", "customers"}
    assert set(query.columns) == {
        ("orders", "customer_id"),
        ("orders", "amount"),
        ("customers", "name"),
        ("customers", "id"),
    }


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT nmae FROM customers", "Did you mean name"),
        ("SELECT amount FROM customers", "amount is a column of orders"),
        ("SELECT * FROM custmers", "Did you mean customers"),
        ("SELECT cust.name FROM customers AS c", "FROM offers c"),
        ("SELECT sbstr(name, 1) FROM customers", "substr"),
        ("SELECT name FROM customers WHERE 'NO' = \"Norge\"", "single quotes"),
    ],
)
def test_the_hint_says_how_to_repair(sql: str, said: str) -> None:
    with pytest.raises(GuardError) as refusal:
        guard(sql, shop("sqlite"))
    assert said in refusal.value.hint


class TestSqliteDoubleQuotes:
    """SQLite reads a double-quoted word that names no column as text, without a word."""

    @pytest.mark.parametrize(
        "sql",
        [
            'SELECT id FROM customers WHERE country = "NO"',
            'SELECT id FROM customers WHERE country IN ("NO", "DK")',
            'SELECT id FROM customers WHERE name LIKE "%a%"',
            'SELECT strftime("%Y", signup) FROM customers',
            'SELECT name || ", " || country FROM customers',
            'SELECT coalesce(country, "unknown") FROM customers',
        ],
    )
    def test_text_is_written_as_text_and_said_to_be(self, sql: str, run_sqlite: Run) -> None:
        query = guard(sql, shop("sqlite"))
        assert '"' not in query.sql
        assert query.notes
        assert run_sqlite(query.sql) == run_sqlite(sql)

    @pytest.mark.parametrize(
        "sql",
        [
            'SELECT "Naem" FROM customers',
            'SELECT count("Naem") FROM customers',
            'SELECT id FROM customers GROUP BY "region"',
            "SELECT id FROM customers WHERE \"region\" = 'north'",
            'SELECT id FROM customers WHERE "contry" = country',
        ],
    )
    def test_a_mistaken_column_is_refused(self, sql: str) -> None:
        with pytest.raises(GuardError) as refusal:
            guard(sql, shop("sqlite"))
        assert refusal.value.rule == "unknown_column"


class TestNamesAsTheEngineNeedsThem:
    """PostgreSQL folds unquoted names to lower case and looks in its search path; what people mean is still clear."""

    SCHEMA = Schema(
        "postgres",
        (
            TableSchema("Employees", (Column("Id", "integer", "integer"), Column("Full Name", "text", "text"))),
            TableSchema("visits", (Column("employee", "integer", "integer"),), namespace="crm"),
            TableSchema("crm.audit", (Column("n", "integer", "integer"),), namespace="crm"),
            TableSchema("audit", (Column("n", "integer", "integer"),)),
        ),
    )

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT id FROM employees",
            "SELECT e.ID FROM Employees AS e",
            "SELECT employees.id FROM employees",
            "SELECT Employees.id FROM Employees",
            "SELECT x.id FROM (SELECT Id FROM Employees) AS x",
            "WITH x AS (SELECT * FROM employees) SELECT ID FROM x",
            "SELECT id FROM employees WHERE id IN (SELECT employee FROM visits)",
            "SELECT visits.employee FROM visits",
            "SELECT v.employee FROM crm.visits v JOIN employees e ON e.id = v.employee",
            "SELECT n FROM crm.audit",
            'SELECT n FROM "crm.audit"',
        ],
    )
    def test_case_quotes_and_namespace_are_mended(self, sql: str, run_names: Run) -> None:
        assert run_names(guard(sql, self.SCHEMA).sql) == [(7,)]

    def test_a_table_of_the_same_name_elsewhere_is_another_one(self, run_names: Run) -> None:
        assert run_names(guard("SELECT n FROM audit", self.SCHEMA).sql) == [(8,)]


GOOD = [(dialect, sql) for dialect, sql in RUNNABLE] + PASSING_UNRUN
SPLICES = [
    "'",
    '"',
    "(",
    ")",
    ";",
    "--",
    "/*",
    "*/",
    "SELECT",
    "FROM",
    ",",
    ".",
    "\\",
    "$$",
    "::",
    "[",
    "]",
    "{",
    "}",
    "\x00",
    "`",
]


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_mangled_statements_are_judged_and_never_crash(data: st.DataObject) -> None:
    dialect, sql = data.draw(st.sampled_from(GOOD))
    for _ in range(data.draw(st.integers(1, 4))):
        at, length = data.draw(st.integers(0, len(sql))), data.draw(st.integers(0, 12))
        piece = data.draw(st.one_of(st.sampled_from(SPLICES), st.text(max_size=5), st.just(sql[at : at + 20])))
        sql = sql[:at] + piece + sql[at + length :]
    try:
        query = guard(sql, shop(dialect))
    except GuardError:
        return
    # What passed must pass again, and be the same: otherwise two readers could see two queries.
    assert guard(query.sql, shop(dialect)).sql == query.sql


@given(st.sampled_from(["sqlite", "duckdb", "postgres", "mysql"]), st.text(max_size=80))
@settings(max_examples=200, deadline=None)
def test_any_text_is_judged_and_never_crashes(dialect: str, text: str) -> None:
    try:
        guard("SELECT " + text, shop(dialect))
    except GuardError:
        return
