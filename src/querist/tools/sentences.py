"""Texts as sentences, and which of them tell most. No model: it counts words, in any language."""

from __future__ import annotations

import heapq
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence

_END = re.compile(r"(?<=[.!?…][\"'”’)\]])\s+|(?<=[.!?…])\s+|(?<=[。！？])|\n\s*\n")
_SHORT = re.compile(r"(?:^|\s)(?:[A-Z]|Dr|Mr|Mrs|Ms|Prof|St|No|vs|etc|e\.g|i\.e|z\.B|ca|Nr|bzw)\.$")
_WORD = re.compile(r"[^\W\d_]{4,}|[\u3040-\u30ff\u3400-\u9fff]")


def sentences(text: str) -> list[str]:
    """The sentences of a text, each on one line. Common abbreviations do not end one."""
    found: list[list[str]] = []
    for part in _END.split(text):
        part = " ".join(part.split())
        if found and _SHORT.search(found[-1][-1][-8:]):  # its end alone, as there may be very many
            found[-1].append(part)
        elif part:
            found.append([part])
    return [" ".join(pieces) for pieces in found]


def most_telling(parts: Sequence[str]) -> Iterator[int]:
    """The places of the sentences, those first that say most of what the text is about.

    A sentence is worth its words, each by how often the text has it (Luhn 1958), the less the more of it was said by
    those that were chosen before.
    """
    words = [Counter(_WORD.findall(part.lower())) for part in parts]
    often = Counter[str]()
    for each in words:
        often.update(each.keys())
    said: set[str] = set()

    def worth(place: int) -> float:
        new = sum(math.log1p(often[word]) * (0.2 if word in said else 1.0) for word in words[place] if often[word] > 1)
        # By its length, so that the longest does not win; the first sentence of a text often says what it is about.
        return new / (5 + sum(words[place].values())) * (1.3 if place == 0 else 1.0)

    # What a sentence is worth only falls: one that still is worth what it was, with the most at the top, is the best.
    heap = [(-worth(place), place) for place in range(len(parts))]
    heapq.heapify(heap)
    while heap:
        before, best = heap[0]
        if (now := -worth(best)) > before:
            heapq.heapreplace(heap, (now, best))
            continue
        heapq.heappop(heap)
        said |= words[best].keys()
        yield best


def shorten(text: str, characters: int) -> str:
    """The most telling sentences of a text, in their order, that fit into so many characters."""
    if len(text) <= characters:
        return text
    parts = sentences(text)
    kept, room = list[int](), characters
    for place in most_telling(parts):
        if len(parts[place]) < room:
            kept.append(place)
            room -= len(parts[place]) + 1
        elif room < 100:
            break
    return " ".join(parts[place] for place in sorted(kept)) or text[:characters]
