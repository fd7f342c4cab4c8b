"""What the documentation shows must be so: commands and code run, output comes out, links lead somewhere.

Questions are answered by a model that replies from a script. Commands that fetch, install, stop or need a server are
not run; that they and their options exist is still checked.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from querist.agents.definition import read_definition
from querist.cli.main import app
from querist.evaluate.golden import read_golden
from querist.models.base import Model, Request
from querist.settings import Settings, load_settings
from tests.scripted_model import ScriptedModel

ROOT = Path(__file__).parent.parent
PAGES = (
    "README.md",
    "docs/user-guide.md",
    "docs/verified-queries.md",
    "docs/architecture.md",
    "docs/security.md",
    "docs/plugins.md",
    "docs/charts.md",
    "docs/analysis.md",
    "docs/core.md",
    "docs/tools.md",
    "docs/agents.md",
    "docs/answer-engine.md",
    "docs/eval.md",
    "docs/sandbox.md",
)
ANSWERS = {
    "How many orders were returned in 2025?": (
        "SELECT COUNT(*) AS count FROM orders WHERE status = 'returned' AND YEAR(\"ordered on\") = 2025"
    ),
    "and in 2024?": "SELECT COUNT(*) AS count FROM orders WHERE status = 'returned' AND YEAR(\"ordered on\") = 2024",
    "how many orders were returned in 2024": (
        "SELECT COUNT(*) AS count FROM orders WHERE status = 'returned' AND YEAR(\"ordered on\") = 2024"
    ),
    "What is the average rating of each category?": (
        "SELECT products.category, AVG(orders.rating) AS average_rating FROM products "
        "JOIN orders ON products.product_id = orders.product_id GROUP BY products.category"
    ),
    "Which branch lends the most books?": (
        "SELECT branches.name FROM branches JOIN books ON branches.branch_id = books.branch_id "
        "JOIN loans ON books.book_id = loans.book_id GROUP BY branches.name ORDER BY COUNT(*) DESC LIMIT 1"
    ),
    "What is the average price by category?": "SELECT category, AVG(price) AS price FROM products GROUP BY category",
    "How many customers are there by region?": "SELECT region, COUNT(*) AS customers FROM customers GROUP BY region",
    "Who is the best customer?": (
        "SELECT customers.name FROM customers JOIN orders ON customers.customer_id = orders.customer_id "
        "GROUP BY customers.customer_id, customers.name ORDER BY SUM(orders.total) DESC LIMIT 1"
    ),
    "How many books are there of each genre?": "SELECT genre, COUNT(*) FROM books GROUP BY genre",
    "How many big orders were delivered?": "SELECT COUNT(*) FROM orders WHERE status = 'delivered' AND total >= 500",
    "Is the rating correlated with the total?": (
        '{"analyses": [{"technique": "correlation", "columns": ["rating", "total"], "method": "pearson", "by": ""}], '
        '"prepare": []}'
    ),
    "What is the mean rating of the orders?": (
        '{"analyses": [{"technique": "describe", "columns": ["rating"], "statistics": ["mean"], "by": ""}], '
        '"prepare": []}'
    ),
    "How many shop customers are there, and how many library members?": (
        '{"steps": [{"question": "How many customers are there?", "source": "shop", "needs": []}, '
        '{"question": "How many members are there?", "source": "library", "needs": []}]}'
    ),
    "How many customers are there?": "SELECT COUNT(*) AS customers FROM customers",
    "How many members are there?": "SELECT COUNT(*) AS members FROM members",
    "Which category sells best, and by how much?": (
        "SELECT products.category, SUM(orders.quantity) AS sold FROM products "
        "JOIN orders ON products.product_id = orders.product_id GROUP BY products.category ORDER BY sold DESC LIMIT 2"
    ),
}
"""What the model replies to each question of the documentation: a query, or the plan of an analysis."""
AGENTS = {
    "What is 17 times 23?": "391",
    "Which category sells best, and by how much?": "Camping.",
    "Are you open on Sunday?": "No.",
}
"""What agents answer."""
NOT_RUN = (
    *("plugin trust", "models pull", "models stop", "models verify", "eval ", "sandbox "),
    *("--deep", "://", "doctor"),
)


READ: dict[str, Callable[[Path], object]] = {"docs/agents.md": read_definition, "docs/eval.md": read_golden}
"""What reads the YAML of a page that is not about settings."""


@dataclass(frozen=True)
class Command:
    """A line `$ querist …` of a page, what is typed into it (`> …`), and what the page shows below it."""

    page: str
    line: str
    typed: tuple[str, ...]
    output: tuple[str, ...]

    @property
    def words(self) -> list[str]:
        return shlex.split(self.line, comments=True)[1:]

    def __str__(self) -> str:
        return f"{self.page}: {self.line}"


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.M | re.S)


def commands() -> list[Command]:
    found = []
    for page in PAGES:
        for block in blocks(page, "console"):
            for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
                line, *rest = part.rstrip().splitlines()
                typed = tuple(text[2:] for text in rest if text.startswith("> "))
                output = tuple(text for text in rest if not text.startswith("> "))
                if line.startswith("querist "):
                    found.append(Command(page, line, typed, output))
    return found


COMMANDS = commands()
RUN = [command for command in COMMANDS if not any(part in command.line for part in NOT_RUN)]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same for all tests, so that the data of the examples are read and profiled once."""
    made = tmp_path_factory.mktemp("docs")
    (made / "cache").mkdir()
    return made


