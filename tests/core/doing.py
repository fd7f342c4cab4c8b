"""Components that do what a test says, and an ear for events."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from pydantic import BaseModel

from querist.core.component import Component, ComponentKind
from querist.core.context import RunContext
from querist.core.events import Event, EventBus
from querist.settings.policy import Policy

E = TypeVar("E", bound=Event)


class Text(BaseModel):
    text: str


Work = Callable[[Text, RunContext], Awaitable[Any]]


class Does(Component[Text, Text]):
    """Does `work`; keeps the inputs that it was given."""

    description = "Does what it is told."

    def __init__(
        self, work: Work | None = None, *, name: str = "does", kind: ComponentKind = "tool", **policy: Any
    ) -> None:
        self.name, self.kind = name, kind
        self.work = work
        self.policy = Policy.model_validate(policy) if policy else None
        self.given: list[str] = []

    async def run(self, input: Text, context: RunContext) -> Text:
        self.given.append(input.text)
        result: Text = await self.work(input, context) if self.work else Text(text=input.text.upper())
        return result


class Ear:
    """A context, and what is told in it."""

    def __init__(self, **context: Any) -> None:
        self.heard: list[Event] = []
        events = EventBus()
        events.subscribe(self.heard.append)
        self.context = RunContext(events=events, **context)

    @property
    def names(self) -> list[str]:
        return [event.name for event in self.heard]

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.heard if isinstance(event, kind)]


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now
