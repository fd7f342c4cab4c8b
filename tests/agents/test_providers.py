"""Agents on models behind real servers: with tool calling of the provider's own and without, and when these fail."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel

from querist.errors import ModelError, ModelOutputError, ModelRateLimitError
from querist.models import retry
from querist.models.base import Model
from querist.models.hosted import HostedModel
from querist.models.openai_protocol import Endpoint, OpenAIProtocolModel
from tests.agents.shop import Shop, price, say, use
from tests.models.http_server import Answer, Server, serving

pytestmark = pytest.mark.anyio


class Anthropic:
    """A provider with tool calling of its own."""

    @staticmethod
    def model(server: Server) -> Model:
        return HostedModel("anthropic:claude-haiku-5-5", api_key="k", base_url=server.url, timeout=10, retries=1)

    @staticmethod
    def says(text: str) -> Answer:
        return Anthropic._message({"type": "text", "text": text}, "end_turn")

    @staticmethod
    def calls(tool: str, **arguments: Any) -> Answer:
        return Anthropic._message({"type": "tool_use", "id": "t1", "name": tool, "input": arguments}, "tool_use")

    @staticmethod
    def gives(answer: dict[str, Any]) -> Answer:
        return Anthropic.calls("answer", **answer)

    @staticmethod
    def _message(content: dict[str, Any], reason: str) -> Answer:
        usage = {"input_tokens": 600, "output_tokens": 100}
        return Answer(
            {
                "id": "m",
                "type": "message",
                "role": "assistant",
                "model": "claude-haiku-5-5",
                "content": [content],
                "stop_reason": reason,
                "stop_sequence": None,
                "usage": usage,
            }
        )


class Schema:
    """A server that only holds replies to a JSON Schema."""

    @staticmethod
    def model(server: Server) -> Model:
        endpoint = Endpoint("ollama:x", "x", f"{server.url}/v1", timeout=10, retries=1)
        return OpenAIProtocolModel(endpoint)

    @staticmethod
    def says(text: str) -> Answer:
        return Schema._reply(say(text))

    @staticmethod
    def calls(tool: str, **arguments: Any) -> Answer:
        return Schema._reply(use(tool, **arguments))

    @staticmethod
    def gives(answer: dict[str, Any]) -> Answer:
        return Schema._reply(say(answer))

    @staticmethod
    def _reply(data: dict[str, Any]) -> Answer:
        choice = {"message": {"content": json.dumps(data)}, "finish_reason": "stop"}
        return Answer({"choices": [choice], "usage": {"prompt_tokens": 600, "completion_tokens": 100}})


Api = type[Anthropic] | type[Schema]
both = pytest.mark.parametrize("api", [Anthropic, Schema])


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(seconds: float) -> None:
        return None

    monkeypatch.setattr(retry, "sleep", at_once)


@both
async def test_both_ways_of_tool_calling_give_the_same(api: Api, shop: Shop) -> None:
    with serving([api.calls("price", product="lamp"), api.says("40 EUR")]) as server:
        result = await shop.run(shop.agent(api.model(server), price), "What does a lamp cost?")
    assert (result.text, result.stopped, result.usage.calls, result.usage.input_tokens) == ("40 EUR", "", 2, 1200)
    assert [(s.tool, s.arguments, s.observation) for s in result.steps] == [
        ("price", {"product": "lamp"}, '{"result":40.0}')
    ]
    assert [event.name for event in shop.events if event.name.startswith("agent.")] == [
        "agent.called",
        "agent.observed",
    ]
    assert '{\\"result\\":40.0}' in server.calls[1].body.decode()


async def test_the_provider_gets_the_result_by_the_id_of_its_call(shop: Shop) -> None:
    with serving([Anthropic.calls("price", product="lamp"), Anthropic.says("40 EUR")]) as server:
        await shop.run(shop.agent(Anthropic.model(server), price), "What does a lamp cost?")
    assert [tool["name"] for tool in server.calls[0].json["tools"]] == ["price"]
    result = server.calls[1].json["messages"][-1]["content"][0]
    assert (result["type"], result["tool_use_id"]) == ("tool_result", "t1")


class Mood(BaseModel):
    mood: str


@both
async def test_both_give_an_answer_its_type(api: Api, shop: Shop) -> None:
    with serving([api.calls("price", product="lamp"), api.gives({"mood": "glad"})]) as server:
        result = await shop.run(shop.agent(api.model(server), price, output=Mood), "How do I feel?")
    assert result.output == Mood(mood="glad")


async def test_an_answer_without_its_type_is_an_error(shop: Shop) -> None:
    with serving([Anthropic.says("I feel glad.")]) as server, pytest.raises(ModelOutputError, match="does not fit"):
        await shop.run(shop.agent(Anthropic.model(server), output=Mood), "How do I feel?")


@both
async def test_hooks_change_all_that_either_is_told(api: Api, shop: Shop) -> None:
    hide = {"use": "transformer", "at": "before:model", "pattern": "40.0", "replacement": "***"}
    with serving([api.calls("price", product="lamp"), api.says("I may not tell.")]) as server:
        await shop.run(shop.agent(api.model(server), price, hooks=[hide]), "What does a lamp cost?")
    told = server.calls[1].body.decode()
    assert "***" in told and "40.0" not in told


async def test_what_the_program_has_called_first_has_an_id_as_well(shop: Shop) -> None:
    with serving([Anthropic.says("40 EUR")]) as server:
        await shop.run(shop.agent(Anthropic.model(server), price, begin_with="price"), "lamp")
    called, told = server.calls[0].json["messages"][1:]
    assert called["content"][0]["id"] == told["content"][0]["tool_use_id"] != ""


async def test_a_grounded_agent_of_a_provider_is_sent_to_its_tools(shop: Shop) -> None:
    answers = [Anthropic.says("99 EUR"), Anthropic.calls("price", product="lamp"), Anthropic.says("40 EUR")]
    with serving(answers) as server:
        result = await shop.run(shop.agent(Anthropic.model(server), price, grounded=True), "What does a lamp cost?")
    assert (result.text, result.stopped, len(result.steps)) == ("40 EUR", "", 1)
    assert "Use a tool first." in server.calls[1].body.decode()


@both
async def test_both_have_to_answer_in_the_last_step(api: Api, shop: Shop) -> None:
    with serving([api.calls("price", product="lamp"), api.says("40 EUR")]) as server:
        result = await shop.run(shop.agent(api.model(server), price, limits={"steps": 2}), "What does a lamp cost?")
    assert (result.text, result.stopped) == ("40 EUR", "steps")
    assert not server.calls[1].json.get("tools")


@both
async def test_a_passing_fault_of_the_provider_passes(api: Api, shop: Shop) -> None:
    busy = Answer({"error": {"message": "busy"}}, 500)
    with serving([busy, api.calls("price", product="lamp"), busy, api.says("40 EUR")]) as server:
        assert (await shop.run(shop.agent(api.model(server), price), "How much?")).text == "40 EUR"
    assert len(server.calls) == 4


@both
async def test_a_provider_that_stays_busy_ends_the_run_with_its_error(api: Api, shop: Shop) -> None:
    busy = Answer({"error": {"message": "slow down"}}, 429, {"retry-after": "1"})
    with serving([api.calls("price", product="lamp"), busy]) as server, pytest.raises(ModelRateLimitError):
        await shop.run(shop.agent(api.model(server), price), "How much?")


@both
@pytest.mark.parametrize("broken", [Answer("<html>hello</html>"), Answer('{"choi', cut=True)], ids=["garbage", "half"])
async def test_garbage_and_half_a_reply_are_errors_and_no_answers(api: Api, shop: Shop, broken: Answer) -> None:
    with serving([broken]) as server, pytest.raises(ModelError):
        await shop.run(shop.agent(api.model(server), price), "How much?")
