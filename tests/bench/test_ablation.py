"""What was measured of some variants outlives a run that is stopped at a later one."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bench import ablation


def test_variants_that_were_measured_are_kept_when_the_run_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = [SimpleNamespace(status="agreed", right=True, silent=False, model_calls=2, seconds=1.5)]
    measured = iter([first])

    def run(*_: Any) -> Any:
        for marked in measured:
            return marked
        raise KeyboardInterrupt

    monkeypatch.setattr(ablation, "read_question_set", lambda path: ["a question"])
    monkeypatch.setattr(ablation, "select", lambda questions, quick: questions)
    monkeypatch.setattr(ablation, "run", run)
    monkeypatch.setattr(
        ablation, "summarize", lambda marked: SimpleNamespace(to_dict=lambda: {"questions": len(marked)})
    )
    monkeypatch.setattr(sys, "argv", ["ablation.py", "trees", "--out", str(tmp_path / "out")])
    with pytest.raises(KeyboardInterrupt):
        ablation.main()
    assert json.loads((tmp_path / "out" / "ablation.json").read_text()) == {"all of it": {"questions": 1}}
    assert "| all of it | 100.0% | 2.00 | 1.5 | 1 of 1 | 0 |" in (tmp_path / "out" / "ablation.md").read_text()
