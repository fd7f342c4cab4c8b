"""Finds components by name. Not for finding packages that bring some: see `plugins/`."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

from querist.core.component import Component, check_component
from querist.errors import ComponentNotFoundError, UsageError


class Registry:
    def __init__(self) -> None:
        self._components: dict[str, Component[Any, Any]] = {}

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

    def get(self, name: str) -> Component[Any, Any]:
        """The component of that name.

        Raises:
            ComponentNotFoundError: there is none; the hint names the nearest.
        """
        if name in self._components:
            return self._components[name]
        near = difflib.get_close_matches(name, self._components, 3)
        known = (
            f"Did you mean {' or '.join(map(repr, near))}?"
            if near
            else f"Known: {', '.join(sorted(self._components))}."
        )
        raise ComponentNotFoundError(
            f"There is no component {name!r}.", hint=known if self._components else "None is known."
        )

    def __iter__(self) -> Iterator[Component[Any, Any]]:
        """All components, by name."""
        return iter([self._components[name] for name in sorted(self._components)])

    def __contains__(self, name: str) -> bool:
        return name in self._components

    def __len__(self) -> int:
        return len(self._components)
