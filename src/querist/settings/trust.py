"""Remembers which files may set what grants rights, and which folders may be loaded as plugins.

Settings are read from the working directory, and so may come with data from anywhere: that they say so must not be
enough to touch files, to reach servers or to run code. A person says once, on this machine, that it may.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from querist.errors import UsageError


def is_trusted(path: Path) -> bool:
    return str(path.resolve()) in _read()


def trust(path: Path) -> None:
    """Trust a settings file or a folder of plugins from now on.

    Raises:
        UsageError: there is none.
    """
    if not path.exists():
        raise UsageError(f"There is no {str(path)!r}.")
    _write(sorted({*_read(), str(path.resolve())}))


def distrust(path: Path) -> None:
    """Trust it no more."""
    _write([known for known in _read() if known != str(path.resolve())])


def _file() -> Path:
    if home := os.environ.get("QUERIST_HOME"):
        return Path(home).expanduser() / "config" / "trusted.json"
    import platformdirs

    return Path(platformdirs.user_config_dir("querist")) / "trusted.json"


def _read() -> list[str]:
    try:
        return [str(path) for path in json.loads(_file().read_bytes())]
    except (OSError, TypeError, ValueError):  # none yet, or not ours: nothing is trusted
        return []


def _write(paths: list[str]) -> None:
    file = _file()
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = file.with_name(f"{file.name}.{os.getpid()}.partial")
    partial.write_text(json.dumps(paths, indent=2) + "\n", encoding="utf-8")
    partial.replace(file)
