"""The list of the tools, which imports none of them. A test holds it to what the modules say.

Not a registry: `Registry` holds components that were chosen, this tells which tools can be had.
"""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, get_args

from querist.core.component import Component
from querist.core.permissions import Kind
from querist.errors import ComponentNotFoundError

Group = Literal["files", "web", "data", "ai", "system", "utilities", "communication", "domain"]
GROUPS: tuple[Group, ...] = get_args(Group)


@dataclass(frozen=True)
class Entry:
    """A line of the catalogue; `catalogue.toml` says what each thing is."""

    name: str
    group: Group
    module: str
    summary: str
    permissions: tuple[Kind, ...] = ()
    library: str = ""
    extra: str = ""

    @property
    def class_name(self) -> str:
        return "".join(part.capitalize() for part in self.name.split("_"))


def _read() -> tuple[Entry, ...]:
    listed = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return tuple(
        Entry(name, group, **{**line, "permissions": tuple(line.get("permissions", ()))})
        for group in GROUPS
        for name, line in listed.get(group, {}).items()
    )


ENTRIES = _read()
"""All tools, by group."""


def load_tool(name: str) -> Component[Any, Any]:
    """The tool of that name, ready to be given to a runner.

    Raises:
        ComponentNotFoundError: there is none; the hint names the nearest.
    """
    for entry in ENTRIES:
        if entry.name == name:
            made = getattr(import_module(f"querist.tools.{entry.group}.{entry.module}"), entry.class_name)()
            assert isinstance(made, Component)
            made.kind = "tool"
            return made
    near = difflib.get_close_matches(name, [entry.name for entry in ENTRIES], 3)
    hint = f"Did you mean {' or '.join(map(repr, near))}?" if near else "`querist tool list` shows all."
    raise ComponentNotFoundError(f"There is no tool {name!r}.", hint=hint)
