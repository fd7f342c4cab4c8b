"""Lends this machine's sandbox to others over HTTP: `POST /run` with a token, one job each, answered in JSON lines.

Plain HTTP and few clients: it belongs on loopback, or behind something that does TLS.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import dataclasses
import hmac
import io
import json
import re
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from querist.errors import QueristError
from querist.sandbox.base import Job, Outcome, Sandbox, SandboxLimits
from querist.sandbox.jailed.frames import frame, read
from querist.sandbox.tables import to_arrow

MOST_BYTES = 512 << 20
MOST_AT_ONCE = 16
MOST_CONNECTIONS = 64
REQUEST_SECONDS = 60.0
"""In which a whole request has to arrive."""


class SandboxServer(ThreadingHTTPServer):
    """Answers until `shutdown`. Each client's limits are cut to `limits`."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], sandbox: Sandbox, token: str, limits: SandboxLimits) -> None:
        self.sandbox, self.token, self.limits = sandbox, token, limits
        self.places = threading.BoundedSemaphore(MOST_AT_ONCE)
        self.connections = threading.BoundedSemaphore(MOST_CONNECTIONS)
        super().__init__(address, _Handler)

    def verify_request(self, request: Any, client_address: Any) -> bool:
        return self.connections.acquire(blocking=False)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.connections.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: clients come and go."""


class _Handler(BaseHTTPRequestHandler):
    server: SandboxServer
    timeout = 30  # for each piece; a client that does not read what it is told is gone

    def setup(self) -> None:
        super().setup()
        self._deadline = threading.Timer(REQUEST_SECONDS, self._hang_up)
        self._deadline.daemon = True
        self._deadline.start()

    def finish(self) -> None:
        self._deadline.cancel()
        super().finish()

    def do_POST(self) -> None:
        given = self.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {self.server.token}".encode()):
            return self._refuse(401, "the token is missing or wrong")
        length = self.headers.get("Content-Length", "")
        if self.path != "/run" or not re.fullmatch(r"[0-9]{1,12}", length) or int(length) > MOST_BYTES:
            return self._refuse(400, f"a run is a POST to /run with at most {MOST_BYTES} bytes")
        if not self.server.places.acquire(blocking=False):
            return self._refuse(429, "too many runs at once")
        try:
            about = json.loads(self.headers.get("X-Querist-Run", ""))
            job = _job(self.rfile.read(int(length)), about, self.server.limits)
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
            return self._refuse(400, f"this is no job: {error!r}"[:300])
        else:
            self._deadline.cancel()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-ndjson")
            self.end_headers()
            with contextlib.suppress(asyncio.CancelledError):
                self._tell(asyncio.run(self._run(job)))
        finally:
            self.server.places.release()
        return None

    async def _run(self, job: Job) -> dict[str, Any]:
        """What became of the job. It ends when the client goes: nobody would hear of it."""

        def tell(text: str) -> None:
            try:
                self._tell({"output": text})
            except OSError:
                gone()

        def gone() -> None:
            loop.remove_reader(self.connection)
            running.cancel()

        loop = asyncio.get_running_loop()
        running = asyncio.ensure_future(self.server.sandbox.run(job, tell))
        loop.add_reader(self.connection, gone)
        try:
            return {"outcome": _told(await running)}
        except QueristError as error:
            return {"failed": error.message}

    def _hang_up(self) -> None:
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _tell(self, what: dict[str, Any]) -> None:
        self.wfile.write(json.dumps(what).encode() + b"\n")
        self.wfile.flush()

    def _refuse(self, status: int, why: str) -> None:
        self.send_response(status)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(why.encode())

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing: what runs here is the clients' business."""


def _job(data: bytes, about: dict[str, Any], most: SandboxLimits) -> Job:
    stream = io.BytesIO(data)
    first = read(stream)
    if first is None:
        raise ValueError("it is empty")
    told = json.loads(first[1])
    tables = {}
    for _ in range(first[0]["tables"]):
        if (table := read(stream)) is None:
            raise ValueError("a table is missing")
        tables[str(table[0]["name"])] = table[1]
    wanted = about["limits"]
    limits = {name: min(type(own)(wanted[name]), own) for name, own in dataclasses.asdict(most).items()}
    if not all(value > 0 for value in limits.values()):  # NaN is neither
        raise ValueError("a limit must be more than 0")
    session = about.get("session")
    return Job(
        str(told["code"]),
        tables,
        dict(told["parameters"]),
        SandboxLimits(**limits),
        None if session is None else str(session)[:100],
        str(told["result"]),
        "pandas" if told["frames"] == "pandas" else "polars",
    )


def _told(outcome: Outcome) -> dict[str, Any]:
    frames = [frame("value", json.dumps(outcome.value, ensure_ascii=False).encode())]
    frames += [frame("table", to_arrow(table), name=name) for name, table in outcome.tables.items()]
    frames += [frame("file", file.data, name=file.name) for file in outcome.files]
    told = dataclasses.asdict(dataclasses.replace(outcome, tables={}, files=(), value=None))
    return told | {"frames": base64.b64encode(b"".join([*frames, frame("end", b"null")])).decode()}
