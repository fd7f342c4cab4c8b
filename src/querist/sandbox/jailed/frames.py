"""Frames over pipes: one line of JSON that says what comes and how long it is, then that many bytes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import Any, BinaryIO

LONGEST_HEADER = 4096
LONGEST_VALUE = 4 << 20
"""Bytes of a result as JSON: in memory it takes up to 25 times as much."""
MOST_FILES = 50


def frame(kind: str, data: bytes = b"", **about: Any) -> bytes:
    header = json.dumps({"kind": kind, "size": len(data), **about}).encode()
    return header + b"\n" + data


def write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def read(stream: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    """The next frame of a trusted writer; None at the end."""
    line = stream.readline(LONGEST_HEADER)
    if not line:
        return None
    header = json.loads(line)
    return header, stream.read(header["size"])


def free_name(stem: str, taken: Iterable[str], suffix: str = "") -> str:
    """The name, with a number where it is taken; letters that differ only in case are the same on some systems."""
    known, name, number = {other.casefold() for other in taken}, stem + suffix, 1
    while name.casefold() in known:
        number += 1
        name = f"{stem}_{number}{suffix}"
    return name
