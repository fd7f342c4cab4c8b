"""What an analysis tells while it works."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from querist.core.events import Event


@dataclass(frozen=True, kw_only=True)
class AnalysisProgress(Event):
    """A step of an analysis begins; `detail` is for people."""

    name: ClassVar[str] = "analysis.progress"
    stage: str
    detail: str = ""
