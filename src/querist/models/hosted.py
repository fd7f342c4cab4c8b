"""Hosted models (`openai:`, `azure:`, `anthropic:`, `google:`, ...) through pydantic-ai, which knows each one's API.

Retries are ours, so that every provider behaves alike; pydantic-ai's own are off.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from querist.errors import (
    ConfigError,
    MissingExtraError,
    ModelAccessError,
    ModelError,
    ModelNotFoundError,
    ModelOutputError,
    ModelRateLimitError,
    ModelTimeoutError,
    UsageError,
)
from querist.models.base import OnToken, Reply, Request, Usage
from querist.models.retry import PassingFault, with_retries
from querist.models.structured import follow_schema
from querist.models.tool_calls import Exchange, ToolCall

if TYPE_CHECKING:
    from pydantic_ai import messages, models, settings

    from querist.core.component import Tool

_LEAST_TOKENS = 16  # OpenAI refuses to be bounded to fewer
_THINKING_TOKENS = 8192  # a model that thinks first spends its thoughts from the same budget as its reply


@dataclass(frozen=True)
class Provider:
    """A hosted provider. `extra` is Querist's, empty where the user installs pydantic-ai's `package_extra` itself."""

    name: str
    key_variable: str
    extra: str = ""
    package_extra: str = ""


PROVIDERS = {
    provider.name: provider
    for provider in (
        Provider("openai", "OPENAI_API_KEY", extra="openai"),
        Provider("azure", "AZURE_OPENAI_API_KEY", extra="openai"),
        Provider("anthropic", "ANTHROPIC_API_KEY", extra="anthropic"),
        Provider("google", "GOOGLE_API_KEY", extra="google"),
        Provider("bedrock", "AWS_BEARER_TOKEN_BEDROCK", package_extra="bedrock"),
        Provider("cohere", "CO_API_KEY", package_extra="cohere"),
        Provider("deepseek", "DEEPSEEK_API_KEY", extra="openai"),
        Provider("groq", "GROQ_API_KEY", package_extra="groq"),
        Provider("mistral", "MISTRAL_API_KEY", package_extra="mistral"),
        Provider("openrouter", "OPENROUTER_API_KEY", extra="openai"),
        Provider("xai", "XAI_API_KEY", package_extra="xai"),
    )
}


class HostedModel:
    """A model behind a provider's API.

    Args:
        name: `provider:model`.
        api_key, base_url, api_version: where not empty, instead of the provider's environment variables.
        timeout: seconds for one try of a call.
        retries: further tries after a passing fault.

    Raises:
        MissingExtraError: the provider's client library is not installed.
        ModelAccessError: no key.
        ModelError: the provider cannot be set up so.
    """

    def __init__(
        self,
        name: str,
        *,
        api_key: str = "",
        base_url: str = "",
        api_version: str = "",
        timeout: float = 120.0,
        retries: int = 2,
    ) -> None:
        self.name = name
        self._provider = PROVIDERS[name.partition(":")[0]]
        self._timeout = timeout
        self._retries = retries
        self._open: Callable[[], models.Model] = partial(_open, name, self._provider, api_key, base_url, api_version)
        self._model = self._open()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def complete(self, request: Request, on_token: OnToken | None = None) -> Reply:
        if request.grammar:
            raise UsageError(f"{self.name} takes no grammar; only local models do.", hint="Give a schema instead.")
        return await follow_schema(
            self.name,
            request,
            lambda asked: with_retries(lambda: self._ask(asked, on_token), self._retries, self.name),
        )

    async def call_tools(
        self, request: Request, tools: Sequence[Tool], exchanges: Sequence[Exchange]
    ) -> tuple[Reply, tuple[ToolCall, ...]]:
        """See `ToolModel`."""
        from pydantic_ai.models import ModelRequestParameters
        from pydantic_ai.tools import ToolDefinition

        offered = [
            ToolDefinition(name=tool.name, description=tool.description, parameters_json_schema=tool.input_schema)
            for tool in tools
        ]
        form = ModelRequestParameters(function_tools=offered)
        history = [*_history(request), *_exchanged(exchanges)]

        async def once() -> tuple[Reply, messages.ModelResponse]:
            return await self._respond(request, history, form, None)

        reply, response = await with_retries(once, self._retries, self.name)
        return reply, tuple(
            ToolCall(part.tool_name, part.args_as_dict(), part.tool_call_id) for part in response.tool_calls
        )

    async def close(self) -> None:
        if self._loop is asyncio.get_running_loop():
            await self._model.__aexit__(None, None, None)
            self._model, self._loop = self._open(), None

    async def _ask(self, request: Request, on_token: OnToken | None) -> Reply:
        reply, _ = await self._respond(request, _history(request), _form(request, self._model), on_token)
        return reply

    async def _respond(
        self,
        request: Request,
        history: list[messages.ModelMessage],
        form: models.ModelRequestParameters,
        on_token: OnToken | None,
    ) -> tuple[Reply, messages.ModelResponse]:
        from pydantic_ai import direct

        started = time.perf_counter()
        await self._enter()
        wishes = self._wishes(request)
        seen = False
        try:
            with self._faults():
                if on_token is None:
                    response = await direct.model_request(
                        self._model, history, model_settings=wishes, model_request_parameters=form
                    )
                else:
                    async with direct.model_request_stream(
                        self._model, history, model_settings=wishes, model_request_parameters=form
                    ) as stream:
                        async for event in stream:
                            if piece := _text_of(event):
                                seen = True
                                on_token(piece)
                        response = stream.get()
        except PassingFault as fault:
            if seen:  # the reader has seen the beginning: starting over would show it twice
                raise fault.error from fault.error.__cause__
            raise
        if response.state != "complete":
            raise ModelOutputError(f"{self.name} broke off in the middle of its reply.", hint="Ask again.")
        reply = Reply(
            text=_up_to(request.stop, response.text or ""),
            model=self.name,
            usage=_usage(response, time.perf_counter() - started),
            finish={"stop": "stop", "length": "length"}.get(response.finish_reason or "", "other"),  # type: ignore[arg-type]
        )
        return reply, response

    async def _enter(self) -> None:
        """Connections belong to the event loop that opened them: a new loop gets new ones."""
        loop = asyncio.get_running_loop()
        if self._loop is loop:
            return
        if self._loop is not None:
            self._model = self._open()
        self._loop = loop
        await self._model.__aenter__()

    def _wishes(self, request: Request) -> settings.ModelSettings:
        from pydantic_ai.settings import ModelSettings

        thinks = self._model.profile.get("thinking_enabled_by_default") or self._model.profile.get(
            "thinking_always_enabled"
        )
        wishes = ModelSettings(
            max_tokens=max(request.max_tokens, _LEAST_TOKENS) + (_THINKING_TOKENS if thinks else 0),
            timeout=self._timeout,
            max_retries=0,
        )
        if not thinks:  # those that think take no temperature
            wishes["temperature"] = request.temperature
        if request.seed is not None:
            wishes["seed"] = request.seed
        if request.stop and "stop_sequences" not in self._model.unsupported_settings:
            wishes["stop_sequences"] = list(request.stop)
        return wishes

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """Turn pydantic-ai's errors into ours."""
        from pydantic_ai import exceptions as theirs

        try:
            yield
        except theirs.ModelAPIError as error:
            passing = isinstance(
                error,
                theirs.ModelRateLimitError
                | theirs.ModelUnavailableError
                | theirs.ModelServerError
                | theirs.ModelConnectionError,
            )
            ours = self._translate(error)
            ours.__cause__ = error
            if passing and not isinstance(error, theirs.ModelTimeoutError):
                raise PassingFault(ours, error.retry_after) from error
            raise ours from error
        except theirs.UnexpectedModelBehavior as error:
            raise ModelOutputError(f"{self.name} sent a reply that cannot be used: {error}") from error
        except theirs.UserError as error:
            raise ModelError(f"{self.name} cannot do what was asked: {error}") from error
        except (TypeError, ValueError, AttributeError, LookupError) as error:  # client libraries trust what they read
            raise ModelOutputError(
                f"{self.name} sent a reply that cannot be read ({type(error).__name__}: {error}).",
                hint=f"Check models.providers.{self._provider.name}.base_url: something else may be answering there.",
            ) from error

    def _translate(self, error: Exception) -> ModelError:
        from pydantic_ai import exceptions as theirs

        said = f"{self.name}: {error}"
        match error:
            case theirs.ModelAuthenticationError():
                return ModelAccessError(said, hint=_key_hint(self._provider))
            case theirs.ModelQuotaExceededError():
                return ModelAccessError(said, hint="The account has no credit left; waiting does not help.")
            case theirs.ModelNotFoundError():
                return ModelNotFoundError(said, hint="Check the model's name in the provider's list.")
            case theirs.ModelRateLimitError():
                return ModelRateLimitError(
                    said, hint="Try again later, or name a fallback model.", retry_after=error.retry_after
                )
            case theirs.ModelTimeoutError():
                return ModelTimeoutError(
                    f"{self.name} did not answer within {self._timeout:g} s.",
                    hint="Raise models.timeout, ask for less, or choose a faster model.",
                )
            case theirs.ModelContextWindowExceededError():
                return ModelError(said, hint="The prompt is longer than the model can read: ask over fewer tables.")
            case theirs.ModelConnectionError():
                return ModelError(said, hint="Check the network, a proxy, and the provider's base_url.")
            case _:
                return ModelError(said)


