"""The store of converted files: each data file is read once and kept as a DuckDB file, which opens in milliseconds.

An entry is named after the file's path, size and time, appears whole or not at all (renamed into place), and is only
ever read afterwards, so any number of processes can share the store without locks. The least recently used go first.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from querist.errors import SourceAccessError
from querist.sources.naming import literal
from querist.state.paths import cache_dir

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

READER_VERSION = 9
"""Goes up when files are to be read in another way than before."""
MAX_BYTES = 10 * 1024**3
CONTENTS = "querist_contents"


@dataclass(frozen=True)
class StoredTable:
    """A table in a converted file.

    Attributes:
        stored_as: its name there.
        suffix: what tells it from the other tables of the same file (sheet or key); empty when it is the only one.
        origin: the part of the file it came from, such as `sheet "2024"`; empty for the whole file.
    """

    stored_as: str
    suffix: str
    rows: int
    origin: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Contents:
    """What a converted file holds; `notes` are about the file as a whole, such as sheets that were left out."""

    tables: tuple[StoredTable, ...]
    notes: tuple[str, ...] = ()


Convert = Callable[["DuckDBPyConnection", Path, Path], Contents]
"""Reads the file (second argument) into tables of the connection; the third is a directory for passing files."""


def file_stamp(path: Path) -> str:
    """Changes when the file may have changed; reads no content."""
    stat = path.stat()
    return f"{path.absolute()}|{stat.st_size}|{stat.st_mtime_ns}"


def converted(path: Path, convert: Convert, folder: Path | None = None) -> Path:
    """The DuckDB file with the tables of `path`; makes it when it is not there yet, in the store or in `folder`."""
    key = hashlib.sha256(os.fsencode(f"{READER_VERSION}|{file_stamp(path)}")).hexdigest()[:32]
    target = (folder or _folder()) / f"{key}.duckdb"
    if target.exists():
        os.utime(target)
        return target
    return _make(path, target, convert)


def discard(entry: Path) -> None:
    """Remove an entry that cannot be opened."""
    entry.unlink(missing_ok=True)


def read_contents(con: DuckDBPyConnection, database: str) -> Contents:
    """What an attached converted file holds."""
    (text,) = con.execute(f"SELECT contents FROM {database}.main.{CONTENTS}").fetchone() or ("{}",)
    data = json.loads(text)
    tables = tuple(StoredTable(**{**t, "notes": tuple(t["notes"])}) for t in data["tables"])
    return Contents(tables, tuple(data["notes"]))


def _make(path: Path, target: Path, convert: Convert) -> Path:
    import duckdb

    from querist.sources.duckdb_engine import engine_settings, stopped_by_keyboard

    scratch = target.with_name(f"{target.stem}.{os.getpid()}-{uuid.uuid4().hex[:8]}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)  # it holds people's data
        scratch.mkdir()
    except OSError as error:
        raise SourceAccessError(
            f"What is read of files is kept in {target.parent}, which cannot be written: {error.strerror}.",
            hint="Make room or give yourself the right to write there, or set QUERIST_HOME to another folder.",
        ) from error
    try:
        partial = scratch / "data.duckdb"
        settings = engine_settings() | {"temp_directory": str(scratch / "spill"), "preserve_insertion_order": "true"}
        con = duckdb.connect(str(partial), config=settings)
        try:
            con.execute("SET GLOBAL TimeZone = 'UTC'")
            with stopped_by_keyboard():
                contents = convert(con, path, scratch)
            con.execute(f"CREATE TABLE {CONTENTS} AS SELECT {literal(json.dumps(asdict(contents)))} AS contents")
            con.execute("CHECKPOINT")
        finally:
            con.close()
        if target.parent == _folder():
            _make_room(partial.stat().st_size, keep=target)
        partial.replace(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return target


def _folder() -> Path:
    return cache_dir() / "files"


def _make_room(wanted: int, keep: Path) -> None:
    """Remove the least recently used entries until `wanted` more bytes fit, and what dead processes left behind."""
    entries = []
    for path in _folder().iterdir():
        try:
            stat = path.stat()
        except FileNotFoundError:
            continue  # another process makes room as well
        if path.suffix == ".partial" and time.time() - stat.st_mtime > 86_400:
            shutil.rmtree(path, ignore_errors=True)
        elif path.suffix == ".duckdb" and path != keep:
            entries.append((stat.st_mtime, stat.st_size, path))
    total = sum(size for _, size, _ in entries) + wanted
    for _, size, path in sorted(entries):
        if total <= MAX_BYTES:
            return
        path.unlink(missing_ok=True)
        total -= size
