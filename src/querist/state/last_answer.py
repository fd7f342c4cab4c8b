"""The last question that was answered, with its query, so that `querist verify --last` can take it."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

from querist.state.paths import data_dir

log = logging.getLogger(__name__)


def keep_last(question: str, sql: str) -> None:
    """Keep a question and its query in place of those before. When that fails, nothing but `--last` is lost."""
    path = _path()
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump({"question": question, "sql": sql}, file)
        partial.replace(path)
    except OSError as error:
        log.warning("the last answer is not kept: %s", error)


def last() -> tuple[str, str] | None:
    """The last question and its query; None when there is none."""
    try:
        kept = json.loads(_path().read_text(encoding="utf-8"))
        return str(kept["question"]), str(kept["sql"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _path() -> Path:
    return data_dir() / "last-answer.json"
