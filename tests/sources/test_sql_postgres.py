from __future__ import annotations

import datetime as dt
import decimal
import socket
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from querist.answer.cleaned import cleaned
from querist.answer.mend import mend
from querist.answer.prepared import prepare
from querist.errors import GuardError, MissingExtraError, QueryError, QueryTimeoutError, SourceAccessError, UsageError
from querist.sources.base import ForeignKey, Limits
from querist.sources.guard import guard
from querist.sources.sql import SqlSource
from querist.sources.sql_engine import Engine
from tests.sources.guard_cases import REFUSED
from tests.sources.postgres_server import PostgresServer
from tests.sources.test_profile import UNCLEAN

TABLES = """
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE people (
    id integer PRIMARY KEY, "Full Name" text NOT NULL, feels mood, key uuid, wage numeric(10, 2), since timestamptz,
    born date, tags text[], extra jsonb, photo bytea, cash money, wait interval, address inet, active boolean
);
COMMENT ON TABLE people IS 'Who works here';
COMMENT ON COLUMN people.wage IS 'per hour, EUR';
INSERT INTO people VALUES (
    1, 'Ada', 'ok', '6f1d9c3e-0000-4000-8000-000000000001', 12.50, '2024-03-01 10:00+00', 'infinity', '{a,b}',
    '{"k": [1, null]}', '\\x00ff', 3.5, '1 mon 2 days', '10.0.0.1', true
);
CREATE TABLE shifts (
    id integer PRIMARY KEY, person integer REFERENCES people (id), "order" integer, note text
);
INSERT INTO shifts SELECT n, 1, n, repeat('x', 100) FROM generate_series(1, 5000) AS n;
CREATE VIEW long_shifts AS SELECT * FROM shifts WHERE "order" > 10;
CREATE MATERIALIZED VIEW shift_count AS SELECT count(*) AS n FROM shifts;
CREATE SCHEMA sales;
CREATE TABLE sales.orders (id integer PRIMARY KEY, seller integer REFERENCES public.people (id));
CREATE TABLE sales.lines (id integer, of_order integer REFERENCES sales.orders (id));
INSERT INTO sales.orders VALUES (1, 1);
"""


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> str:
    return postgres.new_database(TABLES)


@pytest.fixture
def source(postgres: PostgresServer, database: str) -> Iterator[SqlSource]:
    source = SqlSource("work", postgres.url(database))
    yield source
    source.close()


