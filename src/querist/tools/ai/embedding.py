"""`embedding_generator`: texts as vectors, for finding what means the same."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, Field

from querist.core.component import Component
from querist.core.context import RunContext
from querist.core.permissions import Need
from querist.models.base import EmbeddingModel
from querist.settings import Settings
from querist.tools.tool import ToolInput


class EmbeddingGeneratorInput(ToolInput):
    texts: list[str] = Field(description="The texts.", min_length=1, max_length=256)


class Embeddings(BaseModel):
    model: str
    dimensions: int
    vectors: list[list[float]] = Field(description="One of length 1 for each text; their product is their likeness.")


class EmbeddingGenerator(Component[EmbeddingGeneratorInput, Embeddings]):
    """Args: model: the one to use in place of that of the role `embedding`."""

    name = "embedding_generator"
    description = """Turn texts into vectors, near each other where the texts mean the same."""
    permissions = ("model",)

    def __init__(self, model: EmbeddingModel | None = None) -> None:
        self.model = model

    def needs(self, input: EmbeddingGeneratorInput) -> Iterable[Need]:
        return (Need("model", "embedding"),)

    async def run(self, input: EmbeddingGeneratorInput, context: RunContext) -> Embeddings:
        from querist.models.open import open_embedding_model

        settings = context.get(Settings) or Settings()
        model = self.model or open_embedding_model(settings.models.embedding, settings)
        try:
            vectors = await model.embed(input.texts)
        finally:
            if self.model is None:
                await model.close()
        return Embeddings(model=model.name, dimensions=len(vectors[0]), vectors=vectors)
