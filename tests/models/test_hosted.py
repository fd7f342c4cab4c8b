"""Hosted models, against servers that speak the providers' protocols on real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from querist.errors import (
    ConfigError,
    ModelAccessError,
    ModelError,
    ModelNotFoundError,
    ModelOutputError,
    ModelRateLimitError,
)
from querist.models import retry
from querist.models.base import Message, Request
from querist.models.hosted import HostedModel
from tests.models.http_server import Answer, Server, serving, unused_url

pytestmark = pytest.mark.anyio

ASK = Request([Message("system", "Be brief."), Message("user", "Hello?")])
SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": "integer"}},
    "required": ["n"],
    "additionalProperties": False,
}


class OpenAI:
    """The Responses API."""

    name = "openai:gpt-4.1"
    path = "/v1/responses"

    @staticmethod
    def said(text: str) -> Answer:
        return Answer(OpenAI._response([OpenAI._message(text)], "completed"))

    @staticmethod
    def streamed(pieces: Sequence[str], cut: bool = False) -> Answer:
        events: list[dict[str, Any]] = [
            {"type": "response.created", "response": OpenAI._response([], "in_progress")},
            {"type": "response.output_item.added", "output_index": 0, "item": OpenAI._message("", "in_progress")},
            {
                "type": "response.content_part.added",
                "item_id": "m",
                "output_index": 0,
                "content_index": 0,
                "part": {"type": "output_text", "text": "", "annotations": []},
            },
        ]
        events += [
            {
                "type": "response.output_text.delta",
                "item_id": "m",
                "output_index": 0,
                "content_index": 0,
                "delta": piece,
                "logprobs": [],
            }
            for piece in pieces
        ]
        if not cut:
            whole = OpenAI._message("".join(pieces))
            events.append({"type": "response.completed", "response": OpenAI._response([whole], "completed")})
        return events_of(events, cut)

    @staticmethod
    def _message(text: str, status: str = "completed") -> dict[str, Any]:
        content = [{"type": "output_text", "text": text, "annotations": []}] if text else []
        return {"id": "m", "type": "message", "role": "assistant", "status": status, "content": content}

    @staticmethod
    def _response(output: list[dict[str, Any]], status: str) -> dict[str, Any]:
        usage = {
            "input_tokens": 1000,
            "input_tokens_details": {"cached_tokens": 400},
            "output_tokens": 100,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 1100,
        }
        return {
            "id": "r",
            "object": "response",
            "created_at": 1_700_000_000,
            "model": "gpt-4.1",
            "status": status,
            "output": output,
            "usage": usage if status == "completed" else None,
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
        }


class Anthropic:
    name = "anthropic:claude-haiku-5-5"
    path = "/v1/messages"

    @staticmethod
    def said(text: str) -> Answer:
        return Answer(Anthropic._message([{"type": "text", "text": text}], "end_turn"))

    @staticmethod
    def streamed(pieces: Sequence[str], cut: bool = False) -> Answer:
        events: list[dict[str, Any]] = [
            {"type": "message_start", "message": Anthropic._message([], None)},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        ]
        events += [
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}
            for piece in pieces
        ]
        if not cut:
            events += [
                {"type": "content_block_stop", "index": 0},
                {
                    "type": "message_delta",
                    "delta": {"stop_reason": "end_turn", "stop_sequence": None},
                    "usage": {"output_tokens": 100},
                },
                {"type": "message_stop"},
            ]
        return events_of(events, cut)

    @staticmethod
    def _message(content: list[dict[str, Any]], reason: str | None) -> dict[str, Any]:
        return {
            "id": "m",
            "type": "message",
            "role": "assistant",
            "model": "claude-haiku-5-5",
            "content": content,
            "stop_reason": reason,
            "stop_sequence": None,
            "usage": {"input_tokens": 600, "cache_read_input_tokens": 400, "output_tokens": 100},
        }


def events_of(events: list[dict[str, Any]], cut: bool) -> Answer:
    numbered = [event | {"sequence_number": number} for number, event in enumerate(events)]
    text = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in numbered)
    return Answer(text, headers={"content-type": "text/event-stream"}, cut=cut)


Api = type[OpenAI] | type[Anthropic]
both = pytest.mark.parametrize("api", [OpenAI, Anthropic])


def model(api: Api, server: Server | str, **options: Any) -> HostedModel:
    url = server if isinstance(server, str) else server.url
    base_url = f"{url}/v1" if api is OpenAI else url
    return HostedModel(api.name, api_key="k", base_url=base_url, timeout=10, **options)


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waits: list[float] = []

    async def note(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(retry, "sleep", note)
    return waits


@both
async def test_asks_and_counts_tokens_and_money(api: Api) -> None:
    with serving([api.said("Hi.")]) as server:
        reply = await model(api, server).complete(ASK)
    assert (reply.text, reply.model, reply.finish) == ("Hi.", api.name, "stop")
    usage = reply.usage
    assert (usage.calls, usage.input_tokens, usage.cached_tokens, usage.output_tokens) == (1, 1000, 400, 100)
    assert usage.cost is not None and 0 < usage.cost < 0.1
    assert server.calls[0].path.startswith(api.path)
    assert "Be brief." in server.calls[0].body.decode()


async def test_asks_for_no_fewer_tokens_than_providers_allow() -> None:
    with serving([OpenAI.said("Yes.")]) as server:
        await model(OpenAI, server).complete(replace(ASK, max_tokens=2))
    assert json.loads(server.calls[0].body)["max_output_tokens"] == 16


async def test_the_price_of_an_unknown_model_is_unknown() -> None:
    told = json.loads(json.dumps(OpenAI.said("Hi.").body).replace("gpt-4.1", "gpt-unheard-of"))
    with serving([Answer(told)]) as server:
        reply = await HostedModel("openai:gpt-unheard-of", api_key="k", base_url=f"{server.url}/v1").complete(ASK)
    assert reply.usage.cost is None


async def test_a_setting_that_a_provider_does_not_take_is_told() -> None:
    with pytest.raises(ConfigError, match="openrouter"):
        HostedModel("openrouter:x", api_key="k", base_url="http://127.0.0.1:1/v1")


@both
async def test_streams_the_reply_piece_by_piece(api: Api) -> None:
    pieces: list[str] = []
    with serving([api.streamed(["Hel", "lo"])]) as server:
        reply = await model(api, server).complete(ASK, pieces.append)
    assert (pieces, reply.text, reply.usage.output_tokens) == (["Hel", "lo"], "Hello", 100)


@both
@pytest.mark.filterwarnings("error:The .stop_sequences. setting")
async def test_a_reply_ends_at_a_stop_whether_or_not_the_provider_knows_of_stops(api: Api) -> None:
    with serving([api.said("SELECT 1; and -- more")]) as server:
        reply = await model(api, server).complete(replace(ASK, stop=("--", ";")))
    assert reply.text == "SELECT 1"


@both
async def test_half_a_stream_is_an_error_and_not_an_answer(api: Api) -> None:
    with serving([api.streamed(["SELECT 1"], cut=True)]) as server, pytest.raises(ModelError):
        await model(api, server).complete(ASK, lambda text: None)
    assert len(server.calls) == 1, "what the reader has seen must not come again"


@both
async def test_the_provider_constrains_the_reply_to_the_schema(api: Api) -> None:
    with serving([api.said('{"n": 3}')]) as server:
        reply = await model(api, server).complete(replace(ASK, schema=SCHEMA))
    assert reply.data == {"n": 3}
    assert '"json_schema"' in server.calls[0].body.decode()


@both
async def test_a_reply_that_breaks_the_schema_is_asked_once_more(api: Api) -> None:
    with serving([api.said("Three."), api.said('{"n": 3}')]) as server:
        reply = await model(api, server).complete(replace(ASK, schema=SCHEMA))
    assert (reply.data, reply.usage.calls) == ({"n": 3}, 2)
    assert "not JSON" in server.calls[1].body.decode()


@both
async def test_waits_as_long_as_the_provider_asks(api: Api, short_waits: list[float]) -> None:
    with serving([Answer({"error": {"message": "slow down"}}, 429, {"retry-after": "7"}), api.said("Hi.")]) as server:
        assert (await model(api, server).complete(ASK)).text == "Hi."
    assert short_waits == [7.0]


@both
async def test_too_long_a_wait_is_told_instead(api: Api, short_waits: list[float]) -> None:
    busy = Answer({"error": {"message": "slow down"}}, 429, {"retry-after": "3600"})
    with serving([busy]) as server, pytest.raises(ModelRateLimitError) as caught:
        await model(api, server).complete(ASK)
    assert (caught.value.retry_after, short_waits, len(server.calls)) == (3600, [], 1)


@both
async def test_gives_up_after_the_retries(api: Api) -> None:
    with serving([Answer({"error": {"message": "oh no"}}, 500)]) as server, pytest.raises(ModelError, match="oh no"):
        await model(api, server, retries=2).complete(ASK)
    assert len(server.calls) == 3


@both
@pytest.mark.parametrize(("status", "kind"), [(401, ModelAccessError), (404, ModelNotFoundError), (400, ModelError)])
async def test_a_refusal_is_not_tried_again(api: Api, status: int, kind: type[ModelError]) -> None:
    with serving([Answer({"error": {"message": "no"}}, status)]) as server, pytest.raises(ModelError) as caught:
        await model(api, server).complete(ASK)
    assert type(caught.value) is kind
    assert len(server.calls) == 1
    if kind is ModelAccessError:
        assert "_API_KEY" in caught.value.hint


@both
@pytest.mark.parametrize("garbage", ["<html>hello</html>", {"hello": "world"}])
async def test_garbage_is_an_error_of_the_model(api: Api, garbage: Any) -> None:
    with serving([Answer(garbage)]) as server, pytest.raises(ModelError):
        await model(api, server, retries=0).complete(ASK)


@both
@pytest.mark.parametrize("garbage", ["{not", '{"type": "nothing"}', "[1]"])
async def test_garbage_in_a_stream_is_an_error_of_the_model(api: Api, garbage: str) -> None:
    headers = {"content-type": "text/event-stream"}
    with serving([Answer(f"data: {garbage}\n\n", headers=headers)]) as server, pytest.raises(ModelError):
        await model(api, server, retries=0).complete(ASK, lambda text: None)


@both
async def test_nobody_there(api: Api) -> None:
    with pytest.raises(ModelError) as caught:
        await model(api, unused_url(), retries=1).complete(ASK)
    assert "base_url" in caught.value.hint


async def test_one_that_breaks_the_schema_twice_is_an_error() -> None:
    with serving([OpenAI.said("Three.")]) as server, pytest.raises(ModelOutputError, match="twice"):
        await model(OpenAI, server).complete(replace(ASK, schema=SCHEMA))


def test_one_model_serves_several_event_loops() -> None:
    with serving([OpenAI.said("Hi.")]) as server:
        asked = model(OpenAI, server, retries=0)
        for _ in range(3):
            assert asyncio.run(asked.complete(ASK)).text == "Hi."


async def test_a_closed_model_can_be_asked_again() -> None:
    with serving([OpenAI.said("Hi.")]) as server:
        asked = model(OpenAI, server, retries=0)
        for _ in range(2):
            assert (await asked.complete(ASK)).text == "Hi."
            await asked.close()
