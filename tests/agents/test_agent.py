"""The loop of an agent: it uses tools until it can answer, within its bounds."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from pydantic import BaseModel, Field

from querist.agents.agent import Agent
from querist.agents.definition import AgentDefinition
from querist.agents.task import AgentResult
from querist.core.component import Component, component
from querist.core.context import RunContext
from querist.core.hooks import Moving
from querist.core.permissions import Grant, Kind, Need, Principal
from querist.errors import (
    AgentLimitError,
    ComponentTimeoutError,
    MissingExtraError,
    ModelOutputError,
    ModelRateLimitError,
    PermissionDeniedError,
    UsageError,
)
from querist.models.at_door import ModelAtDoor
from querist.models.base import Message, OnToken, Reply, Request, Usage, UsageMeter
from tests.agents.shop import Shop, price, say, times, use
from tests.scripted_model import Answer, ScriptedModel

pytestmark = pytest.mark.anyio


async def test_an_agent_uses_one_tool_after_another_and_answers(shop: Shop) -> None:
    model = ScriptedModel([use("price", product="lamp"), use("times", a=40, b=3), say("120 EUR")])
    result = await shop.run(shop.agent(model, price, times), "What do three lamps cost?")
    assert (result.agent, result.text, result.stopped) == ("clerk", "120 EUR", "")
    assert [(step.tool, step.observation) for step in result.steps] == [
        ("price", '{"result":40.0}'),
        ("times", '{"result":120.0}'),
    ]
    assert result.usage.calls == 3
    assert "price(product='lamp'): {\"result\":40.0}" in model.requests[-1].messages[-1].content


async def test_all_that_it_calls_goes_through_the_door(shop: Shop) -> None:
    await shop.run(shop.agent([use("price", product="lamp"), say("40")], price), "How much?")
    started = [event.source for event in shop.events if event.name == "run.started"]
    assert started == ["clerk", "model", "price", "model"]
    assert [event.name for event in shop.events if event.name.startswith("agent.")] == [
        "agent.called",
        "agent.observed",
    ]


async def test_what_it_has_to_begin_with_is_called_before_the_model_thinks(shop: Shop) -> None:
    model = ScriptedModel([say("40 EUR")])
    clerk = shop.agent(model, price, times, begin_with="price")
    result = await shop.run(clerk, "lamp")
    assert [(step.tool, step.arguments) for step in result.steps] == [("price", {"product": "lamp"})]
    assert "price(product='lamp'): {\"result\":40.0}" in model.requests[0].messages[-1].content


async def test_without_tools_it_is_asked_for_plain_text(shop: Shop) -> None:
    model = ScriptedModel(["Good morning."])
    assert (await shop.run(shop.agent(model), "Hello")).text == "Good morning."
    assert model.requests[0].schema is None


async def test_the_model_can_only_choose_what_is_there(shop: Shop) -> None:
    model = ScriptedModel([say("x")])
    await shop.run(shop.agent(model, price, times), "Hello")
    schema = model.requests[0].schema
    assert schema is not None
    tools = [option["properties"].get("tool", {}).get("const") for option in schema["anyOf"]]
    assert tools == ["price", "times", None]
    assert "price(product: string): Price of a product in EUR" in model.requests[0].messages[0].content


async def test_the_error_of_a_tool_is_told_to_the_model(shop: Shop) -> None:
    model = ScriptedModel([use("price", product="boat"), use("price", product="lamp"), say("40")])
    result = await shop.run(shop.agent(model, price), "How much?")
    assert [step.error for step in result.steps] == ["run.failed", ""]
    assert "KeyError: 'boat'" in model.requests[1].messages[-1].content


async def test_what_does_not_fit_a_tools_input_is_told_to_the_model(shop: Shop) -> None:
    @component
    async def even(number: int) -> bool:
        """Whether a number is even."""
        return number % 2 == 0

    model = ScriptedModel(lambda request: _without_schema(request, [use("even", number=2), say("yes")]))
    assert (await shop.run(shop.agent(model, even), "Is 2 even?")).text == "yes"


def _without_schema(request: Request, answers: list[dict[str, Any]]) -> dict[str, Any]:
    return answers[1] if "Results so far" in request.messages[-1].content else answers[0]


async def test_a_long_result_is_cut_for_the_model_and_says_so(shop: Shop) -> None:
    @component
    async def book() -> str:
        """A long text."""
        return "x" * 10_000

    model = ScriptedModel([use("book"), say("done")])
    result = await shop.run(shop.agent(model, book, limits={"observation": 100}), "Read")
    assert result.steps[0].observation == "x" * 100 + "… (9,900 more characters were cut)"


async def test_a_call_is_not_made_twice_and_then_it_has_to_answer(shop: Shop) -> None:
    calls = []

    @component
    async def look() -> str:
        """Look."""
        calls.append(1)
        return "nothing new"

    model = ScriptedModel([use("look"), use("look"), say("Nothing new.")])
    result = await shop.run(shop.agent(model, look), "Look")
    assert (len(calls), result.text, result.stopped) == (1, "Nothing new.", "repeats")
    assert model.requests[-1].schema is not None
    assert "tool" not in model.requests[-1].schema["properties"]


async def test_a_call_that_failed_may_be_repeated_once_before_it_has_to_answer(shop: Shop) -> None:
    again = [use("price", product="boat")] * 3
    model = ScriptedModel([*again, say("I do not know.")])
    result = await shop.run(shop.agent(model, price), "How much is a boat?")
    assert (result.stopped, len(result.steps)) == ("repeats", 1)
    assert "It fails again in the same way." in model.requests[2].messages[-1].content


async def test_in_the_last_step_it_has_to_answer(shop: Shop) -> None:
    model = ScriptedModel([use("times", a=1, b=1), use("times", a=1, b=2), say("2")])
    result = await shop.run(shop.agent(model, times, limits={"steps": 3}), "Count")
    assert (result.text, result.stopped) == ("2", "steps")


async def test_no_call_is_begun_beyond_the_limit_of_tokens(shop: Shop) -> None:
    agent = shop.agent([use("price", product="lamp")], price, limits={"tokens": 20})
    with pytest.raises(AgentLimitError, match="of 20 tokens"):
        await shop.run(agent, "How much?")


async def test_a_tool_that_hangs_ends_with_the_agents_time(shop: Shop) -> None:
    @component
    async def sleep() -> str:
        """Sleep."""
        await asyncio.sleep(60)
        return ""

    with pytest.raises(ComponentTimeoutError):
        await shop.run(shop.agent([use("sleep")], sleep, limits={"seconds": 0.05}), "Sleep")


async def test_a_tool_that_hangs_beyond_its_own_limit_is_an_error_that_the_model_can_deal_with(shop: Shop) -> None:
    @component(timeout=0.02)
    async def sleep() -> str:
        """Sleep."""
        await asyncio.sleep(60)
        return ""

    result = await shop.run(shop.agent([use("sleep"), say("It hangs.")], sleep), "Sleep")
    assert (result.text, result.steps[0].error) == ("It hangs.", "run.timeout")


async def test_the_error_of_the_model_ends_the_run(shop: Shop) -> None:
    with pytest.raises(ModelRateLimitError, match="slow down"):
        await shop.run(shop.agent([ModelRateLimitError("slow down")], price), "How much?")


async def test_to_think_takes_a_permission(shop: Shop) -> None:
    agent = shop.agent(["Hello"])
    with pytest.raises(PermissionDeniedError, match="model:"):
        await shop.runner.run(agent, {"message": "Hello"}, shop.context(Principal("nobody")))


class _Text(BaseModel):
    text: str


class _Needy(Component[_Text, _Text]):
    """A tool that needs a permission for the text that it is given."""

    description = "Do something."

    def __init__(self, name: str, kind: Kind) -> None:
        self.name, self.permissions = name, (kind,)

    def needs(self, input: _Text) -> tuple[Need, ...]:
        return (Need(self.permissions[0], input.text),)

    async def run(self, input: _Text, context: RunContext) -> _Text:
        return _Text(text="secret")


async def test_a_tool_of_the_web_that_nobody_granted_is_left_out_and_that_is_told(shop: Shop) -> None:
    model = ScriptedModel([say("I cannot look.")])
    result = await shop.run(shop.agent(model, _Needy("browser", "network"), price), "Look up example.org")
    assert result.notes == ("The tool browser was left out: 'tester' has no grant for network.",)
    assert "browser" not in model.requests[0].messages[0].content


async def test_a_grounded_agent_whose_tools_are_all_left_out_makes_nothing_up(shop: Shop) -> None:
    script: list[Answer] = ["It is cheap.", say("Cheap!")]
    not_granted = shop.agent(script, _Needy("browser", "network"), grounded=True)
    not_installed = shop.agent(script, tools=["browser"], grounded=True)
    for agent in (not_granted, not_installed):
        result = await shop.run(agent, "What does a boat cost?")
        assert (result.text, result.stopped) == ("No tool found anything to answer with.", "ungrounded")


async def test_a_tool_is_held_to_its_grant_and_all_are_told(shop: Shop) -> None:
    reader = Principal("reader", (Grant("model", "*"), Grant("file_read", "/srv/docs")))
    agent = shop.agent([use("reader", text="/etc/passwd"), say("I may not.")], _Needy("reader", "file_read"))
    result = await shop.runner.run(agent, {"message": "Read"}, shop.context(reader))
    assert result.steps[0].error == "run.permission"
    assert "secret" not in result.steps[0].observation
    assert result.notes[0].startswith("'reader' needs the permission 'file_read:/etc/passwd'")


class Mood(BaseModel):
    mood: str
    sure: float


async def test_an_answer_can_have_a_type(shop: Shop) -> None:
    model = ScriptedModel([use("price", product="lamp"), say({"mood": "glad", "sure": 0.9})])
    result = await shop.run(shop.agent(model, price, output=Mood), "How do I feel?")
    assert result.output == Mood(mood="glad", sure=0.9)
    assert result.text == '{"mood": "glad", "sure": 0.9}'


async def test_an_answer_can_follow_a_json_schema(shop: Shop) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    result = await shop.run(shop.agent([say({"n": 3})], output=schema), "Count to three")
    assert result.output == {"n": 3}


async def test_an_answer_that_breaks_a_finer_rule_of_its_type_is_an_error(shop: Shop) -> None:
    class Sure(BaseModel):
        sure: float = Field(le=1)

    with pytest.raises(ModelOutputError, match="no Sure"):
        await shop.run(shop.agent([say({"sure": 7})], output=Sure), "How sure?")


async def test_a_reply_of_nothing_is_no_answer(shop: Shop) -> None:
    with pytest.raises(ModelOutputError, match="replied with nothing"):
        await shop.run(shop.agent([" "]), "Hello")


async def test_half_a_reply_is_no_answer(shop: Shop) -> None:
    class Cut(ScriptedModel):
        async def complete(self, request: Request, on_token: OnToken | None = None) -> Reply:
            return replace(await super().complete(request, on_token), finish="length")

    with pytest.raises(ModelOutputError, match="in the middle of its answer"):
        await shop.run(shop.agent(Cut(["Sales rose, but only"])), "How did sales go?")


async def test_a_tool_that_is_not_installed_is_told_to_all(shop: Shop) -> None:
    @component
    async def draw() -> str:
        """Draw."""
        raise MissingExtraError("vl_convert", "charts", "draw")

    result = await shop.run(shop.agent([use("draw"), say("I cannot draw.")], draw), "Draw")
    assert 'pip install "querist[charts]"' in result.notes[0]


async def test_variables_fill_in_the_instructions(shop: Shop) -> None:
    model = ScriptedModel(["Oui."])
    agent = shop.agent(model, instructions="Speak {{ language }}, {{ tone }}.", variables={"tone": "politely"})
    await shop.run(agent, "Yes?", variables={"language": "French"})
    assert model.requests[0].messages[0].content == "Speak French, politely."


async def test_a_variable_that_is_missing_is_named(shop: Shop) -> None:
    with pytest.raises(UsageError, match="'language' is undefined"):
        await shop.run(shop.agent([], instructions="Speak {{ language }}."), "Yes?")


@pytest.mark.parametrize(
    "text", ["{{ ''.__class__.__mro__ }}", "{% for a in range(9999) %}xxxxxxxxxx{% endfor %}", "{{"]
)
async def test_instructions_can_neither_reach_into_python_nor_grow_without_end(shop: Shop, text: str) -> None:
    with pytest.raises(UsageError, match="instructions of the agent 'clerk'"):
        await shop.run(shop.agent([], instructions=text), "Hello")


async def test_an_agent_is_a_tool_of_another(shop: Shop) -> None:
    helper = shop.agent(
        [use("price", product="lamp"), say("40 EUR")], price, name="pricer", description="Knows prices."
    )
    model = ScriptedModel([use("pricer", message="Price of a lamp?"), say("A lamp costs 40 EUR.")])
    result = await shop.run(shop.agent(model, helper), "What does a lamp cost?")
    assert result.text == "A lamp costs 40 EUR."
    assert [(step.agent, step.tool) for step in result.steps] == [("pricer", "price"), ("clerk", "pricer")]
    assert result.usage.calls == 4
    assert "pricer(message: string)" in model.requests[0].messages[0].content


async def test_an_agent_that_asks_itself_for_ever_is_stopped(shop: Shop) -> None:
    agent = shop.agent(lambda request: use("clerk", message="You do it"))
    agent.tools["clerk"] = agent
    with pytest.raises(AgentLimitError, match="clerk → clerk → clerk"):
        await _innermost(shop, agent)


async def _innermost(shop: Shop, agent: Agent) -> None:
    """The error reaches the agents further out as a result of their tool, so it is taken from the events."""
    try:
        await shop.run(agent, "Do it")
    finally:
        failed = [event for event in shop.events if getattr(event, "code", "") == "run.agent_limit"]
        if failed:
            raise AgentLimitError(failed[0].message)  # type: ignore[attr-defined]


async def test_hooks_of_an_agent_hold_for_it_and_for_what_it_calls_and_for_nothing_else(shop: Shop) -> None:
    hide = {"use": "transformer", "at": "after:tool", "pattern": "Ada", "replacement": "***"}

    @component(kind="tool")
    async def customer() -> str:
        """Who is it."""
        return "Ada"

    shy = shop.agent([use("customer"), say("Hidden.")], customer, hooks=[hide])
    open_ = shop.agent([use("customer"), say("Seen.")], customer, name="other")
    assert [(await shop.run(agent, "Who?")).steps[0].observation for agent in (shy, open_)] == ["***", "Ada"]


async def test_what_a_tool_spends_on_models_counts_as_the_agents_usage(shop: Shop) -> None:
    @component
    async def summary(context: RunContext) -> str:
        """Ask a model."""
        meter = context.get(UsageMeter)
        assert meter is not None
        meter.add(Usage(calls=1, input_tokens=1000))
        return "short"

    result = await shop.run(shop.agent([use("summary"), say("short")], summary), "Summarise")
    assert result.usage.calls == 3
    assert result.usage.input_tokens > 1000


async def test_two_tools_of_one_name_are_refused(shop: Shop) -> None:
    with pytest.raises(UsageError, match="two tools called 'price'"):
        shop.agent([], price, price)


async def test_an_agent_needs_a_description(shop: Shop) -> None:
    with pytest.raises(UsageError, match="no description"):
        Agent(AgentDefinition(name="x"), ScriptedModel([]), shop.runner)


async def test_a_result_is_its_text() -> None:
    assert str(AgentResult(agent="x", text="Hello")) == "Hello"


async def test_hooks_see_what_an_agent_asks_its_model_as_they_see_any_other_call(shop: Shop) -> None:
    seen: list[Any] = []

    async def look(moving: Moving) -> None:
        seen.append(moving.value)

    shop.runner.hooks.add(look, "before:model")
    await shop.run(shop.agent(["Hello"]), "Hello")
    await ModelAtDoor(ScriptedModel(["Yes."]), shop.runner).complete(Request([Message("user", "Really?")]))
    assert [type(value).__name__ for value in seen] == ["ModelRequest", "ModelRequest"]
    assert [value.request.messages[-1].content for value in seen] == ["Hello", "Really?"]
