"""How tools ask a model: the one that plays a role in the settings, through the door, for JSON that fits a schema."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from querist.core.context import RunContext
from querist.core.permissions import Need
from querist.core.runner import Runner
from querist.models.base import EmbeddingModel, JsonSchema, Model, Request, UsageMeter
from querist.models.prompt import read_prompt
from querist.settings import Settings

ROLE = "fast"
"""The role whose model the tools ask. None of them needs to think hard."""

MAX_CHARACTERS = 12_000
"""Of a text that is put before a model at once: about 3,000 tokens, which leaves room in the smallest of them."""

TO_ASK = Need("model", ROLE)


async def ask(given: Model | None, context: RunContext, prompt: str, schema: JsonSchema, **fields: str) -> Any:
    """The data that a model replies with to one of the prompts beside this module.

    Args:
        given: the model to ask; None for that of the role.
    """
    from querist.models.at_door import ModelAtDoor
    from querist.models.open import open_model

    settings = context.get(Settings) or Settings()
    model = given or open_model(settings.models.fast, settings)
    request = Request(
        read_prompt("querist.tools.ai", prompt).messages(**fields),
        schema=schema,
        max_tokens=1024,
        prefix=f"tool-{prompt}",
    )
    try:
        reply = await ModelAtDoor(model, context.get(Runner) or Runner()).complete(request)
    finally:
        if given is None:
            await model.close()
    if meter := context.get(UsageMeter):
        meter.add(reply.usage)
    return reply.data


@asynccontextmanager
async def embedding_model(given: EmbeddingModel | None, context: RunContext) -> AsyncIterator[EmbeddingModel]:
    """The model of the role `embedding`, closed afterwards unless it was given."""
    from querist.models.open import open_embedding_model

    settings = context.get(Settings) or Settings()
    model = given or open_embedding_model(settings.models.embedding, settings)
    try:
        yield model
    finally:
        if given is None:
            await model.close()


def record(**properties: JsonSchema) -> JsonSchema:
    """JSON Schema of an object that has just these properties, in this order."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
