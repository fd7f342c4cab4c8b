"""A model that replies from a script, for tests that are not about models."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from querist.models.base import OnToken, Reply, Request, Usage
from querist.models.structured import parse_reply

Answer = str | dict[str, Any] | Exception
"""Text, JSON data for a request with a schema, or an error to raise."""


class ScriptedModel:
    """Replies with each of `answers` in turn, or with what a function makes of the request; `requests` keeps those."""

    def __init__(self, answers: Sequence[Answer] | Callable[[Request], Answer], name: str = "scripted:model") -> None:
        self.name = name
        self.requests: list[Request] = []
        self._answer = answers if callable(answers) else None
        self._left = [] if callable(answers) else list(answers)

    async def complete(self, request: Request, on_token: OnToken | None = None) -> Reply:
        self.requests.append(request)
        if self._answer is None and not self._left:
            raise AssertionError(
                f"{self.name} was asked {len(self.requests)} times, more often than its script has answers"
            )
        answer = self._answer(request) if self._answer else self._left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        text = answer if isinstance(answer, str) else json.dumps(answer)
        if on_token is not None:
            on_token(text)
        size = sum(len(message.content.split()) for message in request.messages)
        return Reply(
            text=text,
            model=self.name,
            usage=Usage(calls=1, input_tokens=size, output_tokens=len(text.split())),
            data=parse_reply(text, request.schema) if request.schema is not None else None,
        )

    async def close(self) -> None:
        return None
