"""Chooses where code runs: the strongest that works here, found by trying it. Never a weaker one by itself."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from querist.errors import SandboxUnavailableError
from querist.sandbox.base import Sandbox, SandboxLimits
from querist.sandbox.launch import Kind, probe

if TYPE_CHECKING:
    from querist.settings import SandboxSettings

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
