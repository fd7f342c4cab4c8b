"""The client for servers that speak the OpenAI protocol, against real sockets."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from email.utils import formatdate
from typing import Any

import pytest

from querist.errors import (
    ModelAccessError,
    ModelError,
    ModelNotFoundError,
    ModelOutputError,
    ModelRateLimitError,
    ModelTimeoutError,
    UsageError,
)
from querist.models import retry
from querist.models.base import Message, Request
from querist.models.openai_protocol import Endpoint, OpenAIProtocolEmbeddings, OpenAIProtocolModel
from tests.models.http_server import Answer, Server, serving, unused_url

pytestmark = pytest.mark.anyio

ASK = Request([Message("system", "Be brief."), Message("user", "Hello?")])
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def said(text: str, finish: str = "stop") -> Answer:
    return Answer(
        {
            "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": finish}],
            "usage": {
                "prompt_tokens": 20,
                "completion_tokens": 3,
                "prompt_tokens_details": {"cached_tokens": 15},
            },
        }
    )


def streamed(*events: dict[str, Any], done: bool = True, cut: bool = False) -> Answer:
    lines = [f"data: {json.dumps(event)}\n\n" for event in events] + (["data: [DONE]\n\n"] if done else [])
    return Answer("".join([": a comment\n\n", *lines]), headers={"content-type": "text/event-stream"}, cut=cut)


def piece(text: str, finish: str | None = None) -> dict[str, Any]:
    return {"choices": [{"delta": {"content": text}, "finish_reason": finish}]}


def model(server: Server | str, **options: Any) -> OpenAIProtocolModel:
    url = server if isinstance(server, str) else server.url
    endpoint = Endpoint(name="ollama:tiny", model="tiny", base_url=f"{url}/v1", timeout=5, down_hint="Is it running?")
    return OpenAIProtocolModel(replace(endpoint, **options))


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits between tries, noted instead of waited for."""
    waits: list[float] = []

    async def note(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(retry, "sleep", note)
    return waits


async def test_asks_and_counts() -> None:
    with serving([said("Hi.")]) as server:
        reply = await model(server, api_key="k", price=0.0).complete(replace(ASK, stop=("x",), max_tokens=9))
    assert (reply.text, reply.model, reply.finish, reply.data) == ("Hi.", "ollama:tiny", "stop", None)
    assert (reply.usage.calls, reply.usage.input_tokens, reply.usage.cached_tokens) == (1, 20, 15)
    assert (reply.usage.output_tokens, reply.usage.cost) == (3, 0.0)
    (call,) = server.calls
    assert (call.path, call.headers["authorization"]) == ("/v1/chat/completions", "Bearer k")
    assert call.json == {
        "model": "tiny",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello?"}],
        "max_tokens": 9,
        "temperature": 0.0,
        "seed": 0,
        "stop": ["x"],
    }


@pytest.mark.parametrize("on_token", [None, lambda piece: None], ids=["whole", "streamed"])
async def test_says_how_likely_its_reply_was(on_token: Any) -> None:
    tokens = {"content": [{"token": "H", "logprob": -0.5}, {"token": "i", "logprob": -0.25}]}
    whole = Answer({"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop", "logprobs": tokens}]})
    pieces = streamed({"choices": [{"delta": {"content": "Hi"}, "finish_reason": "stop", "logprobs": tokens}]})
    with serving([pieces if on_token else whole]) as server:
        reply = await model(server).complete(replace(ASK, logprobs=True), on_token)
    assert reply.logprob == -0.75
    assert server.calls[0].json["logprobs"] is True


async def test_streams_the_reply_piece_by_piece() -> None:
    usage = {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}}
    with serving([streamed(piece("Hel"), piece("lo"), piece("", "stop"), usage)]) as server:
        pieces: list[str] = []
        reply = await model(server).complete(ASK, pieces.append)
    assert (pieces, reply.text, reply.usage.input_tokens, reply.finish) == (["Hel", "lo"], "Hello", 5, "stop")
    assert server.calls[0].json["stream"] is True


