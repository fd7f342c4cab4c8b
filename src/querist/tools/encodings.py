"""Bytes as text: in the encoding that was named, else in the one that the text itself names, else by its looks.

Only encodings of texts. Python knows others as well, of which some need hours for a few megabytes (punycode). The mark
by which a text may begin (U+FEFF) is no part of it.
"""

from __future__ import annotations

import codecs
import re

from querist.errors import ComponentInputError, SourceFormatError
from querist.sources.text_encoding import decode

_NOT_TEXT = frozenset({"idna", "punycode", "raw_unicode_escape", "undefined", "unicode_escape", "utf_7"})
_DECLARED = re.compile(
    rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{1,40})|<meta[^>]{0,200}?charset\s*=\s*["']?([\w.:-]{1,40})""",
    re.IGNORECASE,
)
_MARK = "\ufeff"
_AS_BROWSERS = {"ascii": "cp1252", "iso8859-1": "cp1252"}


def text_from_web(data: bytes, charset: str) -> str:
    """The text of some bytes of which a server said the encoding; where there is none of that name, by themselves."""
    name = _as_browsers(charset)
    return data.decode(name, "replace").removeprefix(_MARK) if name else text_of(data)[0]


def text_of(data: bytes) -> tuple[str, str]:
    """The text of some bytes of which nobody said the encoding, and that encoding."""
    declared = None if data.startswith(codecs.BOM_UTF8) else _DECLARED.search(data[:1024])
    name = _as_browsers((declared[1] or declared[2]).decode()) if declared else None
    if name and not name.startswith(("utf-16", "utf-32")):  # in those the declaration could not have been read
        try:
            return data.decode(name), name
        except UnicodeError:
            pass
    return decode(data)


def decode_as(data: bytes, encoding: str, path: str) -> str:
    """The text of some bytes in an encoding that the caller named; `path` is for the error."""
    try:
        return data.decode(_named(encoding)).removeprefix(_MARK)
    except UnicodeError as error:
        raise SourceFormatError(
            f"{path} is not text in {encoding}: {error}.", hint="Leave the encoding out."
        ) from error


def encode_as(text: str, encoding: str) -> bytes:
    """A text in an encoding that the caller named."""
    try:
        return text.encode(_named(encoding))
    except UnicodeEncodeError as error:
        wrong = text[error.start]
        raise ComponentInputError(
            f"{encoding} has no {wrong!r}, which stands at character {error.start}.", hint="Take utf-8."
        ) from error


def _known(name: str) -> str | None:
    """Python's name for an encoding of texts; None where there is none of that name."""
    try:
        found = codecs.lookup(name).name
        "a".encode(found)  # raises for what turns bytes into bytes
    except (LookupError, ValueError):
        return None
    return None if found.replace("-", "_") in _NOT_TEXT else found


def _as_browsers(name: str) -> str | None:
    """What browsers take a name for: pages that say Latin-1 are in Windows-1252."""
    found = _known(name)
    return _AS_BROWSERS.get(found, found) if found else None


def _named(encoding: str) -> str:
    if found := _known(encoding):
        return found
    raise ComponentInputError(f"There is no encoding {encoding!r}.", hint="Such as utf-8 or cp1252.")
