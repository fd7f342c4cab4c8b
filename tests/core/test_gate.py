from __future__ import annotations

import asyncio
import threading

import pytest

from querist.core.context import Priority
from querist.core.gate import Gate
from querist.errors import QueueFullError


@pytest.mark.anyio
async def test_those_who_wait_come_in_by_priority_and_then_in_order() -> None:
    gate, came = Gate("runs", 1, 10), list[str]()
    await gate.enter()

    async def visit(name: str, priority: Priority) -> None:
        await gate.enter(priority)
        came.append(name)
        gate.leave()

    visits = [("idle", Priority.IDLE), ("a", Priority.NORMAL), ("b", Priority.NORMAL), ("urgent", Priority.URGENT)]
    tasks = [asyncio.create_task(visit(*who)) for who in visits]
    await asyncio.sleep(0)
    gate.leave()
    await asyncio.gather(*tasks)
    assert came == ["urgent", "a", "b", "idle"]
    assert gate.inside == 0


@pytest.mark.anyio
async def test_a_full_queue_turns_away_and_says_what_to_do() -> None:
    gate = Gate("'fetch'", 1, 1)
    await gate.enter()
    waiting = asyncio.create_task(gate.enter())
    await asyncio.sleep(0)
    with pytest.raises(QueueFullError, match="1 of 'fetch' run and 1 wait") as caught:
        await gate.enter()
    assert "queue" in caught.value.hint
    gate.leave()
    await waiting


@pytest.mark.anyio
async def test_one_who_gives_up_waiting_leaves_no_gap() -> None:
    gate = Gate("runs", 1, 10)
    await gate.enter()
    gone, stays = asyncio.create_task(gate.enter()), asyncio.create_task(gate.enter())
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    gate.leave()
    await stays
    gate.leave()
    assert gate.inside == 0


@pytest.mark.anyio
async def test_one_who_gives_up_just_as_it_is_called_passes_its_turn_on() -> None:
    gate = Gate("runs", 1, 10)
    await gate.enter()
    gone, stays = asyncio.create_task(gate.enter()), asyncio.create_task(gate.enter())
    await asyncio.sleep(0)
    gate.leave()
    gone.cancel()
    await stays
    gate.leave()
    assert gate.inside == 0


def test_it_holds_between_event_loops_of_different_threads() -> None:
    gate, most, lock, inside = Gate("runs", 2, 100), [0], threading.Lock(), [0]

    async def visit() -> None:
        await gate.enter()
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        await asyncio.sleep(0)
        with lock:
            inside[0] -= 1
        gate.leave()

    async def visits() -> None:
        await asyncio.gather(*(visit() for _ in range(20)))

    threads = [threading.Thread(target=asyncio.run, args=(visits(),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [2]
    assert gate.inside == 0


def test_one_whose_event_loop_is_gone_is_passed_over() -> None:
    gate = Gate("runs", 1, 10)
    asyncio.run(gate.enter())
    loop = asyncio.new_event_loop()
    waiting = loop.create_task(gate.enter())
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    gate.leave()
    assert gate.inside == 0
    del waiting
