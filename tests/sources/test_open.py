"""From what people write to open sources, and what they are told when it does not work."""

from __future__ import annotations

import http.server
import os
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from querist.errors import (
    SourceAccessError,
    SourceFormatError,
    SourceNotFoundError,
    UsageError,
)
from querist.sources import download
from querist.sources.base import Source
from querist.sources.open import open_sources
from querist.state.paths import cache_dir


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "sales"
    (folder / "archive").mkdir(parents=True)
    (folder / "orders.csv").write_text("id,n\n1,2\n")
    (folder / "people.json").write_text('[{"id": 1}]')
    (folder / "archive" / "old.csv").write_text("id,n\n1,2\n")
    (folder / ".hidden.csv").write_text("id,n\n1,2\n")
    (folder / "~$book.xlsx").write_text("lock")
    (folder / "README.txt").write_text("Read me, please.")
    sqlite3.connect(folder / "shop.db").executescript("CREATE TABLE t (x INTEGER)")
    duckdb.connect(str(folder / "facts.duckdb")).execute("CREATE TABLE t (x INTEGER)").close()
    return folder


@pytest.fixture
def somebody_elses(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to take rights away from, which then holds also when the tests run as root."""
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory() as home:
        folder = Path(name)
        (folder / "orders.csv").write_text("id,n\n1,2\n")
        (folder / "people.csv").write_text("id,n\n3,4\n")
        monkeypatch.setenv("QUERIST_HOME", home)
        user = os.geteuid()
        if user == 0:
            for path in (folder, *folder.iterdir(), Path(home)):
                os.chown(path, 65534, -1)
            os.seteuid(65534)
        try:
            yield folder
        finally:
            os.seteuid(user)
            folder.chmod(0o700)


def _tables(sources: list[Source]) -> dict[str, list[str]]:
    found = {source.name: [table.name for table in source.schema().tables] for source in sources}
    for source in sources:
        source.close()
    return found


def test_folder_gives_its_files_in_one_source_and_each_database_as_its_own(data: Path) -> None:
    assert _tables(open_sources([data])) == {"files": ["orders", "people", "old"], "facts": ["t"], "shop": ["t"]}


def test_single_file_names_the_source(data: Path) -> None:
    assert _tables(open_sources([str(data / "orders.csv")])) == {"orders": ["orders"]}


def test_file_named_in_two_ways_comes_once(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(data)
    (data / "orders_2.csv").write_text("id,n\n1,2\n")
    with closing(open_sources([data / "orders_2.csv", "orders_2.csv", "archive/../orders_*.csv"])[0]) as source:
        assert [(table.name, table.row_count) for table in source.schema().tables] == [("orders_2", 1)]


def test_several_specs_are_joinable_and_a_file_named_twice_comes_once(data: Path) -> None:
    (source,) = open_sources([data / "orders.csv", data / "people.json", data / "orders.csv"])
    assert source.execute("SELECT n FROM orders JOIN people USING (id)").scalar() == 2
    source.close()


def test_patterns_are_expanded(data: Path) -> None:
    assert _tables(open_sources([str(data / "*.csv")])) == {"orders": ["orders"]}
    assert _tables(open_sources([str(data / "**" / "*.csv")])) == {"files": ["old", "orders"]}


def test_home_folder_and_file_addresses_are_understood(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(data))
    assert _tables(open_sources(["~/orders.csv"])) == {"orders": ["orders"]}
    assert _tables(open_sources([(data / "orders.csv").as_uri()])) == {"orders": ["orders"]}


def test_database_is_known_by_its_content_not_its_name(data: Path) -> None:
    (data / "shop.db").rename(data / "shop.bin")
    (source,) = open_sources([data / "shop.bin"])
    assert source.dialect == "sqlite"


def test_text_without_an_ending_is_tried_as_a_table(data: Path) -> None:
    (data / "export").write_text("a;b\n1;2\n")
    assert _tables(open_sources([data / "export"])) == {"export": ["export"]}


def test_given_names_are_used_in_order(data: Path) -> None:
    assert list(_tables(open_sources([data], names=["plain", "duck"]))) == ["plain", "duck", "shop"]


def test_unreadable_files_of_a_folder_do_not_hide_its_databases(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{not json")
    sqlite3.connect(tmp_path / "shop.db").executescript("CREATE TABLE t (x INTEGER)")
    assert _tables(open_sources([tmp_path])) == {"shop": ["t"]}
    (tmp_path / "shop.db").unlink()
    with pytest.raises(SourceFormatError, match=r"broken\.json"):
        open_sources([tmp_path])


def test_damaged_database_of_a_folder_does_not_hide_the_rest(data: Path, caplog: pytest.LogCaptureFixture) -> None:
    (data / "facts.duckdb").write_bytes(b"\x00" * 8 + b"DUCK" + b"\x01" * 5000)
    assert list(_tables(open_sources([data]))) == ["files", "shop"]
    assert "facts.duckdb is left out" in caplog.text
    with pytest.raises(SourceFormatError):
        open_sources([data / "facts.duckdb"])


def test_database_files_may_be_written_as_urls(data: Path) -> None:
    assert _tables(open_sources([f"sqlite:///{data}/shop.db", f"duckdb:///{data}/facts.duckdb"])) == {
        "shop": ["t"],
        "facts": ["t"],
    }


@pytest.mark.parametrize(
    ("spec", "message", "hint"),
    [
        ("orders.cvs", "no file or folder", "Did you mean orders.csv?"),
        ("nothing.at.all", "no file or folder", "holds README.txt"),
        ("gone/orders.csv", "no file or folder", "holds README.txt"),
        ("*.parquet", "Nothing matches", "holds README.txt"),
    ],
)
def test_missing_data_are_told_with_what_is_near(data: Path, spec: str, message: str, hint: str) -> None:
    with pytest.raises(SourceNotFoundError, match=message) as raised:
        open_sources([str(data / spec)])
    assert hint in raised.value.hint


def test_text_that_is_too_long_for_a_name_names_nothing() -> None:
    with pytest.raises(SourceNotFoundError, match="no file or folder"):
        open_sources(["How much was sold and/or returned " * 10])


def test_file_whose_name_begins_like_a_home_folder_is_found(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(data)
    (data / "~orders.csv").write_text("id,n\n1,2\n")
    assert _tables(open_sources(["~orders.csv"])) == {"orders": ["orders"]}


def test_file_in_a_folder_of_somebody_else_is_told_as_such(somebody_elses: Path) -> None:
    somebody_elses.chmod(0)
    for spec in (somebody_elses, somebody_elses / "orders.csv", somebody_elses / "*.csv"):
        with pytest.raises(SourceAccessError, match="may not be read"):
            open_sources([str(spec)])


def test_file_that_may_not_be_read_is_an_error_where_it_is_named_and_left_out_of_a_folder(
    somebody_elses: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (somebody_elses / "people.csv").chmod(0)
    with pytest.raises(SourceAccessError, match=r"people\.csv may not be read"):
        open_sources([somebody_elses / "people.csv"])
    (source,) = open_sources([somebody_elses])
    assert source.execute("SELECT * FROM orders").rows == ((1, 2),)
    assert "people.csv is left out" in caplog.text
    source.close()


def test_pipe_is_not_taken_for_an_empty_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "orders.csv")
    with pytest.raises(SourceFormatError, match="a pipe or a device") as raised:
        open_sources([tmp_path / "orders.csv"])
    assert "Save what it gives" in raised.value.hint


def test_folder_without_data_says_what_it_holds(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFoundError, match="it is empty"):
        open_sources([tmp_path])
    (tmp_path / "photo.png").write_bytes(b"png")
    with pytest.raises(SourceNotFoundError, match=r"holds photo\.png") as raised:
        open_sources([tmp_path])
    assert "CSV" in raised.value.hint


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.pdf", b"%PDF-1.7 ...", "not text"),
        ("x.zip", b"PK\x03\x04....", "packed archive"),
        ("x.docx", b"PK\x03\x04....", "office document"),
        ("x.parquet", b"something else", "not what .parquet files are"),
        ("x.sqlite", b"something else", "not what .sqlite files are"),
        ("x.duckdb", b"", "is empty"),
        ("x.csv", b"", "is empty"),
        ("x.gz", b"\x1f\x8b....", "data.csv.gz"),
    ],
)
def test_files_of_other_formats_are_refused_with_the_reason(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceFormatError, match=message):
        open_sources([tmp_path / name])


def test_nothing_named_is_an_error() -> None:
    with pytest.raises(UsageError):
        open_sources([])


# --- addresses --------------------------------------------------------------------------------------------------------


class _Server(http.server.ThreadingHTTPServer):
    content = b"id,n\n1,2\n"
    asked: list[tuple[str, str]]


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers.get("If-None-Match", "")))
        tag = f'"{len(self.server.content)}"'
        if "missing" in self.path:
            self.send_error(404)
        elif "secret" in self.path:
            self.send_error(403)
        elif self.headers.get("If-None-Match") == tag:
            self.send_response(304)
            self.end_headers()
        else:
            self.send_response(200)
            self.send_header("Content-Type", "text/csv; charset=utf-8")
            self.send_header("ETag", tag)
            self.end_headers()
            self.wfile.write(self.server.content)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def server() -> Iterator[_Server]:
    with _Server(("127.0.0.1", 0), _Handler) as running:
        running.asked = []
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def _url(server: _Server, path: str) -> str:
    return f"http://127.0.0.1:{server.server_port}/{path}"


def test_file_on_the_web_is_fetched_once_and_asked_for_again(server: _Server) -> None:
    for _ in range(2):
        (source,) = open_sources([_url(server, "export/sales?key=abc")])
        assert source.execute("SELECT n FROM sales").scalar() == 2
        source.close()
    assert [tag for _, tag in server.asked] == ["", '"9"']
    (kept,) = (cache_dir() / "downloads").iterdir()
    assert kept.stat().st_mode & 0o077 == 0


def test_file_that_changed_on_the_web_is_fetched_again(server: _Server) -> None:
    open_sources([_url(server, "sales.csv")])[0].close()
    server.content = b"id,n\n1,2\n3,40\n"
    (source,) = open_sources([_url(server, "sales.csv")])
    assert source.execute("SELECT sum(n) FROM sales").scalar() == 42


def test_file_that_the_web_does_not_have_or_does_not_give(server: _Server) -> None:
    with pytest.raises(SourceNotFoundError, match="404"):
        open_sources([_url(server, "missing.csv")])
    with pytest.raises(SourceAccessError, match="403") as raised:
        open_sources([_url(server, "secret.csv?token=hush").replace("//", "//user:pass@")])
    assert "hush" not in raised.value.message and "pass" not in raised.value.message


def test_server_that_is_not_there_is_told(server: _Server) -> None:
    with pytest.raises(SourceAccessError, match="cannot be fetched"):
        open_sources(["http://127.0.0.1:9/sales.csv"])


def test_file_that_cannot_be_kept_is_told(server: _Server) -> None:
    cache_dir().mkdir(parents=True)
    (cache_dir() / "downloads").write_text("a file where the folder should be")
    with pytest.raises(SourceAccessError, match="cannot be kept"):
        open_sources([_url(server, "export/sales")])


def test_file_that_is_too_large_is_not_fetched(server: _Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "MAX_BYTES", 5)
    with pytest.raises(SourceFormatError, match="has more than"):
        open_sources([_url(server, "sales.csv")])


def test_tables_of_sqlite_come_in_the_order_in_which_they_were_made(tmp_path: Path) -> None:
    path = tmp_path / "order.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE zebra (a INTEGER); CREATE TABLE apple (b INTEGER); CREATE VIEW mango AS SELECT a FROM zebra;"
        )
    (source,) = open_sources([path])
    assert [table.name for table in source.schema().tables] == ["zebra", "apple", "mango"]
    source.close()


@pytest.mark.parametrize("address", ["ftp://host/orders.csv", "s3://bucket/orders.csv", "postgre://u:geheim@host/db"])
def test_an_address_of_an_unknown_kind_is_told_as_such(address: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_sources([address])
    told = caught.value.message + caught.value.hint
    assert address.partition("://")[0] in caught.value.message
    assert "read-only" not in told
    assert "geheim" not in told


def test_an_address_that_is_nearly_right_gets_the_nearest_kind() -> None:
    with pytest.raises(UsageError) as caught:
        open_sources(["postgre://host/db"])
    assert "postgresql://" in caught.value.hint
