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

_PLACE = re.compile(r"(?m)^\s*(\d{1,3})[.)]\s")


def fault(answer: Any, steps: Sequence[Step], asked: str, *, looks_up: bool) -> str:
    """Why an answer does not rest on what was found, for the model that gave it; empty when it does.

    Numbers and dates need a result that contains them, or the conversation: `asked`. What an analysis found is held
    against them by name besides, since the words in which it is told do not show which number is a p-value.

    Args:
        looks_up: whether the agent has tools. One without, such as a lead that merges, rests on what it is asked alone.
    """
    if looks_up and not steps:
        return "Nothing has been looked up yet. Use a tool first."
    said = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
    values: dict[str, FindingValue] = {} if looks_up else {"asked": asked}
    for place, step in enumerate(steps):
        values[str(place)] = step.observation
        values |= {f"{place} {finding.name}": finding.value for finding in computed(step.output)}
    flagged = unsupported(_without_places(said), values, asked)
    return f"No result contains {', '.join(flagged)}. Say only what the results say." if flagged else ""


def _without_places(text: str) -> str:
    """The text without the numbers of its lists: those that begin a line and count on from 1."""
    places = {0, *map(int, _PLACE.findall(text))}
    return _PLACE.sub(lambda match: "" if int(match[1]) - 1 in places else match[0], text)
