"""Cleaning that tells: what is wrong with the text of a frame is mended in a copy where that is safe, and always told.

Safe is what loses nothing: numbers and dates as text where every value is one, blanks around words, words that stand
for a missing value, spellings that differ only in case. What could mean something (repeated rows, dates that can be
read two ways, codes that differ in case) is told and left. The source is never changed; data that are clean stay as
they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from querist.analysis.findings import counted
from querist.sources.column_types import MISSING_WORDS, Reading, read_column
from querist.sources.naming import literal, quote
from querist.sources.spellings import one_spelling, spellings

if TYPE_CHECKING:
    import pandas as pd


def clean(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The frame with its text mended, and a sentence for each thing that was mended or only found."""
    notes: list[str] = []
    cleaned = frame
    for column in frame.columns:
        values = frame[column]
        if not _is_text(values):
            if values.dtype == object and values.map(lambda value: isinstance(value, str)).any():
                notes.append(f"{column}: holds text among other values: left as they are.")
            continue
        mended, told = _clean_text(str(column), values)
        if told:
            cleaned = cleaned.assign(**{str(column): mended})
            notes += told
    if repeated := int(cleaned.duplicated().sum()) if len(cleaned.columns) > 1 else 0:
        notes.append(f"{counted(repeated, 'row')} the same as another in every column: kept.")
    return cleaned, notes


def _is_text(values: pd.Series[Any]) -> bool:
    filled = values.dropna()
    return len(filled) > 0 and all(isinstance(value, str) for value in filled)


def _clean_text(column: str, values: pd.Series[Any]) -> tuple[pd.Series[Any], list[str]]:
    notes: list[str] = []
    trimmed = values.str.strip()
    if blanks := int((trimmed != values)[values.notna()].sum()):
        notes.append(f"{column}: blanks around {counted(blanks, 'value')} were left out.")
    missing = trimmed.str.lower().isin(MISSING_WORDS)
    if missing.any():
        words = ", ".join(sorted({repr(word) for word in trimmed[missing]}))
        notes.append(f"{column}: {words} in {counted(int(missing.sum()), 'row')} was read as missing.")
        trimmed = trimmed.where(~missing, None)
    typed, told = _typed(column, trimmed)
    if typed is not None:
        return typed, notes + told
    unified, more = _one_case(column, trimmed)
    return unified, notes + told + more


def _typed(column: str, values: pd.Series[Any]) -> tuple[pd.Series[Any] | None, list[str]]:
    """The column as numbers or dates, where all its values are; None where not."""
    distinct = [str(value) for value in values.dropna().unique()]
    reading = read_column(distinct)
    if reading.is_text:
        return None, [f"{column}: {note}." for note in reading.notes]
    made = _as(reading, values)
    lost = values.notna() & made.isna() & ~values.isin(reading.null_words)
    if lost.any():
        return None, [f"{column}: kept as text: {values[lost].iloc[0]!r} cannot be read as the others."]
    if reading.type != "DOUBLE" and made.dtype.kind == "f" and made.abs().max() >= 1e15:
        return None, [f"{column}: kept as text: numbers of more than 15 digits, of which a frame loses the last ones."]
    kinds = {"DATE": "dates", "TIMESTAMP": "dates", "TIME": "times", "BOOLEAN": "booleans"}
    kind = kinds.get(reading.type, "numbers")
    formats = f", in {len(reading.formats)} formats" if len(reading.formats) > 1 else ""
    remarks = "".join(f"; {note}" for note in reading.notes)
    return made, [f"{column}: text was read as {kind}{formats}{remarks}."]


def _as(reading: Reading, values: pd.Series[Any]) -> pd.Series[Any]:
    """What the reading makes of each text; missing where it makes nothing of it."""
    import duckdb
    import pandas as pd

    text = pd.DataFrame({"text": values, "place": range(len(values))})
    null = f" AND trimmed NOT IN ({', '.join(map(literal, reading.null_words))})" if reading.null_words else ""
    value = reading.value.replace("{c}", "trimmed")
    con = duckdb.connect(":memory:", config={"enable_external_access": "false"})
    try:
        con.register("given", text)
        sql = (
            f"SELECT CASE WHEN true{null} THEN {value} END AS {quote('value')} "
            "FROM (SELECT trim(text) AS trimmed, place FROM given) ORDER BY place"
        )
        made = con.execute(sql).df()["value"]
    finally:
        con.close()
    made.index = values.index
    return made


def _one_case(column: str, values: pd.Series[Any]) -> tuple[pd.Series[Any], list[str]]:
    counts = {str(word): int(count) for word, count in values.value_counts().items()}
    if changed := one_spelling(column, counts):
        return values.replace(changed), [f"{column}: {_pairs(changed)} (spellings of the same word)."]
    if apart := spellings(counts):
        word, other, *_ = apart[0]
        return values, [f"{column}: values differ in case or blanks only, such as {other!r} and {word!r}: kept."]
    return values, []


def _pairs(changed: dict[str, str]) -> str:
    listed: Sequence[str] = [f"{old!r} was read as {new!r}" for old, new in changed.items()]
    return ", ".join(listed[:3]) + (f" and {len(listed) - 3} more" if len(listed) > 3 else "")
