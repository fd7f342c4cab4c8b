"""One call of a model on behalf of an agent: it answers, or asks for tools.

Providers with tool calling of their own are asked by it. Any other model chooses by a JSON Schema: one object that is
either a tool with its arguments or the answer. Both give the same `Decision`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from querist.agents.task import Turn
from querist.agents.tool_schema import compact, hoist, signature
from querist.core.component import JsonSchema, Tool
from querist.core.context import RunContext
from querist.core.runner import Runner
from querist.errors import ModelOutputError
from querist.models.at_door import CallModel, ModelReply, ModelRequest
from querist.models.base import Message, Model, Reply, Request, Usage
from querist.models.structured import parse_reply, record
from querist.models.tool_calls import Exchange, ToolCall, ToolModel

ANSWER = "answer"
"""Name of the tool by which a model with tool calling of its own gives an answer that has a type."""

_THINK: JsonSchema = {"type": "string", "maxLength": 160}


@dataclass(frozen=True)
class Thought:
    """What the model is to think about.

    Attributes:
        system: what it is and does. Stable, so that a model server can reuse it.
        turns: the conversation; the last is what is asked now.
        tools: what it is told of, once for all steps, so that a model server can reuse that.
        usable: those of them that it may call now; where there are none, it has to answer.
        may_answer: whether it may answer now, or has to call one of them. Of models with tool calling of their own it
            is not demanded.
        exchanges: what it called since the last turn, oldest first.
        output: JSON Schema of the answer; text when None.
    """

    system: str
    turns: tuple[Turn, ...]
    tools: tuple[Tool, ...] = ()
    usable: tuple[Tool, ...] = ()
    may_answer: bool = True
    exchanges: tuple[Exchange, ...] = ()
    output: JsonSchema | None = None
    max_tokens: int = 512
    temperature: float = 0.0


@dataclass(frozen=True)
class Decision:
    """What the model wants: calls of tools, or where there are none, `answer`. `thought` is what it said on the way."""

    usage: Usage
    calls: tuple[ToolCall, ...] = ()
    answer: Any = None
    thought: str = ""


@dataclass(frozen=True)
class Mind:
    """A model that thinks for an agent.

    Attributes:
        role: what the permission to use it is asked for by: a role, or the model's name.
    """

    model: Model
    role: str
    runner: Runner

    async def think(self, thought: Thought, context: RunContext) -> Decision:
        """Let the model take the next step. It is asked through the door.

        Raises:
            ModelError: it cannot be asked, or its reply cannot be used.
            RunError: a permission, a limit or a hook does not allow it.
        """
        way = _native if isinstance(self.model, ToolModel) else _chosen
        return await way(thought, self, context)

    async def ask(self, request: ModelRequest, context: RunContext) -> ModelReply:
        return await self.runner.run(CallModel(self.model, self.role), request, context)


async def _chosen(thought: Thought, mind: Mind, context: RunContext) -> Decision:
    """By a JSON Schema of all that may come next; as plain text where only an answer in words may."""
    free = not thought.tools and not thought.exchanges and thought.output is None
    manual = "" if free else _manual(thought.tools, thought.output)
    system = "\n\n".join(filter(None, (thought.system, manual)))
    request = Request(
        [Message("system", system)] * bool(system) + _messages(thought),
        schema=None if free else _choice(thought),
        max_tokens=thought.max_tokens,
        temperature=thought.temperature,
        prefix=f"agent-{hashlib.sha256(system.encode()).hexdigest()[:16]}",
    )
    reply = (await mind.ask(ModelRequest(request=request), context)).reply
    _whole(reply, reply.data is not None)
    chosen: dict[str, Any] = reply.data if isinstance(reply.data, dict) else {"answer": reply.text.strip()}
    calls = (ToolCall(chosen["tool"], chosen["arguments"]),) if "tool" in chosen else ()
    return Decision(reply.usage, calls, chosen.get("answer"), chosen.get("think", ""))


async def _native(thought: Thought, mind: Mind, context: RunContext) -> Decision:
    """By the provider's own tool calling."""
    tools = thought.usable
    if thought.output is not None:
        tools = (*tools, Tool(ANSWER, "Give the final answer.", thought.output, {}))
    told, exchanges = [Message(turn.role, turn.content) for turn in thought.turns], thought.exchanges
    if not thought.usable:  # calls of tools that are no longer offered confuse some providers: told in words, then
        told, exchanges = _messages(thought), ()
    request = Request(
        [Message("system", thought.system)] * bool(thought.system) + told,
        max_tokens=thought.max_tokens,
        temperature=thought.temperature,
    )
    done = await mind.ask(ModelRequest(request=request, tools=tools, exchanges=exchanges), context)
    reply, calls = done.reply, done.calls
    _whole(reply, bool(calls))
    answer: Any = reply.text.strip()
    wanted = tuple(call for call in calls if call.name != ANSWER)
    if thought.output is not None and not wanted:
        given = json.dumps(calls[0].arguments) if calls else answer  # some write the answer instead of calling for it
        try:
            answer = parse_reply(given, thought.output)
        except ValueError as error:
            raise ModelOutputError(
                f"{reply.model} gave an answer that does not fit the agent's output: {error}.",
                hint="Ask again, make the output simpler, or choose another model.",
            ) from error
    return Decision(reply.usage, wanted, answer, reply.text.strip() if wanted else "")


