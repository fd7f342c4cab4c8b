from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest

from bench.peers.meter import Meter
from bench.peers.tool_calls import with_tool_calls

USAGE = {"prompt_tokens": 11, "completion_tokens": 5}


class Endpoint(ThreadingHTTPServer):
    """A server that speaks as much of the protocol as the proxy needs, and keeps what it was sent."""

    daemon_threads = True
    text = "hello"
    wait: threading.Event | None = None

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.seen: list[tuple[str, dict[str, Any], str]] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}/base/v1"


class _Answers(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.seen.append((self.path, body, self.headers["authorization"]))
        if self.server.wait is not None:
            self.server.wait.wait(30)
        if body.get("stream"):
            events = [{"choices": [{"delta": {"content": "hi"}}]}]
            if (body.get("stream_options") or {}).get("include_usage"):
                events.append({"choices": [], "usage": USAGE})
            lines = [json.dumps(event) for event in events]
            self._send("text/event-stream", "".join(f"data: {line}\n\n" for line in [*lines, "[DONE]"]))
        else:
            reply = {"choices": [{"message": {"role": "assistant", "content": self.server.text}}], "usage": USAGE}
            self._send("application/json", json.dumps(reply))

    def do_GET(self) -> None:
        self._send("application/json", json.dumps({"path": self.path}))

    def _send(self, kind: str, text: str) -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: Any) -> None: ...


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    server = Endpoint()
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def meter(endpoint: Endpoint) -> Iterator[Meter]:
    with Meter(endpoint.url, api_key="real", max_tokens=77) as running:
        yield running


def send(url: str, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, str]:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
    headers = {"content-type": "application/json", "authorization": "Bearer made-up"}
    connection.request(method, f"{address.path}{path}", json.dumps(body) if body else None, headers)
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, text


def test_calls_and_the_servers_own_token_counts_are_added_up(meter: Meter) -> None:
    for _ in range(2):
        assert send(meter.url, "POST", "/chat/completions", {"messages": []})[0] == 200
    calls = meter.take()
    assert [(call.status, call.input_tokens, call.output_tokens) for call in calls] == [(200, 11, 5)] * 2
    assert meter.take() == []


def test_what_a_client_leaves_open_is_the_same_for_everyone(meter: Meter, endpoint: Endpoint) -> None:
    send(meter.url, "POST", "/chat/completions", {"messages": []})
    send(meter.url, "POST", "/chat/completions", {"messages": [], "temperature": 0.7, "max_tokens": 9})
    (path, first, key), (_, second, _) = endpoint.seen
    assert (path, key) == ("/base/v1/chat/completions", "Bearer real")
    assert (first["temperature"], first["max_tokens"]) == (0, 77)
    assert (second["temperature"], second["max_tokens"]) == (0.7, 9)
    assert [call.sent_temperature for call in meter.take()] == [None, 0.7]


def test_a_streamed_reply_is_counted_without_showing_the_count_to_who_did_not_ask(meter: Meter) -> None:
    _, plain = send(meter.url, "POST", "/chat/completions", {"messages": [], "stream": True})
    asked = {"messages": [], "stream": True, "stream_options": {"include_usage": True}}
    _, with_usage = send(meter.url, "POST", "/chat/completions", asked)
    assert "hi" in plain
    assert "usage" not in plain
    assert "usage" in with_usage
    assert [call.output_tokens for call in meter.take()] == [5, 5]


def test_other_requests_pass_uncounted(meter: Meter) -> None:
    assert json.loads(send(meter.url, "GET", "/models")[1]) == {"path": "/base/v1/models"}
    assert meter.take() == []


def test_a_call_under_way_can_be_cut(meter: Meter, endpoint: Endpoint) -> None:
    endpoint.wait = threading.Event()
    statuses: list[int] = []
    client = threading.Thread(
        target=lambda: statuses.append(send(meter.url, "POST", "/chat/completions", {"messages": []})[0])
    )
    client.start()
    while not endpoint.seen:
        time.sleep(0.01)
    meter.abort()
    client.join(10)
    endpoint.wait.set()
    assert statuses == [502]
    assert [(call.status, call.output_tokens) for call in meter.take()] == [(502, 0)]


def test_an_endpoint_that_is_not_there_is_an_error_for_the_client() -> None:
    with Meter("http://127.0.0.1:9/v1") as meter:
        status, text = send(meter.url, "POST", "/chat/completions", {"messages": []})
    assert status == 502
    assert "does not answer" in text


def test_a_base_url_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="localhost:8080"):
        Meter("localhost:8080")


def test_a_tool_call_written_as_text_becomes_one(meter: Meter, endpoint: Endpoint) -> None:
    endpoint.text = '```json\n{"name": "run_sql", "arguments": {"sql": "select 1"}}\n```'
    tools = [{"type": "function", "function": {"name": "run_sql"}}]
    _, text = send(meter.url, "POST", "/chat/completions", {"messages": [], "tools": tools})
    choice = json.loads(text)["choices"][0]
    (call,) = choice["message"]["tool_calls"]
    assert (call["function"]["name"], json.loads(call["function"]["arguments"])) == ("run_sql", {"sql": "select 1"})
    assert choice["finish_reason"] == "tool_calls"
    assert meter.take()[0].tools_read


@pytest.mark.parametrize(
    ("text", "tools"),
    [
        ('{"name": "run_sql", "arguments": {}}', []),
        ('{"name": "another", "arguments": {}}', ["run_sql"]),
        ('{"name": "run_sql", "arguments": "select 1"}', ["run_sql"]),
        ("{ not json", ["run_sql"]),
    ],
)
def test_other_text_stays_text(text: str, tools: list[str]) -> None:
    reply = {"choices": [{"message": {"content": text}}]}
    request = {"tools": [{"function": {"name": name}} for name in tools]}
    assert with_tool_calls(reply, request) is None
