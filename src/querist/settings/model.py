"""What can be set, with its defaults. Not for reading it from somewhere: see `load.py`."""

from __future__ import annotations

from typing import Annotated, Any, get_args

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    SecretStr,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from querist.settings.policy import Concurrency, EventSettings, HookSettings, PermissionKind, Policy
from querist.settings.section import Seconds, Section, Whole, redacted
from querist.settings.tools import ToolSettings

_TEXT_OR_LIST: dict[str, Any] = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


PROVIDERS = (
    "local",
    "ollama",
    "openai-compatible",
    "openai",
    "azure",
    "anthropic",
    "google",
    "bedrock",
    "cohere",
    "deepseek",
    "groq",
    "mistral",
    "openrouter",
    "xai",
)
"""Names that a model's name may begin with, beside those of servers of one's own in `models.providers`."""


def _as_written(value: tuple[str, ...]) -> str | list[str]:
    return value[0] if len(value) == 1 else list(value)


Name = Annotated[str, Field(min_length=1)]

ModelNames = Annotated[
    tuple[Name, ...],
    Field(min_length=1),
    BeforeValidator(_as_tuple),
    PlainSerializer(_as_written),
    WithJsonSchema(_TEXT_OR_LIST),
]
"""One `provider:model`, or several in the order in which they are tried. Always a tuple once loaded."""

Locations = Annotated[tuple[Name, ...], BeforeValidator(_as_tuple), WithJsonSchema(_TEXT_OR_LIST)]


class ProviderSettings(Section):
    """How to reach one provider of models. What is not set here comes from the provider's own environment variables."""

    base_url: str | None = Field(
        default=None, description="Address of the API, for `openai-compatible` servers and proxies"
    )
    api_key: SecretStr | None = None
    api_version: str | None = Field(
        default=None, description="For providers whose API has dated versions, such as Azure"
    )


