"""Which sandbox is chosen, and those that are not on this machine's walls."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import socket
import threading
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from querist.errors import ConfigError, SandboxError, SandboxUnavailableError, UsageError
from querist.sandbox import open as opening
from querist.sandbox import server as serving_module
from querist.sandbox.base import Job, Outcome, SandboxLimits
from querist.sandbox.container import ContainerSandbox, container_command, find_engine
from querist.sandbox.jailed.frames import LONGEST_VALUE
from querist.sandbox.local import LocalSandbox
from querist.sandbox.monty import MontySandbox
from querist.sandbox.open import limits_of, open_sandbox
from querist.sandbox.piped import UnsafeSandbox
from querist.sandbox.remote import RemoteSandbox
from querist.sandbox.remote import _outcome as outcome_of
from querist.sandbox.sending import job_frames
from querist.sandbox.server import SandboxServer
from querist.sandbox.server import _told as told
from querist.settings import SandboxSettings
from querist.sources.table import ResultColumn, Table

TABLE = Table((ResultColumn("a"),), ((1,), (2,)))


@pytest.fixture
def serving(sandbox: LocalSandbox) -> Iterator[SandboxServer]:
    serving = SandboxServer(("127.0.0.1", 0), sandbox, "token", SandboxLimits(seconds=20))
    thread = threading.Thread(target=serving.serve_forever, args=(0.02,))
    thread.start()
    yield serving
    serving.shutdown()
    thread.join()
    serving.server_close()


@pytest.fixture
def server(serving: SandboxServer) -> str:
    return f"http://127.0.0.1:{serving.server_address[1]}"


def request(job: Job, about: object = None, *, session: str | None = None, length: int | None = None) -> bytes:
    """A client's request, by hand."""
    body, limits = job_frames(job), dataclasses.asdict(job.limits)
    told = json.dumps({"limits": limits, "session": session} if about is None else about)
    size = len(body) if length is None else length
    return (
        f"POST /run HTTP/1.1\r\nAuthorization: Bearer token\r\nContent-Length: {size}\r\n"
        f"X-Querist-Run: {told}\r\n\r\n".encode()
        + body
    )


def reply(serving: SandboxServer, sent: bytes) -> bytes:
    """All that comes back until the server hangs up."""
    with socket.create_connection(("127.0.0.1", serving.server_address[1]), timeout=20) as client:
        client.sendall(sent)
        return b"".join(iter(lambda: client.recv(65536), b""))


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


@pytest.mark.parametrize(
    "url", ["http://10.1.2.3", "http://sandbox.example.org:8817/", "http://127.0.0.1.example.org", "http://[::2]"]
)
def test_nothing_is_sent_in_the_clear_to_another_machine(url: str) -> None:
    settings = SandboxSettings(backend="remote", url=url, token=SecretStr("x"))
    with pytest.raises(ConfigError, match="can be read on the way") as raised:
        open_sandbox(settings)
    assert "TLS" in raised.value.hint


@pytest.mark.parametrize("url", ["10.1.2.3", "ftp://10.1.2.3", "https://", "http://[1", "https://10.1.2.3:port"])
def test_what_is_no_address_is_told(url: str) -> None:
    with pytest.raises(ConfigError, match="is no address"):
        RemoteSandbox(url, "x")


def test_a_server_may_be_elsewhere_behind_tls_or_on_this_machine() -> None:
    for url in ("https://10.1.2.3", "http://localhost:8817", "http://127.0.0.9", "http://[::1]:8817"):
        assert RemoteSandbox(url, "x").url == url


@pytest.mark.anyio
async def test_a_server_refuses_a_wrong_token(server: str) -> None:
    with pytest.raises(SandboxError, match="token is missing or wrong"):
        await RemoteSandbox(server, "other").run(Job("result = 1"))


@pytest.mark.anyio
async def test_two_clients_are_served_at_once(server: str) -> None:
    jobs = [Job(f"import time; time.sleep(0.3); print({n}, flush=True); result = {n}") for n in range(2)]
    both = await asyncio.gather(*(RemoteSandbox(server, "token").run(job) for job in jobs))
    assert [(one.value, one.stdout) for one in both] == [(0, "0\n"), (1, "1\n")]


