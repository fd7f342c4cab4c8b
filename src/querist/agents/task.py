"""What an agent is given and what it returns. The same for one agent and for a team."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from querist.core.component import Tool
from querist.models.base import Usage

Stopped = Literal["", "steps", "repeats", "no_consensus", "ungrounded"]


class Turn(BaseModel):
    """One message of a conversation."""

    model_config = ConfigDict(frozen=True)

    role: Literal["user", "assistant"]
    content: str


class Task(BaseModel):
    """What an agent is to do.

    Attributes:
        variables: for its instructions.
        session: name of a conversation that the agent goes on with and keeps; empty for none.
        history: what was said before, where the caller keeps the conversation.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    message: str = Field(min_length=1, max_length=100_000, description="What is wanted, with all that it needs to know")
    variables: dict[str, Any] = Field(default_factory=dict)
    session: str = Field(default="", max_length=200)
    history: tuple[Turn, ...] = ()


def by_message(tool: Tool) -> Tool:
    """A tool that takes a task, as a model sees it: all it gives is a message."""
    message = Task.model_json_schema()["properties"]["message"]
    schema = {"type": "object", "properties": {"message": message}, "required": ["message"]}
    return Tool(tool.name, tool.description, schema, tool.output_schema)


class Step(BaseModel):
    """One use of a tool, an agent or a member of a team.

    Attributes:
        observation: what the agent got to read of it.
        output: what it gave, with the evidence that it has; None where it failed.
        thought: what the model said before it.
        error: the code of the error where it failed.
    """

    model_config = ConfigDict(frozen=True)

    agent: str
    tool: str
    arguments: dict[str, Any]
    observation: str
    output: Any = None
    thought: str = ""
    error: str = ""
    seconds: float = 0.0


class AgentResult(BaseModel):
    """What an agent answers.

    Attributes:
        agent: who answered: another one than was asked after a hand-off.
        text: the answer in words; JSON where the agent has an output type.
        output: the answer as its output type; None where it has none.
        usage: of all model calls, those of agents below included.
        stopped: why it answered before it was done, empty when it was done: `steps` (out of steps), `repeats` (it kept
            calling the same), `no_consensus`, `ungrounded` (it said numbers that no result contains; the text is that
            of the results).
        notes: for people: tools that were left out, what was forgotten, members that failed.
    """

    model_config = ConfigDict(frozen=True)

    agent: str
    text: str
    output: Any = None
    steps: tuple[Step, ...] = ()
    usage: Usage = Usage()
    stopped: Stopped = ""
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.text
