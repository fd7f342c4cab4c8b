"""The door: everything that runs goes through `Runner.run`, so what the door does holds for every component alike."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any, Self, TypeVar

from pydantic import ValidationError

from querist.core.builtin_hooks import Metrics, add_hooks
from querist.core.component import Component, In, Out, check_component
from querist.core.context import RunContext, current_run
from querist.core.events import PermissionUsed, RunCancelled, RunFailed, RunFinished, RunStarted
from querist.core.gate import Gate
from querist.core.hooks import Hooks, Moving, pass_through
from querist.core.limits import Limits
from querist.core.tracing import span
from querist.errors import (
    BudgetSpentError,
    ComponentFailedError,
    ComponentInputError,
    ComponentTimeoutError,
    ConfigError,
    PermissionDeniedError,
    QueristError,
)
from querist.settings import Settings
from querist.settings.policy import Concurrency, Policy

T = TypeVar("T")

DEFAULT_TIMEOUT = 900.0
"""Seconds for a component that sets no bound of its own: generous, for a slow model on a small machine."""
DEFAULTS = "defaults"
"""Where `policies` has the policy of all components."""


class Runner:
    """Runs components. Any number of threads and event loops may use one runner, and share its limits.

    The order of the door is permission → cache → limits → hooks → run under timeout with retry → hooks → trace → event.

    Args:
        timeout: seconds for components that set none.
        policies: by the component's name; they go before the component's own. The one called `defaults` is for what
            neither sets.
        concurrency: for all together. Only runs inside no other are counted: what runs inside one shares its place.

    Attributes:
        hooks: called for all that runs; none at first.
        metrics: what hooks count that settings ask for.
    """

    def __init__(
        self,
        timeout: float = DEFAULT_TIMEOUT,
        *,
        policies: Mapping[str, Policy] | None = None,
        concurrency: Concurrency | None = None,
    ) -> None:
        self.timeout = timeout
        self.hooks = Hooks()
        self.metrics = Metrics()
        self._hold_to(policies or {}, concurrency)
        self._removers: list[Callable[[], None]] = []

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The one that settings describe."""
        runner = cls()
        runner.configure(settings)
        return runner

    def configure(self, settings: Settings) -> None:
        """Hold what starts from now on to these settings. Limits count anew; hooks that were added otherwise stay."""
        self._hold_to(settings.components, settings.concurrency)
        for remove in self._removers:
            remove()
        self._removers = add_hooks(self.hooks, settings.hooks, self.metrics)

    def _hold_to(self, policies: Mapping[str, Policy], concurrency: Concurrency | None) -> None:
        self._policies = dict(policies)
        self._everything = Gate("all components", concurrency.limit, concurrency.queue) if concurrency else None
        self._limits: dict[tuple[str, Policy | None, float | None], Limits] = {}

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
            PermissionDeniedError, BudgetSpentError: whoever it is for may not do what it needs.
            RunRejectedError: a limit does not let it start.
            VetoError, HookFailedError: a hook forbids it, or failed and must not.
            ComponentTimeoutError: it took longer than it or the context may.
            ComponentFailedError: it raised something that is not a QueristError, or returned what it should not.
            QueristError: as the component raised it.
            asyncio.CancelledError: it was cancelled, by its task or by `context.cancellation`.
        """
        check_component(component)
        outer = context or RunContext()
        limits = self._limits_of(component)
        timeout = limits.policy.timeout if limits else component.timeout
        # A component that runs others finds the runner in its context, so that these pass the same door.
        extras = outer.extras if outer.extras.get(Runner) is self else {**outer.extras, Runner: self}
        run = outer.child(self.timeout if timeout is None else timeout, extras)
        name, run_id, parent_id = component.name, run.run_id, run.parent_id
        started = time.monotonic()
        run.events.emit(RunStarted(source=name, run_id=run_id, parent_id=parent_id))
        # The span is outermost, so that it also shows what the steps before the work cost and refuse.
        try:
            with span(name, run_id, parent_id):
                if run.cancellation.cancelled:
                    raise asyncio.CancelledError
                forget = _cancel_with(run)
                try:
                    output, cached = await self._pass(component, input, run, limits, run.deadline == outer.deadline)
                finally:
                    forget()
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
        run.events.emit(RunFinished(source=name, run_id=run_id, parent_id=parent_id, seconds=took, cached=cached))
        return output

    async def _pass(
        self,
        component: Component[In, Out],
        input: In | Mapping[str, Any],
        run: RunContext,
        limits: Limits | None,
        borrowed: bool,
    ) -> tuple[Out, bool]:
        """The way through the door: the output, and whether it was kept from an earlier run."""
        checked = _checked_input(component, input)
        _permitted(component, checked, run)
        if limits is None:
            return await self._inside(component, checked, run, None, borrowed), False
        cache = limits.cache
        key = cache.key(component.version, checked) if cache else ""
        if cache and key:
            kept = cache.get(key)
            if isinstance(kept, component.output_type):
                return kept, True
        with await _within(run, component.name, borrowed, limits.enter(run)):
            output = await self._inside(component, checked, limits.around(run), limits, borrowed)
        if cache and key:
            cache.put(key, output)
        return output, False

    async def _inside(
        self, component: Component[In, Out], input: In, run: RunContext, limits: Limits | None, borrowed: bool
    ) -> Out:
        """The work and its hooks, which find the context of the run in `current_run`."""
        before = current_run.set(run)
        try:
            return await self._hooked(component, input, run, limits, borrowed)
        finally:
            current_run.reset(before)

    async def _hooked(
        self, component: Component[In, Out], input: In, run: RunContext, limits: Limits | None, borrowed: bool
    ) -> Out:
        """The work, and the hooks around it."""
        hooks, kind, name = self.hooks, component.kind, component.name
        started = time.monotonic()
        if before := hooks.at("before", kind, name):
            moving = Moving(f"before:{kind}", name, input, run, input)
            changed = await pass_through(before, moving, lambda value: _checked_input(component, value))
            if changed is not input:
                input = changed
                _permitted(component, input, run)
        try:
            output = await _worked(component, input, run, limits, borrowed)
        except QueristError as error:
            entries = hooks.at("error", kind, name)
            if not entries:
                raise
            took = time.monotonic() - started
            moving = Moving(f"error:{kind}", name, None, run, input, error, took)
            output = await pass_through(entries, moving, lambda value: _checked_output(component, value))
            if output is None:
                raise
        if after := hooks.at("after", kind, name):
            moving = Moving(f"after:{kind}", name, output, run, input, None, time.monotonic() - started)
            output = await pass_through(after, moving, lambda value: _checked_output(component, value))
        return output

    def _limits_of(self, component: Component[Any, Any]) -> Limits | None:
        """None where there is nothing but a timeout of the component's own."""
        name, own = component.name, component.policy
        if own is None and not self._policies and self._everything is None:
            return None
        key = (name, own, component.timeout)
        limits = self._limits.get(key)
        if limits is None:
            # Two threads may both come here first: `setdefault` lets them share one.
            limits = self._limits.setdefault(key, Limits(name, self._policy_of(component), self._everything))
        return limits

    def _policy_of(self, component: Component[Any, Any]) -> Policy:
        """What is set by name goes before what the component sets itself, and that before what is set for all."""
        named = self._policies.get(component.name, Policy())
        own = component.policy or Policy()
        if component.timeout is not None and own.timeout is None:
            own = own.model_copy(update={"timeout": component.timeout})
        own = named.over(own)
        if not component.own_process and (own.memory_mb or own.cpu_seconds):
            raise ConfigError(
                f"{component.name!r} has a bound on memory or CPU time, but works in the program's process.",
                hint="There such a bound cannot be kept: leave it out.",
            )
        return own.over(self._policies.get(DEFAULTS, Policy()))