class TestSchema:
    def test_tables_and_views_of_the_default_schema(self, source: SqlSource) -> None:
        tables = {t.name: t.is_view for t in source.schema().tables}
        assert tables == {"people": False, "shifts": False, "long_shifts": True, "shift_count": True}

    def test_types_kinds_keys_and_comments(self, source: SqlSource) -> None:
        people, shifts = source.schema().table("people"), source.schema().table("shifts")
        assert people is not None and shifts is not None
        assert {c.name: c.kind for c in people.columns} == {
            "id": "integer",
            "Full Name": "text",
            "feels": "text",
            "key": "text",
            "wage": "number",
            "since": "datetime",
            "born": "date",
            "tags": "other",
            "extra": "other",
            "photo": "binary",
            "cash": "number",
            "wait": "other",
            "address": "text",
            "active": "boolean",
        }
        types = {c.name: c.type for c in people.columns}
        assert types["feels"] == "ENUM('sad', 'ok')"
        assert types["wage"] == "NUMERIC(10, 2)"
        assert types["tags"] == "TEXT[]"
        assert people.comment == "Who works here"
        wage, name = people.column("wage"), people.column("full name")
        assert wage is not None and wage.comment == "per hour, EUR"
        assert name is not None and not name.nullable
        assert people.primary_key == ("id",)
        assert shifts.foreign_keys == (ForeignKey(("person",), "people", ("id",)),)

    def test_other_schemas_when_they_are_named(self, postgres: PostgresServer, database: str) -> None:
        source = SqlSource("work", postgres.url(database) + "&schema=sales")
        tables = {t.name: t for t in source.schema().tables}
        assert set(tables) == {"sales.orders", "sales.lines"}
        assert {t.namespace for t in tables.values()} == {"sales"}
        assert tables["sales.lines"].foreign_keys == (ForeignKey(("of_order",), "sales.orders", ("id",)),)
        query = guard("SELECT count(*) FROM orders", source.schema())
        assert source.execute(query.sql).scalar() == 1
        source.close()

    def test_all_schemas(self, postgres: PostgresServer, database: str) -> None:
        source = SqlSource("work", postgres.url(database) + "&schema=*")
        assert {"people", "sales.orders"} <= {t.name for t in source.schema().tables}
        orders = source.schema().table("sales.orders")
        assert orders is not None
        assert orders.foreign_keys == (ForeignKey(("seller",), "people", ("id",)),)
        source.close()

    def test_all_schemas_when_the_default_one_is_empty(self, postgres: PostgresServer) -> None:
        name = postgres.new_database("CREATE SCHEMA hr; CREATE TABLE hr.staff (id integer)")
        source = SqlSource("hr", postgres.url(name))
        assert [t.name for t in source.schema().tables] == ["hr.staff"]
        assert source.profile().tables[0].row_count == 0
        source.close()

    def test_a_thousand_tables_are_listed_at_once(self, postgres: PostgresServer) -> None:
        statements = "; ".join(f"CREATE TABLE t{n} (id integer PRIMARY KEY, v text)" for n in range(1_000))
        source = SqlSource("many", postgres.url(postgres.new_database(statements)))
        assert len(source.schema().tables) == 1_000
        source.close()

    def test_it_is_read_again_when_a_table_changes(self, postgres: PostgresServer) -> None:
        name = postgres.new_database("CREATE TABLE t (a integer)")
        source = SqlSource("s", postgres.url(name))
        assert source.schema() is source.schema()
        with psycopg.connect(postgres.url(name), autocommit=True) as connection:
            connection.execute("ALTER TABLE t ADD COLUMN b text")
        assert [c.name for c in source.schema().tables[0].columns] == ["a", "b"]
        source.close()

    def test_the_fingerprint_changes_with_the_rows(self, postgres: PostgresServer) -> None:
        name = postgres.new_database("CREATE TABLE t (a integer)")
        source = SqlSource("s", postgres.url(name))
        before = source.fingerprint()
        with psycopg.connect(postgres.url(name), autocommit=True) as connection:
            connection.execute("INSERT INTO t VALUES (1)")
            connection.execute("SELECT pg_stat_force_next_flush()")
            connection.execute("SELECT 1")
            after = source.fingerprint()
            connection.execute("TRUNCATE t")
            assert len({before, after, source.fingerprint()}) == 3
        source.close()

    @pytest.mark.parametrize("tells", [True, False], ids=["tells when rows change", "does not tell"])
    def test_a_profile_is_no_older_than_the_hour(
        self, tells: bool, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if not tells:
            monkeypatch.setattr("querist.sources.sql_postgres.Postgres.versions", lambda *_: ("the same tables", ""))
        name = postgres.new_database("CREATE TABLE t AS SELECT 1 AS a")
        sources = [SqlSource("s", postgres.url(name)) for _ in range(2)]
        hours = 1_000_000.9
        monkeypatch.setattr("querist.sources.sql.time.time", lambda: hours * 3600)
        seen = [sources[0].profile().tables[0].row_count]
        with psycopg.connect(postgres.url(name), autocommit=True) as connection:
            connection.execute("INSERT INTO t VALUES (2)")
            connection.execute("SELECT pg_stat_force_next_flush()")
            connection.execute("SELECT 1")
        seen += [source.profile().tables[0].row_count for source in sources]
        hours += 0.2
        seen += [source.profile().tables[0].row_count for source in sources]
        for source in sources:
            source.close()
        assert seen == [1, 1, 1, 2, 2]

    def test_large_tables_have_an_estimate_of_their_rows_and_a_sampled_profile(self, postgres: PostgresServer) -> None:
        name = postgres.new_database(
            "CREATE TABLE big AS SELECT n % 7 AS k FROM generate_series(1, 300000) n; ANALYZE big"
        )
        source = SqlSource("big", postgres.url(name))
        assert source.schema().tables[0].row_count == 300_000
        table = source.profile().tables[0]
        assert (table.row_count, table.sampled) == (300_000, True)
        assert sorted(table.columns[0].examples) == list(range(7))
        source.close()


class TestValues:
    def test_each_type_has_its_python_form_or_the_servers_text(self, source: SqlSource) -> None:
        row = source.execute("SELECT * FROM people").to_dicts()[0]
        assert row == {
            "id": 1,
            "Full Name": "Ada",
            "feels": "ok",
            "key": uuid.UUID("6f1d9c3e-0000-4000-8000-000000000001"),
            "wage": decimal.Decimal("12.50"),
            "since": dt.datetime(2024, 3, 1, 10, tzinfo=dt.UTC),
            "born": "infinity",
            "tags": ["a", "b"],
            "extra": {"k": [1, None]},
            "photo": b"\x00\xff",
            "cash": "$3.50",
            "wait": "1 mon 2 days",
            "address": "10.0.0.1",
            "active": True,
        }

    def test_text_of_a_fixed_length_comes_without_its_padding(self, source: SqlSource) -> None:
        row = source.execute("SELECT 'at'::char(5), ARRAY['at']::char(5)[], ' at '::text, '  '::char(2)").rows[0]
        assert row == ("at", ["at"], " at ", "")

    def test_times_are_read_however_the_server_writes_them(self, postgres: PostgresServer) -> None:
        name = postgres.new_database("CREATE TABLE t AS SELECT timestamptz '2024-03-01 10:00+00' AS at")
        postgres.new_database(f"ALTER DATABASE {name} SET datestyle = 'German'")
        source = SqlSource("termine", postgres.url(name))
        row = source.execute("SELECT at, at::date, '01.02.2024'::date::text FROM t").rows[0]
        source.close()
        assert row == (dt.datetime(2024, 3, 1, 10, tzinfo=dt.UTC), dt.date(2024, 3, 1), "2024-02-01")

    def test_columns_have_the_servers_types(self, source: SqlSource) -> None:
        columns = source.execute("SELECT id, wage, tags FROM people").columns
        assert [c.type for c in columns] == ["int4", "numeric(10,2)", "text[]"]

    def test_percent_signs_and_colons_are_just_characters(self, source: SqlSource) -> None:
        sql = "SELECT '100%' AS a, '%s :x %(y)s' AS b, 7 % 4 AS c"
        assert source.execute(sql).rows == (("100%", "%s :x %(y)s", 3),)

    def test_values_and_set_operations_can_be_asked(self, source: SqlSource) -> None:
        assert len(source.execute("VALUES (1), (2)")) == 2
        assert len(source.execute("(SELECT 1) UNION ALL SELECT 2 ORDER BY 1")) == 2


class TestStopping:
    def test_a_late_end_of_many_quick_fetches_is_a_timeout_too(self, source: SqlSource) -> None:
        slow = "SELECT pg_sleep(0.01), n FROM generate_series(1, 100000) AS n"
        with pytest.raises(QueryTimeoutError):
            source.execute(slow, Limits(seconds=0.5, rows=100_000))
        assert source.execute("SELECT 1").scalar() == 1

    def test_nothing_keeps_running_on_the_server(self, source: SqlSource, postgres: PostgresServer) -> None:
        with pytest.raises(QueryTimeoutError):
            source.execute("SELECT pg_sleep(120), 'leftover'", Limits(seconds=0.2))
        with psycopg.connect(postgres.url()) as connection:
            running = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%leftover%' AND state = 'active' "
                "AND pid <> pg_backend_pid()"
            ).fetchone()
        assert running == (0,)

    def test_interrupt_stops_a_query_that_waits(self, source: SqlSource) -> None:
        failed: list[Exception] = []

        def ask() -> None:
            try:
                source.execute("SELECT pg_sleep(120)")
            except QueryError as error:
                failed.append(error)

        thread = threading.Thread(target=ask)
        thread.start()
        while thread.is_alive():
            source.interrupt()
            time.sleep(0.02)
        assert [str(error) for error in failed] == ["The query was interrupted."]


