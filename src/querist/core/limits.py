"""What one component is held to: its policy, and the gate, rates, breaker and cache that the policy asks for."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import ClassVar, TypeVar

from querist.core.breaker import Breaker
from querist.core.context import Priority, RunContext
from querist.core.events import Event
from querist.core.gate import Gate
from querist.core.output_cache import OutputCache
from querist.core.rate import RateLimit
from querist.errors import (
    AgentLimitError,
    BudgetSpentError,
    ComponentInputError,
    PermissionDeniedError,
    QueristError,
    RunRejectedError,
    UsageError,
    VetoError,
)
from querist.settings.policy import Policy

T = TypeVar("T")

log = logging.getLogger(__name__)

_NOT_ITS_FAULT = (
    AgentLimitError,
    BudgetSpentError,
    ComponentInputError,
    PermissionDeniedError,
    RunRejectedError,
    UsageError,
    VetoError,
)
"""Errors that say nothing about whether a component works."""


@dataclass(frozen=True, kw_only=True)
class BreakerOpened(Event):
    """The component `source` failed so often that it is left alone for `reset` seconds."""

    name: ClassVar[str] = "breaker.opened"
    reset: float


@dataclass(frozen=True, kw_only=True)
class BreakerClosed(Event):
    """The component `source` works again."""

    name: ClassVar[str] = "breaker.closed"


@dataclass(frozen=True, kw_only=True)
class RunRetried(Event):
    """A try failed with the error `code`; the next comes after `wait` seconds."""

    name: ClassVar[str] = "run.retried"
    attempt: int
    code: str
    wait: float


class Limits:
    """The limits of one component, kept from run to run.

    Args:
        everything: the gate that all outermost runs share; None when there is none.
    """

    def __init__(self, name: str, policy: Policy, everything: Gate | None = None) -> None:
        self.name, self.policy, self.everything = name, policy, everything
        rate, bound, breaker, cache = policy.rate, policy.concurrency, policy.breaker, policy.cache
        self.rate = self.tokens = None
        if rate and rate.per_minute:
            self.rate = RateLimit(f"runs of {name!r}", rate.per_minute, rate.burst)
        if rate and rate.tokens_per_minute:
            self.tokens = RateLimit(f"tokens of {name!r}", rate.tokens_per_minute, rate.tokens_per_minute)
        self.priority = Priority[policy.priority.upper()] if policy.priority else None
        self.gate = Gate(repr(name), bound.limit, bound.queue) if bound else None
        self.breaker = Breaker(name, breaker.threshold, breaker.window, breaker.reset) if breaker else None
        self.cache = OutputCache(cache.ttl, cache.size) if cache else None

    def around(self, run: RunContext) -> RunContext:
        """The context of a run that is held to these limits, once it is let in."""
        policy = self.policy
        return replace(
            run,
            priority=self._priority(run),
            memory_mb=_least(run.memory_mb, policy.memory_mb),
            cpu_seconds=_least(run.cpu_seconds, policy.cpu_seconds),
            held=run.held | {self.name} if self.gate else run.held,
            meters=(*run.meters, self.tokens.spend) if self.tokens else run.meters,
        )

    async def enter(self, run: RunContext) -> ExitStack:
        """Wait until the run may begin. What is returned has to be closed when it ends.

        Raises:
            RunRejectedError: it may not begin, or not in time.
        """
        with ExitStack() as leave:
            if self.breaker and self.breaker.enter():
                leave.callback(self.breaker.release)
            await self._turn(run)
            # Runs inside an outermost run, and those inside a run of the same component, share its place: if they
            # waited for one, they could wait for each other for ever.
            if self.everything and not run.parent_id:
                await self.everything.enter(self._priority(run))
                leave.callback(self.everything.leave)
            if self.gate and self.name not in run.held:
                await self.gate.enter(self._priority(run))
                leave.callback(self.gate.leave)
            return leave.pop_all()

    async def tried(self, work: Callable[[], Awaitable[T]], run: RunContext) -> T:
        """What `work` returns, tried as often as the policy says, as long as there is time.

        Raises:
            Exception: as the last try raised it.
        """
        retry, attempt = self.policy.retry, 1
        while True:
            try:
                return await work()
            except QueristError as error:
                if retry is None or attempt >= retry.attempts or not _is_of(error.code, retry.on):
                    raise
                wait = retry.backoff * 2 ** (attempt - 1) * random.uniform(0.75, 1.25)
                wait = max(wait, getattr(error, "retry_after", None) or 0.0)
                if wait >= (run.remaining() or 0.0):
                    raise
                log.info("%s failed (%s); try %d follows in %.1f s", self.name, error.code, attempt + 1, wait)
                run.emit(RunRetried(source=self.name, attempt=attempt, code=error.code, wait=wait))
            attempt += 1
            await asyncio.sleep(wait)
            await self._turn(run)

    def note(self, error: QueristError | None, run: RunContext) -> None:
        """Tell the breaker how a run ended."""
        if self.breaker is None:
            return
        if error is None:
            if self.breaker.succeeded():
                run.emit(BreakerClosed(source=self.name))
        elif not isinstance(error, _NOT_ITS_FAULT) and self.breaker.failed():
            run.emit(BreakerOpened(source=self.name, reset=self.breaker.reset))

    def _priority(self, run: RunContext) -> Priority:
        return run.priority if self.priority is None else self.priority

    async def _turn(self, run: RunContext) -> None:
        patience = run.remaining() or 0.0
        if self.rate:
            await self.rate.take(1, patience)
        if self.tokens:
            await self.tokens.take(0, patience)


def _is_of(code: str, on: tuple[str, ...]) -> bool:
    return any(code == wanted or code.startswith(f"{wanted}.") for wanted in on)


Number = TypeVar("Number", int, float)


def _least(one: Number | None, other: Number | None) -> Number | None:
    return one if other is None else other if one is None else min(one, other)