def _open(name: str, provider: Provider, api_key: str, base_url: str, api_version: str) -> models.Model:
    if not (api_key or base_url or api_version):
        options: dict[str, str] = {}
    else:
        address = "azure_endpoint" if provider.name == "azure" else "base_url"
        given = {"api_key": api_key, address: base_url, "api_version": api_version}
        options = {key: value for key, value in given.items() if value}
    try:
        from pydantic_ai.exceptions import UserError
        from pydantic_ai.models import infer_model
        from pydantic_ai.providers import infer_provider_class
    except ImportError as error:
        raise _missing(provider) from error
    try:
        return infer_model(name, lambda prefix: infer_provider_class(prefix)(**options))
    except ImportError as error:
        raise _missing(provider) from error
    except TypeError as error:
        raise ConfigError(
            f"The provider {provider.name!r} does not take all of {', '.join(sorted(options))}: {error}.",
            hint=f"Remove what it does not take from models.providers.{provider.name}.",
        ) from error
    except UserError as error:
        text = str(error).split(" To try Pydantic AI")[0]
        if "environment variable" in text:
            raise ModelAccessError(f"{name} is not set up.", hint=_setup_hint(provider, text)) from error
        raise ModelNotFoundError(f"{name}: {text}") from error


def _missing(provider: Provider) -> MissingExtraError | ModelNotFoundError:
    if provider.extra:
        return MissingExtraError("pydantic-ai-slim", provider.extra, f"use {provider.name} models")
    return ModelNotFoundError(
        f"The client library for {provider.name} models is not installed.",
        hint=f'Install it: pip install "pydantic-ai-slim[{provider.package_extra}]"',
    )


