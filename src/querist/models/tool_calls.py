"""Tool calling that a provider has built in. Models without it choose tools by a schema: see `agents/think.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from querist.core.component import Tool
from querist.models.base import Reply, Request


@dataclass(frozen=True)
class ToolCall:
    """A model's wish to have a tool run. `id` is the provider's own, by which it knows the result."""

    name: str
    arguments: dict[str, Any]
    id: str = ""


@dataclass(frozen=True)
class Exchange:
    """A tool call and what came of it, as text for the model."""

    call: ToolCall
    result: str


@runtime_checkable
class ToolModel(Protocol):
    """A model that calls tools by its provider's own protocol."""

    name: str

    async def call_tools(
        self, request: Request, tools: Sequence[Tool], exchanges: Sequence[Exchange]
    ) -> tuple[Reply, tuple[ToolCall, ...]]:
        """Answer the request, or ask for tools to be run.

        Args:
            exchanges: what was called since the last message, oldest first.

        Returns:
            the reply, and the calls that it asks for; none when the reply is the answer.

        Raises:
            ModelError: as `Model.complete`.
        """
        ...
