"""The list of the tools, which imports none of them. A test holds it to what the modules say.

Not a registry: `Registry` holds components that were chosen, this tells which tools can be had.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal, get_args

from querist.core.component import Component
from querist.core.permissions import Kind
from querist.errors import ComponentNotFoundError

Group = Literal["files", "web", "data", "ai", "system", "utilities", "communication", "domain"]
GROUPS: tuple[Group, ...] = get_args(Group)


@dataclass(frozen=True)
class Entry:
    """A line of the catalogue.

    Attributes:
        module, attribute: the class, `module` below the folder of its group.
        summary: the first line of its description.
        permissions: the kinds that a run may need, as the class says.
        library: what does the work, beside the standard library; several with commas.
        extra: of the `querist` package, without which it or a part of it does not run.
    """

    name: str
    group: Group
    module: str
    attribute: str
    summary: str
    permissions: tuple[Kind, ...] = ()
    library: str = ""
    extra: str = ""


ENTRIES: tuple[Entry, ...] = ()
"""All tools, by group; within a group in the order of the documentation."""


def load_tool(name: str) -> Component[Any, Any]:
    """The tool of that name, ready to be given to a runner.

    Raises:
        ComponentNotFoundError: there is none; the hint names the nearest.
    """
    for entry in ENTRIES:
        if entry.name == name:
            made = getattr(import_module(f"querist.tools.{entry.group}.{entry.module}"), entry.attribute)()
            assert isinstance(made, Component)
            return made
    near = difflib.get_close_matches(name, [entry.name for entry in ENTRIES], 3)
    hint = f"Did you mean {' or '.join(map(repr, near))}?" if near else "`querist tool list` shows all."
    raise ComponentNotFoundError(f"There is no tool {name!r}.", hint=hint)
