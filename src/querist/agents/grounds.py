"""Holds an answer to what tools have found: for agents that are `grounded`."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from querist.agents.observation import computed
from querist.agents.task import Step
from querist.analysis.findings import FindingValue
from querist.analysis.numbers import unsupported

_LISTED = re.compile(r"(?m)^\s*\d+[.)]\s")


def fault(answer: Any, steps: Sequence[Step], asked: str) -> str:
    """Why an answer does not rest on what was found, for the model that gave it; empty when it does.

    Numbers and dates need a result that contains them, or the conversation: `asked`. What an analysis found is held
    against them by name besides, since the words in which it is told do not show which number is a p-value.
    """
    if not steps:
        return "Nothing has been looked up yet. Use a tool first."
    said = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
    values: dict[str, FindingValue] = {}
    for place, step in enumerate(steps):
        values[str(place)] = step.observation
        values |= {f"{place} {finding.name}": finding.value for finding in computed(step.output)}
    flagged = unsupported(_LISTED.sub("", said), values, asked)
    return f"No result contains {', '.join(flagged)}. Say only what the results say." if flagged else ""
