"""The shared local-model server: found, started on demand, and stopped by any command; it ends itself when idle.

`python -m querist.models.local_server DIRECTORY` is the server's process. Its directory, readable by the user only,
holds `config.json` (what to run), `alive.lock` (locked while the process lives, whatever its death), `state.json`
(address and key, once it is ready), `used` (touched at each use), `stop` (asks it to end) and `server.log`.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from querist.errors import MissingExtraError, ModelError, QueristError
from querist.models.file_lock import FileLock, is_locked
from querist.models.llama_server import LlamaServer, ServerConfig
from querist.state.paths import cache_dir

_START_SECONDS = 180.0
_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.02
_WATCH_SECONDS = 0.2

_children: list[subprocess.Popen[bytes]] = []
"""Started servers outlive this process; holding them here keeps Python from warning about that."""


@dataclass(frozen=True)
class ServerState:
    """A server that is ready. `prefix_dir` is where it keeps saved prompt prefixes."""

    directory: Path
    pid: int
    url: str
    key: str
    model: str
    context: int
    slots: int
    prefix_dir: Path
    idle_seconds: float
    started: float

    def touch(self) -> None:
        """Tell the server that it is in use, so that it does not end itself."""
        with suppress(FileNotFoundError):
            os.utime(self.directory / "used")

    @property
    def idle_for(self) -> float:
        """Seconds since the last use."""
        try:
            return time.time() - (self.directory / "used").stat().st_mtime
        except FileNotFoundError:
            return 0.0


def servers_dir() -> Path:
    return cache_dir() / "servers"


def find_server(config: ServerConfig) -> ServerState | None:
    """The living server of `config`, if there is one."""
    return _read_state(servers_dir() / config.server_id)


def running_servers() -> Iterator[ServerState]:
    """All living servers of this user."""
    if servers_dir().is_dir():
        for directory in sorted(servers_dir().iterdir()):
            if state := _read_state(directory):
                yield state


async def ensure_server(config: ServerConfig) -> ServerState:
    """The server of `config`, started if need be. Many processes may call it at once: one server starts.

    Raises:
        MissingExtraError: the runtime is not installed.
        ModelError: the server does not start; the message quotes its log.
    """
    if state := find_server(config):
        state.touch()
        return state
    if importlib.util.find_spec("xllamacpp") is None:
        raise MissingExtraError("xllamacpp", "local", "run a local model")
    directory = servers_dir() / config.server_id
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    starting = FileLock(directory / "start.lock")
    if not await asyncio.to_thread(starting.acquire, _START_SECONDS):
        raise ModelError(
            f"Another process has been starting the local model for {_START_SECONDS:.0f} s.", hint=_LOG_HINT
        )
    try:
        if state := find_server(config):
            return state
        return await _wait_ready(_spawn(directory, config), directory)
    finally:
        starting.release()


def stop_server(state: ServerState) -> None:
    """End a server; its prompt prefixes are saved first. Returns when it is gone."""
    (state.directory / "stop").touch()
    alive = state.directory / "alive.lock"
    deadline = time.monotonic() + _STOP_SECONDS
    while is_locked(alive):
        if time.monotonic() > deadline:
            os.kill(state.pid, signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)
            deadline += _STOP_SECONDS
        time.sleep(_POLL_SECONDS)


_LOG_HINT = "See `querist models status`, and server.log in the servers folder of Querist's cache directory."


def _read_state(directory: Path) -> ServerState | None:
    try:
        data = json.loads((directory / "state.json").read_bytes())
    except FileNotFoundError:
        return None
    if not is_locked(directory / "alive.lock"):
        return None
    return ServerState(directory=directory, prefix_dir=Path(data.pop("prefix_dir")), **data)


def _spawn(directory: Path, config: ServerConfig) -> subprocess.Popen[bytes]:
    _write_private(directory / "config.json", json.dumps(asdict(config)))
    for name in ("stop", "state.json"):
        (directory / name).unlink(missing_ok=True)
    # -P: a file in the user's working directory must not stand in for a module.
    command = [sys.executable, "-P", "-m", "querist.models.local_server", str(directory)]
    home = os.environ.get("QUERIST_HOME")  # perhaps from this process's working directory; the server has another
    environment = {**os.environ, "QUERIST_HOME": str(Path(home).expanduser().absolute())} if home else None
    with (directory / "server.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=directory,
            env=environment,
            start_new_session=True,  # Ctrl-C in the asking terminal is not meant for it
        )
    _children.append(process)
    return process


async def _wait_ready(process: subprocess.Popen[bytes], directory: Path) -> ServerState:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if state := _read_state(directory):
            return state
        if process.poll() is not None:
            said = (directory / "server.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
            message, _, hint = (said[-1] if said else "it gave no reason").partition("\t")
            raise ModelError(f"The local model server does not start: {message}", hint=hint or _LOG_HINT)
        await asyncio.sleep(_POLL_SECONDS)
    process.kill()
    raise ModelError(f"The local model server was not ready after {_START_SECONDS:.0f} s.", hint=_LOG_HINT)


def _write_private(path: Path, text: str) -> None:
    """Write a file that only the user can read, all at once."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    new.replace(path)


def _serve(directory: Path) -> None:
    """Run the server of `directory` until it is idle for long or asked to stop."""
    alive = FileLock(directory / "alive.lock")
    if not alive.acquire(_STOP_SECONDS):  # the one before may still be saving its prefixes
        return
    state_file, used, stop = directory / "state.json", directory / "used", directory / "stop"
    (directory / "slots.json").unlink(missing_ok=True)  # it speaks of an earlier process
    config = ServerConfig(**json.loads((directory / "config.json").read_bytes()))
    server = LlamaServer(config, directory)
    used.touch()
    state = {
        "pid": os.getpid(),
        "url": server.url,
        "key": server.key,
        "model": config.model,
        "context": config.context,
        "slots": config.slots,
        "prefix_dir": str(server.prefix_dir),
        "idle_seconds": config.idle_seconds,
        "started": time.time(),
    }
    _write_private(state_file, json.dumps(state))

    ending = False

    def end(number: int, frame: object) -> None:
        nonlocal ending
        ending = True

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    while not ending and not stop.exists() and used.exists():
        time.sleep(_WATCH_SECONDS)
        if time.time() - used.stat().st_mtime > config.idle_seconds and not server.is_busy():
            break
    state_file.unlink(missing_ok=True)
    server.close()


def main() -> int:
    directory = Path(sys.argv[1])
    try:
        _serve(directory)
    except QueristError as error:
        print(f"{error.message}\t{error.hint}", file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
