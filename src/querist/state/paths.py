"""Where Querist keeps what it makes: caches that may be deleted at any time, and data that may not."""

from __future__ import annotations

import os
from pathlib import Path


def cache_dir() -> Path:
    """What can be made again: models, profiles, prompt prefixes. `QUERIST_HOME` moves it. Not created here."""
    return _home("cache")


def data_dir() -> Path:
    """What cannot be made again: sessions, verified queries. `QUERIST_HOME` moves it. Not created here."""
    return _home("data")


def _home(part: str) -> Path:
    if home := os.environ.get("QUERIST_HOME"):
        return Path(home).expanduser().absolute() / part
    import platformdirs

    name = platformdirs.user_cache_dir("querist") if part == "cache" else platformdirs.user_data_dir("querist")
    return Path(name)
