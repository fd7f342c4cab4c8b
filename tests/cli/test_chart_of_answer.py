"""`querist ask --chart`: the picture of an answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from typer.testing import CliRunner, Result

from querist.cli.main import app
from querist.models.base import Request
from tests.scripted_model import ScriptedModel

Use = Callable[[object], ScriptedModel]
BY_MAKER = "SELECT maker, SUM(price) AS revenue FROM kites GROUP BY maker ORDER BY maker"


def ask(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["ask", *map(str, arguments)], env={"COLUMNS": "80"})


def test_it_is_saved_beside_the_answer(kites: Path, scripted: Use, tmp_path: Path) -> None:
    scripted(lambda _: BY_MAKER)
    file = tmp_path / "revenue.svg"
    shown = ask("Total price by maker?", "--data", kites, "--chart", file)
    assert file.read_text().startswith("<svg")
    assert "Aeolus  165,005" in shown.stdout
    assert f"The chart is in {file}." in shown.stderr


def test_it_is_shown_as_text(kites: Path, scripted: Use) -> None:
    scripted(lambda _: BY_MAKER)
    lines = ask("Total price by maker?", "--data", kites, "--chart", "-").stdout.splitlines()
    assert any(line.startswith("Aeolus █") for line in lines)


def test_what_no_chart_shows_is_said(kites: Path, scripted: Use) -> None:
    scripted(lambda _: "SELECT COUNT(*) AS n FROM kites")
    shown = ask("How many kites are there?", "--data", kites, "--chart", "-")
    assert "No chart shows this result better than its text." in shown.stderr


def test_an_ending_that_is_no_picture_is_refused_before_anything_is_asked(kites: Path, scripted: Use) -> None:
    model = scripted([])
    shown = ask("Total price by maker?", "--data", kites, "--chart", "revenue.doc")
    assert shown.exit_code == 2
    assert "cannot be saved as 'revenue.doc'" in shown.stderr
    assert not model.requests


def test_a_missing_folder_is_made_for_it(kites: Path, scripted: Use, tmp_path: Path) -> None:
    scripted(lambda _: BY_MAKER)
    shown = ask("Total price by maker?", "--data", kites, "--chart", tmp_path / "new" / "revenue.json")
    assert shown.exit_code == 0, shown.output
    assert '"mark"' in (tmp_path / "new" / "revenue.json").read_text()


def test_it_is_told_when_it_fails_at_last(kites: Path, scripted: Use, tmp_path: Path) -> None:
    file = tmp_path / "revenue.json"

    def answer(_: Request) -> str:
        file.mkdir(exist_ok=True)  # meanwhile someone else takes the name
        return BY_MAKER

    scripted(answer)
    shown = ask("Total price by maker?", "--data", kites, "--chart", file)
    assert (shown.exit_code, "The chart cannot be saved to" in shown.stderr) == (2, True)
