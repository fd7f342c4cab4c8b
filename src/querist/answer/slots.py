"""The values of a verified question that another may have otherwise, each with the literals of the query it stands in.

A value becomes a slot only where everything else in the query can be accounted for.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from querist.answer.literals import CONSTANT, LIMIT, POSITION, QueryLiteral, is_number, literals_of
from querist.answer.values import LONGEST_PHRASE, ValueIndex, normal
from querist.answer.wording import Token, canonical
from querist.sources.base import Schema

if TYPE_CHECKING:
    from sqlglot import exp

YEAR = re.compile("(19|20)[0-9]{2}")
_YEAR_EDGE = re.compile("([0-9]{4})(|-01-01|-12-31|-%)")
"""A text that a year begins or ends with, or all dates of a year."""
_RANKS = frozenset({"top", "first", "last", "bottom", "the"})
"""Words after which a number says how many rows are wanted."""


@dataclass(frozen=True)
class Slot:
    """A value that another question may have otherwise: as the verified question says it, numbers without separators.

    `columns` are those (table, column) that a text must be a value of.
    """

    kind: Literal["text", "number", "year", "date"]
    value: str
    columns: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, eq=False)
class Use:
    """How a slot's value stands in a literal: a year may be `later` there, and followed by the `rest` of a date."""

    place: QueryLiteral
    later: int = 0
    rest: str = ""


_Spans = dict[int, tuple[Slot, int]]
"""Where slots begin in the question, with the position behind each."""
_Uses = dict[Slot, list[Use]]
"""Where the values of slots stand in the query."""


def slots_of(
    question: str, read: Sequence[Token], tree: exp.Expr, schema: Schema, values: ValueIndex
) -> tuple[_Spans, _Uses]:
    """The slots of a question for a query: where they begin, and where their values stand in the query."""
    from sqlglot import exp

    places = list(literals_of(tree, schema))
    spans, uses = _text_slots(question, read, places, values)
    taken = {position for begin, (_, end) in spans.items() for position in range(begin, end)}
    numbers, standing = _number_slots(read, places, taken)
    spans, uses = spans | numbers, uses | standing
    ranked = {slot for begin, (slot, _) in spans.items() if begin and read[begin - 1].word in _RANKS}
    names = [normal(name.name.replace("_", " ")) for name in tree.find_all(exp.Identifier)]
    owners = Counter(id(use.place) for found in uses.values() for use in found)
    uses = {
        slot: found
        for slot, found in uses.items()
        # A column called "revenue 2024" would show another year's; a literal with two owners cannot follow both.
        if not any(_in(normal(slot.value), name) for name in names)
        and all(owners[id(use.place)] == 1 for use in found)
        and _understood(slot, found, ranked=slot in ranked)
    }
    said = f" {normal(question)} "
    while doubtful := [slot for slot in uses if _doubtful(slot, uses, places, said)]:
        for slot in doubtful:
            del uses[slot]
    return spans, uses


def _text_slots(
    question: str, read: Sequence[Token], places: Sequence[QueryLiteral], values: ValueIndex
) -> tuple[_Spans, _Uses]:
    """Texts that the query compares columns with; of two that overlap in the question the longer."""
    spans: _Spans = {}
    uses: _Uses = {}
    taken: set[int] = set()
    texts: dict[str, list[QueryLiteral]] = {}
    for place in places:
        if place.column is not None and values.covers(*place.column):
            texts.setdefault(normal(place.text), []).append(place)
    for text in sorted(texts, key=len, reverse=True):
        found = [span for span in _said_at(question, read, text) if not taken & set(range(*span))]
        columns = tuple(dict.fromkeys(place.column for place in texts[text] if place.column is not None))
        if found and values_of(values, columns, texts[text][0].text):
            slot = Slot("text", question[read[found[0][0]].start : read[found[0][1] - 1].end], columns)
            uses[slot] = [Use(place) for place in texts[text]]
            spans |= {begin: (slot, end) for begin, end in found}
            taken |= {position for span in found for position in range(*span)}
    return spans, uses


