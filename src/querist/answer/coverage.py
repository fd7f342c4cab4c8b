"""What a question speaks of and the data do not, and what a query reads that the question does not speak of.

By words alone: the question's beside the names and values of the data. For English; of a question in another language
nothing is claimed. Whether two different words mean the same is asked in `answerable.py`.
"""

from __future__ import annotations

import difflib
import functools
import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources

from querist.answer.prepared import Prepared
from querist.answer.values import normal
from querist.sources.joins import flat, singular, words_of

ENGLISH = 0.2
"""Share of a question's words that must be English function words for it to be taken as English."""
SAME_BEGINNING = 5
"""Letters with which two words must begin alike to count as forms of one: `director` and `directed`."""
MISSPELT = 0.84
"""How alike (difflib ratio) a misspelt word must be to count as known."""
_NO_NOUN = re.compile(r"....(?:ed|est|ly|ing|ive|ous|ful|less|able|ible|ish|ional)$")
"""Endings of longer words that are hardly ever nouns that data could hold."""
_QUOTED = re.compile(r"``.*?''|\"[^\"]*\"|(?<!\w)'[^']*'(?!\w)|“[^”]*”|‘[^’]*’|`[^`]*`")
_CLITIC = re.compile(r"n['’]t\b|['’](?:s|re|ve|ll|d|m)\b|(?<=\be)-(?=[a-z])", re.I)
"""What is no word of its own: `haven't`, `driver's`, and the hyphen of `e-mail`."""
_WHOLE = re.compile(
    r"\b(?:my|our|this|your|(?:across|at|by|did|do|does|for|from|has|in|inside|within) the)( entire| whole)?$"
)
"""Ends what stands before a word that only says where all of it is: `in the company`."""
_SHOWN = re.compile(
    r"\b(?:as|in|on|with) an? (?:\w+ ){0,2}(?:chart|diagram|graph|histogram|list|map|plot|table)\b", re.I
)
"""How a result is to be shown, which the data need not say."""
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_SAYS_LITTLE = frozenset(("name", "id", "title", "code", "key", "number", "type"))
"""Words of column names that a query may read unasked: it shows them to say which row it means."""


@dataclass(frozen=True)
class Named:
    """A table, or a column of it, that a query reads."""

    table: str
    column: str = ""

    def __str__(self) -> str:
        return f"{self.table}.{self.column}" if self.column else self.table


@dataclass(frozen=True)
class _English:
    """The words of `english.toml`. `asking` has numbers and times too, `describing` verbs and adjectives."""

    linking: frozenset[str]
    asking: frozenset[str]
    describing: frozenset[str]
    numbers: frozenset[str]
    times: frozenset[str]
    units: frozenset[str]
    wholes: frozenset[str]
    nouns_in_ing: frozenset[str]
    measures: dict[str, list[str]]


@functools.cache
def _english() -> _English:
    data = tomllib.loads((resources.files("querist.answer") / "english.toml").read_text(encoding="utf-8"))
    lists = {name: frozenset(text.split()) for name, text in data.items() if isinstance(text, str)}
    verbs = {form for word in lists["verbs"] for form in _forms(word)}
    adjectives = {form for word in lists["adjectives"] for form in _compared(word)}
    compared = {form: nouns for word, nouns in data["measures"].items() for form in _compared(word)}
    return _English(
        linking=lists["function"],
        asking=lists["asking"] | lists["numbers"] | lists["times"],
        describing=lists["irregular"] | verbs | adjectives,
        numbers=lists["numbers"],
        times=lists["times"],
        units=lists["units"],
        wholes=lists["wholes"],
        nouns_in_ing=lists["nouns_in_ing"],
        measures=compared | data["tellers"],
    )


def _compared(adjective: str) -> tuple[str, ...]:
    stem = adjective[:-1] if adjective.endswith("e") else re.sub(r"([^aeiou])y$", r"\1i", adjective)
    doubled = stem + stem[-1] if re.search(r"[^aeiou][aeiou][bdgmnprt]$", stem) else stem
    return adjective, stem + "er", stem + "est", doubled + "er", doubled + "est"


def _forms(verb: str) -> tuple[str, ...]:
    stem = verb[:-1] if verb.endswith("e") else verb[:-1] + "i" if re.search(r"[^aeiou]y$", verb) else verb
    doubled = verb + verb[-1] if re.search(r"[^aeiou][aeiou][bdgmnprt]$", verb) else stem
    third = verb + "es" if re.search(r"(s|x|z|ch|sh|o)$", verb) else verb + "s"
    gerund = (verb[:-1] if verb.endswith("e") else verb) + "ing"
    return verb, third, stem + "ed", doubled + "ed", gerund, doubled + "ing", stem + "es"


def unknown_words(question: str, prepared: Prepared, note: str = "") -> list[str]:
    """The nouns of a question that no name and no value of the data says, as the data might say them.

    Words beside each other stay together. Names of people and places are no nouns: that a value is absent is a check's
    to find. Empty when the question is not English. What a note of the asker says counts as known.
    """
    english = _english()
    tokens = re.findall(r"[^\W\d_]+|\d+|\S", _CLITIC.sub("", _SHOWN.sub(" , ", _QUOTED.sub(" , ", question))))
    words = [token.lower() for token in tokens if token.isalpha()]
    if not words or sum(word in english.linking for word in words) < ENGLISH * len(words):
        return []
    if 2 * sum(token[0].isupper() for token in tokens) > len(words):  # a title or a shout: letters tell no names
        tokens = [token.lower() for token in tokens]
    known = _Vocabulary(prepared, question, note)
    found: list[list[str]] = []
    near = False
    for place, token in enumerate(tokens):
        name = token[0].isupper() and place > 0
        said = "" if name or not token.isalpha() else _concept(normal(token), tokens[:place], known, english)
        if said and near:
            found[-1].append(said)
        elif said:
            found.append([said])
        near = bool(said) or (near and token in ("per", "of"))
    return list(dict.fromkeys(" ".join(run) for run in found))


