"""What was measured is not lost where LangGraph cannot be run beside it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench.core import langgraph_beside


def test_without_uv_langgraph_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert langgraph_beside() == {}
    assert "LangGraph is left out: " in capsys.readouterr().err


def test_why_langgraph_is_left_out_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "uv").write_text("#!/bin/sh\necho no such package >&2\nexit 1\n")
    (tmp_path / "uv").chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert langgraph_beside() == {}
    assert capsys.readouterr().err == "LangGraph is left out: no such package\n"
