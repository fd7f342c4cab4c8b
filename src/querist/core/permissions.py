"""Who may do what: a principal holds grants, a component says what one run of it needs, the runner compares the two.

Not for isolation: what runs untrusted code is in `sandbox/`.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

Kind = Literal["file_read", "file_write", "network", "process", "model", "source"]
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


@dataclass(frozen=True)
class Principal:
    """Whoever a run is for. By default it may do nothing beyond computing."""

    name: str = "local"
    grants: tuple[Grant, ...] = ()

    def grant_for(self, need: Need) -> Grant | None:
        """The first grant that covers the need; None when there is none."""
        return next((grant for grant in self.grants if grant.covers(need)), None)
