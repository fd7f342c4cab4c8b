"""The door: everything that runs goes through `Runner.run`, so what the door does holds for every component alike."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from querist.core.component import Component, In, Out, check_component
from querist.core.context import RunContext
from querist.core.events import PermissionUsed, RunCancelled, RunFailed, RunFinished, RunStarted
from querist.core.tracing import span
from querist.errors import (
    ComponentFailedError,
    ComponentInputError,
    ComponentTimeoutError,
    PermissionDeniedError,
    QueristError,
)

DEFAULT_TIMEOUT = 900.0
"""Seconds for a component that sets no bound of its own: generous, for a slow model on a small machine."""


class Runner:
    """Runs components.

    The order of the door is permission → cache → limits → hooks → run under timeout → hooks → trace → event. Timeout,
    cancellation, trace and event are there; the comments in `run` mark where each of the others belongs.

    Args:
        timeout: seconds for components that set none.
    """

    def __init__(self, timeout: float = DEFAULT_TIMEOUT) -> None:
        self.timeout = timeout

    async def run(
        self, component: Component[In, Out], input: In | Mapping[str, Any], context: RunContext | None = None
    ) -> Out:
        """Run a component once and return its output.

        Args:
            input: an instance of its input type, or a mapping that fits it.
            context: of the run that asks for this one; None when nothing runs yet.

        Raises:
            UsageError: it lacks what every component has, such as a name.
            ComponentInputError: the input does not fit.
            ComponentTimeoutError: it took longer than it or the context may.
            ComponentFailedError: it raised something that is not a QueristError, or returned what it should not.
            QueristError: as the component raised it.
            asyncio.CancelledError: it was cancelled, by its task or by `context.cancellation`.
        """
        check_component(component)
        outer = context or RunContext()
        run = outer.child(self.timeout if component.timeout is None else component.timeout)
        name, run_id, parent_id = component.name, run.run_id, run.parent_id
        started = time.monotonic()
        run.events.emit(RunStarted(source=name, run_id=run_id, parent_id=parent_id))
        # The span is outermost, so that it also shows what the steps before the work cost and refuse.
        try:
            with span(name, run_id, parent_id):
                checked = _checked_input(component, input)
                _permitted(component, checked, run)
                # The cache, then limits (rate, concurrency, breaker), then the hooks that come before, belong here.
                output = await _within(component, checked, run, outer)
                # Hooks that come after, then storing in the cache, belong here.
        except asyncio.CancelledError:
            took = time.monotonic() - started
            run.events.emit(RunCancelled(source=name, run_id=run_id, parent_id=parent_id, seconds=took))
            raise
        except Exception as error:
            told = error if isinstance(error, QueristError) else _failed(name, error)
            failed = RunFailed(
                source=name,
                run_id=run_id,
                parent_id=parent_id,
                seconds=time.monotonic() - started,
                code=told.code,
                message=told.message,
            )
            run.events.emit(failed)
            if told is error:
                raise
            raise told from error
        took = time.monotonic() - started
        run.events.emit(RunFinished(source=name, run_id=run_id, parent_id=parent_id, seconds=took))
        return output


async def _within(component: Component[In, Out], input: In, run: RunContext, outer: RunContext) -> Out:
    """The component's work, stopped at the deadline and when it is no longer wanted."""
    if run.cancellation.cancelled:
        raise asyncio.CancelledError
    remaining = run.remaining()
    assert remaining is not None, "the runner gives every run a deadline"
    if remaining <= 0:
        raise ComponentTimeoutError(f"There was no time left to start {component.name!r}.", hint="Allow more time.")
    forget = _cancel_with(run)
    bound = asyncio.timeout(remaining)
    try:
        async with bound:
            output = await component.run(input, run)
    except TimeoutError as error:
        if not bound.expired():
            raise
        whose = "what was left of its caller's time" if run.deadline == outer.deadline else "its own limit"
        raise ComponentTimeoutError(
            f"{component.name!r} did not finish in {remaining:.4g} s, {whose}.",
            hint="Allow more time, or ask for less.",
        ) from error
    finally:
        forget()
    if not isinstance(output, component.output_type):
        expected, got = component.output_type.__name__, type(output).__name__
        raise ComponentFailedError(f"{component.name!r} returned a {got} and not a {expected}.")
    return output


def _cancel_with(run: RunContext) -> Callable[[], None]:
    """Cancel the running task when the context is cancelled, from whichever thread. Returns what ends that."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None

    def cancel() -> None:
        loop.call_soon_threadsafe(task.cancel)

    return run.cancellation.on_cancel(cancel)


def _checked_input(component: Component[In, Out], input: In | Mapping[str, Any]) -> In:
    if isinstance(input, component.input_type):
        return input
    try:
        return component.input_type.model_validate(input)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, detail['loc'])) or 'input'}: {detail['msg'][:1].lower()}{detail['msg'][1:]}"
            for detail in error.errors(include_url=False, include_input=False)
        )
        allowed = ", ".join(component.input_type.model_fields)
        raise ComponentInputError(
            f"The input of {component.name!r} is not right: {wrong}.", hint=f"It takes: {allowed or 'nothing'}."
        ) from error


def _permitted(component: Component[In, Out], input: In, run: RunContext) -> None:
    for need in component.needs(input):
        grant = run.principal.grant_for(need)
        if grant is None:
            raise PermissionDeniedError(
                f"{component.name!r} needs the permission {str(need)!r}, which {run.principal.name!r} does not have.",
                hint=f"Grant it, such as {str(need)!r}, or do without.",
            )
        run.emit(PermissionUsed(source=component.name, principal=run.principal.name, need=str(need), grant=str(grant)))


def _failed(name: str, error: Exception) -> ComponentFailedError:
    return ComponentFailedError(f"{name!r} failed: {type(error).__name__}: {error}")
