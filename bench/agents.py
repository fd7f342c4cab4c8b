"""What an agent costs beyond its model: runs with a model that answers at once, beside pydantic-ai.

    python -m bench.agents [--output bench/results/agents]

Writes Markdown and JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.core import Echo, micros, pydantic_ai
from querist.agents.agent import Agent
from querist.agents.definition import AgentDefinition
from querist.core.component import Tool
from querist.core.context import RunContext
from querist.core.permissions import Grant, Principal
from querist.core.runner import Runner
from querist.models.base import OnToken, Reply, Request, Usage
from querist.models.tool_calls import Exchange, ToolCall
from querist.state.agent_memory import AgentMemory

RUNS = 200
_NOW = Usage(calls=1, input_tokens=10, output_tokens=5)


class Chooses:
    """A model that calls the tool once, by a JSON Schema, and then answers."""

    name = "bench:model"

    async def complete(self, request: Request, on_token: OnToken | None = None) -> Reply:
        if request.schema is None:
            return Reply("yes", self.name, _NOW)
        seen = request.messages[-1].content.startswith("Results so far")
        data: dict[str, Any] = {"think": "", "answer": "yes"} if seen else _CALL
        return Reply(json.dumps(data), self.name, _NOW, data=data)

    async def close(self) -> None: ...


_CALL: dict[str, Any] = {"think": "", "tool": "echo", "arguments": {"value": 1}}


class Calls(Chooses):
    """The same with tool calling of its own."""

    async def call_tools(
        self, request: Request, tools: Sequence[Tool], exchanges: Sequence[Exchange]
    ) -> tuple[Reply, tuple[ToolCall, ...]]:
        return Reply("yes", self.name, _NOW), () if exchanges else (ToolCall("echo", {"value": 1}),)


async def agents(folder: Path) -> dict[str, float]:
    runner, memory = Runner(), AgentMemory(folder / "agents.sqlite")
    context = RunContext(principal=Principal(grants=(Grant("model", "*"),)))

    def made(name: str, model: Chooses, tools: Sequence[Echo] = ()) -> Agent:
        definition = AgentDefinition(name=name, description="Measured.", instructions="You answer.")
        return Agent(definition, model, runner, tools=tools, memory=memory)

    plain, choosing, calling = made("a", Chooses()), made("b", Chooses(), [Echo()]), made("c", Calls(), [Echo()])

    async def timed(agent: Agent) -> float:
        return await micros(lambda: runner.run(agent, {"message": "?"}, context), RUNS)

    return {
        "Querist, agent run, 1 model call": await timed(plain),
        "Querist, agent run, 2 model calls and 1 tool, by JSON Schema": await timed(choosing),
        "Querist, agent run, 2 model calls and 1 tool, by the provider's own calls": await timed(calling),
    }


def as_markdown(found: dict[str, float]) -> str:
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors, "
    machine += f"Python {platform.python_version()}"
    lines = ["# Agents", "", f"{machine}. Microseconds for one run, its model answering at once.", ""]
    return "\n".join([*lines, "| what | µs |", "|---|---:|", *(f"| {k} | {v:.0f} |" for k, v in found.items())]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "agents")
    output = parser.parse_args().output
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(agents(Path(folder))) | asyncio.run(pydantic_ai())
    output.parent.mkdir(parents=True, exist_ok=True)
    output.with_suffix(".json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    output.with_suffix(".md").write_text(as_markdown(found), encoding="utf-8")
    print(as_markdown(found))


if __name__ == "__main__":
    main()
