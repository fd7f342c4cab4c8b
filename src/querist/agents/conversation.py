"""What an agent keeps of a conversation: the last turns word by word, and the minutes of those before.

Facts that outlive a conversation are in `state/agent_memory.py`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from querist.agents.observation import bounded
from querist.agents.task import Turn
from querist.agents.think import Decision, Thought
from querist.errors import DataError, QueristError, UsageError
from querist.models.prompt import read_prompt
from querist.state.agent_memory import AgentMemory

_CHARACTERS_PER_TOKEN = 4


class Conversation(BaseModel):
    """`summary` holds the minutes of turns that are no longer in `turns`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    summary: str = ""
    turns: tuple[Turn, ...] = ()

    def tokens(self) -> int:
        """About how many tokens a model reads for it."""
        return (len(self.summary) + sum(len(turn.content) for turn in self.turns)) // _CHARACTERS_PER_TOKEN

    def halves(self) -> tuple[tuple[Turn, ...], tuple[Turn, ...]]:
        """The older and the newer half, cut where a user speaks. The newer one may be empty, the older never."""
        middle = max(1, len(self.turns) // 2)
        while middle < len(self.turns) and self.turns[middle].role != "user":
            middle += 1
        return self.turns[:middle], self.turns[middle:]

    def told(self) -> tuple[Turn, ...]:
        """As a model is told of it."""
        if not self.summary:
            return self.turns
        return (Turn(role="user", content=f"What we said before, in short: {self.summary}"), *self.turns)


async def shortened(
    conversation: Conversation, most: int, think: Callable[[Thought], Awaitable[Decision]]
) -> tuple[Conversation, list[str]]:
    """The conversation in about `most` tokens: its older half as minutes, which `think` has a model write.

    Returns:
        the conversation, and a note for each part that was dropped because no model could write them.
    """
    notes = []
    while conversation.tokens() > most and conversation.turns:
        older, newer = conversation.halves()
        said = "\n".join(f"{turn.role}: {turn.content}" for turn in older)
        system, user = read_prompt("querist.agents", "summary").messages(
            summary=conversation.summary or "none", turns=bounded(said, most * _CHARACTERS_PER_TOKEN)
        )
        asked = Turn(role="user", content=user.content)
        try:
            decision = await think(Thought(system=system.content, turns=(asked,), max_tokens=256))
            summary = str(decision.answer)
        except QueristError as error:  # no model, or none that it may ask
            notes.append(f"The oldest {len(older)} messages were forgotten: {error.message}")
            summary = conversation.summary
        conversation = Conversation(summary=summary, turns=newer)
    return conversation, notes


class AgentState(BaseModel):
    """All that an agent keeps of one conversation and of the world; JSON by `model_dump_json`.

    Attributes:
        version: of this form. One that is not known is refused.
        facts: by key, what the agent remembers beyond the conversation.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    agent: str
    session: str
    conversation: Conversation = Conversation()
    facts: dict[str, str] = {}


def kept(memory: AgentMemory, agent: str, session: str) -> Conversation:
    """The conversation of a session as it was kept; an empty one when there is none.

    Raises:
        DataError: it cannot be read.
    """
    record = memory.conversation(agent, session)
    try:
        return Conversation() if record is None else Conversation.model_validate_json(record)
    except ValidationError as error:
        raise DataError(
            f"The conversation {session!r} of {agent!r} in {memory.path} cannot be read: {error}",
            hint="Give another session, or move the file away.",
        ) from error


def keep(memory: AgentMemory, agent: str, session: str, conversation: Conversation) -> None:
    memory.keep_conversation(agent, session, conversation.model_dump_json())


def state_of(memory: AgentMemory, agent: str, session: str) -> AgentState:
    conversation = kept(memory, agent, session)
    return AgentState(agent=agent, session=session, conversation=conversation, facts=memory.facts(agent))


def restore(memory: AgentMemory, agent: str, state: AgentState) -> None:
    """See `Agent.restore`."""
    if state.agent != agent:
        raise UsageError(
            f"This is the state of the agent {state.agent!r}, and not of {agent!r}.",
            hint=f"Restore it with `querist agent run {state.agent}`, or change `agent` in it.",
        )
    keep(memory, agent, state.session, state.conversation)
    for key, text in state.facts.items():
        memory.remember(agent, key, text)
