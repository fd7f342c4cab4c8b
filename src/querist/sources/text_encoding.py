"""Text files as plain UTF-8: unpacks gzip and converts other encodings, in bounded memory."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from pathlib import Path
from typing import IO

from querist.errors import SourceFormatError

CHUNK = 1 << 20
MAX_UNPACKED = 50 * 1024**3
"""Bytes that a packed file may unpack to: more than people keep in one file, less than what fills a disk by malice."""

_SINGLE_BYTE = {"latin_1", "iso8859_1", "cp1252", "ascii"}


def plain_text(path: Path, scratch: Path) -> tuple[Path, list[str]]:
    """A UTF-8 file with the same text: `path` itself where it is one, otherwise a new file in `scratch`; and notes."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    if packed:
        path = _unpack(path, scratch / "unpacked")
    encoding, note = detect_encoding(path)
    if encoding == "utf-8":
        return path, []
    target = scratch / "utf8"
    with (
        path.open(encoding=encoding, errors=_on_error(encoding), newline="") as source,
        target.open("w", encoding="utf-8", newline="") as out,
    ):
        while text := source.read(CHUNK):
            out.write(text)
    return target, [note] if note else []


def decode(data: bytes) -> tuple[str, str]:
    """The text of some bytes, and Python's name of the encoding that it was found to be in."""
    encoding, _ = _detect(io.BytesIO(data))
    return data.decode(encoding, _on_error(encoding)), encoding


def detect_encoding(path: Path) -> tuple[str, str]:
    """Python's name of the file's encoding, and a note for people when it is not UTF-8."""
    with path.open("rb") as file:
        return _detect(file)


def _on_error(encoding: str) -> str:
    if encoding != "cp1252":
        return "replace"
    codecs.register_error("latin-1-byte", _latin_1_byte)
    return "latin-1-byte"


def _detect(file: IO[bytes]) -> tuple[str, str]:
    head = file.read(4096)
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32", "read as UTF-32"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", "read as UTF-16"
    if wide := _utf16_without_mark(head):
        return wide, "read as UTF-16"
    file.seek(0)
    bad = _bytes_that_are_not_utf8(file)
    if not bad:
        # The mark says nothing that is not known now, and not every reader passes over it.
        return ("utf-8-sig" if head.startswith(codecs.BOM_UTF8) else "utf-8"), ""
    broken, multibyte, lines = bad
    if broken * 20 < multibyte:
        return "utf-8-sig", f"{broken} characters are not valid UTF-8; they are shown as �"
    encoding = _legacy_encoding(lines)
    return encoding, f"read as {'Windows-1252' if encoding == 'cp1252' else encoding}, since it is not UTF-8"


def _unpack(path: Path, target: Path) -> Path:
    size = 0
    try:
        with gzip.open(path) as packed, target.open("wb") as out:
            while chunk := packed.read(CHUNK):
                size += len(chunk)
                if size > MAX_UNPACKED:
                    raise SourceFormatError(f"{path} unpacks to more than {MAX_UNPACKED // 1024**3} GB.")
                out.write(chunk)
    except (OSError, EOFError, zlib.error) as error:
        raise SourceFormatError(
            f"{path} cannot be unpacked: {error}.", hint="The file may be cut off; fetch or make it again."
        ) from error
    return target


def _utf16_without_mark(head: bytes) -> str:
    if len(head) < 8:
        return ""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    if odd > 0.7 * half and even < 0.1 * half:
        return "utf-16-le"
    if even > 0.7 * half and odd < 0.1 * half:
        return "utf-16-be"
    return ""


def _bytes_that_are_not_utf8(file: IO[bytes]) -> tuple[int, int, bytes] | None:
    """None for valid UTF-8; otherwise how many spots are broken, how many characters are proper multi-byte ones, and
    up to 64 kB of the lines that are broken."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while chunk := file.read(CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
        return None
    except UnicodeDecodeError:
        pass
    file.seek(0)
    broken = multibyte = 0
    kept: list[bytes] = []
    room = 65_536
    for line in file:
        if line.isascii():
            continue
        text = line.decode("utf-8", errors="replace")
        wrong = text.count("�")
        broken += wrong
        multibyte += sum(ch > "\x7f" for ch in text) - wrong
        if wrong and room > 0:
            kept.append(line[:room])
            room -= len(line)
        if room <= 0 and broken > 100:
            break
    return broken, multibyte, b"".join(kept)


def _legacy_encoding(sample: bytes) -> str:
    """The likeliest encoding of bytes that are not UTF-8. Short Western texts fit dozens of code pages: those are
    read as Windows-1252, by far the commonest."""
    from charset_normalizer import from_bytes

    best = from_bytes(sample).best()
    high = sum(byte > 0x7F for byte in sample)
    if best is None or best.encoding in _SINGLE_BYTE:
        return "cp1252"
    try:
        text = sample.decode(best.encoding)
    except (UnicodeDecodeError, LookupError):
        return "cp1252"
    letters = [ch for ch in text if ch > "\x7f" and ch.isalpha()]
    foreign = sum(ch > "\u024f" for ch in letters)  # beyond Latin: Greek, Cyrillic, Hebrew, Chinese, …
    if foreign and foreign >= 0.8 * len(letters) and high >= 8:
        return best.encoding
    return "cp1252"


def _latin_1_byte(error: UnicodeError) -> tuple[str, int]:
    """Windows-1252 leaves five bytes undefined; take them as Latin-1 does, so that no byte is lost."""
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.end].decode("latin-1"), error.end
