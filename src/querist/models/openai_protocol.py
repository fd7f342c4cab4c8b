"""A client for servers that speak OpenAI's chat protocol at a base URL: the local server, Ollama, vLLM, LM Studio, ...

Not for OpenAI itself and other hosted models: see `hosted.py`.
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from querist.errors import (
    ModelAccessError,
    ModelError,
    ModelNotFoundError,
    ModelOutputError,
    ModelRateLimitError,
    ModelTimeoutError,
    UsageError,
)
from querist.models.base import OnToken, Reply, Request, Usage
from querist.models.lean_httpx import load_httpx, open_client
from querist.models.retry import PASSING_STATUS, PassingFault, parse_retry_after, with_retries
from querist.models.structured import follow_schema

if TYPE_CHECKING:
    import httpx

_SHOWN = 300  # characters of a server's own message that an error quotes
_GARBAGE = (AttributeError, IndexError, KeyError, TypeError, ValueError)
"""What reading JSON of another form than expected raises."""


@dataclass(frozen=True)
class Endpoint:
    """A server and how to speak to it.

    Attributes:
        name: what errors and replies call the model, such as `ollama:qwen3`.
        model: the model's name at the server.
        base_url: up to and including `/v1`.
        key_hint: what to do when the key is missing or refused.
        down_hint: what to do when nobody answers.
        context_hint: what to do when the prompt is too long.
        timeout: seconds for one try of a call.
        retries: further tries after a passing fault.
        price: US dollars for a call; None when unknown.
    """

    name: str
    model: str
    base_url: str
    api_key: str = ""
    key_hint: str = ""
    down_hint: str = ""
    context_hint: str = "The prompt is longer than the model can read: ask over fewer tables, or choose another model."
    timeout: float = 120.0
    retries: int = 2
    price: float | None = None


@dataclass
class _Said:
    """What a server has said so far, whole or in pieces."""

    pieces: list[str] = field(default_factory=list)
    finish: str = ""
    usage: dict[str, Any] = field(default_factory=dict)
    logprobs: list[float] = field(default_factory=list)

    def note(self, choice: Mapping[str, Any]) -> None:
        """Keep the token probabilities that a choice carries."""
        for token in (choice.get("logprobs") or {}).get("content") or ():
            self.logprobs.append(float(token["logprob"]))


class OpenAIProtocolModel:
    """A chat model at an `Endpoint`."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.name = endpoint.name
        self.endpoint = endpoint
        self._client: httpx.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def complete(self, request: Request, on_token: OnToken | None = None) -> Reply:
        if request.grammar:
            raise UsageError(f"{self.name} takes no grammar; only local models do.", hint="Give a schema instead.")
        return await self.complete_with(request, {}, on_token)

    async def complete_with(self, request: Request, extra: Mapping[str, Any], on_token: OnToken | None) -> Reply:
        """As `complete`, with fields of the server's own dialect in the body."""
        return await follow_schema(self.name, request, lambda asked: self._attempt(asked, extra, on_token))

    async def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """One call of the server with retries; the JSON that it answers."""

        async def once() -> dict[str, Any]:
            async with self._faults():
                response = await self._open().post(path, json=body)
            self._raise_for(response.status_code, response.headers, response.text)
            return self._json(response.text)

        return await with_retries(once, self.endpoint.retries, self.name)

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None and self._loop is asyncio.get_running_loop():
            await client.aclose()

    async def _attempt(self, request: Request, extra: Mapping[str, Any], on_token: OnToken | None) -> Reply:
        started = time.perf_counter()
        body = self._body(request, extra)
        if on_token is None:
            said = self._read_reply(await self.post("chat/completions", body))
        else:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
            said = await with_retries(lambda: self._stream(body, on_token), self.endpoint.retries, self.name)
        return Reply(
            text="".join(said.pieces),
            model=self.name,
            usage=self._usage(said.usage, time.perf_counter() - started),
            finish="stop" if said.finish == "stop" else "length" if said.finish == "length" else "other",
            logprob=sum(said.logprobs) if said.logprobs else None,
        )

    def _body(self, request: Request, extra: Mapping[str, Any]) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self.endpoint.model,
            "messages": [{"role": message.role, "content": message.content} for message in request.messages],
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
        }
        if request.seed is not None:
            body["seed"] = request.seed
        if request.stop:
            body["stop"] = list(request.stop)
        if request.schema is not None:
            schema = {"name": "reply", "strict": True, "schema": request.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        if request.logprobs:
            body["logprobs"] = True
        return body | dict(extra)

    def _read_reply(self, data: dict[str, Any]) -> _Said:
        try:
            choice = data["choices"][0]
            text = choice["message"]["content"]
            said = _Said(["" if text is None else str(text)], str(choice.get("finish_reason")), data.get("usage") or {})
            said.note(choice)
            return said
        except _GARBAGE as error:
            raise self._garbage(json.dumps(data)) from error

    async def _stream(self, body: Mapping[str, Any], on_token: OnToken) -> _Said:
        said = _Said()
        try:
            async with self._faults(), self._open().stream("POST", "chat/completions", json=body) as response:
                if response.status_code != 200:
                    await response.aread()
                    self._raise_for(response.status_code, response.headers, response.text)
                async for event in self._events(response):
                    for piece in self._read_event(event, said):
                        said.pieces.append(piece)
                        on_token(piece)
        except PassingFault as fault:
            if said.pieces:  # the reader has seen them: starting over would show them twice
                raise self._broken_off(said.pieces) from fault.error
            raise
        if not said.finish:
            raise self._broken_off(said.pieces)
        return said

    async def _events(self, response: httpx.Response) -> AsyncIterator[dict[str, Any]]:
        async for line in response.aiter_lines():
            if not line.startswith("data:"):
                continue
            payload = line.removeprefix("data:").strip()
            if payload == "[DONE]":
                return
            event = self._json(payload)
            if event.get("error"):
                raise ModelError(f"{self.name} failed while answering: {_message(payload)}")
            yield event

    def _read_event(self, event: dict[str, Any], said: _Said) -> list[str]:
        """The text in an event of a stream; all else in it is noted."""
        try:
            said.usage = event.get("usage") or said.usage
            pieces = []
            for choice in event.get("choices") or ():
                said.finish = choice.get("finish_reason") or said.finish
                said.note(choice)
                if piece := (choice.get("delta") or {}).get("content"):
                    pieces.append(str(piece))
            return pieces
        except _GARBAGE as error:
            raise self._garbage(json.dumps(event)) from error

    def _usage(self, usage: Mapping[str, Any], seconds: float) -> Usage:
        try:
            details = usage.get("prompt_tokens_details") or {}
            return Usage(
                calls=1,
                input_tokens=int(usage.get("prompt_tokens") or 0),
                cached_tokens=int(details.get("cached_tokens") or 0),
                output_tokens=int(usage.get("completion_tokens") or 0),
                seconds=seconds,
                cost=self.endpoint.price,
            )
        except _GARBAGE as error:
            raise self._garbage(json.dumps(usage)) from error

    def _open(self) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:  # connections belong to the loop that opened them
            self._loop = loop
            key = self.endpoint.api_key
            headers = {"Authorization": f"Bearer {key}"} if key else {}
            self._client = open_client(self.endpoint.base_url, headers, self.endpoint.timeout)
        return self._client

    @asynccontextmanager
    async def _faults(self) -> AsyncIterator[None]:
        """Bound a try's time, and turn faults of the connection into ours."""
        load_httpx()
        import httpx

        place = f"{self.name} at {self.endpoint.base_url}"
        try:
            async with asyncio.timeout(self.endpoint.timeout):
                yield
        except (TimeoutError, httpx.ReadTimeout, httpx.WriteTimeout, httpx.PoolTimeout) as error:
            raise ModelTimeoutError(
                f"{place} did not answer within {self.endpoint.timeout:g} s.",
                hint="Raise models.timeout, ask for less, or choose a faster model.",
            ) from error
        except httpx.TransportError as error:
            fault = ModelError(
                f"{place} cannot be reached: {str(error) or type(error).__name__}.", hint=self.endpoint.down_hint
            )
            fault.__cause__ = error
            raise PassingFault(fault) from error
        except httpx.InvalidURL as error:
            raise ModelError(f"{self.endpoint.base_url!r} is not a valid base URL for {self.name}: {error}.") from error

    def _raise_for(self, status: int, headers: Mapping[str, str], text: str) -> None:
        if status == 200:
            return
        said = f"{self.name} answered {status}: {_message(text)}"
        error: ModelError
        wait = parse_retry_after(headers.get("retry-after"))
        if status in (401, 403):
            error = ModelAccessError(said, hint=self.endpoint.key_hint)
        elif status == 404:
            error = ModelNotFoundError(said, hint=f"Is {self.endpoint.model!r} served at {self.endpoint.base_url}?")
        elif status == 429:
            later = "later" if wait is None else f"in {math.ceil(wait)} s"
            error = ModelRateLimitError(said, hint=f"Try again {later}, or name a fallback model.", retry_after=wait)
        elif "context" in text and status in (400, 413, 500):
            error = ModelError(said, hint=self.endpoint.context_hint)
        else:
            error = ModelError(said)
        if status in PASSING_STATUS:
            raise PassingFault(error, wait)
        raise error

    def _json(self, text: str) -> dict[str, Any]:
        try:
            data = json.loads(text)
        except json.JSONDecodeError as error:
            raise self._garbage(text) from error
        if not isinstance(data, dict):
            raise self._garbage(text)
        return data

    def _broken_off(self, pieces: list[str]) -> ModelOutputError:
        return ModelOutputError(
            f"{self.name} broke off in the middle of its reply, after {len(''.join(pieces))} characters.",
            hint=self.endpoint.down_hint or "Ask again.",
        )

    def _garbage(self, text: str) -> ModelOutputError:
        return ModelOutputError(
            f"{self.endpoint.base_url} does not answer in the OpenAI protocol: {text[:_SHOWN]!r}.",
            hint="Check the base URL: it usually ends in /v1.",
        )


class OpenAIProtocolEmbeddings:
    """An embedding model at the endpoint of `server`."""

    def __init__(self, server: OpenAIProtocolModel) -> None:
        self.name = server.name
        self._server = server

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        if not texts:
            return []
        data = await self._server.post("embeddings", {"model": self._server.endpoint.model, "input": list(texts)})
        try:
            rows = sorted(data["data"], key=lambda row: row["index"])
            vectors = [_unit([float(value) for value in row["embedding"]]) for row in rows]
        except (KeyError, TypeError, ValueError) as error:
            raise ModelOutputError(f"{self.name} sent no embeddings: {json.dumps(data)[:_SHOWN]}.") from error
        if len(vectors) != len(texts):
            raise ModelOutputError(f"{self.name} sent {len(vectors)} embeddings for {len(texts)} texts.")
        return vectors

    async def close(self) -> None:
        await self._server.close()


def _unit(vector: list[float]) -> list[float]:
    length = math.sqrt(sum(value * value for value in vector))
    return [value / length for value in vector] if length else vector


def _message(text: str) -> str:
    """The server's own words in an error body, whatever its form."""
    try:
        body = json.loads(text)
    except json.JSONDecodeError:
        return text.strip()[:_SHOWN] or "no explanation"
    error: Any = body.get("error", body) if isinstance(body, dict) else body
    message = error.get("message", error) if isinstance(error, dict) else error
    return str(message)[:_SHOWN]
