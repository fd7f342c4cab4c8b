"""Shows an answer to people: its text, its table cut to the width at hand, how far to trust it, and the query.

What comes from data or from a model is text and never markup, and no control character of it reaches the terminal.
"""

from __future__ import annotations

import decimal
import json
import math
import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from querist.answer.answer import Answer, Attempt, Status, Step
from querist.answer.present import FEW, IDENTIFIER, labels
from querist.sources.table import Table, Value, json_cell

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

ROWS_SHOWN = 20
CELL_WIDTH = 48
"""Characters of one cell; longer ones are cut."""
PIPED_WIDTH = 120
"""Columns of text where the output is not a terminal and `COLUMNS` does not say."""

SHORT_QUERY = 80
"""Characters of a query that is shown on one line."""

_GAP = 2
_TOKEN = re.compile(
    r"""(?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\])"""
    r"|(?P<clause>\b(?:FROM|WHERE|GROUP\s+BY|HAVING|ORDER\s+BY|LIMIT|UNION|INTERSECT|EXCEPT|"
    r"(?:(?:LEFT|RIGHT|FULL|INNER|CROSS)\s+(?:OUTER\s+)?)?JOIN)\b)|\s+|\w+|.",
    re.IGNORECASE | re.DOTALL,
)
"""Pieces of a query: quoted text, words that begin a clause, blanks, everything else."""
_SIGNS = {"passed": ("ok  ", "green"), "warned": ("warn", "yellow"), "failed": ("fail", "red")}
_COLOURS = {
    Status.VERIFIED: "green",
    Status.AGREED: "green",
    Status.UNVERIFIED: "yellow",
    Status.NEEDS_CLARIFICATION: "yellow",
    Status.REFUSED: "red",
    Status.FAILED: "red",
}


