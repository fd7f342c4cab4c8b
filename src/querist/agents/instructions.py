"""Fills in an agent's instructions. They come from the agent's author; the variables may come from anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from querist.errors import MissingExtraError, UsageError

LONGEST = 50_000
"""Characters of instructions when they are filled in."""


def render(text: str, variables: Mapping[str, Any], agent: str) -> str:
    """`text` with its `{{ variables }}` filled in; as it is where there are none.

    Raises:
        UsageError: a variable is missing, the template is wrong, or the result is too long.
        MissingExtraError: there is something to fill in, and Jinja is not installed.
    """
    if "{{" in text or "{%" in text:
        text = _filled(text, variables, agent)
    if len(text) > LONGEST:
        raise UsageError(f"The instructions of the agent {agent!r} are longer than {LONGEST:,} characters.")
    return text.strip()


def _filled(text: str, variables: Mapping[str, Any], agent: str) -> str:
    try:
        from jinja2 import StrictUndefined, TemplateError, UndefinedError
        from jinja2.sandbox import ImmutableSandboxedEnvironment
    except ImportError as error:
        raise MissingExtraError("jinja2", "agents", "fill in the instructions of an agent") from error
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)
    written: list[str] = []
    size = 0
    try:
        for piece in environment.from_string(text).generate(dict(variables)):
            size += len(piece)
            written.append(piece)
            if size > LONGEST:
                break
    except UndefinedError as error:
        given = ", ".join(variables) or "none"
        raise UsageError(
            f"The instructions of the agent {agent!r} cannot be filled in: {error}.",
            hint=f"Give it among the variables; given are: {given}.",
        ) from error
    except (TemplateError, ArithmeticError, TypeError, ValueError, LookupError, AttributeError) as error:
        raise UsageError(f"The instructions of the agent {agent!r} are not a valid template: {error}.") from error
    return "".join(written)
