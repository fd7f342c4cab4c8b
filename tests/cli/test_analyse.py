"""`querist analyse` as people and programs see it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from typer.testing import CliRunner, Result

from querist.cli.main import app
from tests.scripted_model import ScriptedModel

Use = Callable[[object], ScriptedModel]


WITHOUT_CODE = {"COLUMNS": "100", "QUERIST_SANDBOX__BACKEND": "monty"}
"""A sandbox without pandas, so that only techniques are used: they need no process."""


def analyse(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["analyse", *map(str, arguments)], env=WITHOUT_CODE)


def plan(*statistics: str) -> dict[str, object]:
    chosen = {"technique": "describe", "columns": ["price"], "statistics": list(statistics), "by": ""}
    return {"analyses": [chosen], "prepare": []}


def reply(request: object) -> object:
    return plan("max", "min")


def test_words_values_and_warnings_are_shown(kites: Path, scripted: Use) -> None:
    scripted(reply)
    shown = analyse("What do the kites cost?", "--data", kites, "--explain")
    assert shown.exit_code == 0, shown.output
    lines = shown.stdout.splitlines()
    assert lines[0] == "price: max 30,000.5 and min 1,000.5."
    assert any(line.endswith("max of price") for line in lines)
    assert "draft 1, techniques: agrees" in lines
    assert any(line.startswith("warning: No code was tried") for line in lines)


def test_json_is_one_document_with_every_finding(kites: Path, scripted: Use) -> None:
    scripted(reply)
    shown = analyse("What do the kites cost?", "--data", kites, "--format", "@max_price[x] @min_price[x]", "--json")
    data = json.loads(shown.stdout)
    assert set(data["values"]) == {"max_price", "min_price"}
    assert [found["name"] for found in data["findings"]][:1] == ["max_price"]


def test_a_chart_is_saved_beside_the_analysis(kites: Path, scripted: Use, tmp_path: Path) -> None:
    scripted(reply)
    file = tmp_path / "prices.svg"
    shown = analyse("What do the kites cost?", "--data", kites, "--chart", file)
    assert "Distribution of Price" in file.read_text()
    assert f"The chart is in {file}." in shown.stderr
    assert shown.stdout.startswith("price: max 30,000.5")


def test_a_chart_that_cannot_be_is_refused_before_anything_is_asked(kites: Path, scripted: Use) -> None:
    model = scripted([])
    assert "cannot be saved as 'prices.doc'" in analyse("Prices?", "--data", kites, "--chart", "prices.doc").stderr
    assert "both want the standard output" in analyse("Prices?", "--data", kites, "--chart", "-", "--json").stderr
    assert not model.requests


def test_ask_analyses_a_question_that_names_a_technique(kites: Path, scripted: Use) -> None:
    outliers = {"technique": "outliers", "column": "price", "method": "zscore", "threshold": 3.0, "by": ""}
    model = scripted(lambda request: {"analyses": [outliers], "prepare": []})
    question = "Which prices of the kites are outliers?"
    shown = CliRunner().invoke(app, ["ask", question, "--data", str(kites), "--chart", "-"], env=WITHOUT_CODE)
    assert shown.exit_code == 0, shown.output
    lines = shown.stdout.splitlines()
    assert lines[0].startswith("No value of price is an outlier: all lie between")
    assert any(line.split() == ["outlier_count", "0", "outlier", "count", "of", "price"] for line in lines)
    assert "Analysed the table kites by outliers" in lines
    assert any(line.startswith("unverified: 1 of 1 independent draft") for line in lines)
    assert any(line.startswith("Outliers of Price: 0 of") for line in lines)
    assert len(model.requests) == 1  # for the plan


def test_a_table_that_is_not_there_is_an_error_with_those_there_are(kites: Path, scripted: Use) -> None:
    scripted([])
    shown = analyse("What do they cost?", "--data", kites, "--table", "balloons")
    assert shown.exit_code == 2
    assert "There is no table 'balloons'" in shown.stderr
