"""A little invented shop, and a model that answers questions about it from a script."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from querist.models.base import Model, Request
from querist.settings import Settings
from tests.scripted_model import Answer, ScriptedModel

Script = Sequence[Answer] | Callable[[Request], Answer]


@pytest.fixture
def kites(tmp_path: Path) -> Path:
    """One CSV file: 30 kites of three makers."""
    lines = ["kite_id,maker,price,launched"]
    lines += [
        f"{n},{('Aeolus', 'Boreas', 'Zephyr')[n % 3]},{1000 * n + 0.5},{2000 + n % 4}-05-01" for n in range(1, 31)
    ]
    path = tmp_path / "kites.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Callable[[Script], ScriptedModel]:
    """Let every command use a model that replies from a script."""

    def use(script: Script) -> ScriptedModel:
        model = ScriptedModel(script)

        def opened(names: str | Sequence[str], settings: Settings | None = None) -> Model:
            return model

        monkeypatch.setattr("querist.models.open.open_model", opened)
        return model

    return use