class TestConnecting:
    def refuse(self, url: str) -> SourceAccessError:
        source = SqlSource("no", url)
        with pytest.raises(SourceAccessError) as refusal:
            source.schema()
        assert refusal.value.hint
        assert "geheim" not in f"{refusal.value.message} {refusal.value.hint} {source!r} {source.describe()}"
        return refusal.value

    def test_wrong_password(self, postgres: PostgresServer, database: str) -> None:
        with psycopg.connect(postgres.url(), autocommit=True) as connection:
            connection.execute("DROP ROLE IF EXISTS locked_out; CREATE ROLE locked_out LOGIN PASSWORD 'other'")
        error = self.refuse(postgres.url(database, "locked_out", "geheim-secret"))
        assert "refuses user and password" in error.message
        assert "refuses user and password" in self.refuse(postgres.url(database, "locked_out")).message

    def test_unknown_database(self, postgres: PostgresServer) -> None:
        assert "no database 'nowhere'" in self.refuse(postgres.url("nowhere", password="geheim")).message

    def test_unknown_user(self, postgres: PostgresServer) -> None:
        assert "no user 'nobody'" in self.refuse(postgres.url(user="nobody")).message

    def test_unknown_host(self) -> None:
        assert "no host" in self.refuse("postgresql://u:geheim@nowhere.invalid/db").message

    def test_nobody_listens(self) -> None:
        assert "nothing listens" in self.refuse("postgres://u:geheim@127.0.0.1:1/db").message

    def test_no_encryption_where_it_is_demanded(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:  # as libpq does not encrypt Unix sockets

            def refuse_encryption() -> None:
                client, _ = server.accept()
                with client:
                    client.recv(8)
                    client.sendall(b"N")
                    client.recv(1)

            threading.Thread(target=refuse_encryption, daemon=True).start()
            port = server.getsockname()[1]
            error = self.refuse(f"postgresql://u:geheim@127.0.0.1:{port}/db?sslmode=require")
        assert "the encrypted connection failed" in error.message

    @pytest.mark.parametrize(
        "scheme", ["postgres", "postgresql", "postgresql+psycopg2", "postgresql+asyncpg", "POSTGRESQL"]
    )
    def test_every_usual_way_to_write_the_scheme_works(
        self, scheme: str, postgres: PostgresServer, database: str
    ) -> None:
        source = SqlSource("s", postgres.url(database).replace("postgresql", scheme, 1))
        assert source.execute("SELECT 1").scalar() == 1
        assert source.dialect == "postgres"
        source.close()

    @pytest.mark.parametrize("url", ["postgresql://u:geheim@host:port/db", "postgresql:/u:geheim@host/db"])
    def test_an_unreadable_address_is_not_repeated(self, url: str) -> None:
        with pytest.raises(UsageError) as error:
            SqlSource("s", url)
        assert "geh" not in str(error.value)
        assert error.value.__cause__ is None or "geh" not in str(error.value.__cause__)

    def test_a_table_without_rights_is_a_query_error_with_advice(self, postgres: PostgresServer) -> None:
        name = postgres.new_database("CREATE TABLE secret (a integer); CREATE ROLE reader LOGIN")
        source = SqlSource("s", postgres.url(name, "reader"))
        with pytest.raises(QueryError) as error:
            source.execute("SELECT * FROM secret")
        assert "GRANT SELECT" in error.value.hint
        source.close()

    def test_warns_of_rights_that_a_read_only_transaction_does_not_take_away(self, postgres: PostgresServer) -> None:
        powers = "pg_execute_server_program, pg_read_server_files, pg_write_server_files"
        name = postgres.new_database(f"CREATE ROLE plain LOGIN; CREATE ROLE filer LOGIN IN ROLE {powers}")
        for user, said in (("postgres", "superuser"), ("filer", powers), ("plain", None)):
            source = SqlSource("s", postgres.url(name, user))
            assert (said is None and source.warnings() == []) or (said is not None and said in source.warnings()[0])
            source.close()


ATTACKS = [
    sql
    for dialect, rule, sql in REFUSED
    if dialect == "postgres" and rule in {"read_only", "one_statement", "file_access"}
]


class TestSecondLock:
    """What the guard refuses is tried without the guard."""

    @pytest.fixture(scope="class")
    @staticmethod
    def reader(postgres: PostgresServer) -> Iterator[SqlSource]:
        name = postgres.new_database(
            """CREATE TABLE customers (id integer, name text); INSERT INTO customers VALUES (1, 'Ada');
            CREATE TABLE orders (id integer); CREATE SEQUENCE s; CREATE ROLE second_lock LOGIN;
            GRANT ALL ON ALL TABLES IN SCHEMA public TO second_lock; GRANT ALL ON SEQUENCE s TO second_lock;
            GRANT CREATE ON SCHEMA public TO second_lock"""
        )
        source = SqlSource("s", postgres.url(name, "second_lock"))
        yield source
        source.close()

    @pytest.mark.parametrize("sql", ATTACKS)
    def test_the_server_refuses(self, sql: str, reader: SqlSource) -> None:
        with pytest.raises(QueryError):
            reader.execute(sql)
        assert reader.execute("SELECT id, name FROM customers").rows == ((1, "Ada"),)

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT set_config('transaction_read_only', 'off', true)",
            "SELECT nextval('s')",
            "SELECT setval('s', 5)",
            "SELECT lo_import('/etc/passwd')",
            "SELECT lo_export(1, '/tmp/x')",
            "SELECT query_to_xml('DELETE FROM customers', true, true, '')",
            "SET TRANSACTION READ WRITE",
            "SELECT 1; COMMIT; DELETE FROM customers",
            "SELECT 1) ; DELETE FROM customers --",
            "CLOSE querist",
        ],
    )
    def test_tricks_of_the_engine_do_not_open_it(self, sql: str, reader: SqlSource) -> None:
        with pytest.raises(QueryError):
            reader.execute(sql)
        assert reader.execute("SELECT count(*) FROM customers").scalar() == 1
        with pytest.raises(GuardError):
            guard(sql, reader.schema())

    def test_a_backslash_in_text_means_what_the_guard_takes_it_for(
        self, postgres: PostgresServer, database: str
    ) -> None:
        with psycopg.connect(postgres.url(), autocommit=True) as connection:
            connection.execute("CREATE ROLE escaping LOGIN; ALTER ROLE escaping SET standard_conforming_strings = off")
        source = SqlSource("s", postgres.url(database, "escaping"))
        assert source.execute(r"SELECT 'a\', '\' || 'b'").rows == (("a\\", "\\b"),)
        source.close()

    def test_settings_do_not_outlive_the_query(self, reader: SqlSource) -> None:
        reader.execute("SELECT set_config('statement_timeout', '0', false)")
        reader.execute("SELECT set_config('search_path', 'nowhere', false)")
        assert reader.execute("SELECT count(*) FROM customers").scalar() == 1


