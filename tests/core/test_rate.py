from __future__ import annotations

import asyncio

import pytest

from querist.core.rate import RateLimit
from querist.errors import RunRateLimitError
from tests.core.doing import Clock


@pytest.mark.anyio
async def test_a_burst_is_let_through_and_what_follows_is_told_when_to_come() -> None:
    clock = Clock()
    rate = RateLimit("runs of 'fetch'", per_minute=6, burst=2, clock=clock)
    await rate.take(1, patience=0)
    await rate.take(1, patience=0)
    with pytest.raises(RunRateLimitError, match="runs of 'fetch'") as caught:
        await rate.take(1, patience=9)
    assert caught.value.retry_after == pytest.approx(10)
    clock.now += 10
    await rate.take(1, patience=0)


@pytest.mark.anyio
async def test_who_has_patience_waits_and_who_gives_up_gives_back() -> None:
    clock = Clock()
    rate = RateLimit("runs", per_minute=60, burst=1, clock=clock)
    await rate.take(1, patience=0)
    waiting = asyncio.create_task(rate.take(1, patience=2))
    await asyncio.sleep(0)
    assert not waiting.done()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    clock.now += 1
    await rate.take(1, patience=0)


@pytest.mark.anyio
async def test_what_was_used_beyond_the_limit_has_to_be_paid_off() -> None:
    clock = Clock()
    tokens = RateLimit("tokens", per_minute=600, burst=600, clock=clock)
    tokens.spend(700)
    with pytest.raises(RunRateLimitError) as caught:
        await tokens.take(0, patience=0)
    assert caught.value.retry_after == pytest.approx(10)
    clock.now += 10
    await tokens.take(0, patience=0)
