"""The work of `text_manipulator`, run in a worker where a pattern takes part. Imports little, as workers should."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any

_FLAGS = {"g": 0, "i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}
"""`g` is what others call finding all matches, which is always done here."""


def _without_accents(text: str) -> str:
    return "".join(ch for ch in unicodedata.normalize("NFKD", text) if not unicodedata.combining(ch))


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", _without_accents(text).lower()).strip("-")


PLAIN: dict[str, Callable[[str], str]] = {
    "trim": str.strip,
    "toLowerCase": str.lower,
    "toUpperCase": str.upper,
    "toTitleCase": str.title,
    "collapseWhitespace": lambda text: " ".join(text.split()),
    "removeAccents": _without_accents,
    "slugify": _slug,
    "reverse": lambda text: text[::-1],
    "sortLines": lambda text: "\n".join(sorted(text.splitlines())),
    "uniqueLines": lambda text: "\n".join(dict.fromkeys(text.splitlines())),
}
"""Operations without parameters."""


def manipulate(text: str, operations: list[Any]) -> dict[str, Any]:
    """Apply operations one after another.

    Args:
        operations: names of `PLAIN`, or `{"replace": {...}}`, `{"extract": {...}}`.

    Returns:
        The text, and what the last `extract` found (None without one).
    """
    extracted: list[str] | None = None
    for operation in operations:
        if isinstance(operation, str):
            text = PLAIN[operation](text)
            continue
        ((kind, how),) = operation.items()
        pattern = re.escape(how["pattern"]) if how.get("literal") else how["pattern"]
        try:
            regex = re.compile(pattern, sum(_FLAGS[flag] for flag in set(how["flags"])))
            if kind == "replace":
                replacement = how["replacement"].replace("\\", r"\\") if how.get("literal") else how["replacement"]
                text = regex.sub(replacement, text)
            else:
                # With a group, what the group holds; else all that matched.
                extracted = [match[1 if regex.groups else 0] or "" for match in regex.finditer(text)]
                text = "\n".join(extracted)
        except (re.error, IndexError) as error:
            raise ValueError(f"{how['pattern']!r} is not a pattern that can be used: {error}.") from error
    return {"text": text, "extracted": extracted}
