"""Tools run as somebody who has a few grants, under settings of their own."""

from __future__ import annotations

from typing import Any

from querist.core.context import RunContext
from querist.core.permissions import Grant, Principal
from querist.core.runner import Runner
from querist.settings import Settings
from querist.tools.catalogue import load_tool


async def use(tool: str, /, *grants: str, settings: dict[str, Any] | None = None, **input: Any) -> Any:
    """`await use("http_client", "network:127.0.0.1", url=…)`; `settings` are those under `tools`."""
    context = RunContext(principal=Principal("tester", tuple(map(Grant.parse, grants))))
    context = context.with_extras(Settings.model_validate({"tools": settings or {}}))
    return await Runner().run(load_tool(tool), input, context)
