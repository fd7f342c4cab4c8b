from __future__ import annotations

import pytest

from querist.core.context import Priority, RunContext, current_run
from querist.core.permissions import Budget, Grant, Need, Principal
from querist.core.runner import Runner
from querist.errors import BudgetSpentError
from tests.core.doing import Does, Text

pytestmark = pytest.mark.anyio


async def test_a_run_inside_has_the_priority_and_the_principal_of_the_one_around_it() -> None:
    runner, seen = Runner(), list[RunContext]()

    async def outer(input: Text, context: RunContext) -> Text:
        return await runner.run(Does(inner), input, context)

    async def inner(input: Text, context: RunContext) -> Text:
        seen.append(context)
        assert current_run.get() is context
        return input

    ann = Principal("ann")
    await runner.run(Does(outer), {"text": "x"}, RunContext(priority=Priority.LOW, principal=ann))
    assert (seen[0].priority, seen[0].principal) == (Priority.LOW, ann)
    assert current_run.get() is None


async def test_limits_reach_code_that_is_given_no_context() -> None:
    async def looks(input: Text, context: RunContext) -> Text:
        run = current_run.get()
        assert run is context
        assert run.meters
        return input

    await Runner().run(Does(looks, rate={"tokens_per_minute": 10}), {"text": "x"})


async def test_grants_get_narrower_on_the_way_down_and_never_wider() -> None:
    context = RunContext(principal=Principal(grants=(Grant.parse("file_read:/data"), Grant.parse("network:*.org"))))
    inside = context.narrowed(["file_read:/", "network:api.*", "process:*"]).principal
    assert inside.grant_for(Need("file_read", "/data/a.csv"))
    assert not inside.grant_for(Need("file_read", "/etc/passwd"))
    assert inside.grant_for(Need("network", "api.org"))
    assert not inside.grant_for(Need("network", "api.net"))
    assert not inside.grant_for(Need("network", "www.org"))
    assert not inside.grant_for(Need("process", "ls"))
    assert [grant.kind for grant in inside.grants] == ["file_read", "network"], "what it never had is not listed"


async def test_tokens_are_drawn_from_one_budget_and_no_model_is_asked_when_it_is_spent() -> None:
    runner, budget = Runner(), Budget(100)

    async def asks(input: Text, context: RunContext) -> Text:
        context.spend(60)
        return input

    context = RunContext(principal=Principal("ann", budget=budget))
    model = Does(asks, name="model", kind="model")
    await runner.run(model, {"text": "x"}, context)
    await runner.run(model, {"text": "x"}, context.narrowed([]))
    assert (budget.spent, budget.left) == (120, 0)
    with pytest.raises(BudgetSpentError, match="'ann' has used 120 of 100 tokens"):
        await runner.run(model, {"text": "x"}, context)
    assert await runner.run(Does(), {"text": "x"}, context) == Text(text="X"), "what asks no model goes on"
