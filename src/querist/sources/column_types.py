"""From the text of a column to its type: what its values are, and the SQL that makes them. Not for reading files.

The rule is that nothing is guessed away: a column gets a type only when every value has it, and the SQL says of each
value whether it does, so that a value further down than the sample is never lost but changes the decision.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from querist.sources.naming import literal

NULL_WORDS = frozenset({"na", "n/a", "#n/a", "null", "none", "nan", "-", "--", "?", "\\n"})
"""Read as NULL, but only in a column whose other values are numbers, dates or booleans."""
MISSING_WORDS = NULL_WORDS - {"na", "none", "?"} | {""}
"""Words for a missing value among any others, of which the rest may be values of their own."""

INTEGER = re.compile(r"-?(0|[1-9]\d*)")
PLAIN_NUMBER = re.compile(r"-?((0|[1-9]\d*)(\.\d*)?|\.\d+)")
NUMBER = re.compile(PLAIN_NUMBER.pattern + r"([eE][+-]?\d{1,3})?")
LONG = r"^-?\d{16}"
"""Begins a number of which a DOUBLE may lose the last digits."""
SPACES = "     '’"
"""Characters other than point and comma that group digits: spaces of several widths and the Swiss apostrophe."""
CURRENCY = "$€£¥₹₩₽₺"
GROUPED_COMMA = re.compile(r"[1-9]\d{0,2}(,\d{3})+(\.\d+)?|\d+(\.\d+)?")
GROUPED_POINT = re.compile(r"[1-9]\d{0,2}(\.\d{3})+(,\d+)?|\d+(,\d+)?")
GROUPED_SPACE = re.compile(rf"[1-9]\d{{0,2}}([{SPACES}]\d{{3}})+([.,]\d+)?|\d+([.,]\d+)?")
STYLED = re.compile(rf"(-?)([{CURRENCY}]?) ?(-?)(\d[\d.,{SPACES}]*?) ?([{CURRENCY}%]?)")
TIME = re.compile(r"([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?")
CLOCK = (
    r"(?P<clock>[ T]+(?P<hour>\d{1,2}):\d{2}(?P<second>:\d{2}(?P<fraction>[.,]\d{1,9})?)?"
    r"(?P<half> ?[AaPp]\.?[Mm]\.?)?(?P<zone> ?(Z|UTC|[+-]\d{2}(:?\d{2})?))?)?"
)
DATE_NUMERIC = re.compile(r"(?P<a>\d{1,4})(?P<sep>[-/.])(?P<b>\d{1,2})(?P=sep)(?P<c>\d{4}|\d{2})" + CLOCK)
DATE_ISO = re.compile(r"(?P<a>\d{4})(?P<sep>[-/.])(?P<b>\d{1,2})(?P=sep)(?P<c>\d{1,2})" + CLOCK)
DATE_DAY_NAME = re.compile(
    r"(?P<a>\d{1,2})(?P<sep>[-/. ]| of )(?P<month>[A-Za-z]{3,9})(?P<sep2>\.?,?[-/. ])(?P<c>\d{4}|\d{2})" + CLOCK
)
DATE_NAME_DAY = re.compile(r"(?P<month>[A-Za-z]{3,9})(?P<sep>\.? )(?P<a>\d{1,2})(?P<sep2>,? )(?P<c>\d{4})" + CLOCK)
_MONTHS = "january february march april may june july august september october november december".split()
MONTHS = frozenset(_MONTHS) | {month[:3] for month in _MONTHS}


@dataclass(frozen=True)
class Reading:
    """How the text of one column becomes values.

    Attributes:
        type: SQL type of the values.
        value: SQL expression of the value with `{c}` for the trimmed text; NULL where the text does not fit.
        fits: SQL condition over `{c}` besides `value` not being NULL; empty when there is none.
        formats: for dates, the strftime formats that their values follow.
        null_words: texts that stand for NULL in this column, as they are written.
        notes: what people should know about it.
    """

    type: str
    value: str = "{c}"
    fits: str = ""
    null_words: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()

    @property
    def is_text(self) -> bool:
        return self.type == "VARCHAR"


@dataclass(frozen=True)
class Hints:
    """What other columns of the same file prove about how numbers and dates are written. None: nothing is proven.

    `comma_likely`: not proven, but files like this one tend to have decimal commas.
    """

    decimal_comma: bool | None = None
    day_first: bool | None = None
    comma_likely: bool = False


def hints(columns: Iterable[Sequence[str]], delimiter: str = ",") -> Hints:
    """What the columns prove together. Columns that contradict each other prove nothing."""
    commas: set[bool] = set()
    days: set[bool] = set()
    for values in columns:
        real = [v for v in values if v.lower() not in NULL_WORDS]
        if not real:
            continue
        if (comma := _decimal_comma(real)) is not None:
            commas.add(comma)
        matches = [DATE_NUMERIC.fullmatch(v) for v in real]
        if all(matches) and (first := _day_first([m for m in matches if m])) is not None:
            days.add(first)
    return Hints(
        decimal_comma=next(iter(commas)) if len(commas) == 1 else None,
        day_first=next(iter(days)) if len(days) == 1 else None,
        comma_likely=delimiter == ";" and False not in commas,
    )


def read_column(values: Sequence[str], known: Hints = Hints()) -> Reading:
    """The type that fits all of these distinct, trimmed, non-empty values; text when none does."""
    words = tuple(sorted({v for v in values if v.lower() in NULL_WORDS}))
    real = [v for v in values if v.lower() not in NULL_WORDS]
    if not real:
        return Reading("VARCHAR")
    reading = _boolean(real) or _signed_number(real, known) or _date(real, known) or _mixed_dates(real, known)
    reading = reading or _time(real)
    if reading is None:
        return _text(real)
    if reading.is_text or not words:
        return reading
    shown = ", ".join(repr(w) for w in words)
    return replace(reading, null_words=words, notes=(*reading.notes, f"{shown} read as NULL"))


def _boolean(values: Sequence[str]) -> Reading | None:
    if not {v.lower() for v in values} <= {"true", "false"}:
        return None
    return Reading("BOOLEAN", "CASE lower({c}) WHEN 'true' THEN true WHEN 'false' THEN false END")


def _signed_number(values: Sequence[str], known: Hints) -> Reading | None:
    """Numbers, also with the minus of typesetters, and negative ones in brackets as accountants write them."""
    plain = [re.sub(r"\((.+)\)", r"-\1", v).replace("−", "-") for v in values]
    reading = _number(plain, known) or _styled_number(plain, known)
    if reading is None or reading.is_text or plain == list(values):
        return reading
    if all(v.startswith("(") for v in values):
        return None  # a list's own numbers, perhaps
    text = "translate(CASE WHEN {c} LIKE '(%)' THEN '-' || {c}[2:-2] ELSE {c} END, '−', '-')"
    bracketed = next((v for v in values if v.startswith("(")), None)
    notes = (*reading.notes, f"{bracketed} is read as negative") if bracketed else reading.notes
    return replace(
        reading, value=reading.value.replace("{c}", text), fits=reading.fits.replace("{c}", text), notes=notes
    )


def _number(values: Sequence[str], known: Hints) -> Reading | None:
    if all(INTEGER.fullmatch(v) for v in values):
        digits = max(len(v.lstrip("-")) for v in values)
        if digits > 38:
            return Reading("VARCHAR", notes=("kept as text: numbers of more than 38 digits",))
        kind = "BIGINT" if all(-(2**63) <= int(v) < 2**63 for v in values) else "HUGEINT"
        # The cast also takes '1.0', '1_000' and '007'; only what comes back as it was written is an integer.
        value = f"TRY_CAST({{c}} AS {kind})"
        return Reading(kind, value, f"{value}::VARCHAR = {{c}} OR {{c}} = '-0'")
    if all(v.isascii() and v.isdigit() for v in values):
        return Reading("VARCHAR", notes=("kept as text: numbers with leading zeros",))
    if not all(NUMBER.fullmatch(v) for v in values):
        return None
    if known.decimal_comma and all(GROUPED_POINT.fullmatch(v.lstrip("-")) for v in values):
        return None  # in this file the point of 1.234 groups thousands
    plain = all(PLAIN_NUMBER.fullmatch(v) for v in values)
    fits = f"regexp_full_match({{c}}, {literal((PLAIN_NUMBER if plain else NUMBER).pattern)})"
    if plain and (places := _places_to_keep(values)) is not None:
        kind = f"DECIMAL(38, {places})"
        fits += f" AND length(split_part({{c}}, '.', 2)) <= {places}"
        return Reading(kind, f"TRY_CAST({{c}} AS {kind})", fits)
    notes = list(_other_readings(values, known))
    fits += " AND isfinite(TRY_CAST({c} AS DOUBLE))" + _keeps_digits("{c}", values, notes)
    return Reading("DOUBLE", "TRY_CAST({c} AS DOUBLE)", fits, notes=tuple(notes))


def _other_readings(numbers: Sequence[str], known: Hints) -> Iterator[str]:
    """Notes on plain numbers that may be codes, or thousands."""
    if code := next((n for n in numbers if re.fullmatch(r"\d+[eE]\d+", n)), None):
        yield f"{code!r} is read as the number {float(code):.15g}"
    decimals = {n: len(n.partition(".")[2]) for n in numbers if "." in n and PLAIN_NUMBER.fullmatch(n)}
    fewest = min(filter(None, decimals.values()), default=0)
    if code := next((n for n, places in decimals.items() if places > fewest and n.endswith("0")), None):
        yield f"{code!r} is read as the number {float(code):.15g}"  # beside 3.9: the tenth of a series, perhaps
    if (
        known.comma_likely
        and known.decimal_comma is None
        and all(GROUPED_POINT.fullmatch(n.lstrip("-")) for n in numbers)
    ):
        yield f"the point in {next(n for n in numbers if '.' in n)!r} is read as a decimal point"


def _keeps_digits(text: str, numbers: Sequence[str], notes: list[str]) -> str:
    """The SQL condition that a DOUBLE keeps all digits of a number; where it cannot, a note instead."""
    if any(re.match(LONG, number) for number in numbers):
        notes.append("numbers of more than 15 digits lose their last ones")
        return ""
    return f" AND NOT regexp_matches({text}, {literal(LONG)})"


def _places_to_keep(numbers: Sequence[str]) -> int | None:
    """Decimals of the DECIMAL that keeps plain numbers of which a DOUBLE would lose the last digits; None elsewhere."""
    whole = max(len(number.lstrip("-").partition(".")[0]) for number in numbers)
    places = max(len(number.partition(".")[2]) for number in numbers)
    return places if whole > 15 and whole + places <= 38 else None


def _decimal_comma(values: Sequence[str]) -> bool | None:
    """Whether these values prove a decimal comma (True) or point (False); None when they prove neither."""
    bodies = [m[4] for v in values if (m := STYLED.fullmatch(v))]
    if len(bodies) < len(values):
        return None
    bodies = [re.sub(f"[{SPACES}]", "", b) for b in bodies]
    if all(GROUPED_COMMA.fullmatch(b) for b in bodies):
        if any(("," in b and "." in b) or re.search(r"\.(\d{1,2}|\d{4,})$", b) or b.count(",") > 1 for b in bodies):
            return False
    elif all(GROUPED_POINT.fullmatch(b) for b in bodies) and any("," in b or b.count(".") > 1 for b in bodies):
        return True
    return None


def _styled_number(values: Sequence[str], known: Hints) -> Reading | None:
    matches = [m for v in values if (m := STYLED.fullmatch(v))]
    if len(matches) < len(values):
        return None
    signs = {m[2] for m in matches} | {m[5] for m in matches}
    signs.discard("")
    if len(signs) > 1 or (signs and not all(bool(m[2]) != bool(m[5]) for m in matches)):
        shown = ", ".join(sorted(signs))
        return Reading("VARCHAR", notes=(f"kept as text: not all numbers are of one unit ({shown})",))
    bodies = [m[4] for m in matches]
    notes: list[str] = []
    spaced = any(ch in b for b in bodies for ch in SPACES)
    joined = [re.sub(f"[{SPACES}]", "", b) for b in bodies]
    if spaced and not all(GROUPED_SPACE.fullmatch(b) for b in bodies):
        return None
    fits_comma = all(GROUPED_COMMA.fullmatch(b) for b in joined)
    fits_point = all(GROUPED_POINT.fullmatch(b) for b in joined)
    if any(re.match(r"0\d", b) for b in joined) or not (fits_comma or fits_point):
        return None
    comma = _decimal_comma(values)
    if comma is None:
        comma = bool(known.decimal_comma)
        if any("," in b for b in joined):
            comma = fits_point and (comma or known.comma_likely or not fits_comma)
            example = next(v for v in values if "," in v)
            meaning = "decimal comma" if comma else "thousands separator"
            notes.append(f"the comma in {example!r} is read as a {meaning}")
        elif comma and fits_point and any("." in b for b in joined):
            example = next(v for v in values if "." in v)
            notes.append(f"the point in {example!r} is read as a thousands separator")
        else:
            comma = False
    group, point = (".", ",") if comma else (",", ".")
    body = f"translate({{c}}, {literal(''.join(signs) + SPACES + group)}, '')"
    if point == ",":
        body = f"replace({body}, ',', '.')"
    pattern = (GROUPED_POINT if comma else GROUPED_COMMA).pattern
    if spaced:
        pattern = rf"[1-9]\d{{0,2}}([{SPACES}]\d{{3}})+(\{point}\d+)?|\d+(\{point}\d+)?"
    mark = re.escape(next(iter(signs))) if signs else ""
    leads = bool(matches[0][2])
    full = f"-?{mark if leads else ''} ?-?({pattern}) ?{'' if leads else mark}"
    if blank := next((v for v, b in zip(values, bodies, strict=True) if re.search(r"\s", b)), None):
        notes.append(f"the blanks in {blank!r} are read as thousands separators")
    if "%" in signs:
        notes.append("percent signs are left out: 12% is 12")
    elif signs:
        notes.append(f"the currency sign {next(iter(signs))} is left out")
    fits = f"regexp_full_match({{c}}, {literal(full)})"
    plain = [b.replace(group, "").replace(point, ".") for b in joined]
    digits = max(map(len, plain))
    kind = "DOUBLE"
    if not any("." in number for number in plain) and digits <= 38:
        kind = "BIGINT" if digits < 19 else "HUGEINT"
        fits += f" AND NOT contains({{c}}, {literal(point)})"
    elif (places := _places_to_keep(plain)) is not None:
        kind = f"DECIMAL(38, {places})"
        fits += f" AND length(split_part({body}, '.', 2)) <= {places}"
    else:
        fits += _keeps_digits(body, plain, notes)
    return Reading(kind, f"TRY_CAST({body} AS {kind})", fits, notes=tuple(notes))


def _day_first(matches: Sequence[re.Match[str]]) -> bool | None:
    """Whether dates such as 05/03/2024 start with the day; None when the values do not tell."""
    first = {int(m["a"]) for m in matches}
    second = {int(m["b"]) for m in matches}
    if any(len(m["a"]) > 2 for m in matches) or max(first) > 31 or max(second) > 31:
        return None
    if len({m["sep"] for m in matches}) > 1:
        return None  # each way of writing is judged by itself
    if _may_begin_with_year(matches) and len({m["c"] for m in matches}) > len({m["a"] for m in matches}):
        return None  # 24-01-05 and 24-01-17: the year stays, and the day is last
    if max(first) > 12 or max(second) > 12:
        return (max(first) > 12) if (max(first) > 12) != (max(second) > 12) else None
    return None


def _may_begin_with_year(matches: Sequence[re.Match[str]]) -> bool:
    """Whether dates such as 24-01-05 may begin with the year. Those with points begin with the day."""
    return all(
        len(m["a"]) == len(m["c"]) == 2 and m["sep"] != "." and int(m["b"]) <= 12 and 1 <= int(m["c"]) <= 31
        for m in matches
    )


def _day_stays(matches: Sequence[re.Match[str]]) -> bool | None:
    """Whether the first part is the day, as they look like the first of several months, and not days of January."""
    first, second = ({int(m[part]) for m in matches} for part in "ab")
    if len(first) != len(second) and {1} in (first, second) and len(matches) > 2:
        return first == {1}
    return None


def _date(values: Sequence[str], known: Hints) -> Reading | None:
    for pattern in (DATE_ISO, DATE_NUMERIC, DATE_DAY_NAME, DATE_NAME_DAY):
        matches = [m for v in values if (m := pattern.fullmatch(v))]
        if len(matches) == len(values):
            break
    else:
        return None
    notes: list[str] = []
    year = "%y" if any(len(m["c"]) == 2 for m in matches) else "%Y"
    if pattern is DATE_ISO:
        if {m["sep"] for m in matches} != {"-"} and any(m["zone"] for m in matches):
            return None
        stem = [f"%Y{s}%m{s}%d" for s in sorted({m["sep"] for m in matches})]
    else:
        if len({len(m["c"]) for m in matches}) > 1:
            return None
        if year == "%y":
            notes.append("two-digit years are read as 1969 to 2068")
        if pattern is DATE_NUMERIC:
            separators = sorted({m["sep"] for m in matches})
            if len(separators) > 1:
                return None
            day_first = _day_first(matches)
            if day_first and _may_begin_with_year(matches):
                notes.append(f"dates such as {values[0]!r} are read as day/month/year")
            if day_first is None:
                if max(int(m["a"]) for m in matches) > 12 and _may_begin_with_year(matches):
                    return Reading(
                        "VARCHAR", notes=(f"kept as text: {values[0]!r} may be day/month/year or year/month/day",)
                    )
                if max(int(m["a"]) for m in matches) > 12 or max(int(m["b"]) for m in matches) > 12:
                    return None  # some values are one way round and some the other, or they are no dates at all
                day_first = True if separators == ["."] else known.day_first
                if day_first is None:
                    day_first = _day_stays(matches)
                if day_first is None:
                    return Reading("VARCHAR", notes=(f"kept as text: {values[0]!r} may be day/month or month/day",))
                order = "day/month" if day_first else "month/day"
                notes.append(f"dates such as {values[0]!r} are read as {order}")
            stem = [("%d{0}%m{0}" if day_first else "%m{0}%d{0}").format(separators[0]) + year]
        else:
            if not all(m["month"].lower() in MONTHS for m in matches):
                return None
            months = sorted({"%b" if len(m["month"]) == 3 else "%B" for m in matches})
            if pattern is DATE_DAY_NAME:
                shapes = sorted({(m["sep"], m["sep2"]) for m in matches})
                stem = [f"%d{a}{month}{b}{year}" for a, b in shapes for month in months]
            else:
                shapes = sorted({(m["sep"], m["sep2"]) for m in matches})
                stem = [f"{month}{a}%d{b}%Y" for a, b in shapes for month in months]
    return _dates(matches, stem, pattern is DATE_ISO, notes)


def _mixed_dates(values: Sequence[str], known: Hints) -> Reading | None:
    """Dates in several forms, each of which can be read in one way only."""
    forms: dict[tuple[re.Pattern[str], str], list[str]] = {}
    for value in values:
        match = _date_match(value)
        if match is None:
            return None
        forms.setdefault((match.re, match["sep"]), []).append(value)
    readings = [reading for group in forms.values() if (reading := _date(group, known))]
    if doubtful := next((reading for reading in readings if reading.is_text), None):
        return doubtful
    formats = tuple(format for reading in readings for format in reading.formats)
    # Times with zones are no text of one meaning, and two-digit years among others may as well be days.
    if len(readings) < len(forms) or any(r.fits or not r.formats for r in readings) or "%y" in "".join(formats):
        return None
    kind = "DATE" if all(reading.type == "DATE" for reading in readings) else "TIMESTAMP"
    examples = " and ".join(repr(group[0]) for group in forms.values())
    notes = (
        f"dates in several forms, such as {examples}, read as {', '.join(formats)}",
        *(note for r in readings for note in r.notes),
    )
    value = f"coalesce({', '.join(f'({reading.value})::{kind}' for reading in readings)})"
    return Reading(kind, value, notes=notes, formats=formats)


def _date_match(value: str) -> re.Match[str] | None:
    patterns = (DATE_ISO, DATE_NUMERIC, DATE_DAY_NAME, DATE_NAME_DAY)
    return next((match for pattern in patterns if (match := pattern.fullmatch(value))), None)


def unsorted_dates(values: Sequence[str]) -> tuple[str, ...]:
    """How these texts write the day, when all are dates and no one strftime format says in which order they come.

    That is so where they follow several formats, or one that leaves zeros out, or where no value tells day from month.
    """
    ways: dict[str, set[str]] = {}
    for value in values:
        match = _date_match(value)
        if match is None:
            return ()
        sep, last = match["sep"], "%Y" if len(match["c"]) == 4 else "%y"
        if match.re is DATE_ISO:
            zeros = len(match["b"]) == len(match["c"]) == 2
            ways[f"%Y{sep}%m{sep}%d" if zeros else f"%Y{sep}%-m{sep}%-d"] = set()
        elif match.re is DATE_NUMERIC:
            known = ways.setdefault(f"%d{sep}%m{sep}{last} or %m{sep}%d{sep}{last}", set())
            known |= {f"%d{sep}%m{sep}{last}"} if int(match["a"]) > 12 else set()
            known |= {f"%m{sep}%d{sep}{last}"} if int(match["b"]) > 12 else set()
        elif match["month"].lower() not in MONTHS:
            return ()
        else:
            month = "%b" if len(match["month"]) == 3 else "%B"
            ways[f"%d {month} {last}" if match.re is DATE_DAY_NAME else f"{month} %d, {last}"] = set()
    formats = sorted(way for either, known in ways.items() for way in known or {either})
    alone = len(formats) == 1 and " or " not in formats[0] and "%-" not in formats[0]
    return () if alone else tuple(formats)


def _dates(matches: Sequence[re.Match[str]], stem: list[str], iso: bool, notes: list[str]) -> Reading | None:
    clocks = [m for m in matches if m["clock"]]
    if len(stem) > 8:
        return None
    if not clocks:
        value = f"({_parsed(stem, iso)})::DATE"
        return Reading("DATE", value, notes=tuple(notes), formats=tuple(stem))
    if zones := [m for m in clocks if m["zone"]]:
        if len(zones) < len(matches) or not iso:
            return None
        notes.append("times are converted to UTC")
        value = "(TRY_CAST({c} AS TIMESTAMPTZ) AT TIME ZONE 'UTC')"
        fits = "regexp_matches({c}, '(Z|UTC|[+-][0-9]{2}(:?[0-9]{2})?)$')"
        return Reading("TIMESTAMP", value, fits, notes=tuple(notes))
    half = any(m["half"] for m in clocks)
    hour = "%I:%M" if half else "%H:%M"
    tails = {hour + (":%S" if m["second"] else "") + (m["fraction"][0] + "%f" if m["fraction"] else "") for m in clocks}
    gaps = {m["clock"][: len(m["clock"]) - len(m["clock"].lstrip(" T"))] for m in clocks}
    meridiem = {(" %p" if m["half"].startswith(" ") else "%p") if m["half"] else "" for m in clocks}
    if len(gaps) > 2 or any("." in (m["half"] or "") for m in clocks):
        return None
    formats = [s + g + t + p for s in stem for g in sorted(gaps) for t in sorted(tails) for p in sorted(meridiem)]
    if len(clocks) < len(matches):
        formats += stem
    if iso and any(len(m["fraction"] or "") > 7 for m in clocks):  # nanoseconds: strptime has no word for them
        return Reading("TIMESTAMP", "TRY_CAST({c} AS TIMESTAMP)", notes=tuple(notes))
    if len(formats) > 16:
        return None
    return Reading("TIMESTAMP", _parsed(formats, iso), notes=tuple(notes), formats=tuple(formats))


def _parsed(formats: Sequence[str], iso: bool) -> str:
    """SQL of what one of the formats makes of a text. For the engine's %Y a year of two digits is one of antiquity."""
    year = r"^\d{4}\D" if iso else rf"^[^:]*\D\d{{{4 if '%Y' in formats[0] else 2}}}\b"
    listed = ", ".join(map(literal, formats))
    return f"CASE WHEN regexp_matches({{c}}, {literal(year)}) THEN TRY_STRPTIME({{c}}, [{listed}]) END"


def _time(values: Sequence[str]) -> Reading | None:
    if not all(TIME.fullmatch(v) for v in values):
        return None
    short = next((v for v in values if re.fullmatch(r"\d:\d\d", v)), None)
    notes = (f"{short!r} is read as hours and minutes",) if short else ()
    return Reading("TIME", "TRY_CAST({c} AS TIME)", f"regexp_full_match({{c}}, {literal(TIME.pattern)})", notes=notes)


def _text(values: Sequence[str]) -> Reading:
    """Text; with a note when most values are of one other kind, because that is what people stumble over."""
    kinds = Counter("number" if STYLED.fullmatch(v) or NUMBER.fullmatch(v) else "other" for v in values)
    if kinds["number"] >= 0.8 * len(values) and len(values) >= 5:
        odd = next((v for v in values if not (STYLED.fullmatch(v) or NUMBER.fullmatch(v))), None)
        if odd is not None:
            return Reading("VARCHAR", notes=(f"kept as text: most values are numbers, but not {odd[:40]!r}",))
    return Reading("VARCHAR")
