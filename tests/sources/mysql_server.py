"""The MySQL or MariaDB that QUERIST_TEST_MYSQL_URL names, for tests: an empty database that they may fill."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import pymysql

VARIABLE = "QUERIST_TEST_MYSQL_URL"
REASON = f"{VARIABLE} is not set (mysql+pymysql://user:password@host:port/database, an empty database)"


@contextmanager
def empty_database() -> Iterator[tuple[str, pymysql.Connection[Any]]]:
    """The address, and a connection that commits at once. What the test leaves in the database is dropped."""
    text = os.environ.get(VARIABLE)
    if not text:
        pytest.skip(REASON)
    import pymysql
    import sqlalchemy as sa

    url = sa.make_url(text)
    connection = pymysql.connect(
        host=url.host or "127.0.0.1",
        port=url.port or 3306,
        user=url.username,
        password=str(url.password or ""),
        database=url.database,
        autocommit=True,
    )
    try:
        if found := _tables(connection):
            pytest.fail(f"{VARIABLE} must name an empty database; {url.database} has {', '.join(sorted(found))}")
        with connection.cursor() as cursor:
            cursor.execute("ALTER DATABASE CHARACTER SET utf8mb4")
        try:
            yield text, connection
        finally:
            with connection.cursor() as cursor:
                cursor.execute("SET FOREIGN_KEY_CHECKS = 0")
                for name, kind in _tables(connection).items():
                    cursor.execute(f"DROP {'VIEW' if kind == 'VIEW' else 'TABLE'} `{name}`")
    finally:
        connection.close()


def _tables(connection: pymysql.Connection[Any]) -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SHOW FULL TABLES")
        return dict(cursor.fetchall())
