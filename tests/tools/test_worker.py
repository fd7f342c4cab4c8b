from __future__ import annotations

import asyncio
import operator
import re
import time

import pytest

from querist.core.context import RunContext, current_run
from querist.errors import ComponentFailedError, ComponentInputError, ComponentTimeoutError
from querist.tools.worker import in_worker


@pytest.mark.anyio
async def test_a_function_is_called_with_json_and_answers_with_it() -> None:
    assert await in_worker(re.escape, "a.b") == r"a\.b"


@pytest.mark.anyio
async def test_what_does_not_end_is_killed() -> None:
    with pytest.raises(ComponentTimeoutError):
        await in_worker(time.sleep, 60, seconds=0.5)


@pytest.mark.anyio
async def test_it_ends_when_it_is_cancelled_while_a_large_reply_comes_in(monkeypatch: pytest.MonkeyPatch) -> None:
    feed = asyncio.StreamReader.feed_data

    def fill_and_cancel(reader: asyncio.StreamReader, data: bytes) -> None:
        feed(reader, data + bytes(200_000))  # so much that nothing more is taken from the pipe
        monkeypatch.setattr(asyncio.StreamReader, "feed_data", feed)
        task.cancel()

    monkeypatch.setattr(asyncio.StreamReader, "feed_data", fill_and_cancel)
    task = asyncio.ensure_future(in_worker(operator.mul, "x", 20_000_000))
    ended, _ = await asyncio.wait([task], timeout=20)
    assert ended
    assert task.cancelled()


@pytest.mark.anyio
async def test_what_grows_too_large_fails() -> None:
    with pytest.raises(ComponentFailedError, match="too large"):
        await in_worker(operator.mul, "x", 10**10)


@pytest.mark.anyio
async def test_it_keeps_to_the_memory_of_the_run_that_it_works_for() -> None:
    assert len(await in_worker(operator.mul, "x", 40_000_000)) == 40_000_000
    inside = current_run.set(RunContext(memory_mb=128))
    try:
        with pytest.raises(ComponentFailedError, match="too large"):
            await in_worker(operator.mul, "x", 40_000_000)
    finally:
        current_run.reset(inside)


@pytest.mark.anyio
async def test_its_complaints_about_the_input_come_back() -> None:
    with pytest.raises(ComponentInputError, match="invalid literal"):
        await in_worker(int, "x")