def open_console() -> Console:
    """The standard output. Where that is not a terminal, plain text of a fixed width."""
    from rich.console import Console

    console = Console(highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = PIPED_WIDTH
    return console


def show_answer(console: Console, answer: Answer, *, explain: bool = False, save_hint: str = "") -> None:
    """Print an answer.

    Args:
        explain: with every draft, every check and the time of each stage.
        save_hint: how to get all rows, told where not all are shown.
    """
    console.print(plain(answer.text, "bold" if answer.table is not None else "", keep_lines=True))
    if answer.table is not None and (answer.analysis or not _said_in_full(answer.table)):
        console.print()
        show_table(console, answer.table, save_hint=save_hint)
    console.print()
    console.print(plain(status_line(answer), _COLOURS[answer.status]))
    _show_doubts(console, answer)
    for step in answer.steps:
        _show_step(console, step, answer.table, explain=explain)
    if not answer.steps:
        _show_query(console, answer, explain=explain)
    console.print()
    console.print(plain(footer(answer), "dim"))


def _show_doubts(console: Console, answer: Answer) -> None:
    for warning in answer.evidence.warnings:
        console.print(plain(f"! {warning}", "yellow"))
    for assumption in answer.evidence.assumptions:
        console.print(plain(assumption, "dim"))


def _show_query(console: Console, answer: Answer, *, explain: bool) -> None:
    if explain:
        _show_explanation(console, answer)
    elif answer.sql:
        for note in _mended(answer):
            console.print(plain(f"mended: {note}", "dim"))
        console.print()
        show_sql(console, answer.sql)


def _show_step(console: Console, step: Step, shown: Table | None, *, explain: bool) -> None:
    """One step; its rows only where they do not stand above as the rows of the whole answer."""
    found = step.answer
    console.print()
    console.print(
        plain(f"Step {step.number}: {found.question}" + (f" ({found.source})" if found.source else ""), "bold")
    )
    console.print(plain(found.text, keep_lines=True))
    if found.table is not None and found.table is not shown and not _said_in_full(found.table):
        console.print()
        show_table(console, found.table)
    if found.table is not None:
        console.print(plain(status_line(found), _COLOURS[found.status]))
        _show_doubts(console, found)
    _show_query(console, found, explain=explain)


def status_line(answer: Answer) -> str:
    """How far the answer can be trusted, in words; it begins with the status as programs know it."""
    same, ran = answer.evidence.agreement
    kind = "" if answer.analysis and answer.status is Status.UNVERIFIED and same > 1 else "independent "
    drafts = f"{ran} {kind}draft{'' if ran == 1 else 's'}"  # two pieces of code of one model do not confirm each other
    if answer.steps:
        return f"{answer.status.replace('_', ' ')}: the least sure of its {len(answer.steps)} steps is"
    match answer.status:
        case Status.VERIFIED:
            said = "a query that was verified for this question gave this result"
        case Status.AGREED:
            said = f"{same} of {drafts} gave this result"
        case Status.UNVERIFIED:
            but = "a check warns" if answer.evidence.warnings else "nothing else confirms it"
            read = "--explain shows how it came about" if answer.analysis else "read the query"
            said = f"{same} of {drafts} gave this result, and {but}; {read}"
        case Status.NEEDS_CLARIFICATION:
            said = "the question has more than one reading"
        case Status.REFUSED:
            said = "the data cannot answer this, or answering it is not allowed"
        case Status.FAILED:
            said = f"no {'analysis' if answer.analysis else 'query'} could be made to run"
    return f"{answer.status.replace('_', ' ')}: {said}"


def footer(answer: Answer) -> str:
    """What the answer took: seconds, tokens, calls, and which model."""
    usage, parts = answer.usage, []
    if "total" in answer.timings:
        parts.append(f"{answer.timings['total']:.1f} s")
    if usage.calls:
        cached = f" ({usage.cached_tokens:,} cached)" if usage.cached_tokens else ""
        parts.append(f"{usage.input_tokens:,}{cached} + {usage.output_tokens:,} tokens in {usage.calls} calls")
    if usage.cost:
        parts.append(f"${usage.cost:.4f}")
    if answer.model:
        parts.append(answer.model)
    return " · ".join(parts)


def show_sql(console: Console, sql: str) -> None:
    """Print a query, a clause a line, highlighted on a terminal."""
    sql = in_lines(sql)
    if not console.is_terminal:
        console.print(plain(sql, keep_lines=True), soft_wrap=True)
        return
    from rich.syntax import Syntax

    console.print(
        Syntax(_safe(sql, keep_lines=True), "sql", theme="ansi_dark", background_color="default", word_wrap=True)
    )


def in_lines(sql: str) -> str:
    """The same query with each clause on a line of its own. Only blanks between words are changed."""
    if len(sql) <= SHORT_QUERY or any(odd in sql for odd in ("\n", "\\", "--")):
        return sql  # short, laid out already, or with escapes and comments that this does not read
    depth, parts = 0, list[str]()
    for token in _TOKEN.finditer(sql):
        word = token[0]
        depth += (word == "(") - (word == ")")
        starts_clause = token.lastgroup == "clause" and depth == 0 and bool(parts)
        if starts_clause and parts[-1].isspace():
            parts[-1] = "\n"
        parts.append(word)
    return "".join(parts)


def show_table(console: Console, table: Table, *, rows: int = ROWS_SHOWN, save_hint: str = "") -> None:
    """Print the first rows of a table, and as many of its columns as fit. What is left out is told."""
    from rich.cells import cell_len

    shown = table.rows[:rows]
    headings = zip(table.names, labels(table.names), strict=True)
    columns = [_column(name, said, [row[i] for row in shown]) for i, (name, said) in enumerate(headings)]
    widths = [max(map(cell_len, cells)) for cells, _ in columns]
    fitting = _fitting(widths, console.width)
    for line in range(len(shown) + 1):
        text = _line([(cells[line], right) for cells, right in columns[:fitting]], widths)
        if line == 0:
            text.stylize("bold")
        console.print(text, no_wrap=True, overflow="ellipsis", crop=True)
        if line == 0:
            rule = (" " * _GAP).join("─" * width for width in widths[:fitting])
            console.print(plain(rule, "dim"), no_wrap=True, crop=True)
    left = []
    if len(table) > rows:
        left.append(f"{len(table) - rows:,} more rows")
    if fitting < len(columns):
        names = ", ".join(cells[0] for cells, _ in columns[fitting:][:8])
        left.append(f"{len(columns) - fitting} more columns ({names}{', …' if len(columns) - fitting > 8 else ''})")
    if left:
        console.print(plain(f"… {' and '.join(left)}" + (f"; {save_hint}" if save_hint else ""), "dim"))


def as_markdown(answer: Answer) -> str:
    """The answer as a Markdown document, with all its rows."""
    parts = [f"# {_safe(answer.question)}", _safe(answer.text, keep_lines=True)]
    if answer.table is not None and answer.table.rows:
        lines = [[cell_text(name, width=None) for name in answer.table.names], ["---"] * len(answer.table.columns)]
        lines += [[cell_text(value, width=None) for value in row] for row in answer.table.rows]
        parts.append("\n".join("| " + " | ".join(c.replace("|", "\\|") for c in line) + " |" for line in lines))
    parts.append(f"*{status_line(answer)}*")
    said = [*answer.evidence.warnings, *answer.evidence.assumptions, *(f"mended: {note}" for note in _mended(answer))]
    if said:
        parts.append("\n".join(f"- {_safe(note)}" for note in said))
    if answer.sql:
        parts.append(f"```sql\n{answer.sql}\n```")
    parts.append(footer(answer))
    return "\n\n".join(parts) + "\n"


def _line(cells: Sequence[tuple[str, bool]], widths: Sequence[int]) -> Text:
    from rich.cells import cell_len
    from rich.text import Text

    text = Text()
    for i, ((cell, right), width) in enumerate(zip(cells, widths, strict=False)):
        padding = " " * (width - cell_len(cell))
        text.append(" " * _GAP if i else "")
        text.append(padding + cell if right else cell + padding, "dim" if cell == "NULL" else "")
    text.rstrip()
    return text


def _fitting(widths: Sequence[int], room: int) -> int:
    """How many columns fit from the left; at least one."""
    used = 0
    for number, width in enumerate(widths):
        used += width + (_GAP if number else 0)
        if used > room and number:
            return number
    return len(widths)


def _column(name: str, said: str, values: Sequence[Value]) -> tuple[list[str], bool]:
    """The texts of a column, its name first (`said` where that is code), and whether it is aligned to the right."""
    numbers = [v for v in values if isinstance(v, (int, float, decimal.Decimal)) and not isinstance(v, bool)]
    numeric = bool(numbers) and all(v is None for v in values if not _is_number(v))
    decimals = _decimals(numbers)
    separator = "" if IDENTIFIER.search(name) else ","
    cells = [_number(v, decimals, separator) if numeric and v is not None else cell_text(v) for v in values]
    return [_cut(_safe(name if name.isidentifier() else said)), *cells], numeric


def _is_number(value: Value) -> bool:
    return isinstance(value, (int, float, decimal.Decimal)) and not isinstance(value, bool)


def _decimals(numbers: Sequence[int | float | decimal.Decimal]) -> int:
    """Digits behind the point for all numbers of a column: as many as they need, and no more than say something."""
    finite = [float(n) for n in numbers if not isinstance(n, int) and abs(float(n)) < float("inf")]
    most = 2 if any(abs(n) >= 1 for n in finite) else 4
    for digits in range(most):
        if all(abs(round(n, digits) - n) < 1e-12 * max(1.0, abs(n)) for n in finite):
            return digits
    return most


def _number(value: int | float | decimal.Decimal, decimals: int, separator: str) -> str:
    if not isinstance(value, int):
        if 0 < abs(float(value)) < 0.5 * 10**-decimals:
            return f"{float(value):.2g}"  # it would read as nothing
        if decimals or not math.isfinite(value):
            return f"{value:z{separator}.{decimals}f}"
        value = round(value)
    text = f"{value:{separator}}" if separator and abs(value) >= 10_000 else str(value)
    return text + (f".{'0' * decimals}" if decimals else "")


def cell_text(value: Value, width: int | None = CELL_WIDTH) -> str:
    """A cell on one line, cut to `width` characters."""
    if value is None:
        return "NULL"
    cell = json_cell(value)
    text = cell if isinstance(cell, str) else json.dumps(cell, ensure_ascii=False)
    return _cut(_safe(text), width)


def _cut(text: str, width: int | None = CELL_WIDTH) -> str:
    return text if width is None or len(text) <= width else text[: width - 1] + "…"


def _said_in_full(table: Table) -> bool:
    """Whether the answer's text already holds every cell."""
    return (len(table) <= 1 and not table.truncated) or (len(table.columns) == 1 and len(table) <= FEW)


def _mended(answer: Answer) -> Sequence[str]:
    return next((attempt.mended for attempt in answer.evidence.attempts if attempt.sql == answer.sql), ())


def _show_explanation(console: Console, answer: Answer) -> None:
    console.print()
    console.print(plain("Drafts", "bold"))
    chosen = next((a for a in answer.evidence.attempts if a.sql == answer.sql), None)
    for number, attempt in enumerate(answer.evidence.attempts, start=1):
        console.print(plain(f"{number}. {_about(attempt)}{', the answer' if attempt is chosen else ''}"))
        for note in attempt.mended:
            console.print(plain(f"   mended: {note}", "dim"))
        if attempt.error:
            console.print(plain(f"   {attempt.error}", "red"))
        show_sql(console, attempt.sql)
    if answer.evidence.checks:
        console.print()
        console.print(plain("Checks", "bold"))
    for check in answer.evidence.checks:
        sign, colour = _SIGNS[check.outcome]
        console.print(plain(f"{sign} {check.name}" + (f": {check.message}" if check.message else ""), colour))
    console.print()
    console.print(plain("Time", "bold"))
    console.print(plain(", ".join(f"{stage} {seconds:.2f} s" for stage, seconds in answer.timings.items())))
    if answer.evidence.fingerprint:
        console.print(plain(f"data {answer.source} {answer.evidence.fingerprint}", "dim"))


def _about(attempt: Attempt) -> str:
    if attempt.error:
        said = "did not run"
    else:
        said = "no vote" if attempt.group is None else f"result {chr(ord('A') + attempt.group)}"
        if attempt.rows is not None:
            said = f"{attempt.rows:,} row{'' if attempt.rows == 1 else 's'}, {said}"
    took = f" ({attempt.seconds:.2f} s)" if attempt.seconds else ""
    return f"{attempt.strategy}{took}: {said}"


def plain(text: str, style: str = "", *, keep_lines: bool = False) -> Text:
    """Text for a terminal that comes from data or a model."""
    from rich.text import Text

    return Text(_safe(text, keep_lines=keep_lines), style=style)


def _safe(text: str, *, keep_lines: bool = False) -> str:
    """Text from data or a model as a terminal may show it: nothing in it that a terminal would obey."""
    return "".join(c if c.isprintable() or (keep_lines and c == "\n") else " " for c in text)
