"""What every test needs: nothing of the person's own settings, caches and data may reach it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """Coroutine tests, which are marked `anyio`, run on asyncio."""
    return "asyncio"


@pytest.fixture(autouse=True)
def own_home(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Give each test an empty QUERIST_HOME and no other QUERIST_ variable.

    Tests marked `model` keep the real home: the model that they need is gigabytes to fetch.
    """
    for variable in os.environ:
        if variable.startswith("QUERIST_") and not variable.startswith("QUERIST_TEST_") and variable != "QUERIST_HOME":
            monkeypatch.delenv(variable)
    if request.node.get_closest_marker("model") is None:
        home: Path = tmp_path_factory.mktemp("home")
        monkeypatch.setenv("QUERIST_HOME", str(home))
