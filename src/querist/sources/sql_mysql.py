"""MySQL and MariaDB: read-only transactions, unbuffered results, and stopping a query from another connection."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from querist.errors import QueryError
from querist.sources.base import Limits
from querist.sources.collect import collect_rows
from querist.sources.running import timeout_error
from querist.sources.sql_engine import CONNECT_SECONDS, LARGE, Engine, network_reason, original
from querist.sources.table import ResultColumn, Table

if TYPE_CHECKING:
    import sqlalchemy as sa

    from querist.sources.profile import ProfileDialect

log = logging.getLogger(__name__)

_SYSTEM = {"information_schema", "mysql", "performance_schema", "sys"}
_TIMEOUTS = {1969, 3024}
"""Error numbers of a statement that took too long: MariaDB's, MySQL's."""
_POWERS = re.compile(r"\b(ALL PRIVILEGES|SUPER|FILE|SYSTEM_VARIABLES_ADMIN|SHUTDOWN)\b(?=.* ON \*\.\*)")


class MySql(Engine):
    driver_package = "pymysql"
    extra = "mysql"

    def connect_args(self) -> dict[str, Any]:
        return {} if "connect_timeout" in self.url.query else {"connect_timeout": CONNECT_SECONDS}

    def lock(self, connection: sa.Connection) -> None:
        # NO_BACKSLASH_ESCAPES would give another meaning to strings that the guard has checked.
        mode = str(connection.exec_driver_sql("SELECT @@SESSION.sql_mode").scalar())
        if "NO_BACKSLASH_ESCAPES" in mode:
            kept = ",".join(m for m in mode.split(",") if m != "NO_BACKSLASH_ESCAPES")
            connection.exec_driver_sql(f"SET SESSION sql_mode = '{kept}'")
        connection.exec_driver_sql("START TRANSACTION READ ONLY")

    def stopper(self, connection: sa.Connection, pool: sa.Engine) -> Callable[[], None]:
        number = int(connection.connection.driver_connection.thread_id())  # type: ignore[union-attr]

        def kill() -> None:
            try:
                # Not from the pool: that may be empty just when queries must be stopped.
                arguments, options = pool.dialect.create_connect_args(self.url)
                other = pool.dialect.loaded_dbapi.connect(*arguments, **{**options, **self.connect_args()})
                try:
                    other.cursor().execute(f"KILL QUERY {number}")
                finally:
                    other.close()
                time.sleep(0.1)  # it may be called again, and each call costs a connection
            except Exception as error:  # the connection is gone, or the server is busy: it is tried again
                log.debug("the query could not be killed: %s", error)

        return kill

    def run(self, connection: sa.Connection, sql: str, limits: Limits, source: str, stop: Callable[[], None]) -> Table:
        import pymysql
        from pymysql.cursors import SSCursor

        self.require_read(sql)
        raw: Any = connection.connection.driver_connection
        # The server's own limit is the second one: it holds when this program dies.
        seconds = int(limits.seconds) + 1
        is_mariadb = getattr(connection.dialect, "is_mariadb", False)
        limit = f"max_statement_time = {seconds}" if is_mariadb else f"max_execution_time = {seconds * 1000}"
        try:
            with self.errors(""):
                connection.exec_driver_sql(f"SET SESSION {limit}")
                cursor = raw.cursor(SSCursor)
                cursor.execute(sql)
                if cursor.description is None:
                    raise QueryError("The statement returns no rows: only a single SELECT may run.")
                columns = [ResultColumn(d[0], _type_names().get(d[1], "")) for d in cursor.description]
                table = collect_rows(cursor.fetchmany, columns, limits, source)
                if table.truncated is None:
                    cursor.close()
                    return table
        except QueryError as error:
            cause = original(error.__cause__) if error.__cause__ else None
            if isinstance(cause, pymysql.Error) and cause.args and cause.args[0] in _TIMEOUTS:
                raise timeout_error(limits) from error
            raise
        # Closing the cursor reads all rows that are still to come, so the server is told to send no more.
        stop()
        try:
            cursor.close()
        except pymysql.Error as error:
            log.debug("a cut result ended with: %s", error)
        connection.invalidate()  # the request to stop must not meet the next query
        return table

    def is_system(self, schema: str) -> bool:
        return schema.lower() in _SYSTEM

    def has_tables(self, connection: sa.Connection, schema: str) -> bool:
        return bool(
            connection.exec_driver_sql(
                f"SELECT 1 FROM information_schema.tables WHERE table_schema IN ({_names([schema])}) LIMIT 1"
            ).first()
        )

    def row_estimates(self, connection: sa.Connection, schemas: Sequence[str | None]) -> dict[tuple[str, str], int]:
        rows = connection.exec_driver_sql(
            "SELECT table_schema, table_name, table_rows FROM information_schema.tables "
            f"WHERE table_schema IN ({_names(schemas)}) AND table_rows >= {LARGE}"
        )
        return {(schema, table): int(rows) for schema, table, rows in rows}

    def versions(self, connection: sa.Connection, schemas: Sequence[str | None]) -> tuple[str, str]:
        with self.errors("The tables cannot be listed"):
            structure = connection.exec_driver_sql(
                "SELECT count(*), bit_xor(crc32(concat_ws('|', table_schema, table_name, ordinal_position, "
                "column_name, column_type, is_nullable, column_key, column_comment))) FROM information_schema.columns "
                f"WHERE table_schema IN ({_names(schemas)})"
            ).one()
            if not getattr(connection.dialect, "is_mariadb", False):
                # MySQL otherwise tells the state of up to a day ago.
                connection.exec_driver_sql("SET SESSION information_schema_stats_expiry = 0")
            data = connection.exec_driver_sql(
                "SELECT count(*), bit_xor(crc32(concat_ws('|', table_schema, table_name, coalesce(create_time, ''), "
                "coalesce(update_time, ''), coalesce(auto_increment, '')))) FROM information_schema.tables "
                f"WHERE table_schema IN ({_names(schemas)})"
            ).one()
        return str(tuple(structure)), str(tuple(data))

    def profile_dialect(self) -> ProfileDialect:
        from querist.sources.profile import ProfileDialect

        return ProfileDialect("mysql", quote=lambda name: "`" + name.replace("`", "``") + "`")

    def warnings(self, connection: sa.Connection) -> list[str]:
        with self.errors("The rights of this user cannot be told"):
            grants = " ; ".join(str(row[0]) for row in connection.exec_driver_sql("SHOW GRANTS"))
        found = sorted({match[0] for match in _POWERS.finditer(grants)})
        if not found:
            return []
        return [
            f"The user {self.url.username} has {', '.join(found)} on the whole server, which a read-only transaction "
            "does not take away (the server's files and settings). Use a user who may only read (GRANT SELECT)."
        ]

    def driver_errors(self) -> tuple[type[Exception], ...]:
        import pymysql

        return (pymysql.Error,)

    def message(self, error: BaseException) -> str:
        cause = original(error)
        if len(cause.args) == 2 and isinstance(cause.args[1], str):
            text = " ".join(cause.args[1].split())
            secret = str(self.url.password or "")
            return text.replace(secret, "***") if len(secret) > 2 else text
        return super().message(error)

    def query_hint(self, error: BaseException) -> str:
        if _number(error) in {1142, 1143, 1227, 1370}:
            return "This user may not read that. Ask for GRANT SELECT, or use another user."
        return ""

    def why_no_connection(self, message: str, error: BaseException) -> tuple[str, str]:
        number = _number(error)
        if number in {1045, 1698}:
            return "the server refuses user and password", "Check both in the address; write @ as %40 and / as %2F."
        if number == 1044:
            return f"the user may not open the database {self.url.database!r}", "Ask for GRANT SELECT on it."
        if number == 1049:
            return f"there is no database {self.url.database!r}", "Check the end of the address."
        if number == 1130:
            return "the server does not let this machine in", "Ask its administrator to allow this host for the user."
        return network_reason(message) or super().why_no_connection(message, error)


def _number(error: BaseException) -> int:
    arguments = original(error).args
    return arguments[0] if arguments and isinstance(arguments[0], int) else 0


def _names(schemas: Sequence[str | None]) -> str:
    quoted = (
        "DATABASE()" if s is None else "'" + s.replace("\\", "\\\\").replace("'", "''").replace("%", "%%") + "'"
        for s in schemas
    )
    return ", ".join(quoted) or "''"


def _type_names() -> dict[int, str]:
    from pymysql.constants import FIELD_TYPE

    return {number: name for name, number in vars(FIELD_TYPE).items() if isinstance(number, int)}
