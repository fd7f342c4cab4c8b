"""The template of a question: its words, with slots for the values that its query holds too.

Decides whether another question is the same but for those values. It never guesses: words count as they stand and in
their order, a text must be a value of the same columns, and a value becomes a slot only where everything else in the
query can be accounted for. What is doubtful stays a plain word, and then only the same question matches.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from querist.answer.scopes import select_tables
from querist.answer.values import COMMON, LONGEST_PHRASE, ValueIndex, normal
from querist.sources.base import Schema
from querist.sources.guard import GuardedQuery

if TYPE_CHECKING:
    from sqlglot import exp

_TOKEN = re.compile(
    r"(?P<date>(?<![\w-])[0-9]{4}-[0-9]{2}-[0-9]{2}(?![\w-]))"
    r"|(?P<number>(?<![\w.,])[0-9]+(?:[.,][0-9]+)*(?!\w|[.,][0-9]))"
    r"|(?P<word>\w+)|(?P<sign>[!<>=]=|[^\s\w])"
)
_LEAD = re.compile(
    r"\s*(?:please\s+)?(?:(?:can|could|would)\s+you\s+)?(?:please\s+)?"
    r"(?:(?:(?:show|tell|give)\s+me|show|give|list|display|find|get|what(?:\s+is|\s+are|['’]s))\b)?",
    re.I,
)
"""Ways to begin a request that say nothing about what is asked for."""
_IDLE = frozenset({"the", "please", *".?!¿¡…'\"`´‘’“”„«»"})
_CLEAR_NUMBER = re.compile(r"(?![0-9]{1,3}\.[0-9]{3}$)[0-9]+(?:\.[0-9]+)?|[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
"""1.500 is one thing in English and another in half of Europe."""
_YEAR = re.compile("(19|20)[0-9]{2}")
_YEAR_EDGE = re.compile("([0-9]{4})(|-01-01|-12-31|-%)")
"""A text that a year begins or ends with, or all dates of a year."""
_RANKS = frozenset({"top", "first", "last", "bottom", "the"})
"""Words after which a number says how many rows are wanted."""
_LIMIT, _CONSTANT, _POSITION = "LIMIT", "CONSTANT", "POSITION"
MOST_COLUMNS = 8
"""The value index names at most so many columns with a value."""


@dataclass(frozen=True)
class Token:
    """A date, number, word or sign of a question; `word` is what it counts as, `idle` when it counts for nothing."""

    kind: str
    word: str
    start: int
    end: int
    idle: bool


@dataclass(frozen=True)
class Slot:
    """A value that another question may have otherwise: as the verified question says it, numbers without separators.

    `columns` are those (table, column) that a text must be a value of.
    """

    kind: Literal["text", "number", "year", "date"]
    value: str
    columns: tuple[tuple[str, str], ...] = ()


Binding = Mapping[Slot, tuple[str, ...]]
"""The new value of each slot: for a text as each of the slot's columns writes it."""


@dataclass(frozen=True, eq=False)
class _Place:
    """A literal of the query.

    Attributes:
        role: what it is compared with, or one of the names above, or "" when it is something else.
        column: the stored text column that it must equal, or must not.
        fold: the case that the query brings that column to.
    """

    node: exp.Expr
    role: str
    column: tuple[str, str] | None = None
    fold: str = ""

    @property
    def text(self) -> str:
        return str(self.node.this)


@dataclass(frozen=True, eq=False)
class _Use:
    """How a slot's value stands in a literal: a year may be `later` there, and followed by the `rest` of a date."""

    place: _Place
    later: int = 0
    rest: str = ""


def tokens(question: str) -> list[Token]:
    """The pieces of a question, without a polite beginning."""
    lead = _LEAD.match(question)
    begin = lead.end() if lead is not None and re.search(r"\w", question[lead.end() :]) else 0
    return [_token(match) for match in _TOKEN.finditer(question, begin)]


