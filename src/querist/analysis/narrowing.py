"""What a question in plain words leaves open of a plan, so that a small model chooses among little that can be wrong.

Its words say which techniques come into question; the types of the columns, which of them a technique can take; and a
parameter that it does not speak of stays as it is by default.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from querist.analysis.techniques.base import A_COLUMN

if TYPE_CHECKING:
    import pandas as pd

_MORE = (
    r"\bthan\b|\bmore\b|\bless\b|fewer|higher|lower|better|worse|faster|slower|longer|shorter|larger|smaller|heavier|"
    r"depend|affect|effect|influenc|impact|matter|relat(?:ed|ion)|associat|\blinks?\b|linked|connect"
)
"""A relation: whether of amounts or of groups is for the types of its columns to say."""
_TECHNIQUES = {
    "correlation": rf"{_MORE}|correlat|\bgo(?:es)? (?:together|with|along)|strongly",
    "normality": r"normal(?:ly|ity)?\b|\bbell\b|gauss|skew|kurtosis",
    "outliers": r"outl(?:ier|ying)|\bodd\b|strange|unusual|extreme|anomal|abnormal|suspicious|weird|implausibl",
    "compare_groups": (
        rf"{_MORE}|differ|compar|between|\bvs\b|versus|\bsame\b|equal|alike|chang|var(?:y|ies)|t-?test|anova|"
        r"chi-?squared?|mann-?whitney|kruskal|significan|best|worst|highest|lowest|most|least"
    ),
    "regression": (
        r"regress|depend|affect|effect|influenc|impact|explain|drive|predict|\bper\b|(?:each|every) (?:extra|"
        r"additional|more)|how much (?:more|less|higher|lower|longer)|bring"
    ),
    "describe": (
        r"\bmeans?\b|average|median|deviation|varianc|quartile|percentile|\brange|spread|typical|summar|describ|distribut|"
        r"highest|lowest|largest|smallest|best|worst|\bwhich\b|how (?:many|much|often|long)|total|count|skew|kurtosis|"
        r"\bmode\b"
    ),
    "missing_values": r"missing|empty|blank|\bnulls?\b|incomplete|lack|not filled",
    "trend": (
        r"trend|over (?:time|the (?:\w+ )?(?:days?|weeks?|months?|quarters?|years?))|ris(?:e|es|en|ing)\b|\brose\b|"
        r"fall(?:s|en|ing)?\b|\bfell\b|going (?:up|down)|gone (?:up|down)|grow|grew|declin|increas|decreas|drop|season|"
        r"cycl|(?:each|every|which|what) (?:month|week|quarter|year|season)"
    ),
    "forecast": r"forecast|\bnext\b|predict|future|\bwill\b|expect|coming|extrapolat|ahead",
    "clusters": r"cluster|segment|natural groups|similar|kinds of|group (?:the|these|our|my|all)|divide",
}
_SURE = {
    "correlation": r"correlat",
    "normality": r"normal(?:ly)? distribut|normality|\bbell\b|gauss",
    "outliers": r"outl(?:ier|ying)|\bodd values|strange|unusual|anomal|abnormal|suspicious|implausibl",
    "regression": (
        r"regress|how much (?:more|less|higher|lower|longer|shorter)|"
        r"(?:per|each|every) (?:unit|extra|additional|further)"
    ),
    "missing_values": r"missing|empty|\bnulls?\b|incomplete",
    "forecast": r"forecast|\bnext (?:\w+ )?(?:days?|weeks?|months?|quarters?|years?)",
    "clusters": r"cluster|segment",
}
"""Words that leave no doubt: where one occurs, no other technique is meant."""
_NAMES = {name: re.compile(words, re.I) for name, words in _TECHNIQUES.items()}
_SURE_NAMES = {name: re.compile(words, re.I) for name, words in _SURE.items()}
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
    """

    techniques: tuple[str, ...]
    columns: dict[str, tuple[str, ...]]
    question: str
    defaults: dict[str, Any]

    def asks(self, words: str) -> bool:
        """Whether the question has one of these words."""
        if words == A_COLUMN:
            said = set(re.findall(r"\w+", self.question.lower()))
            return any(said >= set(re.findall(r"[^\W_]+", name.lower())) for name in self.columns["one"])
        return bool(re.search(words, self.question, re.I))


def narrow(question: str, frame: pd.DataFrame) -> Narrowing:
    """What is open of a plan for this question about this data."""
    columns = _kinds(frame)
    possible = [name for name in _NAMES if columns[_NEEDS.get(name, "one")]]
    spoken_of = [name for name, words in _SURE_NAMES.items() if name in possible and words.search(question)]
    spoken_of = spoken_of or [name for name in possible if _NAMES[name].search(question)]
    defaults: dict[str, Any] = {"columns": list(columns["one"][:MOST_COLUMNS])}
    if columns["date"]:
        defaults["period"] = _period(frame[columns["date"][0]])
    # Code is written anyway. A plan may leave it to that where figures are asked for, which can be of any kind.
    code = ["code"] if not spoken_of or "describe" in spoken_of else []
    return Narrowing((*(spoken_of or possible), *code), columns, question, defaults)


def _kinds(frame: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    from pandas.api.types import is_bool_dtype, is_datetime64_any_dtype, is_numeric_dtype

    amounts = [str(name) for name, v in frame.items() if is_numeric_dtype(v) and not is_bool_dtype(v)]
    dates = [str(name) for name, v in frame.items() if is_datetime64_any_dtype(v)]
    years = [name for name in amounts if re.search(r"year", name, re.I) and frame[name].between(1700, 2200).all()]
    return {"one": tuple(map(str, frame.columns)), "number": tuple(amounts), "date": (*dates, *years)}


def _period(dates: pd.Series[object]) -> str:
    """The period that one date stands for; where dates come again, one that makes a readable series."""
    if dates.dtype.kind != "M":
        return "year"
    days = dates.dropna().sort_values()
    if days.is_unique:
        gap = days.diff().dt.total_seconds().median() / 86_400
        return next((period for most, period in _GAPS.items() if gap <= most), "year")
    span = (days.iloc[-1] - days.iloc[0]).days
    return next((period for most, period in _SPANS.items() if span <= most), "month")
