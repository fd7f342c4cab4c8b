"""Which sandbox is chosen, and those that are not on this machine's walls."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from querist.errors import ConfigError, SandboxError, SandboxUnavailableError
from querist.sandbox import open as opening
from querist.sandbox.base import Job, SandboxLimits
from querist.sandbox.container import container_command
from querist.sandbox.local import LocalSandbox
from querist.sandbox.monty import MontySandbox
from querist.sandbox.open import limits_of, open_sandbox
from querist.sandbox.remote import RemoteSandbox
from querist.sandbox.server import SandboxServer
from querist.settings import SandboxSettings
from querist.sources.table import ResultColumn, Table

TABLE = Table((ResultColumn("a"),), ((1,), (2,)))


@pytest.fixture
def server(sandbox: LocalSandbox) -> Iterator[str]:
    serving = SandboxServer(("127.0.0.1", 0), sandbox, "token", SandboxLimits(seconds=20))
    thread = threading.Thread(target=serving.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{serving.server_address[1]}"
    serving.shutdown()
    thread.join()
    serving.server_close()


def test_without_a_strong_sandbox_it_refuses_and_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "_probed", lambda kind: "the program bwrap is not installed")
    with pytest.raises(SandboxUnavailableError, match="bwrap is not installed") as raised:
        open_sandbox(SandboxSettings())
    assert "apt-get install bubblewrap" in raised.value.hint


def test_no_walls_only_when_the_settings_say_so() -> None:
    assert open_sandbox(SandboxSettings(backend="unsafe")).strength == "unsafe"
    with pytest.raises(ConfigError, match=r"sandbox\.url"):
        open_sandbox(SandboxSettings(backend="remote"))


def test_limits_come_from_the_settings() -> None:
    assert limits_of(SandboxSettings(memory_mb=100, files_mb=1)).memory == 100 << 20
    assert limits_of(SandboxSettings()) == SandboxLimits()


@pytest.mark.anyio
async def test_a_remote_run_is_like_a_local_one(server: str) -> None:
    told: list[str] = []
    code = "print('hello', flush=True)\nopen('a.txt', 'w').write('x')\nresult = {'n': len(t), 't': t}"
    outcome = await RemoteSandbox(server, "token").run(Job(code, {"t": TABLE}), told.append)
    assert (outcome.status, outcome.value) == ("ok", {"n": 2, "t": {"table": "t"}})
    assert outcome.tables["t"].rows == TABLE.rows
    assert [file.name for file in outcome.files] == ["a.txt"]
    assert "".join(told) == outcome.stdout == "hello\n"
    assert (outcome.strength, outcome.backend) == ("remote", "remote (bubblewrap, strong)")


@pytest.mark.anyio
async def test_a_server_refuses_a_wrong_token(server: str) -> None:
    with pytest.raises(SandboxError, match="token is missing or wrong"):
        await RemoteSandbox(server, "other").run(Job("result = 1"))


@pytest.mark.anyio
async def test_restricted_python_computes_and_has_no_files() -> None:
    sandbox = MontySandbox()
    outcome = await sandbox.run(Job("print('x')\nresult = sum(t['a']) * factor", {"t": TABLE}, {"factor": 2}))
    assert (outcome.value, outcome.stdout, outcome.strength) == (6, "x\n", "restricted")
    assert (await sandbox.run(Job("result = open('/etc/passwd').read()"))).status == "error"
    assert (await sandbox.run(Job("while True: pass", limits=SandboxLimits(seconds=0.3)))).limit == "seconds"


def test_a_container_has_no_network_no_rights_and_no_writable_system() -> None:
    command = container_command("docker", "image", SandboxLimits(), "name")
    for words in ("--network none", "--read-only", "--cap-drop ALL", "--user 65534:65534", "no-new-privileges"):
        assert words in " ".join(command)
