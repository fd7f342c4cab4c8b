"""Hand-off: one agent lets another take over. What is passed on is up to `HandoffOptions`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from querist.agents.definition import HandoffOptions
from querist.agents.task import AgentResult, Task
from querist.core.component import Component, Tool
from querist.core.events import Event

HAND_OFF = "hand_off_to_"


@dataclass(frozen=True, kw_only=True)
class HandedOff(Event):
    name: ClassVar[str] = "agent.handed_off"
    to: str


@dataclass(frozen=True)
class Handoff:
    """An agent that may take over. `find` is only called when it does, so that two may hand over to each other."""

    options: HandoffOptions
    find: Callable[[], Component[Task, AgentResult]]
    description: str = ""

    @property
    def tool(self) -> Tool:
        purpose = self.options.when or self.description
        about = f"Let {self.options.to} take over{': ' + purpose if purpose else ''}."
        message = {"type": "string", "description": "What it has to do, with all that it needs to know"}
        schema = {"type": "object", "properties": {"message": message}, "required": ["message"]}
        return Tool(HAND_OFF + self.options.to, about, schema, {})
