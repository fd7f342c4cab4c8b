"""A real HTTP server on a loopback port that answers from a script."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """`cut`: promise more bytes than are sent, then break the connection. `delay`: seconds before answering."""

    body: bytes | str | dict[str, Any] | list[Any] = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    delay: float = 0.0


@dataclass
class Server:
    url: str
    calls: list[Call] = field(default_factory=list)


@contextmanager
def serving(answer: Callable[[Call], Answer] | list[Answer]) -> Iterator[Server]:
    """Serve on a free port; a list answers call by call, its last answer for ever."""
    stop = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            size = int(self.headers.get("content-length") or 0)
            call = Call(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, self.rfile.read(size))
            server.calls.append(call)
            given = answer(call) if callable(answer) else answer[min(len(server.calls), len(answer)) - 1]
            stop.wait(given.delay)
            body = given.body
            if isinstance(body, dict | list):
                body = json.dumps(body)
            if isinstance(body, str):
                body = body.encode()
            self.send_response(given.status)
            for name, value in ({"content-type": "application/json"} | given.headers).items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body) + (1000 if given.cut else 0)))
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = given.cut

        do_GET = do_POST = _handle

        def log_message(self, *args: object) -> None:
            return None

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server = Server(f"http://127.0.0.1:{http.server_port}")
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        stop.set()
        http.shutdown()
        thread.join()
        http.server_close()


def unused_url() -> str:
    """An address at which nobody listens."""
    with serving([Answer()]) as server:
        return server.url
