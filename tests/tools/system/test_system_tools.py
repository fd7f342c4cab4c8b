from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from querist.core.context import RunContext
from querist.core.permissions import Grant, Principal
from querist.core.runner import Runner
from querist.errors import ComponentInputError, ComponentTimeoutError, PermissionDeniedError, SandboxUnavailableError
from querist.sandbox.launch import probe
from querist.settings import Settings
from querist.tools.catalogue import load_tool
from tests.tools.granted import use
from tests.tools.site import reply, site

pytestmark = pytest.mark.anyio


@pytest.fixture
def python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a program on the path: this Python."""
    (tmp_path / "little-python").symlink_to(sys.executable)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    return "little-python"


async def test_a_granted_program_runs_without_a_shell(python: str) -> None:
    code = "import sys; print(sys.argv[1:], sys.stdin.read()); print('oh', file=sys.stderr); sys.exit(3)"
    args = ["-c", code, "a b", "$HOME; ls", "*"]
    ran = await use("process_executor", f"process:{python}", command=python, args=args, stdin="in")
    assert (ran.exit_code, ran.stdout, ran.stderr) == (3, "['a b', '$HOME; ls', '*'] in\n", "oh\n")
    assert not ran.sandboxed


@pytest.mark.parametrize("command", ["/bin/ls", "../ls", "./ls", "-x", "a\0b", "", ".."])
async def test_programs_go_by_name_and_not_by_path(command: str) -> None:
    with pytest.raises(ComponentInputError):
        await use("process_executor", "process:*", command=command)


async def test_a_program_gets_no_secrets_and_a_folder_of_its_own(python: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "s3cret")
    code = "import os; print(sorted(os.environ), os.listdir('.'))"
    ran = await use("process_executor", f"process:{python}", command=python, args=["-c", code])
    assert "KEY" not in ran.stdout
    assert "HOME" not in ran.stdout
    assert ran.stdout.strip().endswith("[]")


async def test_it_works_in_a_folder_only_with_the_permission(python: str, tmp_path: Path) -> None:
    ask = {"command": python, "args": ["-c", "import os; print(os.getcwd())"], "working_dir": str(tmp_path)}
    ran = await use("process_executor", f"process:{python}", f"file_read:{tmp_path}", **ask)
    assert ran.stdout.strip() == str(tmp_path)
    with pytest.raises(PermissionDeniedError, match="file_read"):
        await use("process_executor", f"process:{python}", **ask)


async def test_its_time_ends_it_with_all_that_it_started(tmp_path: Path) -> None:
    script = f"echo up; (sleep 0.8; echo x > {tmp_path}/alive) & wait"
    ran = await use("process_executor", "process:sh", command="sh", args=["-c", script], timeout=0.4)
    assert (ran.timed_out, ran.exit_code, ran.stdout) == (True, None, "up\n")
    await asyncio.sleep(0.6)
    assert not (tmp_path / "alive").exists()


async def test_a_run_that_is_given_up_leaves_no_program_behind(tmp_path: Path) -> None:
    context = RunContext(principal=Principal("tester", (Grant("process", "sh"),))).child(timeout=0.4)
    script = f"echo $$ > {tmp_path}/pid; sleep 60"
    with pytest.raises(ComponentTimeoutError):
        await Runner().run(load_tool("process_executor"), {"command": "sh", "args": ["-c", script]}, context)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


async def test_endless_output_is_cut() -> None:
    ran = await use("process_executor", "process:yes", command="yes", timeout=0.4)
    assert (ran.truncated, len(ran.stdout)) == (True, 1_000_000)


async def test_only_variables_that_the_settings_allow_are_read_and_secrets_are_masked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("APP_MODE", "test")
    monkeypatch.setenv("APP_TOKEN", "abc")
    monkeypatch.setenv("APP_URL", "postgresql://me:hunter2@db/x")
    monkeypatch.setenv("APP_ID", "ghp_16C7e42F292c6912E7710c838347Ae178B4a")
    names = ["APP_MODE", "APP_TOKEN", "APP_URL", "APP_ID", "APP_NONE"]
    found = await use(
        "environment_reader", settings={"environment": ["APP_*"]}, variables=names, include_system_info=True
    )
    assert found.variables == {
        "APP_MODE": "test",
        "APP_TOKEN": "***",
        "APP_URL": "postgresql://me:***@db/x",
        "APP_ID": "***",
        "APP_NONE": None,
    }
    assert found.masked == ["APP_TOKEN", "APP_URL", "APP_ID"]
    assert found.system["python"].count(".") == 2
    with pytest.raises(PermissionDeniedError, match="APP_MODE"):
        await use("environment_reader", variables=["APP_MODE"])


async def test_services_are_up_or_down_and_say_why() -> None:
    async with site(lambda asked: reply(status=500 if asked.path == "/bad" else 200)) as here:
        checks = [
            {"host": "127.0.0.1", "port": here.port, "service": "site"},
            {"url": f"{here.url}/bad"},
            {"url": f"{here.url}/good"},
        ]
        found = await use("service_checker", "network:127.0.0.1", checks=checks)
        assert [(c.service, c.up) for c in found.checks] == [
            ("site", True),
            (f"{here.url}/bad", False),
            (f"{here.url}/good", True),
        ]
    closed = await use("service_checker", "network:127.0.0.1", checks=[{"host": "127.0.0.1", "port": here.port}])
    assert (closed.all_up, "refused" in closed.checks[0].detail) == (False, True)


async def test_checking_needs_permission_for_each_thing_and_reaches_nothing_private() -> None:
    with pytest.raises(PermissionDeniedError, match="process:x"):
        await use("service_checker", checks=[{"process": "x"}])
    with pytest.raises(PermissionDeniedError, match="not a public address"):
        await use("service_checker", "network:*", checks=[{"host": "127.0.0.1", "port": 22}])
    with pytest.raises(ComponentInputError):
        await use("service_checker", "network:*", checks=[{"host": "a b", "port": 22}])
    assert not (await use("service_checker", "process:*", checks=[{"process": "no-such-program"}])).all_up


async def test_the_machine_is_told(tmp_path: Path) -> None:
    state = await use("system_monitor", f"file_read:{tmp_path}", interval=0.05, path=str(tmp_path))
    assert 0 <= state.cpu_percent <= 100
    assert 0 < state.memory_available_bytes <= state.memory_total_bytes
    assert state.disk.free_bytes <= state.disk.total_bytes
    assert state.uptime_seconds < time.time()


@pytest.fixture(scope="module")
def walls() -> None:
    if why := probe("bubblewrap"):
        pytest.skip(f"bubblewrap does not work here: {why}")


@pytest.mark.usefixtures("walls")
async def test_a_program_without_a_grant_sees_nothing_of_the_world(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello\n")
    ask = {"working_dir": str(tmp_path)}
    read = await use("process_executor", f"file_read:{tmp_path}", command="cat", args=["a.txt", "-"], stdin="in", **ask)
    assert (read.stdout, read.exit_code, read.sandboxed) == ("hello\nin", 0, True)
    wrote = await use("process_executor", f"file_read:{tmp_path}", command="tee", args=["b.txt"], **ask)
    assert (wrote.exit_code, list(tmp_path.iterdir())) == (1, [tmp_path / "a.txt"])
    seen = await use("process_executor", command="ls", args=["/", "/etc", "/proc"])
    assert not {"home", "root", "passwd", str(os.getpid())} & set(seen.stdout.split())


@pytest.mark.usefixtures("walls")
@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("ls | cat", "fork"),
        ("exec 3<>/dev/tcp/127.0.0.1/22", "not permitted"),
        ("printf -v x '%0200000000d' 0", ""),
        ("exec dd if=/dev/zero of=/tmp/a bs=1M count=9", ""),
    ],
)
async def test_a_program_in_the_sandbox_starts_no_other_reaches_no_network_and_keeps_to_its_bounds(
    script: str, told: str
) -> None:
    bounds = Settings.model_validate({"sandbox": {"memory_mb": 100, "files_mb": 8}})
    input = {"command": "bash", "args": ["-c", script]}
    ran = await Runner().run(load_tool("process_executor"), input, RunContext().with_extras(bounds))
    assert ran.exit_code != 0
    assert told in ran.stderr


@pytest.mark.usefixtures("walls")
async def test_time_ends_a_program_in_the_sandbox(tmp_path: Path) -> None:
    ran = await use("process_executor", command="sleep", args=["7.0125"], timeout=0.4)
    assert (ran.timed_out, ran.exit_code) == (True, None)
    assert not [p.pid for p in psutil.process_iter(["cmdline"]) if "7.0125" in (p.info["cmdline"] or [])]


async def test_without_a_sandbox_a_program_needs_a_grant_and_is_told_how_to_get_either() -> None:
    context = RunContext().with_extras(Settings.model_validate({"sandbox": {"backend": "monty"}}))
    with pytest.raises(SandboxUnavailableError, match="'ls' is not granted") as refused:
        await Runner().run(load_tool("process_executor"), {"command": "ls"}, context)
    assert refused.value.hint == "Set sandbox.backend to auto. Or grant 'process:ls'."