class ModelSettings(Section):
    """Which model plays which role, and how models are called."""

    providers: dict[str, ProviderSettings] = Field(
        default_factory=dict,
        description="By provider name: `openai`, `azure`, `anthropic`, `google`, `ollama`, `openai-compatible`, …",
    )
    reasoning: ModelNames = ("local:qwen2.5-coder-1.5b",)
    coding: ModelNames = ("local:qwen2.5-coder-1.5b",)
    fast: ModelNames = ("local:qwen2.5-coder-1.5b",)
    embedding: ModelNames = ("local:all-minilm-l6-v2",)
    timeout: Seconds = Field(default=120.0, description="Seconds that one call may take")
    retries: Whole = Field(
        default=2,
        ge=0,
        description="How often a call is made again after a passing fault (rate limit, overload, network)",
    )

    @field_validator("reasoning", "coding", "fast", "embedding")
    @classmethod
    def _known_provider(cls, names: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        known = [*PROVIDERS, *info.data.get("providers", {})]
        for name in names:
            provider, _, model = name.partition(":")
            if not provider or not model:
                raise ValueError("a model is written provider:model, such as openai:gpt-5")
            if provider not in known and "providers" in info.data:
                import difflib

                near = difflib.get_close_matches(provider, known, n=1)
                guess = f"did you mean {near[0]}:{model}?" if near else f"known: {', '.join(known)}"
                raise ValueError(f"there is no provider {provider!r}; {guess}")
        return names


class LocalSettings(Section):
    """The model that runs on this machine."""

    context: Whole = Field(default=8192, ge=512, description="Tokens that one conversation may hold")
    threads: Whole | None = Field(default=None, ge=1, description="CPU threads; the number of cores when not set")
    slots: Whole = Field(
        default=4, ge=1, description="Prompt beginnings kept in memory, each ready to be continued at once"
    )
    shared: bool = Field(
        default=True, description="Let all commands use one background server that ends by itself when idle"
    )
    idle_seconds: Seconds = Field(
        default=600.0, description="Seconds without a call after which the background server ends"
    )
    prompt_cache_mb: Whole = Field(
        default=1024, ge=0, description="Disk space for saved prompt beginnings, in MB; 0 saves none"
    )


class LimitSettings(Section):
    """Bounds of one query."""

    seconds: Seconds = Field(default=30.0, description="A query that runs longer is stopped and fails")
    rows: Whole = Field(default=10_000, ge=1, description="A longer result is cut, and says so")
    bytes: Whole = Field(default=50_000_000, ge=1, description="A larger result is cut, and says so")


class AnswerSettings(Section):
    """How hard to try for an answer."""

    drafts: Whole = Field(
        default=3, ge=1, description="The most drafts made for one question; fewer when they agree early"
    )
    repairs: Whole = Field(default=2, ge=0, description="The most repairs of a draft that failed")
    schema_tokens: Whole = Field(
        default=5000,
        ge=200,
        description="The most that a model is shown of a schema; a larger one is cut to what the question needs",
    )


BACKENDS = ("auto", "bubblewrap", "landlock", "container", "monty", "remote", "unsafe")
PLUGIN = "plugin:"
"""What the name of a sandbox begins with that a plugin brings."""


def _is_backend(name: str) -> str:
    if name not in BACKENDS and not name.startswith(PLUGIN):
        raise ValueError(f"must be one of {', '.join(BACKENDS)}, or {PLUGIN}NAME")
    return name


class SandboxSettings(Section):
    """Where code that a model wrote runs, and the bounds of one run."""

    backend: Annotated[
        str,
        AfterValidator(_is_backend),
        WithJsonSchema({"anyOf": [{"enum": list(BACKENDS)}, {"type": "string", "pattern": f"^{PLUGIN}"}]}),
    ] = Field(
        default="auto",
        description="`auto` takes bubblewrap and refuses where it does not work; every weaker one is named here",
    )
    image: Name = Field(default="querist-sandbox", description="Image for `container`: Python with the libraries")
    url: str | None = Field(default=None, description="Address of a `querist sandbox serve`, for `remote`")
    token: SecretStr | None = Field(default=None, description="What that server asks for")
    seconds: Seconds = Field(default=60.0, description="Time that a run may take")
    cpu_seconds: Seconds = Field(default=60.0, description="CPU time that a run may take")
    memory_mb: Whole = Field(default=2048, ge=64, description="Memory that a run may use beside the libraries, in MB")
    threads: Whole = Field(default=64, ge=1, description="Threads of a run; other processes are never allowed")
    output_kb: Whole = Field(default=1024, ge=1, description="What a run may print, in kB")
    files_mb: Whole = Field(default=64, ge=1, description="What a run may write and hand out, in MB")


def _is_grant(text: str) -> str:
    kind, _, scope = text.partition(":")
    if kind not in get_args(PermissionKind) or not scope:
        raise ValueError(f"a permission is written KIND:SCOPE, with KIND one of {', '.join(get_args(PermissionKind))}")
    return text


Grants = Annotated[
    tuple[Annotated[str, AfterValidator(_is_grant)], ...], BeforeValidator(_as_tuple), WithJsonSchema(_TEXT_OR_LIST)
]


class Settings(Section):
    """Everything that can be set."""

    data: Locations = Field(
        default=(), description="Data to ask when a call names none: paths, globs, folders, database URLs"
    )
    plugins: Locations = Field(
        default=(),
        description="Folders of plugins beside `plugins`; each must be trusted once: `querist plugin trust FOLDER`",
    )
    models: ModelSettings = Field(default_factory=ModelSettings)
    local: LocalSettings = Field(default_factory=LocalSettings)
    limits: LimitSettings = Field(default_factory=LimitSettings)
    answer: AnswerSettings = Field(default_factory=AnswerSettings)
    sandbox: SandboxSettings = Field(default_factory=SandboxSettings)
    agents: Locations = Field(
        default=(), description="Folders with agents (`<name>.yaml`), beside the folder `agents` next to this file"
    )
    components: dict[str, Policy] = Field(
        default_factory=dict, description="How components run, by name; `defaults` is for all"
    )
    concurrency: Concurrency | None = Field(default=None, description="For all components together")
    hooks: tuple[HookSettings, ...] = ()
    events: EventSettings = Field(default_factory=EventSettings)
    permissions: Grants = Field(
        default=(), description="What components may do, such as `file_read:./data` or `network:*.example.org`"
    )
    tools: ToolSettings = Field(default_factory=ToolSettings)
    token_budget: Whole | None = Field(
        default=None, ge=1, description="Tokens that all models together may use in the life of one program"
    )

    def public(self) -> dict[str, Any]:
        """The settings as JSON-ready data in which every secret is replaced by asterisks."""
        shown: dict[str, Any] = redacted(self.model_dump(mode="json"))
        return shown
