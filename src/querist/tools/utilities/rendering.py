"""The work of `template_processor`, run in a worker: a template can loop and grow as it likes."""

from __future__ import annotations

from typing import Any

MAX_OUTPUT = 1_000_000
"""Characters."""


def render(template: str, variables: dict[str, Any], strict: bool, escape_html: bool) -> str:
    """The template with its places filled in."""
    from jinja2 import StrictUndefined, TemplateError, Undefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined if strict else Undefined, autoescape=escape_html, keep_trailing_newline=True
    )
    parts, size = list[str](), 0
    try:
        for part in environment.from_string(template).generate(variables):
            size += len(part)
            if size > MAX_OUTPUT:
                raise ValueError(f"The template makes more than {MAX_OUTPUT:,} characters.")
            parts.append(part)
    except (TemplateError, TypeError, ArithmeticError) as error:
        line = getattr(error, "lineno", None)
        where, why = f" (line {line})" if line else "", str(error).rstrip(".")
        raise ValueError(f"The template cannot be filled in{where}: {why}.") from error
    return "".join(parts)
