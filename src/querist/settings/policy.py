"""What can be set about how components run. Not for doing it: the door does, in `core/`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from querist.settings.section import Seconds, Section, Whole

Name = Annotated[str, Field(min_length=1)]

PermissionKind = Literal["file_read", "file_write", "network", "process", "model", "source"]


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class Retry(Section):
    """When a run that failed is tried again. All tries together stay within the timeout."""

    attempts: Whole = Field(default=3, ge=1, description="Tries in all")
    backoff: Seconds = Field(
        default=0.5, description="Seconds before the second try; doubles with each, ±25 %, unless the error says longer"
    )
    on: Annotated[tuple[Name, ...], BeforeValidator(_as_tuple)] = Field(
        default=("model.rate_limit", "model.timeout", "data.timeout", "run.timeout"),
        description="Codes of errors; `model` stands for all that begin with `model.`",
    )


class Rate(Section):
    """How often a component may run. A run waits for its turn, or fails at once where that would take too long."""

    per_minute: Seconds | None = Field(default=None, description="Runs a minute")
    burst: Whole = Field(default=1, ge=1, description="Runs that may start at once after a pause")
    tokens_per_minute: Whole | None = Field(
        default=None, ge=1, description="Tokens of language models a minute, its own and of what runs inside it"
    )


class Concurrency(Section):
    """How much may run at once. What has to wait is taken by priority."""

    limit: Whole = Field(ge=1, description="Runs at once")
    queue: Whole = Field(default=100, ge=0, description="Runs that may wait; one more fails at once")


class BreakerSettings(Section):
    """When a component that keeps failing is left alone for a while."""

    threshold: Whole = Field(default=5, ge=1, description="Failures within the window that open it")
    window: Seconds = Field(default=60.0, description="Seconds")
    reset: Seconds = Field(default=30.0, description="Seconds that it stays open before one run may try again")


class CacheSettings(Section):
    """Outputs kept in memory, for components whose output depends on nothing but their input."""

    ttl: Seconds = Field(default=300.0, description="Seconds that an output is good for")
    size: Whole = Field(default=256, ge=1, description="Outputs kept, least recently used out first")


class Policy(Section):
    """How one component runs. What is not set is as it is for all others: no limit but the timeout."""

    timeout: Seconds | None = Field(
        default=None, description="Seconds that one run may take, waits and retries included"
    )
    retry: Retry | None = None
    rate: Rate | None = None
    concurrency: Concurrency | None = None
    priority: Literal["urgent", "high", "normal", "low", "idle"] | None = Field(
        default=None, description="Who goes first where runs wait; for its runs and all below them"
    )
    breaker: BreakerSettings | None = None
    cache: CacheSettings | None = None
    memory_mb: Whole | None = Field(
        default=None, ge=16, description="Only for components that work in a process of their own"
    )
    cpu_seconds: Seconds | None = Field(
        default=None, description="Only for components that work in a process of their own"
    )

    def over(self, below: Policy) -> Policy:
        """This policy, and where it sets nothing, the one below."""
        return below.model_copy(update={name: getattr(self, name) for name in self.model_fields_set})


class HookSettings(Section):
    """One of the built-in hooks, and where it is called."""

    use: Literal["logger", "metrics", "validator", "transformer"] = Field(
        description="logger writes to the log; metrics counts; validator vetoes text that matches `pattern`; "
        "transformer puts `replacement` in its place"
    )
    at: Annotated[tuple[Name, ...], Field(min_length=1), BeforeValidator(_as_tuple)] = Field(
        description="Points such as `before:tool`, `after:*`; one or several"
    )
    component: Name = Field(default="*", description="Only components whose name matches this pattern")
    priority: Whole = Field(default=500, ge=0, le=1000, description="Lower is called first")
    timeout: Seconds = Field(default=5.0, description="Seconds that one call may take")
    on_error: Literal["continue", "stop", "rollback"] | None = Field(
        default=None, description="When the hook itself fails; `stop` for validator and transformer, else `continue`"
    )
    level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Of logger")
    pattern: str | None = Field(default=None, description="Regular expression, for validator and transformer")
    replacement: str = Field(default="***", description="Of transformer; may use groups, such as `\\1`")

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        import re

        try:
            re.compile(pattern or "")
        except re.error as error:
            raise ValueError(f"is no regular expression: {error}") from error
        return pattern

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Self:
        if self.use in ("validator", "transformer") and not self.pattern:
            raise ValueError(f"a {self.use} needs a `pattern`")
        return self


class EventSettings(Section):
    """What is kept of what happened."""

    keep: bool = Field(default=False, description="Keep events on disk, uses of permissions among them")
    days: Seconds = Field(default=30.0, description="Older ones are deleted")
