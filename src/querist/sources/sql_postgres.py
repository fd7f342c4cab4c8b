"""PostgreSQL: read-only transactions, server-side cursors, cancelling, and its statistics."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from querist.sources.base import Limits
from querist.sources.collect import collect_rows
from querist.sources.sql_engine import CONNECT_SECONDS, LARGE, Engine, network_reason, original
from querist.sources.table import ResultColumn, Table

if TYPE_CHECKING:
    import psycopg
    import sqlalchemy as sa

    from querist.sources.profile import ProfileDialect

log = logging.getLogger(__name__)

_FIRST = 50
"""Rows fetched at first: enough for most answers, few enough for rows of megabytes."""
_AS_TEXT = (
    *("interval", "inet", "cidr"),
    *(f"{kind}{shape}" for kind in ("int4", "int8", "num", "date", "ts", "tstz") for shape in ("range", "multirange")),
)
"""Types whose Python form loses something (an interval's months) or is none that a result may hold."""


class Postgres(Engine):
    driver_package = "psycopg"
    extra = "postgres"

    def connect_args(self) -> dict[str, Any]:
        given = self.url.query
        args = {"connect_timeout": CONNECT_SECONDS, "application_name": "querist"}
        return {name: value for name, value in args.items() if name not in given}

    def create_pool(self) -> sa.Engine:
        import sqlalchemy as sa

        pool = super().create_pool()
        sa.event.listen(pool, "connect", _prepare)
        return pool

    def lock(self, connection: sa.Connection) -> None:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")

    def stopper(self, connection: sa.Connection, pool: sa.Engine) -> Callable[[], None]:
        raw = _driver(connection)

        def cancel() -> None:
            try:
                raw.cancel_safe(timeout=5)
            except Exception as error:  # the connection is gone, or the server is busy: it is tried again
                log.debug("the query could not be cancelled: %s", error)

        return cancel

    def run(self, connection: sa.Connection, sql: str, limits: Limits, source: str, stop: Callable[[], None]) -> Table:
        with self.errors(""), _driver(connection).cursor() as cursor:
            # The server's own limit is the second one: it holds when this program dies. Escapes in strings mean what
            # the guard takes them for, and times are written in the one way that the driver reads them all. Rows come
            # as they are asked for, but the plan is made for all of them.
            cursor.execute(
                f"SET LOCAL statement_timeout = {int(limits.seconds * 1000) + 1000}; "
                "SET LOCAL standard_conforming_strings = on; SET LOCAL datestyle = ISO; "
                "SET LOCAL cursor_tuple_fraction = 1".encode()
            )
            # A cursor takes nothing but a query, and the extended protocol (`binary`) nothing but one statement.
            cursor.execute(b"DECLARE querist NO SCROLL CURSOR FOR " + sql.encode(), binary=True)

            def fetch(n: int) -> Sequence[Sequence[Any]]:
                return cursor.execute(b"FETCH FORWARD %d FROM querist" % n).fetchall()

            waiting = [fetch(min(_FIRST, limits.rows + 1))]
            columns = [ResultColumn(c.name, c.type_display) for c in cursor.description or ()]
            return collect_rows(lambda n: waiting.pop() if waiting else fetch(n), columns, limits, source)

    def is_system(self, schema: str) -> bool:
        return schema == "information_schema" or schema.startswith("pg_")

    def has_tables(self, connection: sa.Connection, schema: str) -> bool:
        return bool(connection.exec_driver_sql(f"SELECT 1 FROM ({_relations([schema])}) r LIMIT 1").first())

    def row_estimates(self, connection: sa.Connection, schemas: Sequence[str | None]) -> dict[tuple[str, str], int]:
        rows = connection.exec_driver_sql(
            f"SELECT r.nspname, r.relname, r.reltuples::bigint FROM ({_relations(schemas)}) r "
            f"WHERE r.reltuples >= {LARGE}"
        )
        return {(schema, table): rows for schema, table, rows in rows}

    def versions(self, connection: sa.Connection, schemas: Sequence[str | None]) -> tuple[str, str]:
        with self.errors("The tables cannot be listed"):
            row = connection.exec_driver_sql(_VERSIONS.replace("<relations>", _relations(schemas))).one()
        return str(row[0]), str(row[1])

    def profile_dialect(self) -> ProfileDialect:
        from querist.sources.profile import ProfileDialect

        def sample(table: str, rows: int, wanted: int) -> str:
            return f"SELECT * FROM {table} TABLESAMPLE SYSTEM ({min(100.0, 100 * wanted / rows):.6f}) REPEATABLE (1)"

        return ProfileDialect("postgres", sample=sample)

    def warnings(self, connection: sa.Connection) -> list[str]:
        with self.errors("The rights of this user cannot be told"):
            user, is_superuser = connection.exec_driver_sql(
                "SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user"
            ).one()
            roles = connection.exec_driver_sql(
                "SELECT rolname FROM pg_roles WHERE rolname IN "
                "('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program') "
                "AND pg_has_role(current_user, oid, 'member') ORDER BY rolname"
            ).scalars()
            advice = "Use a role that may only read the tables (GRANT SELECT)."
            if is_superuser:
                return [
                    f"{user} is a superuser: a read-only transaction does not keep it from the server's files. {advice}"
                ]
            found = list(roles)
            if found:
                return [f"{user} has {', '.join(found)}: a read-only transaction does not take that away. {advice}"]
        return []

    def driver_errors(self) -> tuple[type[Exception], ...]:
        import psycopg

        return (psycopg.Error,)

    def message(self, error: BaseException) -> str:
        diagnosis = getattr(original(error), "diag", None)
        primary = getattr(diagnosis, "message_primary", None)
        return " ".join(primary.split()) if primary else super().message(error)

    def query_hint(self, error: BaseException) -> str:
        import psycopg

        cause = original(error)
        if isinstance(cause, psycopg.errors.InsufficientPrivilege):
            return "This user may not read that. Ask its owner for GRANT SELECT, or use another user."
        hint = getattr(getattr(cause, "diag", None), "message_hint", None)
        return " ".join(hint.split()) if hint else ""

    def why_no_connection(self, message: str, error: BaseException) -> tuple[str, str]:
        text = " ".join(str(error).split())
        if "password" in text and ("authentication failed" in text or "no password supplied" in text):
            return "the server refuses user and password", "Check both in the address; write @ as %40 and / as %2F."
        if 'database "' in text and "does not exist" in text:
            return f"there is no database {self.url.database!r}", "Check the end of the address."
        if 'role "' in text and "does not exist" in text:
            return f"there is no user {self.url.username!r}", "Check the user in the address."
        if "pg_hba.conf" in text:
            return (
                "the server does not let this machine or user in",
                "Ask its administrator for an entry in pg_hba.conf.",
            )
        if "permission denied for database" in text:
            return f"the user may not open the database {self.url.database!r}", "Ask its owner for GRANT CONNECT."
        return network_reason(message) or super().why_no_connection(message, error)


def _driver(connection: sa.Connection) -> psycopg.Connection[tuple[Any, ...]]:
    raw: psycopg.Connection[tuple[Any, ...]] = connection.connection.driver_connection  # type: ignore[assignment]
    return raw


def _prepare(connection: psycopg.Connection[Any], record: object) -> None:
    """Values that have no Python form (`infinity`, years before Christ) come as the server writes them, and those of
    `char(n)` without the blanks that fill them up: to the server they mean nothing, elsewhere nothing equals them."""
    from psycopg.types import datetime as times
    from psycopg.types.string import TextLoader

    for name in _AS_TEXT:
        connection.adapters.register_loader(name, TextLoader)
    connection.adapters.register_loader("bpchar", _unpadded(TextLoader))
    for name, loader in (
        ("date", times.DateLoader),
        ("time", times.TimeLoader),
        ("timestamp", times.TimestampLoader),
        ("timestamptz", times.TimestamptzLoader),
    ):
        connection.adapters.register_loader(name, _or_text(loader))


def _unpadded(loader: type[Any]) -> type[Any]:
    class Unpadded(loader):  # type: ignore[misc]
        def load(self, data: Any) -> Any:
            return super().load(bytes(data).rstrip(b" "))

    return Unpadded


def _or_text(loader: type[Any]) -> type[Any]:
    import psycopg

    class OrText(loader):  # type: ignore[misc]
        def load(self, data: Any) -> Any:
            try:
                return super().load(data)
            except psycopg.DataError:
                return bytes(data).decode()

    return OrText


def _relations(schemas: Sequence[str | None]) -> str:
    quoted = ("current_schema()" if s is None else "'" + s.replace("'", "''").replace("%", "%%") + "'" for s in schemas)
    names = ", ".join(quoted) or "''"
    return (
        "SELECT c.oid, n.nspname, c.relname, c.relkind, c.relfilenode, c.reltuples FROM pg_catalog.pg_class c "
        "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        f"WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND n.nspname IN ({names})"
    )


_VERSIONS = """
WITH r AS (<relations>)
SELECT
    concat_ws('-',
        (SELECT md5(string_agg(concat_ws(' ', r.nspname, r.relname, r.relkind, a.attname, a.atttypid, a.atttypmod,
            a.attnotnull), ',' ORDER BY r.oid, a.attnum))
         FROM r JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped),
        (SELECT md5(string_agg(w.xmin::text, ',' ORDER BY w.oid))
         FROM r JOIN pg_catalog.pg_rewrite w ON w.ev_class = r.oid),
        (SELECT md5(string_agg(k.oid::text, ',' ORDER BY k.oid))
         FROM r JOIN pg_catalog.pg_constraint k ON k.conrelid = r.oid AND k.contype IN ('p', 'f')),
        (SELECT md5(string_agg(concat_ws(' ', d.objoid, d.objsubid, d.description), ',' ORDER BY d.objoid, d.objsubid))
         FROM r JOIN pg_catalog.pg_description d ON d.objoid = r.oid AND d.classoid = 'pg_class'::regclass)),
    (SELECT md5(string_agg(concat_ws(' ', r.oid, r.relfilenode, s.n_tup_ins, s.n_tup_upd, s.n_tup_del), ','
        ORDER BY r.oid))
     FROM r LEFT JOIN pg_catalog.pg_stat_all_tables s ON s.relid = r.oid)
"""
