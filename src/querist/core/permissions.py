"""Who may do what: a principal holds grants, a component says what one run of it needs, the runner compares the two.

The budget of tokens is here as well, since it is the principal's too.

Not for isolation: what runs untrusted code is in `sandbox/`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Self, get_args

from querist.errors import UsageError
from querist.settings import Settings
from querist.settings.policy import PermissionKind

Kind = PermissionKind
"""`file_read`, `file_write`: a path; `network`: a host; `process`: a command; `model`: a role; `source`: its name."""


@dataclass(frozen=True)
class Need:
    """What one run needs: for files the path, for the network the host (`host` or `host:port`), else a name."""

    kind: Kind
    target: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.target}"


@dataclass(frozen=True)
class Grant:
    """What a principal may do, written `kind:scope`.

    Attributes:
        scope: for files the folder under which (or the file which) may be touched; else a name or a pattern of
            names (`*.example.org`, `*`). A host without a port covers all its ports.
    """

    kind: Kind
    scope: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """A grant as it is written, such as `file_read:./data`, `network:*.example.org`, `model:*`.

        Raises:
            UsageError: it is of no known kind, or has no scope.
        """
        kind, _, scope = text.strip().partition(":")
        for known in get_args(Kind):
            if known == kind and scope:
                return cls(known, scope)
        raise UsageError(
            f"{text!r} is no permission.", hint=f"Write KIND:SCOPE, where KIND is one of {', '.join(get_args(Kind))}."
        )

    def covers(self, need: Need) -> bool:
        """Links and `..` are resolved before paths are compared."""
        if need.kind != self.kind:
            return False
        if self.kind in ("file_read", "file_write"):
            root, path = Path(self.scope).expanduser().resolve(), Path(need.target).expanduser().resolve()
            return path == root or root in path.parents
        scope, target = self.scope.lower(), need.target.lower()
        host = target.rpartition(":")[0] if self.kind == "network" and ":" in target else target
        return fnmatchcase(target, scope) or fnmatchcase(host, scope)

    def __str__(self) -> str:
        return f"{self.kind}:{self.scope}"


class Budget:
    """Tokens of language models that may still be used. Shared by all who hold it, in any thread.

    What a call costs is known only afterwards, so the last one may go beyond it.
    """

    def __init__(self, tokens: int) -> None:
        self.tokens = tokens
        self.spent = 0
        self._lock = threading.Lock()

    @property
    def left(self) -> int:
        return max(0, self.tokens - self.spent)

    def spend(self, tokens: int) -> None:
        with self._lock:
            self.spent += tokens


@dataclass(frozen=True)
class Principal:
    """Whoever a run is for. By default it may do nothing beyond computing.

    Attributes:
        budget: None when it may use any number of tokens.
        above: the principal whose grants bound this one's; see `narrowed`.
    """

    name: str = "local"
    grants: tuple[Grant, ...] = ()
    budget: Budget | None = None
    above: Principal | None = None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The one that settings describe, with a budget of its own."""
        budget = Budget(settings.token_budget) if settings.token_budget else None
        return cls(grants=tuple(map(Grant.parse, settings.permissions)), budget=budget)

    def narrowed(self, grants: Iterable[Grant]) -> Self:
        """The same with only these grants, each as far as it was granted before: nothing can be added this way."""
        kinds = {grant.kind for grant in self.grants}
        return replace(self, grants=tuple(grant for grant in grants if grant.kind in kinds), above=self)

    def grant_for(self, need: Need) -> Grant | None:
        """The first grant that covers the need; None when there is none."""
        if self.above is not None and self.above.grant_for(need) is None:
            return None
        return next((grant for grant in self.grants if grant.covers(need)), None)