@pytest.mark.anyio
async def test_a_run_ends_when_its_client_goes(serving: SandboxServer, sandbox: LocalSandbox) -> None:
    job = Job("print('started', flush=True)\nimport time; time.sleep(60)")
    with socket.create_connection(("127.0.0.1", serving.server_address[1]), timeout=20) as client:
        client.sendall(request(job, session="left"))
        while b"started" not in client.recv(4096):
            pass
    while "left" in sandbox._sessions:
        await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    "sent",
    [
        request(Job("1"), length=1 << 50),
        request(Job("1"), about=[]),
        request(Job("1"), about={"limits": dataclasses.asdict(SandboxLimits()) | {"seconds": float("nan")}}),
        request(Job("1"), about={"limits": dataclasses.asdict(SandboxLimits()) | {"files": float("inf")}}),
        request(Job("1"), about={"limits": {}}),
        request(Job("1")).replace(b"/run", b"/other"),
        request(Job("1")).replace(b"Content-Length", b"X"),
        request(Job("1")).replace(b'"code"', b'"cods"'),
        b"POST /run HTTP/1.1\r\nAuthorization: Bearer token\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
    ],
)
def test_a_server_refuses_what_is_no_job(serving: SandboxServer, sent: bytes) -> None:
    assert b" 400 " in reply(serving, sent).splitlines()[0]


def test_a_server_reads_nothing_of_clients_without_its_token(serving: SandboxServer) -> None:
    assert b" 401 " in reply(serving, request(Job("1"), length=1 << 20).replace(b"Bearer token", b"Bearer x"))


def test_a_server_hangs_up_on_clients_that_send_too_slowly(
    serving: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving_module, "REQUEST_SECONDS", 0.2)
    assert reply(serving, b"POST /run HTTP/1.1\r\nX: ") == b""
    assert b" 200 " not in reply(serving, request(Job("1"), length=1 << 20))


def test_a_server_takes_no_more_connections_than_it_can_serve(serving: SandboxServer) -> None:
    serving.connections = threading.BoundedSemaphore(1)
    with socket.create_connection(("127.0.0.1", serving.server_address[1])), contextlib.suppress(ConnectionError):
        assert reply(serving, b"GET / HTTP/1.1\r\n\r\n") == b""


@pytest.mark.anyio
@pytest.mark.parametrize(
    "said",
    [
        "7",
        "{}",
        '{"outcome": {"status": "ok", "limit": 7}}',
        "x",
        "[" * 100_000,
        json.dumps({"outcome": told(Outcome("ok", "x", "strong")) | {"frames": "eHg="}}),
        json.dumps({"outcome": told(Outcome("ok", "x", "strong")) | {"frames": b64encode(b"x" * 5000).decode()}}),
        json.dumps({"outcome": told(Outcome("ok", "x", "strong"))}).replace('"peak_memory": 0', '"peak_memory": 1e999'),
    ],
)
async def test_a_server_that_says_nonsense_is_not_believed(said: str) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + said.encode() + b"\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        with pytest.raises(SandboxError):
            await RemoteSandbox(f"http://127.0.0.1:{port}", "token").run(Job("1"))


