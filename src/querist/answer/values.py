"""The value index: which cells of which text columns do the words of a question, or of a query, mean?

Values are kept normalised (case, accents, punctuation) with trigrams for misspellings, in one SQLite file for each
source. A column is read again only when its profile has changed. Not for free text: long values are left out.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import sqlite3
import threading
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from querist.answer.scopes import reading
from querist.answer.wording import IDLE
from querist.sources.base import ColumnProfile, Limits, Schema, Source
from querist.sources.guard import guard
from querist.sources.indexes import AddedIndex, Match, open_indexes
from querist.sources.joins import LONG, misspelt, singular
from querist.state.sqlite_file import is_broken, remove

_log = logging.getLogger(__name__)
MAX_VALUES = 20_000
"""Distinct values of one column; a column with more is not indexed."""
MAX_LENGTH = 80
"""Characters of one value; longer ones are not indexed."""
MAX_TOTAL = 500_000
"""Values of one source; columns beyond that are not indexed."""
LONGEST_PHRASE = 7
"""Words of a question that are looked up together."""
ENDING = 2
"""Letters that a word may have after a value and still be like it: `European` is like `Europe`."""

COMMON = frozenset(
    "a about after all am an and any are as at be been before between both but by can did do does each every "
    "find first for from give got had has have having her him his how i if in into is it its last least less "
    "like list many max me min more most much my name names no nor not number of off on once one only or "
    "other our out over own per return same she show so some such sum tell than that the their them then "
    "there these they this those to too total two under until up us use very was we were what when where "
    "which while who whom whose why will with you your".split()
)


def normal(text: str) -> str:
    """Lower case, no accents, words separated by single blanks: `L'Été  2024!` gives `l ete 2024`."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return " ".join(re.findall(r"[^\W_]+", "".join(c for c in plain if not unicodedata.combining(c))))


def signs(text: str) -> list[str]:
    """The signs of a text that may mean something: `C++` is not `C`, `1.5` is neither `15` nor `1-5`."""
    found = re.finditer(r"(?P<letter>[^\W\d_])?(?P<sign>[^\w\s])(?P<digit>\d)?", text)
    idle = {*IDLE, *",-‐–"}
    return [m["sign"] for m in found if m["sign"] not in idle or (m["digit"] and not m["letter"])]


