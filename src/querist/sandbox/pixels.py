"""How large a PNG or JPEG picture will be once it is drawn, read from its first bytes. Nothing is decoded."""

from __future__ import annotations

import struct

MOST_PIXELS = 100_000_000


def check_pixels(data: bytes) -> None:
    """Refuse a picture that needs gigabytes of memory to be drawn, however small its file is.

    Raises:
        ValueError: it is too large, or neither PNG nor JPEG.
    """
    try:
        width, height = _jpeg_size(data) if data[:2] == b"\xff\xd8" else _png_size(data)
    except struct.error as error:
        raise ValueError("it is called a picture and is none") from error
    if width * height > MOST_PIXELS:
        raise ValueError(f"it has {width} by {height} pixels; at most {MOST_PIXELS // 10**6} million are taken")


def _png_size(data: bytes) -> tuple[int, int]:
    first, width, height = struct.unpack_from(">12x4sII", data)
    if first != b"IHDR":
        raise ValueError("it is called a picture and is none")
    return width, height


def _jpeg_size(data: bytes) -> tuple[int, int]:
    at = 2
    while True:
        mark, kind, length = struct.unpack_from(">BBH", data, at)
        if mark != 0xFF or not 0xC0 <= kind <= 0xFE:
            raise ValueError("it is called a picture and is none")
        if kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        at += 2 + length
