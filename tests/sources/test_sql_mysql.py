"""Runs where QUERIST_TEST_MYSQL_URL names a server, which the project's own test run provides; otherwise skipped."""

from __future__ import annotations

import datetime as dt
import decimal
import os
from collections.abc import Iterator

import pytest

from querist.errors import QueryError, QueryTimeoutError, SourceAccessError
from querist.sources.base import Limits
from querist.sources.guard import guard
from querist.sources.sql import SqlSource
from tests.sources.guard_cases import PASSING_EVERYWHERE, PASSING_UNRUN, REFUSED, SHOP_ROWS, shop
from tests.sources.mysql_server import REASON, VARIABLE, empty_database

pytestmark = pytest.mark.skipif(not os.environ.get(VARIABLE), reason=REASON)

TABLES = """
CREATE TABLE customers (id INT, name VARCHAR(50), country VARCHAR(5), signup DATE, `Loyalty Points` INT);
CREATE TABLE orders (id INT, customer_id INT, amount DECIMAL(10, 2), placed DATE, status VARCHAR(10), details JSON);
CREATE TABLE `order items` (order_id INT, sku VARCHAR(10), qty INT, `unit price` DOUBLE);
CREATE TABLE kinds (
    id INT PRIMARY KEY AUTO_INCREMENT COMMENT 'the key', name VARCHAR(20) NOT NULL, size ENUM('S', 'L'),
    flags SET('a', 'b'), price DECIMAL(8, 3), made DATETIME, open TIME, year YEAR, raw BLOB, yes BOOLEAN,
    big BIGINT UNSIGNED, doc JSON, bits BIT(4)
) COMMENT 'One of each';
INSERT INTO kinds VALUES
    (1, 'x', 'L', 'a,b', 1.5, '2024-01-02 03:04:05', '10:11:12', 2024, x'00ff', TRUE, 18446744073709551615,
    '{"k": [1]}', b'101');
CREATE VIEW large AS SELECT * FROM kinds WHERE size = 'L'
"""


@pytest.fixture(scope="module")
def source() -> Iterator[SqlSource]:
    with empty_database() as (url, connection), connection.cursor() as cursor:
        for statement in TABLES.split(";"):
            cursor.execute(statement)
        for table, rows in SHOP_ROWS.items():
            cursor.executemany(f"INSERT INTO `{table}` VALUES ({', '.join(['%s'] * len(rows[0]))})", rows)
        source = SqlSource("shop", url)
        yield source
        source.close()


def test_schema_has_types_keys_comments_and_views(source: SqlSource) -> None:
    tables = {t.name: t for t in source.schema().tables}
    assert {name: t.is_view for name, t in tables.items()} == {
        "customers": False,
        "kinds": False,
        "large": True,
        "order items": False,
        "orders": False,
    }
    kinds = tables["kinds"]
    assert kinds.comment == "One of each"
    assert kinds.primary_key == ("id",)
    assert kinds.columns[0].comment == "the key"
    assert {c.name: c.kind for c in kinds.columns} == {
        "id": "integer",
        "name": "text",
        "size": "text",
        "flags": "text",
        "price": "number",
        "made": "datetime",
        "open": "time",
        "year": "integer",
        "raw": "binary",
        "yes": "integer",
        "big": "integer",
        "doc": kinds.columns[11].kind,  # MariaDB keeps JSON as text, MySQL does not
        "bits": "other",
    }
    assert kinds.columns[2].type == "ENUM('S', 'L')"


def test_values_have_their_python_form(source: SqlSource) -> None:
    row = source.execute("SELECT * FROM kinds").to_dicts()[0]
    assert row == {
        "id": 1,
        "name": "x",
        "size": "L",
        "flags": "a,b",
        "price": decimal.Decimal("1.500"),
        "made": dt.datetime(2024, 1, 2, 3, 4, 5),
        "open": dt.timedelta(hours=10, minutes=11, seconds=12),
        "year": 2024,
        "raw": b"\x00\xff",
        "yes": 1,
        "big": 18446744073709551615,
        "doc": '{"k": [1]}',
        "bits": b"\x05",
    }


