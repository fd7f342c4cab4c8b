"""Finds components by name. Not for finding packages that bring some: see `plugins/`."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from typing import Any

from querist.core.component import Component, check_component
from querist.errors import ComponentNotFoundError, UsageError


class Registry:
    def __init__(self) -> None:
        self._components: dict[str, Component[Any, Any]] = {}
        self._later: dict[str, Callable[[], Component[Any, Any]]] = {}

    def add(self, component: Component[Any, Any]) -> None:
        """Make a component known by its name.

        Raises:
            UsageError: the name is taken or not allowed, or something is missing.
        """
        check_component(component)
        name = component.name
        if name in self._components:
            other = type(self._components[name])
            raise UsageError(
                f"There is already a component {name!r} ({other.__module__}.{other.__qualname__}).",
                hint="Give one of the two another name.",
            )
        self._components[name] = component

    def add_later(self, name: str, make: Callable[[], Component[Any, Any]]) -> None:
        """Let a component be made when it is first asked for by its name. One that is added goes before it."""
        self._later[name] = make

    def get(self, name: str) -> Component[Any, Any]:
        """The component of that name.

        Raises:
            ComponentNotFoundError: there is none; the hint names the nearest.
        """
        if name not in self._components and name in self._later:
            # Two threads may both make it: `setdefault` lets them use one.
            return self._components.setdefault(name, self._later[name]())
        if name in self._components:
            return self._components[name]
        names = self._components.keys() | self._later
        near = difflib.get_close_matches(name, sorted(names), 3)
        known = f"Did you mean {' or '.join(map(repr, near))}?" if near else f"Known: {', '.join(sorted(names))}."
        raise ComponentNotFoundError(f"There is no component {name!r}.", hint=known if names else "None is known.")

    def __iter__(self) -> Iterator[Component[Any, Any]]:
        """All components that have been made, by name."""
        return iter([self._components[name] for name in sorted(self._components)])

    def __contains__(self, name: str) -> bool:
        return name in self._components or name in self._later

    def __len__(self) -> int:
        return len(self._components)
