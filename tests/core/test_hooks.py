from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest
from pydantic import BaseModel

from querist.core.builtin_hooks import Metrics, find_text, logger, replace_text, transformer, validator
from querist.core.context import RunContext
from querist.core.hooks import HookFailed, Hooks, Moving
from querist.core.permissions import Need
from querist.core.runner import Runner
from querist.errors import HookFailedError, PermissionDeniedError, QueryError, UsageError, VetoError
from querist.models.base import Message, Request
from querist.settings import Settings
from tests.core.doing import Does, Ear, Text

pytestmark = pytest.mark.anyio


async def broken(moving: Moving) -> None:
    raise ZeroDivisionError("in the hook")


async def appends_a(moving: Moving) -> Text:
    return Text(text=moving.value.text + "a")


async def appends_b(moving: Moving) -> Text:
    return Text(text=moving.value.text + "b")


async def vetoes(moving: Moving) -> None:
    raise VetoError("Not on Sundays.")


async def fails(input: Text, context: RunContext) -> Text:
    raise QueryError("no such table")


class TestWhereHooksAreCalled:
    async def test_a_run_passes_the_points_of_its_kind_and_those_of_all_components(self) -> None:
        runner, points = Runner(), list[str]()

        async def note(moving: Moving) -> None:
            points.append(f"{moving.point} {moving.component}")

        for pattern in ("before:tool", "after:component", "error:*", "before:agent"):
            runner.hooks.add(note, pattern)
        await runner.run(Does(), {"text": "x"})
        with pytest.raises(QueryError):
            await runner.run(Does(fails), {"text": "x"})
        assert points == ["before:tool does", "after:tool does", "before:tool does", "error:tool does"]

    async def test_a_hook_for_several_patterns_is_called_once_at_a_point(self) -> None:
        runner = Runner()
        runner.hooks.add(appends_a, "before:tool", "before:*", "*:component", component="d*")
        does = Does()
        await runner.run(does, {"text": ""})
        assert does.given == ["a"]

    async def test_lower_priority_numbers_come_first_and_removed_hooks_not_at_all(self) -> None:
        runner, does = Runner(), Does()
        runner.hooks.add(appends_b, "before:tool", priority=900)
        remove = runner.hooks.add(appends_b, "before:tool")
        runner.hooks.add(appends_a, "before:tool", priority=100)
        await runner.run(does, {"text": ""})
        remove()
        await runner.run(does, {"text": ""})
        assert does.given == ["abb", "ab"]

    async def test_names_and_conditions_choose_among_runs(self) -> None:
        runner, does = Runner(), Does()
        runner.hooks.add(appends_a, "before:tool", component="other*")
        runner.hooks.add(appends_b, "before:tool", when=lambda moving: moving.value.text == "yes")
        await runner.run(does, {"text": "yes"})
        await runner.run(does, {"text": "no"})
        assert does.given == ["yesb", "no"]

    async def test_other_points_are_called_by_name(self) -> None:
        hooks = Hooks()
        hooks.add(appends_a, "report:*")
        assert await hooks.fire("report:written", Text(text="")) == Text(text="a")
        assert await hooks.fire("system:start", 1) == 1

    @pytest.mark.parametrize(
        "wrong",
        [{"priority": 1001}, {"timeout": 0}, {"at": ()}, {"hook": lambda moving: None}],
        ids=lambda wrong: next(iter(wrong)),
    )
    def test_a_hook_that_makes_no_sense_is_refused(self, wrong: dict[str, Any]) -> None:
        options = {"hook": vetoes, "at": ("before:tool",), **wrong}
        with pytest.raises(UsageError):
            Hooks().add(options.pop("hook"), *options.pop("at"), **options)


