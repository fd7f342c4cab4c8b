"""What one run of an agent has done so far."""

from __future__ import annotations

from dataclasses import dataclass, field

from querist.agents.offer import Offer, Rows
from querist.agents.task import Step, Task, Turn
from querist.core.context import RunContext
from querist.models.base import Usage
from querist.models.tool_calls import Exchange


@dataclass
class Work:
    """The state of a run.

    Attributes:
        rows: tables that tools gave, by the name under which others can be given them.
        called, failed: calls as JSON.
        doubted: its answer was given back once; warned: so was a call that had failed before.
        repeated: it asked for what it has been told: small models do when they have all they need. It then has to
            answer.
    """

    task: Task
    context: RunContext
    turns: tuple[Turn, ...] = ()
    offers: dict[str, Offer] = field(default_factory=dict)
    rows: dict[str, Rows] = field(default_factory=dict)
    exchanges: list[Exchange] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    called: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    doubted: bool = False
    warned: bool = False
    repeated: bool = False
