"""What agents keep: conversations, their minutes, and facts, in a file that outlives them."""

from __future__ import annotations

import pytest

from querist.agents.conversation import AgentState
from querist.errors import DataError, ModelTimeoutError, PermissionDeniedError, QueristError, UsageError
from querist.state.agent_memory import AgentMemory
from tests.agents.shop import Shop, price, say, use
from tests.scripted_model import ScriptedModel

pytestmark = pytest.mark.anyio


async def test_a_session_goes_on_in_another_process(shop: Shop) -> None:
    await shop.run(shop.agent(["Hello Ada"]), "I am Ada", session="ada")
    model = ScriptedModel(["Ada"])
    later = Shop(AgentMemory(shop.memory.path)).agent(model)
    await shop.run(later, "Who am I?", session="ada")
    assert [m.content for m in model.requests[0].messages[1:]] == ["I am Ada", "Hello Ada", "Who am I?"]


async def test_without_a_session_nothing_is_kept(shop: Shop) -> None:
    await shop.run(shop.agent(["Hello"]), "I am Ada")
    assert not shop.memory.path.exists()


async def test_what_is_older_is_summarised_when_a_conversation_grows_too_long(shop: Shop) -> None:
    model, minutes = ScriptedModel(["long " * 100, "Yes."]), ScriptedModel(["The user is Ada."])
    agent = shop.agent(model, summariser=minutes, memory={"tokens": 100})
    await shop.run(agent, "I am Ada", session="ada")
    result = await shop.run(agent, "Still there?", session="ada")
    assert "I am Ada" in minutes.requests[0].messages[-1].content
    assert [m.content for m in model.requests[1].messages[1:]] == [
        "What we said before, in short: The user is Ada.",
        "Still there?",
    ]
    assert result.usage.calls == 2


@pytest.mark.parametrize("failure", [ModelTimeoutError("too slow"), PermissionDeniedError("too slow")])
async def test_what_cannot_be_summarised_is_dropped_and_that_is_told(shop: Shop, failure: QueristError) -> None:
    model, broken = ScriptedModel(["long " * 100, "Yes."]), ScriptedModel([failure])
    agent = shop.agent(model, summariser=broken, memory={"tokens": 100})
    await shop.run(agent, "I am Ada", session="ada")
    result = await shop.run(agent, "Still there?", session="ada")
    assert result.notes == ("The oldest 2 messages were forgotten: too slow",)


async def test_an_agent_remembers_recalls_and_forgets(shop: Shop) -> None:
    script = [use("remember", key="birthday", fact="Ada was born in May"), say("Noted.")]
    await shop.run(shop.agent(script, memory={"facts": True}), "I was born in May")
    model = ScriptedModel(
        [use("recall", about="birthday"), use("forget", key="birthday"), use("forget", key="cake"), say("Done.")]
    )
    result = await shop.run(shop.agent(model, memory={"facts": True}), "Forget my birthday")
    assert model.requests[0].messages[-1].content == (
        "What you remember of this:\n- birthday: Ada was born in May\n\nForget my birthday"
    )
    assert [step.observation for step in result.steps] == [
        '{"result":{"birthday":"Ada was born in May"}}',
        "Forgot birthday.",
        "There is nothing under cake.",
    ]
    assert shop.memory.facts("clerk") == {}


async def test_facts_are_each_agents_own(shop: Shop) -> None:
    shop.memory.remember("clerk", "colour", "The sign is red")
    assert shop.memory.recall("clerk", "What colour is the sign?") == {"colour": "The sign is red"}
    assert shop.memory.recall("other", "What colour is the sign?") == {}


async def test_a_state_can_be_saved_and_restored_elsewhere(
    shop: Shop, tmp_path_factory: pytest.TempPathFactory
) -> None:
    agent = shop.agent(["Hello Ada"], memory={"facts": True})
    agent.tools.clear()
    await shop.run(agent, "I am Ada", session="ada")
    shop.memory.remember("clerk", "town", "Ada lives in Turin")
    saved = agent.state("ada").model_dump_json()
    other = Shop(AgentMemory(tmp_path_factory.mktemp("other") / "agents.sqlite")).agent([])
    other.restore(AgentState.model_validate_json(saved))
    assert other.state("ada") == agent.state("ada")


async def test_the_state_of_another_agent_is_refused(shop: Shop) -> None:
    with pytest.raises(UsageError, match="'someone', and not of 'clerk'"):
        shop.agent([]).restore(AgentState(agent="someone", session="x"))


async def test_a_memory_file_that_is_no_database_is_told_and_left_alone(shop: Shop) -> None:
    shop.memory.path.write_bytes(b"not a database" * 100)
    with pytest.raises(DataError, match="cannot be used") as caught:
        await shop.run(shop.agent([]), "Hello", session="ada")
    assert "Move the file away" in caught.value.hint
    assert shop.memory.path.read_bytes().startswith(b"not a database")


async def test_a_conversation_that_cannot_be_read_is_told(shop: Shop) -> None:
    shop.memory.keep_conversation("clerk", "ada", '{"turns": "half a rec')
    with pytest.raises(DataError, match="conversation 'ada'"):
        await shop.run(shop.agent([]), "Hello", session="ada")


async def test_an_agent_without_memory_never_touches_the_file(shop: Shop) -> None:
    shop.memory.path.write_bytes(b"not a database")
    result = await shop.run(shop.agent([use("price", product="lamp"), say("40")], price), "How much?")
    assert result.text == "40"
