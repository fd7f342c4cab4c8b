"""Servers that several tests share."""

from __future__ import annotations

import pytest

from tests.sources.postgres_server import PostgresServer, shared_postgres


@pytest.fixture(scope="session")
def postgres() -> PostgresServer:
    """A real PostgreSQL; tests make their own databases in it."""
    return shared_postgres()
