"""What a question in plain words leaves open of a plan, so that a small model chooses among little that can be wrong.

Its words say which techniques come into question; the types of the columns, which of them a technique can take; and a
parameter that it does not speak of stays as it is by default.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from querist.analysis.assemble import words_in
from querist.analysis.spoken import spoken
from querist.analysis.techniques.base import A_COLUMN

if TYPE_CHECKING:
    import pandas as pd

_RELATION = (
    r"\bthan\b|\bmore\b|\bless\b|fewer|higher|lower|better|worse|faster|slower|longer|shorter|larger|smaller|heavier|"
    r"depend|affect|effect|influenc|impact|matter|relat(?:ed|ion)|associat|\blinks?\b|linked|connect|\btied?\b"
)
"""Whether of amounts or of groups is for the types of the columns to say."""
_SURE = {
    "correlation": r"correlat",
    "normality": r"normal(?:ly)? distribut|normality|\bbell\b|gauss",
    "outliers": (
        r"outl(?:ier|ying)|\bodd values|strange|unusual|anomal|abnormal|suspicious|implausibl|stands? out|typos?\b|"
        r"typing errors?|far (?:away|off) from"
    ),
    "compare_groups": (
        r"t-?test|anova|chi-?squared?|mann-?whitney|kruskal|significant(?:ly)? differ|differ significantly|"
        r"differences? (?:is |are )?(?:real|significant)"
    ),
    "regression": (
        r"regress|how much (?:more|less|higher|lower|longer|shorter)|one (?:more|extra|additional)\b|"
        r"(?:per|each|every|an?) (?:extra|additional|further)"
    ),
    "missing_values": (
        r"missing|empty|\bnulls?\b|incomplete|(?:have|has|any|the) gaps|unknown|"
        r"(?:not|n['’]t) (?:\w+ )?(?:know|recorded|filled)"
    ),
    "trend": (
        r"season|\bwhich (?:months?|quarters?|weekdays?|days? of the week)|time of (?:the )?year|as time goes|"
        r"over (?:time|the (?:\w+ )?(?:days?|weeks?|months?|quarters?|years?))|"
        r"(?:improv|worse|better|chang|ris|fall|grow|drop|increas|decreas)\w*\b.*\bsince\b"
    ),
    "forecast": r"forecast|from (?:now|today)\b|\bnext (?:\w+ )?(?:days?|weeks?|months?|quarters?|years?)",
    "clusters": r"cluster|segment|natural (?:groups|kinds|types|classes)",
}
"""Words that leave no doubt: where one occurs, no other technique is meant."""
_LIKELY = {
    "correlation": rf"{_RELATION}|\bgo(?:es)? (?:together|with|along)",
    "normality": r"normal|skew|kurtosis",
    "outliers": r"\bodd\b|extreme|weird",
    "compare_groups": (
        rf"{_RELATION}|differ|compar|between|\bvs\b|versus|\bsame\b|equal|alike|chang|var(?:y|ies)|t-?test|anova|"
        r"chi-?squared?|mann-?whitney|kruskal|significan|best|worst|highest|lowest|most|least"
    ),
    "regression": r"depend|affect|effect|influenc|impact|explain|drive|predict|\bper\b|(?:each|every) more|bring",
    "describe": (
        r"\bmeans?\b|average|median|deviation|varianc|quartile|percentile|\brange|spread|typical|summar|describ|"
        r"distribut|highest|lowest|largest|smallest|best|worst|\bwhich\b|how (?:many|much|often|long)|total|count|skew|"
        r"kurtosis|\bmode\b"
    ),
    "missing_values": r"blank|lack",
    "trend": (
        r"trend|ris(?:e|es|en|ing)\b|\brose\b|gain|los(?:e|es|ing)\b|improv|worsen|since (?:\w+ )?\d{4}|"
        r"fall(?:s|en|ing)?\b|\bfell\b|going (?:up|down)|gone (?:up|down)|grow|grew|declin|increas|decreas|drop|cycl|"
        r"\bdirection|develop|evolv|(?:each|every|what) (?:month|week|quarter|year)"
    ),
    "forecast": r"\bnext\b|predict|future|\bwill\b|expect|coming|extrapolat|ahead",
    "clusters": r"natural|similar|(?:kinds|types) of|group (?:the|these|our|my|all)|divide",
}
_PAIR = ("correlation", "compare_groups")
_YES_OR_NO = re.compile(r"\s*(?:is|are|do|does|did|has|have|was|were|can)\b", re.I)
_EVERY = re.compile(
    r"\b(?:by|per|each|every)(?: \w+)? (?P<one>day|week|month|quarter|year)s?\b|"
    r"\b(?P<ly>daily|weekly|monthly|quarterly|yearly|annual)",
    re.I,
)
_MONTHS = "January February March April May June July August September October November December".split()
_MONTH = re.compile(rf"\b(?:for|in|by|until)(?: next)? ({'|'.join(_MONTHS)})\b")
_NEXT = re.compile(r"\b(?:next|coming) (?:(?P<count>\w+) )?(?P<period>day|week|month|quarter|year)s?\b", re.I)
_COUNTS = "zero one two three four five six seven eight nine ten eleven twelve".split()
_FACTORS = {("year", "month"): 12, ("year", "quarter"): 4, ("quarter", "month"): 3, ("week", "day"): 7}
MOST_AHEAD = 60
_LY = {"daily": "day", "annual": "year"}
_IMPLIED = re.compile(
    r"\b(?:old|young|heavi|light|long|short|larg|small|big|tall|fast|slow|warm|cold|hott|cheap|dear|far|near|rich|poor|earli|"
    r"lat|strong|weak|bright|dark|deep|wid)(?:er|est)\b|\bexpensive\b",
    re.I,
)
"""Words that speak of a column without its name."""
MOST_COLUMNS = 50
_NEEDS = {"trend": "date", "forecast": "date", "normality": "number", "outliers": "number", "clusters": "number"}
_GAPS = {1.5: "day", 8: "week", 32: "month", 93: "quarter"}
"""Days that lie between one date and the next, at most."""
_SPANS = {120: "day", 400: "week"}
"""Days from the first to the last date, at most, where dates come again."""


@dataclass(frozen=True)
class Narrowing:
    """What of a plan is open.

    Attributes:
        techniques: those that may be chosen; `code` among them where the words may ask for something else.
        columns: the names for each kind of place: `one`, `number`, `date`.
        question: what parameters have to be named in.
        defaults: values of parameters that the question does not name, where the data decide.
        fixed: values of parameters that words and data decide.
        every: the names for each kind of place where `columns` has only those that the question names; else empty.
    """

    techniques: tuple[str, ...]
    columns: dict[str, tuple[str, ...]]
    question: str
    defaults: dict[str, Any]
    fixed: dict[str, Any]
    every: dict[str, tuple[str, ...]]

    def wider(self) -> Narrowing:
        """The same with every column."""
        return replace(self, columns=self.every, every={})

    def asks(self, words: str) -> bool:
        """Whether the question has one of these words."""
        if words == A_COLUMN:
            said = set(re.findall(r"\w+", self.question.lower()))
            return any(said >= set(re.findall(r"[^\W_]+", name.lower())) for name in self.columns["one"])
        return bool(re.search(words, self.question, re.I))


def narrow(question: str, frame: pd.DataFrame) -> Narrowing:
    """What is open of a plan for this question about this data."""
    columns = _kinds(frame)
    possible = [name for name in _LIKELY if columns[_NEEDS.get(name, "one")]]
    told = spoken(question, frame)
    undated = [name for name in told.columns if name not in columns["date"]]
    spoken_of = _spoken_of(_SURE, _without(question, undated, 1), possible)
    if not spoken_of:
        spoken_of = _spoken_of(_LIKELY, _without(question, told.columns, 2), possible)
        if len(undated) > 1 and _YES_OR_NO.match(question):
            spoken_of = list(dict.fromkeys([*_PAIR, *spoken_of]))
    defaults: dict[str, Any] = {"columns": list(columns["one"][:MOST_COLUMNS])}
    fixed = _periods(question, frame[columns["date"][0]]) if columns["date"] else {}
    # Code is written anyway. A plan may leave it to that where figures are asked for, which can be of any kind.
    code = ["code"] if not spoken_of or "describe" in spoken_of else []
    amounts = {*told.columns} & {*columns["number"]}
    every = columns
    fewer = len(told.columns) > 1 and bool(amounts) and not _IMPLIED.search(question)
    if fewer:  # then it is about these
        about = {*told.columns, *told.partly, *told.values}
        only = {place: tuple(name for name in names if name in about) for place, names in columns.items()}
        columns = {place: only[place] if only[place] and place != "date" else columns[place] for place in columns}
    return Narrowing((*(spoken_of or possible), *code), columns, question, defaults, fixed, every if fewer else {})


def _spoken_of(words: dict[str, str], question: str, possible: list[str]) -> list[str]:
    return [name for name in possible if name in words and re.search(words[name], question, re.I)]


def _without(question: str, named: Iterable[str], fewest: int) -> str:
    """The question without the words of columns of so many: "visits per month" asks for nothing per month."""
    several = [words for name in named if len(words := words_in(name)) >= fewest]

    def blank(word: re.Match[str]) -> str:
        said = words_in(word[0])
        return "_" if said and any(said <= words for words in several) else word[0]

    return re.sub(r"\w+", blank, question)


def _kinds(frame: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    from pandas.api.types import is_bool_dtype, is_datetime64_any_dtype, is_numeric_dtype

    amounts = [str(name) for name, v in frame.items() if is_numeric_dtype(v) and not is_bool_dtype(v)]
    dates = [str(name) for name, v in frame.items() if is_datetime64_any_dtype(v)]
    years = [name for name in amounts if re.search(r"year", name, re.I) and frame[name].between(1700, 2200).all()]
    return {"one": tuple(map(str, frame.columns)), "number": tuple(amounts), "date": (*dates, *years)}


def _periods(question: str, dates: pd.Series[Any]) -> dict[str, Any]:
    """The period of a series, and how many ahead a question looks, where it says so."""
    period = _period(question, dates)
    if coming := _NEXT.search(question):
        named = coming["period"].lower()
        count = coming["count"] or "one"
        number = int(count) if count.isdigit() else _COUNTS.index(count.lower()) if count.lower() in _COUNTS else 0
        factor = 1 if named == period else _FACTORS.get((named, period), 0)
        if number and factor:
            return {"period": period, "ahead": min(number * factor, MOST_AHEAD)}
        return {"period": named if dates.dtype.kind == "M" else period}
    month = _MONTH.search(question)
    if month and period == "month" and dates.dtype.kind == "M" and dates.notna().any():
        after = (_MONTHS.index(month[1]) + 1 - int(dates.max().month)) % 12 or 12
        return {"period": period, "ahead": after}
    return {"period": period}


def _period(question: str, dates: pd.Series[Any]) -> str:
    """The period that a question names, else that which one date stands for, or one that makes a readable series."""
    if named := _EVERY.search(question):
        word = (named["one"] or named["ly"]).lower()
        return _LY.get(word, word.removesuffix("ly"))
    if dates.dtype.kind != "M":
        return "year"
    days = dates.dropna().sort_values()
    if days.is_unique:
        gap = days.diff().dt.total_seconds().median() / 86_400
        return next((period for most, period in _GAPS.items() if gap <= most), "year")
    span = (days.iloc[-1] - days.iloc[0]).days
    return next((period for most, period in _SPANS.items() if span <= most), "month")
