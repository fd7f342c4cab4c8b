"""Numbers in a text, held against the values that it speaks of: a number that no value contains is flagged.

Strict rather than kind: what cannot be read is flagged, and so is what was computed from values but is none. Of what
is said without numbers only "significant" is held against them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from querist.analysis.findings import FindingValue
from querist.analysis.wording import INTERVAL, bound_at, claims, denies, is_negative, loses_sign, multiples

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_SCALES = {"hundred": 1e2, "thousand": 1e3, "k": 1e3, "million": 1e6, "M": 1e6, "billion": 1e9, "bn": 1e9}
_SCALES |= {"trillion": 1e12, "dozen": 12.0}
_WORDS = {word: place for place, word in enumerate(_ONES)} | {word: 10 * n for n, word in enumerate(_TENS, start=2)}
_WORD = "|".join(
    sorted({*_WORDS, "hundred", "thousand", "million", "billion", "trillion", "dozen"} - {"one"}, key=len, reverse=True)
)
_NUMBER = re.compile(
    # "R2" is a name, and "EUR50" an amount.
    r"(?<!\d[.,])(?:(?<!\w)(?P<sign>[-−–])?|(?<=\b(?-i:[A-Z]{3})))"
    r"(?P<digits>\d[\d.,'’\u00a0\u2009\u202f]{0,40}\d|\d|\.\d{1,40})(?P<exponent>[eE][-+]?\d{1,2})?"
    r"(?:\s?(?P<scale>thousand|million|billion|trillion|bn|k|(?-i:M))\b)?"
    r"(?P<percent>\s?(?:%|per ?cent|percentage points?))?"
    # "The two columns" counts nothing.
    rf"|(?<!\bthe )(?<!\bthese )(?<!\bboth )\b(?P<words>(?:one[- ])?(?:{_WORD})(?:[- ](?:{_WORD}|one))*)\b"
    r"(?P<of>\s?(?:%|per ?cent|percentage points?))?",
    re.I,
)
_LIST = re.compile(r"\[[-+\d.,eE]+\]")
_PLAIN = re.compile(r"\d{1,3}(?:[,'’\u00a0\u2009\u202f]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+")
_MONTHS = "January February March April May June July August September October November December".split()
_MONTH = rf"(?P<month>{'|'.join(f'{name[:3]}(?:{name[3:]})?' for name in _MONTHS)}|Sept)\b\.?"
_DATES = tuple(
    re.compile(pattern)
    for pattern in (
        r"\b(?P<y>\d{4})-(?P<m>\d\d)(?:-(?P<d>\d\d))?(?:[ T]\d\d:\d\d(?::\d\d)?)?\b",
        r"\b(?P<first>\d{1,2})/(?P<second>\d{1,2})/(?P<y>\d{4})\b",
        rf"\b(?:(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? )?{_MONTH},? (?P<y>\d{{4}})\b",
        rf"\b{_MONTH} (?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?:,? (?P<y>\d{{4}}))?\b",
    )
)
_PARTS = {"half": 1 / 2, "third": 1 / 3, "quarter": 1 / 4, "fifth": 1 / 5, "tenth": 1 / 10}
_PART = re.compile(
    r"(?<!first )(?<!second )(?<!last )\b(?P<half>half)\b(?![- ]?years?\b)|"
    r"(?<![\d.] )\b(?P<number>an?|one|two|three|four)[- ](?P<part>third|quarter|fifth|tenth)s?\b",
    re.I,
)
_LEVELS = (0.1, 0.05, 0.01, 0.005, 0.001, 0.0001)
"""What p-values are held against."""
_PERCENT = re.compile(r"%|per ?cent|pct|share|rate\b|ratio|proportion|prozent|growth|change", re.I)
"""Without such a word 101 is a count, and no percentage."""
_P_NAME = re.compile(r"(?:^|[\W_])p(?:[\W_]?val(?:ue)?s?)?(?:$|[\W_])", re.I)
_P_SAID = re.compile(
    r"\b(?P<name>p(?:[-_ ]?value)?(?:_\w+)?)\W{0,2}(?:=|:|,\s*\"value\":)\s*"
    r"(?P<p>[01]?\.\d+(?:e-?\d+)?|\d(?:\.\d+)?e-\d+)",
    re.I,
)
COARSE = 0.1
"""How far rounding may take a value from itself: 0.46 may be said as 0.5, and 0.4 not as 0."""

_Day = tuple[int | None, int, int | None]
"""Year, month and day, as far as they are said."""


@dataclass(frozen=True)
class _Said:
    """A number as it is written: `unit` is the place of its last digit, `value` None where it cannot be read."""

    written: str
    start: int
    value: float | None
    unit: float
    percent: bool

    @property
    def meant(self) -> tuple[float | str, bool]:
        """What it has in common with the same number elsewhere: how it is written, where it cannot be read."""
        return self.written if self.value is None else self.value, self.percent


def unsupported(text: str, values: Mapping[str, FindingValue], context: str = "") -> list[str]:
    """The numbers and dates of `text` that are no value, as they are written, and "significant" where no p-value is.

    A number counts as a value when it is that value rounded to the digits it has. With a percent sign it is a hundred
    times a share, or, where any are spoken of, a value above 1 as it is. A negative value needs its sign, or a word for
    it beside it ("a fall of 3"). A usual level may bound what its name says to be a p-value ("p < 0.05"). What stands
    in `context`, such as the question, needs no value.
    """
    known, days = _known(values.values())
    told = " ".join(value for value in values.values() if isinstance(value, str)).lower()
    shares = bool(_PERCENT.search(" ".join([context, *values, told])))
    p_values = _p_values(values)
    allowed = {said.meant for said in _numbers(_without_days(context))}
    days |= {day for _, readings in _days(context) for day in readings}
    flagged = {}
    for match, readings in _days(text):
        if not any(_fits(said, day) for said in readings for day in days):
            flagged[match.start()] = match[0]
    known += [float(year) for year, _, _ in days if year is not None]
    bare = _blank(INTERVAL, _without_days(text))
    for said in _numbers(bare):
        if said.meant not in allowed and not _supported(said, known, p_values, bare, shares=shares):
            flagged[said.start] = said.written
    flagged |= {place: word for place, word in multiples(text) if word.lower() not in f"{context} {told}".lower()}
    if min(p_values, default=1.0) >= 0.05 and (p_values or "significant" not in told):
        flagged |= dict(claims(text))
    return list(dict.fromkeys(flagged[start] for start in sorted(flagged)))


def _supported(said: _Said, known: list[float], p_values: list[float], text: str, *, shares: bool) -> bool:
    if said.value is None:
        return False
    before, after = text[: said.start], text[said.start + len(said.written) :]
    level = said.value / 100 if said.percent else said.value
    if p_values and level in _LEVELS and (bound := bound_at(before)):
        if bound == "below" or bound == "above":
            return any(p < level if bound == "below" else p > level for p in p_values)
        if bound == "set" or denies(before) or any(p < level for p in p_values):
            return True
    if said.percent:
        known = [100 * value for value in known] + [value for value in known if shares and abs(value) > 1]
    if is_negative(before):
        known = [value for value in known if value < 0]
    return any(_rounds_to(value, said, loses_sign(before, after)) for value in known)


def _rounds_to(value: float, said: _Said, signless: bool) -> bool:
    number = said.value
    assert number is not None
    if value < 0 <= number and signless:
        value = -value
    difference = abs(value - number)
    if number == 0 and said.unit <= 0.001:
        return difference < said.unit
    tolerance = COARSE if said.unit <= 1 else COARSE / 10  # 12,300 may stand for 12,345, and 12,000 not
    return difference <= 1e-9 * abs(value) or (
        difference <= 0.5 * said.unit * 1.001 and difference <= tolerance * abs(value)
    )


def _numbers(text: str) -> Iterator[_Said]:
    for match in _PART.finditer(text):
        share = _PARTS[(match["half"] or match["part"]).lower()] * _WORDS.get((match["number"] or "").lower(), 1)
        yield _Said(match[0], match.start(), share, 0.1, False)
    for match in _NUMBER.finditer(_blank(_PART, text)):
        written = match[0].removesuffix(match["percent"] or match["of"] or "").strip()
        percent = bool(match["percent"] or match["of"])
        if match["words"]:
            yield _Said(written, match.start(), _in_words(match["words"].lower()), 1.0, percent)
            continue
        scale = next((size for word, size in _SCALES.items() if word.lower() == (match["scale"] or "").lower()), 1.0)
        scale *= 10.0 ** int((match["exponent"] or "e0")[1:])
        value, unit = _read(match["digits"])
        if value is not None and match["sign"]:
            value = -value
        yield _Said(written, match.start(), None if value is None else value * scale, unit * scale, percent)


def _read(digits: str) -> tuple[float | None, float]:
    if not _PLAIN.fullmatch(digits):
        return None, 1.0
    plain = re.sub(r"[^\d.]", "", digits)
    whole, _, decimals = plain.partition(".")
    zeros = len(whole) - len(whole.rstrip("0")) if not decimals and whole.strip("0") else 0
    return float(plain), 10.0 ** (zeros - len(decimals))


def _in_words(words: str) -> float:
    """`twenty-three`, `two hundred`, `five million` as numbers."""
    whole = part = 0.0
    for word in re.split(r"[- ]", words):
        if word not in _SCALES:
            part += _WORDS[word]
        elif word in ("hundred", "dozen"):
            part = max(part, 1) * _SCALES[word]
        else:
            whole, part = whole + max(part, 1) * _SCALES[word], 0.0
    return whole + part


def _known(values: Iterable[FindingValue]) -> tuple[list[float], set[_Day]]:
    """The numbers among the values, and the dates; of texts those that stand in them."""
    numbers: list[float] = []
    days: set[_Day] = set()
    for value in values:
        if isinstance(value, list):
            more, others = _known(value)
            numbers, days = numbers + more, days | others
        elif isinstance(value, str):
            days |= {day for _, readings in _days(value) for day in readings}
            value = _LIST.sub(lambda found: found[0].replace(",", ", "), value)  # in JSON, 1,234 are two numbers
            numbers += [said.value for said in _numbers(_without_days(value)) if said.value is not None]
        elif value is not None and not isinstance(value, bool):
            numbers.append(float(value))
    return numbers, days


def _p_values(values: Mapping[str, FindingValue]) -> list[float]:
    """The p-values that claims may rest on, known by their names; of texts those that stand in them as such."""
    named = [(name, value) for name, value in values.items() if isinstance(value, float) and _P_NAME.search(name)]
    said = [
        (match["name"], float(match["p"]))
        for value in values.values()
        if isinstance(value, str)
        for match in _P_SAID.finditer(value)
    ]
    found = [(name.lower(), p) for name, p in (*named, *said) if 0 <= p <= 1 and "unadjusted" not in name.lower()]
    return [p for name, p in found if re.search("adjusted|exact", name)] or [p for _, p in found]


def _days(text: str) -> Iterator[tuple[re.Match[str], list[_Day]]]:
    """The dates in a text, each with what it can mean."""
    for pattern in _DATES:
        for match in pattern.finditer(text):
            part = match.groupdict()
            year, day = (int(part[key]) if part.get(key) else None for key in ("y", "d"))
            if part.get("first"):
                one, two = int(part["first"]), int(part["second"])
                yield match, [(year, one, two), (year, two, one)]
            else:
                named = part.get("month")
                month = [name[:3] for name in _MONTHS].index(named[:3]) + 1 if named else int(part["m"])
                yield match, [(year, month, day)]


def _fits(said: _Day, known: _Day) -> bool:
    """Whether a date is one that is known, or less exact than it; only a year may be said of one that has none."""
    year, month, day = said
    return (year is None or known[0] in (None, year)) and month == known[1] and day in (None, known[2])


def _without_days(text: str) -> str:
    for pattern in _DATES:
        text = _blank(pattern, text)
    return text


def _blank(pattern: re.Pattern[str], text: str) -> str:
    """The text with blanks for what matches, so that all else keeps its place."""
    return pattern.sub(lambda match: " " * len(match[0]), text)