def _token(match: re.Match[str]) -> Token:
    kind, word = match.lastgroup or "sign", unicodedata.normalize("NFKC", match[0]).casefold()
    if kind == "number" and _CLEAR_NUMBER.fullmatch(word):
        word = _canonical(word)
    elif kind == "number":
        kind = "word"
    return Token(kind, word, match.start(), match.end(), word in _IDLE)


def _canonical(number: str) -> str:
    """A number without separators and needless zeros: `1,500.50` is `1500.5`."""
    return format(Decimal(number.replace(",", "")).normalize(), "f")


def words(question: str) -> tuple[str, ...]:
    """What a question says, whatever its case and politeness."""
    return tuple(token.word for token in tokens(question) if not token.idle)


class Template:
    """The template of one verified question. `slots` are the values that other questions may have otherwise."""

    def __init__(self, question: str, query: GuardedQuery, schema: Schema, values: ValueIndex) -> None:
        self._values, self._dialect = values, schema.dialect
        self._names = {
            normal(name) for table in schema.tables for name in (table.name, *(c.name for c in table.columns))
        }
        self._tree = query.expression.copy()
        read = tokens(question)
        spans, self._uses = _slots(question, read, self._tree, schema, values)
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
            found = _values_of(self._values, slot.columns, text)
            if normal(text) == normal(slot.value) or found is None:
                return found
            named = normal(text) in self._names or text.casefold() in COMMON
            here, now = (_columns_with(self._values, said) for said in (slot.value, text))
            return found if not named and now <= here and len(now) < MOST_COLUMNS else None
        if slot.kind == "date":
            fits = _is_date(text)
        elif slot.kind == "year":
            fits = bool(_YEAR.fullmatch(text))
        else:
            fits = text[:1].isdigit() and not _is_date(text) and ("." in slot.value or "." not in text)
        return (text,) if fits else None


def _slots(
    question: str, read: Sequence[Token], tree: exp.Expr, schema: Schema, values: ValueIndex
) -> tuple[dict[int, tuple[Slot, int]], dict[Slot, list[_Use]]]:
    """Where slots begin in the question (with the position behind each), and where their values stand in the query."""
    from sqlglot import exp

    places = list(_places(tree, schema))
    spans: dict[int, tuple[Slot, int]] = {}
    uses: dict[Slot, list[_Use]] = {}
    taken: set[int] = set()
    texts: dict[str, list[_Place]] = {}
    for place in places:
        if place.column is not None and values.covers(*place.column):
            texts.setdefault(normal(place.text), []).append(place)
    for text in sorted(texts, key=len, reverse=True):
        found = [span for span in _spans(question, read, text) if not taken & set(range(*span))]
        columns = tuple(dict.fromkeys(place.column for place in texts[text] if place.column is not None))
        if found and _values_of(values, columns, texts[text][0].text):
            slot = Slot("text", question[read[found[0][0]].start : read[found[0][1] - 1].end], columns)
            uses[slot] = [_Use(place) for place in texts[text]]
            spans |= {begin: (slot, end) for begin, end in found}
            taken |= {position for span in found for position in range(*span)}
    limits: set[Slot] = set()
    for position, token in enumerate(read):
        if position in taken or token.kind not in ("date", "number"):
            continue
        kind: Literal["date", "year", "number"] = "number"
        if token.kind == "date" or _YEAR.fullmatch(token.word):
            kind = "date" if token.kind == "date" else "year"
        slot = Slot(kind, token.word)
        if (standing := _uses_of(slot, places)) and slot.value not in ("0", "1"):
            uses[slot], spans[position] = standing, (slot, position + 1)
            if position and read[position - 1].word in _RANKS:
                limits.add(slot)
    names = [normal(name.name.replace("_", " ")) for name in tree.find_all(exp.Identifier)]
    owners = [id(use.place) for found_uses in uses.values() for use in found_uses]
    for slot in [
        slot
        for slot, found_uses in uses.items()
        # A column called "revenue 2024" would show another year's; a literal with two owners cannot follow both.
        if any(_in(normal(slot.value), name) for name in names)
        or any(owners.count(id(use.place)) > 1 for use in found_uses)
        or not _understood(slot, found_uses, ranked=slot in limits)
    ]:
        del uses[slot]
    said = f" {normal(question)} "
    while doubtful := [slot for slot in uses if _doubtful(slot, uses, places, said)]:
        for slot in doubtful:
            del uses[slot]
    return spans, uses


