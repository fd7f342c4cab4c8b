"""From a model's name, or several in order of preference, to a model that can be asked."""

from __future__ import annotations

import difflib
import importlib.util
import logging
import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from querist.errors import (
    ConfigError,
    MissingExtraError,
    ModelAccessError,
    ModelError,
    ModelNotFoundError,
    QueristError,
    UsageError,
)
from querist.models.base import EmbeddingModel, Model
from querist.models.fallback import FallbackModel, all_failed
from querist.models.manifest import manifest, model_path
from querist.settings import LocalSettings, ProviderSettings, Settings
from querist.settings.model import PROVIDERS

if TYPE_CHECKING:
    from querist.models.llama_server import ServerConfig
    from querist.models.openai_protocol import Endpoint

log = logging.getLogger(__name__)

T = TypeVar("T")

OpenProvider: TypeAlias = Callable[[str, ProviderSettings], Model]
"""Makes the model called `name` (`provider:model`) with the provider's settings: `open(name, options)`."""

_added: dict[str, OpenProvider] = {}

_OLLAMA = "http://localhost:11434"
_OPENAI = "https://api.openai.com/v1"


def open_model(names: str | Sequence[str], settings: Settings | None = None) -> Model:
    """The model called `names`; of several, one that asks each in turn until one answers.

    Opening is cheap: a local model loads with the first question. The caller closes what it opened.

    Args:
        names: `provider:model`, such as `local:qwen2.5-coder-1.5b`, `local:/path/to/x.gguf`, `openai:gpt-5`,
            `ollama:qwen3`, `openai-compatible:any`; or the name of a server of your own that
            `models.providers` gives a `base_url`.

    Raises:
        ModelNotFoundError: unknown, or not fetched yet. Of several names, only when none can be opened.
        ModelAccessError: the provider's key is missing.
        MissingExtraError: the provider's client library is not installed.
        ConfigError: the settings of the provider do not suffice.
    """
    chosen = settings or Settings()
    models = _each(names, chosen, _open_one)
    return models[0] if len(models) == 1 else FallbackModel(models)


def open_embedding_model(names: str | Sequence[str], settings: Settings | None = None) -> EmbeddingModel:
    """As `open_model`, for embeddings: the first name that can be opened, since vectors of two models do not mix."""
    return _each(names, settings or Settings(), _open_embedding)[0]


def check_provider(provider: str) -> None:
    """Raise a UsageError when models of this provider cannot be given to a plugin."""
    if not re.fullmatch(r"[a-z][a-z0-9-]*", provider):
        raise UsageError(f"{provider!r} is no name of a provider.", hint="Use small letters, digits and hyphens.")
    if provider in PROVIDERS or provider in _added:
        raise UsageError(f"There is already a provider {provider!r}.", hint="Choose another name.")


def add_providers(openers: Mapping[str, OpenProvider]) -> None:
    """From now on open models of these providers so, in the whole process."""
    _added.update(openers)


def server_config(name: str, local: LocalSettings) -> ServerConfig:
    """How the local model `name` is served under these settings.

    Raises:
        ModelNotFoundError: unknown, or not fetched yet.
    """
    from querist.models.llama_server import ServerConfig

    return ServerConfig(
        model=str(model_path(name)),
        context=local.context,
        slots=local.slots,
        threads=local.threads or 0,
        prefix_cache_mb=local.prompt_cache_mb,
        idle_seconds=local.idle_seconds,
    )


def _each(names: str | Sequence[str], settings: Settings, open_one: Callable[[str, Settings], T]) -> list[T]:
    """All that can be opened here. One without its key, file or library is logged and left out, if another remains."""
    wanted = [names] if isinstance(names, str) else list(names)
    if not wanted:
        raise ConfigError("No model is named.", hint="Name at least one, such as local:qwen2.5-coder-1.5b.")
    for name in wanted:
        _check_name(name, settings)
    opened: list[T] = []
    failures: list[QueristError] = []
    for name in wanted:
        try:
            opened.append(open_one(name, settings))
        except (ModelError, MissingExtraError) as error:
            failures.append(error)
    if not opened:
        raise all_failed(failures) from failures[-1]
    for failure in failures:
        log.warning("a model is left out: %s %s", failure.message, failure.hint)
    return opened


