"""Several agents work on one task."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from querist.agents.agent import Agent
from querist.agents.definition import AgentDefinition
from querist.agents.team import Team
from querist.answer.answer import Answer
from querist.core.component import Component, component
from querist.errors import ComponentFailedError, ModelTimeoutError, UsageError
from tests.agents.shop import Shop, price, say, times, use
from tests.scripted_model import ScriptedModel

pytestmark = pytest.mark.anyio

BROKEN = ModelTimeoutError("no answer")


def team(shop: Shop, strategy: str, *members: Component[Any, Any], **options: Any) -> Team:
    made = {name: options.pop(name) for name in ("lead", "backup") if name in options}
    names = [member.name for member in members]
    backup = made["backup"].name if "backup" in made else None
    whole = {"strategy": strategy, "members": names, "backup": backup, **options}
    definition = AgentDefinition.model_validate({"name": "team", "description": "A team.", "team": whole})
    return Team(definition, members, shop.runner, **made)


def saying(shop: Shop, name: str, *script: Any) -> Agent:
    return shop.agent(list(script), name=name)


async def test_sequential_passes_each_result_on(shop: Shop) -> None:
    second = ScriptedModel(["Ciao"])
    result = await shop.run(
        team(shop, "sequential", saying(shop, "writer", "Hello"), shop.agent(second, name="translator")), "Greet"
    )
    assert (result.agent, result.text) == ("team", "Ciao")
    assert second.requests[0].messages[-1].content == "Greet\n\nWhat writer found:\nHello"
    assert [step.tool for step in result.steps] == ["writer", "translator"]
    assert result.usage.calls == 2


async def test_a_long_result_is_passed_on_in_part_and_answered_as_a_whole(shop: Shop) -> None:
    second = ScriptedModel(["y" * 200_000])
    members = saying(shop, "writer", "x" * 200_000), shop.agent(second, name="editor")
    result = await shop.run(team(shop, "sequential", *members), "Write")
    assert len(second.requests[0].messages[-1].content) < 3000
    assert len(result.text) == 200_000


async def test_parallel_asks_all_at_once(shop: Shop) -> None:
    together = asyncio.Barrier(2)

    @component
    async def left(text: str) -> str:
        """Left."""
        await together.wait()
        return "L"

    @component
    async def right(text: str) -> str:
        """Right."""
        await together.wait()
        return "R"

    assert (await shop.run(team(shop, "parallel", left, right), "Go")).text == "## left\nL\n\n## right\nR"


async def test_parallel_is_merged_by_a_lead(shop: Shop) -> None:
    lead = ScriptedModel(["Both."])
    members = saying(shop, "a", "one"), saying(shop, "b", "two")
    result = await shop.run(team(shop, "parallel", *members, lead=shop.agent(lead, name="lead")), "Go")
    assert result.text == "Both."
    assert "a:\none\n\nb:\ntwo" in lead.requests[0].messages[-1].content


@pytest.mark.parametrize(
    ("merged", "text", "stopped"),
    [
        (["Two lamps at 40 EUR."], "Two lamps at 40 EUR.", ""),
        (["Lamps at 50 EUR.", say("50 EUR!")], "## a\n40.40 EUR\n\n## b\nTwo lamps", "ungrounded"),
    ],
)
async def test_a_grounded_lead_merges_only_numbers_that_members_said(
    shop: Shop, merged: list[Any], text: str, stopped: str
) -> None:
    lead = shop.agent(merged, name="lead", grounded=True)
    both = team(shop, "parallel", saying(shop, "a", "40.40 EUR"), saying(shop, "b", "Two lamps"), lead=lead)
    result = await shop.run(both, "What is in stock?")
    assert (result.text, result.stopped) == (text, stopped)


async def test_hierarchical_lets_the_lead_decide_whom_to_ask(shop: Shop) -> None:
    prices = shop.agent([use("price", product="desk"), say("240 EUR")], price, name="prices")
    sums = shop.agent([use("times", a=240, b=2), say("480 EUR")], times, name="sums")
    script = [use("prices", message="Price of a desk?"), use("sums", message="Two at 240?"), say("Two cost 480 EUR.")]
    lead = shop.agent(script, prices, sums, name="team")
    result = await shop.run(team(shop, "hierarchical", prices, sums, lead=lead), "What do two desks cost?")
    assert result.text == "Two cost 480 EUR."
    assert [(s.agent, s.tool) for s in result.steps] == [
        ("prices", "price"),
        ("team", "prices"),
        ("sums", "times"),
        ("team", "sums"),
    ]


async def test_hierarchical_goes_on_when_a_specialist_fails(shop: Shop) -> None:
    broken, sound = saying(shop, "broken", BROKEN), saying(shop, "sound", "42")
    lead = shop.agent([use("broken", message="?"), use("sound", message="?"), say("42")], broken, sound, name="team")
    result = await shop.run(team(shop, "hierarchical", broken, sound, lead=lead), "Go")
    assert (result.text, [s.error for s in result.steps]) == ("42", ["model.timeout", ""])


async def test_a_member_that_fails_is_left_out_and_that_is_told(shop: Shop) -> None:
    result = await shop.run(team(shop, "parallel", saying(shop, "a", BROKEN), saying(shop, "b", "two")), "Go")
    assert (result.text, result.notes) == ("## b\ntwo", ("a failed (model.timeout): no answer",))


async def test_what_a_member_warns_of_is_told(shop: Shop) -> None:
    @component
    async def ask(text: str) -> Answer:
        """Ask the data."""
        return Answer(question=text, status="unverified", text="40")

    assert (await shop.run(team(shop, "sequential", ask), "Go")).notes == ("ask: This is unverified.",)


async def test_a_backup_does_what_a_member_failed_to_do(shop: Shop) -> None:
    members = saying(shop, "a", BROKEN), saying(shop, "b", "two")
    result = await shop.run(team(shop, "sequential", *members, backup=saying(shop, "spare", "one")), "Go")
    assert [(step.tool, step.error) for step in result.steps] == [("a", "model.timeout"), ("spare", ""), ("b", "")]


async def test_what_was_found_is_not_lost_where_the_lead_fails(shop: Shop) -> None:
    members = saying(shop, "a", "one"), saying(shop, "b", "two")
    result = await shop.run(team(shop, "parallel", *members, lead=saying(shop, "lead", BROKEN)), "Go")
    assert (result.text, result.notes) == ("## a\none\n\n## b\ntwo", ("lead failed (model.timeout): no answer",))


async def test_a_lead_that_decides_whom_to_ask_needs_no_backup(shop: Shop) -> None:
    member = saying(shop, "a", "one")
    lead = shop.agent([], member, name="team")
    with pytest.raises(UsageError, match="the lead who deals with members that fail"):
        team(shop, "hierarchical", member, lead=lead, backup=saying(shop, "b", "two"))


async def test_the_team_stops_at_the_first_failure_where_it_is_told_to(shop: Shop) -> None:
    members = saying(shop, "a", BROKEN), saying(shop, "b", "two")
    with pytest.raises(ModelTimeoutError):
        await shop.run(team(shop, "sequential", *members, on_failure="stop"), "Go")


async def test_no_member_at_all_is_an_error(shop: Shop) -> None:
    members = saying(shop, "a", BROKEN), saying(shop, "b", BROKEN)
    with pytest.raises(ComponentFailedError, match="No member of 'team'"):
        await shop.run(team(shop, "parallel", *members), "Go")


def vote(number: int) -> dict[str, Any]:
    return {"think": "I know.", "answer": {"choice": number}}


async def test_consensus_takes_what_most_vote_for_whatever_the_order_they_saw(shop: Shop) -> None:
    # The proposals are red, blue, green; the second member sees them from blue on, the third from green on.
    members = (
        saying(shop, "a", "red", vote(2)),
        saying(shop, "b", "blue", vote(1)),
        saying(shop, "c", "green", vote(1)),
    )
    result = await shop.run(team(shop, "consensus", *members), "Which colour?")
    assert (result.text, result.stopped) == ("blue", "")
    assert result.notes == ("2 of 3 votes were for one of 3 proposals.",)


async def test_consensus_needs_no_vote_where_all_say_the_same(shop: Shop) -> None:
    result = await shop.run(team(shop, "consensus", saying(shop, "a", "Red"), saying(shop, "b", "red ")), "Colour?")
    assert (result.text.strip(), result.usage.calls) == ("red", 2)


async def test_votes_below_the_threshold_decide_nothing(shop: Shop) -> None:
    members = saying(shop, "a", "red", vote(1)), saying(shop, "b", "blue", vote(1)), saying(shop, "c", "red", vote(1))
    result = await shop.run(team(shop, "consensus", *members, threshold=0.9), "Which colour?")
    assert (result.text, result.stopped) == ("red", "no_consensus")


async def test_a_lead_decides_where_votes_do_not(shop: Shop) -> None:
    members = saying(shop, "a", "red", vote(1)), saying(shop, "b", "blue", vote(1))
    lead = saying(shop, "lead", vote(2))
    result = await shop.run(team(shop, "consensus", *members, lead=lead), "Which colour?")
    assert (result.text, result.stopped) == ("blue", "")
    assert result.notes[-1] == "The votes did not decide; lead did."


async def test_where_the_lead_fails_to_decide_the_proposal_with_most_votes_stands(shop: Shop) -> None:
    members = saying(shop, "a", "red", vote(1)), saying(shop, "b", "blue", vote(1))
    lead = saying(shop, "lead", BROKEN)
    result = await shop.run(team(shop, "consensus", *members, lead=lead), "Which colour?")
    assert (result.text, result.stopped) == ("red", "no_consensus")
    assert result.notes[-1] == "lead failed (model.timeout): no answer"


async def test_a_member_must_take_one_text(shop: Shop) -> None:
    with pytest.raises(UsageError, match="'times' cannot be in a team: it needs a, b"):
        team(shop, "parallel", times)


async def test_only_agents_can_vote(shop: Shop) -> None:
    with pytest.raises(UsageError, match="price in the team 'team' cannot vote"):
        team(shop, "consensus", price)


async def test_a_team_is_a_tool_that_takes_a_message(shop: Shop) -> None:
    twins = team(shop, "parallel", saying(shop, "a", "one"), saying(shop, "b", "two"))
    assert list(twins.to_tool().input_schema["properties"]) == ["message"]
    boss = shop.agent([use("team", message="Go"), say("Both.")], twins, name="boss")
    result = await shop.run(boss, "Let them go")
    assert [(step.agent, step.tool) for step in result.steps] == [("team", "a"), ("team", "b"), ("boss", "team")]
