"""SQLite files as they are found: odd schemas, odd values, and statements that must not get through."""

from __future__ import annotations

import os
import signal
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from querist.errors import QueryError, SourceAccessError, SourceFormatError, SourceNotFoundError
from querist.sources.base import ForeignKey, Limits, TableSchema
from querist.sources.sqlite import SqliteSource

Make = Callable[[str], SqliteSource]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def build(script: str) -> SqliteSource:
        con = sqlite3.connect(tmp_path / "data.sqlite")
        con.executescript(script)
        con.commit()
        con.close()
        return SqliteSource("data", tmp_path / "data.sqlite")

    return build


def _table(source: SqliteSource, name: str) -> TableSchema:
    table = source.schema().table(name)
    assert table is not None
    return table


def test_foreign_key_without_columns_points_to_the_primary_key(make: Make) -> None:
    source = make(
        "CREATE TABLE Town (t INTEGER PRIMARY KEY); CREATE TABLE p (id INTEGER, town INTEGER REFERENCES town);"
    )
    assert _table(source, "p").foreign_keys == (ForeignKey(("town",), "Town", ("t",)),)


def test_foreign_keys_of_several_columns_and_in_order(make: Make) -> None:
    source = make(
        """CREATE TABLE a (x INTEGER, y INTEGER, PRIMARY KEY (x, y));
        CREATE TABLE b (z INTEGER PRIMARY KEY);
        CREATE TABLE c (p INTEGER, q INTEGER, r INTEGER REFERENCES b (z), FOREIGN KEY (p, q) REFERENCES a);"""
    )
    assert _table(source, "c").foreign_keys == (
        ForeignKey(("r",), "b", ("z",)),
        ForeignKey(("p", "q"), "a", ("x", "y")),
    )


def test_foreign_key_to_a_table_that_is_gone_is_left_out(make: Make) -> None:
    assert _table(make("CREATE TABLE a (x INTEGER REFERENCES gone (id))"), "a").foreign_keys == ()


def test_primary_key_of_several_columns_is_in_its_own_order(make: Make) -> None:
    source = make("CREATE TABLE a (x INTEGER, y TEXT, PRIMARY KEY (y, x)) WITHOUT ROWID; INSERT INTO a VALUES (1, 'k')")
    assert _table(source, "a").primary_key == ("y", "x")
    assert source.profile().tables[0].row_count == 1


def test_views_are_tables_too(make: Make) -> None:
    source = make(
        "CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1), (2); CREATE VIEW v AS SELECT x, x * 2.5 AS y FROM a"
    )
    view = _table(source, "v")
    assert view.is_view
    assert [(c.name, c.kind) for c in view.columns] == [("x", "integer"), ("y", "number")]
    assert source.profile().table("v") is not None


def test_view_over_a_missing_table_does_not_spoil_the_rest(make: Make) -> None:
    source = make("CREATE TABLE a (x INTEGER); CREATE TABLE b (x); CREATE VIEW v AS SELECT * FROM b; DROP TABLE b;")
    assert _table(source, "v").notes[0].startswith("cannot be used")
    assert source.profile().table("a") is not None


def test_virtual_table_of_a_missing_module_does_not_spoil_the_rest(make: Make) -> None:
    source = make(
        """CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (7); PRAGMA writable_schema = ON; INSERT INTO sqlite_master
        VALUES ('table', 'near', 'near', 0, 'CREATE VIRTUAL TABLE near USING of_another_program()')"""
    )
    assert _table(source, "near").notes == ("cannot be used: no such module: of_another_program",)
    assert source.execute("SELECT x FROM a").scalar() == 7
    assert source.profile().table("a") is not None


def test_declared_types_become_kinds(make: Make) -> None:
    types = {
        "INTEGER": "integer",
        "VARCHAR(20)": "text",
        "DOUBLE PRECISION": "number",
        "DECIMAL(10,2)": "number",
        "BOOLEAN": "boolean",
        "DATE": "date",
        "DATETIME": "datetime",
        "TIMESTAMP": "datetime",
        "TIME": "time",
        "BLOB": "binary",
        "YEAR": "integer",
    }
    columns = ", ".join(f"c{i} {kind}" for i, kind in enumerate(types))
    assert [c.kind for c in _table(make(f"CREATE TABLE t ({columns})"), "t").columns] == list(types.values())


def test_columns_without_a_type_are_judged_by_their_values(make: Make) -> None:
    source = make("CREATE TABLE t (a, b, c, d); INSERT INTO t VALUES (1, 'x', 1, NULL), (2, 'y', 2.5, NULL)")
    assert [c.kind for c in _table(source, "t").columns] == ["integer", "text", "number", "other"]


def test_comments_in_the_create_statement_are_kept(make: Make) -> None:
    source = make(
        """CREATE TABLE loans ( -- what was lent
            id INTEGER, -- number of the loan
            "due on" TEXT DEFAULT '--', -- last day
            -- a line of its own
            [back] TEXT
        )"""
    )
    table = _table(source, "loans")
    assert table.comment == "what was lent"
    assert [c.comment for c in table.columns] == ["number of the loan", "last day", ""]


def test_index_tables_of_full_text_search_are_not_shown(make: Make) -> None:
    source = make("CREATE VIRTUAL TABLE docs USING fts5(body); INSERT INTO docs VALUES ('hello')")
    assert [t.name for t in source.schema().tables] == ["docs"]
    assert source.execute("SELECT count(*) FROM docs WHERE docs MATCH 'hello'").scalar() == 1