UNSUPPORTED = (
    "FILTER (",
    "DISTINCT FROM",
    "NULLS ",
    "FULL JOIN",
    "VALUES",
    "lag(",
    "Customers.Country",
    "WITH t (k, v)",
)
STATEMENTS = [sql for dialect, sql in PASSING_UNRUN if dialect == "mysql" and "->" not in sql]
STATEMENTS += [
    sql
    for sql in PASSING_EVERYWHERE
    if '"' not in sql and "||" not in sql and "AS INTEGER" not in sql and not any(word in sql for word in UNSUPPORTED)
]


@pytest.mark.parametrize("sql", STATEMENTS)
def test_what_the_guard_writes_means_the_same(sql: str, source: SqlSource) -> None:
    guarded = guard(sql, shop("mysql")).sql
    # The tables' names have another case here and there; on Linux only the guard's text may say so.
    plain = sql.replace("Orders", "orders").replace("CUSTOMERS", "customers").replace("Customers.", "customers.")
    first_word = plain.lstrip("-/* \n").split()[0]
    original = plain if first_word.upper() in {"SELECT", "WITH", "VALUES"} else plain.partition("\n")[2]
    assert source.execute(guarded).rows == source.execute(original).rows


def test_a_cut_result_does_not_wait_for_the_rest(source: SqlSource) -> None:
    many = f"SELECT a.id FROM {', '.join(f'`order items` v{n}' for n in range(12))}, orders a"
    table = source.execute(many, Limits(rows=10, seconds=20))
    assert len(table) == 10
    assert table.truncated is not None
    assert source.execute("SELECT count(*) FROM orders").scalar() == 6


def test_a_sleep_that_is_cut_short_is_a_timeout(source: SqlSource) -> None:
    with pytest.raises(QueryTimeoutError):
        source.execute("SELECT sleep(60)", Limits(seconds=0.3))


ATTACKS = [s for d, rule, s in REFUSED if d == "mysql" and rule in {"read_only", "one_statement", "syntax"}]
ATTACKS += ["SET SESSION TRANSACTION READ WRITE", "COMMIT", "CREATE TEMPORARY TABLE x (a INT)", "DO sleep(1)", "KILL 1"]


HARMLESS = ("LOCK IN SHARE", "INTO @v", "PROCEDURE ANALYSE")


@pytest.mark.parametrize("sql", [s for s in ATTACKS if not any(word in s for word in HARMLESS)])
def test_the_server_refuses_what_the_guard_refuses(sql: str, source: SqlSource) -> None:
    with pytest.raises(QueryError):
        source.execute(sql)
    assert source.execute("SELECT count(*) FROM customers").scalar() == 4


@pytest.mark.parametrize(
    "sql",
    [
        "WITH x AS (SELECT 1) DELETE FROM customers",
        "WITH x AS (SELECT 1 AS i) UPDATE customers SET id = 0",
        "(SELECT 1); COMMIT",
    ],
)
def test_a_first_word_that_reads_does_not_let_a_write_through(sql: str, source: SqlSource) -> None:
    with pytest.raises(QueryError):
        source.execute(sql)
    assert source.execute("SELECT sum(id) FROM customers").scalar() == 10


def test_a_backslash_in_text_means_what_the_guard_takes_it_for() -> None:
    source = SqlSource("s", f"{os.environ[VARIABLE]}?sql_mode=NO_BACKSLASH_ESCAPES")
    assert source.execute(r"SELECT 'it\'s', 'a\\'").rows == (("it's", "a\\"),)
    source.close()


class TestConnecting:
    def refuse(self, **changes: object) -> SourceAccessError:
        import sqlalchemy as sa

        url = sa.make_url(os.environ[VARIABLE]).set(**changes)  # type: ignore[arg-type]
        source = SqlSource("no", url.render_as_string(hide_password=False))
        with pytest.raises(SourceAccessError) as refusal:
            source.schema()
        assert refusal.value.hint
        assert "geheim" not in f"{refusal.value.message} {refusal.value.hint} {source!r}"
        return refusal.value

    def test_wrong_password(self) -> None:
        assert "refuses user and password" in self.refuse(password="geheim").message

    def test_unknown_database(self) -> None:
        error = self.refuse(database="nowhere_at_all")
        assert "no database" in error.message or "may not open" in error.message

    def test_unknown_host(self) -> None:
        assert "no host" in self.refuse(host="nowhere.invalid").message

    def test_nobody_listens(self) -> None:
        assert "nothing listens" in self.refuse(port=1).message