def _key_hint(provider: Provider) -> str:
    return f"Set {provider.key_variable}, or models.providers.{provider.name}.api_key in querist.yaml."


def _setup_hint(provider: Provider, theirs: str) -> str:
    if provider.name == "azure":
        return (
            "Set AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_API_KEY and OPENAI_API_VERSION, or base_url, api_key and "
            "api_version of models.providers.azure in querist.yaml."
        )
    return _key_hint(provider) if provider.key_variable in theirs else theirs


def _history(request: Request) -> list[messages.ModelMessage]:
    from pydantic_ai.messages import (
        ModelMessage,
        ModelRequest,
        ModelResponse,
        SystemPromptPart,
        TextPart,
        UserPromptPart,
    )

    history: list[ModelMessage] = []
    for message in request.messages:
        if message.role == "assistant":
            history.append(ModelResponse(parts=[TextPart(message.content)]))
            continue
        part = SystemPromptPart(message.content) if message.role == "system" else UserPromptPart(message.content)
        last = history[-1] if history else None
        if isinstance(last, ModelRequest):
            last.parts = [*last.parts, part]
        else:
            history.append(ModelRequest(parts=[part]))
    return history


def _exchanged(exchanges: Sequence[Exchange]) -> list[messages.ModelMessage]:
    from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, ToolCallPart, ToolReturnPart

    told: list[ModelMessage] = []
    for exchange in exchanges:
        call = exchange.call
        told.append(ModelResponse(parts=[ToolCallPart(call.name, call.arguments, call.id)]))
        told.append(ModelRequest(parts=[ToolReturnPart(call.name, exchange.result, call.id)]))
    return told


def _form(request: Request, model: models.Model) -> models.ModelRequestParameters:
    """How the reply must look: constrained by the provider where it can, else asked for in the prompt."""
    from pydantic_ai.models import ModelRequestParameters
    from pydantic_ai.output import OutputObjectDefinition

    if request.schema is None:
        return ModelRequestParameters(output_mode="text")
    return ModelRequestParameters(
        output_mode="native" if model.profile.get("supports_json_schema_output") else "prompted",
        output_object=OutputObjectDefinition(json_schema=request.schema, name="reply"),
    )


def _up_to(stops: Sequence[str], text: str) -> str:
    """What comes before the first of `stops`: not every provider ends a reply there."""
    return min((text.partition(stop)[0] for stop in stops), key=len, default=text)


def _text_of(event: Any) -> str:
    from pydantic_ai.messages import PartDeltaEvent, PartStartEvent, TextPart, TextPartDelta

    match event:
        case PartStartEvent(part=TextPart(content=text)) | PartDeltaEvent(delta=TextPartDelta(content_delta=text)):
            return text
        case _:
            return ""


def _usage(response: messages.ModelResponse, seconds: float) -> Usage:
    try:
        cost: float | None = float(response.cost().total_price)
    except (LookupError, ValueError, AssertionError):  # an unknown model, or a reply without usage
        cost = None
    return Usage(
        calls=1,
        input_tokens=response.usage.input_tokens,
        cached_tokens=response.usage.cache_read_tokens,
        output_tokens=response.usage.output_tokens,
        seconds=seconds,
        cost=cost,
    )
