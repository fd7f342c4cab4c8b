"""Agent: a component that thinks with a model and uses tools until it can answer.

It holds the loop. What the model is told and how its reply is read is in `think.py`; what is kept between runs in
`conversation.py` and `state/agent_memory.py`. Whatever it calls goes through the runner, models included.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from weakref import WeakValueDictionary

from pydantic import BaseModel, ValidationError

from querist.agents.conversation import AgentState, Conversation, keep, kept, restore, shortened, state_of
from querist.agents.definition import AgentDefinition, checked
from querist.agents.facts import fact_tools
from querist.agents.grounds import fault
from querist.agents.handoff import HandedOff, Handoff
from querist.agents.instructions import render
from querist.agents.nesting import hook_up, nested
from querist.agents.observation import answers, bounded, rows_of, told, warnings_of
from querist.agents.offer import Offer, lacking, offer
from querist.agents.task import AgentResult, Step, Stopped, Task, Turn, by_message
from querist.agents.think import ANSWER, Decision, Mind, Thought
from querist.agents.work import Work
from querist.core.component import Component, ComponentKind, Tool
from querist.core.context import RunContext
from querist.core.events import Event
from querist.core.permissions import Kind
from querist.core.runner import Runner
from querist.errors import (
    AgentLimitError,
    MissingExtraError,
    ModelOutputError,
    PermissionDeniedError,
    QueristError,
    UsageError,
)
from querist.models.base import Model, Usage, UsageMeter
from querist.models.structured import record
from querist.models.tool_calls import Exchange, ToolCall
from querist.state.agent_memory import AgentMemory
from querist.state.paths import data_dir


@dataclass(frozen=True, kw_only=True)
class ToolCalled(Event):
    """An agent (`source`) is about to use a tool."""

    name: ClassVar[str] = "agent.called"
    tool: str
    arguments: Mapping[str, Any]
    thought: str = ""


@dataclass(frozen=True, kw_only=True)
class ToolObserved(Event):
    """What the agent gets to read of it; `error` is the code of the error where it failed."""

    name: ClassVar[str] = "agent.observed"
    tool: str
    text: str
    error: str = ""


class Agent(Component[Task, AgentResult]):
    """A model with instructions, tools and a memory.

    Args:
        definition: what it is; without a team, which `Team` is for.
        model: thinks. Not closed by the agent.
        runner: runs the model, the tools and other agents.
        tools: what it may use: components, agents among them.
        handoffs: agents that may take over.
        role: what the permission to use the model is asked for by; the model's name by default.
        summariser: writes the minutes of long conversations; `model` by default.
        memory: where facts and conversations are kept; a file in the data directory by default.
        notes: what people should know of each result, such as tools that are not installed.

    Raises:
        UsageError: the definition lacks a description, two tools have the same name, or it cannot begin as it says.
    """

    kind: ComponentKind = "agent"
    permissions: tuple[Kind, ...] = ("model",)

    def __init__(
        self,
        definition: AgentDefinition,
        model: Model,
        runner: Runner,
        *,
        tools: Sequence[Component[Any, Any]] = (),
        handoffs: Sequence[Handoff] = (),
        role: str = "",
        summariser: Model | None = None,
        memory: AgentMemory | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        self.definition = checked(definition)
        self.name, self.description = definition.name, definition.description
        self.timeout = definition.limits.seconds
        self.runner = runner
        self.memory = memory or AgentMemory(data_dir() / "agents.sqlite")
        self.notes = tuple(notes)
        self.handoffs = {handoff.tool.name: handoff for handoff in handoffs}
        facts = fact_tools(self.memory, self.name) if definition.memory.facts else ()
        self.tools = {tool.name: tool for tool in (*tools, *facts)}
        names = Counter([tool.name for tool in (*tools, *facts)] + [handoff.tool.name for handoff in handoffs])
        if twice := [name for name, count in names.items() if count > 1]:
            raise UsageError(f"The agent {self.name!r} has two tools called {twice[0]!r}.", hint="Rename one of them.")
        begin = definition.begin_with
        if begin and (begin not in self.tools or not offer(self.tools[begin].to_tool(), verbatim=False).text):
            raise UsageError(
                f"The agent {self.name!r} cannot begin with {begin!r}.",
                hint="Name one of its tools that needs one text and nothing else.",
            )
        self._looks_up = bool(self.tools or self.handoffs or definition.tools or definition.agents)
        """Whether it has tools, or would have were they installed."""
        self._mind = Mind(model, role or model.name, runner)
        self._summariser = Mind(summariser, "fast", runner) if summariser else self._mind
        hook_up(self, definition, runner)
        self._sessions: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def to_tool(self) -> Tool:
        return by_message(super().to_tool())

    async def run(self, input: Task, context: RunContext) -> AgentResult:
        inside = nested(context, self.definition)
        if not input.session:
            return await self._answer(Work(input, inside, input.history, notes=[*self.notes]))
        lock = self._sessions.setdefault(input.session, asyncio.Lock())
        async with lock:
            work = Work(input, inside, notes=[*self.notes])
            conversation = await asyncio.to_thread(kept, self.memory, self.name, input.session)
            conversation = await self._shortened(conversation, work)
            work.turns = (*conversation.told(), *input.history)
            result = await self._answer(work)
            turns = (Turn(role="user", content=input.message), Turn(role="assistant", content=result.text))
            longer = conversation.model_copy(update={"turns": (*conversation.turns, *turns)})
            await asyncio.to_thread(keep, self.memory, self.name, input.session, longer)
            return result

    def state(self, session: str) -> AgentState:
        """What the agent keeps of a conversation, and all its facts."""
        return state_of(self.memory, self.name, session)

    def restore(self, state: AgentState) -> None:
        """Take a state over: its conversation replaces the one of that session, its facts are added to those known.

        Raises:
            UsageError: it is another agent's.
        """
        restore(self.memory, self.name, state)

    async def choose(self, task: Task, options: int, context: RunContext) -> tuple[int, Usage]:
        """Let the agent's model choose one of `options` (from 1) that stand in the message."""
        schema = record(choice={"type": "integer", "enum": list(range(1, options + 1))})
        turns = (Turn(role="user", content=task.message),)
        thought = Thought(self._instructions(task), turns, output=schema, max_tokens=128)
        decision = await self._mind.think(thought, context)
        return int(decision.answer["choice"]), decision.usage

    async def _answer(self, work: Work) -> AgentResult:
        """Think and act in turns until there is an answer; in the last step there is nothing left but to answer."""
        definition, limits = self.definition, self.definition.limits
        system = self._instructions(work.task)
        work.offers = self._offers(work)
        begin = work.offers.get(definition.begin_with or "")
        if begin is not None and not work.turns:
            await self._act(ToolCall(begin.tool.name, {begin.text: work.task.message}, "begin"), "", work)
        work.turns = (*work.turns, Turn(role="user", content=await self._with_facts(work.task.message)))
        for number in range(1, limits.steps + 1):
            last = work.repeated or number == limits.steps
            usable = () if last else self._usable(work)
            if not usable and not last and self._shows_results(work):
                return self._result("", work, "", "")
            thought = Thought(
                system=system,
                turns=work.turns,
                tools=tuple(offered.tool for offered in work.offers.values()),
                usable=usable,
                may_answer=not (usable and definition.grounded and not work.steps),
                exchanges=tuple(work.exchanges),
                output=definition.output_schema(),
                max_tokens=definition.max_tokens,
                temperature=definition.temperature,
            )
            decision = await self._thought(thought, work)
            for call in decision.calls:
                if handoff := self.handoffs.get(call.name):
                    return await self._hand_off(handoff, call, work)
                await self._act(call, decision.thought, work)
            if decision.calls:
                continue
            why_not = self._fault(decision.answer, work)
            if why_not and not work.doubted and number < limits.steps:
                work.doubted = True
                work.exchanges.append(Exchange(ToolCall(ANSWER, {ANSWER: decision.answer}, "doubted"), why_not))
                continue
            forced = bool(work.offers) and last
            stopped: Stopped = "" if not forced else "repeats" if work.repeated else "steps"
            return self._result(decision.answer, work, stopped, why_not)
        raise AssertionError("unreachable: the last step has no tools to call")

    def _usable(self, work: Work) -> tuple[Tool, ...]:
        """What may be called now; nothing when all that is left is to say the answer in other words.

        Tools that get the same message give other answers to the same question: after the first, there is no more need
        of them. Small models would call them all, and then choose the wrong answer.
        """
        if work.doubted and work.steps:
            return ()
        own = [step for step in work.steps if step.agent == self.name]
        done, answered = {step.tool for step in own}, any(answers(step.output) for step in own)
        return tuple(
            offered.tool
            for name, offered in work.offers.items()
            if offered.fits(work.rows)
            and not (offered.once and (name in done or (answered and not offered.rows and not self._goes_on(name))))
        )

    def _goes_on(self, tool: str) -> bool:
        """Whether it goes on from what was found before: an agent, or one that takes over."""
        return tool not in self.tools or self.tools[tool].kind == "agent"

    def _fault(self, answer: Any, work: Work) -> str:
        if not self.definition.grounded or self._shows_results(work):
            return ""
        asked = "\n".join(turn.content for turn in work.turns)
        return fault(answer, work.steps, asked, looks_up=self._looks_up)

    def _shows_results(self, work: Work) -> bool:
        """Whether the results are the answer as they are: a model that only chooses would say less than they do."""
        only_chooses = self.definition.verbatim and self.definition.grounded and self.definition.output is None
        return only_chooses and any(step.agent == self.name and answers(step.output) for step in work.steps)

    async def _thought(self, thought: Thought, work: Work) -> Decision:
        spent, most = work.usage.input_tokens + work.usage.output_tokens, self.definition.limits.tokens
        if spent >= most:
            raise AgentLimitError(
                f"The agent {self.name!r} has used {spent:,} of {most:,} tokens and has no answer yet.",
                hint="Raise its limits.tokens, or ask for less at once.",
            )
        decision = await self._mind.think(thought, work.context)
        work.usage += decision.usage
        return decision

    async def _act(self, call: ToolCall, thought: str, work: Work) -> None:
        """Run a tool and note what came of it. Its errors are for the model to deal with."""
        context, started = work.context, time.monotonic()
        if offered := work.offers.get(call.name):
            filled = offered.filled(call.arguments, self._message(call.name, work), work.rows)
            call = replace(call, arguments=filled)
        key = json.dumps([call.name, call.arguments], sort_keys=True, default=str)
        if key in work.failed and not work.warned:
            work.warned = True
            work.exchanges.append(Exchange(call, "It fails again in the same way. Do something else."))
            return
        if key in work.called:
            work.repeated = True
            return
        work.called.add(key)
        context.emit(ToolCalled(source=self.name, tool=call.name, arguments=call.arguments, thought=thought))
        text, output, error = await self._observe(call, offered, work)
        if error:
            work.failed.add(key)
        context.emit(ToolObserved(source=self.name, tool=call.name, text=text, error=error))
        work.exchanges.append(Exchange(call, text))
        work.steps.append(
            Step(
                agent=self.name,
                tool=call.name,
                arguments=call.arguments,
                observation=text,
                output=output,
                thought=thought,
                error=error,
                seconds=time.monotonic() - started,
            )
        )

    def _message(self, tool: str, work: Work) -> str:
        """What a tool gets in place of a text by the model."""
        found = [f"{step.tool}: {step.observation}" for step in work.steps if step.agent == self.name]
        if not found or not self._goes_on(tool):
            return work.task.message
        return "\n".join([work.task.message, "", "Found so far:", *found])

    async def _observe(self, call: ToolCall, offered: Offer | None, work: Work) -> tuple[str, BaseModel | None, str]:
        """What the model is told of a call, what the tool gave, and the code of the error where it failed."""
        limit = self.definition.limits.observation
        if offered is None:
            return f"There is no tool {call.name!r}. There are: {', '.join(work.offers)}.", None, "run.not_found"
        meter = UsageMeter()  # for tools that ask a model and do not say what it cost
        inside = work.context.with_extras(meter, self.runner)
        try:
            arguments = offered.input(call.arguments, work.rows)
            output: BaseModel = await self.runner.run(self.tools[call.name], arguments, inside)
        except QueristError as error:
            left = work.context.remaining()
            if left is not None and left <= 0:
                raise  # it was the agent's own time that ran out
            if isinstance(error, PermissionDeniedError | MissingExtraError):
                work.notes.append(f"{error.message} {error.hint}")
            return bounded(f"Error: {error.message} {error.hint}".rstrip(), limit), None, error.code
        finally:
            work.usage += meter.total
        if isinstance(usage := getattr(output, "usage", None), Usage):
            work.usage += usage
        if isinstance(output, AgentResult):
            work.steps += output.steps
            work.notes += output.notes
        work.notes += [f"{call.name}: {warning}" for warning in warnings_of(output)]
        name = f"result_{len(work.exchanges) + 1}"
        if rows := rows_of(output):
            work.rows[name] = rows
        return bounded(told(output, name), limit), output, ""

    async def _hand_off(self, handoff: Handoff, call: ToolCall, work: Work) -> AgentResult:
        """Let another agent answer, with as much of the state as the hand-off lets through."""
        options, task = handoff.options, work.task
        work.context.emit(HandedOff(source=self.name, to=options.to))
        passed = {
            name: value
            for name, value in task.variables.items()
            if options.variables is None or name in options.variables
        }
        written = str(call.arguments.get("message", ""))
        asked = (Turn(role="user", content=task.message),) if written else ()
        turns = (*work.turns[:-1], *asked) if options.history else ()
        handed = Task(message=written or self._message(call.name, work), variables=passed, history=turns)
        result = await self.runner.run(handoff.find(), handed, work.context)
        return result.model_copy(
            update={
                "steps": (*work.steps, *result.steps),
                "usage": work.usage + result.usage,
                "notes": (*work.notes, *result.notes),
            }
        )

    def _result(self, answer: Any, work: Work, stopped: Stopped, why_not: str) -> AgentResult:
        output, text = None, answer
        if self.definition.output is not None:
            output, text = self._typed(answer), json.dumps(answer, ensure_ascii=False)
        if why_not:
            stopped = "ungrounded"
            work.notes.append(f"The model's own words did not rest on the results: {why_not}")
        if self.definition.output is None and (why_not or self._shows_results(work)):
            limit = self.definition.limits.observation
            own = [step.output for step in work.steps if step.agent == self.name and step.output is not None]
            text = "\n\n".join(bounded(told(found), limit) for found in own) or "No tool found anything to answer with."
        return AgentResult(
            agent=self.name,
            text=text,
            output=output,
            steps=tuple(work.steps),
            usage=work.usage,
            stopped=stopped,
            notes=tuple(work.notes),
        )

    def _typed(self, answer: Any) -> Any:
        kind = self.definition.output
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
            return answer
        try:
            return kind.model_validate(answer)
        except ValidationError as error:
            raise ModelOutputError(
                f"The answer of {self.name!r} is no {kind.__name__}: {error}", hint="Ask again, or in other words."
            ) from error

    def _instructions(self, task: Task) -> str:
        return render(self.definition.instructions, {**self.definition.variables, **task.variables}, self.name)

    def _offers(self, work: Work) -> dict[str, Offer]:
        """The tools that can work here. One that lacks every permission for its work is left out, which is told."""
        principal = work.context.principal
        offered: list[Tool] = []
        for tool in self.tools.values():
            if missing := lacking(tool, principal):
                kinds = " and ".join(missing)
                work.notes.append(f"The tool {tool.name} was left out: {principal.name!r} has no grant for {kinds}.")
            else:
                offered.append(tool.to_tool())
        offered += (handoff.tool for handoff in self.handoffs.values())
        # What goes on from an earlier message does not stand alone: then the model has to say it in full.
        verbatim = self.definition.verbatim and not work.turns
        return {tool.name: offer(tool, verbatim=verbatim) for tool in offered}

    async def _with_facts(self, message: str) -> str:
        if not self.definition.memory.facts:
            return message
        facts = await asyncio.to_thread(self.memory.recall, self.name, message)
        known = "\n".join(f"- {key}: {text}" for key, text in facts.items())
        return f"What you remember of this:\n{known}\n\n{message}" if known else message

    async def _shortened(self, conversation: Conversation, work: Work) -> Conversation:
        async def think(thought: Thought) -> Decision:
            decision = await self._summariser.think(thought, work.context)
            work.usage += decision.usage
            return decision

        short, notes = await shortened(conversation, self.definition.memory.tokens, think)
        work.notes += notes
        return short
