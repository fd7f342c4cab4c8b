"""What kind of data a file holds, told by its first bytes and then by its name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from querist.errors import SourceFormatError

FileKind = Literal["csv", "json", "parquet", "excel", "sqlite", "duckdb"]

_CSV = {".csv", ".tsv", ".tab", ".psv", ".txt", ".dat"}
_JSON = {".json", ".jsonl", ".ndjson", ".geojson"}
_EXCEL = {".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"}
_DATABASES = {".sqlite", ".sqlite3", ".db", ".db3", ".duckdb", ".ddb"}
_PARQUET = {".parquet", ".pq"}
SUPPORTED = "CSV and TSV, Excel, Parquet, JSON, JSON Lines (text also with .gz), SQLite and DuckDB files"


def belongs_in_folder(path: Path) -> bool:
    """Whether a file found in a folder is taken for data. Plain text is not: it is mostly prose."""
    if path.name.startswith((".", "~$")):
        return False
    return _suffix(path) in (_CSV | _JSON | _EXCEL | _DATABASES | _PARQUET) - {".txt", ".dat"}


def stem(path: Path) -> str:
    """The name without the endings that tell the format: `sales.csv.gz` gives `sales`."""
    name = path.name.removesuffix(".gz")
    return Path(name).stem or name


def shown_name(path: Path) -> str:
    """The path for people, also where its bytes are no text: a name in Latin-1, from an old archive."""
    return os.fsencode(path).decode(errors="replace")


def file_kind(path: Path) -> FileKind:
    """Raises SourceFormatError when it is none that can be read."""
    if (name := shown_name(path)) != str(path):
        raise SourceFormatError(f"{name} cannot be read: its name is not in UTF-8.", hint="Rename it.")
    with path.open("rb") as file:
        head = file.read(512)
    suffix = _suffix(path)
    if head.startswith(b"SQLite format 3\x00"):
        return "sqlite"
    if head[8:12] == b"DUCK":
        return "duckdb"
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        if suffix in _EXCEL:
            return "excel"
        raise _unknown(path, "it is a packed archive or an office document")
    if suffix in _DATABASES | _PARQUET | _EXCEL:
        if not head:
            raise SourceFormatError(f"{path} is empty.")
        raise _unknown(path, f"it is not what {suffix} files are, judged by its first bytes")
    if suffix in _JSON:
        return "json"
    if suffix in _CSV:
        return "csv"
    if head.startswith(b"%PDF") or (b"\x00" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff", b"\x1f\x8b"))):
        raise _unknown(path, "it is not text")
    if head.startswith(b"\x1f\x8b"):
        raise _unknown(path, "its name does not say what is packed in it; expected is a name such as data.csv.gz")
    return "json" if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[") else "csv"


def _suffix(path: Path) -> str:
    return Path(path.name.lower().removesuffix(".gz")).suffix


def _unknown(path: Path, why: str) -> SourceFormatError:
    return SourceFormatError(f"{path} cannot be read: {why}.", hint=f"Supported: {SUPPORTED}.")
