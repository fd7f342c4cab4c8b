"""Chooses where code runs: the strongest that works here, found by trying it. Never a weaker one by itself."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from querist.errors import ConfigError, QueristError, SandboxError, SandboxUnavailableError, UsageError
from querist.sandbox.base import Sandbox, SandboxLimits
from querist.sandbox.launch import Kind, probe
from querist.settings.model import PLUGIN

if TYPE_CHECKING:
    from querist.settings import SandboxSettings

OpenSandbox: TypeAlias = "Callable[[SandboxSettings], Sandbox]"
"""Makes the sandbox of a plugin; the settings are those under `sandbox`."""

_added: dict[str, OpenSandbox] = {}

_HINT = (
    "Get one: install bubblewrap (Debian, Ubuntu: apt-get install bubblewrap libseccomp2) and allow user namespaces; "
    "`querist sandbox doctor` says what is missing. Or name a weaker or a remote one in the settings: sandbox.backend."
)


def open_sandbox(settings: SandboxSettings) -> Sandbox:
    """The sandbox that the settings name; with `auto` bubblewrap, when a real try of it succeeds.

    Raises:
        SandboxUnavailableError: it does not work here.
        MissingExtraError: the libraries for it are missing.
        ConfigError: the settings for it are incomplete.
    """
    if settings.backend.startswith(PLUGIN):
        return _opened(settings)
    match settings.backend:
        case "monty":
            from querist.sandbox.monty import MontySandbox

            return MontySandbox()
        case "container":
            from querist.sandbox.container import ContainerSandbox

            return ContainerSandbox(settings.image)
        case "remote":
            from querist.sandbox.remote import RemoteSandbox

            return RemoteSandbox.from_settings(settings)
        case "unsafe":
            from querist.sandbox.piped import UnsafeSandbox

            return UnsafeSandbox()
    from querist.sandbox.local import LocalSandbox

    kind: Kind = "landlock" if settings.backend == "landlock" else "bubblewrap"
    if why := _probed(kind):
        raise SandboxUnavailableError(
            f"Generated code cannot run: the sandbox {kind!r} does not work here: {why}.", hint=_HINT
        )
    return LocalSandbox(kind)


def _opened(settings: SandboxSettings) -> Sandbox:
    name = settings.backend.removeprefix(PLUGIN)
    if name not in _added:
        known = ", ".join(PLUGIN + added for added in sorted(_added)) or "none"
        raise ConfigError(
            f"No plugin brings the sandbox {name!r}.", hint=f"Known: {known}; `querist plugin list` says more."
        )
    try:
        return _added[name](settings)
    except QueristError:
        raise
    except Exception as error:
        raise SandboxError(f"The plugin for the sandbox {name!r} failed: {type(error).__name__}: {error}") from error


def check_sandbox(name: str) -> None:
    """Raise a UsageError when a plugin cannot add a sandbox of this name."""
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        raise UsageError(f"{name!r} is no name of a sandbox.", hint="Use small letters, digits and hyphens.")
    if name in _added:
        raise UsageError(f"There is already a sandbox {name!r}.", hint="Choose another name.")


def add_sandboxes(openers: Mapping[str, OpenSandbox]) -> None:
    """From now on open these when the settings name them, in the whole process."""
    _added.update(openers)


def limits_of(settings: SandboxSettings) -> SandboxLimits:
    """The bounds that the settings set for a run."""
    return SandboxLimits(
        seconds=settings.seconds,
        cpu_seconds=settings.cpu_seconds,
        memory=settings.memory_mb << 20,
        threads=settings.threads,
        output=settings.output_kb << 10,
        files=settings.files_mb << 20,
    )


_probed = functools.cache(probe)
