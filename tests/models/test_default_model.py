"""The smaller built-in model, for real: only where it has been fetched."""

from __future__ import annotations

import pytest

from querist.models.base import Message, Request
from querist.models.download import verify
from querist.models.manifest import find_model
from querist.models.open import open_model
from querist.settings import Settings

SMALL = find_model("qwen2.5-coder-0.5b")

pytestmark = [pytest.mark.anyio, pytest.mark.model]


@pytest.fixture(autouse=True)
def fetched() -> None:
    if not SMALL.path.is_file():
        pytest.skip(f"{SMALL.name} is not on this machine; fetch it: querist models pull {SMALL.name}")


def test_it_is_the_publishers_file() -> None:
    assert verify(SMALL)


async def test_it_writes_sql_within_a_schema() -> None:
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