@pytest.mark.parametrize("cut", [False, True])
async def test_half_a_stream_is_an_error_and_not_an_answer(cut: bool) -> None:
    with (
        serving([streamed(piece("SELECT 1"), done=False, cut=cut)]) as server,
        pytest.raises(ModelError, match="broke off"),
    ):
        await model(server).complete(ASK, lambda text: None)
    assert len(server.calls) == 1, "what the reader has seen must not come again"


@pytest.mark.parametrize(
    "garbage", ["{not", "5", *map(json.dumps, ({"choices": 7}, {"choices": [7]}, {"choices": [{"delta": "Hi"}]}))]
)
async def test_garbage_in_a_stream_is_told(garbage: str) -> None:
    lines = f"data: {json.dumps(piece('Hi'))}\n\ndata: {garbage}\n\ndata: [DONE]\n\n"
    answer, pieces = Answer(lines, headers={"content-type": "text/event-stream"}), list[str]()
    with serving([answer]) as server, pytest.raises(ModelOutputError, match="does not answer in the OpenAI protocol"):
        await model(server).complete(ASK, pieces.append)
    assert (pieces, len(server.calls)) == (["Hi"], 1)


async def test_an_error_inside_a_stream_is_told() -> None:
    with (
        serving([streamed({"error": {"message": "out of memory"}})]) as server,
        pytest.raises(ModelError, match="out of memory"),
    ):
        await model(server).complete(ASK, lambda text: None)


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_passing_fault_is_tried_again(status: int, short_waits: list[float]) -> None:
    with serving([Answer("busy", status), said("Hi.")]) as server:
        assert (await model(server).complete(ASK)).text == "Hi."
    assert len(short_waits) == 1


@pytest.mark.parametrize("on_token", [None, lambda text: None])
async def test_waits_as_long_as_the_server_asks(short_waits: list[float], on_token: Any) -> None:
    busy = Answer("busy", 429, {"retry-after": "7"})
    good = said("Hi.") if on_token is None else streamed(piece("Hi.", "stop"))
    with serving([busy, good]) as server:
        assert (await model(server).complete(ASK, on_token)).text == "Hi."
    assert short_waits == [7.0]


async def test_does_not_wait_for_minutes(short_waits: list[float]) -> None:
    with (
        serving([Answer({"error": {"message": "slow down"}}, 429, {"retry-after": "3600"})]) as server,
        pytest.raises(ModelRateLimitError, match="slow down") as caught,
    ):
        await model(server).complete(ASK)
    assert (caught.value.retry_after, short_waits, len(server.calls)) == (3600, [], 1)


async def test_gives_up_after_the_retries() -> None:
    with serving([Answer("no", 503)]) as server, pytest.raises(ModelError, match="503"):
        await model(server, retries=2).complete(ASK)
    assert len(server.calls) == 3


@pytest.mark.parametrize(
    ("answer", "kind", "hint"),
    [
        (Answer({"error": {"message": "bad key"}}, 401), ModelAccessError, "Set the key"),
        (Answer({"error": "no model"}, 404), ModelNotFoundError, "tiny"),
        (Answer({"error": {"message": "exceeds the context size"}}, 400), ModelError, "Ask over fewer"),
        (Answer({"error": {"message": "bad request"}}, 400), ModelError, ""),
        (Answer("<html>hello</html>"), ModelOutputError, "/v1"),
        (Answer({"hello": "world"}), ModelOutputError, "/v1"),
        (Answer({"choices": [{"message": {"content": "Hi."}}], "usage": "little"}), ModelOutputError, "/v1"),
        (Answer({"choices": [{"message": {"content": "Hi."}, "logprobs": "likely"}]}), ModelOutputError, "/v1"),
    ],
)
async def test_faults_become_errors_that_say_what_to_do(answer: Answer, kind: type[ModelError], hint: str) -> None:
    with serving([answer]) as server, pytest.raises(ModelError) as caught:
        await model(server, key_hint="Set the key.", context_hint="Ask over fewer tables.").complete(ASK)
    assert type(caught.value) is kind
    assert hint in caught.value.hint
    assert len(server.calls) == 1


