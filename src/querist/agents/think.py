"""One call of a model on behalf of an agent: it answers, or asks for tools.

Providers with tool calling of their own are asked by it. Any other model chooses by a JSON Schema: one object that is
either a tool with its arguments or the answer. Both give the same `Decision`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from querist.agents.task import Turn
from querist.agents.tool_schema import compact, hoist, signature
from querist.core.component import Component, ComponentKind, JsonSchema, Tool
from querist.core.context import RunContext
from querist.core.permissions import Kind, Need
from querist.errors import ModelOutputError
from querist.models.base import Message, Model, Reply, Request, Usage
from querist.models.structured import parse_reply
from querist.models.tool_calls import Exchange, ToolCall, ToolModel

ANSWER = "answer"
"""Name of the tool by which a model with tool calling of its own gives an answer that has a type."""

_THINK: JsonSchema = {"type": "string", "maxLength": 160}


class Thought(BaseModel):
    """What the model is to think about.

    Attributes:
        system: what it is and does. Stable, so that a model server can reuse it.
        turns: the conversation; the last is what is asked now.
        tools: what it may call.
        must_answer: it may not call them any more.
        exchanges: what it called since the last turn, oldest first.
        output: JSON Schema of the answer; text when None.
    """

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    system: str
    turns: tuple[Turn, ...]
    tools: tuple[Tool, ...] = ()
    must_answer: bool = False
    exchanges: tuple[Exchange, ...] = ()
    output: JsonSchema | None = None
    max_tokens: int = 512
    temperature: float = 0.0


class Decision(BaseModel):
    """What the model wants: calls of tools, or where there are none, `answer`. `thought` is what it said on the way."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    calls: tuple[ToolCall, ...] = ()
    answer: Any = None
    thought: str = ""
    usage: Usage
    model: str


class Think(Component[Thought, Decision]):
    """A model as a component, so that its calls go through the door as all others do.

    Args:
        role: what the permission to use it is asked for by: a role, or the model's name.
    """

    name = "model"
    kind: ComponentKind = "model"
    description = "Ask a language model for the next step of an agent."
    permissions: tuple[Kind, ...] = ("model",)

    def __init__(self, model: Model, role: str = "") -> None:
        self.model, self.role = model, role or model.name

    def needs(self, input: Thought) -> Iterable[Need]:
        return (Need("model", self.role),)

    async def run(self, input: Thought, context: RunContext) -> Decision:
        decision = await (_native(self.model, input) if isinstance(self.model, ToolModel) else self._chosen(input))
        context.spend(decision.usage.input_tokens + decision.usage.output_tokens)
        return decision

    async def _chosen(self, thought: Thought) -> Decision:
        """By a JSON Schema of all that may come next; as plain text where only an answer in words may."""
        free = not thought.tools and not thought.exchanges and thought.output is None
        manual = "" if free else _manual(thought.tools, thought.output)
        system = "\n\n".join(filter(None, (thought.system, manual)))
        reply = await self.model.complete(
            Request(
                [Message("system", system)] * bool(system) + _messages(thought),
                schema=None if free else _choice(() if thought.must_answer else thought.tools, thought.output),
                max_tokens=thought.max_tokens,
                temperature=thought.temperature,
                prefix=f"agent-{hashlib.sha256(system.encode()).hexdigest()[:16]}",
            )
        )
        _whole(reply, reply.data is not None)
        chosen: dict[str, Any] = reply.data if isinstance(reply.data, dict) else {"answer": reply.text.strip()}
        calls = (ToolCall(chosen["tool"], chosen["arguments"]),) if "tool" in chosen else ()
        return Decision(
            calls=calls,
            answer=chosen.get("answer"),
            thought=chosen.get("think", ""),
            usage=reply.usage,
            model=reply.model,
        )


async def _native(model: ToolModel, thought: Thought) -> Decision:
    tools = () if thought.must_answer else thought.tools
    if thought.output is not None:
        tools = (*tools, Tool(ANSWER, "Give the final answer.", thought.output, {}))
    told, exchanges = [Message(turn.role, turn.content) for turn in thought.turns], thought.exchanges
    if thought.must_answer:  # calls of tools that are no longer offered confuse some providers: told in words, then
        told, exchanges = _messages(thought), ()
    request = Request(
        [Message("system", thought.system)] * bool(thought.system) + told,
        max_tokens=thought.max_tokens,
        temperature=thought.temperature,
    )
    reply, calls = await model.call_tools(request, tools, exchanges)
    _whole(reply, bool(calls))
    answer: Any = reply.text.strip()
    if thought.output is not None and not [call for call in calls if call.name != ANSWER]:
        given = json.dumps(calls[0].arguments) if calls else answer  # some write the answer instead of calling for it
        try:
            answer, calls = parse_reply(given, thought.output), ()
        except ValueError as error:
            raise ModelOutputError(
                f"{model.name} gave an answer that does not fit the agent's output: {error}.",
                hint="Ask again, make the output simpler, or choose another model.",
            ) from error
    wanted = tuple(call for call in calls if call.name != ANSWER)
    return Decision(
        calls=wanted,
        answer=answer,
        thought=reply.text.strip() if wanted else "",
        usage=reply.usage,
        model=reply.model,
    )


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
        rest = ", the last above all" if thought.must_answer else ", or use a tool for what is still missing"
        content = f"Results so far:\n{results}\n\n{content}\n\nAnswer from these results{rest}."
    return [*(Message(turn.role, turn.content) for turn in before), Message(last.role, content)]


def _line(exchange: Exchange) -> str:
    arguments = ", ".join(f"{name}={value!r}" for name, value in exchange.call.arguments.items())
    return f"{exchange.call.name}({arguments}): {exchange.result}"


def _choice(tools: Sequence[Tool], output: JsonSchema | None) -> JsonSchema:
    """JSON Schema of one reply: a tool with its arguments, or the answer."""
    definitions: JsonSchema = {}
    options = [
        _object(
            think=_THINK, tool={"const": tool.name}, arguments=compact(hoist(tool.input_schema, tool.name, definitions))
        )
        for tool in tools
    ]
    answer = {"type": "string"} if output is None else compact(hoist(output, ANSWER, definitions))
    options.append(_object(think=_THINK, answer=answer))
    schema: JsonSchema = options[0] if len(options) == 1 else {"anyOf": options}
    return schema | {"$defs": {name: compact(inner) for name, inner in definitions.items()}} if definitions else schema


def _object(**properties: JsonSchema) -> JsonSchema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
