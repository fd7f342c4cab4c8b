"""A file of a person's that appears whole or not at all. Not for files that tools write: see `tools/confined.py`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Write a file, which is as it was before where the block fails. Its folder must be there.

    A link goes on pointing where it did. A device or a pipe, such as /dev/null, is written to and never replaced.

    Raises:
        OSError: it cannot be written.
    """
    if path.exists() and not path.is_file():
        with path.open("wb") as file:
            yield file
        return
    path = path.resolve()
    partial = path.with_name(f".{os.urandom(8).hex()}.partial")  # short, and nobody else's
    try:
        with partial.open("xb") as file:
            yield file
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