def _whole(reply: Reply, usable: bool) -> None:
    """Raise when the reply is half an answer, or none."""
    if usable:
        return
    if not reply.text.strip():
        raise ModelOutputError(f"{reply.model} replied with nothing.", hint="Ask again, or in other words.")
    if reply.finish == "length":
        raise ModelOutputError(
            f"{reply.model} was cut off after {reply.usage.output_tokens} tokens, in the middle of its answer.",
            hint="Raise max_tokens of the agent, or ask for something shorter.",
        )


def _manual(tools: Sequence[Tool], output: JsonSchema | None) -> str:
    """How to reply, for a model without tool calling. Short: a small model reads every word of it slowly.

    A sentence of thought before each choice is what lets a small model take several steps; without it, it answers or
    calls at random. Its beginning is given, as it would otherwise be filled in with the description of itself.
    """
    answer = "{...}" if output is not None else '"..."'
    if not tools:
        return f'Reply with JSON: {{"think": "I know ...", "answer": {answer}}}'
    listed = "\n".join(f"- {signature(tool)}" for tool in tools)
    return (
        f"Tools:\n{listed}\n\nReply with one JSON object. Think in one short sentence about which fact or number you "
        f'need next, and get it with a tool:\n{{"think": "I need ...", "tool": name, "arguments": {{...}}}}\n'
        f'When the results suffice, or no tool can help:\n{{"think": "I know ...", "answer": {answer}}}'
    )


def _messages(thought: Thought) -> list[Message]:
    """The conversation, with what was called in the last message: as turns of their own, a small model would only
    go on with their pattern."""
    *before, last = thought.turns
    content = last.content
    if thought.exchanges:
        results = "\n".join(f"{n}. {_line(exchange)}" for n, exchange in enumerate(thought.exchanges, start=1))
        rest = ", the last above all" if not thought.usable else ", or use a tool for what is still missing"
        content = f"Results so far:\n{results}\n\n{content}\n\nAnswer from these results{rest}."
    return [*(Message(turn.role, turn.content) for turn in before), Message(last.role, content)]


def _line(exchange: Exchange) -> str:
    arguments = ", ".join(f"{name}={value!r}" for name, value in exchange.call.arguments.items())
    return f"{exchange.call.name}({arguments}): {exchange.result}"


def _choice(thought: Thought) -> JsonSchema:
    """JSON Schema of one reply: a tool with its arguments, or the answer."""
    definitions: JsonSchema = {}
    options = [
        record(
            think=_THINK, tool={"const": tool.name}, arguments=compact(hoist(tool.input_schema, tool.name, definitions))
        )
        for tool in thought.usable
    ]
    if thought.may_answer:
        answer = {"type": "string"} if thought.output is None else compact(hoist(thought.output, ANSWER, definitions))
        options.append(record(think=_THINK, answer=answer))
    schema: JsonSchema = options[0] if len(options) == 1 else {"anyOf": options}
    return schema | {"$defs": {name: compact(inner) for name, inner in definitions.items()}} if definitions else schema
