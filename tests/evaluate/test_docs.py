"""What docs/eval.md tells is all that there is; that its commands and code run is seen to in `tests/test_docs.py`."""

from __future__ import annotations

import re
from pathlib import Path

from typer.testing import CliRunner

from querist.cli.main import app
from querist.evaluate.golden import _Question, read_golden

PAGE = (Path(__file__).parents[2] / "docs" / "eval.md").read_text(encoding="utf-8")


def test_the_golden_file_can_be_read_and_every_key_is_told(tmp_path: Path) -> None:
    (text,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.M | re.S)
    (tmp_path / "golden.yaml").write_text(text)
    assert len(read_golden(tmp_path / "golden.yaml")) == 4
    table = PAGE.partition("| key | means |")[2].partition("\n\n")[0]
    told = set(re.findall(r"^\| `(\w+)` \|", table, re.M))
    assert told == set(_Question.model_fields) - {"tolerance"}


def test_every_option_of_a_run_is_told() -> None:
    shown = CliRunner().invoke(app, ["eval", "run", "--help"]).stdout
    untold = set(re.findall(r"(--[a-z-]+)", shown)) - set(re.findall(r"(--[a-z-]+)", PAGE))
    assert untold == {"--quiet", "--cache", "--help"}
