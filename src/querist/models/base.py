"""What every model can do. Not for choosing or opening one: see `models/open.py`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

JsonSchema = dict[str, Any]


@dataclass(frozen=True)
class Message:
    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class Usage:
    """What calls cost. `cached_tokens` is the part of `input_tokens` that the server had already read.

    `seconds` is time spent waiting for models; `cost` is in US dollars, None when the price is unknown
    (local models cost 0).
    """

    calls: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    cost: float | None = 0.0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.calls + other.calls,
            self.input_tokens + other.input_tokens,
            self.cached_tokens + other.cached_tokens,
            self.output_tokens + other.output_tokens,
            self.seconds + other.seconds,
            None if self.cost is None or other.cost is None else self.cost + other.cost,
        )


@dataclass(frozen=True)
class Request:
    """One call of a model.

    Attributes:
        messages: what is stable first, the question last, so that a server can reuse its prompt prefix.
        schema: JSON Schema that the reply must follow; None for free text.
        max_tokens: bound on the reply's length, in tokens.
        prefix: name of the prompt family this call belongs to, such as a fingerprint of data and prompt variant.
            Calls with the same name share their beginning. A local server keeps one slot for each and saves it to disk.
        logprobs: ask how likely the reply was, where the server can say that.
        grammar: GBNF grammar that the reply must follow, for what a schema cannot say. Local models only.
    """

    messages: Sequence[Message]
    schema: JsonSchema | None = None
    max_tokens: int = 512
    temperature: float = 0.0
    seed: int | None = 0
    stop: tuple[str, ...] = ()
    prefix: str = ""
    grammar: str = ""
    logprobs: bool = False


@dataclass(frozen=True)
class Reply:
    """A model's answer.

    Attributes:
        data: the parsed JSON when the request had a schema, else None.
        logprob: natural logarithm of the probability that the model gave to this text as a whole; None when it was
            not asked for or the server does not say.
    """

    text: str
    model: str
    usage: Usage
    data: Any = None
    finish: Literal["stop", "length", "other"] = "stop"
    logprob: float | None = None


OnToken = Callable[[str], None]
"""Called with each piece of text as it arrives."""


class Model(Protocol):
    """A language model behind some provider. `name` is `provider:model` as settings write it."""

    name: str

    async def complete(self, request: Request, on_token: OnToken | None = None) -> Reply:
        """Answer one request; streams to `on_token` when it is given.

        Raises:
            ModelError: one of its subclasses; retries for passing faults are already spent.
        """
        ...

    async def close(self) -> None: ...


class EmbeddingModel(Protocol):
    name: str

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One unit-length vector for each text, in order."""
        ...

    async def close(self) -> None: ...


@dataclass
class UsageMeter:
    """Adds up the usage of one run."""

    total: Usage = field(default_factory=Usage)

    def add(self, usage: Usage) -> None:
        self.total = self.total + usage
