"""The template of a question: its words, with slots for the values that its query holds too.

Decides whether another question is the same but for those values. It never guesses: words count in their order, a text
must be a value of the same column, and a value becomes a slot only where every place that depends on it is seen to.
What is doubtful stays a plain word, and then only the same question matches.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Literal

from querist.answer.joins import singular
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
_IDLE_WORDS = frozenset({"the", "please"})
_IDLE_SIGNS = frozenset(",.;:?!¿¡…'\"`´‘’“”„«»")
_HYPHENS = frozenset("-‐–")
_PLAIN_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?|[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_OTHER_THOUSANDS = re.compile(r"[0-9]{1,3}\.[0-9]{3}")
"""1.500 is one thing in English and another in half of Europe."""


@dataclass(frozen=True)
class Token:
    """A date, number, word or sign of a question; `word` is what it counts as, `idle` when it counts for nothing."""

    kind: str
    raw: str
    word: str
    start: int
    end: int
    idle: bool


@dataclass(frozen=True)
class Slot:
    """A value that another question may have otherwise.

    Attributes:
        value: in the question that was verified; numbers without separators.
        columns: (table, column) that a text must be a value of.
        whole, year: a number must be an integer, or a year.
        digits: how many a number must have, because the query compares it as text; 0 when it does not matter.
    """

    kind: Literal["text", "number", "date"]
    value: str
    columns: tuple[tuple[str, str], ...] = ()
    whole: bool = False
    year: bool = False
    digits: int = 0


Binding = Mapping[Slot, tuple[str, ...]]
"""The new value of each slot: for a text as each of the slot's columns writes it."""


@dataclass(frozen=True, eq=False)
class _Place:
    """A literal of the query: what it is compared with (None: something else is done with it), and how."""

    node: exp.Literal
    context: str | None
    column: tuple[str, str] | None = None
    fold: Literal["", "lower", "upper"] = ""
    like: bool = False

    @property
    def text(self) -> str:
        return str(self.node.this)


@dataclass(frozen=True, eq=False)
class _Use:
    """How a slot's value stands in a literal: as all of it, or as the year that it begins with, `later` years on."""

    place: _Place
    prefix: bool = False
    later: int = 0


def tokens(question: str) -> list[Token]:
    """The pieces of a question, without a polite beginning."""
    lead = _LEAD.match(question)
    begin = lead.end() if lead is not None and re.search(r"\w", question[lead.end() :]) else 0
    return [_token(match, question) for match in _TOKEN.finditer(question, begin)]


def _token(match: re.Match[str], question: str) -> Token:
    kind, raw = match.lastgroup or "sign", unicodedata.normalize("NFKC", match[0]).casefold()
    if kind == "number":
        plain = _PLAIN_NUMBER.fullmatch(match[0]) and not _OTHER_THOUSANDS.fullmatch(match[0])
        raw, kind = (canonical(match[0]), kind) if plain else (raw, "word")
    around = question[max(match.start() - 1, 0) : match.start()] + question[match.end() : match.end() + 1]
    hyphen = match[0] in _HYPHENS and len(around) == 2 and around.isalpha()
    idle = raw in _IDLE_WORDS if kind == "word" else kind == "sign" and (match[0] in _IDLE_SIGNS or hyphen)
    word = singular(raw) if kind == "word" else raw
    return Token(kind, raw, word, match.start(), match.end(), idle)


def canonical(number: str) -> str:
    """A number without separators and needless zeros: `1,500.50` is `1500.5`. Empty when it is none."""
    try:
        return format(Decimal(number.replace(",", "")).normalize(), "f")
    except InvalidOperation:
        return ""


def words(question: str) -> tuple[str, ...]:
    """What a question says, whatever its plurals, case and politeness."""
    return tuple(token.word for token in tokens(question) if not token.idle)


