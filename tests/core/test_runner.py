from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import BaseModel

from querist.core.component import Component, component
from querist.core.context import RunContext
from querist.core.events import Event, EventBus, RunCancelled, RunFailed, RunFinished
from querist.core.runner import Runner
from querist.errors import (
    ComponentFailedError,
    ComponentInputError,
    ComponentTimeoutError,
    QueryError,
)

RUNNER = Runner()


class Number(BaseModel):
    value: int


class Does(Component[Number, Number]):
    """A component that does what the test says."""

    description = "Does what it is told."

    def __init__(self, work: Callable[[Number, RunContext], Awaitable[Any]], timeout: float | None = None) -> None:
        self.name = "does"
        self.work = work
        self.timeout = timeout

    async def run(self, input: Number, context: RunContext) -> Number:
        result: Number = await self.work(input, context)
        return result


async def double(input: Number, context: RunContext) -> Number:
    return Number(value=input.value * 2)


async def sleep(input: Number, context: RunContext) -> Number:
    await asyncio.sleep(60)
    return input


async def fail(input: Number, context: RunContext) -> Number:
    raise ZeroDivisionError("by zero")


def listening() -> tuple[RunContext, list[Event]]:
    bus, heard = EventBus(), []
    bus.subscribe(heard.append)
    return RunContext(events=bus), heard


def run(work: Component[Any, Any], input: Any, context: RunContext | None = None) -> Any:
    return asyncio.run(RUNNER.run(work, input, context))


class TestInputAndOutput:
    def test_a_mapping_and_an_instance_are_both_taken(self) -> None:
        assert run(Does(double), {"value": "21"}) == Number(value=42)
        assert run(Does(double), Number(value=1)) == Number(value=2)

    def test_input_that_does_not_fit_is_told_and_nothing_runs(self) -> None:
        context, heard = listening()
        with pytest.raises(
            ComponentInputError, match=r"input of 'does' is not right: value: input should be"
        ) as caught:
            run(Does(fail), {"value": "x"}, context)
        assert caught.value.hint == "It takes: value."
        assert [event.name for event in heard] == ["run.started", "run.failed"]

    def test_output_of_another_type_is_a_failure(self) -> None:
        async def wrong(input: Number, context: RunContext) -> str:
            return "five"

        with pytest.raises(ComponentFailedError, match="returned a str and not a Number"):
            run(Does(wrong), {"value": 1})


class TestErrors:
    def test_a_foreign_error_is_wrapped_with_its_cause(self) -> None:
        context, heard = listening()
        with pytest.raises(ComponentFailedError, match="'does' failed: ZeroDivisionError: by zero") as caught:
            run(Does(fail), {"value": 1}, context)
        assert isinstance(caught.value.__cause__, ZeroDivisionError)
        assert isinstance(heard[-1], RunFailed)
        assert (heard[-1].code, heard[-1].source) == ("run.failed", "does")

    def test_a_component_that_ends_the_program_has_failed_and_the_program_goes_on(self) -> None:
        async def leave(input: Number, context: RunContext) -> Number:
            sys.exit(3)

        context, heard = listening()
        with pytest.raises(ComponentFailedError, match="'does' failed: SystemExit: 3"):
            run(Does(leave), {"value": 1}, context)
        assert isinstance(heard[-1], RunFailed)

    def test_an_error_of_our_own_comes_out_as_it_is(self) -> None:
        async def refuse(input: Number, context: RunContext) -> Number:
            raise QueryError("no such table")

        context, heard = listening()
        with pytest.raises(QueryError, match="no such table"):
            run(Does(refuse), {"value": 1}, context)
        assert isinstance(heard[-1], RunFailed)
        assert heard[-1].code == "data.query"


class TestTime:
    def test_a_component_is_stopped_at_its_own_limit(self) -> None:
        context, heard = listening()
        with pytest.raises(ComponentTimeoutError, match=r"did not finish in 0\.0\d* s, its own limit"):
            run(Does(sleep, timeout=0.01), {"value": 1}, context)
        assert isinstance(heard[-1], RunFailed)
        assert heard[-1].code == "run.timeout"

    def test_the_runner_s_limit_holds_where_the_component_sets_none(self) -> None:
        with pytest.raises(ComponentTimeoutError):
            asyncio.run(Runner(timeout=0.01).run(Does(sleep), {"value": 1}))

    def test_what_runs_inside_has_no_more_time_than_what_runs_around_it(self) -> None:
        async def outer(input: Number, context: RunContext) -> Number:
            with pytest.raises(ComponentTimeoutError, match="what was left of its caller's time"):
                await RUNNER.run(Does(sleep, timeout=50), input, context)
            with pytest.raises(ComponentTimeoutError, match="no time left"):
                await RUNNER.run(Does(double), input, context)
            raise QueryError("seen")

        context = RunContext().child(timeout=0.01)
        with pytest.raises((QueryError, ComponentTimeoutError)):
            run(Does(outer), {"value": 1}, context)

    def test_a_timeout_error_of_the_component_s_own_is_a_failure_and_no_timeout(self) -> None:
        async def server_is_slow(input: Number, context: RunContext) -> Number:
            raise TimeoutError("server")

        with pytest.raises(ComponentFailedError, match="TimeoutError: server"):
            run(Does(server_is_slow), {"value": 1})