def _number_slots(read: Sequence[Token], places: Sequence[QueryLiteral], taken: set[int]) -> tuple[_Spans, _Uses]:
    """Numbers, years and dates of the question that the query holds."""
    spans: _Spans = {}
    uses: _Uses = {}
    for position, token in enumerate(read):
        if position in taken or token.kind not in ("date", "number"):
            continue
        slot = Slot("date" if token.kind == "date" else "year" if YEAR.fullmatch(token.word) else "number", token.word)
        if slot.value not in ("0", "1") and (standing := _uses_of(slot, places)):
            uses[slot], spans[position] = standing, (slot, position + 1)
    return spans, uses


def _uses_of(slot: Slot, places: Sequence[QueryLiteral]) -> list[Use]:
    """The literals that a number, year or date of the question stands in."""
    found = []
    for place in places:
        if place.column is not None:
            continue
        edge = _YEAR_EDGE.fullmatch(place.text) if slot.kind == "year" else None
        if not place.node.is_string:
            if is_number(place) and canonical(place.text) == slot.value:
                found.append(Use(place))
        elif slot.kind == "date" and place.text == slot.value:
            found.append(Use(place))
        elif edge and (later := int(edge[1]) - int(slot.value)) in (0, 1) and (not later or edge[2] == "-01-01"):
            found.append(Use(place, later, edge[2]))
    return found if any(not use.later for use in found) else []  # the next year alone may be there for its own sake


def _understood(slot: Slot, uses: Sequence[Use], *, ranked: bool) -> bool:
    """Whether all the literals with this value can only mean the same thing."""
    roles = {use.place.role for use in uses}
    if roles & {"", CONSTANT, POSITION}:
        return False
    if LIMIT in roles:
        return len(roles) == 1 and slot.kind == "number" and ranked
    return len(roles) == 1 or slot.kind in ("year", "text")


def _doubtful(slot: Slot, uses: Mapping[Slot, Sequence[Use]], places: Sequence[QueryLiteral], said: str) -> bool:
    """Whether a literal that would stay may depend on the slot's value.

    It may when it looks like that value, or bounds the same thing; and when the question does not say it, for it may
    be what the author knows of just this value: its country, its currency, its threshold. A year, or how many rows are
    wanted, may change beside such a filter.
    """
    roles = {use.place.role for use in uses[slot]}
    claimed = {id(use.place) for found in uses.values() for use in found}
    for place in places:
        if id(place) in claimed or place.role == POSITION:
            continue
        if place.role == CONSTANT:
            if canonical(place.text) == slot.value:
                return True
            continue
        if place.role in roles or _resembles(place, slot) or (place.role == "" and not place.node.is_string):
            return True
        spoken = place.node.is_string and f" {normal(place.text)} " in said
        if not (spoken or slot.kind == "year" or LIMIT in roles):
            return True
    return False


def _resembles(place: QueryLiteral, slot: Slot) -> bool:
    value, text = normal(slot.value), normal(place.text)
    if slot.kind == "year" and any(str(int(value) + step) in text for step in (-1, 1)):
        return True
    if slot.kind in ("year", "number") and is_number(place):
        return abs(Decimal(place.text) - Decimal(slot.value)) <= 1
    return value in text if slot.kind == "year" else _in(value, text) or bool(text and _in(text, value))


def _said_at(question: str, read: Sequence[Token], text: str) -> Iterator[tuple[int, int]]:
    """Where the question says this text."""
    for begin, first in enumerate(read):
        for end in range(begin + 1, min(begin + LONGEST_PHRASE, len(read)) + 1):
            if first.kind != "sign" and normal(question[first.start : read[end - 1].end]) == text:
                yield begin, end
                break


def values_of(values: ValueIndex, columns: Sequence[tuple[str, str]], text: str) -> tuple[str, ...] | None:
    """How each column writes this text; None when one does not hold it, or more than one value that it may mean."""
    found = [values.written(t, c, text) for t, c in columns]
    return tuple(written[0] for written in found) if all(len(written) == 1 for written in found) else None


def _in(phrase: str, text: str) -> bool:
    return f" {phrase} " in f" {text} "
