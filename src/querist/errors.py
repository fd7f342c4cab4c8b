"""Every error that Querist raises on purpose, in one tree.

    QueristError
    ├── ConfigError            the settings are wrong: file, line, column, what is allowed
    ├── UsageError             a call that makes no sense as asked
    ├── MissingExtraError      an optional part is not installed
    ├── DataError              something about the data
    │   ├── SourceNotFoundError    no file, folder or database there
    │   ├── SourceFormatError      it is there but cannot be read
    │   ├── SourceAccessError      it is there but refuses us (password, rights, network)
    │   ├── GuardError             the query is not allowed to run
    │   ├── QueryError             the engine refused the query
    │   └── QueryTimeoutError      the query took too long
    ├── ModelError             something about a language model
    │   ├── ModelNotFoundError     no such model, or not fetched yet
    │   ├── ModelAccessError       key missing or refused
    │   ├── ModelRateLimitError    too many requests (carries retry_after)
    │   ├── ModelTimeoutError      no reply in time
    │   ├── ModelOutputError       a reply that cannot be used
    │   └── DownloadError          the model could not be fetched or verified
    ├── SandboxError           something about running generated code; errors of the code itself are no exceptions
    │   └── SandboxUnavailableError  none that is strong enough works here
    └── RunError               something about running components
        ├── ComponentNotFoundError
        ├── ComponentInputError
        ├── PermissionDeniedError  whoever runs it may not do what it needs
        ├── BudgetSpentError       whoever runs it has used up its tokens
        ├── RunRejectedError       a limit does not let it start now (carries retry_after)
        │   ├── QueueFullError         too many wait already
        │   ├── RunRateLimitError      too many runs or tokens a minute
        │   └── BreakerOpenError       it failed too often, and is left alone for a while
        ├── VetoError              a hook forbids it
        ├── HookFailedError        a hook that must not fail did
        ├── ComponentTimeoutError
        ├── NetworkError           a server cannot be reached or used (carries retry_after)
        ├── AgentLimitError        an agent reached a bound of its own: tokens, agents inside each other
        └── ComponentFailedError

Each class has a stable `code`; each instance has a message (what failed, with which value), a `hint` (what to do next)
and, where there was one, a `__cause__`. Programs match on `code`, people read the message and the hint.
"""

from __future__ import annotations

from typing import ClassVar


class QueristError(Exception):
    """Base of all errors raised on purpose.

    Args:
        message: what failed, with which value, and why.
        hint: what the reader can do about it; empty when nothing helps.
    """

    code: ClassVar[str] = "querist"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def to_dict(self) -> dict[str, str]:
        """The error as JSON-ready data: code, message, hint."""
        return {"code": self.code, "message": self.message, "hint": self.hint}


class ConfigError(QueristError):
    """The settings are wrong. `file`, `line` and `column` (from 1) say where, when it is known."""

    code = "config"

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        file: str | None = None,
        line: int | None = None,
        column: int | None = None,
    ) -> None:
        place = f"{file}:{line}:{column}: " if file and line else f"{file}: " if file else ""
        super().__init__(place + message, hint=hint)
        self.file, self.line, self.column = file, line, column


class UsageError(QueristError):
    """The call makes no sense as asked."""

    code = "usage"


class MissingExtraError(QueristError):
    """An optional part is not installed.

    Args:
        package: the import name that is missing.
        extra: the extra of the `querist` package that brings it.
        purpose: what it is needed for, to end the sentence "... is needed to".
    """

    code = "missing_extra"

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{package!r} is not installed; it is needed to {purpose}.",
            hint=f'Install it: pip install "querist[{extra}]"',
        )


class DataError(QueristError):
    code = "data"


class SourceNotFoundError(DataError):
    code = "data.not_found"


class SourceFormatError(DataError):
    code = "data.format"


class SourceAccessError(DataError):
    code = "data.access"


class GuardError(DataError):
    """The query is not allowed to run. `rule` is the stable name of the rule it breaks."""

    code = "data.guard"

    def __init__(self, message: str, *, rule: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.rule = rule


class QueryError(DataError):
    """The engine refused the query; the message is the engine's own."""

    code = "data.query"


class QueryTimeoutError(DataError):
    code = "data.timeout"


class ModelError(QueristError):
    code = "model"


class ModelNotFoundError(ModelError):
    code = "model.not_found"


class ModelAccessError(ModelError):
    code = "model.access"


class ModelRateLimitError(ModelError):
    """Too many requests. `retry_after` is in seconds, None when the server did not say."""

    code = "model.rate_limit"

    def __init__(self, message: str, *, hint: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class ModelTimeoutError(ModelError):
    code = "model.timeout"


class ModelOutputError(ModelError):
    code = "model.output"


class DownloadError(ModelError):
    code = "model.download"


class SandboxError(QueristError):
    code = "sandbox"


class SandboxUnavailableError(SandboxError):
    """No sandbox that is strong enough works here. Generated code does not run then."""

    code = "sandbox.unavailable"


class RunError(QueristError):
    code = "run"


class ComponentNotFoundError(RunError):
    code = "run.not_found"


class ComponentInputError(RunError):
    code = "run.input"


class PermissionDeniedError(RunError):
    code = "run.permission"


class BudgetSpentError(RunError):
    code = "run.budget"


class RunRejectedError(RunError):
    """A limit does not let it start now. `retry_after` is in seconds, None when nobody can say."""

    code = "run.rejected"

    def __init__(self, message: str, *, hint: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class QueueFullError(RunRejectedError):
    code = "run.rejected.queue"


class RunRateLimitError(RunRejectedError):
    code = "run.rejected.rate"


class BreakerOpenError(RunRejectedError):
    code = "run.rejected.breaker"


class VetoError(RunError):
    """Raised by a hook to forbid what it was called for; the message says why."""

    code = "run.veto"


class HookFailedError(RunError):
    code = "run.hook"


class ComponentTimeoutError(RunError):
    code = "run.timeout"


class NetworkError(RunError):
    """A server cannot be reached, refuses, or replies with what cannot be used. `retry_after` is in seconds."""

    code = "run.network"

    def __init__(self, message: str, *, hint: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class AgentLimitError(RunError):
    code = "run.agent_limit"


class ComponentFailedError(RunError):
    """A component raised something that is not a QueristError; the original is the `__cause__`."""

    code = "run.failed"
