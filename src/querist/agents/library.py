"""Finds the definitions of agents by name: in folders of one's own, then among those that come with Querist."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from querist.errors import ComponentNotFoundError, UsageError
from querist.settings import Settings
from querist.settings.load import find_file

if TYPE_CHECKING:
    from querist.agents.definition import AgentDefinition

TEMPLATES = Path(__file__).parent / "templates"
FOLDER = "agents"
"""The folder beside the settings file in which agents are looked for."""


class AgentLibrary:
    """Agents by name. One of your own goes before one of the same name that comes with Querist, and may extend it.

    Args:
        folders: with a YAML file for each agent, `<name>.yaml`; the first that has a name gives it.
    """

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        self.folders = (*folders, TEMPLATES)

    def names(self) -> list[str]:
        """The names of all agents, whether or not their files are in order."""
        return sorted({path.stem for folder in self.folders for path in folder.glob("*.yaml")})

    def files(self, name: str) -> list[Path]:
        """The files that define `name`; the first is in force."""
        return [path for folder in self.folders if (path := folder / f"{name}.yaml").is_file()]

    def definition(self, name: str) -> AgentDefinition:
        """The whole definition of an agent, with what it takes from those that it extends.

        Raises:
            ComponentNotFoundError: there is no such agent, or none that it extends.
            ConfigError: something in a file is wrong.
            UsageError: agents extend each other in a circle.
        """
        from querist.agents.definition import inherit, read_definition  # not at the top: names alone are asked for more

        if not self.files(name):
            near = difflib.get_close_matches(name, self.names(), 3)
            hint = f"Did you mean {' or '.join(near)}?" if near else "`querist agent list` shows all."
            raise ComponentNotFoundError(f"There is no agent {name!r}.", hint=hint)
        chain = [read_definition(self.files(name)[0])]
        used = self.files(name)[:1]
        while parent := chain[-1].extends:
            left = [path for path in self.files(parent) if path not in used or parent != chain[-1].name]
            if not left:
                raise ComponentNotFoundError(
                    f"The agent {chain[-1].name!r} extends {parent!r}, which is not there.",
                    hint=f"There are: {', '.join(self.names())}.",
                )
            if left[0] in used:
                circle = " → ".join([definition.name for definition in chain] + [parent])
                raise UsageError(f"Agents extend each other in a circle: {circle}.")
            used.append(left[0])
            chain.append(read_definition(left[0]))
        whole = chain.pop()
        while chain:
            whole = inherit(whole, chain.pop())
        return whole


def open_library(settings: Settings) -> AgentLibrary:
    """Agents in the folder `agents` beside the settings file, in those that the settings name, and Querist's own."""
    beside = (find_file() or Path("querist.yaml")).parent / FOLDER
    return AgentLibrary([beside, *(Path(folder).expanduser() for folder in settings.agents)])
