"""Every call of a model as a run of the component `model`: hooks see them all alike, limits, budgets and grants hold.

`ModelAtDoor` is for code that knows nothing of the door. Not for what an agent is told: see `agents/think.py`.
"""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from querist.core.component import Component, ComponentKind, Tool
from querist.core.context import RunContext, current_run
from querist.core.permissions import Kind, Need
from querist.core.runner import Runner
from querist.models.base import Model, OnToken, Reply, Request
from querist.models.tool_calls import Exchange, ToolCall, ToolModel


class ModelRequest(BaseModel):
    """What a model is asked.

    Attributes:
        tools: what a model with tool calling of its own may call; None where it is asked for a reply alone.
        exchanges: what it called since the last message.
    """

    model_config = ConfigDict(frozen=True)

    request: Request
    tools: tuple[Tool, ...] | None = None
    exchanges: tuple[Exchange, ...] = ()


class ModelReply(BaseModel):
    """What it says, and the tools it asks for."""

    model_config = ConfigDict(frozen=True)

    reply: Reply
    calls: tuple[ToolCall, ...] = ()


class CallModel(Component[ModelRequest, ModelReply]):
    """A model as a component.

    Args:
        role: what the permission to use it is asked for by; empty where whoever asks needs none.
        on_token: see `Model.complete`.
    """

    name = "model"
    description = "Ask a language model."
    kind: ComponentKind = "model"
    permissions: tuple[Kind, ...] = ("model",)

    def __init__(self, model: Model, role: str = "", on_token: OnToken | None = None) -> None:
        self._model, self._role, self._on_token = model, role, on_token
        self.version = model.name  # what one model said is not what another says

    def needs(self, input: ModelRequest) -> Iterable[Need]:
        return (Need("model", self._role),) if self._role else ()

    async def run(self, input: ModelRequest, context: RunContext) -> ModelReply:
        if input.tools is not None and isinstance(self._model, ToolModel):
            reply, calls = await self._model.call_tools(input.request, input.tools, input.exchanges)
        else:
            reply, calls = await self._model.complete(input.request, self._on_token), ()
        context.spend(reply.usage.input_tokens + reply.usage.output_tokens)
        return ModelReply(reply=reply, calls=calls)


class ModelAtDoor:
    """Runs each call of `model` inside whatever run asks for it.

    Args:
        model: closed with this one.
    """

    def __init__(self, model: Model, runner: Runner) -> None:
        self.name = model.name
        self._model, self._runner = model, runner

    async def complete(self, request: Request, on_token: OnToken | None = None) -> Reply:
        call = CallModel(self._model, on_token=on_token)
        done = await self._runner.run(call, ModelRequest(request=request), current_run.get())
        return done.reply

    async def close(self) -> None:
        await self._model.close()
