"""How the process of the shared server is started; what it then does, `test_local_model.py` tells."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from querist.models import local_server
from querist.models.llama_server import ServerConfig


def test_a_home_named_from_the_working_directory_is_the_same_for_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "import json, os, sys; print(json.dumps([sys.argv[-1], os.environ['QUERIST_HOME']]))"
    (tmp_path / "python").write_text(f'#!/bin/sh\nexec {sys.executable} -c "{said}" "$@"\n')
    (tmp_path / "python").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QUERIST_HOME", "kept")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    directory = local_server.servers_dir() / "x"
    directory.mkdir(parents=True)
    local_server._spawn(directory, ServerConfig("model.gguf")).wait()
    told = json.loads((directory / "server.log").read_text())
    assert told == [str(tmp_path / "kept/cache/servers/x"), str(tmp_path / "kept")]
