"""Ask: the component that answers a question. It goes the way of a question and holds no stage of it itself."""

from __future__ import annotations

import asyncio
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from querist.analysis.analysis import Analysis
from querist.answer.ambiguity import readings
from querist.answer.analysed import answer_of_analysis, technique_asked
from querist.answer.answer import Answer, Evidence, Reading, Status
from querist.answer.answerable import Judge, missing
from querist.answer.context import hints
from querist.answer.draft import STRATEGIES, Draft, Strategy, Task, off_loop, settle, write, write_again
from querist.answer.gather import gather, spanned
from querist.answer.plan import has_parts, plan, seems_several
from querist.answer.prepared import Prepared, prepare
from querist.answer.pruning import SCHEMA_TOKENS
from querist.answer.routing import choose
from querist.answer.steps import ask_steps, together
from querist.answer.understand import Turn, standalone
from querist.answer.verdict import answer_of, verdict
from querist.answer.verified import Recalled, recall
from querist.answer.vote import Ballot, groups
from querist.answer.warm import warm_up
from querist.core.component import Component, Tool
from querist.core.context import RunContext
from querist.core.events import Event
from querist.core.runner import Runner
from querist.errors import DataError, MissingExtraError, ModelOutputError, UsageError
from querist.models.base import Model, Usage, UsageMeter
from querist.sources.base import Limits, Source
from querist.state.verified_store import VerifiedStore

if TYPE_CHECKING:
    from querist.analysis.agent import AnalysisQuestion


class Question(BaseModel):
    """What is asked.

    Attributes:
        note: what the asker knows and the data do not say, such as the meaning of a code.
        history: the session so far, for questions that go on from it.
        assume: answer a question that has several readings, or asks for what the data do not name, and say what was
            assumed.
    """

    model_config = ConfigDict(frozen=True)

    text: str = Field(min_length=1, max_length=4000, description="The question, in plain language")
    note: str = Field(default="", max_length=4000, description="What helps to understand it")
    history: tuple[Turn, ...] = ()
    assume: bool = False


@dataclass(frozen=True, kw_only=True)
class Progress(Event):
    """A stage of an answer begins or has something to show; `detail` is for people."""

    name: ClassVar[str] = "answer.progress"
    stage: str
    detail: str = ""


@dataclass
class _Work:
    """What one question has used and found so far."""

    context: RunContext
    meter: UsageMeter = field(default_factory=UsageMeter)
    drafts: list[Draft] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)
    assumptions: list[str] = field(default_factory=list)
    model: str = ""

    def tell(self, stage: str, detail: str = "") -> None:
        self.context.emit(Progress(source="ask", stage=stage, detail=detail))

    def count(self, usage: Usage, model: str) -> None:
        self.meter.add(usage)
        self.model = model


