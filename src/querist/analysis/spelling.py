"""Names that are spelt alike: the same up to case, blanks and punctuation. Any other is another name, however near.

Likeness by letters cannot tell a slip from another thing: `sales_2022` is one sign from `sales_2023`, `employer` one
letter from `employee`, `male` two from `female`.
"""

from __future__ import annotations

import re
from collections.abc import Collection

_BETWEEN_DIGITS = re.compile(r"(?<=\d)[\s_.,:/-]+(?=\d)")
_PUNCTUATION = re.compile(r"[^\w\0<>=+*^]|_")
_UNITS = re.compile(r"[%‰$€£¥°#]")


def spelt_alike(name: str, names: Collection[str]) -> str | None:
    """The one of `names` that is this one up to case and punctuation; None when there is none, or more than one.

    Signs of a unit may be left out, but none stands for another: `growth` is `growth %`, and `growth $` is not.
    """
    if name in names:
        return name
    bare, units = _bare(name), _UNITS.findall(name)
    found = [other for other in names if bare and _bare(other) == bare and units in ([], _UNITS.findall(other))]
    return found[0] if len(found) == 1 else None


def _bare(name: str) -> str:
    """Letters, digits and signs of comparison; numbers stay apart, so that `v1.1` is not `v11`."""
    return _PUNCTUATION.sub("", _BETWEEN_DIGITS.sub("\0", name.casefold()))
