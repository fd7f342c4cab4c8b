"""Remembers the folders whose code may be loaded as plugins.

Settings are read from the working directory, and so may come with data from anywhere: that they name a folder must not
be enough to run what is in it. A person says once, on this machine, that it may.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from querist.errors import UsageError
from querist.state.paths import data_dir


def is_trusted(folder: Path) -> bool:
    return str(folder.resolve()) in _read()


def trust(folder: Path) -> None:
    """Let the plugins of a folder be loaded from now on.

    Raises:
        UsageError: there is no such folder.
    """
    if not folder.is_dir():
        raise UsageError(f"There is no folder {str(folder)!r}.")
    _write(sorted({*_read(), str(folder.resolve())}))


def distrust(folder: Path) -> None:
    """Let them be loaded no more."""
    _write([known for known in _read() if known != str(folder.resolve())])


def _file() -> Path:
    return data_dir() / "trusted_plugins.json"


def _read() -> list[str]:
    try:
        return [str(folder) for folder in json.loads(_file().read_bytes())]
    except (FileNotFoundError, TypeError, ValueError):  # none yet, or not ours: nothing is trusted
        return []


def _write(folders: list[str]) -> None:
    file = _file()
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = file.with_name(f"{file.name}.{os.getpid()}.partial")
    partial.write_text(json.dumps(folders, indent=2) + "\n", encoding="utf-8")
    partial.replace(file)
