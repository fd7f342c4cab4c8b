"""Lends this machine's sandbox to others over HTTP: `POST /run` with a token, one job each, answered in JSON lines.

Plain HTTP and few clients: it belongs on loopback, or behind something that does TLS.
"""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import hmac
import io
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from querist.errors import QueristError
from querist.sandbox.base import Job, Outcome, Sandbox, SandboxLimits
from querist.sandbox.jailed.frames import frame, read
from querist.sandbox.tables import to_arrow

MOST_BYTES = 512 << 20
MOST_AT_ONCE = 16


class SandboxServer(ThreadingHTTPServer):
    """Answers until `shutdown`. Each client's limits are cut to `limits`."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], sandbox: Sandbox, token: str, limits: SandboxLimits) -> None:
        self.sandbox, self.token, self.limits = sandbox, token, limits
        self.places = threading.BoundedSemaphore(MOST_AT_ONCE)
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: SandboxServer
    timeout = 60

    def do_POST(self) -> None:
        given = self.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {self.server.token}".encode()):
            return self._refuse(401, "the token is missing or wrong")
        length = self.headers.get("Content-Length", "")
        if self.path != "/run" or not length.isascii() or not length.isdigit() or int(length) > MOST_BYTES:
            return self._refuse(400, f"a run is a POST to /run with at most {MOST_BYTES} bytes")
        if not self.server.places.acquire(blocking=False):
            return self._refuse(429, "too many runs at once")
        try:
            job = _job(
                self.rfile.read(int(length)), json.loads(self.headers.get("X-Querist-Run", "")), self.server.limits
            )
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            return self._refuse(400, f"this is no job: {error!r}"[:300])
        else:
            self.send_response(200)
            self.send_header("Content-Type", "application/x-ndjson")
            self.end_headers()
            self._tell(self._run(job))
        finally:
            self.server.places.release()
        return None

    def _run(self, job: Job) -> dict[str, Any]:
        try:
            outcome = asyncio.run(self.server.sandbox.run(job, lambda text: self._tell({"output": text})))
        except QueristError as error:
            return {"failed": error.message}
        return {"outcome": _told(outcome)}

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
    if any(value <= 0 for value in limits.values()):
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
    frames = [frame("value", json.dumps(outcome.value).encode())]
    frames += [frame("table", to_arrow(table), name=name) for name, table in outcome.tables.items()]
    frames += [frame("file", file.data, name=file.name) for file in outcome.files]
    told = dataclasses.asdict(dataclasses.replace(outcome, tables={}, files=(), value=None))
    return told | {"frames": base64.b64encode(b"".join([*frames, frame("end", b"null")])).decode()}
