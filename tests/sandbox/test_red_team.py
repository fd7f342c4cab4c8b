"""The sandbox holds the attacks; where nothing holds them they succeed: a suite that cannot fail proves nothing."""

from __future__ import annotations

import ctypes
import os
import struct
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest

from querist.errors import UsageError
from querist.sandbox.base import Job, OnOutput, Outcome
from querist.sandbox.local import LocalSandbox
from querist.sandbox.piped import UnsafeSandbox
from querist.sandbox.red_team.canaries import Canaries
from querist.sandbox.red_team.processes import ATTACKS as ON_PROCESSES
from querist.sandbox.red_team.suite import FAMILIES, attack_all
from querist.sandbox.remote import RemoteSandbox

QUICK = (
    "read-passwd",
    "read-key",
    "read-variable",
    "write-outside",
    "change-rights",
    "state-of-another-run",
    "tcp",
    "shell",
    "kill-process",
    "signal-by-descriptor",
)
FORGED = (
    "arrow-extension",
    "arrow-amplified",
    "deep-result",
    "huge-number",
    "lying-size",
    "pickle-as-picture",
    "page-as-picture",
    "giant-picture",
    "formula",
    "formula-other-separator",
)

pytestmark = pytest.mark.anyio


async def test_the_sandbox_holds(sandbox: LocalSandbox) -> None:
    verdicts = [verdict async for verdict in attack_all(sandbox, (*QUICK, *FORGED, "cell-reads-key", "user-namespace"))]
    assert len(verdicts) == 22
    assert [verdict for verdict in verdicts if not verdict.contained] == []


async def test_without_walls_the_attacks_succeed() -> None:
    verdicts = [verdict async for verdict in attack_all(UnsafeSandbox(), QUICK)]
    assert [verdict.name for verdict in verdicts if verdict.succeeded] == list(QUICK)


async def test_a_secret_is_found_among_more_than_may_be_printed() -> None:
    many = {f"MANY_{n}": "x" * 100_000 for n in range(4)}
    with subprocess.Popen(["sleep", "60"], env=many) as process:
        verdicts = [verdict async for verdict in attack_all(UnsafeSandbox(), ["read-others-variables"])]
        process.kill()
    assert [verdict.evidence for verdict in verdicts] == ["a secret came out"]


async def test_an_attack_whose_library_is_missing_is_not_tried() -> None:
    class WithoutPandas(UnsafeSandbox):
        async def run(self, job: Job, on_output: OnOutput | None = None) -> Outcome:
            code = f"import sys\nsys.modules['pandas'] = None\n{job.code}"
            return await super().run(replace(job, code=code), on_output)

    attacks = ("write-outside", "write-outside-pandas")
    verdicts = [verdict async for verdict in attack_all(WithoutPandas(), attacks)]
    assert [(verdict.succeeded, verdict.tried, verdict.contained) for verdict in verdicts] == [
        (True, True, False),
        (False, False, False),
    ]
    assert "pandas" in verdicts[1].how


async def test_a_sandbox_on_another_machine_is_not_judged_from_here() -> None:
    with pytest.raises(UsageError, match="on another machine") as raised:
        _ = [verdict async for verdict in attack_all(RemoteSandbox("https://sandbox.example.org", "token"))]
    assert raised.value.hint == "Run `querist sandbox test` there."


async def test_elsewhere_than_on_linux_the_attacks_say_what_they_need(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(UsageError, match="need Linux"):
        _ = [verdict async for verdict in attack_all(UnsafeSandbox(), QUICK)]


@pytest.mark.parametrize(
    ("attack", "on_x86", "on_arm"),
    [
        ("process-memory", {310}, {270}),
        ("keyring", {250}, {219}),
        ("bpf", {321, 323}, {280, 282}),
        ("memory-file", {319}, {279}),
    ],
)
def test_system_calls_are_called_by_the_numbers_of_the_machine(
    attack: str, on_x86: set[int], on_arm: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    called: set[int] = set()

    def syscall(number: int, *arguments: object) -> int:
        called.add(number)
        return -1

    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: SimpleNamespace(syscall=syscall))
    (code,) = (each.code for each in ON_PROCESSES if each.name == attack)
    for machine, numbers in (("x86_64", on_x86), ("aarch64", on_arm)):
        called.clear()
        monkeypatch.setattr(os, "uname", lambda machine=machine: SimpleNamespace(machine=machine))
        exec(code, {"P": {}})
        assert called == numbers


def test_what_is_to_be_loaded_into_the_kernel_is_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    programs: list[tuple[int, bytes]] = []

    def syscall(number: int, *arguments: object) -> int:
        command, about, size = arguments
        assert (number, command, size) == (321, 5, 128)
        assert isinstance(about, bytes)
        kind, steps, code, _ = struct.unpack_from("IIQQ", about)
        programs.append((kind, ctypes.string_at(code, 8 * steps)))
        return 3

    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: SimpleNamespace(syscall=syscall))
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(machine="x86_64"))
    (code,) = (each.code for each in ON_PROCESSES if each.name == "bpf")
    exec(code, {"P": {"half": "", "rest": ""}})
    assert programs == [(1, b"\xb7" + bytes(7) + b"\x95" + bytes(7))]  # a filter of sockets: return 0


def test_a_process_that_has_ended_does_not_live_on() -> None:
    code = "import time; open('/proc/self/comm', 'w').write('canary-test'); print(flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        assert Canaries().processes_called("canary-test") == [process.pid]
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and nobody has asked how
        assert Canaries().processes_called("canary-test") == []


def test_every_attack_has_a_name_of_its_own() -> None:
    names = [attack.name for attacks in FAMILIES.values() for attack in attacks]
    assert len(set(names)) == len(names) >= 40
