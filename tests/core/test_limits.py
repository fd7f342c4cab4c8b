"""The door with limits: what is set for a component holds for each of its runs, and who is not let in is told why."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

import pytest

from querist.core.component import Component, component
from querist.core.context import Priority, RunContext
from querist.core.events import RunFinished
from querist.core.limits import BreakerClosed, BreakerOpened, RunRetried
from querist.core.runner import Runner
from querist.errors import (
    BreakerOpenError,
    ComponentFailedError,
    ComponentTimeoutError,
    ConfigError,
    ModelRateLimitError,
    QueryError,
    QueueFullError,
    RunRateLimitError,
    VetoError,
)
from querist.settings.policy import Concurrency, Policy
from tests.core.doing import Does, Ear, Text, Work

pytestmark = pytest.mark.anyio


def failing(times: int, error: Exception) -> Work:
    left = [times]

    async def work(input: Text, context: RunContext) -> Text:
        left[0] -= 1
        if left[0] >= 0:
            raise error
        return input

    return work


async def for_ever(input: Text, context: RunContext) -> Text:
    await asyncio.Event().wait()
    return input


class TestRetry:
    async def test_a_passing_fault_is_tried_again(self) -> None:
        ear, does = Ear(), Does(failing(2, QueryError("busy")), retry={"on": "data.query", "backoff": 0.001})
        assert await Runner().run(does, {"text": "x"}, ear.context) == Text(text="x")
        assert len(does.given) == 3
        assert [(event.attempt, event.code) for event in ear.of(RunRetried)] == [(1, "data.query"), (2, "data.query")]
        assert ear.names.count("run.started") == ear.names.count("run.finished") == 1

    async def test_the_last_error_comes_out_when_all_tries_are_used(self) -> None:
        does = Does(failing(9, QueryError("busy")), retry={"attempts": 2, "on": "data", "backoff": 0.001})
        with pytest.raises(QueryError):
            await Runner().run(does, {"text": "x"})
        assert len(does.given) == 2

    async def test_an_error_of_another_code_is_not_tried_again(self) -> None:
        does = Does(failing(1, QueryError("wrong")), retry={"on": ["model", "data.que"]})
        with pytest.raises(QueryError):
            await Runner().run(does, {"text": "x"})
        assert len(does.given) == 1

    async def test_nobody_waits_longer_than_there_is_time(self) -> None:
        does = Does(failing(1, ModelRateLimitError("slow down", retry_after=3600)), timeout=60, retry={"attempts": 2})
        with pytest.raises(ModelRateLimitError):
            await Runner().run(does, {"text": "x"})
        assert len(does.given) == 1


class TestRate:
    async def test_what_comes_too_often_is_turned_away_when_it_cannot_wait(self) -> None:
        does, runner = Does(timeout=5, rate={"per_minute": 1, "burst": 2}), Runner()
        for _ in range(2):
            await runner.run(does, {"text": "x"})
        with pytest.raises(RunRateLimitError):
            await runner.run(does, {"text": "x"})
        assert len(does.given) == 2

    async def test_tokens_of_all_that_runs_inside_count(self) -> None:
        runner = Runner()

        async def asks(input: Text, context: RunContext) -> Text:
            return await runner.run(Does(spends, name="model"), input, context)

        async def spends(input: Text, context: RunContext) -> Text:
            context.spend(1001)
            return input

        does = Does(asks, timeout=0.5, rate={"tokens_per_minute": 10})
        await runner.run(does, {"text": "x"})
        with pytest.raises(RunRateLimitError, match="tokens of 'does'"):
            await runner.run(does, {"text": "x"})


class TestConcurrency:
    async def test_so_many_run_at_once_the_others_by_priority_and_too_many_are_turned_away(self) -> None:
        runner, go, order = Runner(), asyncio.Event(), list[str]()

        async def work(input: Text, context: RunContext) -> Text:
            order.append(input.text)
            await go.wait()
            return input

        does = Does(work, concurrency={"limit": 1, "queue": 2})

        def run(text: str, priority: Priority) -> asyncio.Task[Text]:
            return asyncio.create_task(runner.run(does, {"text": text}, RunContext(priority=priority)))

        tasks = [run("first", Priority.IDLE), run("low", Priority.LOW), run("high", Priority.HIGH)]
        await asyncio.sleep(0)
        with pytest.raises(QueueFullError):
            await runner.run(does, {"text": "too many"})
        go.set()
        await asyncio.gather(*tasks)
        assert order == ["first", "high", "low"]

    async def test_a_component_can_have_a_priority_of_its_own(self) -> None:
        policies = {"eager": Policy(priority="urgent"), "patient": Policy(priority="idle")}
        runner, go, order = Runner(policies=policies, concurrency=Concurrency(limit=1)), asyncio.Event(), list[str]()

        async def work(input: Text, context: RunContext) -> Text:
            order.append(f"{input.text} {context.priority.name}")
            await go.wait()
            return input

        names = ["first", "patient", "plain", "eager"]
        tasks = [asyncio.create_task(runner.run(Does(work, name=name), {"text": name})) for name in names]
        await asyncio.sleep(0)
        go.set()
        await asyncio.gather(*tasks)
        assert order == ["first NORMAL", "eager URGENT", "plain NORMAL", "patient IDLE"]

    async def test_waiting_ends_at_the_run_s_time(self) -> None:
        runner, does = Runner(), Does(for_ever, timeout=0.02, concurrency={"limit": 1})
        tasks = [asyncio.create_task(runner.run(does, {"text": "x"})) for _ in range(2)]
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(result, ComponentTimeoutError) for result in results)

    async def test_cancelling_reaches_those_who_wait_and_frees_their_places(self) -> None:
        runner, does, ear = Runner(), Does(for_ever, concurrency={"limit": 1, "queue": 1}), Ear()
        tasks = [asyncio.create_task(runner.run(does, {"text": "x"}, ear.context)) for _ in range(2)]
        await asyncio.sleep(0)
        ear.context.cancellation.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(result, asyncio.CancelledError) for result in results)
        assert ear.names.count("run.cancelled") == 2
        assert len(does.given) == 1, "the one that waited never began"
        does.work = None
        assert await runner.run(does, {"text": "x"}) == Text(text="X")

    async def test_a_run_inside_a_run_of_the_same_shares_its_place(self) -> None:
        runner = Runner(concurrency=Concurrency(limit=1))

        async def again(input: Text, context: RunContext) -> Text:
            return input if input.text == "" else await runner.run(does, {"text": input.text[1:]}, context)

        does = Does(again, timeout=5, concurrency={"limit": 1})
        assert await runner.run(does, {"text": "aaa"}) == Text(text="")

    async def test_one_limit_for_all_together_counts_outermost_runs(self) -> None:
        runner = Runner(concurrency=Concurrency(limit=1, queue=0))
        task = asyncio.create_task(runner.run(Does(for_ever), {"text": "x"}))
        await asyncio.sleep(0)
        with pytest.raises(QueueFullError, match="1 of all components run"):
            await runner.run(Does(name="other"), {"text": "x"})
        task.cancel()


class TestBreaker:
    async def test_it_opens_after_failures_and_closes_after_a_success(self) -> None:
        runner, ear = Runner(), Ear()
        does = Does(failing(2, ValueError("down")), breaker={"threshold": 2, "reset": 0.01})
        for _ in range(2):
            with pytest.raises(ComponentFailedError):
                await runner.run(does, {"text": "x"}, ear.context)
        with pytest.raises(BreakerOpenError):
            await runner.run(does, {"text": "x"}, ear.context)
        assert len(does.given) == 2
        await asyncio.sleep(0.02)
        assert await runner.run(does, {"text": "x"}, ear.context) == Text(text="x")
        assert [event.name for event in ear.heard if event.name.startswith("breaker.")] == [
            BreakerOpened.name,
            BreakerClosed.name,
        ]

    async def test_a_timeout_is_a_failure_and_a_refusal_is_none(self) -> None:
        runner = Runner()
        slow = Does(for_ever, name="slow", timeout=0.05, breaker={"threshold": 1})
        with pytest.raises(ComponentTimeoutError):
            await runner.run(slow, {"text": "x"})
        with pytest.raises(BreakerOpenError):
            await runner.run(slow, {"text": "x"})
        refused = Does(failing(1, VetoError("no")), name="refused", breaker={"threshold": 1})
        with pytest.raises(VetoError):
            await runner.run(refused, {"text": "x"})
        assert await runner.run(refused, {"text": "x"}) == Text(text="x")


class TestCache:
    async def test_the_same_input_is_worked_on_once_and_the_event_says_so(self) -> None:
        runner, ear, does = Runner(), Ear(), Does(cache={})
        for text in ("a", "a", "b"):
            assert await runner.run(does, {"text": text}, ear.context) == Text(text=text.upper())
        assert does.given == ["a", "b"]
        assert [event.cached for event in ear.of(RunFinished)] == [False, True, False]

    async def test_a_failure_is_not_kept(self) -> None:
        runner, does = Runner(), Does(failing(1, QueryError("busy")), cache={})
        with pytest.raises(QueryError):
            await runner.run(does, {"text": "a"})
        assert await runner.run(does, {"text": "a"}) == Text(text="a")

    async def test_what_is_kept_of_one_version_is_not_taken_for_another(self) -> None:
        runner, does = Runner(), Does(cache={})
        await runner.run(does, {"text": "a"})
        does.version = "2"
        await runner.run(does, {"text": "a"})
        assert does.given == ["a", "a"]


class TestWhereItIsSet:
    async def test_the_name_s_policy_goes_before_the_component_s_and_that_before_the_one_for_all(self) -> None:
        seen: dict[str, float] = {}

        async def look(input: Text, context: RunContext) -> Text:
            seen[input.text] = context.remaining() or 0
            return input

        policies = {"named": Policy(timeout=10), "defaults": Policy(timeout=1000)}
        for does in (
            Does(look, name="named", timeout=100),
            Does(look, name="own", timeout=100),
            Does(look, name="bare"),
        ):
            await Runner(policies=policies).run(does, {"text": does.name})
        assert {name: round(left) for name, left in seen.items()} == {"named": 10, "own": 100, "bare": 1000}

    async def test_a_timeout_for_all_leaves_the_component_its_own(self) -> None:
        @component(timeout=100)
        async def left(context: RunContext) -> int:
            """Tell how much time is left."""
            return round(context.remaining() or 0)

        assert (await Runner(policies={"defaults": Policy(timeout=1)}).run(left, {})).result == 100

    async def test_bounds_of_processes_reach_what_has_one_and_get_no_looser_inside(self) -> None:
        class Own(Component[Text, Text]):
            name, description, own_process = "own", "Works in a process of its own.", True

            async def run(self, input: Text, context: RunContext) -> Text:
                return Text(text=f"{context.memory_mb} {context.cpu_seconds}")

        runner = Runner(policies={"own": Policy(memory_mb=512, cpu_seconds=3)})
        assert (await runner.run(Own(), {"text": ""})).text == "512 3.0"
        assert (await runner.run(Own(), {"text": ""}, RunContext(memory_mb=64))).text == "64 3.0"

    async def test_a_bound_that_cannot_be_kept_is_refused(self) -> None:
        with pytest.raises(ConfigError, match="'does' has a bound on memory"):
            await Runner().run(Does(memory_mb=512), {"text": ""})


class TestLeaks:
    async def test_a_task_that_a_component_leaves_behind_holds_no_place(self) -> None:
        left: list[asyncio.Task[Any]] = []

        async def leaves(input: Text, context: RunContext) -> Text:
            left.append(asyncio.create_task(asyncio.Event().wait()))
            return input

        runner, does = Runner(), Does(leaves, concurrency={"limit": 1, "queue": 0})
        for _ in range(3):
            await runner.run(does, {"text": "x"})
        assert not any(task.done() for task in left)
        for task in left:
            task.cancel()

    async def test_nothing_of_a_run_is_kept_when_it_has_ended(self) -> None:
        inputs: list[weakref.ref[Text]] = []

        async def note(input: Text, context: RunContext) -> Text:
            inputs.append(weakref.ref(input))
            return Text(text="done")

        runner, does = Runner(), Does(note, concurrency={"limit": 1}, rate={"per_minute": 1e6}, breaker={})
        does.given = []
        context = RunContext()
        for _ in range(20):
            await runner.run(does, {"text": "x"}, context)
        gc.collect()
        assert [ref() for ref in inputs] == [None] * 20
