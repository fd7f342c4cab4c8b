"""What a model gets to read of a tool's output."""

from __future__ import annotations

from pydantic import BaseModel


def told(output: BaseModel) -> str:
    """An output in its own words where its type has some, else as JSON without what is unset."""
    if type(output).__str__ is not BaseModel.__str__:
        return str(output)
    if list(type(output).model_fields) == ["result"] and isinstance(result := output.result, str):  # type: ignore[attr-defined]
        return result
    return output.model_dump_json(exclude_none=True)


def bounded(text: str, limit: int) -> str:
    """The text, its end cut where it is longer than `limit` characters, which is then said."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text) - limit:,} more characters were cut)"