class Template:
    """The template of one verified question. `slots` are the values that other questions may have otherwise."""

    def __init__(self, question: str, query: GuardedQuery, schema: Schema, values: ValueIndex) -> None:
        self._values, self._dialect = values, schema.dialect
        # Changed by slots below; written anew it must say what was guarded.
        self._tree = query.expression.copy()
        places = list(_places(self._tree, schema))
        self._literal_words = {word for place in places if place.node.is_string for word in normal(place.text).split()}
        read = tokens(question)
        spans, self._uses = _slots(question, read, places, _names(self._tree), values)
        self._items: list[Token | Slot] = []
        position = 0
        while position < len(read):
            slot, after = spans.get(position, (None, position + 1))
            if slot is not None and slot in self._uses:
                self._items.append(slot)
            else:
                after = position + 1
                if not read[position].idle:
                    self._items.append(read[position])
            position = after
        fixed = any(isinstance(item, Token) for item in self._items)
        if not fixed or not _same_sql(self._tree.sql(dialect=self._dialect), query.sql):
            self._uses, self._items = {}, [token for token in read if not token.idle]

    @property
    def slots(self) -> tuple[Slot, ...]:
        return tuple(self._uses)

    def match(self, question: str) -> Binding | None:
        """The values that another question has for the slots; None when it asks something else, or may."""
        found: list[Binding] = []
        for binding in self._bindings(question, tokens(question), 0, 0, {}):
            if binding not in found:
                found.append(binding)
            if len(found) > 1:
                return None
        return found[0] if found else None

    def changed(self, binding: Binding) -> dict[Slot, str]:
        """The slots whose value is another one, with that value."""
        verified = {slot: self._read(slot, slot.value) for slot in binding}
        return {slot: new[0] for slot, new in binding.items() if new != verified[slot]}

    def bind(self, binding: Binding) -> str:
        """The query with these values. The template cannot be used again."""
        for slot, new in binding.items():
            for use in self._uses[slot]:
                use.place.node.set("this", _written(slot, use, new))
        return self._tree.sql(dialect=self._dialect)

    def _bindings(
        self, question: str, read: Sequence[Token], item: int, position: int, bound: Binding
    ) -> Iterator[Binding]:
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
            if not token.idle and self._same(wanted, token):
                yield from self._bindings(question, read, item + 1, position + 1, bound)
            return
        for after in range(position + 1, min(position + LONGEST_PHRASE, len(read)) + 1):
            if wanted.kind != "text" and (after > position + 1 or token.kind != wanted.kind):
                return
            text = question[token.start : read[after - 1].end] if wanted.kind == "text" else token.raw
            value = self._read(wanted, text)
            if value is not None and bound.get(wanted, value) == value:
                yield from self._bindings(question, read, item + 1, after, {**bound, wanted: value})

    def _same(self, wanted: Token, token: Token) -> bool:
        """Words of the query's own texts must be the very same, others may differ in number."""
        texts = self._literal_words
        strict = wanted.raw in texts or token.raw in texts
        return wanted.kind == token.kind and (wanted.raw == token.raw if strict else wanted.word == token.word)

    def _read(self, slot: Slot, text: str) -> tuple[str, ...] | None:
        if slot.kind == "date":
            return (text,) if _is_date(text) else None
        if slot.kind == "number":
            fits = not (slot.whole and "." in text) and not (slot.digits and len(text) != slot.digits)
            return (text,) if fits and not (slot.year and not _is_year(text)) else None
        if text.casefold() in COMMON and normal(text) != normal(slot.value):
            return None
        return _values_of(self._values, slot.columns, text)


def _slots(
    question: str, read: Sequence[Token], places: Sequence[_Place], names: Sequence[str], values: ValueIndex
) -> tuple[dict[int, tuple[Slot, int]], dict[Slot, list[_Use]]]:
    """Where slots begin in the question (with the position behind each), and where their values stand in the query."""
    spans: dict[int, tuple[Slot, int]] = {}
    uses: dict[Slot, list[_Use]] = {}
    taken: set[int] = set()
    texts: dict[str, list[_Place]] = {}
    for place in places:
        if place.column is not None and not _is_date(place.text) and values.covers(*place.column):
            texts.setdefault(normal(place.text), []).append(place)
    for text in sorted(texts, key=len, reverse=True):
        found = [span for span in _spans(question, read, text) if not taken & set(range(*span))]
        columns = tuple(dict.fromkeys(p.column for p in texts[text] if p.column is not None))
        if found and _values_of(values, columns, texts[text][0].text):
            slot = Slot("text", question[read[found[0][0]].start : read[found[0][1] - 1].end], columns)
            uses[slot] = [_Use(place) for place in texts[text]]
            for begin, end in found:
                spans[begin] = (slot, end)
                taken |= set(range(begin, end))
    for position, token in enumerate(read):
        if position in taken or token.kind not in ("date", "number"):
            continue
        found_uses = _uses_of(token, places)
        if not found_uses or not _alike(found_uses, _is_year(token.raw)):
            continue
        slot = _number_slot(token, found_uses) if token.kind == "number" else Slot("date", token.raw)
        uses[slot] = found_uses
        spans[position] = (slot, position + 1)
    for slot in [slot for slot in uses if any(_holds(name, slot) for name in names)]:
        del uses[slot]  # a column called "revenue 2024" would then show another year's
    _drop_doubtful(uses, places)
    return spans, uses


