"""Files that generated code wrote, made fit to be handed to people: names, kinds, and nothing that acts when opened."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import PurePosixPath

from querist.sandbox.base import File
from querist.sandbox.pixels import check_pixels
from querist.sandbox.svg import harmless_svg

LARGEST_PARSED = 8 << 20
"""Bytes of JSON and SVG: in memory they take up to 25 times as much."""
_BY_CONTENT = {
    b"\x89PNG\r\n\x1a\n": ("image/png", (".png",)),
    b"\xff\xd8\xff": ("image/jpeg", (".jpg", ".jpeg")),
    b"PAR1": ("application/vnd.apache.parquet", (".parquet",)),
}
_BY_NAME = {
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".json": "application/json",
    ".txt": "text/plain",
    ".md": "text/plain",
    ".svg": "image/svg+xml",
}
_FORMULA = re.compile(r"""(?:^|(?<=[,;|\t\r\n"]))[=+\-@\uff1d\uff0b\uff0d\uff20](?:[^,;|\t\r\n"]+|(?=["\r\n]))""")
"""Also behind separators that are none in this file: which ones are, a spreadsheet decides by itself."""
_NUMBER = re.compile(r"[+-]?(\d[\d.eE+%-]*|\.\d+)\s*$")
_ACTIVE_IN_CHARTS = frozenset(("url", "href", "expr", "signal"))
_HARMLESS_OPTIONS = frozenset(("theme",))
"""Of what a chart tells the page that shows it; other options load a config or a patch, or become part of the page."""


def as_file(name: str, data: bytes) -> File:
    """The file with a plain name, its kind told by its content, formulas of CSV files made text.

    Raises:
        ValueError: it may act when it is opened (a script, a pickle, a page), or its kind is none that is handed out.
    """
    plain = _plain_name(name)
    suffix = PurePosixPath(plain).suffix.lower()
    for magic, (kind, suffixes) in _BY_CONTENT.items():
        if data.startswith(magic):
            if kind.startswith("image/"):
                check_pixels(data)
            return File(plain if suffix in suffixes else plain + suffixes[0], data, kind)
    if suffix not in _BY_NAME:
        raise ValueError("only PNG, JPEG and SVG pictures, Parquet, CSV, JSON and plain text are handed out")
    text, kind = _decoded(data), _BY_NAME[suffix]
    if suffix in (".svg", ".json") and len(data) > LARGEST_PARSED:
        raise ValueError(f"it is larger than the {LARGEST_PARSED >> 20} MB that are checked")
    match suffix:
        case ".svg":
            data = harmless_svg(text)
        case ".json":
            _check_json(text)
        case ".csv" | ".tsv":
            data = _without_formulas(text, "," if suffix == ".csv" else "\t")
    return File(plain, data, kind)


def _plain_name(name: str) -> str:
    last = name.replace("\\", "/").rpartition("/")[2]
    plain = re.sub(r"[^\w.\- ()]", "_", last).strip(" .-")
    if not plain:
        raise ValueError("its name holds nothing that a file may be called")
    suffix = PurePosixPath(plain).suffix[:20]
    return plain.removesuffix(suffix)[: 120 - len(suffix)] + suffix


def _decoded(data: bytes) -> str:
    try:
        text = data.decode("utf-8-sig")
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
    if not isinstance(content, dict) or "vega" not in str(content.get("$schema", "")):
        return
    parts = [content]
    while parts:
        part = parts.pop()
        if isinstance(part, dict):
            options = part.get("embedOptions", {})
            if _ACTIVE_IN_CHARTS & part.keys() or not isinstance(options, dict) or options.keys() - _HARMLESS_OPTIONS:
                raise ValueError("the chart loads something from elsewhere, or computes in the reader's browser")
            parts.extend(part.values())
        elif isinstance(part, list):
            parts.extend(part)


def _without_formulas(text: str, separator: str) -> bytes:
    """Spreadsheets compute cells that begin like formulas; an apostrophe makes them text."""
    target = io.StringIO(newline="")
    writer = csv.writer(target, delimiter=separator, lineterminator="\n")
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            writer.writerow(_FORMULA.sub(_as_text, cell) for cell in row)
    except csv.Error as error:
        raise ValueError(f"it is called CSV and is none: {error}") from error
    return target.getvalue().encode()


def _as_text(formula: re.Match[str]) -> str:
    return formula[0] if _NUMBER.match(formula[0]) else f"'{formula[0]}"
