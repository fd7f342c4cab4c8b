"""As many points as a picture has room for, of more: no line, no group and no peak is lost."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

POINTS = 2_000
"""More points are too many to draw."""
SMALL = POINTS // 10
"""A group of no more points is drawn whole."""
OUTLINED = "Of {:,} points {:,} are drawn: the lowest and the highest of each stretch."
T = TypeVar("T")


def sample(points: Sequence[T], groups: Sequence[Hashable]) -> list[T]:
    """About `POINTS` of the points in their order, every group in proportion and small ones whole.

    By chance, always the same, and not every n-th: among points that take turns that would be some groups only.
    """
    if len(points) <= POINTS:
        return list(points)
    held = Counter(groups)
    chance = random.Random(0)
    kept: dict[Hashable, list[int]] = {}
    for place, group in enumerate(groups):
        kept.setdefault(group, []).append(place)
    places = [
        place
        for group, all_of in kept.items()
        for place in (all_of if held[group] <= SMALL else chance.sample(all_of, POINTS * held[group] // len(points)))
    ]
    return [points[place] for place in sorted(places)]


def outline(line: Sequence[T], height: Callable[[T], float], most: int) -> list[T]:
    """Of a line its ends, and the lowest and highest point of each stretch, so that it looks as if all were drawn."""
    if len(line) <= most:
        return list(line)
    length = -(-len(line) // max(1, most // 2 - 1))
    places = {0, len(line) - 1}
    for start in range(0, len(line), length):
        stretch = range(start, min(start + length, len(line)))
        places |= {pick(stretch, key=lambda place: height(line[place])) for pick in (min, max)}
    return [line[place] for place in sorted(places)]