def _values_of(values: ValueIndex, columns: Sequence[tuple[str, str]], text: str) -> tuple[str, ...] | None:
    """How each column writes this text; None when one does not hold it, or more than one value that it may mean."""
    found = [[v for v in values.written(t, c, text) if _signs(v) == _signs(text)] for t, c in columns]
    return tuple(written[0] for written in found) if all(len(written) == 1 for written in found) else None


def _signs(text: str) -> list[str]:
    """The signs of a text that may mean something, of which the value index knows nothing: `C++` is not `C`."""
    return [sign for sign in re.findall(r"[^\w\s]", text) if sign not in _IDLE_SIGNS and sign not in _HYPHENS]


def _number_slot(token: Token, uses: Sequence[_Use]) -> Slot:
    as_text = any(use.place.node.is_string for use in uses)
    limit = any(use.place.context == _LIMIT for use in uses)
    year = _is_year(token.raw)
    return Slot("number", token.raw, (), as_text or limit or year, year, len(token.raw) if as_text else 0)


def _spans(question: str, read: Sequence[Token], text: str) -> Iterator[tuple[int, int]]:
    """Where the question says this text."""
    for begin, first in enumerate(read):
        for end in range(begin + 1, min(begin + LONGEST_PHRASE, len(read)) + 1):
            if first.kind != "sign" and normal(question[first.start : read[end - 1].end]) == text:
                yield begin, end
                break


def _uses_of(token: Token, places: Sequence[_Place]) -> list[_Use]:
    """The literals that a number or date of the question stands in."""
    found = []
    for place in places:
        text = place.text
        if place.node.is_string and place.column is not None and not _is_date(text):
            continue  # a text of its column
        same = text == token.raw if place.node.is_string else canonical(text) == token.raw
        if same and not place.like:
            found.append(_Use(place))
        elif place.node.is_string and _is_year(token.raw):
            if re.fullmatch(rf"{token.raw}(-[0-9]{{2}}.*)?%?", text) and place.context is not None:
                found.append(_Use(place, prefix=True))
            elif text.startswith(f"{int(token.raw) + 1}-01-01"):
                found.append(_Use(place, prefix=True, later=1))
    return found if any(not use.later for use in found) else []


def _alike(uses: Sequence[_Use], year: bool) -> bool:
    """Whether all the literals with this value can only mean the same thing, and are understood."""
    contexts = {use.place.context for use in uses}
    if None in contexts or any(use.prefix and re.search("-02-2[89]", use.place.text) for use in uses):
        return False
    return len(contexts) == 1 or (year and _LIMIT not in contexts)


def _drop_doubtful(uses: dict[Slot, list[_Use]], places: Sequence[_Place]) -> None:
    """Take out the slots whose value may also be behind a literal that would not change with it."""
    owners: dict[int, list[Slot]] = {}
    for slot, found in uses.items():
        for use in found:
            owners.setdefault(id(use.place), []).append(slot)
    for shared in [slots for slots in owners.values() if len(slots) > 1]:
        for slot in shared:
            uses.pop(slot, None)
    while True:
        claimed = {id(use.place) for found in uses.values() for use in found}
        left = [place for place in places if id(place) not in claimed]
        doubtful = [slot for slot, found in uses.items() if any(_touches(slot, found, place) for place in left)]
        if not doubtful:
            return
        for slot in doubtful:
            del uses[slot]