class TestWhatHooksMayDo:
    async def test_change_the_input_and_the_output(self) -> None:
        runner, does = Runner(), Does()
        runner.hooks.add(appends_a, "before:tool")
        runner.hooks.add(appends_b, "after:tool")
        assert await runner.run(does, {"text": "x"}) == Text(text="XAb")

    async def test_replace_a_failure(self) -> None:
        runner = Runner()

        async def instead(moving: Moving) -> Text:
            assert isinstance(moving.error, QueryError)
            return Text(text=f"none for {moving.input.text}")

        runner.hooks.add(instead, "error:tool")
        assert await runner.run(Does(fails), {"text": "x"}) == Text(text="none for x")

    async def test_forbid(self) -> None:
        runner, does = Runner(), Does()
        runner.hooks.add(vetoes, "before:tool", on_error="continue")
        with pytest.raises(VetoError, match="Sundays"):
            await runner.run(does, {"text": "x"})
        assert does.given == []

    async def test_a_changed_input_needs_its_own_permission(self) -> None:
        class Reads(Does):
            def needs(self, input: Text) -> list[Need]:
                return [Need("file_read", input.text)] if input.text else []

        runner, reads = Runner(), Reads()
        runner.hooks.add(appends_a, "before:tool")
        with pytest.raises(PermissionDeniedError):
            await runner.run(reads, {"text": ""})
        assert reads.given == []


class TestHooksThatFail:
    async def test_the_run_goes_on_and_it_is_told(self) -> None:
        runner, ear = Runner(), Ear()
        runner.hooks.add(broken, "before:tool")
        assert await runner.run(Does(), {"text": "x"}, ear.context) == Text(text="X")
        told = ear.of(HookFailed)
        assert [(event.source, event.point, event.message) for event in told] == [
            ("broken", "before:tool", "in the hook")
        ]

    async def test_one_that_hangs_and_cannot_be_cancelled_is_left_behind(self) -> None:
        runner, ear = Runner(), Ear()
        started: list[asyncio.Task[Any]] = []

        async def stubborn(moving: Moving) -> None:
            task = asyncio.current_task()
            assert task is not None
            started.append(task)
            for _ in range(3):
                try:
                    await asyncio.sleep(60)
                except asyncio.CancelledError:
                    continue

        runner.hooks.add(stubborn, "before:tool", timeout=0.01)
        assert await runner.run(Does(), {"text": "x"}, ear.context) == Text(text="X")
        assert "longer than 0.01 s" in ear.of(HookFailed)[0].message
        assert not started[0].done()
        for _ in range(3):
            started[0].cancel()
            await asyncio.sleep(0)

    async def test_one_that_ends_the_program_has_failed_and_the_program_goes_on(self) -> None:
        runner, ear = Runner(), Ear()

        async def leaves(moving: Moving) -> None:
            sys.exit(4)

        runner.hooks.add(leaves, "before:tool")
        runner.hooks.add(vetoes, "before:tool", when=lambda moving: sys.exit(5))
        assert await runner.run(Does(), {"text": "x"}, ear.context) == Text(text="X")
        assert [event.message for event in ear.of(HookFailed)] == ["SystemExit: 4", "5"]

    async def test_the_run_fails_where_the_hook_must_not(self) -> None:
        runner = Runner()
        runner.hooks.add(broken, "before:tool", on_error="stop")
        with pytest.raises(HookFailedError, match="'broken' failed at before:tool of 'does': in the hook"):
            await runner.run(Does(), {"text": "x"})

    async def test_what_came_before_is_undone_and_what_follows_skipped(self) -> None:
        runner, does = Runner(), Does()
        runner.hooks.add(appends_a, "before:tool", priority=1)
        runner.hooks.add(broken, "before:tool", priority=2, on_error="rollback")
        runner.hooks.add(appends_b, "before:tool", priority=3)
        await runner.run(does, {"text": "x"})
        assert does.given == ["x"]

    async def test_what_does_not_fit_is_the_hook_s_failure(self) -> None:
        runner, ear, does = Runner(), Ear(), Does()

        async def wrong(moving: Moving) -> dict[str, int]:
            return {"texts": 1}

        runner.hooks.add(wrong, "before:tool", "after:tool")
        assert await runner.run(does, {"text": "x"}, ear.context) == Text(text="X")
        assert [event.point for event in ear.of(HookFailed)] == ["before:tool", "after:tool"]

    async def test_cancelling_the_run_reaches_a_hook_at_work(self) -> None:
        runner, ear, at_work, ended = Runner(), Ear(), asyncio.Event(), asyncio.Event()

        async def waits(moving: Moving) -> None:
            at_work.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        runner.hooks.add(waits, "before:tool", timeout=60)
        task = asyncio.create_task(runner.run(Does(), {"text": "x"}, ear.context))
        await at_work.wait()
        ear.context.cancellation.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await ended.wait()