def _uses_of(slot: Slot, places: Sequence[_Place]) -> list[_Use]:
    """The literals that a number, year or date of the question stands in."""
    found = []
    for place in places:
        if place.column is not None:
            continue
        edge = _YEAR_EDGE.fullmatch(place.text) if slot.kind == "year" else None
        if not place.node.is_string:
            if _is_number(place) and _canonical(place.text) == slot.value:
                found.append(_Use(place))
        elif slot.kind == "date" and place.text == slot.value:
            found.append(_Use(place))
        elif edge and (later := int(edge[1]) - int(slot.value)) in (0, 1) and (not later or edge[2] == "-01-01"):
            found.append(_Use(place, later, edge[2]))
    return found


def _understood(slot: Slot, uses: Sequence[_Use], *, ranked: bool) -> bool:
    """Whether all the literals with this value can only mean the same thing."""
    roles = {use.place.role for use in uses}
    if roles & {"", _CONSTANT, _POSITION}:
        return False
    if _LIMIT in roles:
        return len(roles) == 1 and slot.kind == "number" and ranked
    return len(roles) == 1 or slot.kind in ("year", "text")


def _doubtful(slot: Slot, uses: Mapping[Slot, Sequence[_Use]], places: Sequence[_Place], said: str) -> bool:
    """Whether a literal that would stay may depend on the slot's value.

    It may when it looks like that value, or bounds the same thing; and when the question does not say it, for it may
    be what the author knows of just this value: its country, its currency, its threshold. A year, or how many rows are
    wanted, may change beside such a filter.
    """
    roles = {use.place.role for use in uses[slot]}
    claimed = {id(use.place) for found in uses.values() for use in found}
    for place in places:
        if id(place) in claimed or place.role == _POSITION:
            continue
        if place.role == _CONSTANT:
            if _canonical(place.text) == slot.value:
                return True
            continue
        if place.role in roles or _resembles(place, slot) or (place.role == "" and not place.node.is_string):
            return True
        spoken = place.node.is_string and f" {normal(place.text)} " in said
        if not (spoken or slot.kind == "year" or _LIMIT in roles):
            return True
    return False


def _resembles(place: _Place, slot: Slot) -> bool:
    value, text = normal(slot.value), normal(place.text)
    if slot.kind == "year" and any(str(int(value) + step) in text for step in (-1, 1)):
        return True
    if slot.kind in ("year", "number") and _is_number(place):
        return abs(Decimal(place.text) - Decimal(slot.value)) <= 1
    return value in text if slot.kind == "year" else _in(value, text) or bool(text and _in(text, value))


def _spans(question: str, read: Sequence[Token], text: str) -> Iterator[tuple[int, int]]:
    """Where the question says this text."""
    for begin, first in enumerate(read):
        for end in range(begin + 1, min(begin + LONGEST_PHRASE, len(read)) + 1):
            if first.kind != "sign" and normal(question[first.start : read[end - 1].end]) == text:
                yield begin, end
                break


def _values_of(values: ValueIndex, columns: Sequence[tuple[str, str]], text: str) -> tuple[str, ...] | None:
    """How each column writes this text; None when one does not hold it, or more than one value that it may mean."""
    found = [[v for v in values.written(t, c, text) if _signs(v) == _signs(text)] for t, c in columns]
    return tuple(written[0] for written in found) if all(len(written) == 1 for written in found) else None


def _columns_with(values: ValueIndex, text: str) -> set[tuple[str, str]]:
    return {(match.table, match.column) for match in values.columns_with(text)}