def _touches(slot: Slot, uses: Sequence[_Use], other: _Place) -> bool:
    """Whether a literal that stays may depend on the slot's value: it holds it, is next to it, or bounds the same."""
    from sqlglot import exp

    if other.context is not None and any(use.place.context == other.context for use in uses):
        return True
    if other.node.is_string:
        years = {str(int(slot.value) + step) for step in (-1, 1)} if slot.year else set()
        part = normal(other.text)
        return _holds(other.text, slot) or (part and _in(part, normal(slot.value))) or any(y in part for y in years)
    if slot.kind != "number" or isinstance(other.node.parent, exp.Round):
        return False
    return abs(Decimal(canonical(other.text) or slot.value) - Decimal(slot.value)) <= 1


def _holds(text: str, slot: Slot) -> bool:
    return _in(normal(slot.value), normal(text.replace("_", " ")))


def _in(phrase: str, text: str) -> bool:
    return f" {phrase} " in f" {text} "


def _names(tree: exp.Expr) -> list[str]:
    """What the query calls its tables and columns by names of its own."""
    from sqlglot import exp

    return [node.name if isinstance(node, exp.Table) else node.alias for node in tree.find_all(exp.Alias, exp.Table)]


def _written(slot: Slot, use: _Use, new: tuple[str, ...]) -> str:
    """The literal with the new value in it."""
    if slot.kind == "text":
        assert use.place.column is not None
        text = new[slot.columns.index(use.place.column)]
        return text.lower() if use.place.fold == "lower" else text.upper() if use.place.fold == "upper" else text
    return f"{int(new[0]) + use.later}{use.place.text[4:]}" if use.prefix else new[0]


_LIMIT = "LIMIT"


def _places(tree: exp.Expr, schema: Schema) -> Iterator[_Place]:
    """Every literal of a query."""
    from sqlglot import exp

    wrappers = (exp.Neg, exp.Paren, exp.Cast, exp.TryCast, exp.Date, exp.TsOrDsToDate)
    comparisons = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.ILike)
    for literal in tree.find_all(exp.Literal):
        node: exp.Expr = literal
        while isinstance(node.parent, wrappers) and node.arg_key == "this":
            node = node.parent
        parent, other = node.parent, None
        if isinstance(parent, (exp.Limit, exp.Fetch)):
            yield _Place(literal, _LIMIT)
            continue
        if isinstance(parent, comparisons):
            other = parent.expression if node is parent.this else parent.this
        elif (isinstance(parent, exp.Between) and node.arg_key in ("low", "high")) or (
            isinstance(parent, exp.In) and node.arg_key == "expressions"
        ):
            other = parent.this
        if other is None or isinstance(other, exp.Literal):
            yield _Place(literal, None)
            continue
        like = isinstance(parent, (exp.Like, exp.ILike))
        equal = literal.is_string and node is literal and isinstance(parent, (exp.EQ, exp.NEQ, exp.In))
        column, fold = _column(other, schema) if equal else (None, "")
        yield _Place(literal, _unqualified(other), column, fold, like)  # type: ignore[arg-type]


def _column(node: exp.Expr, schema: Schema) -> tuple[tuple[str, str] | None, str]:
    """The stored text column that is compared, and the case that it is brought to."""
    from sqlglot import exp

    fold = ""
    while isinstance(node, (exp.Lower, exp.Upper, exp.Trim, exp.Paren)):
        if not isinstance(node, (exp.Trim, exp.Paren)):
            fold = fold or ("lower" if isinstance(node, exp.Lower) else "upper")
        node = node.this
    select = node.find_ancestor(exp.Select)
    known = select_tables(select, schema).resolve(node) if select is not None and isinstance(node, exp.Column) else None
    if known is None or known[1].kind != "text":
        return None, ""
    return (known[0].name, known[1].name), fold


def _unqualified(node: exp.Expr) -> str:
    """An expression, whichever way its tables are called."""
    from sqlglot import exp

    plain = node.copy()
    for column in [plain] if isinstance(plain, exp.Column) else plain.find_all(exp.Column):
        column.set("table", None)
    return plain.sql().lower()


def _same_sql(one: str, other: str) -> bool:
    return "".join(one.casefold().split()) == "".join(other.casefold().split())


def _is_year(text: str) -> bool:
    return bool(re.fullmatch("(19|20)[0-9]{2}", text))


def _is_date(text: str) -> bool:
    try:
        return len(text) == 10 and bool(dt.date.fromisoformat(text))
    except ValueError:
        return False
