"""A model whose every call goes through the door: hooks may look at it or change it, limits and budgets hold."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from querist.core.component import Component, ComponentKind
from querist.core.context import RunContext, current_run
from querist.core.runner import Runner
from querist.models.base import Model, OnToken, Reply, Request


class ModelRequest(BaseModel):
    model_config = ConfigDict(frozen=True)

    request: Request


class ModelReply(BaseModel):
    model_config = ConfigDict(frozen=True)

    reply: Reply


class ModelAtDoor:
    """Runs each call of `model` as the component `model`, inside whatever run asks for it.

    Args:
        model: closed with this one.
    """

    def __init__(self, model: Model, runner: Runner) -> None:
        self.name = model.name
        self._model, self._runner = model, runner

    async def complete(self, request: Request, on_token: OnToken | None = None) -> Reply:
        call = _Call(self._model, on_token)
        done = await self._runner.run(call, ModelRequest(request=request), current_run.get())
        return done.reply

    async def close(self) -> None:
        await self._model.close()


class _Call(Component[ModelRequest, ModelReply]):
    name = "model"
    description = "Ask a language model."
    kind: ComponentKind = "model"

    def __init__(self, model: Model, on_token: OnToken | None) -> None:
        self._model, self._on_token = model, on_token

    async def run(self, input: ModelRequest, context: RunContext) -> ModelReply:
        reply = await self._model.complete(input.request, self._on_token)
        context.spend(reply.usage.input_tokens + reply.usage.output_tokens)
        return ModelReply(reply=reply)
