"""What the door, hooks, events and the registry cost; beside them pydantic-ai alone and LangGraph, in the same run.

    python -m bench.core [--output bench/results/core]

Writes Markdown and JSON. LangGraph is run in an environment of its own, which `uv` makes and keeps in its cache.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from querist.core.component import Component
from querist.core.context import RunContext
from querist.core.event_stream import EventStream
from querist.core.events import EventBus, RunStarted
from querist.core.hooks import Moving
from querist.core.permissions import Grant, Need, Principal
from querist.core.registry import Registry
from querist.core.runner import Runner
from querist.settings.policy import BreakerSettings, CacheSettings, Concurrency, Policy, Rate, Retry
from querist.state.event_log import EventLog

LANGGRAPH = "langgraph==1.2.22"
BATCHES = 9
HOOKS = 10
NODES = 50
"""Steps of one run of a graph; the cost of one is that of the run divided by these."""


class Number(BaseModel):
    value: int


class Echo(Component[Number, Number]):
    name = "echo"
    description = "Give back what it is given."

    def __init__(self, policy: Policy | None = None) -> None:
        self.policy = policy

    async def run(self, input: Number, context: RunContext) -> Number:
        return input


class Reads(Echo):
    permissions = ("file_read",)

    def needs(self, input: Number) -> tuple[Need, ...]:
        return (Need("source", "sales"),)


async def micros(once: Callable[[], Awaitable[Any]], calls: int = 2000) -> float:
    """Microseconds of one call: the fastest of some batches, since other programs can only make it slower."""
    times = []
    for _ in range(BATCHES):
        started = time.perf_counter()
        for _ in range(calls):
            await once()
        times.append((time.perf_counter() - started) / calls * 1e6)
    return min(times)


async def door() -> dict[str, float]:
    given, context = Number(value=1), RunContext()
    everything = Policy(
        timeout=60,
        retry=Retry(),
        rate=Rate(per_minute=1e9, burst=1_000_000, tokens_per_minute=10**9),
        concurrency=Concurrency(limit=8),
        breaker=BreakerSettings(),
    )
    all_limits = Runner(concurrency=Concurrency(limit=8))
    hooked = Runner()

    async def hook(moving: Moving) -> None:
        return None

    for _ in range(HOOKS):
        hooked.hooks.add(hook, "before:component")
    echo, limited, cached = Echo(), Echo(everything), Echo(Policy(cache=CacheSettings()))
    bare, principal = Runner(), Principal(grants=(Grant("source", "*"),))
    granted = RunContext(principal=principal)
    return {
        "call without the door": await micros(lambda: echo.run(given, context)),
        "door, nothing configured": await micros(lambda: bare.run(echo, given, context)),
        "door, one permission needed": await micros(lambda: bare.run(Reads(), given, granted)),
        "door, all limits on": await micros(lambda: all_limits.run(limited, given, context)),
        "door, output from the cache": await micros(lambda: bare.run(cached, given, context)),
        f"door, {HOOKS} hooks": await micros(lambda: hooked.run(echo, given, context), 500),
    }


async def events() -> dict[str, float]:
    event, quiet, heard, streamed, kept = RunStarted(source="x"), EventBus(), EventBus(), EventBus(), EventBus()

    def ignore(event: object) -> None: ...

    for _ in range(10):
        heard.subscribe(ignore, "run.*")

    def emits(bus: EventBus) -> Callable[[], Awaitable[None]]:
        async def emit() -> None:
            bus.emit(event)

        return emit

    found = {
        "emit, nobody listens": await micros(emits(quiet)),
        "emit, 10 subscribers": await micros(emits(heard)),
    }
    with EventStream(streamed):
        found["emit, 1 stream"] = await micros(emits(streamed))
    with tempfile.TemporaryDirectory() as folder:
        log = EventLog(Path(folder) / "events.sqlite")
        log.attach(kept)
        number, started = 20_000, time.perf_counter()
        for _ in range(number):
            kept.emit(event)
        told = time.perf_counter() - started
        log.flush()
        found["emit, kept on disk"] = told / number * 1e6
        found["emit, kept on disk, until it is there"] = (time.perf_counter() - started) / number * 1e6
        log.close()
    return found


async def registry() -> dict[str, float]:
    known = Registry()
    for number in range(1000):
        one = Echo()
        one.name = f"echo_{number}"
        known.add(one)

    async def look() -> None:
        known.get("echo_500")

    return {"registry lookup, 1000 components": await micros(look)}


async def pydantic_ai() -> dict[str, float]:
    """pydantic-ai alone, with a model that answers at once."""
    from pydantic_ai import Agent
    from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
    from pydantic_ai.models.function import AgentInfo, FunctionModel

    def answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        return ModelResponse(parts=[TextPart("yes")])

    def call_first(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        return ModelResponse(parts=[TextPart("yes")] if len(messages) > 1 else [ToolCallPart("echo", {"value": 1})])

    plain, with_tool = Agent(FunctionModel(answer)), Agent(FunctionModel(call_first))

    @with_tool.tool_plain
    async def echo(value: int) -> int:
        """Give back what it is given."""
        return value

    return {
        "pydantic-ai, agent run, 1 model call": await micros(lambda: plain.run("?"), 100),
        "pydantic-ai, agent run, 2 model calls and 1 tool": await micros(lambda: with_tool.run("?"), 100),
    }


async def chain() -> dict[str, float]:
    """Steps inside one run, as a graph of LangGraph has them."""
    runner, echo, given = Runner(), Echo(), Number(value=1)

    class Steps(Echo):
        async def run(self, input: Number, context: RunContext) -> Number:
            for _ in range(NODES):
                input = await runner.run(echo, input, context)
            return input

    return {f"Querist, a step of {NODES}": await micros(lambda: runner.run(Steps(), given), 50) / NODES}


async def langgraph() -> dict[str, float]:
    """Only in the environment that has it."""
    from typing import TypedDict

    from langgraph.graph import END, START, StateGraph  # type: ignore[import-not-found, unused-ignore]

    class State(TypedDict):
        value: int

    async def node(state: State) -> State:
        return state

    graph = StateGraph(State)
    names = [f"n{number}" for number in range(NODES)]
    for name in names:
        graph.add_node(name, node)
    for one, other in zip([START, *names], [*names, END], strict=True):
        graph.add_edge(one, other)
    app = graph.compile()
    run = await micros(lambda: app.ainvoke({"value": 1}, {"recursion_limit": NODES + 5}), 10)
    return {f"LangGraph, a node of {NODES}": run / NODES}


def langgraph_beside() -> dict[str, float]:
    """`langgraph` in its own environment; nothing where that cannot be made."""
    command = ["run", "--quiet", "--no-project", "--with", LANGGRAPH, "--with", "querist @ ."]
    root = Path(__file__).parents[1]
    uv = Path(sys.executable).parent / "uv"
    try:
        done = subprocess.run(
            [str(uv), *command, "python", "-m", "bench.core", "--langgraph"],
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", "").strip().splitlines()
        print(f"LangGraph is left out: {(said or [error])[-1]}", file=sys.stderr)
        return {}
    found: dict[str, float] = json.loads(done.stdout)
    return found


def as_markdown(found: dict[str, float]) -> str:
    machine = (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}"
    )
    lines = ["# The door", "", f"{machine}. Microseconds for one call.", "", "| what | µs |", "|---|---:|"]
    return "\n".join([*lines, *(f"| {what} | {value:.1f} |" for what, value in found.items())]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "core")
    parser.add_argument("--langgraph", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.langgraph:
        print(json.dumps(asyncio.run(langgraph())))
        return
    logging.disable()
    found: dict[str, float] = {}
    for measure in (door, events, registry, chain, pydantic_ai):
        found |= asyncio.run(measure())
    found |= langgraph_beside()
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.with_suffix(".json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    options.output.with_suffix(".md").write_text(as_markdown(found), encoding="utf-8")
    print(as_markdown(found))


if __name__ == "__main__":
    main()
