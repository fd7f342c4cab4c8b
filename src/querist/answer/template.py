"""The template of a question: its words, with slots for the values that its query holds too.

Decides whether another question is the same but for those values. It never guesses: words count as they stand and in
their order, and a text must be a value of the same columns. What is doubtful stays a plain word, and then only the same
question matches.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

from querist.answer.slots import YEAR, Slot, Use, slots_of, values_of
from querist.answer.values import COMMON, LONGEST_PHRASE, ValueIndex, normal
from querist.answer.wording import Token, tokens
from querist.sources.base import Schema
from querist.sources.guard import GuardedQuery

MOST_COLUMNS = 8
"""The value index names at most so many columns with a value."""

Binding = Mapping[Slot, tuple[str, ...]]
"""The new value of each slot: for a text as each of the slot's columns writes it."""


class Template:
    """The template of one verified question. `slots` are the values that other questions may have otherwise."""

    def __init__(self, question: str, query: GuardedQuery, schema: Schema, values: ValueIndex) -> None:
        self._values, self._dialect = values, schema.dialect
        self._names = {
            normal(name) for table in schema.tables for name in (table.name, *(c.name for c in table.columns))
        }
        self._tree = query.expression.copy()
        read = tokens(question)
        spans, self._uses = slots_of(question, read, self._tree, schema, values)
        written = self._tree.sql(dialect=self._dialect)
        if "".join(written.casefold().split()) != "".join(query.sql.casefold().split()):
            self._uses = {}  # what is written from the tree must be what was guarded
        self._items: list[Token | Slot] = []
        position = 0
        while position < len(read):
            slot, after = spans.get(position, (None, 0))
            if slot in self._uses:
                self._items.append(slot)
                position = after
                continue
            if not read[position].idle:
                self._items.append(read[position])
            position += 1
        if not any(isinstance(item, Token) for item in self._items):
            self._uses, self._items = {}, [token for token in read if not token.idle]

    @property
    def slots(self) -> tuple[Slot, ...]:
        return tuple(self._uses)

    def match(self, question: str) -> Binding | None:
        """The values that another question has for the slots; None when it asks something else, or may."""
        found: list[Binding] = []
        for binding in self._bindings(question, tokens(question), 0, 0, {}):
            if found and binding != found[0]:
                return None
            found.append(binding)
        return found[0] if found else None

    def changed(self, binding: Binding) -> dict[Slot, str]:
        """The slots whose value is another one, with that value."""
        return {slot: new[0] for slot, new in binding.items() if new != self._read(slot, slot.value)}

    def bind(self, binding: Binding) -> str:
        """The query with these values. The template cannot be used again."""
        for slot, new in binding.items():
            for use in self._uses[slot]:
                use.place.node.set("this", _written(slot, use, new))
        return self._tree.sql(dialect=self._dialect)

    def _bindings(
        self, question: str, read: Sequence[Token], item: int, position: int, bound: Binding
    ) -> Iterator[Binding]:
        """Every way in which the items from `item` on are what the question says from `position` on."""
        if position == len(read):
            if item == len(self._items):
                yield bound
            return
        token = read[position]
        if token.idle:
            yield from self._bindings(question, read, item, position + 1, bound)
        if item == len(self._items):
            return
        wanted = self._items[item]
        if isinstance(wanted, Token):
            if (wanted.kind, wanted.word) == (token.kind, token.word):
                yield from self._bindings(question, read, item + 1, position + 1, bound)
            return
        longest = LONGEST_PHRASE if wanted.kind == "text" else 1
        for after in range(position + 1, min(position + longest, len(read)) + 1):
            numeric = token.word if token.kind in ("number", "date") else ""
            text = question[token.start : read[after - 1].end] if wanted.kind == "text" else numeric
            value = self._read(wanted, text)
            if value is not None and bound.get(wanted, value) == value:
                yield from self._bindings(question, read, item + 1, after, {**bound, wanted: value})

    def _read(self, slot: Slot, text: str) -> tuple[str, ...] | None:
        """The text as a value of the slot; None when it is none, or might mean something else here."""
        if slot.kind == "text":
            found = values_of(self._values, slot.columns, text)
            if normal(text) == normal(slot.value) or found is None:
                return found
            named = normal(text) in self._names or text.casefold() in COMMON
            here, now = (_columns_with(self._values, said) for said in (slot.value, text))
            return found if not named and now <= here and len(now) < MOST_COLUMNS else None
        if slot.kind == "date":
            fits = _is_date(text)
        elif slot.kind == "year":
            fits = bool(YEAR.fullmatch(text))
        else:
            fits = text[:1].isdigit() and not _is_date(text) and ("." in slot.value or "." not in text)
        return (text,) if fits else None


def _columns_with(values: ValueIndex, text: str) -> set[tuple[str, str]]:
    return {(match.table, match.column) for match in values.columns_with(text)}


def _written(slot: Slot, use: Use, new: tuple[str, ...]) -> str:
    """The literal with the new value in it."""
    if slot.kind == "text":
        assert use.place.column is not None
        text = new[slot.columns.index(use.place.column)]
        return text.lower() if use.place.fold == "lower" else text.upper() if use.place.fold == "upper" else text
    return f"{int(new[0]) + use.later}{use.rest}" if slot.kind == "year" else new[0]


def _is_date(text: str) -> bool:
    try:
        return len(text) == 10 and bool(dt.date.fromisoformat(text))
    except ValueError:
        return False
