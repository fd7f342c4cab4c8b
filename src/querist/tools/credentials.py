"""Secrets that tools use by name. They come from the settings and go to the hosts they are for, and nowhere else.

`${NAME}` in what a model wrote is never filled in: whoever can make a model write could read the environment that way.
"""

from __future__ import annotations

import base64

from querist.core.context import RunContext
from querist.errors import ConfigError, PermissionDeniedError
from querist.settings import Settings
from querist.settings.tools import Credential, ToolSettings


def tool_settings(context: RunContext) -> ToolSettings:
    """What is set for tools; the defaults where the context has no settings."""
    settings = context.get(Settings)
    return settings.tools if settings is not None else ToolSettings()


def credential(name: str, host: str, context: RunContext) -> Credential:
    """The credential of that name, to be sent to `host`.

    Raises:
        ConfigError: there is none of that name.
        PermissionDeniedError: it is not for that host.
    """
    known = tool_settings(context).credentials
    if name not in known:
        raise ConfigError(
            f"There is no credential {name!r}.",
            hint=f"Set tools.credentials.{name} in querist.yaml. There are: {', '.join(known) or 'none'}.",
        )
    if host.lower() not in (allowed.lower() for allowed in known[name].hosts):
        raise PermissionDeniedError(
            f"The credential {name!r} may not be sent to {host}.",
            hint=f"It is for {', '.join(known[name].hosts)}; see tools.credentials.{name}.hosts.",
        )
    return known[name]


def http_header(found: Credential) -> tuple[str, str]:
    """The header that shows a credential to an HTTP server: name and value."""
    secret = found.secret.get_secret_value()
    if found.header:
        return found.header, secret
    if found.username:
        return "Authorization", "Basic " + base64.b64encode(f"{found.username}:{secret}".encode()).decode()
    return "Authorization", f"Bearer {secret}"
