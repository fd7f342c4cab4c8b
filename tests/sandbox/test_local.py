"""What code may do in the sandbox, and what comes back of it."""

from __future__ import annotations

import asyncio
import datetime as dt
import socket
import sys
import tempfile
from pathlib import Path

import pytest

from querist.errors import SandboxError, UsageError
from querist.sandbox import local
from querist.sandbox.base import Job, Outcome, SandboxLimits
from querist.sandbox.launch import Kind, Launch, launch, probe
from querist.sandbox.local import LocalSandbox
from querist.sources.table import ResultColumn, Table

SALES = Table(
    (ResultColumn("region"), ResultColumn("amount"), ResultColumn("day")),
    (("north", 10, dt.date(2024, 1, 1)), ("south", 32, dt.date(2024, 1, 2)), ("north", None, None)),
)

_WRITE = "kept = [open({}, 'wb', 0) for n in range(9)]\n{}\nfor file in kept: file.write(b'x' * 900_000)"
_LIMITS = {
    "a loop": ("while True: pass", "cpu_seconds"),
    "waiting": ("time.sleep(60)", "seconds"),
    "memory": ("x = bytearray(300 << 20)", "memory"),
    "output": ("while True: print('x' * 1000)", "output"),
    "threads": (
        "from _thread import *; stack_size(1 << 18)\nfor _ in range(20): start_new(time.sleep, (9,))",
        "threads",
    ),
    "files": (_WRITE.format("f'{n}'", ""), "files"),
    "one large file": ("with open('a', 'w') as file: file.write('x' * 2_000_000)", "files"),
    "a large result": ("import polars; result = polars.DataFrame({'n': range(300_000)}); raise SystemExit", "files"),
    "files in a folder that cannot be read": ("os.mkdir('a', 0o300)\n" + _WRITE.format("f'a/{n}'", ""), "files"),
    "files without names": (_WRITE.format("f'{n}'", "for n in range(9): os.unlink(f'{n}')"), "files"),
    "folders without end": ("for n in range(3000): os.mkdir('d'); os.chdir('d')", "files"),
    "too many files": ("for n in range(1500): open(f'{n}', 'w').close()", "files"),
}

pytestmark = pytest.mark.anyio


async def test_a_result_comes_back_as_data(sandbox: LocalSandbox) -> None:
    code = "result = {'sum': sales['amount'].sum(), 'factor': factor, 'bad': float('nan')}\nprint('done')"
    outcome = await sandbox.run(Job(code, {"sales": SALES}, {"factor": 2}))
    assert (outcome.status, outcome.value) == ("ok", {"sum": 42, "factor": 2, "bad": None})
    assert (outcome.stdout, outcome.backend, outcome.strength) == ("done\n", "bubblewrap", "strong")


@pytest.mark.usefixtures("sandbox")
async def test_python_may_lie_below_a_folder_that_the_sandbox_has_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        python = Path(place, "bin", "python")
        python.parent.mkdir()
        python.symlink_to(sys.executable)
        monkeypatch.setattr(sys, "prefix", place)
        monkeypatch.setattr(sys, "executable", str(python))
        assert probe("bubblewrap") == ""


