"""Querist answers plain-language questions about data, with evidence.

    from querist import Querist
    answer = Querist("sales/*.csv").ask("What was the revenue by region?")

The public names are imported when they are first used, so that `import querist` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from querist.answer.answer import Answer, Evidence, Status
    from querist.app import Querist
    from querist.core.component import Component, component
    from querist.core.runner import Runner
    from querist.errors import QueristError
    from querist.settings import Settings, load_settings
    from querist.sources.table import Table

__all__ = [
    "Answer",
    "Component",
    "Evidence",
    "Querist",
    "QueristError",
    "Runner",
    "Settings",
    "Status",
    "Table",
    "component",
    "load_settings",
]

_HOMES = {
    "Answer": "querist.answer.answer",
    "Component": "querist.core.component",
    "Evidence": "querist.answer.answer",
    "Querist": "querist.app",
    "QueristError": "querist.errors",
    "Runner": "querist.core.runner",
    "Settings": "querist.settings",
    "Status": "querist.answer.answer",
    "Table": "querist.sources.table",
    "component": "querist.core.component",
    "load_settings": "querist.settings",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'querist' has no attribute {name!r}")
    import importlib

    value = globals()[name] = getattr(importlib.import_module(_HOMES[name]), name)
    return value