class ValueIndex:
    """Looks values up. Open one with `value_index`; safe to use from several threads."""

    def __init__(self, connection: sqlite3.Connection, added: Sequence[AddedIndex] = ()) -> None:
        self._db, self._added = connection, added
        self._lock = threading.Lock()

    def mentions(self, question: str, limit: int = 12) -> list[Match]:
        """Values that the question's words name, longest phrases first, then what plugins find; at most `limit`."""
        named, rest = self._named(question)
        found = [*named, *self._like(rest)]
        for index in self._added:
            found += index.mentions(question)
        return found[:limit]

    def guesses(self, question: str) -> list[Match]:
        """Values that words of the question are only like."""
        return self._like(self._named(question)[1])

    def _named(self, question: str) -> tuple[list[Match], list[str]]:
        """Values that the question names, and the words that are left."""
        found: list[Match] = []
        covered: set[int] = set()
        words = [w for w in (normal(raw) for raw in re.findall(r"[^\s,;?!\"()]+", question)) if w]
        for length in range(min(LONGEST_PHRASE, len(words)), 0, -1):
            for start in range(len(words) - length + 1):
                span = set(range(start, start + length))
                phrase = " ".join(words[start : start + length])
                if span & covered or (length == 1 and (phrase in COMMON or len(phrase) < 2 or phrase.isdigit())):
                    continue
                matches = self._exact(phrase)
                if matches:
                    found += matches
                    covered |= span
        return found, [word for place, word in enumerate(words) if place not in covered]

    def _like(self, words: Sequence[str]) -> list[Match]:
        return [match for word in words if len(word) >= LONG and word not in COMMON for match in self._similar(word)]

    def in_column(self, table: str, column: str, text: str) -> str | None:
        """The value of that column which `text` seems to mean, or None. An exact value is returned as it is."""
        written = self.written(table, column, text)
        return written[0] if written else self.misspelt(table, column, text)

    def written(self, table: str, column: str, text: str) -> list[str]:
        """The values of that column that are `text` up to case, accents and idle signs; just `text` if it is one."""
        rows = self._rows(
            "SELECT value FROM v WHERE t = ? AND c = ? AND norm = ?", (table.lower(), column.lower(), normal(text))
        )
        values = [value for (value,) in rows if signs(value) == signs(text)]
        return [text] if text in values else values

    def misspelt(self, table: str, column: str, text: str) -> str | None:
        """The one value of that column from which `text` differs by a slip: a guess."""
        wanted = normal(text).split()
        rows = self._rows("SELECT value, norm FROM v WHERE t = ? AND c = ?", (table.lower(), column.lower()))
        near = [value for value, norm in rows if misspelt(wanted, norm.split()) and signs(value) == signs(text)]
        return near[0] if len(near) == 1 else None

    def overlap(self, one: tuple[str, str], other: tuple[str, str]) -> bool:
        """Whether two columns (table, column) share a value, as those do that hold the same kind of thing."""
        places = (*map(str.lower, one), *map(str.lower, other))
        return bool(
            self._rows(
                "SELECT 1 FROM v AS a JOIN v AS b USING (norm) WHERE a.t = ? AND a.c = ? AND b.t = ? AND b.c = ? "
                "LIMIT 1",
                places,
            )
        )

    def covers(self, table: str, column: str) -> bool:
        """Whether all values of that column, but for long ones, were in the index when it was made.

        That none of them is a certain text now, only the data can tell.
        """
        return bool(
            self._rows("SELECT 1 FROM columns WHERE t = ? AND c = ? AND n > 0", (table.lower(), column.lower()))
        )

    def columns_with(self, text: str) -> list[Match]:
        """Columns that hold `text`, up to case, accents and punctuation."""
        return self._exact(normal(text))

    def holders(self, text: str) -> dict[tuple[str, str], list[str]]:
        """Columns (table, column) that hold `text`, and how each writes it."""
        rows = self._rows(
            "SELECT DISTINCT columns.tn, columns.cn, value FROM v JOIN columns USING (t, c) WHERE norm = ?",
            (normal(text),),
        )
        found: dict[tuple[str, str], list[str]] = {}
        for table, column, value in rows:
            if signs(value) == signs(text):
                found.setdefault((table, column), []).append(value)
        return found

    def containing(self, text: str) -> list[tuple[str, str]]:
        """Columns (table, column) with a value that contains `text`, which has at least three characters."""
        wanted = normal(text)
        if len(wanted) < 3:
            return []
        rows = self._rows(
            "SELECT DISTINCT columns.tn, columns.cn FROM f JOIN v ON v.rowid = f.rowid JOIN columns USING (t, c) "
            "WHERE f.norm MATCH ?",
            ('"' + wanted + '"',),
        )
        return [(table, column) for table, column in rows]

    def close(self) -> None:
        with self._lock:  # closing under a query that runs is a crash
            self._db.close()
        for index in self._added:
            index.close()

    def _exact(self, phrase: str) -> list[Match]:
        *first, last = phrase.split() or [""]
        forms = {phrase, phrase.removesuffix(" s"), " ".join([*first, singular(last)])} - {""}
        marks = ",".join("?" * len(forms))
        rows = self._rows(
            "SELECT DISTINCT columns.tn, columns.cn, value FROM v JOIN columns USING (t, c) "
            f"WHERE norm IN ({marks}) LIMIT 8",
            tuple(sorted(forms)),
        )
        return [Match(t, c, value, phrase, True) for t, c, value in rows]

    def _similar(self, word: str) -> list[Match]:
        grams = [word[i : i + 3] for i in range(len(word) - 2)]
        rows = self._rows(
            "SELECT columns.tn, columns.cn, v.value, v.norm FROM f JOIN v ON v.rowid = f.rowid "
            "JOIN columns USING (t, c) WHERE f.norm MATCH ? ORDER BY rank LIMIT 30",
            (" OR ".join(f'"{g}"' for g in grams),),
        )
        return [
            Match(t, c, value, word, False)
            for t, c, value, norm in rows
            if misspelt([word], norm.split()) or (word.startswith(norm) and len(word) - len(norm) <= ENDING)
        ][:2]

    def _rows(self, sql: str, parameters: tuple[str, ...]) -> list[tuple[str, ...]]:
        with self._lock:
            return self._db.execute(sql, parameters).fetchall()


