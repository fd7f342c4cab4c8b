"""What the drafts of a question come to: which result wins, how sure that is, and the answer that says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from querist.answer.answer import Answer, Check, Evidence, Reading, Status
from querist.answer.answerable import Missing
from querist.answer.checks.guesses import guessed
from querist.answer.cleaned import cleaned
from querist.answer.draft import STRATEGIES, Draft, Task
from querist.answer.present import present
from querist.answer.vote import Ballot, groups
from querist.sources.base import Schema

MOST_OFFERED = 12
"""Columns that a refusal names as what could be asked for."""


@dataclass(frozen=True)
class Verdict:
    """The vote of the drafts of one question.

    Attributes:
        drafts: in the order in which they were made.
        ranked: those that ran, as ballots with the same result together, the winning group first; only sound ones
            where there is any.
    """

    drafts: tuple[Draft, ...]
    ranked: tuple[tuple[Ballot, ...], ...]

    @property
    def winner(self) -> Draft | None:
        """The first draft of the winning group, but rather one that nothing was guessed for."""
        return min(self._supporting, key=lambda draft: bool(_guess(draft)), default=None)

    @property
    def _supporting(self) -> list[Draft]:
        return [self.drafts[ballot.draft] for ballot in self.ranked[0]] if self.ranked else []

    @property
    def agreement(self) -> tuple[int, int]:
        """How many drafts gave the winning result, of how many that ran."""
        return (len(self.ranked[0]) if self.ranked else 0, sum(draft.ran for draft in self.drafts))

    def evidence(self, task: Task, checks: Sequence[Check], assumptions: Sequence[str]) -> Evidence:
        place = {ballot.draft: number for number, group in enumerate(self.ranked) for ballot in group}
        attempts = tuple(draft.attempt(place.get(i)) for i, draft in enumerate(self.drafts))
        read = cleaned(self.winner.sql, task.prepared.schema, task.prepared.profile) if self.winner else ()
        told = (*assumptions, *read)
        return Evidence(attempts, tuple(checks), self.agreement, task.prepared.fingerprint, told)

    def checks(self) -> tuple[Check, ...]:
        """Those of the winner, and what people should know of the vote.

        A majority is not enough to be sure: where a sound draft gave another result, about half of the answers were
        right. Nor is a result that a second draft gave only by a guess.
        """
        votes, ran = self.agreement
        winner = self.winner
        if winner is None or ran < 2:
            return winner.checks if winner else ()
        if votes < 2:
            message = f"The {ran} drafts gave different results; this is that of one of them."
        elif len(self.ranked) > 1:
            message = f"Of {ran} drafts {votes} gave this result and another a different one."
        elif len(guesses := [said for draft in self._supporting if (said := _guess(draft))]) == votes - 1:
            message = f"Another draft gave this by a guess. {guesses[0]}"
        else:
            return (*winner.checks, Check("agreement", "passed"))
        return (*winner.checks, Check("agreement", "warned", message))


def _guess(draft: Draft) -> str:
    return next((check.message for check in draft.checks if check.name == guessed.name), "")


def verdict(drafts: Sequence[Draft]) -> Verdict:
    """Count the votes."""
    usable = [i for i, d in enumerate(drafts) if d.acceptable] or [i for i, d in enumerate(drafts) if d.ran]
    ran = [(i, table) for i in usable if (table := drafts[i].table) is not None]
    ranked = groups([Ballot(i, table, flawed=bool(drafts[i].complaints)) for i, table in ran])
    return Verdict(tuple(drafts), tuple(map(tuple, ranked)))


def answer_of(
    found: Verdict,
    asked: str,
    task: Task,
    *,
    missing: Missing | None = None,
    readings: Sequence[Reading] = (),
    assume: bool = False,
) -> Answer:
    """The answer that the vote gives, unless the data lack what it asks for or it has several readings.

    Args:
        missing: what the data lack for it.
        readings: that it has, the winner's first; fewer than two are none.
        assume: answer all the same, and say what was taken.
    """
    understood = task.question
    assumptions = [f"Understood as: {understood}"] if understood != asked else []
    if left_out := task.schema(STRATEGIES[0].style).left_out:
        assumptions.append(f"The model was shown what the question needs of the schema, without {left_out}")
    common: dict[str, Any] = {"question": asked, "understood": understood, "source": task.prepared.source.name}
    checks = list(found.checks())
    winner = found.winner
    if missing is not None and missing.certain and not (assume and winner):
        evidence = found.evidence(task, checks, assumptions)
        return Answer(status=Status.REFUSED, text=_refusal(missing, task.prepared.schema), evidence=evidence, **common)
    if winner is None or winner.table is None:
        reason = found.drafts[-1].error if found.drafts else "no draft was made"
        text = f"No query could be made to run for this question. The last one failed: {reason}"
        return Answer(status=Status.FAILED, text=text, evidence=found.evidence(task, checks, assumptions), **common)
    if missing is not None:
        checks.append(Check("unknown_words", "warned", missing.told))
    if len(readings) > 1 and assume:
        others = ", ".join(reading.label for reading in readings[1:])
        assumptions.append(f"Read as {readings[0].label}, not as {others}")
    elif len(readings) > 1:
        evidence = found.evidence(task, checks, assumptions)
        status, told = Status.NEEDS_CLARIFICATION, _question_back(readings)
        return Answer(status=status, text=told, evidence=evidence, readings=tuple(readings), **common)
    sure = found.agreement[0] >= 2 and all(check.outcome == "passed" for check in checks)
    return Answer(
        status=Status.AGREED if sure else Status.UNVERIFIED,
        text=present(winner.table),
        table=winner.table,
        sql=winner.sql,
        evidence=found.evidence(task, checks, assumptions),
        **common,
    )


def _refusal(missing: Missing, schema: Schema) -> str:
    about = [named.table for named in missing.instead] or [table.name for table in schema.tables]
    offered = [
        f"{table.name} ({', '.join(column.name for column in table.columns[:MOST_OFFERED])})"
        for table in schema.tables
        if table.name in about
    ]
    return f"{missing.told} What there is: {'; '.join(offered[:3])}."


def _question_back(readings: Sequence[Reading]) -> str:
    *first, last = [f"{reading.label} ({present(reading.table).rstrip('.')})" for reading in readings]
    return f"This can mean {', '.join(first)} or {last}. Name the one that is meant."