def test_a_result_that_is_small_enough_here_is_so_from_a_server() -> None:
    value = "ы" * (LONGEST_VALUE // 2 - 1)
    assert outcome_of(told(Outcome("ok", "x", "strong", value)), "remote", 1 << 24).value == value


@pytest.mark.anyio
async def test_restricted_python_computes_and_has_no_files() -> None:
    sandbox = MontySandbox()
    outcome = await sandbox.run(Job("print('x')\nresult = sum(t['a']) * factor", {"t": TABLE}, {"factor": 2}))
    assert (outcome.value, outcome.stdout, outcome.strength) == (6, "x\n", "restricted")
    assert (await sandbox.run(Job("result = open('/etc/passwd').read()"))).status == "error"
    assert (await sandbox.run(Job("result = [{1: 'a', '1': 'b'}]"))).status == "error"
    assert (await sandbox.run(Job("while True: pass", limits=SandboxLimits(seconds=0.3)))).limit == "seconds"
    assert (await sandbox.run(Job("print('x' * 2000)", limits=SandboxLimits(output=1000)))).limit == "output"


@pytest.mark.anyio
async def test_no_letter_of_what_is_printed_is_told_in_halves() -> None:
    told: list[str] = []
    outcome = await UnsafeSandbox().run(Job("print('x' + 'é' * 200_000)"), told.append)
    assert "".join(told) == outcome.stdout == "x" + "é" * 200_000 + "\n"


def test_a_container_has_no_network_no_rights_and_no_writable_system() -> None:
    command = container_command("docker", "image", SandboxLimits(), "name")
    for words in ("--network none", "--read-only", "--cap-drop ALL", "--user 65534:65534", "no-new-privileges"):
        assert words in " ".join(command)


def test_without_the_image_containers_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    settings = SandboxSettings(backend="container")
    with pytest.raises(SandboxUnavailableError, match="neither Podman nor Docker"):
        open_sandbox(settings)
    for engine, says in (("podman", "image not known"), ("docker", "no daemon")):
        (tmp_path / engine).write_text(f"#!/bin/sh\necho {says} >&2; exit 1\n")
        (tmp_path / engine).chmod(0o755)
    with pytest.raises(SandboxUnavailableError, match="no daemon"):
        open_sandbox(settings)
    (tmp_path / "podman").write_text("#!/bin/sh\n[ $1 = image ] || { echo no runtime >&2; exit 125; }\n")
    opened = open_sandbox(settings)
    with pytest.raises(SandboxError, match="did not start: no runtime"):
        asyncio.run(opened.run(Job("1")))


@pytest.mark.anyio
@pytest.mark.parametrize(("exit_code", "limit"), [(24, "cpu_seconds"), (137, "memory"), (3, None)])
async def test_a_container_that_was_ended_at_a_limit_is_told_as_that(
    exit_code: int, limit: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "podman").write_text(f"#!/bin/sh\n[ $1 = run ] || exit 0\necho; exit {exit_code}\n")
    (tmp_path / "podman").chmod(0o755)
    outcome = await ContainerSandbox("image").run(Job("1"))
    assert (outcome.status, outcome.limit) == ("limit" if limit else "error", limit)


@pytest.mark.anyio
async def test_where_no_session_is_kept_none_is_promised(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "podman").symlink_to("/bin/true")
    for sandbox in (UnsafeSandbox(), ContainerSandbox("image"), MontySandbox()):
        with pytest.raises(UsageError, match="has no sessions"):
            await sandbox.run(Job("x = 1", session="s"))


@pytest.mark.anyio
async def test_a_container_runs_code_and_ends_it() -> None:
    if why := find_engine("querist-sandbox")[1]:
        pytest.skip(f"no container runs here: {why}")
    sandbox = ContainerSandbox("querist-sandbox")
    outcome = await sandbox.run(Job("open('a.txt', 'w').write('x')\nprint('hello')\nresult = t", {"t": TABLE}))
    assert (outcome.tables["result"].rows, outcome.stdout, outcome.strength) == (TABLE.rows, "hello\n", "strong")
    assert [file.name for file in outcome.files] == ["a.txt"]
    code = "import socket; socket.create_connection(('1.1.1.1', 53))"
    assert (await sandbox.run(Job(code))).error is not None
    for code, limit, most in (
        ("while True: pass", "seconds", 1),
        ("while True: pass", "cpu_seconds", 1),
        ("x = 7 ** 7**9", "cpu_seconds", 1),  # computed in C, where no code of Python hears a signal
        ("x = [b'x' * 50_000_000 for _ in range(99)]", "memory", 100 << 20),
    ):
        limits = dataclasses.replace(SandboxLimits(), **{limit: most})
        assert (await sandbox.run(Job(code, limits=limits))).limit == limit