async def _worked(
    component: Component[In, Out], input: In, run: RunContext, limits: Limits | None, borrowed: bool
) -> Out:
    """The component's work within its time, tried again where its policy says so."""

    async def once() -> Out:
        try:
            return _checked_output(component, await component.run(input, run))
        except QueristError:
            raise
        except (Exception, SystemExit) as error:
            raise _failed(component.name, error) from error

    if limits is None:
        return await _within(run, component.name, borrowed, once())
    try:
        output = await _within(run, component.name, borrowed, limits.tried(once, run))
    except QueristError as error:
        limits.note(error, run)
        raise
    limits.note(None, run)
    return output


async def _within(run: RunContext, name: str, borrowed: bool, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, stopped at the deadline; `borrowed` says that the deadline is that of the run's caller."""
    remaining = run.remaining()
    assert remaining is not None, "the runner gives every run a deadline"
    if remaining <= 0:
        work.close()
        raise ComponentTimeoutError(f"There was no time left to start {name!r}.", hint="Allow more time.")
    bound = asyncio.timeout(remaining)
    try:
        async with bound:
            return await work
    except TimeoutError as error:
        if not bound.expired():
            raise
        whose = "what was left of its caller's time" if borrowed else "its own limit"
        raise ComponentTimeoutError(
            f"{name!r} did not finish in {remaining:.4g} s, {whose}.",
            hint="Allow more time, or ask for less.",
        ) from error


def _cancel_with(run: RunContext) -> Callable[[], None]:
    """Cancel the running task when the context is cancelled, from whichever thread. Returns what ends that."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None

    def cancel() -> None:
        with suppress(RuntimeError):  # the loop is closed, and its tasks are over
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


def _checked_output(component: Component[In, Out], output: Any) -> Out:
    if isinstance(output, component.output_type):
        return output
    expected, got = component.output_type.__name__, type(output).__name__
    raise ComponentFailedError(f"{component.name!r} returned a {got} and not a {expected}.")


def _permitted(component: Component[In, Out], input: In, run: RunContext) -> None:
    budget = run.principal.budget
    if budget is not None and component.kind == "model" and not budget.left:
        raise BudgetSpentError(
            f"{run.principal.name!r} has used {budget.spent:,} of {budget.tokens:,} tokens, so no model is asked.",
            hint="Raise `token_budget`, or ask for less.",
        )
    for need in component.needs(input):
        grant = run.principal.grant_for(need)
        if grant is None:
            raise PermissionDeniedError(
                f"{component.name!r} needs the permission {str(need)!r}, which {run.principal.name!r} does not have.",
                hint=f"Grant it, such as {str(need)!r}, or do without.",
            )
        run.emit(PermissionUsed(source=component.name, principal=run.principal.name, need=str(need), grant=str(grant)))


def _failed(name: str, error: BaseException) -> ComponentFailedError:
    return ComponentFailedError(f"{name!r} failed: {type(error).__name__}: {error}")
