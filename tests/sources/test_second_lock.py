"""The engines of files, asked directly with what the guard refuses: nothing is written, and no file is read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from querist.errors import QueryError, QueryTimeoutError
from querist.sources.base import Limits, Source
from querist.sources.duckdb_engine import DuckDbEngine
from querist.sources.duckdb_file import DuckDbSource
from querist.sources.files import FileSource
from querist.sources.sqlite import SqliteSource
from tests.sources.guard_cases import REFUSED

SECRET = "word-that-must-not-come-out"
TRIED = {"read_only", "one_statement", "file_access", "table_function", "function"}
"""Rules whose statements could do harm; the others are about names and syntax."""
QUICK = Limits(seconds=2, rows=1_000, bytes=1_000_000)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data for each engine, and a file beside them that is none of the data."""
    folder = tmp_path_factory.mktemp("lock")
    (folder / "secret.csv").write_text(f"a\n{SECRET}\n")
    (folder / "customers.csv").write_text("id,name\n1,Ada\n")
    statements = "CREATE TABLE customers (id INTEGER, name TEXT); INSERT INTO customers VALUES (1, 'Ada');"
    con = sqlite3.connect(folder / "shop.sqlite")
    con.executescript(statements)
    con.close()
    with duckdb.connect(str(folder / "shop.duckdb")) as other:
        other.execute(statements)
    return folder


@pytest.fixture(scope="module")
def sources(folder: Path) -> Iterator[dict[str, Source]]:
    made: dict[str, Source] = {
        "sqlite": SqliteSource("s", folder / "shop.sqlite"),
        "duckdb": DuckDbSource("d", folder / "shop.duckdb"),
        "files": FileSource("f", paths=(folder / "customers.csv",)),
    }
    yield made
    for source in made.values():
        source.close()


CASES = [
    (kind, sql.replace("/etc/passwd", "{secret}").replace("secrets.csv", "{secret}").replace("/tmp/", "{folder}/out-"))
    for kind, dialects in (("sqlite", {"sqlite"}), ("duckdb", {"duckdb"}), ("files", {"duckdb"}))
    for dialect, rule, sql in REFUSED
    if dialect in dialects and rule in TRIED
]
CASES += [
    (kind, sql)
    for kind in ("duckdb", "files")
    for sql in (
        "SET lock_configuration = false",
        "RESET enable_external_access",
        "SET allowed_directories = ['/']",
        "CREATE SECRET x (TYPE s3)",
        "SELECT * FROM sqlite_scan('{folder}/shop.sqlite', 'customers')",
        "COPY (SELECT 1) TO '{folder}/out-x.parquet'",
        "USE memory",
        "SELECT content FROM read_text('{secret}')",
    )
]


@pytest.mark.parametrize(("kind", "sql"), CASES)
def test_the_engine_neither_writes_nor_reads_other_files(
    kind: str, sql: str, sources: dict[str, Source], folder: Path
) -> None:
    try:
        table = sources[kind].execute(
            sql.replace("{secret}", str(folder / "secret.csv")).replace("{folder}", str(folder)), QUICK
        )
    except (QueryError, QueryTimeoutError):
        pass  # refused by the engine
    else:
        assert SECRET not in str(table.rows)
    assert sources[kind].execute("SELECT id, name FROM customers").rows == ((1, "Ada"),)
    assert list(folder.glob("out-*")) == []


@pytest.mark.parametrize("kind", ["duckdb", "files"])
def test_the_settings_of_the_engine_are_locked_for_whatever_reaches_it(kind: str, sources: dict[str, Source]) -> None:
    source = sources[kind]
    assert isinstance(source, DuckDbEngine)
    with pytest.raises(duckdb.InvalidInputException, match="locked"):
        source._current().execute("SET memory_limit = '100GB'")