def value_index(source: Source, folder: Path) -> ValueIndex:
    """Open the index of a source, first reading what is new or has changed since it was last opened.

    Args:
        source: its profile says which columns to read.
        folder: where index files are kept, readable by their owner only; made when missing.
    """
    name = hashlib.sha256(f"{source.name}\n{source.describe()}".encode()).hexdigest()[:32]
    path = folder / f"{name}.sqlite"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        db = _open(path, source)
    except (OSError, sqlite3.DatabaseError) as error:
        if isinstance(error, sqlite3.Error) and is_broken(error):
            _log.warning("the index of values %s is broken (%s) and is made anew", path, error)
            remove(path)
            db = _open(path, source)
        else:
            _log.warning("the index of values cannot be kept in %s and is made for this time: %s", path, error)
            db = _filled(sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None), source)
    return ValueIndex(db, open_indexes(source))


def _open(path: Path, source: Source) -> sqlite3.Connection:
    # SQLite gives its companion files the rights of the database file, so these are set before it opens it.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    return _filled(sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30), source)


def _filled(db: sqlite3.Connection, source: Source) -> sqlite3.Connection:
    try:
        db.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;"
            "CREATE TABLE IF NOT EXISTS columns (t TEXT, c TEXT, tn TEXT, cn TEXT, signature TEXT, n INTEGER, "
            "PRIMARY KEY (t, c));"
            "CREATE TABLE IF NOT EXISTS v (norm TEXT, t TEXT, c TEXT, value TEXT);"
            "CREATE INDEX IF NOT EXISTS v_norm ON v (norm); CREATE INDEX IF NOT EXISTS v_column ON v (t, c);"
            "CREATE VIRTUAL TABLE IF NOT EXISTS f USING fts5 (norm, tokenize = 'trigram');"
        )
        _refresh(db, source)
    except BaseException:
        db.close()
        raise
    return db


def _refresh(db: sqlite3.Connection, source: Source) -> None:
    wanted = {(t, c): (p, table, column) for t, c, p, table, column in _text_columns(source)}
    schema = source.schema()
    known = {(t, c): s for t, c, s in db.execute("SELECT t, c, signature FROM columns")}
    if known == {key: _signature(p) for key, (p, _, _) in wanted.items()}:
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        for key in known.keys() - wanted.keys():
            _forget(db, *key)
        total = 0
        for key, (profile, table, column) in wanted.items():
            if known.get(key) == _signature(profile):
                continue
            _forget(db, *key)
            small = profile.distinct <= MAX_VALUES and total < MAX_TOTAL
            values, complete = _distinct(source, schema, table, column) if small else ([], False)
            total += len(values)
            for value in values:
                row = db.execute("INSERT INTO v VALUES (?, ?, ?, ?)", (normal(value), *key, value)).lastrowid
                db.execute("INSERT INTO f (rowid, norm) VALUES (?, ?)", (row, normal(value)))
            db.execute(
                "INSERT INTO columns VALUES (?, ?, ?, ?, ?, ?)",
                (*key, table, column, _signature(profile), len(values) * complete),
            )
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise


def _forget(db: sqlite3.Connection, table: str, column: str) -> None:
    db.execute("DELETE FROM f WHERE rowid IN (SELECT rowid FROM v WHERE t = ? AND c = ?)", (table, column))
    db.execute("DELETE FROM v WHERE t = ? AND c = ?", (table, column))
    db.execute("DELETE FROM columns WHERE t = ? AND c = ?", (table, column))


def _text_columns(source: Source) -> Iterator[tuple[str, str, ColumnProfile, str, str]]:
    profile = source.profile()
    for table in source.schema().tables:
        if (profiled := profile.table(table.name)) is None:
            continue
        for column in table.columns:
            found = profiled.column(column.name)
            if found is not None and column.kind == "text" and found.distinct:
                yield table.name.lower(), column.name.lower(), found, table.name, column.name


def _signature(profile: ColumnProfile) -> str:
    facts = (profile.nulls, profile.distinct, profile.minimum, profile.maximum, profile.examples, profile.spellings)
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


def _distinct(source: Source, schema: Schema, table: str, column: str) -> tuple[list[str], bool]:
    """The values to keep, and whether these are all."""
    from sqlglot import exp

    known = schema.table(table)
    assert known is not None
    query = exp.select(exp.column(column, quoted=True)).distinct().from_(reading(known))
    rows = source.execute(guard(query.sql(source.dialect), schema).sql, Limits(rows=MAX_VALUES))
    return [value for value in _texts(row[0] for row in rows) if len(value) <= MAX_LENGTH], rows.truncated is None


def _texts(cells: Iterable[object]) -> Iterator[str]:
    return (cell for cell in cells if isinstance(cell, str) and cell.strip())