def test_a_closed_source_says_so(postgres: PostgresServer) -> None:
    source = SqlSource("s", postgres.url())
    source.close()
    with pytest.raises(UsageError, match="closed"):
        source.execute("SELECT 1")


def test_a_server_that_cannot_be_locked_is_not_opened_unless_that_is_accepted() -> None:
    with pytest.raises(UsageError, match="read-only") as refusal:
        SqlSource("s", "mssql+pyodbc://u:geheim@host/db")
    assert "allow_unlocked" in refusal.value.hint
    with pytest.raises(UsageError, match="pyodbc"):
        SqlSource("s", "mssql+pyodbc://u:geheim@host/db?allow_unlocked=true")


def test_a_server_that_cannot_be_locked_gets_only_what_begins_as_a_query() -> None:
    with sa.create_engine("sqlite://").connect() as connection:
        engine = Engine(connection.engine.url)
        for sql in ("SELECT 1", " values (1)", "WITH t AS (SELECT 1) SELECT * FROM t"):
            assert engine.run(connection, sql, Limits(), "s", lambda: None).rows == ((1,),)
        for sql in ("CREATE TABLE t (a INT)", "PRAGMA user_version", "EXPLAIN SELECT 1", "selected", "; SELECT 1", ""):
            with pytest.raises(QueryError, match="Only statements that begin with SELECT"):
                engine.run(connection, sql, Limits(), "s", lambda: None)


