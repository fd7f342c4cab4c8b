"""What an agent keeps of a conversation: the last turns word by word, and the minutes of those before.

Facts that outlive a conversation are in `state/agent_memory.py`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from querist.agents.task import Turn

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
