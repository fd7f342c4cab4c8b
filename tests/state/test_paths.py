from __future__ import annotations

from pathlib import Path

import pytest

from querist.state.paths import cache_dir, data_dir


def test_a_home_may_be_named_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QUERIST_HOME", "kept")
    assert (cache_dir(), data_dir()) == (tmp_path / "kept" / "cache", tmp_path / "kept" / "data")
