"""A proxy in front of the model that counts calls and tokens, so that they are measured the same way for everyone.

It also is the one place where the endpoint is made the same for everyone: what a client leaves open (temperature,
reply length) gets the same default, the key is put in, and a tool call that the server left as text becomes one.
Not for choosing or starting a model.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import urlsplit

from bench.peers.tool_calls import with_tool_calls

_COUNTED = ("/chat/completions", "/completions", "/embeddings", "/responses")
_UPSTREAM_SECONDS = 900.0


@dataclass(frozen=True)
class Call:
    """One call of the model. Tokens are the server's own count; a call that failed or was cut off has none.

    Attributes:
        sent_temperature: what the client asked for; None when it left that to the endpoint.
        tools_read: the reply's text was handed on as tool calls.
    """

    seconds: float
    status: int
    input_tokens: int = 0
    output_tokens: int = 0
    sent_temperature: float | None = None
    tools_read: bool = False


class Meter:
    """A running proxy. Use as a context manager; give `url` to clients as their base URL."""

    def __init__(self, base_url: str, api_key: str = "", max_tokens: int = 1024) -> None:
        """Listen on a free loopback port.

        Args:
            base_url: of the real endpoint, up to and including `/v1`.
            api_key: of the real endpoint; clients may send any key.
            max_tokens: length of a reply where the client sets none.
        """
        self.upstream = urlsplit(base_url.rstrip("/"))
        if self.upstream.scheme not in ("http", "https") or not self.upstream.hostname:
            raise ValueError(f"--base-url is {base_url!r}; it has to look like http://127.0.0.1:8080/v1")
        self.api_key = api_key
        self.max_tokens = max_tokens
        self.unreachable = ""
        """Why the endpoint could not be reached, once that happened: then no answer says anything about who asked."""
        self._lock = threading.Lock()
        self._calls: list[Call] = []
        self._open: set[http.client.HTTPConnection] = set()
        handler = type("Handler", (_Handler,), {"meter": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)

    def __enter__(self) -> Meter:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.abort()
        self._server.shutdown()
        self._server.server_close()

    def take(self) -> list[Call]:
        """The calls that ended since the last `take`."""
        with self._lock:
            calls, self._calls = self._calls, []
        return calls

    def abort(self) -> None:
        """Cut the calls under way, so that the server stops working for a client that is gone."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            with self._lock:
                connections = list(self._open)
            if not connections:
                return
            for connection in connections:
                if connection.sock is not None:
                    with contextlib.suppress(OSError):  # it ended by itself meanwhile
                        connection.sock.shutdown(socket.SHUT_RDWR)
            time.sleep(0.05)

    def connect(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self.upstream.scheme == "https" else http.client.HTTPConnection
        connection = kind(self.upstream.hostname or "", self.upstream.port, timeout=_UPSTREAM_SECONDS)
        with self._lock:
            self._open.add(connection)
        return connection

    def reach(self, connection: http.client.HTTPConnection) -> None:
        try:
            connection.connect()
        except OSError as error:
            self.unreachable = str(error)
            raise

    def disconnect(self, connection: http.client.HTTPConnection) -> None:
        connection.close()
        with self._lock:
            self._open.discard(connection)

    def record(self, call: Call) -> None:
        with self._lock:
            self._calls.append(call)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    meter: ClassVar[Meter]

    def do_GET(self) -> None:
        self._forward("GET", b"")

    def do_POST(self) -> None:
        self._forward("POST", self.rfile.read(int(self.headers.get("content-length") or 0)))

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the progress lines are the log."""

    def _forward(self, method: str, body: bytes) -> None:
        counted = method == "POST" and self.path.split("?")[0].endswith(_COUNTED)
        asked = _as_object(body) if counted else {}
        entry = _Entry(self.meter, asked.get("temperature")) if counted else None
        hide_usage = counted and self._complete(asked)
        connection = self.meter.connect()
        try:
            self.meter.reach(connection)
            connection.request(method, self._upstream_path(), json.dumps(asked) if asked else body, self._headers())
            response = connection.getresponse()
            kind = response.getheader("content-type") or "application/json"
            if kind.startswith("text/event-stream"):
                self._stream(response, kind, entry, hide_usage)
                return
            content, tools_read = response.read(), False
            if entry and response.status == 200:
                reply = _as_object(content)
                changed = with_tool_calls(reply, asked)
                if changed is not None:
                    content, tools_read = json.dumps(changed).encode(), True
                entry.record(200, reply.get("usage") or {}, tools_read)
            elif entry:
                entry.record(response.status)
            self._answer(response.status, kind, content)
        except (OSError, http.client.HTTPException) as error:
            if entry:
                entry.record(502)
            with contextlib.suppress(OSError):  # the client is the one that is gone
                message = {"error": {"message": f"The model's endpoint does not answer: {error}", "type": "proxy"}}
                self._answer(502, "application/json", json.dumps(message).encode())
        finally:
            self.meter.disconnect(connection)

    def _complete(self, asked: dict[str, Any]) -> bool:
        """Fill in what the client left open; True when the count of tokens was asked for by us, not by the client."""
        if not asked or self.path.endswith("/embeddings"):
            return False
        asked.setdefault("temperature", 0)
        if not any(asked.get(name) for name in ("max_tokens", "max_completion_tokens", "max_output_tokens")):
            asked["max_tokens"] = self.meter.max_tokens
        options = asked.get("stream_options") or {}
        if not asked.get("stream") or options.get("include_usage"):
            return False
        asked["stream_options"] = {**options, "include_usage": True}
        return True

    def _upstream_path(self) -> str:
        base = self.meter.upstream.path
        return base + self.path.removeprefix("/v1") if self.path.startswith("/v1") else self.path

    def _headers(self) -> dict[str, str]:
        headers = {"content-type": self.headers.get("content-type") or "application/json"}
        if self.meter.api_key:
            headers["authorization"] = f"Bearer {self.meter.api_key}"
        return headers

    def _answer(self, status: int, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _stream(self, response: http.client.HTTPResponse, kind: str, entry: _Entry | None, hide_usage: bool) -> None:
        self.close_connection = True
        self.send_response(response.status)
        self.send_header("content-type", kind)
        self.send_header("connection", "close")
        self.end_headers()
        usage: dict[str, Any] = {}
        try:
            for line in response:
                event = _as_object(line.removeprefix(b"data:")) if line.startswith(b"data:") else {}
                usage = event.get("usage") or usage
                if hide_usage and event.get("usage") and not event.get("choices"):
                    continue  # a client that did not ask for it may not expect an event without choices
                if entry and line.startswith(b"data: [DONE]"):
                    entry.record(response.status, usage)
                self.wfile.write(line)
                self.wfile.flush()
            if entry:
                entry.record(response.status, usage)
        except (OSError, http.client.HTTPException):  # too late for an answer that says so
            if entry:
                entry.record(502, usage)


class _Entry:
    """A call that will be recorded once: before its client can know that it ended, so that no count comes late."""

    def __init__(self, meter: Meter, temperature: float | None) -> None:
        self._meter = meter
        self._temperature = temperature
        self._started = time.monotonic()
        self._recorded = False

    def record(self, status: int, usage: dict[str, Any] | None = None, tools_read: bool = False) -> None:
        if self._recorded:
            return
        self._recorded = True
        tokens = [int((usage or {}).get(name) or 0) for name in ("prompt_tokens", "completion_tokens")]
        seconds = time.monotonic() - self._started
        self._meter.record(Call(seconds, status, tokens[0], tokens[1], self._temperature, tools_read))


def _as_object(text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
