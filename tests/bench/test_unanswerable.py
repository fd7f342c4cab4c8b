"""The folder that the questions go to may hold something else."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench import unanswerable
from tests.bench.question_set import make_set


def test_a_folder_with_something_in_it_is_left_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("all of it")
    monkeypatch.setattr(sys, "argv", ["unanswerable.py", str(make_set(tmp_path)), str(tmp_path / "out")])
    with pytest.raises(SystemExit):
        unanswerable.main()
    assert "is not empty" in capsys.readouterr().err
    assert (tmp_path / "out" / "thesis.txt").read_text() == "all of it"
