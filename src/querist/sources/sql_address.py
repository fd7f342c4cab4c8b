"""The address of a database server: what it says, and which engine it stands for.

A server for which no lock is known is opened only when the address says `allow_unlocked=true`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from querist.errors import UsageError
from querist.sources.sql_engine import LOCKS, Engine

if TYPE_CHECKING:
    import sqlalchemy as sa

_DRIVERS = {"postgres": "postgresql", "mariadb": "mysql"}
_OWN_DRIVERS = {"postgresql": "psycopg", "mysql": "pymysql"}
"""One driver for each: another one in the address says which one another program uses."""


def split_url(text: str) -> tuple[sa.URL, tuple[str, ...], bool]:
    """The address for SQLAlchemy, the schemas that it names, and whether it allows a server that cannot be locked."""
    import sqlalchemy as sa

    scheme, mark, rest = text.partition("://")
    backend = scheme.partition("+")[0].lower()
    backend = _DRIVERS.get(backend, backend)
    try:
        url = sa.make_url(f"{scheme.lower() if backend not in _OWN_DRIVERS else backend}{mark}{rest}")
    except (sa.exc.ArgumentError, ValueError) as error:
        # SQLAlchemy's message holds the whole address, with the password.
        raise UsageError(
            f"The address of the {backend if mark else 'database'} server is not readable.",
            hint="Write it as postgresql://user:password@host:5432/database; write @ in a password as %40, / as %2F.",
        ) from _without_text(error)
    if backend in {"sqlite", "duckdb"}:
        raise UsageError(f"{backend} databases are files.", hint=f"Name the file itself: {url.database or 'data.db'}")
    if backend in _OWN_DRIVERS:
        url = url.set(drivername=f"{backend}+{_OWN_DRIVERS[backend]}")
    wanted = url.query.get("schema", ())
    schemas = tuple(n.strip() for part in ([wanted] if isinstance(wanted, str) else wanted) for n in part.split(","))
    unlocked = url.query.get("allow_unlocked", "")
    return url.difference_update_query(["schema", "allow_unlocked"]), schemas, unlocked in {"true", "1", "yes"}


def engine_for(url: sa.URL, *, allow_unlocked: bool) -> Engine:
    backend = url.get_backend_name()
    if backend == "postgresql":
        from querist.sources.sql_postgres import Postgres

        return Postgres(url)
    if backend == "mysql":
        from querist.sources.sql_mysql import MySql

        return MySql(url)
    _check_dialect(url)
    if backend not in LOCKS and not allow_unlocked:
        raise UsageError(
            f"Querist cannot open {backend} read-only, so only its check of the query would protect the data.",
            hint="Use a database user who may only read, and say so: add ?allow_unlocked=true to the address.",
        )
    return Engine(url)


def _check_dialect(url: sa.URL) -> None:
    """Raise for an address of a kind that nothing here knows."""
    import difflib

    import sqlalchemy as sa

    try:
        url.get_dialect()
    except sa.exc.NoSuchModuleError as error:
        known = ["postgresql", "mysql", "mariadb", "sqlite", "duckdb", "oracle", "mssql"]
        near = difflib.get_close_matches(url.get_backend_name(), known, n=1)
        raise UsageError(
            f"There is no SQLAlchemy dialect {url.drivername!r} here.",
            hint=f"Did you mean {near[0]}://?"
            if near
            else "For a database, install the package that brings its dialect. Files are fetched by http:// and "
            "https:// only; fetch others first, and name them by their path.",
        ) from error


def _without_text(error: Exception) -> Exception:
    return type(error)()
