"""Asks three questions over the example data with the local model, and compares the answers with what they should be.

Run `make demo`, or `python examples/demo.py` where Querist is installed with its extra `local`. The first run fetches
the model (1.1 GB). Ends with 1 when an answer is not the expected one.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.rule import Rule

from querist import Answer, Querist, QueristError, Settings
from querist.cli.fetch import is_fetched, progress_bars
from querist.cli.live import Live
from querist.cli.show import open_console, show_answer
from querist.models import download
from querist.models.manifest import default_model

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Example:
    """A question, the data it is about, and the rows of its answer, in any order.

    `by_hand` is the query that a person wrote for it; the tests run it to prove the expected rows.
    """

    question: str
    data: str
    expected: tuple[tuple[object, ...], ...]
    by_hand: str


EXAMPLES = (
    Example(
        "How many orders were returned in 2025?",
        "shop",
        ((43,),),
        """SELECT count(*) FROM orders WHERE status = 'returned' AND "ordered on" >= DATE '2025-01-01'""",
    ),
    Example(
        "What is the average rating of each category?",
        "shop",
        (("Books", 4.07), ("Camping", 4.13), ("Climbing", 4.04), ("Hiking", 4.3), ("Water", 4.17)),
        "SELECT category, avg(rating) FROM products JOIN orders USING (product_id) GROUP BY category",
    ),
    Example(
        "How many books are there of each genre?",
        "library.sqlite",
        (
            ("children", 67),
            ("cooking", 21),
            ("crime", 68),
            ("history", 53),
            ("novel", 107),
            ("poetry", 9),
            ("science", 50),
            ("travel", 25),
        ),
        "SELECT genre, count(*) FROM books GROUP BY genre",
    ),
)


def main() -> int:
    """Fetch what is missing, ask, compare. Returns the exit code."""
    console = open_console()
    try:
        fetch_model(console)
        right = [ask(console, number, example) for number, example in enumerate(EXAMPLES, start=1)]
    except QueristError as error:
        console.print(f"{error.message}\n{error.hint}", style="red", markup=False)
        return 1
    console.print(Rule(style="dim"))
    console.print(f"{sum(right)} of {len(right)} answers are as expected. Now ask about data of your own:\n")
    console.print('    .venv/bin/querist ask "…" --data FILE, FOLDER or URL\n', markup=False)
    return 0 if all(right) else 1


def fetch_model(console: Console) -> None:
    """Bring the default model to this machine; a file that is there was proved when it was fetched."""
    model = default_model()
    if is_fetched(model):
        return
    console.print(
        f"Fetching the model that writes the queries: {model.title}, {model.bytes / 1e9:.1f} GB, {model.licence}."
    )
    with progress_bars(model, quiet=not sys.stderr.isatty()) as report:
        download.pull(model, report)
    console.print(f"It is the publisher's file: SHA-256 {model.sha256}\n")


def ask(console: Console, number: int, example: Example) -> bool:
    """Ask one question and show the answer. Whether it is the expected one."""
    console.print(Rule(f"{number} of {len(EXAMPLES)}", style="dim"))
    console.print(f"{example.question}   [dim]over examples/{example.data}[/]\n")
    started = time.perf_counter()
    with Live() as live, Querist(HERE / example.data, settings=Settings(), on_event=live.on_event) as querist:
        answer = querist.ask(example.question)
    show_answer(console, answer)
    right = rows_of(answer) == sorted(example.expected, key=repr)
    if right:
        console.print(
            f"✓ the same as counted by hand, in {time.perf_counter() - started:.1f} s with loading\n", style="green"
        )
    else:
        console.print(f"✗ expected {example.expected}\n", style="red", markup=False)
    return right


def rows_of(answer: Answer) -> list[tuple[object, ...]]:
    """The answer's rows in a fixed order, numbers rounded to two digits."""
    rows = answer.table.rows if answer.table is not None else ()
    rounded = (tuple(round(cell, 2) if isinstance(cell, float) else cell for cell in row) for row in rows)
    return sorted(rounded, key=repr)


if __name__ == "__main__":
    sys.exit(main())
