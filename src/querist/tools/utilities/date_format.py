"""Dates written and read by formats such as `YYYY-MM-DD HH:mm:ss`, known from spreadsheets and JavaScript."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Literal

from querist.errors import ComponentInputError, MissingExtraError

_TOKEN = re.compile(
    r"\[([^\]]*)\]|YYYY|YY|MMMM|MMM|MM|M|DDDD|DDD|DD|D|dddd|ddd|HH|H|hh|h|mm|m|ss|s|SSSSSS|SSS|A|a|ZZ|Z|z|X|W"
)
"""What stands in brackets is taken as it is. All else than these stays as it is as well."""

_WRITTEN: dict[str, Callable[[datetime], str]] = {
    "YYYY": lambda d: f"{d.year:04}",
    "YY": lambda d: f"{d.year % 100:02}",
    "MM": lambda d: f"{d.month:02}",
    "M": lambda d: str(d.month),
    "DDDD": lambda d: f"{d.timetuple().tm_yday:03}",
    "DDD": lambda d: str(d.timetuple().tm_yday),
    "DD": lambda d: f"{d.day:02}",
    "D": lambda d: str(d.day),
    "HH": lambda d: f"{d.hour:02}",
    "H": lambda d: str(d.hour),
    "hh": lambda d: f"{d.hour % 12 or 12:02}",
    "h": lambda d: str(d.hour % 12 or 12),
    "mm": lambda d: f"{d.minute:02}",
    "m": lambda d: str(d.minute),
    "ss": lambda d: f"{d.second:02}",
    "s": lambda d: str(d.second),
    "SSSSSS": lambda d: f"{d.microsecond:06}",
    "SSS": lambda d: f"{d.microsecond // 1000:03}",
    "A": lambda d: "AM" if d.hour < 12 else "PM",
    "a": lambda d: "am" if d.hour < 12 else "pm",
    "ZZ": lambda d: d.strftime("%z"),
    "Z": lambda d: f"{d:%z}"[:3] + ":" + f"{d:%z}"[3:5],
    "z": lambda d: d.tzname() or "",
    "X": lambda d: str(int(d.timestamp())),
    "W": lambda d: str(d.isocalendar().week),
}
_READ = {
    "YYYY": "%Y",
    "YY": "%y",
    "MMMM": "%B",
    "MMM": "%b",
    **dict.fromkeys(("MM", "M"), "%m"),
    **dict.fromkeys(("DD", "D"), "%d"),
    **dict.fromkeys(("HH", "H"), "%H"),
    **dict.fromkeys(("hh", "h"), "%I"),
    **dict.fromkeys(("mm", "m"), "%M"),
    **dict.fromkeys(("ss", "s"), "%S"),
    **dict.fromkeys(("SSSSSS", "SSS"), "%f"),
    **dict.fromkeys(("A", "a"), "%p"),
    **dict.fromkeys(("ZZ", "Z"), "%z"),
}
"""Tokens that can be read, as `strptime` calls them."""


def write_date(date: datetime, form: str, locale: str = "en") -> str:
    """A date in a format; names of months and days in the language of `locale`, such as `de` or `pt_BR`."""

    def put(match: re.Match[str]) -> str:
        token = match[0]
        if token.startswith("["):
            return match[1]
        return _WRITTEN[token](date) if token in _WRITTEN else _name(date, token, locale)

    return _TOKEN.sub(put, form)


def read_date(text: str, form: str) -> datetime:
    """A date from a text in a format; names of months in English."""
    pieces, end = [], 0
    for match in _TOKEN.finditer(form):
        pieces.append(form[end : match.start()].replace("%", "%%"))
        end = match.end()
        if match[0].startswith("["):
            pieces.append(match[1].replace("%", "%%"))
        elif match[0] in _READ:
            pieces.append(_READ[match[0]])
        else:
            raise ComponentInputError(f"{match[0]!r} of the format {form!r} can be written, but not read.")
    pieces.append(form[end:].replace("%", "%%"))
    try:
        return datetime.strptime(text, "".join(pieces))
    except (ValueError, re.error) as error:  # re.error: the same part twice
        raise ComponentInputError(f"{text!r} is not a date in the format {form!r}.") from error


def _name(date: datetime, token: str, locale: str) -> str:
    """The name of a month or a day of the week."""
    if locale.split("_")[0].split("-")[0].lower() == "en":
        name = date.strftime("%B" if token.startswith("M") else "%A")
        return name if len(token) == 4 else name[:3]
    try:
        from babel import Locale, UnknownLocaleError
        from babel.dates import get_day_names, get_month_names
    except ImportError as error:
        raise MissingExtraError("babel", "tools", "write dates in other languages than English") from error
    try:
        language = Locale.parse(locale.replace("-", "_"))
    except (UnknownLocaleError, ValueError) as error:
        raise ComponentInputError(f"There is no locale {locale!r}.", hint="Such as de, fr or pt_BR.") from error
    width: Literal["wide", "abbreviated"] = "wide" if len(token) == 4 else "abbreviated"
    if token.startswith("M"):
        return str(get_month_names(width, locale=language)[date.month])
    return str(get_day_names(width, locale=language)[date.weekday()])
