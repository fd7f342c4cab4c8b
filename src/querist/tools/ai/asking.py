"""How tools ask a model: the one that plays a role in the settings, through the door, for JSON that fits a schema."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from querist.core.component import Component, In, Out
from querist.core.context import RunContext
from querist.core.permissions import Need
from querist.core.runner import Runner
from querist.models.base import JsonSchema, Model, Request, UsageMeter
from querist.models.prompt import read_prompt
from querist.settings import Settings

ROLE = "fast"
"""The role whose model the tools ask. None of them needs to think hard."""

MAX_CHARACTERS = 12_000
"""Of a text that is put before a model at once: about 3,000 tokens, which leaves room in the smallest of them."""

TO_ASK = Need("model", ROLE)


class ModelTool(Component[In, Out]):
    """A tool that asks a model.

    Args:
        model: the one to ask in place of that of the role.
    """

    permissions = ("model",)

    def __init__(self, model: Model | None = None) -> None:
        self.model = model

    def needs(self, input: In) -> Iterable[Need]:
        return (TO_ASK,)

    async def ask(self, context: RunContext, prompt: str, schema: JsonSchema, **fields: str) -> Any:
        """The data that the model replies with to one of the prompts beside this module."""
        from querist.models.at_door import ModelAtDoor
        from querist.models.open import open_model

        settings = context.get(Settings) or Settings()
        model = self.model or open_model(settings.models.fast, settings)
        request = Request(
            read_prompt("querist.tools.ai", prompt).messages(**fields),
            schema=schema,
            max_tokens=1024,
            prefix=f"tool-{prompt}",
        )
        try:
            reply = await ModelAtDoor(model, context.get(Runner) or Runner()).complete(request)
        finally:
            if self.model is None:
                await model.close()
        if meter := context.get(UsageMeter):
            meter.add(reply.usage)
        return reply.data


def share(number: float) -> float:
    """A model's confidence, between 0 and 1."""
    return min(max(float(number), 0.0), 1.0)