def _open_one(name: str, settings: Settings) -> Model:
    from querist.models.hosted import HostedModel

    provider = name.partition(":")[0]
    options = settings.models.providers.get(provider, ProviderSettings())
    if provider in _added:
        return _opened(name, options)
    if provider == "local":
        _check_runtime()
        if any(f"local:{model.name}" == name and model.use == "embedding" for model in manifest().models):
            raise ModelNotFoundError(
                f"{name!r} makes embeddings and no text.",
                hint="Name it under models.embedding, and another model here.",
            )
        from querist.models.llamacpp import LocalModel

        return LocalModel(
            name, server_config(name, settings.local), shared=settings.local.shared, timeout=settings.models.timeout
        )
    if endpoint := _endpoint(name, settings):
        from querist.models.openai_protocol import OpenAIProtocolModel

        return OpenAIProtocolModel(endpoint)
    return HostedModel(
        name,
        api_key=_key(options),
        base_url=options.base_url or "",
        api_version=options.api_version or "",
        timeout=settings.models.timeout,
        retries=settings.models.retries,
    )


def _opened(name: str, options: ProviderSettings) -> Model:
    provider = name.partition(":")[0]
    try:
        return _added[provider](name, options)
    except QueristError:
        raise
    except Exception as error:
        raise ModelError(f"The plugin for {provider}: failed: {type(error).__name__}: {error}") from error


def _open_embedding(name: str, settings: Settings) -> EmbeddingModel:
    provider = name.partition(":")[0]
    if provider == "local":
        _check_runtime()
        from querist.models.llamacpp import LocalEmbeddings

        config = server_config(name, settings.local)
        return LocalEmbeddings(name, config, shared=settings.local.shared, timeout=settings.models.timeout)
    if endpoint := _endpoint(name, settings, embedding=True):
        from querist.models.openai_protocol import OpenAIProtocolEmbeddings, OpenAIProtocolModel

        return OpenAIProtocolEmbeddings(OpenAIProtocolModel(endpoint))
    raise ModelNotFoundError(
        f"Embeddings of {provider!r} are not supported.",
        hint="Use local:FILE.gguf, ollama:NAME, openai:NAME, or openai-compatible:NAME.",
    )


def _check_runtime() -> None:
    """Raise when local models cannot run here: to be known before a gigabyte is fetched."""
    if importlib.util.find_spec("xllamacpp") is None:
        raise MissingExtraError("xllamacpp", "local", "run a local model")


def _endpoint(name: str, settings: Settings, *, embedding: bool = False) -> Endpoint | None:
    """Where and how to ask `name` in the OpenAI protocol; None when it is not asked that way."""
    from querist.models import hosted
    from querist.models.openai_protocol import Endpoint

    provider, _, model = name.partition(":")
    options = settings.models.providers.get(provider, ProviderSettings())
    base_url, key, price = options.base_url or "", _key(options), None
    down_hint = f"Is the server running, and is models.providers.{provider}.base_url right?"
    if provider == "ollama":
        base_url = base_url or f"{ollama_host()}/v1"
        down_hint = "Is Ollama running? Start it with `ollama serve`."
        price = 0.0
    elif provider == "openai" and embedding:
        base_url, key = base_url or _OPENAI, key or os.environ.get("OPENAI_API_KEY", "")
        if not key:
            raise ModelAccessError(f"{name} needs a key.", hint="Set OPENAI_API_KEY.")
    elif provider in hosted.PROVIDERS:
        return None
    elif not base_url:
        raise ConfigError(
            f"{name!r} needs the address of its server.",
            hint=f"Set models.providers.{provider}.base_url in querist.yaml, such as http://localhost:8000/v1.",
        )
    return Endpoint(
        name=name,
        model=model,
        base_url=base_url,
        api_key=key,
        key_hint=f"Set models.providers.{provider}.api_key in querist.yaml; ${{NAME}} takes it from the environment.",
        down_hint=down_hint,
        timeout=settings.models.timeout,
        retries=settings.models.retries,
        price=price,
    )


def ollama_host() -> str:
    """Address of the Ollama server, by its own environment variable or its default."""
    host = os.environ.get("OLLAMA_HOST", "") or _OLLAMA
    return (host if "://" in host else f"http://{host}").rstrip("/")


def _key(options: ProviderSettings) -> str:
    return options.api_key.get_secret_value() if options.api_key else ""


def _check_name(name: str, settings: Settings) -> None:
    """Raise when no settings and no installation could make `name` a model: a slip, not to be passed over."""
    provider, colon, model = name.partition(":")
    known = list(dict.fromkeys([*PROVIDERS, *_added, *settings.models.providers]))
    if provider in known and model:
        return
    if provider in known:
        raise ModelNotFoundError(f"{name!r} names no model.", hint=f"Write {provider}:MODEL.")
    near = difflib.get_close_matches(provider, known, n=1)
    guess = f"Did you mean {near[0]}:{model or 'MODEL'}? " if near else ""
    what = f"There is no provider {provider!r}" if colon else f"{name!r} does not name a provider"
    raise ModelNotFoundError(
        f"{what}.", hint=f"{guess}A model is written provider:model; providers: {', '.join(known)}."
    )