@pytest.fixture(autouse=True)
def checkout(request: pytest.FixtureRequest, own_home: None, place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new working directory with the examples in it, and a model that knows the questions of the documentation.

    Tests marked `model` ask the real one.
    """
    here = place / "checkout"
    shutil.rmtree(here, ignore_errors=True)
    here.mkdir()
    (here / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(here)
    monkeypatch.setenv("QUERIST_SANDBOX__BACKEND", "monty")  # no code in analyses: the script has none
    if request.node.get_closest_marker("model") is not None:
        return here
    Path(os.environ["QUERIST_HOME"], "cache").symlink_to(place / "cache")

    def reply(request: Request) -> str:
        asked = request.messages[-1].content
        if request.prefix.startswith("agent-"):
            answer = next(answer for question, answer in AGENTS.items() if question in asked)
            return json.dumps({"think": "I know it.", "answer": answer})
        known = [question for question in ANSWERS if question in asked]
        assert known, f"no answer is written for: {asked}"
        last = max(known, key=asked.rindex)  # a prompt may hold the questions before it as well
        return last if request.prefix == "standalone" else ANSWERS[last]

    def opened(names: str | Sequence[str], settings: Settings | None = None) -> Model:
        return ScriptedModel(reply, name="local:qwen2.5-coder-1.5b")

    monkeypatch.setattr("querist.models.open.open_model", opened)
    return here


def run(words: Sequence[str], typed: Sequence[str] = ()) -> Result:
    text = "".join(f"{line}\n" for line in typed)
    return CliRunner().invoke(app, list(words), input=text, env={"COLUMNS": "120"})


@pytest.mark.parametrize("command", RUN, ids=str)
def test_a_command_of_the_documentation_runs_and_shows_what_it_says(command: Command) -> None:
    result = run(command.words, command.typed)
    assert result.exit_code == 0, result.output
    shown = result.stdout.splitlines()
    for line in command.output:
        # What a real model wrote had to be mended, and takes other times and tokens.
        if not line.startswith(("mended:", "agreed:")) and " tokens in " not in line:
            assert line in shown


@pytest.mark.model
@pytest.mark.timeout(900)
@pytest.mark.parametrize("command", [command for command in RUN if command.output], ids=str)
def test_the_real_model_answers_as_the_documentation_shows(command: Command) -> None:
    result = run(command.words)
    expected = [line for line in command.output if " tokens in " not in line]
    assert result.stdout.splitlines()[: len(expected)] == expected


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_a_command_of_the_documentation_exists_with_its_options(command: Command) -> None:
    words = command.words
    name = words[:2] if words[0] in ("models", "config", "eval", "plugin", "agent", "tool", "sandbox") else words[:1]
    if name[0].startswith("-"):
        pytest.skip("it shows an option of all commands")
    result = run([*name, "--help"])
    assert result.exit_code == 0, result.output
    for option in [word for word in words if re.match(r"--?[a-z]", word)]:
        assert option in result.stdout


PYTHON = [(page, number, code) for page in PAGES for number, code in enumerate(blocks(page, "python"), start=1)]


@pytest.mark.parametrize(("page", "number", "code"), PYTHON, ids=[f"{page} {number}" for page, number, _ in PYTHON])
def test_python_of_the_documentation_runs(
    page: str, number: int, code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if "await Runner()" in code:
        code = "import asyncio\nasync def main():\n" + "".join(f"    {line}\n" for line in code.splitlines())
        code += "asyncio.run(main())\n"
    exec(compile(code, f"{page}, block {number}", "exec"), {"__name__": "__main__"})
    if (page, number) == ("README.md", 1):
        assert capsys.readouterr().out.startswith("count: 43\nagreed\nSELECT COUNT(*)")


@pytest.mark.parametrize("page", PAGES)
def test_yaml_of_the_documentation_is_right(page: str, checkout: Path) -> None:
    for block in blocks(page, "yaml"):
        file = checkout / "querist.yaml"
        file.write_text(block)
        READ.get(page, load_settings)(file)


@pytest.mark.parametrize("page", PAGES)
def test_links_of_the_documentation_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", (ROOT / page).read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert ((ROOT / page).parent / target).exists(), target


def test_the_documentation_was_read() -> None:
    assert len(RUN) >= 10
    assert len(PYTHON) >= 5
