"""Database servers: PostgreSQL, MySQL and MariaDB, and any other for which SQLAlchemy has a dialect.

Here: the address, the pool of connections, and one query from lock to result. How an engine is locked and stopped is in
`sql_engine.py`, how its tables are described in `sql_schema.py`. Not for SQLite and DuckDB files: they have their own.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from querist.errors import DataError, QueryError, QueryTimeoutError, SourceAccessError, UsageError
from querist.sources.base import Limits, Profile, Schema, Source
from querist.sources.running import RunningQuery, timeout_error
from querist.sources.sql_address import engine_for, split_url
from querist.sources.sql_engine import Engine

if TYPE_CHECKING:
    import sqlalchemy as sa

    from querist.sources.table import Table

log = logging.getLogger(__name__)

PROFILE_SECONDS = 3600
"""A busy server changes all the time; a profile of the same tables that is not older than this is good enough."""


@dataclass
class SqlSource(Source):
    """Tables and views of a database server.

    `url` is an SQLAlchemy URL; `postgres://`, `postgresql://`, `mysql://` and `mariadb://` are enough. Two of its
    parameters are Querist's own: `schema` (names separated by commas, or `*` for all; by default the schema that the
    server takes for unqualified names, or all when that one is empty) and `allow_unlocked=true` (`docs/security.md`).

    Raises:
        UsageError: the URL makes no sense, or the server cannot be opened read-only and `allow_unlocked` is not given.
        MissingExtraError: the driver is not installed.
    """

    url: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        self._url, self._schemas, allow_unlocked = split_url(self.url)
        self._engine: Engine = engine_for(self._url, allow_unlocked=allow_unlocked)
        self.dialect = self._engine.dialect
        self._pool: sa.Engine = self._engine.create_pool()
        self._lock = threading.Lock()
        self._running: set[RunningQuery] = set()
        self._schema: tuple[str, Schema] | None = None
        self._profile: tuple[int, str, Profile] | None = None
        self._closed = False

    def fingerprint(self) -> str:
        """See `Source`. Servers do not tell reliably when data changed: this is their own count of written rows (which
        PostgreSQL may report a second late) or times of change (which MySQL forgets when it restarts), and for other
        servers only the structure of the tables."""
        with self._connect() as connection:
            structure, data = self._engine.versions(connection, self.schema_names(connection))
        return self._digest(structure, data)

    def schema(self) -> Schema:
        """See `Source`. Kept while the structure of the tables is the same; row counts are estimates of the server."""
        from querist.sources.sql_schema import read_schema

        with self._connect() as connection:
            names = self.schema_names(connection)
            version = self._engine.versions(connection, names)[0]
            if version and self._schema is not None and self._schema[0] == version:
                return self._schema[1]
            with self._engine.errors(f"The tables of {self.describe()} cannot be listed"):
                schema = read_schema(connection, self._engine, names)
        self._schema = (version, schema)
        return schema

    def profile(self) -> Profile:
        """See `Source`. While rows change but tables do not, it may be up to an hour old."""
        from querist.sources.profile import build_profile
        from querist.sources.profile_store import load_profile, store_profile

        with self._connect() as connection:
            structure, data = self._engine.versions(connection, self.schema_names(connection))
        now = self._digest(structure, data)
        hour = int(time.time() // PROFILE_SECONDS)
        recent = self._digest(structure, f"hour {hour}")
        kept = self._profile
        if kept is not None and ((data and kept[2].fingerprint == now) or kept[:2] == (hour, structure)):
            return dataclasses.replace(kept[2], fingerprint=now)
        profile = (load_profile(now) if data else None) or load_profile(recent)
        if profile is None:
            profile = build_profile(self, self._engine.profile_dialect())
            store_profile(dataclasses.replace(profile, fingerprint=recent))
            if data:  # else the server does not tell when it is another
                store_profile(dataclasses.replace(profile, fingerprint=now))
        self._profile = (hour, structure, profile)  # not as that of the data now: it may be of earlier ones
        return dataclasses.replace(profile, fingerprint=now)

    def execute(self, sql: str, limits: Limits = Limits()) -> Table:
        with self._connect() as connection:
            stop = self._engine.stopper(connection, self._pool)
            with RunningQuery(stop, limits.seconds) as run:
                with self._lock:
                    self._running.add(run)
                failure: DataError | None = None
                try:
                    table = self._engine.run(connection, sql, limits, self.name, stop)
                except (QueryError, QueryTimeoutError) as error:
                    failure = error
                finally:
                    with self._lock:
                        self._running.discard(run)
            if run.timed_out or run.cancelled:
                # A request to stop may still be on its way to the server: it must not meet the next query. And a
                # stopped query may look as if it had ended well (MySQL's SLEEP does).
                connection.invalidate()
                if run.cancelled:
                    raise QueryError("The query was interrupted.") from failure
                raise timeout_error(limits) from failure
            if failure is not None:
                raise failure
            return table

    def interrupt(self) -> None:
        with self._lock:
            for run in self._running:
                run.cancel()

    def close(self) -> None:
        self._closed = True
        self.interrupt()
        self._pool.dispose()

    def describe(self) -> str:
        url = self._url
        place = f"{url.host or 'localhost'}{f':{url.port}' if url.port else ''}/{url.database or ''}"
        user = f"{url.username}@" if url.username else ""
        return f"{self._engine.scheme}://{user}{place}"

    def warnings(self) -> list[str]:
        """What the person who gave the address should know: rights that a read-only transaction does not take away."""
        with self._connect() as connection:
            try:
                return self._engine.warnings(connection)
            except QueryError as error:
                return [f"The rights of this user cannot be told: {error.message}"]

    def schema_names(self, connection: sa.Connection) -> list[str | None]:
        """Database schemas whose tables are shown; None stands for the default one."""
        import sqlalchemy as sa

        with self._engine.errors(f"The tables of {self.describe()} cannot be listed"):
            inspector = sa.inspect(connection)
            default = inspector.default_schema_name
            if self._schemas and self._schemas != ("*",):
                return [None if name == default else name for name in self._schemas]
            if not self._schemas and default and self._engine.has_tables(connection, default):
                return [None]
            names = [name for name in inspector.get_schema_names() if not self._engine.is_system(name)]
            return [None if name == default else name for name in names]

    def _digest(self, structure: str, data: str) -> str:
        return hashlib.sha256("\0".join((self.describe(), repr(self._schemas), structure, data)).encode()).hexdigest()[
            :32
        ]

    @contextlib.contextmanager
    def _connect(self) -> Iterator[sa.Connection]:
        if self._closed:
            raise UsageError(f"The source {self.name!r} is closed.")
        with self._engine.connection_errors(self.describe()):
            connection = self._pool.connect()
        try:
            with self._engine.errors(f"{self.describe()} cannot be opened read-only", SourceAccessError):
                self._engine.lock(connection)
            yield connection
        finally:
            # Whatever happened is undone; a connection that is broken has nothing left to undo.
            try:
                if not connection.invalidated:
                    connection.rollback()
            except Exception as error:  # the driver's own kinds, of which there are many
                log.debug("rollback failed, the connection is dropped: %s", error)
                connection.invalidate()
            finally:
                connection.close()
