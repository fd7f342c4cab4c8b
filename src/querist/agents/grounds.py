"""Holds an answer to what tools have found: for agents that are `grounded`."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from querist.analysis.numbers import unsupported

_LISTED = re.compile(r"(?m)^\s*\d+[.)]\s")


def fault(answer: Any, found: Sequence[str], asked: str) -> str:
    """Why an answer does not rest on what was found, for the model that gave it; empty when it does.

    Numbers and dates need a result that contains them, or the conversation: `asked`.
    """
    if not found:
        return "Nothing has been looked up yet. Use a tool first."
    said = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
    flagged = unsupported(_LISTED.sub("", said), {str(place): text for place, text in enumerate(found)}, asked)
    return f"No result contains {', '.join(flagged)}. Say only what the results say." if flagged else ""
