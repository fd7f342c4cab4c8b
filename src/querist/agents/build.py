"""Makes agents of their definitions: finds by name the model, the tools and the other agents that they use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from querist.agents.agent import Agent
from querist.agents.definition import ROLES, AgentDefinition
from querist.agents.handoff import Handoff
from querist.agents.library import AgentLibrary, open_library
from querist.agents.team import Team
from querist.core.component import Component
from querist.core.registry import Registry
from querist.core.runner import Runner
from querist.errors import ComponentNotFoundError, MissingExtraError, UsageError
from querist.models.base import Model
from querist.settings import Settings
from querist.state.agent_memory import AgentMemory
from querist.tools.catalogue import load_tool


class Agents:
    """The agents of a program, each made once, when it is first asked for. Close it when done.

    Args:
        runner: runs all of them and what they use.
        components: what they may use by name, beside each other and the tools of the catalogue: `ask`, tools of one's
            own.
        library: where definitions are found; as the settings say by default.
        model: a name of a model, or a model, for all of them in place of what their definitions say.
        memory: where they remember; a file in the data directory by default.
    """

    def __init__(
        self,
        settings: Settings,
        runner: Runner,
        *,
        components: Registry | None = None,
        library: AgentLibrary | None = None,
        model: str | Model | None = None,
        memory: AgentMemory | None = None,
    ) -> None:
        self.settings, self.runner, self.memory = settings, runner, memory
        self.library = library or open_library(settings)
        self._components = components or Registry()
        self._model = model
        self._models: dict[str | tuple[str, ...], Model] = {}
        self._made: dict[str, Agent | Team] = {}
        self._making: list[str] = []

    def open(self, name: str) -> Agent | Team:
        """The agent of that name.

        Raises:
            ComponentNotFoundError: there is no such agent, or it uses what is not there.
            ConfigError, UsageError: its definition is wrong.
            ModelError, MissingExtraError: its model cannot be opened.
        """
        if name in self._making:
            circle = " → ".join([*self._making[self._making.index(name) :], name])
            raise UsageError(f"Agents use each other in a circle: {circle}.", hint="Use a hand-off for one of them.")
        if name not in self._made:
            self._making.append(name)
            try:
                self._made[name] = self._make(self.library.definition(name))
            finally:
                self._making.pop()
        return self._made[name]

    async def close(self) -> None:
        """Close the models that were opened. Those that were given stay open."""
        while self._models:
            _, model = self._models.popitem()
            await model.close()

    def _make(self, definition: AgentDefinition) -> Agent | Team:
        team = definition.team
        if team is None:
            return self._agent(definition)
        alone = definition.model_copy(update={"team": None, "hooks": ()})  # the team has the hooks
        lead: Agent | None = None
        if team.strategy == "hierarchical":
            members, notes = self._installed(team.members, definition)
            lead = self._agent(alone, members, notes)
        else:
            members = [self._find(name, definition) for name in team.members]
            if definition.instructions:
                lead = self._agent(alone)
        backup = self._find(team.backup, definition) if team.backup else None
        return Team(definition, members, self.runner, lead=lead, backup=backup)

    def _agent(
        self, definition: AgentDefinition, members: Sequence[Component[Any, Any]] = (), notes: Sequence[str] = ()
    ) -> Agent:
        tools, missing = self._installed((*definition.tools, *definition.agents), definition)
        return Agent(
            definition,
            self._open_model(definition.model),
            self.runner,
            tools=[*tools, *members],
            handoffs=[
                Handoff(options, self._later(options.to), self.library.definition(options.to).description)
                for options in definition.handoffs
            ],
            role=definition.model,
            summariser=self._open_model("fast"),
            memory=self.memory,
            notes=[*notes, *missing],
        )

    def _installed(self, names: Sequence[str], user: AgentDefinition) -> tuple[list[Component[Any, Any]], list[str]]:
        """Those that can work here, and a note for each that cannot, as its extra is not installed."""
        found, notes = [], []
        for name in names:
            try:
                found.append(self._find(name, user))
            except MissingExtraError as error:
                notes.append(f"{name} was left out: {error.message} {error.hint}")
        return found, notes

    def _later(self, name: str) -> Callable[[], Agent | Team]:
        return lambda: self.open(name)

    def _find(self, name: str, user: AgentDefinition) -> Component[Any, Any]:
        """An agent, a component that was given, or a tool of the catalogue."""
        if self.library.files(name):
            return self.open(name)
        if name in self._components:
            return self._components.get(name)
        try:
            return load_tool(name)
        except ComponentNotFoundError as error:
            hint = "It works on data: name some with --data." if name in ("ask", "analyse") else error.hint
            raise ComponentNotFoundError(
                f"The agent {user.name!r} uses {name!r}, which is neither a tool nor an agent here.", hint=hint
            ) from error

    def _open_model(self, wanted: str) -> Model:
        from querist.models.open import open_model

        if self._model is not None and not isinstance(self._model, str):
            return self._model
        names: str | tuple[str, ...] = self._model or wanted
        if names in ROLES:
            names = getattr(self.settings.models, str(names))
        if names not in self._models:
            self._models[names] = open_model(names, self.settings)
        return self._models[names]
