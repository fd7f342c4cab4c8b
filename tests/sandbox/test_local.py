"""What code may do in the sandbox, and what comes back of it."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest

from querist.sandbox.base import Job, SandboxLimits
from querist.sandbox.local import LocalSandbox
from querist.sources.table import ResultColumn, Table

SALES = Table(
    (ResultColumn("region"), ResultColumn("amount"), ResultColumn("day")),
    (("north", 10, dt.date(2024, 1, 1)), ("south", 32, dt.date(2024, 1, 2)), ("north", None, None)),
)

pytestmark = pytest.mark.anyio


async def test_a_result_comes_back_as_data(sandbox: LocalSandbox) -> None:
    code = "result = {'sum': sales['amount'].sum(), 'factor': factor, 'bad': float('nan')}\nprint('done')"
    outcome = await sandbox.run(Job(code, {"sales": SALES}, {"factor": 2}))
    assert (outcome.status, outcome.value) == ("ok", {"sum": 42, "factor": 2, "bad": None})
    assert (outcome.stdout, outcome.backend, outcome.strength) == ("done\n", "bubblewrap", "strong")


@pytest.mark.parametrize("frames", ["polars", "pandas"])
async def test_a_data_frame_comes_back_as_a_table(sandbox: LocalSandbox, frames: str) -> None:
    outcome = await sandbox.run(Job("result = sales", {"sales": SALES}, frames=frames))  # type: ignore[arg-type]
    table = outcome.tables["result"]
    assert table.names == ["region", "amount", "day"]
    assert [row[0] for row in table] == ["north", "south", "north"]
    assert outcome.value == {"table": "result"}


async def test_files_and_open_figures_are_handed_out(sandbox: LocalSandbox) -> None:
    code = "open('note.txt', 'w').write('hello')\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])"
    outcome = await sandbox.run(Job(code))
    assert [(f.name, f.media_type) for f in outcome.files] == [
        ("figure_1.png", "image/png"),
        ("note.txt", "text/plain"),
    ]


async def test_an_error_names_the_line(sandbox: LocalSandbox) -> None:
    outcome = await sandbox.run(Job("x = 1\ny = x / 0"))
    assert outcome.status == "error"
    assert outcome.error is not None
    assert (outcome.error.type, outcome.error.line) == ("ZeroDivisionError", 2)
    assert "y = x / 0" in outcome.error.traceback
    assert "worker" not in outcome.error.traceback


async def test_output_is_told_while_the_code_runs(sandbox: LocalSandbox) -> None:
    told: list[str] = []
    first = asyncio.Event()

    def tell(text: str) -> None:
        told.append(text)
        first.set()

    code = "import time\nprint('first', flush=True)\ntime.sleep(30)"
    running = asyncio.create_task(sandbox.run(Job(code), tell))
    await asyncio.wait_for(first.wait(), 20)
    assert not running.done()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert told == ["first\n"]


async def test_runs_share_nothing_but_a_session_does(sandbox: LocalSandbox) -> None:
    code = "result = globals().get('x', 0)\nx = 5\nimport os; files = os.listdir(); open('kept.txt', 'w').close()"
    assert [(await sandbox.run(Job(code))).value for _ in range(2)] == [0, 0]
    assert [(await sandbox.run(Job(code, session="s"))).value for _ in range(2)] == [0, 5]
    outcome = await sandbox.run(Job("import os; result = os.listdir()"))
    assert outcome.value == []


@pytest.mark.parametrize(
    ("code", "limit"),
    [
        ("while True: pass", "cpu_seconds"),
        ("import time; time.sleep(60)", "seconds"),
        ("x = bytearray(300 << 20)", "memory"),
        ("while True: print('x' * 1000)", "output"),
        ("import time\nfor n in range(9): open(f'{n}', 'wb').write(b'x' * 900_000)\ntime.sleep(9)", "files"),
    ],
)
async def test_each_limit_ends_the_run(sandbox: LocalSandbox, code: str, limit: str) -> None:
    seconds = 1.5 if limit == "seconds" else 20
    limits = SandboxLimits(seconds=seconds, cpu_seconds=0.3, memory=100 << 20, output=10_000, files=1 << 20)
    outcome = await sandbox.run(Job(code, limits=limits))
    assert (outcome.status, outcome.limit) == ("limit", limit)


async def test_a_process_that_dies_is_told(sandbox: LocalSandbox) -> None:
    outcome = await sandbox.run(Job("import os; os.abort()"))
    assert outcome.error is not None
    assert outcome.error.type == "ProcessEnded"
    assert (await sandbox.run(Job("result = 1"))).value == 1


async def test_many_run_at_once(sandbox: LocalSandbox) -> None:
    outcomes = await asyncio.gather(*(sandbox.run(Job(f"result = {n}")) for n in range(20)))
    assert [outcome.value for outcome in outcomes] == list(range(20))
