"""The local model: a GGUF file run by llama.cpp, in the shared background server or in this process."""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from querist.errors import ModelError
from querist.models.base import OnToken, Reply, Request
from querist.models.llama_server import LlamaServer, ServerConfig
from querist.models.local_server import ensure_server, find_server
from querist.models.openai_protocol import Endpoint, OpenAIProtocolEmbeddings, OpenAIProtocolModel
from querist.models.prefix_slots import Assignment, SlotTable, prefix_file

log = logging.getLogger(__name__)

T = TypeVar("T")

_STALE_SHARE = 0.5  # of a restored prefix: when less of it was of use, it was saved from another prompt
_DYING_SECONDS = 3.0
_POLL_SECONDS = 0.05


class LocalModel:
    """A chat model that runs on this machine.

    Args:
        name: what replies call it, such as `local:qwen2.5-coder-1.5b`.
        config: which file, and how it is served.
        shared: use the background server that all commands share; else run in this process, until `close`.
        timeout: seconds for one reply.
    """

    def __init__(self, name: str, config: ServerConfig, *, shared: bool = True, timeout: float = 120.0) -> None:
        self.name = name
        self._runtime = _Runtime(name, config, shared, timeout)

    async def complete(self, request: Request, on_token: OnToken | None = None) -> Reply:
        seen = False

        def pass_on(piece: str) -> None:
            nonlocal seen
            seen = True
            if on_token is not None:
                on_token(piece)

        return await self._runtime.use(
            lambda server: _complete(server, request, pass_on if on_token else None), may_repeat=lambda: not seen
        )

    async def close(self) -> None:
        """Let go of the server. A shared one lives on; one in this process saves its prompt prefixes and ends."""
        await self._runtime.close()


class LocalEmbeddings:
    """An embedding model that runs on this machine; arguments as for `LocalModel`."""

    def __init__(self, name: str, config: ServerConfig, *, shared: bool = True, timeout: float = 120.0) -> None:
        self.name = name
        self._runtime = _Runtime(name, replace(config, embedding=True), shared, timeout)

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        return await self._runtime.use(
            lambda server: OpenAIProtocolEmbeddings(server.client).embed(texts), may_repeat=lambda: True
        )

    async def close(self) -> None:
        await self._runtime.close()


@dataclass(frozen=True)
class _Server:
    """A running server, as a client sees it."""

    url: str
    client: OpenAIProtocolModel
    table: SlotTable
    prefix_dir: Path


class _Runtime:
    """Finds or starts the server, and again when it is gone: it ends itself when idle, between two questions."""

    def __init__(self, name: str, config: ServerConfig, shared: bool, timeout: float) -> None:
        self._name = name
        self._config = config
        self._shared = shared
        self._timeout = timeout
        self._server: _Server | None = None
        self._own: LlamaServer | None = None
        self._own_directory: tempfile.TemporaryDirectory[str] | None = None
        self._starting = threading.Lock()

    async def use(self, call: Callable[[_Server], Awaitable[T]], may_repeat: Callable[[], bool]) -> T:
        server = await self._connect()
        try:
            return await call(server)
        except ModelError as error:
            if not (self._shared and may_repeat() and await self._is_gone(server, error)):
                raise
            again = await self._connect()
            log.warning("the local model server had ended (%s); using a new one", error.message)
            return await call(again)

    async def close(self) -> None:
        if self._server is not None:
            await self._server.client.close()
            self._server = None
        if self._own is not None:
            own, self._own = self._own, None
            await asyncio.to_thread(own.close)
        if self._own_directory is not None:
            self._own_directory.cleanup()
            self._own_directory = None

    async def _is_gone(self, server: _Server, error: ModelError) -> bool:
        """Whether the error came of the server's end; one that is being killed looks alive for a moment."""
        import httpx

        patience = _DYING_SECONDS if isinstance(error.__cause__, httpx.TransportError) else 0.0
        deadline = time.monotonic() + patience
        while (state := find_server(self._config)) and state.url == server.url:
            if time.monotonic() >= deadline:
                return False
            await asyncio.sleep(_POLL_SECONDS)
        return True

    async def _connect(self) -> _Server:
        if self._shared:
            state = await ensure_server(self._config)
            if self._server is None or self._server.url != state.url:
                self._server = self._client(state.url, state.key, state.directory, state.prefix_dir)
        elif self._server is None:
            own, directory = await asyncio.to_thread(self._start_here)
            self._server = self._client(own.url, own.key, directory, own.prefix_dir)
        return self._server

    def _start_here(self) -> tuple[LlamaServer, Path]:
        with self._starting:
            if self._own is None or self._own_directory is None:
                self._own_directory = tempfile.TemporaryDirectory(prefix="querist-")
                self._own = LlamaServer(self._config, Path(self._own_directory.name))
            return self._own, Path(self._own_directory.name)

    def _client(self, url: str, key: str, directory: Path, prefix_dir: Path) -> _Server:
        endpoint = Endpoint(
            name=self._name,
            model=self._name,
            base_url=f"{url}/v1",
            api_key=key,
            down_hint="The local model server has ended; ask again.",
            context_hint="Embed shorter pieces of the text."
            if self._config.embedding
            else f"The local model reads {self._config.context} tokens: ask over fewer tables, or raise "
            "local.context (which takes more memory).",
            timeout=self._timeout,
            retries=0,  # a server that is gone does not come back by waiting: `use` starts a new one
            price=0.0,
        )
        return _Server(url, OpenAIProtocolModel(endpoint), SlotTable(directory, self._config.slots), prefix_dir)


async def _complete(server: _Server, request: Request, on_token: OnToken | None) -> Reply:
    assigned = server.table.assign(request.prefix)
    file = prefix_file(server.prefix_dir, request.prefix)
    restored = await _restore(server, assigned, file) if assigned.fresh and file.exists() else 0
    extra: dict[str, object] = {"id_slot": assigned.slot, "cache_prompt": True}
    if request.grammar:
        extra["grammar"] = request.grammar
    reply = await server.client.complete_with(request, extra, on_token)
    if not assigned.filled:
        server.table.mark_filled(assigned.slot, request.prefix)
    if reply.usage.cached_tokens < restored * _STALE_SHARE:
        file.unlink(missing_ok=True)
    return reply


async def _restore(server: _Server, assigned: Assignment, file: Path) -> int:
    """Bring a saved prefix into its slot; how many tokens it has, 0 when it is of no use."""
    try:
        done = await server.client.post(f"{server.url}/slots/{assigned.slot}?action=restore", {"filename": file.name})
        os.utime(file)  # the least recently used is deleted first
        return int(done.get("n_restored", 0))
    except (ModelError, FileNotFoundError) as error:
        log.info("a saved prompt prefix is of no use, reading the prompt anew: %s", error)
        with suppress(OSError):
            file.unlink()
        return 0
