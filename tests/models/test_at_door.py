from __future__ import annotations

import pytest

from querist.core.builtin_hooks import replace_text, transformer
from querist.core.context import RunContext
from querist.core.permissions import Budget, Principal
from querist.core.runner import Runner
from querist.errors import BudgetSpentError
from querist.models.at_door import ModelAtDoor
from querist.models.base import Message, Request
from querist.settings.policy import CacheSettings, Policy
from tests.core.doing import Does, Ear, Text
from tests.scripted_model import ScriptedModel

pytestmark = pytest.mark.anyio


async def test_hooks_change_what_a_model_is_asked_and_what_it_says() -> None:
    runner, scripted = Runner(), ScriptedModel(["The PIN is 5678."])
    runner.hooks.add(transformer(replace_text(r"\d{4}", "****")), "before:model", "after:model")
    reply = await ModelAtDoor(scripted, runner).complete(Request([Message("user", "Is 1234 the PIN?")]))
    assert scripted.requests[0].messages == [Message("user", "Is **** the PIN?")]
    assert reply.text == "The PIN is ****."


async def test_a_call_belongs_to_the_run_around_it_and_draws_from_its_budget() -> None:
    runner, budget = Runner(), Budget(3)
    ear = Ear(principal=Principal(budget=budget))
    model = ModelAtDoor(ScriptedModel(["four words and more", "never"]), runner)

    async def asks(input: Text, context: RunContext) -> Text:
        return Text(text=(await model.complete(Request([Message("user", input.text)]))).text)

    await runner.run(Does(asks), {"text": "Why?"}, ear.context)
    assert [event.source for event in ear.heard] == ["does", "model", "model", "does"]
    assert ear.heard[1].parent_id == ear.heard[0].run_id
    assert budget.spent == 5
    with pytest.raises(BudgetSpentError):
        await runner.run(Does(asks), {"text": "Why?"}, ear.context)


async def test_what_one_model_said_is_not_taken_for_what_another_says() -> None:
    runner, question = Runner(policies={"model": Policy(cache=CacheSettings())}), Request([Message("user", "Who?")])
    for name in ("ann", "bob", "ann"):
        reply = await ModelAtDoor(ScriptedModel([name], name=name), runner).complete(question)
        assert reply.text == name


async def test_tokens_appear_as_they_come() -> None:
    pieces: list[str] = []
    model = ModelAtDoor(ScriptedModel(["Yes."]), Runner())
    await model.complete(Request([Message("user", "?")]), pieces.append)
    assert "".join(pieces) == "Yes."
