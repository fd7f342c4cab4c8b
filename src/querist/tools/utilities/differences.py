"""What differs between texts and structures. What compares lines runs in a worker, for some texts take it very long."""

from __future__ import annotations

import difflib
import io
from collections.abc import Iterator
from typing import Any


def lines(old: str, new: str, context: int) -> dict[str, Any]:
    """What differs between two texts, line by line."""
    # `StringIO` ends lines at `\n` only, and keeps it: what ends otherwise, or not at all, is another line.
    diff = list(difflib.unified_diff(list(io.StringIO(old)), list(io.StringIO(new)), "old", "new", n=context))
    body = diff[2:]  # after the names
    return {
        "equal": old == new,
        "added": sum(line.startswith("+") for line in body),
        "removed": sum(line.startswith("-") for line in body),
        "diff": "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end\n" for line in diff),
    }


def changed_lines(old: list[str], new: list[str]) -> dict[str, Any]:
    """Lines that only one of two texts has, and how alike the texts are."""
    matcher = difflib.SequenceMatcher(None, old, new)
    steps = [step for step in matcher.get_opcodes() if step[0] != "equal"]
    return {
        "similarity": matcher.ratio(),
        "added": [line for _, _, _, start, end in steps for line in new[start:end]],
        "removed": [line for _, start, end, _, _ in steps for line in old[start:end]],
    }


def structure(old: Any, new: Any) -> dict[str, Any]:
    """What differs between two JSON values, field by field; lists are compared by position."""
    changes = list(_changes("", old, new))
    return {
        "equal": not changes,
        "added": sum(change["change"] != "removed" for change in changes),
        "removed": sum(change["change"] != "added" for change in changes),
        "changes": changes,
    }


def _changes(path: str, old: Any, new: Any) -> Iterator[dict[str, Any]]:
    if isinstance(old, list) and isinstance(new, list):
        old, new = dict(enumerate(old)), dict(enumerate(new))
    if not (isinstance(old, dict) and isinstance(new, dict)):
        if type(old) is not type(new) or old != new:
            yield {"path": path, "change": "changed", "old": old, "new": new}
        return
    for key in [*old, *(key for key in new if key not in old)]:
        inner = f"{path}/{str(key).replace('~', '~0').replace('/', '~1')}"
        if key not in new:
            yield {"path": inner, "change": "removed", "old": old[key]}
        elif key not in old:
            yield {"path": inner, "change": "added", "new": new[key]}
        else:
            yield from _changes(inner, old[key], new[key])