@pytest.mark.usefixtures("sandbox")
@pytest.mark.parametrize("place", ["/", "/usr", "~"])
async def test_a_python_that_fills_a_folder_of_more_does_not_open_it(
    monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    folder = str(Path(place).expanduser())
    monkeypatch.setattr(sys, "prefix", folder)
    assert folder not in launch("bubblewrap").config["readable"]


@pytest.mark.parametrize("frames", ["polars", "pandas"])
async def test_a_data_frame_comes_back_as_a_table(sandbox: LocalSandbox, frames: str) -> None:
    outcome = await sandbox.run(Job("result = sales", {"sales": SALES}, frames=frames))  # type: ignore[arg-type]
    table = outcome.tables["result"]
    assert table.names == ["region", "amount", "day"]
    assert [row[0] for row in table] == ["north", "south", "north"]
    assert outcome.value == {"table": "result"}


async def test_files_and_open_figures_are_handed_out(sandbox: LocalSandbox) -> None:
    code = (
        "open('note.txt', 'w').write('hello')\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.savefig('a.svg')"
    )
    outcome = await sandbox.run(Job(code))
    assert [(f.name, f.media_type) for f in outcome.files] == [
        ("a.svg", "image/svg+xml"),
        ("note.txt", "text/plain"),
        ("figure_1.png", "image/png"),
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


async def test_what_was_printed_before_a_limit_is_kept(sandbox: LocalSandbox) -> None:
    outcome = await sandbox.run(Job("print('first')\nwhile True: pass", limits=SandboxLimits(cpu_seconds=0.2)))
    assert (outcome.limit, outcome.stdout) == ("cpu_seconds", "first\n")


async def test_runs_share_nothing_but_a_session_does(sandbox: LocalSandbox) -> None:
    code = "result = globals().get('x', 0)\nx = 5\nimport os; files = os.listdir(); open('kept.txt', 'w').close()"
    assert [(await sandbox.run(Job(code))).value for _ in range(2)] == [0, 0]
    assert [(await sandbox.run(Job(code, session="s"))).value for _ in range(2)] == [0, 5]
    outcome = await sandbox.run(Job("import os; result = os.listdir()"))
    assert outcome.value == []


@pytest.mark.parametrize(("code", "limit"), _LIMITS.values(), ids=_LIMITS)
async def test_each_limit_ends_the_run(sandbox: LocalSandbox, code: str, limit: str) -> None:
    seconds = 1.5 if limit == "seconds" else 20
    limits = SandboxLimits(seconds=seconds, cpu_seconds=0.5, threads=10, memory=100 << 20, output=10_000, files=1 << 20)
    outcome = await sandbox.run(Job(f"import os, time\n{code}\ntime.sleep(19)", limits=limits))
    assert (outcome.status, outcome.limit) == ("limit", limit)


async def test_the_event_loop_goes_on_while_a_run_that_reached_a_limit_ends(sandbox: LocalSandbox) -> None:
    asyncio.get_running_loop().set_debug(True)  # it then refuses to wait for a socket that blocks
    outcome = await sandbox.run(Job("import time; time.sleep(60)", limits=SandboxLimits(seconds=0.2)))
    assert outcome.limit == "seconds"


async def test_other_processes_are_never_allowed(sandbox: LocalSandbox) -> None:
    for code in ("import os; os.fork()", "import subprocess; subprocess.run(['/usr/bin/true'])"):
        outcome = await sandbox.run(Job(code))
        assert outcome.error is not None
        assert outcome.error.type == "PermissionError"


async def test_nothing_is_left_of_a_run_however_it_made_its_folders(sandbox: LocalSandbox) -> None:
    used = "import os; s = os.statvfs('.'); result = s.f_files - s.f_ffree"
    before = (await sandbox.run(Job(used))).value
    code = "import os; os.mkdir('hidden', 0); os.mkdir('a', 0o300)\nfor n in range(3000): os.mkdir('d'); os.chdir('d')"
    await sandbox.run(Job(code))
    while (await sandbox.run(Job(used))).value > before + 9:  # it is removed once its end was seen
        await asyncio.sleep(0.05)


async def test_what_a_cancelled_start_leaves_is_ended(sandbox: LocalSandbox) -> None:
    await sandbox.warm()
    running = asyncio.create_task(sandbox.run(Job("result = 1", session="early")))
    for _ in range(3):
        await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (await asyncio.wait_for(until_free(sandbox, Job("result = 2", session="early")), 20)).value == 2


async def until_free(sandbox: LocalSandbox, job: Job) -> Outcome:
    while True:
        try:
            return await sandbox.run(job)
        except UsageError:
            await asyncio.sleep(0.02)


async def test_each_run_of_a_session_has_the_whole_limits(sandbox: LocalSandbox) -> None:
    code = "import time\nend = time.process_time() + 0.2\nwhile time.process_time() < end: pass"
    limits = SandboxLimits(cpu_seconds=0.4, seconds=20)
    outcomes = [await sandbox.run(Job(code, limits=limits, session="long")) for _ in range(3)]
    assert [outcome.status for outcome in outcomes] == ["ok"] * 3


async def test_a_session_runs_one_job_at_a_time(sandbox: LocalSandbox) -> None:
    job = Job("import time; time.sleep(0.2)", session="one")
    both = await asyncio.gather(sandbox.run(job), sandbox.run(job), return_exceptions=True)
    assert sorted(type(one).__name__ for one in both) == ["Outcome", "UsageError"]


async def test_a_session_that_rests_too_long_ends(sandbox: LocalSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "SESSION_SECONDS", 0.05)
    await sandbox.run(Job("x = 5", session="idle"))
    await asyncio.sleep(0.5)
    assert (await sandbox.run(Job("result = globals().get('x')", session="idle"))).value is None


async def test_one_session_too_many_ends_the_one_that_rested_longest(
    sandbox: LocalSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "MOST_SESSIONS", 2)
    for name in ("first", "second", "third"):
        await sandbox.run(Job("x = 5", session=name))
    code = "result = globals().get('x')"
    assert [(await sandbox.run(Job(code, session=name))).value for name in ("third", "first")] == [5, None]


async def test_a_sandbox_that_died_is_started_again(sandbox: LocalSandbox) -> None:
    await sandbox.warm()
    sandbox._zygote._control.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]
    with pytest.raises(SandboxError):
        await sandbox.run(Job("result = 1"))
    assert (await sandbox.run(Job("result = 1"))).value == 1


async def test_nothing_is_left_of_a_sandbox_that_died(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def dying(kind: Kind) -> Launch:
        return Launch(("/bin/sh", "-c", "exit 1"), {}, tempfile.mkdtemp(dir=tmp_path))

    monkeypatch.setattr(local, "launch", dying)
    early = LocalSandbox("landlock")
    for _ in range(2):
        await early.warm()
        assert early._zygote is not None
        early._zygote.process.wait()
        assert len(list(tmp_path.iterdir())) == 1
    await early.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("sandbox")
async def test_a_sandbox_that_is_closed_while_it_warms_leaves_no_process_and_starts_none() -> None:
    early = LocalSandbox("bubblewrap")
    await early.warm()
    starting = early._zygote
    assert starting is not None
    running = asyncio.create_task(early.run(Job("result = 1")))
    await asyncio.sleep(0.1)
    await early.close()
    assert starting.process.poll() is not None
    for late in (running, early.warm()):
        with pytest.raises(SandboxError):
            await late


async def test_a_process_that_dies_is_told(sandbox: LocalSandbox) -> None:
    outcome = await sandbox.run(Job("import os; os.abort()"))
    assert outcome.error is not None
    assert outcome.error.type == "ProcessEnded"
    assert (await sandbox.run(Job("result = 1"))).value == 1


async def test_many_run_at_once(sandbox: LocalSandbox) -> None:
    code = "import time; time.sleep(1); result = {}"  # so that all are there at once
    outcomes = await asyncio.gather(*(sandbox.run(Job(code.format(n))) for n in range(110)))
    assert [outcome.value for outcome in outcomes] == list(range(110))
