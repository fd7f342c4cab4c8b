"""Prompts are files: `prompts/<name>.toml` beside the code that asks, with a version, a system text and a user text."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from importlib import resources

from querist.models.base import Message


@dataclass(frozen=True)
class Prompt:
    """A template, filled in by `{name}`. `system` holds what is stable, `user` what changes with each question."""

    name: str
    version: int
    system: str
    user: str

    def messages(self, **fields: str) -> tuple[Message, ...]:
        """The filled-in messages. A placeholder without a field is a KeyError."""
        system = (Message("system", _fill(self.system, fields)),) if self.system else ()
        return (*system, Message("user", _fill(self.user, fields)))


@functools.cache
def read_prompt(package: str, name: str) -> Prompt:
    """The prompt of that name in the folder `prompts` of a package; FileNotFoundError when there is none."""
    text = (resources.files(package) / "prompts" / f"{name}.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    return Prompt(name, data["version"], data["system"].strip(), data["user"].strip())


def _fill(text: str, fields: dict[str, str]) -> str:
    """Like str.format_map, but fields are never themselves read as templates, and empty ones leave no empty line."""
    filled = [line.format_map(fields) if "{" in line else line for line in text.splitlines()]
    wanted = zip(text.splitlines(), filled, strict=True)
    return "\n".join(line for template, line in wanted if line.strip() or not template.strip())
