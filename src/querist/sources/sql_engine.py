"""How a database server is reached, locked against writing, asked, and stopped: what any SQLAlchemy dialect gets.

`sql_postgres.py` and `sql_mysql.py` know their servers better; `sql_address.py` chooses.
"""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from querist.errors import (
    DataError,
    MissingExtraError,
    QueristError,
    QueryError,
    SourceAccessError,
    UsageError,
)
from querist.sources.base import Limits
from querist.sources.collect import collect_rows
from querist.sources.table import ResultColumn, Table

if TYPE_CHECKING:
    import sqlalchemy as sa

    from querist.sources.profile import ProfileDialect

log = logging.getLogger(__name__)

CONNECT_SECONDS = 10
LARGE = 100_000
"""Estimates of a server are told from this many rows on; smaller tables are better counted than estimated."""

_SQLGLOT = {"postgresql": "postgres", "mssql": "tsql", "awsathena": "athena", "clickhousedb": "clickhouse"}
LOCKS = {"oracle": "SET TRANSACTION READ ONLY", "trino": "START TRANSACTION READ ONLY"}
_READS = re.compile(r"\s*\(*\s*(select|with|values|table)\b", re.IGNORECASE)


class Engine:
    """One kind of server. Holds no connection; every method is given one."""

    driver_package = ""
    extra = ""

    def __init__(self, url: sa.URL) -> None:
        self.url = url
        self.scheme = url.get_backend_name()
        self.dialect = _SQLGLOT.get(self.scheme, self.scheme)

    # Connections

    def connect_args(self) -> dict[str, Any]:
        return {}

    def create_pool(self) -> sa.Engine:
        import sqlalchemy as sa

        try:
            return sa.create_engine(
                self.url, pool_pre_ping=True, pool_size=4, max_overflow=12, connect_args=self.connect_args()
            )
        except ImportError as error:  # the driver, or a library that it needs
            if self.extra:
                raise MissingExtraError(self.driver_package, self.extra, f"ask {self.scheme} databases") from error
            raise UsageError(
                f"The driver {error.name!r} for {self.url.drivername} is not installed.",
                hint=f"Install it: pip install {error.name}",
            ) from error
        except (TypeError, ValueError, sa.exc.ArgumentError) as error:
            raise UsageError(f"The address of the {self.scheme} database is wrong: {self.message(error)}") from error

    def lock(self, connection: sa.Connection) -> None:
        """Begin a transaction in which nothing can be written; it is rolled back when the connection is given back."""
        if self.scheme in LOCKS:
            connection.exec_driver_sql(LOCKS[self.scheme])

    def stopper(self, connection: sa.Connection, pool: sa.Engine) -> Callable[[], None]:
        """A function that stops what the connection runs, from another thread, and never raises."""
        raw: Any = connection.connection.driver_connection
        stop = getattr(raw, "cancel", None) or raw.close

        def call() -> None:
            try:
                stop()
            except Exception as error:  # of the driver's own kinds; the query then ends by itself or not at all
                log.debug("the query could not be stopped: %s", error)

        return call

    # Queries

    def run(self, connection: sa.Connection, sql: str, limits: Limits, source: str, stop: Callable[[], None]) -> Table:
        """Run one statement and collect its rows. QueryError or QueryTimeoutError when it fails.

        `stop` is this connection's `stopper`, for drivers that cannot leave rows unread.
        """
        self.require_read(sql)
        with self.errors(""):
            result = connection.execution_options(stream_results=True, no_parameters=True).exec_driver_sql(sql)
            if not result.returns_rows:
                raise QueryError("The statement returns no rows: only a single SELECT may run.")
            columns = [ResultColumn(str(name)) for name in result.keys()]  # noqa: SIM118 - not a dictionary
            return collect_rows(result.fetchmany, columns, limits, source)

    def require_read(self, sql: str) -> None:
        """Where a transaction does not stop all that is no query (SET GLOBAL, CALL, KILL), its first word does."""
        if not _READS.match(sql):
            raise QueryError("Only statements that begin with SELECT, WITH, VALUES or TABLE may run.")

    # Structure

    def is_system(self, schema: str) -> bool:
        return schema.lower() in {"information_schema", "pg_catalog", "sys", "system"}

    def has_tables(self, connection: sa.Connection, schema: str) -> bool:
        import sqlalchemy as sa

        inspector = sa.inspect(connection)
        return bool(inspector.get_table_names(schema) or inspector.get_view_names(schema))

    def row_estimates(self, connection: sa.Connection, schemas: Sequence[str | None]) -> dict[tuple[str, str], int]:
        """Rows of large tables by (schema, table), as far as the server knows them without counting."""
        return {}

    def versions(self, connection: sa.Connection, schemas: Sequence[str | None]) -> tuple[str, str]:
        """Two texts: one changes when tables or columns do, the other when rows may have. Empty: cannot be told."""
        import sqlalchemy as sa

        inspector = sa.inspect(connection)
        with self.errors("The tables cannot be listed"):
            names = [(schema, sorted(inspector.get_table_names(schema))) for schema in schemas]
        return repr(names), ""

    def profile_dialect(self) -> ProfileDialect:
        from querist.sources.profile import ProfileDialect

        preparer = self.url.get_dialect()().identifier_preparer
        return ProfileDialect(self.dialect, quote=preparer.quote_identifier)

    def warnings(self, connection: sa.Connection) -> list[str]:
        if self.scheme in LOCKS:
            return []
        return [
            f"Querist cannot open {self.scheme} read-only: only its check of each query protects the data. "
            "Use a database user who may only read."
        ]

    # Errors

    @contextlib.contextmanager
    def errors(self, context: str, kind: type[DataError] = QueryError) -> Iterator[None]:
        """Turn whatever SQLAlchemy and the driver raise into `kind`, with the server's own words after the context."""
        import sqlalchemy as sa

        kinds: tuple[type[Exception], ...] = (sa.exc.SQLAlchemyError, *self.driver_errors())
        try:
            yield
        except QueristError:
            raise
        except kinds as error:
            message = self.message(error)
            raise kind(f"{context}: {message}" if context else message, hint=self.query_hint(error)) from error

    @contextlib.contextmanager
    def connection_errors(self, where: str) -> Iterator[None]:
        import sqlalchemy as sa

        kinds: tuple[type[Exception], ...] = (sa.exc.SQLAlchemyError, *self.driver_errors(), OSError)
        try:
            yield
        except kinds as error:
            reason, hint = self.why_no_connection(self.message(error), original(error))
            raise SourceAccessError(f"{where}: {reason}", hint=hint) from error

    def driver_errors(self) -> tuple[type[Exception], ...]:
        return ()

    def why_no_connection(self, message: str, error: BaseException) -> tuple[str, str]:
        """What went wrong, in plain words, and what to do about it."""
        return f"no connection ({message})", "Check host, port, user, password and database in the address."

    def query_hint(self, error: BaseException) -> str:
        return ""

    def message(self, error: BaseException) -> str:
        """The server's words on one line, without the password."""
        text = " ".join(str(original(error)).split())
        secret = str(self.url.password or "")
        return text.replace(secret, "***") if len(secret) > 2 else text


def original(error: BaseException) -> BaseException:
    """The driver's error inside of SQLAlchemy's."""
    return getattr(error, "orig", None) or error


NETWORK_REASONS: Sequence[tuple[tuple[str, ...], str, str]] = (
    (
        ("could not translate host", "failed to resolve host", "name or service not known", "nodename nor servname"),
        "there is no host of that name",
        "Check the host in the address, and whether this machine reaches its network (VPN?).",
    ),
    (
        ("connection refused", "no such file or directory"),
        "nothing listens there",
        "Check host and port, and whether the server runs.",
    ),
    (
        ("timeout expired", "timed out"),
        f"the server does not answer within {CONNECT_SECONDS} s",
        "Check host and port, and whether a firewall stands between.",
    ),
    (
        ("ssl", "tls", "certificate"),
        "the encrypted connection failed",
        "Check the server's certificate and the sslmode or ssl_… parameters of the address.",
    ),
)


def network_reason(message: str) -> tuple[str, str] | None:
    """Reason and hint for what can go wrong before a server has a say."""
    lowered = message.lower()
    for words, reason, hint in NETWORK_REASONS:
        if any(word in lowered for word in words):
            return f"{reason} ({message})", hint
    return None