def _signs(text: str) -> list[str]:
    """The signs of a text that may mean something, of which the value index knows nothing: `C++` is not `C`."""
    return [sign for sign in re.findall(r"[^\w\s]", text) if sign not in _IDLE and sign not in ",-‐–"]


def _in(phrase: str, text: str) -> bool:
    return f" {phrase} " in f" {text} "


def _written(slot: Slot, use: _Use, new: tuple[str, ...]) -> str:
    """The literal with the new value in it."""
    if slot.kind == "text":
        assert use.place.column is not None
        text = new[slot.columns.index(use.place.column)]
        return text.lower() if use.place.fold == "lower" else text.upper() if use.place.fold == "upper" else text
    return f"{int(new[0]) + use.later}{use.rest}" if slot.kind == "year" else new[0]


def _places(tree: exp.Expr, schema: Schema) -> Iterator[_Place]:
    """Every literal of a query."""
    from sqlglot import exp

    wrappers = (exp.Neg, exp.Paren, exp.Cast, exp.TryCast, exp.Date, exp.TsOrDsToDate)
    comparisons = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.ILike)
    for literal in tree.find_all(exp.Literal, exp.Boolean):
        node: exp.Expr = literal
        while isinstance(node.parent, wrappers) and node.arg_key == "this":
            node = node.parent
        parent, other = node.parent, None
        if isinstance(parent, comparisons):
            other = parent.expression if node is parent.this else parent.this
        elif (isinstance(parent, exp.Between) and node.arg_key in ("low", "high")) or (
            isinstance(parent, exp.In) and node.arg_key == "expressions"
        ):
            other = parent.this
        if other is None or isinstance(other, exp.Literal):
            yield _Place(literal, _uncompared(literal, parent))
            continue
        column, fold = None, ""
        if literal.is_string and node is literal and isinstance(parent, (exp.EQ, exp.NEQ, exp.In)):
            column, fold = _column(other, schema)
        yield _Place(literal, _unqualified(other), column, fold)


def _uncompared(literal: exp.Expr, parent: exp.Expr | None) -> str:
    """The role of a literal that is compared with nothing."""
    from sqlglot import exp

    if isinstance(parent, (exp.Limit, exp.Fetch)):
        return _LIMIT
    decides = isinstance(parent, (exp.Case, exp.If, exp.Coalesce, exp.Connector, exp.Cast))
    if isinstance(parent, (exp.Ordered, exp.Group)) or (isinstance(parent, exp.Func) and not decides):
        return _POSITION
    plain = isinstance(literal, exp.Literal) and not literal.is_string
    return _CONSTANT if plain and _canonical(literal.name) in ("0", "1", "100") else ""


def _column(node: exp.Expr, schema: Schema) -> tuple[tuple[str, str] | None, str]:
    """The stored text column that is compared, and the case that it is brought to."""
    from sqlglot import exp

    fold = ""
    while isinstance(node, (exp.Lower, exp.Upper, exp.Trim, exp.Paren)):
        if isinstance(node, (exp.Lower, exp.Upper)):
            fold = fold or ("lower" if isinstance(node, exp.Lower) else "upper")
        node = node.this
    select = node.find_ancestor(exp.Select)
    known = select_tables(select, schema).resolve(node) if select is not None and isinstance(node, exp.Column) else None
    return ((known[0].name, known[1].name), fold) if known is not None and known[1].kind == "text" else (None, "")


def _unqualified(node: exp.Expr) -> str:
    """An expression, whichever way its tables are called."""
    from sqlglot import exp

    plain = node.copy()
    for column in [plain] if isinstance(plain, exp.Column) else plain.find_all(exp.Column):
        column.set("table", None)
    return plain.sql().lower()


def _is_number(place: _Place) -> bool:
    return not place.node.is_string and bool(re.fullmatch(r"[0-9]+(\.[0-9]+)?", place.text))


def _is_date(text: str) -> bool:
    try:
        return len(text) == 10 and bool(dt.date.fromisoformat(text))
    except ValueError:
        return False