class Ask(Component[Question, Answer]):
    """Answers questions over sources.

    Args:
        sources: what may be asked; not closed by this component.
        model: writes the drafts.
        folder: where value indexes are kept.
        drafts: the most drafts for one question; fewer when two agree earlier.
        repairs: the most repairs of drafts that failed or that a check found wrong.
        limits: bounds of each query.
        verified: queries that people vouch for, which are tried before any model is asked.
        schema_tokens: the most that a model is shown of a schema; a larger one is cut to what the question needs.
        analyse: gives the component for questions that ask for statistics by name; without it they become queries.
    """

    name = "ask"
    description = "Answer a question about the data, with the query, its result and the evidence for it."

    def __init__(
        self,
        sources: Sequence[Source],
        model: Model,
        folder: Path,
        *,
        drafts: int = 3,
        repairs: int = 2,
        limits: Limits = Limits(),
        verified: VerifiedStore | None = None,
        schema_tokens: int = SCHEMA_TOKENS,
        analyse: Callable[[], Component[AnalysisQuestion, Analysis]] | None = None,
        timeout: float = 600.0,
    ) -> None:
        self.sources, self.model, self.folder = tuple(sources), model, folder
        self.drafts, self.repairs, self.limits, self.timeout = drafts, repairs, limits, timeout
        self.verified, self.schema_tokens, self.analyse = verified, schema_tokens, analyse
        self._prepared: dict[int, Prepared] = {}
        self._preparing = threading.Lock()

    def to_tool(self) -> Tool:
        """As a model sees it: the question alone. What else there is, the person who asks has to say."""
        tool = super().to_tool()
        text = tool.input_schema["properties"]["text"]
        schema = {"type": "object", "properties": {"text": text}, "required": ["text"]}
        return Tool(tool.name, tool.description, schema, tool.output_schema)

    async def run(self, input: Question, context: RunContext) -> Answer:
        started = time.monotonic()
        work = _Work(context)
        work.tell("prepare", "Reading the schema")
        prepared = await self.prepare()
        work.timings["prepare"] = time.monotonic() - started
        text = input.text
        if input.history:
            work.tell("understand", "Reading the question in its context")
            text, reply = await standalone(self.model, input.text, input.history)
            work.count(reply.usage, reply.model)
        recalled = await self._recall(input, text, prepared)
        answer = recalled.answer or await self._analysed(input, text, prepared, work)
        if answer is None:
            answer = await self._in_steps(input, text, prepared, work)
        if answer is None:
            answer = await self._in_one(input, text, prepared, work)
        work.timings["model"] = work.meter.total.seconds
        work.timings["total"] = time.monotonic() - started
        used = {"timings": answer.timings | work.timings, "usage": work.meter.total, "model": work.model}
        return answer.model_copy(update={**used, "evidence": _evidence(answer, recalled, work)})

    async def _recall(self, input: Question, text: str, prepared: Sequence[Prepared]) -> Recalled:
        if self.verified is None or input.note:  # a note may change what the words mean
            return Recalled()
        return await recall(input.text, text, prepared, self.verified, self.limits)

    async def _analysed(self, input: Question, text: str, prepared: Sequence[Prepared], work: _Work) -> Answer | None:
        """The answer of a question that asks for statistics by name; None for nearly all, which a query answers."""
        if self.analyse is None or has_parts(text) or (technique := technique_asked(text, prepared)) is None:
            return None
        work.tell("analyse", technique)
        try:
            component = await asyncio.to_thread(self.analyse)  # the first time it tries the sandbox
        except MissingExtraError as error:
            work.assumptions.append(f"A query answered what asks for statistics ({technique}): {error.hint}")
            return None
        runner = work.context.get(Runner) or Runner()
        try:
            found = await runner.run(component, {"text": text, "constraints": input.note}, work.context)
        except (UsageError, DataError) as error:
            return Answer(
                question=input.text, understood=text, status=Status.FAILED, text=f"{error.message} {error.hint}"
            )
        work.count(found.usage, found.model)
        return answer_of_analysis(found, input.text, text, prepared)

    async def _in_one(self, input: Question, text: str, prepared: Sequence[Prepared], work: _Work) -> Answer:
        chosen = choose(text, prepared)
        task = Task(text, chosen, hints(chosen.values.mentions(text), input.note), self.limits, self.schema_tokens)
        await self._draft(task, work)
        answer = await self._answer(input, task, work)
        return answer.model_copy(update={"timings": {"database": sum(draft.database for draft in work.drafts)}})

    async def _in_steps(self, input: Question, text: str, prepared: Sequence[Prepared], work: _Work) -> Answer | None:
        """The answer of a question that takes several steps, or sources; None for nearly all, which take one."""
        if not seems_several(text, prepared):
            return None
        if not has_parts(text) and (answer := await self._gathered(input, text, prepared, work)):
            return answer
        work.tell("plan", "Planning the steps")
        try:
            steps, reply = await plan(self.model, text, prepared)
        except ModelOutputError as error:
            work.assumptions.append(f"Answered in one step, for no plan could be made: {error.message}")
            return None
        if reply is not None:
            work.count(reply.usage, reply.model)
        if not steps:
            return None

        async def ask(question: str, source: Prepared) -> Answer:
            work.tell("step", question)
            asked = Question(text=question, note=input.note, assume=input.assume)
            recalled, own = await self._recall(asked, question, [source]), _Work(work.context)
            answer = recalled.answer or await self._analysed(asked, question, [source], own)
            if answer is None:
                answer = await self._in_one(asked, question, [source], own)
            work.count(own.meter.total, own.model or work.model)
            used = {"usage": own.meter.total, "model": own.model}
            return answer.model_copy(update={**used, "evidence": _evidence(answer, recalled, own)})

        answer = together(input.text, text, await ask_steps(steps, prepared, ask))
        database = sum(step.answer.timings.get("database", 0.0) for step in answer.steps)
        return answer.model_copy(update={"timings": {"database": database}})

    async def _gathered(self, input: Question, text: str, prepared: Sequence[Prepared], work: _Work) -> Answer | None:
        """The answer of one query over several sources; None where these are too large to bring together."""
        work.tell("gather", "Bringing sources together")
        found = await asyncio.to_thread(gather, text, spanned(text, prepared))
        if found is None:
            return None
        work.assumptions.append(found.told)
        try:
            return await self._in_one(input, text, [found.prepared], work)
        finally:
            found.close()

    async def prepare(self) -> list[Prepared]:
        """Read schemas, profiles and values of all sources, where they are new or have changed."""
        return await asyncio.to_thread(self._prepare_all)

    def _prepare_all(self) -> list[Prepared]:
        with self._preparing:  # of threads, for questions may come from several event loops
            return [self._prepare(source) for source in self.sources]

    def _prepare(self, source: Source) -> Prepared:
        known = self._prepared.get(id(source))
        if known is None or known.fingerprint != source.fingerprint():
            if known is not None:  # a question that was asked before the data changed may still need its index
                weakref.finalize(known, known.values.close)
            known = self._prepared[id(source)] = prepare(source, self.folder)
        return known

    def close(self) -> None:
        """Close the value indexes."""
        for prepared in self._prepared.values():
            prepared.close()
        self._prepared.clear()

    async def _draft(self, task: Task, work: _Work) -> None:
        """Drafts until two agree or all strategies are used, then repairs while nothing can be accepted.

        One after the other: on a local model two at once take longer than two in turn, and the second may be all.
        """
        for strategy in STRATEGIES[: self.drafts]:
            await self._one(task, strategy, work)
            if _agreed(work.drafts) or _too_slow(work.drafts):
                return
        for _ in range(self.repairs):
            if _too_slow(work.drafts):
                return
            flawed = next((d for d in reversed(work.drafts) if d.complaints), None)
            if flawed is None or any(draft.acceptable and not draft.complaints for draft in work.drafts):
                return
            work.tell("repair", flawed.complaints[0])
            query, reply = await write_again(self.model, flawed)
            work.count(reply.usage, reply.model)
            work.drafts.append(await settle(task, flawed.strategy, query))

    async def _one(self, task: Task, strategy: Strategy, work: _Work) -> None:
        work.tell("draft", strategy.name)
        (query, reply), _ = await asyncio.gather(write(self.model, task, strategy), warm_up(task.prepared.schema))
        work.count(reply.usage, reply.model)
        work.tell("query", query)
        draft = await settle(task, strategy, query)
        work.drafts.append(replace(draft, logprob=reply.logprob))

    async def _answer(self, input: Question, task: Task, work: _Work) -> Answer:
        found = verdict(work.drafts)
        judge = Judge(self.model, task)
        lack = await missing(task, work.drafts, found.winner, judge, input.note)
        for reply in judge.replies:
            work.count(reply.usage, reply.model)
        several: list[Reading] = []
        if found.winner is not None and lack is None and not input.note:
            several = await off_loop(task.prepared.source, readings, found.winner)
        return answer_of(found, input.text, task, missing=lack, readings=several, assume=input.assume)


def _evidence(answer: Answer, recalled: Recalled, work: _Work) -> Evidence:
    """The evidence for an answer, with what was found on the way to it."""
    found = answer.evidence
    checks, told = (*recalled.warnings, *found.checks), (*work.assumptions, *found.assumptions)
    return replace(found, checks=checks, assumptions=told)


def _too_slow(drafts: Sequence[Draft]) -> bool:
    """Two queries took too long, each for the whole time allowed: a third would most likely do so too."""
    return sum(draft.timed_out for draft in drafts) >= 2


def _agreed(drafts: Sequence[Draft]) -> bool:
    """Two drafts that can be accepted gave the same result."""
    ballots = [Ballot(i, d.table) for i, d in enumerate(drafts) if d.acceptable and d.table is not None]
    ranked = groups(ballots)
    return bool(ranked) and len(ranked[0]) >= 2
