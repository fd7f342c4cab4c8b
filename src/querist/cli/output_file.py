"""Looks, before questions are asked, at whether the file that is to hold the answers can be written."""

from __future__ import annotations

import os
from pathlib import Path

from querist.errors import UsageError


def check_writable(path: Path) -> None:
    """Raise a UsageError when no file can be written at `path`. A missing folder is no hindrance; nothing is made."""
    nearest = next(folder for folder in path.absolute().parents if folder.exists())
    if path.is_dir():
        reason, hint = "it is a folder", "Name a file in it."
    elif not nearest.is_dir():
        reason, hint = f"{nearest} is not a folder", "Name a file elsewhere."
    elif not os.access(nearest, os.W_OK):
        reason, hint = f"you may not write in {nearest}", "Name a file elsewhere."
    else:
        return
    raise UsageError(f"{path} cannot be written: {reason}.", hint=hint)
