"""Files that hold answers: whether they can be written is seen before questions are asked; they appear whole."""

from __future__ import annotations

import os
from pathlib import Path

from querist.errors import UsageError
from querist.state.whole_file import whole_file


def check_writable(path: Path) -> None:
    """Raise a UsageError when no file can be written at `path`. A missing folder is no hindrance; nothing is made."""
    try:
        nearest = next(folder for folder in path.absolute().parents if folder.exists())
        is_folder = path.is_dir()
    except OSError as error:  # a folder that may not be looked into, a name that is too long
        told = f"{path} cannot be written: {error.strerror}."
        raise UsageError(told, hint="Name a file elsewhere.") from error
    if is_folder:
        reason, hint = "it is a folder", "Name a file in it."
    elif path.exists() and not path.is_file():  # a device or a pipe, which is written to where it is
        if os.access(path, os.W_OK):
            return
        reason, hint = "you may not write to it", "Name a file."
    elif not nearest.is_dir():
        reason, hint = f"{nearest} is not a folder", "Name a file elsewhere."
    elif not os.access(nearest, os.W_OK):
        reason, hint = f"you may not write in {nearest}", "Name a file elsewhere."
    else:
        return
    raise UsageError(f"{path} cannot be written: {reason}.", hint=hint)


def write_whole(path: Path, text: str) -> None:
    """Write a file, with its folder, whole or not at all.

    Raises:
        UsageError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as file:
            file.write(text.encode())
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.", hint="Name a file elsewhere.") from error