@pytest.mark.parametrize(("url", "driver"), [("postgres://host/db", "psycopg"), ("mysql://host/db", "pymysql")])
def test_a_missing_driver_is_an_extra_to_install(url: str, driver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, driver, None)
    with pytest.raises(MissingExtraError, match=driver) as error:
        SqlSource("s", url)
    assert "pip install" in error.value.hint


def test_files_and_unknown_servers_are_told_apart() -> None:
    with pytest.raises(UsageError, match="files"):
        SqlSource("s", "sqlite:///data.db")
    with pytest.raises(UsageError, match="dialect"):
        SqlSource("s", "nosuchdb://host/db?allow_unlocked=true")


def test_the_profile_finds_what_is_not_clean_among_many_values(postgres: PostgresServer) -> None:
    source = SqlSource("unclean", postgres.url(postgres.new_database(f"CREATE TABLE t AS {UNCLEAN}")))
    (table,) = source.profile().tables
    source.close()
    word, figure = table.columns
    assert word.spellings == (("WORD 4 ", "word 4"),)
    assert (set(figure.not_numbers), figure.not_number_rows) == ({"", "1,200", "n/a"}, 3)
    assert table.repeated_rows == 1


def test_values_that_the_server_cannot_compare_are_not_taken_for_missing_ones(postgres: PostgresServer) -> None:
    name = postgres.new_database(
        "CREATE TABLE t AS SELECT json_build_object('n', n) AS doc FROM generate_series(1, 3) n"
    )
    source = SqlSource("docs", postgres.url(name))
    schema, profile = source.schema(), source.profile()
    source.close()
    assert profile.tables[0].columns[0].nulls == 0
    assert cleaned("SELECT doc FROM t", schema, profile) == []


class TestMending:
    def test_names_in_mixed_case_and_reserved_words_are_joined_as_the_server_has_them(
        self, postgres: PostgresServer, tmp_path: Path
    ) -> None:
        name = postgres.new_database(
            'CREATE TABLE "Order" (id integer PRIMARY KEY, "State" text)',
            'CREATE TABLE parcel (id integer PRIMARY KEY, order_id integer REFERENCES "Order" (id))',
            "INSERT INTO \"Order\" VALUES (1, 'Open'), (2, 'shut')",
            "INSERT INTO parcel VALUES (1, 1), (2, 1), (3, 2)",
        )
        source = SqlSource("work", postgres.url(name))
        prepared = prepare(source, tmp_path)
        found = mend("SELECT count(*) FROM parcel WHERE order_id = 'open'", prepared)
        assert source.execute(guard(found.sql, prepared.schema).sql).rows == ((2,),)
        prepared.close()
        source.close()
