"""Files that generated code wrote, made fit to be handed to people: names, kinds, and nothing that acts when opened."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import PurePosixPath

from querist.sandbox.base import File

MOST_FILES = 50
_MAGIC = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"PAR1": "application/vnd.apache.parquet",
}
_TEXT = {
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".json": "application/json",
    ".txt": "text/plain",
    ".md": "text/plain",
    ".svg": "image/svg+xml",
}
_ACTIVE = re.compile(
    r"<\s*(script|foreignobject|iframe|object|embed|!entity|!doctype)|\bon\w+\s*=|javascript:|data:text", re.I
)
_OUTSIDE = re.compile(r"""(?:href|src)\s*=\s*["']?\s*(?!#|data:image/)|url\(\s*["']?\s*(?!#)|@import""", re.I)
_FORMULA = re.compile(r"^[=+\-@\t\r]")
_NUMBER = re.compile(r"^[+-]?(\d[\d.,eE+%-]*|\.\d+)$")


def as_file(name: str, data: bytes) -> File:
    """The file with a plain name, its kind told by its content, formulas of CSV files made text.

    Raises:
        ValueError: it may act when it is opened (a script, a pickle, a page), or its kind is none that is handed out.
    """
    plain = _plain_name(name)
    kind = next((kind for magic, kind in _MAGIC.items() if data.startswith(magic)), None)
    if kind is None:
        kind = _TEXT.get(PurePosixPath(plain).suffix.lower())
        if kind is None:
            raise ValueError("only pictures, Parquet, CSV, JSON and plain text are handed out")
        text = _decoded(data)
        if kind == "image/svg+xml" and (_ACTIVE.search(text) or _OUTSIDE.search(text)):
            raise ValueError("the picture holds scripts, or loads something from elsewhere")
        if kind == "application/json":
            _check_json(text)
        if kind in ("text/csv", "text/tab-separated-values"):
            data = _without_formulas(text, "\t" if kind.endswith("tab-separated-values") else ",")
    return File(plain, data, kind)


def _plain_name(name: str) -> str:
    last = name.replace("\\", "/").rpartition("/")[2]
    plain = re.sub(r"[^\w.\- ()]", "_", last).strip(" .")[:120]
    if not plain:
        raise ValueError("its name holds nothing that a file may be called")
    return plain


def _decoded(data: bytes) -> str:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError("it is called a text and is none") from error
    if "\0" in text:
        raise ValueError("it is called a text and is none")
    return text


def _check_json(text: str) -> None:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError("it is called JSON and is none") from error
    if (
        isinstance(content, dict)
        and "vega" in str(content.get("$schema", ""))
        and re.search(r'"(url|href|expr|signal)"', text)
    ):
        raise ValueError("the chart loads something from elsewhere, or computes in the reader's browser")


def _without_formulas(text: str, separator: str) -> bytes:
    """Spreadsheets compute cells that begin like formulas; an apostrophe makes them text."""
    target = io.StringIO(newline="")
    writer = csv.writer(target, delimiter=separator, lineterminator="\n")
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            writer.writerow("'" + cell if _FORMULA.match(cell) and not _NUMBER.match(cell) else cell for cell in row)
    except csv.Error as error:
        raise ValueError(f"it is called CSV and is none: {error}") from error
    return target.getvalue().encode()
