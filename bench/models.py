"""How long the local model lets one wait: cold, warm, after a restart; and what our own client adds to each call.

    python bench/models.py [--model local:NAME] [--output bench/results/models]

Writes Markdown and JSON. It uses a home of its own, so servers and saved prefixes of yours play no part.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from querist.models.base import Message, Reply, Request
from querist.models.llama_server import ServerConfig, prefixes_dir
from querist.models.llamacpp import LocalModel
from querist.models.local_server import find_server, stop_server
from querist.models.manifest import model_path
from querist.models.openai_protocol import OpenAIProtocolModel

SCHEMA = {
    "type": "object",
    "properties": {"sql": {"type": "string"}},
    "required": ["sql"],
    "additionalProperties": False,
}
TABLES = "\n".join(f"Table sensor_{n}(id INTEGER, place TEXT, taken DATE, value_{n} DOUBLE)" for n in range(40))
CALLS = 15


def request(number: int) -> Request:
    return Request(
        [
            Message("system", f"You write one SQL query for DuckDB.\n{TABLES}"),
            Message("user", f"What is the mean of value_{number} in sensor_{number}?"),
        ],
        schema=SCHEMA,
        prefix="bench",
        max_tokens=64,
    )


async def timed(model: LocalModel, number: int) -> tuple[float, Reply]:
    started = time.perf_counter()
    reply = await model.complete(request(number))
    return time.perf_counter() - started, reply


servers_own_ms: list[float] = []
"""What the server says it spent on each call."""


def listen() -> None:
    """Note the server's own times, which replies do not carry."""
    post = OpenAIProtocolModel.post

    async def noting(self: OpenAIProtocolModel, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        data = await post(self, path, body)
        if timings := data.get("timings"):
            servers_own_ms.append(timings.get("prompt_ms", 0.0) + timings.get("predicted_ms", 0.0))
        return data

    OpenAIProtocolModel.post = noting  # type: ignore[method-assign]


async def measure(name: str) -> dict[str, float | int | str]:
    config = ServerConfig(str(model_path(name)))
    with tempfile.TemporaryDirectory() as home:
        os.environ["QUERIST_HOME"] = home
        model = LocalModel(name, config)
        cold, reply = await timed(model, 0)
        warm, second = await timed(model, 1)
        server = find_server(config)
        assert server is not None
        again = time.perf_counter()
        subprocess.run([sys.executable, __file__, "--ask", config.model, "--model", name], check=True)
        new_process = time.perf_counter() - again

        await timed(model, 2)
        walls, overheads = [], []
        for _ in range(CALLS):
            wall = (await timed(model, 2))[0] * 1000
            walls.append(wall)
            overheads.append(wall - servers_own_ms[-1])

        memory = resident(server.pid)
        stop_server(server)
        saved = sum(file.stat().st_size for file in prefixes_dir().rglob("*.bin"))
        restart, third = await timed(model, 3)
        server = find_server(config)
        assert server is not None
        stop_server(server)
        await model.close()
    return {
        "model": name,
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
        "prompt_tokens": reply.usage.input_tokens,
        "cold_seconds": cold,
        "warm_seconds": warm,
        "warm_cached_tokens": second.usage.cached_tokens,
        "new_process_seconds": new_process,
        "restart_seconds": restart,
        "restart_cached_tokens": third.usage.cached_tokens,
        "saved_prefix_mb": saved / 1e6,
        "client_overhead_ms": statistics.median(overheads),
        "call_ms": statistics.median(walls),
        "server_rss_mb": memory,
    }


def resident(pid: int) -> float:
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return float("nan")
    line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1000


def as_markdown(found: dict[str, float | int | str]) -> str:
    rows = {
        "first reply, cold: server starts, prompt is read": f"{found['cold_seconds']:.2f} s",
        "second question, same process": f"{found['warm_seconds']:.2f} s",
        "question from a new process, whole process": f"{found['new_process_seconds']:.2f} s",
        "first question after the server was restarted": f"{found['restart_seconds']:.2f} s "
        f"({found['restart_cached_tokens']} of {found['prompt_tokens']} tokens from disk)",
        "saved prefix on disk": f"{found['saved_prefix_mb']:.0f} MB",
        "one warm call": f"{found['call_ms']:.0f} ms",
        "of which not the model server's own": f"{found['client_overhead_ms']:.1f} ms",
        "server's memory": f"{found['server_rss_mb']:.0f} MB",
    }
    lines = [f"# Local model: {found['model']}", "", f"{found['machine']}", "", "| what | measured |", "|---|---|"]
    return "\n".join([*lines, *(f"| {what} | {value} |" for what, value in rows.items())]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="local:qwen2.5-coder-1.5b")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "models")
    parser.add_argument("--ask", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ask:
        asyncio.run(LocalModel(options.model, ServerConfig(options.ask)).complete(request(4)))
        return
    listen()
    found = asyncio.run(measure(options.model))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.with_suffix(".json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    options.output.with_suffix(".md").write_text(as_markdown(found), encoding="utf-8")
    print(as_markdown(found))


if __name__ == "__main__":
    main()
