"""One agent lets another take over, with as much of the state as it passes on."""

from __future__ import annotations

import pytest

from querist.agents.agent import Agent
from querist.agents.definition import HandoffOptions
from querist.agents.handoff import Handoff
from querist.errors import AgentLimitError
from tests.agents.shop import Shop, price, say, use
from tests.scripted_model import ScriptedModel

pytestmark = pytest.mark.anyio


def to(agent: Agent, **options: object) -> Handoff:
    return Handoff(HandoffOptions.model_validate({"to": agent.name, **options}), lambda: agent, agent.description)


async def test_the_other_agent_answers_and_nothing_of_the_work_is_lost(shop: Shop) -> None:
    billing = shop.agent(["You paid twice."], name="billing", description="Knows invoices.")
    script = [use("price", product="lamp"), use("hand_off_to_billing", message="Charged twice?")]
    result = await shop.run(shop.agent(script, price, handoffs=[to(billing)]), "I was charged twice")
    assert (result.agent, result.text, result.usage.calls) == ("billing", "You paid twice.", 3)
    assert [step.tool for step in result.steps] == ["price"]
    assert [event.to for event in shop.events if event.name == "agent.handed_off"] == ["billing"]  # type: ignore[attr-defined]


async def test_only_the_variables_that_are_named_are_passed_on(shop: Shop) -> None:
    model = ScriptedModel(["Yes."])
    billing = shop.agent(model, name="billing", instructions="Customer {{ number }}, {{ card | default('no card') }}.")
    clerk = shop.agent(
        [use("hand_off_to_billing", message="Help")], handoffs=[to(billing, variables=["number"], history=False)]
    )
    await shop.run(clerk, "Help me", variables={"number": 7, "card": "4111"})
    assert model.requests[0].messages[0].content == "Customer 7, no card."
    assert [message.content for message in model.requests[0].messages[1:]] == ["Help"]


async def test_the_conversation_is_passed_on_unless_it_is_kept_back(shop: Shop) -> None:
    model = ScriptedModel(["Yes."])
    clerk = shop.agent(
        [use("hand_off_to_billing", message="Take over")], handoffs=[to(shop.agent(model, name="billing"))]
    )
    history = [{"role": "user", "content": "My name is Ada"}, {"role": "assistant", "content": "Hello Ada"}]
    await shop.run(clerk, "I was charged twice", history=history)
    told = [message.content for message in model.requests[0].messages[1:]]
    assert told == ["My name is Ada", "Hello Ada", "I was charged twice", "Take over"]


async def test_what_was_found_goes_with_a_message_that_nobody_has_written(shop: Shop) -> None:
    model = ScriptedModel(["Yes."])
    script = [use("price"), use("hand_off_to_billing")]
    clerk = shop.agent(script, price, handoffs=[to(shop.agent(model, name="billing"))], verbatim=True)
    await shop.run(clerk, "lamp")
    told = [message.content for message in model.requests[0].messages[1:]]
    assert told == ['lamp\n\nFound so far:\nprice: {"result":40.0}']


async def test_agents_that_hand_over_in_a_circle_are_stopped(shop: Shop) -> None:
    pair: dict[str, Agent] = {}

    def passing(name: str, other: str) -> Agent:
        handoff = Handoff(HandoffOptions(to=other), lambda: pair[other])
        return shop.agent(lambda request: use(f"hand_off_to_{other}", message="You"), name=name, handoffs=[handoff])

    pair.update(left=passing("left", "right"), right=passing("right", "left"))
    with pytest.raises(AgentLimitError, match="left → right → left → right → left → right"):
        await shop.run(pair["left"], "Do it")


async def test_the_conversation_of_who_was_asked_goes_on(shop: Shop) -> None:
    billing = shop.agent(["You paid twice."], name="billing")
    clerk = shop.agent([use("hand_off_to_billing", message="Help"), say("Bye")], handoffs=[to(billing)])
    await shop.run(clerk, "I was charged twice", session="ada")
    assert [turn.content for turn in clerk.state("ada").conversation.turns] == [
        "I was charged twice",
        "You paid twice.",
    ]
