from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from querist.errors import DataError
from querist.state.agent_memory import AgentMemory
from querist.state.verified_store import VerifiedStore


@pytest.mark.parametrize("use", [lambda path: VerifiedStore(path).all(), lambda path: AgentMemory(path).facts("clerk")])
def test_a_file_that_another_program_holds_is_not_to_be_moved_away(
    use: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("querist.state.sqlite_file._BUSY_SECONDS", 0.0)
    with closing(sqlite3.connect(tmp_path / "kept.sqlite")) as other:
        other.execute("CREATE TABLE t (x)")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DataError, match="database is locked") as caught:
            use(tmp_path / "kept.sqlite")
    assert "nothing in it is lost" in caught.value.hint
