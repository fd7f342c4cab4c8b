"""The examples say what `docs/core.md` shows."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHOWN = re.findall(
    r"^\$ python (examples/core/\w+\.py)\n(.*?)^```", (ROOT / "docs/core.md").read_text(encoding="utf-8"), re.M | re.S
)


@pytest.mark.parametrize(("script", "output"), SHOWN, ids=[script for script, _ in SHOWN])
def test_an_example_says_what_the_documentation_shows(
    script: str, output: str, capsys: pytest.CaptureFixture[str]
) -> None:
    runpy.run_path(str(ROOT / script), run_name="__main__")
    assert capsys.readouterr().out == output


def test_every_example_is_shown() -> None:
    assert {script for script, _ in SHOWN} == {f"examples/core/{file.name}" for file in ROOT.glob("examples/core/*.py")}
