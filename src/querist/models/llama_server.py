"""llama.cpp's HTTP server inside this process, on a loopback port behind a key, with prompt prefixes saved to disk.

Who runs it: `local_server.py` in a process of its own that many commands share, or `llamacpp.py` in the asking process.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import logging
import os
import secrets
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from querist.errors import MissingExtraError, ModelError
from querist.models.prefix_slots import SlotTable, prefix_file, trim
from querist.state.paths import cache_dir

log = logging.getLogger(__name__)

_WATCH_SECONDS = 0.2
_QUIET_SECONDS = 1.0  # a slot this long unused is saved: the user is reading the answer, not waiting for the next


@dataclass(frozen=True)
class ServerConfig:
    """What a server is started with.

    Attributes:
        model: path of the GGUF file.
        context: tokens that each slot holds, prompt and reply together.
        slots: how many prompt prefixes stay in memory, which is also how many requests run at once.
        threads: 0 for what the machine has.
        prefix_cache_mb: bound on the prefixes saved to disk, over all models.
        embedding: serve embeddings instead of text.
        idle_seconds: a shared server ends itself after so long without a request.
    """

    model: str
    context: int = 8192
    slots: int = 4
    threads: int = 0
    prefix_cache_mb: int = 1024
    embedding: bool = False
    idle_seconds: float = 600.0

    @property
    def server_id(self) -> str:
        """Names the server: configurations that cannot share one have different ids."""
        parts = (self.model_id, self.context, self.slots, self.threads, self.prefix_cache_mb, self.embedding)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]

    @property
    def model_id(self) -> str:
        """Changes when the model's file does. Not its SHA-256, which takes seconds to compute."""
        path = Path(self.model)
        status = path.stat()
        return hashlib.sha256(f"{path}:{status.st_size}:{status.st_mtime_ns}".encode()).hexdigest()[:16]


def prefixes_dir() -> Path:
    """Directory of the saved prompt prefixes, one folder for each model; not created here."""
    return cache_dir() / "prefixes"


def processors() -> int:
    """Processors that this process may use: a container's share counts, not the host's number."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with contextlib.suppress(OSError, ValueError):  # no control group version 2, or no limit in it
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        allowed = min(allowed, max(1, int(quota) // int(period)))
    return allowed


class LlamaServer:
    """A running server. `url` ends in no slash; `directory` holds the slot table."""

    def __init__(self, config: ServerConfig, directory: Path) -> None:
        """Load the model and listen; takes seconds and holds the interpreter meanwhile.

        Raises:
            MissingExtraError: `xllamacpp` is not installed.
            ModelError: the file is not a model, or memory is short.
        """
        self.config = config
        self.key = secrets.token_urlsafe(24)
        self.table = SlotTable(directory, config.slots)
        self._server = _start(config, self.key)
        self.url: str = self._server.listening_address
        self.prefix_dir = _prefix_dir(config)
        self._stop = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="querist-prefix-saver", daemon=True)
        self._watcher.start()

    def close(self) -> None:
        """Save what is worth it, and end the server."""
        self._stop.set()
        self._watcher.join()
        if self._server is not None:
            self._save_quietly(quiet_seconds=0.0)
            self._server = None

    def is_busy(self) -> bool:
        """Whether any slot is answering."""
        try:
            return any(slot["is_processing"] for slot in self._call("GET", "/slots"))
        except TimeoutError:  # it looks at requests between two steps; reading a long prompt is one step
            return True

    def _watch(self) -> None:
        seen = 0.0
        while not self._stop.wait(_WATCH_SECONDS):
            changed = self.table.path.stat().st_mtime if self.table.path.exists() else 0.0
            if changed != seen and self._save_quietly(_QUIET_SECONDS):
                seen = changed

    def _save_quietly(self, quiet_seconds: float) -> bool:
        try:
            return self._save_prefixes(quiet_seconds)
        except TimeoutError:  # as in `is_busy`: try again later
            return False
        except (OSError, http.client.HTTPException, ModelError) as error:
            log.warning("prompt prefixes could not be saved: %s", error)
            return True

    def _save_prefixes(self, quiet_seconds: float) -> bool:
        """Save each filled prefix that is not on disk and has been quiet; False when one has to wait for that."""
        if not self.config.prefix_cache_mb:
            return True
        waiting = False
        for slot, entry in self.table.read().items():
            file = prefix_file(self.prefix_dir, entry.prefix)
            if not entry.prefix or not entry.filled or file.exists():
                continue
            if time.time() - entry.used < quiet_seconds or self._call("GET", "/slots")[slot]["is_processing"]:
                waiting = True
                continue
            new = file.with_suffix(".new")  # a crash while writing must not leave half a file under the final name
            self._call("POST", f"/slots/{slot}?action=save", {"filename": new.name})
            new.replace(file)
            trim(prefixes_dir(), self.config.prefix_cache_mb * 1_000_000)
        return not waiting

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        address = urlsplit(self.url)
        connection = http.client.HTTPConnection(address.hostname or "127.0.0.1", address.port, timeout=10)
        try:
            headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        if response.status != 200:
            raise ModelError(f"The local server answered {response.status} to {path}: {text[:200]!r}")
        return json.loads(text)


def _prefix_dir(config: ServerConfig) -> Path:
    folder = prefixes_dir() / config.model_id
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _start(config: ServerConfig, key: str) -> Any:
    # GNU OpenMP's threads spin while they wait, and starve the server beside any other busy process. Read at import.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    try:
        import xllamacpp
    except ModuleNotFoundError as error:
        raise MissingExtraError("xllamacpp", "local", "run a local model") from error
    except ImportError as error:
        hint = "Install the system's libgomp1." if "libgomp" in str(error) else ""
        raise ModelError(f"The local model's runtime does not load: {error}.", hint=hint) from error

    params = xllamacpp.CommonParams()
    params.model.path = config.model
    params.n_ctx = config.context * config.slots  # llama.cpp divides it among the slots
    params.n_parallel = config.slots
    params.kv_unified = False  # in one shared buffer each slot would also pay for attending past the others' tokens
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = config.threads or processors()
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [key]
    params.cors_origins = ""  # no web page may read replies
    params.ui = False
    params.endpoint_slots = True
    params.slot_save_path = f"{_prefix_dir(config)}{os.sep}"
    params.cache_ram_mib = 0  # the slots and the disk are the cache; the one in memory grows the process by gigabytes
    params.cache_idle_slots = False
    params.warmup = False  # the first prompt warms it as well, a second sooner
    if config.embedding:
        params.embedding = True
        params.n_batch = params.n_ubatch = config.context  # a text is read in one step, or not at all
    params.verbosity = 1  # errors only: prompts hold the user's data
    try:
        return xllamacpp.Server(params)
    except RuntimeError as error:
        raise ModelError(
            f"The local model {config.model!r} does not load.",
            hint=f"Is it a whole GGUF file, and is there memory for {config.slots} x {config.context} tokens of "
            "context? `querist models verify` checks built-in models; local.context and local.slots can be less.",
        ) from error
