"""`date_time_handler`: dates read, written, moved between time zones, added to and compared."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import parsedate_to_datetime
from typing import ClassVar, Literal

from pydantic import BaseModel, Field

from querist.core.component import Component
from querist.core.context import RunContext
from querist.errors import ComponentInputError
from querist.tools.tool import ToolInput
from querist.tools.utilities.date_format import read_date, write_date

_UNITS = Literal["years", "months", "weeks", "days", "hours", "minutes", "seconds"]


class DateTimeHandlerInput(ToolInput):
    needed: ClassVar = {**dict.fromkeys(("format", "convert", "add"), ("date",)), "difference": ["date", "end"]}

    operation: Literal["now", "format", "convert", "add", "difference"] = Field(
        default="format", description="`convert` to another time zone; `add` an amount; `difference` from date to end."
    )
    date: str | int | float | None = Field(
        default=None, description="ISO 8601, RFC 2822 (as in e-mails) or seconds since 1970; see `input_format`."
    )
    end: str | int | float | None = Field(default=None, description="For `difference`.")
    input_format: str | None = Field(
        default=None, description="Of `date` and `end` when they are written otherwise.", max_length=200
    )
    format: str = Field(
        default="YYYY-MM-DD HH:mm:ss",
        description="Of the result. YYYY YY, MMMM MMM MM M, DD D, dddd ddd, HH H, hh h A, mm, ss, SSS, Z; [as it is].",
        max_length=200,
    )
    timezone: str = Field(default="UTC", description="Of the result, such as `Europe/Berlin`.")
    from_timezone: str | None = Field(default=None, description="Of dates that name none; `timezone` when left out.")
    locale: str = Field(default="en", description="Language for the names of months and days, such as `de`.")
    amount: int = Field(default=0, description="For `add`; negative goes back.", ge=-1_000_000_000, le=1_000_000_000)
    unit: _UNITS = Field(
        default="days", description="For `add`. From days on the time of day stays, as clocks show it."
    )


class Handled(BaseModel):
    formatted: str
    iso: str
    timestamp: float = Field(description="Seconds since 1970.")
    weekday: str = Field(description="In English.")
    iso_week: int
    day_of_year: int
    seconds: float | None = Field(default=None, description="For `difference`: from date to end.")
    days: int | None = Field(default=None, description="For `difference`: between the days of the calendar.")


class DateTimeHandler(Component[DateTimeHandlerInput, Handled]):
    name = "date_time_handler"
    description = "Read, format and compare dates and times, add to them, and convert time zones."

    async def run(self, input: DateTimeHandlerInput, context: RunContext) -> Handled:
        zone = _zone(input.timezone)
        seconds = days = None
        try:
            date = datetime.now(zone) if input.operation == "now" else _parsed(input.date, input, zone).astimezone(zone)
            if input.operation == "add":
                date = _added(date, input.amount, input.unit)
            elif input.operation == "difference":
                end = _parsed(input.end, input, zone).astimezone(zone)
                # Within one zone Python goes by the clocks, whatever hour they skip or repeat.
                seconds = (end - date.astimezone(UTC)).total_seconds()
                days = (end.date() - date.date()).days
        except (OverflowError, OSError) as error:
            raise ComponentInputError("The date is not between the years 1 and 9999.") from error
        return Handled(
            formatted=write_date(date, input.format, input.locale),
            iso=date.isoformat(),
            timestamp=date.timestamp(),
            weekday=date.strftime("%A"),
            iso_week=date.isocalendar().week,
            day_of_year=date.timetuple().tm_yday,
            seconds=seconds,
            days=days,
        )


def _zone(name: str) -> tzinfo:
    from zoneinfo import ZoneInfo

    if name.upper() in ("UTC", "Z"):
        return UTC
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError) as error:  # OSError: it names a folder of zones
        raise ComponentInputError(f"There is no time zone {name!r}.", hint="Such as Europe/Berlin or UTC.") from error


def _parsed(date: str | int | float | None, input: DateTimeHandlerInput, zone: tzinfo) -> datetime:
    assert date is not None, "the input has been checked"
    if isinstance(date, int | float):
        return datetime.fromtimestamp(date, UTC)
    if input.input_format:
        found = read_date(date, input.input_format)
    else:
        try:
            found = datetime.fromisoformat(date.strip())
        except ValueError:
            try:
                found = parsedate_to_datetime(date)
            except (ValueError, IndexError) as error:
                raise ComponentInputError(
                    f"{date!r} is not a date in ISO 8601 or RFC 2822.",
                    hint="Say how it is written with input_format, such as DD.MM.YYYY.",
                ) from error
    if found.tzinfo is None:
        found = found.replace(tzinfo=_zone(input.from_timezone) if input.from_timezone else zone)
    return found


def _added(date: datetime, amount: int, unit: str) -> datetime:
    if unit in ("years", "months"):
        months = date.year * 12 + date.month - 1 + amount * (12 if unit == "years" else 1)
        year, month = divmod(months, 12)
        if not 1 <= year <= 9999:
            raise OverflowError
        last = calendar.monthrange(year, month + 1)[1]
        return date.replace(year=year, month=month + 1, day=min(date.day, last), fold=0)
    if unit in ("weeks", "days"):
        return date + timedelta(**{unit: amount})
    return (date.astimezone(UTC) + timedelta(**{unit: amount})).astimezone(date.tzinfo)