def test_names_with_quotes_and_key_words(make: Make) -> None:
    source = make(
        'CREATE TABLE "order ""x""" ("select" INTEGER, "a b" TEXT); INSERT INTO "order ""x""" VALUES (1, \'y\')'
    )
    assert source.schema().tables[0].name == 'order "x"'
    assert source.profile().tables[0].columns[1].examples == ("y",)


def test_text_that_is_not_utf8_can_be_read(make: Make) -> None:
    source = make("CREATE TABLE t (x TEXT); INSERT INTO t VALUES (CAST(X'4A6F73E9' AS TEXT))")
    assert source.execute("SELECT x FROM t").scalar() == "José"


def test_numbers_in_text_columns_are_noticed(make: Make) -> None:
    source = make("CREATE TABLE t (x TEXT, zip TEXT); INSERT INTO t VALUES ('1.5', '01234'), ('2', '00987')")
    columns = source.profile().tables[0].columns
    assert [c.numeric_text for c in columns] == [True, False]


def test_dates_in_text_columns_have_their_format_told(make: Make) -> None:
    source = make("CREATE TABLE t (x TEXT, y TEXT); INSERT INTO t VALUES ('13/01/2024', 'a'), ('02/03/2024', 'b')")
    assert [c.date_format for c in source.profile().tables[0].columns] == ["%d/%m/%Y", ""]


@pytest.mark.parametrize(
    "sql",
    [
        "ATTACH '{folder}/other.sqlite' AS o",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA table_info(t)",
        "PRAGMA query_only = OFF",
        "VACUUM INTO '{folder}/copy.sqlite'",
        "SELECT load_extension('x')",
        "SELECT writefile('{folder}/out', 'x')",
        "CREATE TEMP TABLE y (x)",
        "SAVEPOINT s",
        "BEGIN",
        "REINDEX",
        "ANALYZE",
        "WITH n AS (SELECT 1) DELETE FROM t",
        "REPLACE INTO t VALUES (5)",
        "EXPLAIN DELETE FROM t",
        "",
    ],
)
def test_statement_may_only_read(make: Make, tmp_path: Path, sql: str) -> None:
    source = make("CREATE TABLE t (x INTEGER); INSERT INTO t VALUES (1)")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(QueryError):
        source.execute(sql.format(folder=tmp_path))
    assert sorted(tmp_path.iterdir()) == before
    assert source.execute("SELECT * FROM t").rows == ((1,),)


def test_query_cannot_make_a_cell_of_gigabytes(make: Make) -> None:
    with pytest.raises(QueryError, match="too big"):
        make("CREATE TABLE t (x INTEGER)").execute("SELECT zeroblob(900000000)")


def test_ctrl_c_stops_a_query(make: Make) -> None:
    source = make("CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (7)")
    threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt) as stopped:
        endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
        source.execute(endless, Limits(seconds=3))
    assert isinstance(stopped.value.__cause__, sqlite3.OperationalError), "and not only when its time is up"
    assert source.execute("SELECT x FROM a").scalar() == 7


def test_schema_and_fingerprint_follow_the_file(make: Make) -> None:
    source = make("CREATE TABLE t (x INTEGER)")
    before = source.fingerprint(), source.schema()
    make("CREATE TABLE u (y INTEGER); INSERT INTO u VALUES (1)")
    assert source.fingerprint() != before[0]
    assert [t.name for t in source.schema().tables] == ["t", "u"]


def test_changes_in_the_write_ahead_log_are_seen(make: Make, tmp_path: Path) -> None:
    source = make("PRAGMA journal_mode = WAL; CREATE TABLE t (x INTEGER)")
    before = source.fingerprint()
    writer = sqlite3.connect(tmp_path / "data.sqlite")
    writer.execute("INSERT INTO t VALUES (7)")
    writer.commit()
    assert source.execute("SELECT x FROM t").scalar() == 7
    assert source.fingerprint() != before
    writer.close()


@pytest.fixture
def read_only_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder that may be read only, also when the tests run as root."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sqlite3.connect(folder / "data.sqlite").executescript(
            "PRAGMA journal_mode = WAL; CREATE TABLE t (x INTEGER); INSERT INTO t VALUES (7)"
        ).connection.close()
        (folder / "logged.sqlite").write_bytes((folder / "data.sqlite").read_bytes())
        (folder / "logged.sqlite-wal").write_bytes(b"what was written since")
        folder.chmod(0o555)
        for path in folder.iterdir():
            path.chmod(0o444)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        try:
            yield folder
        finally:
            os.seteuid(user)
            folder.chmod(0o700)


def test_write_ahead_database_in_a_read_only_folder_is_read(read_only_folder: Path) -> None:
    source = SqliteSource("data", read_only_folder / "data.sqlite")
    assert source.execute("SELECT x FROM t").scalar() == 7
    assert [t.name for t in source.schema().tables] == ["t"]


def test_a_log_of_changes_that_cannot_be_read_is_not_left_out_in_silence(read_only_folder: Path) -> None:
    with pytest.raises(SourceAccessError, match="cannot be read") as refusal:
        SqliteSource("logged", read_only_folder / "logged.sqlite").execute("SELECT x FROM t")
    assert "-wal file" in refusal.value.hint


def test_damaged_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "data.sqlite"
    path.write_bytes(b"SQLite format 3\x00" + b"\x01" * 4000)
    with pytest.raises(SourceFormatError, match=r"data\.sqlite"):
        SqliteSource("data", path).schema()


def test_missing_file_is_an_error_and_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFoundError):
        SqliteSource("data", tmp_path / "none.sqlite").schema()
    assert list(tmp_path.iterdir()) == []
