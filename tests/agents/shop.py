"""What the tests of agents share: a few tools, a runner, and agents whose model replies from a script."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from querist.agents.agent import Agent
from querist.agents.definition import AgentDefinition
from querist.agents.handoff import Handoff
from querist.agents.task import AgentResult
from querist.core.component import Component, component
from querist.core.context import RunContext
from querist.core.events import Event, EventBus
from querist.core.permissions import Grant, Principal
from querist.core.runner import Runner
from querist.models.base import Model
from querist.state.agent_memory import AgentMemory
from tests.scripted_model import Answer, ScriptedModel

THINKER = Principal("tester", (Grant("model", "*"),))


@component
async def price(product: str) -> float:
    """Price of a product in EUR."""
    return {"lamp": 40.0, "desk": 240.0}[product]


@component
async def times(a: float, b: float) -> float:
    """Multiply two numbers."""
    return a * b


def use(tool: str, /, **arguments: Any) -> dict[str, Any]:
    """A reply that calls a tool."""
    return {"think": "I need that.", "tool": tool, "arguments": arguments}


def say(answer: Any) -> dict[str, Any]:
    """A reply that answers, where tools are offered."""
    return {"think": "I know that.", "answer": answer}


@dataclass
class Shop:
    """A runner, a context that notes its events, and a memory of its own."""

    memory: AgentMemory
    events: list[Event] = field(default_factory=list)
    runner: Runner = field(default_factory=Runner)

    def context(self, principal: Principal = THINKER) -> RunContext:
        bus = EventBus()
        bus.subscribe(self.events.append)
        return RunContext(events=bus, principal=principal)

    def agent(
        self,
        script: Sequence[Answer] | Callable[..., Answer] | Model,
        *tools: Component[Any, Any],
        handoffs: Sequence[Handoff] = (),
        summariser: Model | None = None,
        **definition: Any,
    ) -> Agent:
        model = script if hasattr(script, "complete") else ScriptedModel(script)
        whole = {"name": "clerk", "description": "A clerk.", "instructions": "You sell things.", **definition}
        return Agent(
            AgentDefinition.model_validate(whole),
            model,
            self.runner,
            tools=tools,
            handoffs=handoffs,
            summariser=summariser,
            memory=self.memory,
        )

    async def run(self, agent: Component[Any, Any], message: str, **task: Any) -> AgentResult:
        result = await self.runner.run(agent, {"message": message, **task}, self.context())
        assert isinstance(result, AgentResult)
        return result


def shop(folder: Path) -> Shop:
    return Shop(AgentMemory(folder / "agents.sqlite"))
