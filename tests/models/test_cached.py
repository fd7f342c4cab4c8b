from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from querist.errors import ModelTimeoutError
from querist.models.base import Message, OnToken, Reply, Request, Usage
from querist.models.cached import CachedModel
from querist.state.cache import ContentCache

REQUEST = Request([Message("system", "Be brief."), Message("user", "How many?")])


class SlowModel:
    """Says how often it was asked, and claims that each reply took `seconds`."""

    name = "slow:model"

    def __init__(self, seconds: float = 2.0) -> None:
        self.seconds = seconds
        self.calls = 0
        self.closed = False

    async def complete(self, request: Request, on_token: OnToken | None = None) -> Reply:
        self.calls += 1
        usage = Usage(1, 30, 20, 4, self.seconds, 0.001)
        data = {"n": self.calls} if request.schema else None
        return Reply(f"reply {self.calls}", "slow", usage, data, "length", -0.25 if request.logprobs else None)

    async def close(self) -> None:
        self.closed = True


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[ContentCache]:
    cache = ContentCache(tmp_path / "replies.sqlite")
    yield cache
    cache.close()


def ask(model: CachedModel, *requests: Request) -> list[Reply]:
    async def together() -> list[Reply]:
        return await asyncio.gather(*(model.complete(request) for request in requests))

    return asyncio.run(together())


def test_the_same_request_is_asked_once_and_said_again_to_the_letter(cache: ContentCache) -> None:
    inner = SlowModel()
    request = replace(REQUEST, schema={"type": "object"}, logprobs=True)
    (first,) = ask(CachedModel(inner, cache), request)
    (second,) = ask(CachedModel(inner, cache), request)
    assert inner.calls == 1
    assert second == first
    assert second.usage == Usage(1, 30, 20, 4, 2.0, 0.001)


@pytest.mark.parametrize(
    "change",
    [
        {"messages": [Message("user", "How many?")]},
        {"messages": [Message("user", "Be brief."), Message("user", "How many?")]},
        {"schema": {"type": "string"}},
        {"max_tokens": 7},
        {"temperature": 0.5},
        {"seed": 1},
        {"stop": (";",)},
        {"grammar": "root ::= [0-9]"},
        {"logprobs": True},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_may_change_the_reply_makes_another_request(cache: ContentCache, change: dict[str, Any]) -> None:
    inner = SlowModel()
    model = CachedModel(inner, cache)
    ask(model, REQUEST)
    ask(model, replace(REQUEST, **change))
    assert inner.calls == 2


def test_where_a_server_keeps_the_prompt_does_not_matter(cache: ContentCache) -> None:
    inner = SlowModel()
    ask(CachedModel(inner, cache), REQUEST)
    ask(CachedModel(inner, cache), replace(REQUEST, prefix="other"))
    assert inner.calls == 1


def test_another_model_and_another_variant_do_not_share_replies(cache: ContentCache) -> None:
    inner, other = SlowModel(), SlowModel()
    other.name = "other:model"
    ask(CachedModel(inner, cache), REQUEST)
    ask(CachedModel(other, cache), REQUEST)
    ask(CachedModel(inner, cache, variant="repeat 1"), REQUEST)
    assert (inner.calls, other.calls) == (2, 1)


def test_a_failure_is_not_kept(cache: ContentCache) -> None:
    class Failing(SlowModel):
        async def complete(self, request: Request, on_token: OnToken | None = None) -> Reply:
            if not self.calls:
                self.calls += 1
                raise ModelTimeoutError("too slow")
            return await super().complete(request, on_token)

    model = CachedModel(Failing(), cache)
    with pytest.raises(ModelTimeoutError):
        ask(model, REQUEST)
    assert ask(model, REQUEST)[0].text == "reply 2"


def test_the_time_saved_is_what_replayed_replies_took_when_they_were_made(cache: ContentCache) -> None:
    model = CachedModel(SlowModel(2.0), cache)
    ask(model, REQUEST)
    assert model.take_replayed() == (0, 0.0)
    ask(model, REQUEST)
    ask(model, REQUEST)
    replayed, saved = model.take_replayed()
    assert replayed == 2
    assert saved == pytest.approx(4.0, abs=0.5)
    assert model.take_replayed() == (0, 0.0)


def test_calls_made_side_by_side_save_the_time_of_the_slowest(cache: ContentCache) -> None:
    other = replace(REQUEST, max_tokens=9)
    for request, seconds in ((REQUEST, 3.0), (other, 8.0)):
        ask(CachedModel(SlowModel(seconds), cache), request)
    model = CachedModel(SlowModel(), cache)
    ask(model, REQUEST, other)
    assert model.take_replayed() == (2, pytest.approx(8.0, abs=0.5))


def test_a_listener_hears_a_replayed_reply_as_well(cache: ContentCache) -> None:
    ask(CachedModel(SlowModel(), cache), REQUEST)
    heard: list[str] = []
    asyncio.run(CachedModel(SlowModel(), cache).complete(REQUEST, heard.append))
    assert heard == ["reply 1"]


def test_a_kept_reply_that_cannot_be_read_is_asked_for_again(
    cache: ContentCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = SlowModel()
    ask(CachedModel(inner, cache), REQUEST)
    monkeypatch.setattr(ContentCache, "get", lambda *_: b'{"text": "half')
    assert ask(CachedModel(inner, cache), REQUEST)[0].text == "reply 2"


def test_closing_it_closes_the_model(cache: ContentCache) -> None:
    inner = SlowModel()
    asyncio.run(CachedModel(inner, cache).close())
    assert inner.closed