class TestCancellation:
    def test_cancelling_the_task_passes_through_and_is_told(self) -> None:
        context, heard = listening()

        async def main() -> None:
            task = asyncio.create_task(RUNNER.run(Does(sleep), {"value": 1}, context))
            await asyncio.sleep(0)
            task.cancel()
            await task

        with pytest.raises(asyncio.CancelledError):
            asyncio.run(main())
        assert isinstance(heard[-1], RunCancelled)

    def test_cancelling_the_context_from_another_thread_stops_all_runs_below_it(self) -> None:
        context, heard = listening()
        interrupted = threading.Event()

        async def outer(input: Number, context: RunContext) -> Number:
            context.cancellation.on_cancel(interrupted.set)
            threading.Timer(0.01, context.cancellation.cancel).start()
            await asyncio.gather(*(RUNNER.run(Does(sleep), input, context) for _ in range(3)))
            return input

        with pytest.raises(asyncio.CancelledError):
            run(Does(outer), {"value": 1}, context)
        assert interrupted.wait(5)
        assert [event.name for event in heard].count("run.cancelled") == 4

    def test_nothing_starts_under_a_context_that_is_cancelled(self) -> None:
        context, heard = listening()
        context.cancellation.cancel()
        with pytest.raises(asyncio.CancelledError):
            run(Does(fail), {"value": 1}, context)
        assert isinstance(heard[-1], RunCancelled)

    def test_one_who_fails_when_told_keeps_it_from_nobody(self, caplog: pytest.LogCaptureFixture) -> None:
        context, told = RunContext(), []
        context.cancellation.on_cancel(lambda: 1 / 0)
        context.cancellation.on_cancel(lambda: told.append("the next"))
        context.cancellation.cancel()
        assert told == ["the next"]
        assert "ZeroDivisionError" in caplog.text

    def test_a_wish_to_be_told_after_cancelling_is_answered_at_once_and_can_be_taken_back(self) -> None:
        context, told = RunContext(), []
        forget = context.cancellation.on_cancel(lambda: told.append("never"))
        forget()
        context.cancellation.cancel()
        context.cancellation.on_cancel(lambda: told.append("at once"))
        assert told == ["at once"]


class TestWhatTravels:
    def test_runs_know_the_run_that_started_them(self) -> None:
        async def outer(input: Number, context: RunContext) -> Number:
            return await RUNNER.run(Does(double), input, context)

        context, heard = listening()
        assert run(Does(outer), {"value": 1}, context) == Number(value=2)
        outer_start, inner_start, inner_end, outer_end = heard
        assert outer_start.parent_id == ""
        assert inner_start.parent_id == outer_start.run_id == outer_end.run_id
        assert inner_end.run_id == inner_start.run_id != outer_start.run_id
        assert isinstance(outer_end, RunFinished)
        assert outer_end.seconds >= 0

    def test_extras_reach_all_runs_below_by_their_type(self) -> None:
        class Budget:
            spent = 0

        async def outer(input: Number, context: RunContext) -> Number:
            return await RUNNER.run(Does(spend), input, context)

        async def spend(input: Number, context: RunContext) -> Number:
            budget = context.get(Budget)
            assert budget is not None
            budget.spent += input.value
            assert context.get(Number) is None
            return input

        budget = Budget()
        run(Does(outer), {"value": 3}, RunContext().with_extras(budget))
        assert budget.spent == 3

    def test_the_runner_is_found_by_what_it_runs(self) -> None:
        runner, found = Runner(), list[Runner | None]()

        async def outer(input: Number, context: RunContext) -> Number:
            found.append(context.get(Runner))
            return await Runner().run(Does(inner), input, context)

        async def inner(input: Number, context: RunContext) -> Number:
            found.append(context.get(Runner))
            return input

        asyncio.run(runner.run(Does(outer), {"value": 1}))
        assert found[0] is runner
        assert found[1] is not runner, "it is the one whose door was passed last"

    def test_an_event_told_by_a_component_carries_its_run(self) -> None:
        @component
        async def tells(context: RunContext) -> int:
            """Tell."""
            context.emit(Event(source="tells"))
            return 1

        context, heard = listening()
        run(tells, {}, context)
        assert heard[1].run_id == heard[0].run_id != ""


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    return exporter


def test_runs_become_nested_spans_where_tracing_is_set_up(spans: InMemorySpanExporter) -> None:
    async def outer(input: Number, context: RunContext) -> Number:
        return await RUNNER.run(Does(fail), input, context)

    with pytest.raises(ComponentFailedError):
        run(Does(outer), {"value": 1})
    inner, around = spans.get_finished_spans()
    assert inner.parent is not None
    assert around.context is not None
    assert inner.parent.span_id == around.context.span_id
    assert around.attributes is not None
    assert inner.attributes is not None
    assert inner.attributes["querist.parent_id"] == around.attributes["querist.run_id"]
    assert not inner.status.is_ok
