"""Steps: ask those of a plan, hand results on, and put the answers together. How one step is answered is `Ask`'s."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from querist.answer.answer import Answer, Check, Evidence, Status, Step
from querist.answer.plan import RESULTS, PlannedStep, filled
from querist.answer.prepared import Prepared, prepare
from querist.answer.present import label
from querist.sources.files import FileSource
from querist.sources.table import Table, Value, json_cell

FEW, SHORT = 12, 500
"""A result of at most so many rows and characters is handed on in the question, a longer one as a table."""

AskOne = Callable[[str, Prepared], Awaitable[Answer]]
"""Answers a question from one source."""


async def ask_steps(plan: Sequence[PlannedStep], prepared: Sequence[Prepared], ask: AskOne) -> tuple[Step, ...]:
    """Ask all steps, each as soon as those that it needs are answered."""
    tasks: dict[int, asyncio.Task[Step]] = {}

    async def run(step: PlannedStep) -> Step:
        earlier = {number: await tasks[number] for number in step.needs}
        return Step(number=step.number, needs=step.needs, answer=await _answer(step, earlier, prepared, ask))

    tasks |= {step.number: asyncio.create_task(run(step)) for step in plan}
    try:
        return tuple(await asyncio.gather(*tasks.values()))
    except BaseException:
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)  # they close what they opened
        raise


async def _answer(step: PlannedStep, earlier: Mapping[int, Step], prepared: Sequence[Prepared], ask: AskOne) -> Answer:
    lacking = next((found for found in earlier.values() if not found.has_result), None)
    if lacking is not None:
        status = lacking.answer.status if lacking.answer.table is None else Status.FAILED
        text = f"Not asked, for step {lacking.number} found nothing that it needs: {lacking.answer.text}"
        return Answer(question=step.question, status=status, text=text)
    source = next((known for known in prepared if known.source.name == step.source), None)
    tables = {number: found.answer.table for number, found in earlier.items() if found.answer.table is not None}
    long = {number for number, table in tables.items() if step.source == RESULTS or not _is_short(table)}
    names = {number: f"step_{number}" if number in long else _values(table) for number, table in tables.items()}
    question = filled(step.question, names)
    if names and question == step.question:  # the results stand nowhere in it
        question += " (" + "; ".join(f"{earlier[n].answer.question} {name}" for n, name in names.items()) + ")"
    if not long and source is not None:
        return await ask(question, source)
    files = source.source if source is not None and isinstance(source.source, FileSource) else None
    if source is not None and files is None:
        text = f"Step {min(long)} gave more than {step.source} can be asked about in words."
        return Answer(question=question, status=Status.FAILED, text=text)
    with tempfile.TemporaryDirectory(prefix="querist-steps-", ignore_cleanup_errors=True) as folder:
        found = {number: tables[number] for number in long}
        results = await asyncio.to_thread(_as_source, found, files, Path(folder))
        try:
            return await ask(question, results)
        finally:
            results.close()
            results.source.close()


def _is_short(table: Table) -> bool:
    return len(table) <= FEW and len(_values(table)) <= SHORT


def _values(table: Table) -> str:
    """What a short result says, all of it: its values, or each row by its first text with the rest behind it."""
    used = [i for i in range(len(table.columns)) if any(row[i] is not None for row in table.rows)]
    lead = next((i for i in used if any(isinstance(row[i], str) for row in table.rows)), used[0])
    names = [label(name) for name in table.names]

    def said(row: tuple[Value, ...]) -> str:
        rest = [f"no {names[i]}" if row[i] is None else f"{names[i]} {json_cell(row[i])}" for i in used if i != lead]
        first = f"no {names[lead]}" if row[lead] is None else str(json_cell(row[lead]))
        return f"{first} ({', '.join(rest)})" if rest else first

    *first, last = dict.fromkeys(said(row) for row in table.rows if any(cell is not None for cell in row))
    return f"{', '.join(first)} and {last}" if first else last


def _as_source(tables: Mapping[int, Table], files: FileSource | None, folder: Path) -> Prepared:
    """Results as tables step_1, step_2, …, beside the files of a source; in files of a folder while they are asked."""
    paths = [] if files is None else list(files.paths)
    for number, table in tables.items():
        columns = tuple(replace(column, name=label(column.name).replace(" ", "_")) for column in table.columns)
        paths.append(replace(table, columns=columns).hand_on(folder, f"step_{number}"))
    return prepare(FileSource(RESULTS if files is None else files.name, paths=paths, passing=folder), folder)


def together(question: str, understood: str, steps: Sequence[Step]) -> Answer:
    """The answer that the steps make. It is as sure as the weakest of them, and says which those are."""
    needed = {number for step in steps for number in step.needs}
    parts = [step for step in steps if step.number not in needed]
    order = list(Status)
    status = max((step.answer.status for step in steps), key=order.index)
    checks = [
        Check(f"step_{step.number}", "failed" if step.answer.table is None else "warned", told)
        for step in steps
        if (told := _doubt(step))
    ]
    alone = parts[0].answer if len(parts) == 1 else None
    assumptions = [f"Understood as: {understood}"] if understood != question else []
    assumptions += [f"Step {step.number}: {told}" for step in steps for told in step.answer.evidence.assumptions]
    return Answer(
        question=question,
        understood=understood,
        status=status,
        text=alone.text if alone else "\n".join(f"{part.answer.question} {part.answer.text}" for part in parts),
        table=alone.table if alone else _one_row([part.answer.table for part in parts]),
        sql=alone.sql if alone else None,
        source=", ".join(dict.fromkeys(step.answer.source for step in steps if step.answer.source)),
        evidence=Evidence(checks=tuple(checks), assumptions=tuple(assumptions)),
        readings=next((step.answer.readings for step in steps if step.answer.readings), ()),
        steps=tuple(steps),
    )


def _doubt(step: Step) -> str:
    answer = step.answer
    if answer.table is None:
        return f"Step {step.number}, “{answer.question}”, has no answer: {answer.text}"
    if answer.status in (Status.VERIFIED, Status.AGREED) and not answer.evidence.warnings:
        return ""
    why = answer.evidence.warnings[0] if answer.evidence.warnings else "nothing confirms it."
    return f"Step {step.number}, “{answer.question}”: {why}"


def _one_row(tables: Sequence[Table | None]) -> Table | None:
    """Results of one row each side by side; None where one has more."""
    found = [table for table in tables if table is not None and len(table) == 1]
    if not found or len(found) < len(tables):
        return None
    columns = tuple(column for table in found for column in table.columns)
    return Table(columns, (tuple(cell for table in found for cell in table.rows[0]),))