def _concept(word: str, before: Sequence[str], known: _Vocabulary, english: _English) -> str:
    """What a word asks the data for that they do not say; empty when it asks for nothing or they do."""
    if len(word) < 3 or known.says(word):
        return ""
    one = singular(word)
    if measures := english.measures.get(word) or english.measures.get(one):
        return "" if any(known.says(noun) for noun in measures) else measures[0]
    if {word, one} & english.asking or word in english.linking | english.describing:
        return ""
    if _in_passing(one, before, english):
        return ""
    return "" if _NO_NOUN.search(word) and one not in english.nouns_in_ing else one


def _in_passing(word: str, before: Sequence[str], english: _English) -> bool:
    """Whether it is a unit after a number or `in`, or the whole that everything is part of."""
    if word in english.units:
        last = before[-1].lower() if before else ""
        return last in ("in", "square", "cubic") or last.isdigit() or singular(last) in english.numbers
    return word in english.wholes and bool(_WHOLE.search(" ".join(before[-3:]).lower()))


class _Vocabulary:
    """The words that data say in their names and comments, and those of a question that are values of theirs."""

    def __init__(self, prepared: Prepared, question: str, note: str) -> None:
        tables = prepared.schema.tables
        names = [prepared.source.name, *(name for t in tables for name in (t.name, *(c.name for c in t.columns)))]
        remarks = [remark for t in tables for remark in (t.comment, *(c.comment for c in t.columns)) if remark]
        self.words = {word for text in (*names, *remarks, note) for word in words_of(text)}
        self.flat = {flat(name) for name in names}
        for match in prepared.values.mentions(question):
            self.words |= {singular(word) for text in (match.phrase, match.value) for word in normal(text).split()}

    def says(self, word: str) -> bool:
        one = singular(word)
        if any(same_word(one, other) for other in self.words):
            return True
        if len(one) < SAME_BEGINNING:
            return False
        return any(one in name for name in self.flat) or bool(difflib.get_close_matches(one, self.words, 1, MISSPELT))


def same_word(one: str, other: str) -> bool:
    """Whether two words are forms of one, or one the beginning of the other as abbreviations are."""
    short, long = sorted((one, other), key=len)
    if long in (short, short + "s"):
        return True
    if len(short) >= 3 and long.startswith(short) and (len(short) >= 4 or len(long) <= 2 * len(short)):
        return True
    return len(short) >= SAME_BEGINNING and short[:SAME_BEGINNING] == long[:SAME_BEGINNING]


def dates(question: str, read: Iterable[tuple[str, str]], prepared: Prepared) -> set[tuple[str, str]]:
    """The columns of dates among those that a query reads, if the question speaks of any time."""
    said = normal(question).split()
    if not (_YEAR.search(question) or any({word, singular(word)} & _english().times for word in said)):
        return set()
    return {(table, column) for table, column in read if _is_date(table, column, prepared)}


def _is_date(table: str, column: str, prepared: Prepared) -> bool:
    schema, profile = prepared.schema.table(table), prepared.profile.table(table)
    known, seen = schema and schema.column(column), profile and profile.column(column)
    typed = (known and known.kind in ("date", "datetime")) or (seen and seen.date_format)
    return bool(typed or set(words_of(column)) & {"date", "day", "month", "quarter", "week", "year"})


def unasked_names(question: str, read: Iterable[tuple[str, str]], prepared: Prepared) -> list[Named]:
    """The columns that a query reads and that the question neither names nor has a value of; keys do not count."""
    said = {singular(word) for word in normal(question).split()}
    valued = {(m.table.lower(), m.column.lower()) for m in prepared.values.mentions(question)}
    edges = prepared.joins.edges
    keys = {(e.left.lower(), e.left_column.lower()) for e in edges}
    keys |= {(e.right.lower(), e.right_column.lower()) for e in edges}
    found = []
    for table, column in read:
        place = (table.lower(), column.lower())
        own = [word for word in words_of(column) if word not in _SAYS_LITTLE and word not in words_of(table)]
        if own and place not in keys | valued and not any(same_word(w, s) for w in own for s in said):
            found.append(Named(table, column))
    return found


def unasked_tables(question: str, read: Iterable[str]) -> list[str]:
    """The tables that a query reads and whose names the question does not say."""
    said = {singular(word) for word in normal(question).split()}
    return [table for table in read if not any(same_word(w, s) for w in words_of(table) for s in said)]


def invented_words(sql: str, prepared: Prepared) -> list[str]:
    """The words of the columns in a draft that are no column of the data."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        tree = sqlglot.parse_one(sql, dialect=prepared.schema.dialect)
    except (SqlglotError, RecursionError):
        return []
    known = {flat(c.name) for t in prepared.schema.tables for c in t.columns}
    known |= {flat(alias.alias) for alias in tree.find_all(exp.Alias)}
    return [w for c in tree.find_all(exp.Column) if flat(c.name) not in known for w in words_of(c.name)]