async def test_nobody_there() -> None:
    with pytest.raises(ModelError, match="cannot be reached") as caught:
        await model(unused_url(), retries=1).complete(ASK)
    assert caught.value.hint == "Is it running?"


async def test_no_answer_in_time() -> None:
    with serving([Answer(delay=30)]) as server, pytest.raises(ModelTimeoutError, match=r"within 0\.2 s"):
        await model(server, timeout=0.2).complete(ASK)
    assert len(server.calls) == 1


async def test_asks_for_a_schema_and_reads_it() -> None:
    with serving([said('{"n": 3}')]) as server:
        reply = await model(server).complete(replace(ASK, schema=SCHEMA))
    assert reply.data == {"n": 3}
    asked = server.calls[0].json["response_format"]
    assert (asked["type"], asked["json_schema"]["schema"]) == ("json_schema", SCHEMA)


async def test_a_reply_that_ignores_the_schema_is_asked_once_more() -> None:
    with serving([said("Three, I think."), said('{"n": 3}')]) as server:
        reply = await model(server).complete(replace(ASK, schema=SCHEMA))
    assert reply.data == {"n": 3}
    assert reply.usage.calls == 2
    again = server.calls[1].json["messages"]
    assert again[-2] == {"role": "assistant", "content": "Three, I think."}
    assert "not JSON" in again[-1]["content"] and '"integer"' in again[-1]["content"]


async def test_a_reply_that_ignores_the_schema_twice_is_an_error() -> None:
    with serving([said('{"m": 3}')]) as server, pytest.raises(ModelOutputError, match="lacks 'n'"):
        await model(server).complete(replace(ASK, schema=SCHEMA))
    assert len(server.calls) == 2


async def test_a_reply_cut_off_by_its_length_is_not_asked_again() -> None:
    with serving([said('{"n": ', "length")]) as server, pytest.raises(ModelOutputError, match="cut off after 3 tokens"):
        await model(server).complete(replace(ASK, schema=SCHEMA))
    assert len(server.calls) == 1


async def test_a_grammar_is_for_local_models_only() -> None:
    with pytest.raises(UsageError, match="grammar"):
        await model("http://127.0.0.1:1").complete(replace(ASK, grammar='root ::= "x"'))


def test_one_model_serves_several_event_loops() -> None:
    with serving([said("Hi.")]) as server:
        asked = model(server)
        for _ in range(2):
            assert asyncio.run(asked.complete(ASK)).text == "Hi."


async def test_embeddings_are_in_order_and_of_unit_length() -> None:
    rows = [{"index": 1, "embedding": [0, 2]}, {"index": 0, "embedding": [3, 4]}]
    with serving([Answer({"data": rows})]) as server:
        vectors = await OpenAIProtocolEmbeddings(model(server)).embed(["a", "b"])
    assert vectors == [[0.6, 0.8], [0.0, 1.0]]
    assert server.calls[0].json == {"model": "tiny", "input": ["a", "b"]}


async def test_too_few_embeddings_are_an_error() -> None:
    with serving([Answer({"data": []})]) as server, pytest.raises(ModelOutputError, match="0 embeddings for 1 texts"):
        await OpenAIProtocolEmbeddings(model(server)).embed(["a"])


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("1.5", 1.5),
        ("-3", 0.0),
        (formatdate(1000 + 30, usegmt=True), 30.0),
        (formatdate(1000 - 30, usegmt=True), 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    assert retry.parse_retry_after(value, now=1000) == seconds
