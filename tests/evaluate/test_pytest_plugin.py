"""`pytest --querist`, in a folder of its own, with a model that replies from a script."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evaluate.conftest import make_database

pytest_plugins = ["pytester"]

GOLDEN = """\
data: lights.sqlite
questions:
  - question: How many lighthouses are there?
    sql: SELECT count(*) FROM lighthouse
    tags: [smoke]
  - id: north
    question: Which stand in the north?
    table: [[Skarv], [Terne]]
    budget: {seconds: 60}
  - question: How high is the highest?
    value: 42.25
"""
CONFTEST = """\
import sys
sys.path.insert(0, {root!r})
from querist.models import open
from tests.scripted_model import ScriptedModel

def reply(request):
    asked = request.messages[-1].content
    if "How many" in asked:
        return "SELECT count(*) FROM lighthouse"
    return "SELECT max(height) FROM lighthouse" if "highest" in asked else "SELECT name FROM lighthouse"

open.open_model = lambda names, settings=None: ScriptedModel(reply)
"""


@pytest.fixture
def folder(pytester: pytest.Pytester) -> Path:
    """A folder with data and golden questions, in which the model replies from a script."""
    pytester.makeconftest(CONFTEST.format(root=str(Path(__file__).parents[2])))
    make_database(pytester.path / "lights.sqlite")
    (pytester.path / "golden.yaml").write_text(GOLDEN)
    return pytester.path


def run(pytester: pytest.Pytester, *options: str) -> pytest.RunResult:
    """In a process of its own: in ours, pytest would forget modules that other tests still use.

    Without other plugins: they take longer to load than all the rest.
    """
    others = ("anyio", "cacheprovider", "hypothesispytest", "timeout", "xdist", "xdist.looponfail")
    return pytester.runpytest_subprocess(*(f"-pno:{name}" for name in others), *options)


def test_each_question_is_a_test_and_a_failure_says_what_was_expected(pytester: pytest.Pytester, folder: Path) -> None:
    result = run(pytester, "--querist")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        [
            "expected 2 rows, got 5",
            "Which stand in the north?",
            "expected:",
            "  Skarv",
            "got (*):",
            "  Lunde",
            "  SELECT name FROM lighthouse",
            "FAILED golden.yaml::north - expected 2 rows, got 5",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")


def test_without_the_option_nothing_is_asked(pytester: pytest.Pytester, folder: Path) -> None:
    result = run(pytester)
    result.assert_outcomes()


def test_questions_are_selected_by_tag_and_by_name(pytester: pytest.Pytester, folder: Path) -> None:
    run(pytester, "--querist", "-k", "smoke", "--junitxml=out.xml").assert_outcomes(passed=1, deselected=2)
    assert '<property name="status" value="agreed"' in (folder / "out.xml").read_text()
    (folder / "golden.yaml").rename(folder / "other.yaml")  # found because it is named
    run(pytester, "--querist", "other.yaml::north").assert_outcomes(failed=1)


def test_files_are_found_by_their_names(pytester: pytest.Pytester, folder: Path) -> None:
    (folder / "golden.yaml").rename(folder / "sales.golden.yml")
    (folder / "other.yaml").write_text("questions: wrong")
    run(pytester, "--querist").assert_outcomes(passed=2, failed=1)


def test_a_mistake_in_a_file_is_told_with_its_place(pytester: pytest.Pytester, folder: Path) -> None:
    (folder / "golden.yaml").write_text(GOLDEN.replace("value: 42.25", "valu: 42.25"))
    result = run(pytester, "--querist")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*golden.yaml:11:5: unknown key 'valu'*", "*Did you mean 'value'?*"])


def test_data_that_are_gone_are_told_without_a_traceback(pytester: pytest.Pytester, folder: Path) -> None:
    (folder / "lights.sqlite").unlink()
    result = run(pytester, "--querist", "-k", "smoke")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*lights.sqlite*"])
    result.stdout.no_fnmatch_line("*Traceback*")
