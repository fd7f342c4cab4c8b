"""The local model over its real server, with a minute model: found, shared, ended, and quick at a known prefix."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from querist.errors import ModelError
from querist.models.base import Message, Request
from querist.models.file_lock import is_locked
from querist.models.llama_server import ServerConfig, prefixes_dir
from querist.models.llamacpp import LocalEmbeddings, LocalModel
from querist.models.local_server import ServerState, find_server, running_servers, stop_server
from tests.models.tiny_gguf import write_tiny_model

pytestmark = pytest.mark.anyio

SCHEMA = {
    "type": "object",
    "properties": {"reply": {"enum": ["yes", "no"]}},
    "required": ["reply"],
    "additionalProperties": False,
}
PREFIX_TOKENS = 300


def asking(prefix: str, question: str = "Well?") -> Request:
    """A request of the family `prefix`; the minute model reads one token for each byte."""
    opening = f"{prefix} ".ljust(PREFIX_TOKENS, ".")
    messages = [Message("system", opening), Message("user", question)]
    return Request(messages, prefix=prefix, grammar='root ::= "yes"', max_tokens=8)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.gguf")


@pytest.fixture
def config(tiny: Path) -> ServerConfig:
    return ServerConfig(str(tiny), context=1024, slots=2, threads=1, idle_seconds=60)


@pytest.fixture(autouse=True)
def no_server_left() -> Iterator[None]:
    yield
    for state in running_servers():
        stop_server(state)


def local(config: ServerConfig, **options: bool) -> LocalModel:
    return LocalModel("local:tiny", config, **options)


def the_server(config: ServerConfig) -> ServerState:
    state = find_server(config)
    assert state is not None
    return state


async def test_replies_within_a_schema_or_a_grammar_and_streams(config: ServerConfig) -> None:
    model = local(config)
    reply = await model.complete(Request([Message("user", "Well?")], schema=SCHEMA))
    assert reply.data in ({"reply": "yes"}, {"reply": "no"})
    assert (reply.model, reply.usage.cost) == ("local:tiny", 0.0)
    pieces: list[str] = []
    assert (await model.complete(asking("a"), pieces.append)).text == "yes" == "".join(pieces)
    await model.close()


async def test_many_at_once_start_one_server_and_later_ones_reuse_it(config: ServerConfig) -> None:
    models = [local(config) for _ in range(4)]
    await asyncio.gather(*(model.complete(asking("a")) for model in models))
    (first,) = running_servers()
    await local(config).complete(asking("a"))
    assert [state.pid for state in running_servers()] == [first.pid]


async def test_a_process_of_its_own_finds_the_server_that_runs(config: ServerConfig) -> None:
    await local(config).complete(asking("a"))
    code = (
        "import asyncio, sys; from querist.models.local_server import *; "
        "from querist.models.llama_server import ServerConfig; "
        "print(asyncio.run(ensure_server(ServerConfig(sys.argv[1], context=1024, slots=2, threads=1))).pid)"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, config.model, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    assert int(said) == the_server(config).pid


async def test_the_server_answers_only_who_has_the_key(config: ServerConfig) -> None:
    await local(config).complete(asking("a"))
    state = the_server(config)
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(f"{state.url}/slots", timeout=5)
    assert state.url.startswith("http://127.0.0.1:")
    if sys.platform != "win32":
        assert stat.S_IMODE((state.directory / "state.json").stat().st_mode) == 0o600
        assert stat.S_IMODE(state.directory.stat().st_mode) == 0o700
        assert state.key.encode() not in Path(f"/proc/{state.pid}/cmdline").read_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
async def test_a_server_that_died_is_replaced_within_the_question(config: ServerConfig) -> None:
    model = local(config)
    await model.complete(asking("a"))
    dead = the_server(config)
    os.kill(dead.pid, signal.SIGKILL)
    assert (await model.complete(asking("a"))).text == "yes"
    assert the_server(config).pid != dead.pid


async def test_the_server_ends_itself_when_nobody_asks(config: ServerConfig) -> None:
    idle = replace(config, idle_seconds=0.1)
    await local(idle).complete(asking("a"))
    alive = the_server(idle).directory / "alive.lock"
    deadline = time.monotonic() + 20
    while is_locked(alive):
        assert time.monotonic() < deadline, "it is still running"
        await asyncio.sleep(0.05)
    assert find_server(idle) is None


async def test_a_known_prefix_is_not_read_again_even_after_a_restart(config: ServerConfig) -> None:
    model = local(config)
    assert (await model.complete(asking("a", "One?"))).usage.cached_tokens == 0
    assert (await model.complete(asking("a", "Two?"))).usage.cached_tokens >= PREFIX_TOKENS
    stop_server(the_server(config))
    assert (await model.complete(asking("a", "Three?"))).usage.cached_tokens >= PREFIX_TOKENS


async def test_a_prefix_is_saved_while_the_server_runs(config: ServerConfig) -> None:
    await local(config).complete(asking("a"))
    deadline = time.monotonic() + 20
    while not list(prefixes_dir().rglob("*.bin")):
        assert time.monotonic() < deadline, "nothing is saved"
        await asyncio.sleep(0.05)


async def test_nothing_is_saved_when_the_disk_may_not_be_used(config: ServerConfig) -> None:
    frugal = replace(config, prefix_cache_mb=0)
    await local(frugal).complete(asking("a"))
    stop_server(the_server(frugal))
    assert list(prefixes_dir().rglob("*.bin")) == []


async def test_two_prefixes_do_not_read_each_other_out(config: ServerConfig) -> None:
    model = local(config)
    for name in ("a", "b"):
        await model.complete(asking(name))
    for name in ("a", "b", "a"):
        assert (await model.complete(asking(name, "Again?"))).usage.cached_tokens >= PREFIX_TOKENS


async def test_a_saved_prefix_that_is_damaged_costs_time_only(config: ServerConfig) -> None:
    model = local(config)
    await model.complete(asking("a"))
    stop_server(the_server(config))
    (file,) = prefixes_dir().rglob("*.bin")
    file.write_bytes(b"damaged")
    reply = await model.complete(asking("a"))
    assert (reply.text, reply.usage.cached_tokens) == ("yes", 0)
    assert not file.exists() or file.read_bytes() != b"damaged"


async def test_a_saved_prefix_of_another_prompt_is_forgotten(config: ServerConfig) -> None:
    model = local(config)
    await model.complete(asking("a"))
    stop_server(the_server(config))
    other = replace(asking("b"), prefix="a")
    assert (await model.complete(other)).text == "yes"
    assert list(prefixes_dir().rglob("*.bin")) == []


async def test_a_prompt_that_is_too_long_says_so(config: ServerConfig) -> None:
    with pytest.raises(ModelError, match="exceeds the available context") as caught:
        await local(config).complete(Request([Message("user", "x" * 2000)]))
    assert "local.context" in caught.value.hint


async def test_each_slot_has_the_whole_context(config: ServerConfig) -> None:
    reply = await local(config).complete(Request([Message("user", "x" * 950)], grammar='root ::= "yes"'))
    assert reply.text == "yes"


@pytest.mark.parametrize("shared", [True, False])
async def test_a_file_that_is_no_model_says_so(tmp_path: Path, shared: bool) -> None:
    file = tmp_path / "no.gguf"
    file.write_bytes(b"nothing")
    with pytest.raises(ModelError, match="does not load") as caught:
        await local(ServerConfig(str(file)), shared=shared).complete(asking("a"))
    assert "GGUF" in caught.value.hint


async def test_in_this_process_it_needs_no_background_server(config: ServerConfig) -> None:
    for expected in (0, PREFIX_TOKENS):
        model = local(config, shared=False)
        assert (await model.complete(asking("a"))).usage.cached_tokens >= expected
        await model.close()
    assert list(running_servers()) == []


async def test_embeds_texts_in_order(tmp_path: Path) -> None:
    file = write_tiny_model(tmp_path / "embedding.gguf", embedding=True)
    model = LocalEmbeddings("local:tiny", ServerConfig(str(file), context=512, slots=1, threads=1))
    one, two, again = await model.embed(["hello", "something else", "hello"])
    assert one == pytest.approx(again, abs=1e-3) and one != pytest.approx(two, abs=1e-3)
    assert sum(value * value for value in one) == pytest.approx(1)
    await model.close()