class TestParallelHooks:
    async def test_they_run_together(self) -> None:
        runner, first, second = Runner(), asyncio.Event(), asyncio.Event()

        async def one(moving: Moving) -> None:
            first.set()
            await second.wait()

        async def other(moving: Moving) -> None:
            second.set()
            await first.wait()

        runner.hooks.add(one, "before:tool", parallel=True, on_error="stop")
        runner.hooks.add(other, "before:tool", parallel=True, on_error="stop")
        assert await runner.run(Does(), {"text": "x"}) == Text(text="X")

    async def test_they_may_forbid_but_not_change(self) -> None:
        runner, ear, does = Runner(), Ear(), Does()
        runner.hooks.add(appends_a, "before:tool", parallel=True)
        await runner.run(does, {"text": "x"}, ear.context)
        assert does.given == ["x"]
        assert "cannot change" in ear.of(HookFailed)[0].message
        runner.hooks.add(broken, "before:tool", parallel=True, on_error="rollback")
        runner.hooks.add(vetoes, "before:tool", parallel=True)
        with pytest.raises(VetoError):
            await runner.run(does, {"text": "x"})


class Mail(BaseModel):
    to: list[str]
    parts: dict[str, Text]
    size: int


class TestBuiltInHooks:
    async def test_the_logger_writes_what_passes(self, caplog: pytest.LogCaptureFixture) -> None:
        runner = Runner()
        runner.hooks.add(logger(), "before:*", "error:*")
        with caplog.at_level("INFO", "querist.hooks"), pytest.raises(QueryError):
            await runner.run(Does(fails), {"text": "x"})
        assert [record.message for record in caplog.records] == [
            "before:tool does Text(text='x')",
            "error:tool does 'no such table'",
        ]

    async def test_metrics_count_runs_and_failures(self) -> None:
        runner, metrics = Runner(), Metrics()
        runner.hooks.add(metrics.hook(), "after:*", "error:*")
        await runner.run(Does(), {"text": "x"})
        with pytest.raises(QueryError):
            await runner.run(Does(fails), {"text": "x"})
        assert (metrics.counts["does"].finished, metrics.counts["does"].failed) == (1, 1)

    async def test_a_validator_forbids_and_says_why(self) -> None:
        runner = Runner()
        runner.hooks.add(validator(lambda value: "Too long." if len(value.text) > 3 else None), "before:tool")
        await runner.run(Does(), {"text": "abc"})
        with pytest.raises(VetoError, match="Too long"):
            await runner.run(Does(), {"text": "abcd"})

    async def test_a_transformer_changes(self) -> None:
        runner = Runner()
        runner.hooks.add(transformer(lambda value: Text(text=value.text[::-1])), "after:tool")
        assert await runner.run(Does(), {"text": "ab"}) == Text(text="BA")

    def test_text_is_replaced_at_any_depth(self) -> None:
        hide = replace_text(r"\d{4}", "****")
        mail = Mail(to=["a 1234"], parts={"1234": Text(text="1234 5678")}, size=1234)
        assert hide(mail) == Mail(to=["a ****"], parts={"1234": Text(text="**** ****")}, size=1234)
        request = Request([Message("user", "PIN 1234")])
        assert hide(request).messages == [Message("user", "PIN ****")]

    def test_text_is_found_at_any_depth_and_in_keys(self) -> None:
        mail = Mail(to=["a"], parts={"1234": Text(text="b")}, size=1)
        found = [pattern for pattern in ("a", "b", "1234", "c", "parts") if find_text(pattern)(mail)]
        assert found == ["a", "b", "1234"]

    async def test_settings_add_them(self) -> None:
        runner = Runner.of(
            Settings.model_validate(
                {
                    "hooks": [
                        {"use": "transformer", "at": "after:tool", "pattern": r"\d+", "replacement": "#"},
                        {"use": "validator", "at": ["before:*"], "component": "do*", "pattern": "DROP"},
                        {"use": "metrics", "at": ["after:*", "error:*"]},
                    ],
                }
            )
        )
        assert await runner.run(Does(), {"text": "a1"}) == Text(text="A#")
        assert await runner.run(Does(name="other"), {"text": "DROP"}) == Text(text="DROP")
        with pytest.raises(VetoError, match="matches 'DROP'"):
            await runner.run(Does(), {"text": "DROP"})
        assert runner.metrics.counts["does"].finished == 1
