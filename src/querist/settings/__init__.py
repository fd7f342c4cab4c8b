"""Configuration as typed models, loaded in one order: defaults < file < environment < arguments."""

from __future__ import annotations

from querist.settings.load import find_file, load_settings
from querist.settings.model import (
    AnswerSettings,
    LimitSettings,
    LocalSettings,
    ModelSettings,
    ProviderSettings,
    SandboxSettings,
    Settings,
)
from querist.settings.section import redact

__all__ = [
    "AnswerSettings",
    "LimitSettings",
    "LocalSettings",
    "ModelSettings",
    "ProviderSettings",
    "SandboxSettings",
    "Settings",
    "find_file",
    "load_settings",
    "redact",
]
