"""Team: several components that work on one task, as a component like any agent.

- sequential: one after the other, each given the result of the one before; the last one's is the answer.
- parallel: all at once; a lead merges what they say. Without one, or where it fails, or is grounded and makes
  numbers up, it stands under their names.
- hierarchical: a lead decides step by step whom to ask what, and merges: an agent whose tools are the members.
- consensus: all propose, then each votes on all proposals; one that reaches the threshold wins, else the lead decides.

A member is anything that takes one text: an agent, `ask`, another team.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from querist.agents.agent import Agent
from querist.agents.definition import AgentDefinition, TeamOptions, checked
from querist.agents.nesting import hook_up, nested
from querist.agents.observation import bounded, told, warnings_of
from querist.agents.task import AgentResult, Step, Task, by_message
from querist.core.component import Component, ComponentKind, Tool
from querist.core.context import RunContext
from querist.core.events import Event
from querist.core.runner import Runner
from querist.errors import ComponentFailedError, ModelError, QueristError, UsageError
from querist.models.base import Usage


@dataclass(frozen=True, kw_only=True)
class MemberFinished(Event):
    """A member of a team (`source`) has done its part; `error` is the code of the error where it failed."""

    name: ClassVar[str] = "agent.member"
    member: str
    text: str
    error: str = ""


@dataclass
class _Work:
    task: Task
    context: RunContext
    steps: list[Step] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True)
class _Part:
    """What a member said."""

    member: str
    text: str


class Team(Component[Task, AgentResult]):
    """Members that work on a task together.

    Args:
        definition: with `team`.
        members: as `definition.team.members` names them.
        lead: merges what was said, decides whom to ask (hierarchical) and which proposal wins when the votes do not
            (consensus).
        backup: does what a member failed to do.

    Raises:
        UsageError: the strategy cannot work with these members.
    """

    kind: ComponentKind = "agent"

    def __init__(
        self,
        definition: AgentDefinition,
        members: Sequence[Component[Any, Any]],
        runner: Runner,
        *,
        lead: Agent | None = None,
        backup: Component[Any, Any] | None = None,
    ) -> None:
        if definition.team is None:
            raise UsageError(f"The agent {definition.name!r} has no team.", hint="Make an Agent of it.")
        self.definition, self.options = checked(definition), definition.team
        self.name, self.description = definition.name, definition.description
        self.timeout = definition.limits.seconds
        self.members, self.runner, self.lead, self.backup = tuple(members), runner, lead, backup
        if self.options.strategy != "hierarchical":  # there the lead writes what each gets
            for member in (*self.members, *([backup] if backup else [])):
                text_field(member)
        _check(self.name, self.options, self.members, lead)
        hook_up(self, definition, runner)

    def to_tool(self) -> Tool:
        return by_message(super().to_tool())

    async def run(self, input: Task, context: RunContext) -> AgentResult:
        work = _Work(input, nested(context, self.definition))
        strategies: dict[str, Callable[[_Work], Coroutine[Any, Any, AgentResult]]] = {
            "sequential": self._sequential,
            "parallel": self._parallel,
            "hierarchical": self._hierarchical,
            "consensus": self._consensus,
        }
        return await strategies[self.options.strategy](work)

    async def _sequential(self, work: _Work) -> AgentResult:
        part: _Part | None = None
        for member in self.members:
            message = work.task.message
            if part is not None:
                message = f"{message}\n\nWhat {part.member} found:\n{self._seen(part.text)}"
            part = await self._ask(member, message, work) or part
        return self._result(self._any(part, work).text, work)

    async def _parallel(self, work: _Work) -> AgentResult:
        parts = await self._ask_all(work)
        text = "\n\n".join(f"## {part.member}\n{part.text}" for part in parts)
        if self.lead is not None:
            said = "\n\n".join(f"{part.member}:\n{self._seen(part.text)}" for part in parts)
            merge = f"{work.task.message}\n\nMerge what was found into one answer.\n\n{said}"
            try:
                led = await self._led(merge, work)
                own_words = led.stopped == "ungrounded" and led.output is None
                return led.model_copy(update={"text": text}) if own_words else led
            except ModelError as error:
                if self.options.on_failure == "stop":
                    raise
                self._failed(self.lead.name, error, work)
        return self._result(text, work)

    async def _hierarchical(self, work: _Work) -> AgentResult:
        return await self._led(work.task.message, work)

    async def _consensus(self, work: _Work) -> AgentResult:
        parts = await self._ask_all(work)
        proposals = list({" ".join(part.text.lower().split()): part.text for part in parts}.values())
        if len(proposals) == 1:
            return self._result(proposals[0], work)
        ballots = await asyncio.gather(*(self._vote(m, turn, proposals, work) for turn, m in enumerate(self.members)))
        votes = Counter(ballot for ballot in ballots if ballot is not None)
        cast = votes.total()
        winner, most = votes.most_common(1)[0] if votes else (0, 0)
        work.notes.append(f"{most} of {cast} votes were for one of {len(proposals)} proposals.")
        if cast and most >= self.options.threshold * cast and list(votes.values()).count(most) == 1:
            return self._result(proposals[winner], work)
        chosen = await self._vote(self.lead, 0, proposals, work) if self.lead else None
        if self.lead is None or chosen is None:
            return self._result(proposals[winner], work, "no_consensus")
        work.notes.append(f"The votes did not decide; {self.lead.name} did.")
        return self._result(proposals[chosen], work)

    async def _vote(self, member: Component[Any, Any], turn: int, proposals: list[str], work: _Work) -> int | None:
        """The number of the proposal that a member votes for; None where it cannot vote, which is noted."""
        assert isinstance(member, Agent), "checked when the team was made"
        try:
            return await self._choice(member, turn, proposals, work)
        except QueristError as error:
            self._failed(member.name, error, work)
            return None

    async def _choice(self, agent: Agent, turn: int, proposals: list[str], work: _Work) -> int:
        """Each is shown the proposals in another order, since models prefer what stands first."""
        order = [(place + turn) % len(proposals) for place in range(len(proposals))]
        listed = "\n\n".join(f"Proposal {place}:\n{self._seen(proposals[n])}" for place, n in enumerate(order, start=1))
        question = f"{work.task.message}\n\nThese are the proposals. Choose the best.\n\n{listed}"
        task = work.task.model_copy(update={"message": question})
        place, usage = await agent.choose(task, len(proposals), work.context)
        work.usage += usage
        return order[place - 1]

    async def _ask_all(self, work: _Work) -> list[_Part]:
        """What all members say to the task, all asked at once."""
        tasks = [asyncio.ensure_future(self._ask(member, work.task.message, work)) for member in self.members]
        try:
            parts = [part for part in await asyncio.gather(*tasks) if part is not None]
        finally:  # when one stops all, or the team is no longer wanted
            for task in tasks:
                task.cancel()
        self._any(parts[0] if parts else None, work)
        return parts

    async def _ask(self, member: Component[Any, Any], message: str, work: _Work) -> _Part | None:
        """What a member says, or the backup in its place; None when both failed and the team goes on without."""
        for asked in (member, *([self.backup] if self.backup else [])):
            started = time.monotonic()
            arguments: dict[str, Any] = {text_field(asked): message}
            if isinstance(asked, Agent | Team):
                arguments["variables"] = work.task.variables
            text, code, output = "", "", None
            try:
                output = await self.runner.run(asked, arguments, work.context)
                text = told(output, asked.name)
                if isinstance(usage := getattr(output, "usage", None), Usage):
                    work.usage += usage
                work.notes += [f"{asked.name}: {warning}" for warning in warnings_of(output)]
                if isinstance(output, AgentResult):
                    work.steps += output.steps
                    work.notes += output.notes
            except QueristError as error:
                left = work.context.remaining()
                if left is not None and left <= 0:
                    raise
                text, code = self._failed(asked.name, error, work), error.code
                if self.options.on_failure == "stop" and asked is (self.backup or member):
                    raise
            seconds = time.monotonic() - started
            seen = self._seen(text)
            work.steps.append(
                Step(
                    agent=self.name,
                    tool=asked.name,
                    arguments=arguments,
                    observation=seen,
                    output=output,
                    error=code,
                    seconds=seconds,
                )
            )
            work.context.emit(MemberFinished(source=self.name, member=asked.name, text=seen, error=code))
            if not code:
                return _Part(asked.name, text)
        return None

    async def _led(self, message: str, work: _Work) -> AgentResult:
        assert self.lead is not None, "checked when the team was made"
        task = work.task.model_copy(update={"message": message})
        result = await self.runner.run(self.lead, task, work.context)
        return result.model_copy(
            update={
                "agent": self.name,
                "steps": (*work.steps, *result.steps),
                "notes": (*work.notes, *result.notes),
                "usage": work.usage + result.usage,
            }
        )

    def _any(self, part: _Part | None, work: _Work) -> _Part:
        if part is None:
            raise ComponentFailedError(
                f"No member of {self.name!r} could do its part. {' '.join(work.notes)}",
                hint="Try one of them by itself: querist agent run MEMBER.",
            )
        return part

    def _seen(self, text: str) -> str:
        """What another gets to read of it."""
        return bounded(text, self.definition.limits.observation)

    def _failed(self, member: str, error: QueristError, work: _Work) -> str:
        text = f"{member} failed ({error.code}): {error.message}"
        work.notes.append(text)
        return text

    def _result(self, text: str, work: _Work, stopped: Literal["", "no_consensus"] = "") -> AgentResult:
        return AgentResult(
            agent=self.name,
            text=text,
            steps=tuple(work.steps),
            usage=work.usage,
            stopped=stopped,
            notes=tuple(work.notes),
        )


def text_field(member: Component[Any, Any]) -> str:
    """The field of a member's input that takes the task.

    Raises:
        UsageError: it needs something else than one text.
    """
    fields = member.input_type.model_fields
    required: list[str] = [name for name, field in fields.items() if field.is_required()]
    if len(required) == 1 and fields[required[0]].annotation is str:
        return required[0]
    raise UsageError(
        f"{member.name!r} cannot be in a team: it needs {', '.join(required) or 'nothing'} and not one text.",
        hint="Make an agent that uses it, and put that into the team.",
    )


def _check(name: str, options: TeamOptions, members: Sequence[Component[Any, Any]], lead: Agent | None) -> None:
    if options.strategy == "hierarchical":
        lacking = [member.name for member in members if lead is None or member.name not in lead.tools]
        if lacking:
            raise UsageError(f"The lead of {name!r} cannot ask {', '.join(lacking)}.", hint="Give it all as tools.")
        if options.backup or options.on_failure == "stop":
            raise UsageError(
                f"In the team {name!r} it is the lead who deals with members that fail.",
                hint="Leave out `backup` and `on_failure`; a backup may be one more member.",
            )
    if options.strategy == "consensus" and (no_agents := [m.name for m in members if not isinstance(m, Agent)]):
        raise UsageError(
            f"{', '.join(no_agents)} in the team {name!r} cannot vote.", hint="Consensus needs agents as members."
        )
