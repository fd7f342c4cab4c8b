"""Keeps what agents remember: facts and conversations, in one SQLite file that several processes may use at once."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from querist.errors import DataError
from querist.state.sqlite_file import open_file, remedy

_TABLES = """
CREATE TABLE IF NOT EXISTS facts (agent TEXT, key TEXT, text TEXT NOT NULL, PRIMARY KEY (agent, key));
CREATE TABLE IF NOT EXISTS conversations (agent TEXT, session TEXT, record TEXT NOT NULL, PRIMARY KEY (agent, session));
"""


class AgentMemory:
    """The memory of agents in a file, which is made when the first thing is kept.

    Every method raises DataError when the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def remember(self, agent: str, key: str, text: str) -> None:
        """Keep a fact, in place of the one with its key."""
        with self._open() as database:
            database.execute("INSERT OR REPLACE INTO facts VALUES (?, ?, ?)", (agent, key, text))

    def forget(self, agent: str, key: str) -> bool:
        """Forget a fact; False when there is none with that key."""
        if not self.path.exists():
            return False
        with self._open() as database:
            return database.execute("DELETE FROM facts WHERE agent = ? AND key = ?", (agent, key)).rowcount > 0

    def facts(self, agent: str) -> dict[str, str]:
        """All that an agent knows, by key, in the order in which it learned it."""
        if not self.path.exists():
            return {}
        with self._open() as database:
            rows = database.execute("SELECT key, text FROM facts WHERE agent = ? ORDER BY rowid", (agent,))
            return dict(rows.fetchall())

    def recall(self, agent: str, about: str, limit: int = 5) -> dict[str, str]:
        """The facts that share words with `about`, those that share most of them first."""
        wanted, known = _words(about), self.facts(agent)
        shared = {key: len(wanted & _words(f"{key} {text}")) for key, text in known.items()}
        best = sorted((key for key in shared if shared[key]), key=lambda key: -shared[key])
        return {key: known[key] for key in best[:limit]}

    def conversation(self, agent: str, session: str) -> str | None:
        """A conversation as it was kept; None when there is none."""
        if not self.path.exists():
            return None
        with self._open() as database:
            found = database.execute(
                "SELECT record FROM conversations WHERE agent = ? AND session = ?", (agent, session)
            ).fetchone()
            return None if found is None else str(found[0])

    def keep_conversation(self, agent: str, session: str, record: str) -> None:
        with self._open() as database:
            database.execute("INSERT OR REPLACE INTO conversations VALUES (?, ?, ?)", (agent, session, record))

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with open_file(self.path, _TABLES) as database:
                yield database
        except (sqlite3.Error, OSError) as error:
            raise DataError(
                f"The memory of agents in {self.path} cannot be used: {error}.",
                hint=remedy(error, "Move the file away; agents then begin with an empty memory."),
            ) from error


def _words(text: str) -> set[str]:
    """Words that tell what a text is about: short ones hardly do."""
    return {word for word in re.findall(r"\w+", text.lower()) if len(word) > 2}
