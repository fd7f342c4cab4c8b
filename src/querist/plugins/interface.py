"""What a plugin may bring, and how it says so. This file is the whole interface.

A plugin is a module with two names, which an entry point of the group `querist.plugins` or a file in a folder gives:

    querist_api = 1

    def register(to: Registrar) -> None:
        to.add_component(word_count)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from querist.core.component import Component, check_component
from querist.errors import UsageError
from querist.models.open import OpenProvider, check_provider
from querist.sources.indexes import OpenIndex, check_index
from querist.sources.open import OpenAddress, check_scheme

if TYPE_CHECKING:
    import typer

    from querist.sandbox.open import OpenSandbox

API = 1
"""Version of this interface: one more when a plugin that was written for the version before would not work."""


class Plugin(Protocol):
    """What makes a module a plugin. `querist_api` is the version of this interface that it was written for."""

    querist_api: int

    def register(self, to: Registrar) -> None:
        """Say what it brings. Called once; an error leaves the whole plugin out."""
        ...


@dataclass(frozen=True)
class Command:
    """A command of the command line: a typed function as Typer takes it, or a Typer app."""

    run: Callable[..., Any] | typer.Typer
    help: str


@dataclass
class Registrar:
    """Takes what one plugin brings. Nothing of it takes effect before `register` has returned."""

    components: dict[str, Component[Any, Any]] = field(default_factory=dict)
    sources: dict[str, OpenAddress] = field(default_factory=dict)
    models: dict[str, OpenProvider] = field(default_factory=dict)
    indexes: dict[str, OpenIndex] = field(default_factory=dict)
    sandboxes: dict[str, OpenSandbox] = field(default_factory=dict)
    commands: dict[str, Command] = field(default_factory=dict)

    def add_component(self, component: Component[Any, Any]) -> None:
        """A component, which is also a tool: `querist.run("its-name", …)`, and for agents to use."""
        if not isinstance(component, Component):
            raise UsageError(f"{component!r} is no component.", hint="Give an instance, such as Greet().")
        check_component(component)
        self.components[component.name] = component

    def add_source(self, scheme: str, open: OpenAddress) -> None:
        """A kind of data: `open(name, address)` makes the source for an address `scheme://…`."""
        check_scheme(scheme)
        self.sources[scheme] = open

    def add_model(self, provider: str, open: OpenProvider) -> None:
        """A provider of models: `open(name, options)` makes the model `provider:…`.

        `options` are those under `models.providers` in the settings, where a provider must stand to be named there.
        """
        check_provider(provider)
        self.models[provider] = open

    def add_index(self, name: str, open: OpenIndex) -> None:
        """A way to find which values the words of a question mean, beside that by spelling.

        `open(source)` makes it for a source, before that is asked for the first time.
        """
        check_index(name)
        self.indexes[name] = open

    def add_sandbox(self, name: str, open: OpenSandbox) -> None:
        """Where generated code runs: `open(settings)` makes it for the setting `sandbox.backend: plugin:NAME`."""
        from querist.sandbox.open import check_sandbox

        check_sandbox(name)
        self.sandboxes[name] = open

    def add_command(self, name: str, run: Callable[..., Any] | typer.Typer, help: str) -> None:
        """A command `querist NAME`. A command of Querist's own goes before one of the same name."""
        if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
            raise UsageError(f"{name!r} cannot be a command.", hint="Use small letters, digits and hyphens.")
        self.commands[name] = Command(run, help)
