"""Which agents are at work inside each other: bounds how deep they may be, and tells hooks whose work a run is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from weakref import finalize

from querist.agents.definition import AgentDefinition
from querist.core.builtin_hooks import add_hooks
from querist.core.component import Component
from querist.core.context import RunContext
from querist.core.hooks import Moving
from querist.core.runner import Runner
from querist.errors import AgentLimitError


@dataclass(frozen=True)
class Nesting:
    """Names of the agents, outermost first; travels in the context."""

    agents: tuple[str, ...] = ()


def nested(context: RunContext, definition: AgentDefinition) -> RunContext:
    """The context for what runs inside the agent.

    Raises:
        AgentLimitError: there are more agents inside each other than this one allows.
    """
    agents = (*(context.get(Nesting) or Nesting()).agents, definition.name)
    if len(agents) > definition.limits.hops:
        raise AgentLimitError(
            f"{len(agents)} agents are at work inside each other: {' → '.join(agents)}.",
            hint=f"Do they hand the task round in a circle? If not, raise limits.hops of {definition.name!r}.",
        )
    return context.with_extras(Nesting(agents))


def hook_up(agent: Component[Any, Any], definition: AgentDefinition, runner: Runner) -> None:
    """Add the hooks of an agent to the runner, for its runs and what runs inside them, as long as the agent lives."""
    for remove in add_hooks(runner.hooks, definition.hooks, runner.metrics, _inside(definition.name)):
        finalize(agent, remove)


def _inside(agent: str) -> Callable[[Moving], bool]:
    return lambda moving: moving.component == agent or agent in (moving.context.get(Nesting) or Nesting()).agents
