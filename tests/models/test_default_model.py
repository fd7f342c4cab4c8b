"""The smaller built-in models, for real: only where they have been fetched."""

from __future__ import annotations

import pytest

from querist.models.base import Message, Request
from querist.models.download import verify
from querist.models.manifest import LocalModelInfo, find_model, manifest
from querist.models.open import open_embedding_model, open_model
from querist.settings import Settings

SMALL, ENCODER = find_model("qwen2.5-coder-0.5b"), find_model("all-minilm-l6-v2")

NEAR = [
    ("How many orders were placed last month?", "Number of purchases in the previous month", 0.6294),
    ("The cat sleeps on the warm sofa.", "A kitten naps on a couch", 0.6937),
    ("Revenue by region and quarter", "Sales for each area per three months", 0.4943),
]
"""Pairs and their cosine, from the published weights in 32 bits, worked out with NumPy."""

pytestmark = [pytest.mark.anyio, pytest.mark.model]


def needed(model: LocalModelInfo) -> LocalModelInfo:
    if not model.path.is_file():
        pytest.skip(f"{model.name} is not on this machine; fetch it: querist models pull {model.name}")
    return model


@pytest.mark.parametrize("model", manifest().models, ids=lambda model: model.name)
def test_it_is_the_right_file(model: LocalModelInfo) -> None:
    assert verify(needed(model))


async def test_the_encoder_finds_texts_as_near_as_the_original_does() -> None:
    needed(ENCODER)
    settings = Settings.model_validate({"local": {"shared": False}})
    model = open_embedding_model(settings.models.embedding, settings)
    found = await model.embed([text for pair in NEAR for text in pair[:2]])
    await model.close()
    for number, (_, _, cosine) in enumerate(NEAR):
        a, b = found[2 * number], found[2 * number + 1]
        assert sum(x * y for x, y in zip(a, b, strict=True)) == pytest.approx(cosine, abs=0.01)


async def test_it_writes_sql_within_a_schema() -> None:
    needed(SMALL)
    settings = Settings.model_validate({"local": {"shared": False, "context": 1024, "slots": 1, "prompt_cache_mb": 0}})
    model = open_model(f"local:{SMALL.name}", settings)
    schema = {"type": "object", "properties": {"sql": {"type": "string"}}, "required": ["sql"]}
    messages = [
        Message("system", "You write one SQL query for SQLite. Table: boats(id, name, length_m)."),
        Message("user", "How many boats are there?"),
    ]
    reply = await model.complete(Request(messages, schema=schema, max_tokens=64))
    await model.close()
    assert "count(" in reply.data["sql"].lower() and "boats" in reply.data["sql"].lower()
