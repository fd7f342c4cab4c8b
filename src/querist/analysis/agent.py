"""Analyse: the component that answers what is more than a query. It holds the order of the steps and none of them.

Two ways lead to an answer: standard techniques that a model chooses and parameterises, and code that it writes. They
differ by design, so that what they agree on is not the same mistake.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from querist.analysis.analysis import Analysis, Attempt
from querist.analysis.ask_model import Asked, ask_for_code, ask_for_plan, ask_for_reading, ask_for_words
from querist.analysis.assemble import Assembly
from querist.analysis.cleaning import clean
from querist.analysis.code_chart import chart_of_code
from querist.analysis.code_mend import code_in
from querist.analysis.draft import Draft, agree, differing
from querist.analysis.findings import Finding, Findings, FindingValue
from querist.analysis.frame import require, to_frame
from querist.analysis.generated import CodeRunner, run_code
from querist.analysis.load import choose, columns_for, doubt, load
from querist.analysis.matching import match, pick
from querist.analysis.named import Wanted, shown, wanted
from querist.analysis.narrowing import narrow
from querist.analysis.numbers import unsupported
from querist.analysis.overview import overview
from querist.analysis.plan import follow, read_plan
from querist.analysis.progress import AnalysisProgress
from querist.analysis.readings import read
from querist.charts.chart import Chart
from querist.core.component import Component
from querist.core.context import RunContext
from querist.errors import (
    ComponentFailedError,
    ComponentTimeoutError,
    DataError,
    ModelError,
    ModelOutputError,
    UsageError,
)
from querist.models.base import Model, Reply, UsageMeter
from querist.sources.base import Source
from querist.sources.table import Table

if TYPE_CHECKING:
    import pandas as pd


class AnalysisQuestion(BaseModel):
    """What is asked.

    Attributes:
        constraints: how it is to be computed, where that is prescribed.
        format: which values are wanted, each written `@name[what it is]`; empty when words will do.
        data: the table itself, such as the result of a query, instead of one of a source.
    """

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    text: str = Field(min_length=1, max_length=4000, description="The question, in plain language")
    constraints: str = Field(default="", max_length=4000, description="How to compute it, where that is prescribed")
    format: str = Field(default="", max_length=4000, description="Values wanted, each as @name[what it is]")
    table: str = Field(default="", description="The table that it is about; found by the question's words when empty")
    data: SkipJsonSchema[Table | None] = None


@dataclass(frozen=True)
class _Data:
    """A table ready to be analysed. `told` says what cleaning did, `warnings` what is missing."""

    name: str
    frame: pd.DataFrame
    told: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass
class _Work:
    asked: Asked
    data: _Data
    context: RunContext
    meter: UsageMeter = field(default_factory=UsageMeter)
    drafts: list[Draft] = field(default_factory=list)
    model: str = ""

    @property
    def names(self) -> tuple[Wanted, ...]:
        return self.asked.names

    def tell(self, stage: str, detail: str = "") -> None:
        self.context.emit(AnalysisProgress(source="analyse", stage=stage, detail=detail))

    def count(self, reply: Reply) -> None:
        self.meter.add(reply.usage)
        self.model = reply.model


class Analyse(Component[AnalysisQuestion, Analysis]):
    """Analyses a table of some sources, or one that it is given.

    Args:
        sources: what may be analysed; not closed by this component.
        model: chooses techniques, and writes code.
        code: where code runs; closed with this component. None for techniques alone.
        no_code: why code runs nowhere, for a warning.
        repairs: how often code that failed is asked for again.
    """

    name = "analyse"
    description = "Answer a statistical question about a table: techniques or code, with the values and how they came."
    timeout = 900.0

    def __init__(
        self,
        sources: Sequence[Source],
        model: Model,
        code: CodeRunner | None = None,
        *,
        no_code: str = "",
        repairs: int = 1,
    ) -> None:
        require()
        self.sources, self.model, self.code, self.repairs = tuple(sources), model, code, repairs
        self.no_code = no_code
        self._last: tuple[tuple[str, str, str], _Data, Assembly] | None = None

    async def run(self, input: AnalysisQuestion, context: RunContext) -> Analysis:
        started = time.monotonic()
        data = await asyncio.to_thread(self._data, input)
        columns = columns_for(f"{input.text} {input.constraints} {input.format}", data.frame.columns)
        if left_out := len(data.frame.columns) - len(columns):
            data = replace(
                data, warnings=(*data.warnings, f"The model was not shown {left_out:,} columns of {data.name}.")
            )
        described = await asyncio.to_thread(overview, data.frame[columns], data.name)
        names = wanted(input.format, input.constraints)
        # Who names the values that are wanted says how to compute them, too; in plain words much is left open.
        narrowing = None if names else await asyncio.to_thread(narrow, f"{input.text} {input.constraints}", data.frame)
        asked = Asked(input.text, input.constraints, input.format, described, tuple(columns), names, narrowing)
        work = _Work(asked, data, context)
        work.tell("plan", "Choosing techniques")
        if self.code is not None:
            await self.code.warm()
        work.drafts.append(await self._by_techniques(work))
        # What no code would compute alike, such as a forecast, it does not confirm either.
        if self.code is not None and (work.names or not work.drafts[0].usable or work.drafts[0].wanted):
            work.tell("code", "Writing code")
            work.drafts += await self._by_code(work, self.code)
            ways = [draft for draft in work.drafts if draft.usable]
            if len(ways) == 2 and not agree(ways[0], ways[1], work.names):
                work.tell("code", "Writing other code, for the two results differ")
                known = {draft.script for draft in work.drafts}  # the same code again is no second opinion
                work.drafts += [d for d in await self._by_code(work, self.code, other=True) if d.script not in known]
        analysis = await self._conclude(work)
        timings = {"model": work.meter.total.seconds, "total": time.monotonic() - started}
        used = {"usage": work.meter.total, "timings": timings, "model": work.model}
        return analysis.model_copy(update=used)

    async def close(self) -> None:
        """Close where code runs."""
        if self.code is not None:
            await self.code.close()

    def _data(self, input: AnalysisQuestion) -> _Data:
        """The table that the question is about, cleaned. The last one is kept, for the next question about it."""
        if input.data is not None:
            return _ready(input.data, "data")
        question = f"{input.text} {input.constraints}"
        source, assembly = choose(question, self.sources, input.table)
        key = (source.name, source.fingerprint(), assembly.sql)
        last = self._last  # which another question, in its own thread, may replace
        if last is None or last[0] != key:
            table, used, why = load(source, assembly)
            notes = (*used.base.notes, *used.brought.values())
            data = _ready(table, used.base.name, notes)
            last = (key, replace(data, warnings=(*data.warnings, *([why] if why else []))), used)
            self._last = last
        _, data, used = last
        against = "" if input.table else doubt(question, self.sources, used)
        return replace(data, warnings=(against, *data.warnings)) if against else data

    async def _by_techniques(self, work: _Work) -> Draft:
        draft = await self._by_plan(work, work.asked)
        if draft.error and work.asked.narrowing is not None and work.asked.narrowing.every:
            # The columns that the question names may not be all that it is about.
            wider = replace(work.asked, narrowing=work.asked.narrowing.wider())
            other = await self._by_plan(work, wider)
            return draft if other.error else other
        return draft

    async def _by_plan(self, work: _Work, asked: Asked) -> Draft:
        script = ""
        try:
            reply = await ask_for_plan(self.model, asked)
            work.count(reply)
            script = reply.text
            plan = read_plan(reply.data)
            if not plan.analyses:
                return Draft("techniques", script, error="No standard technique fits.")
            plain = "" if work.names else work.asked.question
            followed = await follow(plan, work.data.frame, work.context, plain)
            found = followed.findings
        except (UsageError, DataError, ModelOutputError, ComponentFailedError, ComponentTimeoutError) as error:
            return Draft("techniques", script, error=f"{error.message} {error.hint}".strip())
        values, problems, guess = await self._read(found, work)
        return Draft(
            "techniques",
            script,
            followed.techniques,
            values,
            tuple(found.values),
            found.summary,
            followed.notes,
            warnings=(*found.warnings, *problems),
            guesses=(*followed.guesses, *([guess] if guess else [])),
            wanted=followed.wanted,
            chart=found.chart,
            error="" if any(v is not None for v in values.values()) else "; ".join(problems) or "Nothing was read.",
        )

    async def _read(self, found: Findings, work: _Work) -> tuple[dict[str, FindingValue], list[str], str]:
        """The values that were asked for, from what was found; why some are not there; and what was guessed."""
        known = {finding.name: finding.value for finding in found.values}
        if not work.names:
            return known, [], ""
        sure = {name: finding.value for name, finding in match(work.asked.names, found.values).items()}
        if len(sure) == len(work.names):
            return sure, [], ""
        reply = await ask_for_reading(self.model, work.asked, found.values)
        work.count(reply)
        try:
            assigned, problems = read(code_in(reply.text), known)
        except UsageError as error:
            return sure, [error.message], ""
        left = [name for name in work.asked.names if name.name not in sure]
        picked, guess = pick(left, {name: value for name, value in assigned.items() if name not in sure})
        return {**picked, **sure}, problems, guess

    async def _by_code(self, work: _Work, code: CodeRunner, *, other: bool = False) -> list[Draft]:
        keys = [name.name for name in work.names] or work.drafts[0].wanted
        reply = await ask_for_code(self.model, work.asked, keys, other=other)
        work.count(reply)
        drafts = [await run_code(reply.text, work.data.frame, work.asked.names, code)]
        for _ in range(self.repairs):
            if not drafts[-1].error:
                break
            work.tell("repair", f"Mending: {drafts[-1].error}")
            failed, reply = (
                reply,
                await ask_for_code(self.model, work.asked, keys, failed=(reply.text, drafts[-1].error)),
            )
            work.count(reply)
            if code_in(reply.text) == code_in(failed.text):  # it insists
                reply = await ask_for_code(self.model, work.asked, keys, other=True)
                work.count(reply)
            drafts.append(await run_code(reply.text, work.data.frame, work.asked.names, code))
        return drafts

    async def _conclude(self, work: _Work) -> Analysis:
        ranked = [draft for draft in work.drafts if draft.usable]
        supporters = {id(d): [other for other in ranked if other is d or agree(d, other, work.names)] for d in ranked}

        def worth(draft: Draft) -> tuple[int, bool, bool]:
            votes = len(supporters[id(draft)] if work.names else {d.kind for d in supporters[id(draft)]})
            # Alone, code gives named values more often right; in words, or where both agree, techniques tell more.
            return votes, draft.complete or not work.names, (draft.kind == "code") == (votes == 1 and bool(work.names))

        best = max(ranked, key=worth, default=None)
        agreeing = supporters[id(best)] if best is not None else []
        isolation = self.code.isolation if self.code and any(d.kind == "code" for d in work.drafts) else ""
        attempts = tuple(Attempt(d.kind, d.script, d.notes, d.error, d in agreeing) for d in work.drafts)
        question, data = work.asked.question, work.data
        if best is None:
            reason = next((d.error for d in reversed(work.drafts) if d.error), "nothing was found")
            text = f"No analysis could be made to run for this question. The last one failed: {reason} {self.no_code}"
            return Analysis(
                question=question,
                status="failed",
                text=text.strip(),
                attempts=attempts,
                isolation=isolation,
                table=data.name,
            )
        known = [told for draft in (best, *agreeing) for told in (*draft.warnings, *draft.guesses)]
        warnings = list(dict.fromkeys([*known, *data.warnings, *([self.no_code] if self.no_code else [])]))
        agreed = {draft.kind for draft in agreeing if not draft.guesses} == {"techniques", "code"}
        others = [draft for draft in ranked if draft not in agreeing]
        if others and not agreed:
            warnings.append(_differ(best, agreeing, others, work))
        findings = list(best.findings)
        places = {name.name: name.places for name in work.names}
        values = {name: _rounded(value, places.get(name)) for name, value in best.values.items()}
        text = "; ".join(f"{name.replace('_', ' ')}: {shown(value)}" for name, value in values.items())
        if not work.names:
            text, problems = (best.summary, []) if best.summary else await self._in_words(findings, work, text)
            warnings += problems
        return Analysis(
            question=question,
            status="agreed" if agreed else "unverified",
            text=text,
            techniques=list(best.techniques),
            values=values,
            findings=findings,
            prepared=[*data.told, *best.notes],
            warnings=warnings,
            attempts=attempts,
            chart=await asyncio.to_thread(_chart, best, agreeing, data, question),
            isolation=isolation,
            table=data.name,
        )

    async def _in_words(self, findings: Sequence[Finding], work: _Work, plain: str) -> tuple[str, list[str]]:
        """What was found, as the model says it, and what to know about that; `plain` where it says what was not."""
        try:
            reply = await ask_for_words(self.model, work.asked.question, findings)
        except ModelError as error:
            return plain, [f"It is not said in words: {error.message}"]
        work.count(reply)
        groups = (found.meaning.partition(" where ")[2] for found in findings)
        known = "\n".join((work.asked.question, work.asked.constraints, *groups))
        said = reply.text.strip()
        if flagged := unsupported(said, {found.name: found.value for found in findings}, known):
            return plain, [f"The model's words are left out; no result contains {', '.join(flagged)}: {said!r}"]
        if not any(_cites(said, found.value) for found in findings):
            return plain, [f"The model's words are left out, for they cite no result: {said!r}"]
        return said, []


def _cites(text: str, value: FindingValue) -> bool:
    """Whether a text tells a value, as far as one can see: a number by its first digits, a word as it is."""
    if isinstance(value, list):
        return any(_cites(text, part) for part in value)
    if value is None or isinstance(value, bool):
        return False
    told = re.sub(r"[,'\s]", "", text) if isinstance(value, int | float) else text.lower()
    return (f"{abs(value):.3g}"[:3] if isinstance(value, int | float) else value.lower()) in told


def _differ(best: Draft, agreeing: Sequence[Draft], others: Sequence[Draft], work: _Work) -> str:
    """That drafts gave different results, whose this is, and what the others say."""
    told = []
    for draft in others:
        names = differing(best, draft, work.names) if work.names else list(draft.values)
        given = ", ".join(f"{n.replace('_', ' ')}: {shown(draft.values.get(n), 6) or 'nothing'}" for n in names[:3])
        told.append(f"{', '.join(draft.techniques) or 'other code'} gives {given}")
    whose = "one of them" if len(agreeing) == 1 else f"{len(agreeing)} that came about in the same way"
    drafts = len(agreeing) + len(others)
    what = "gave different results" if work.names else "have no main finding in common"
    return f"The {drafts} drafts {what}; this is that of {whose}: {'; '.join(told)}."


def _rounded(value: FindingValue, places: int | None) -> FindingValue:
    """With the decimals that were asked for: that is what drafts agree on."""
    return round(value, places) if isinstance(value, float) and places is not None else value


def _chart(best: Draft, agreeing: Sequence[Draft], data: _Data, question: str) -> Chart | None:
    """What a technique found, of the drafts that say the same; else the data that code read."""
    drawn = next((draft.chart for draft in (best, *agreeing) if draft.chart is not None), None)
    return chart_of_code(best.script, data.frame, question) if best.kind == "code" and drawn is None else drawn


def _ready(table: Table, name: str, notes: Sequence[str] = ()) -> _Data:
    if not table.rows:
        raise UsageError(f"{name} has no rows to analyse.", hint="Choose other data.")
    frame, told = clean(to_frame(table))
    return _Data(name, frame, (*notes, *told), (table.truncated,) if table.truncated else ())
