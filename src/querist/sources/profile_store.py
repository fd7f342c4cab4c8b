"""Keeps profiles between runs, under the fingerprint of the data they describe."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import logging
import uuid
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from typing import Any

from querist.sources.base import ColumnProfile, Profile, TableProfile
from querist.sources.table import Value
from querist.state.cache import ContentCache
from querist.state.paths import cache_dir

log = logging.getLogger(__name__)

VERSION = 5
"""Goes up when profiles are to be made in another way than before."""
MAX_BYTES = 256 * 1024 * 1024
_NAMESPACE = "profile"


def load_profile(fingerprint: str) -> Profile | None:
    """The profile of data with this fingerprint, None when it is not kept or cannot be read."""
    with closing(_cache()) as cache:
        data = cache.get(_NAMESPACE, _key(fingerprint))
    if data is None:
        return None
    try:
        return _from_json(data)
    except (ValueError, KeyError, TypeError) as error:
        log.warning("a kept profile cannot be read and is made again: %s", error)
        return None


def store_profile(profile: Profile) -> None:
    text = json.dumps(asdict(profile), default=_encode, ensure_ascii=False)
    with closing(_cache()) as cache:
        cache.put(_NAMESPACE, _key(profile.fingerprint), text.encode())


def _cache() -> ContentCache:
    return ContentCache(cache_dir() / "profiles.sqlite", MAX_BYTES)


def _key(fingerprint: str) -> str:
    return f"{VERSION}-{fingerprint}"


def _encode(value: Value) -> dict[str, str]:
    """A value that JSON does not have, as an object with the name of its type."""
    if isinstance(value, (dt.date, dt.time)):
        return {"$": type(value).__name__, "v": value.isoformat()}
    if isinstance(value, (decimal.Decimal, uuid.UUID)):
        return {"$": type(value).__name__, "v": str(value)}
    if isinstance(value, dt.timedelta):
        return {"$": "timedelta", "v": str(value.total_seconds())}
    return {"$": "str", "v": str(value)}


_DECODERS: dict[str, Callable[[str], Value]] = {
    "date": dt.date.fromisoformat,
    "datetime": dt.datetime.fromisoformat,
    "time": dt.time.fromisoformat,
    "Decimal": decimal.Decimal,
    "UUID": uuid.UUID,
    "timedelta": lambda text: dt.timedelta(seconds=float(text)),
    "str": str,
}


def _decode(data: dict[str, Value]) -> Value:
    if set(data) == {"$", "v"}:
        return _DECODERS[data["$"]](data["v"])
    return data


def _from_json(data: bytes) -> Profile:
    raw = json.loads(data, object_hook=_decode)
    tables = (
        TableProfile(
            name=t["name"],
            row_count=t["row_count"],
            sampled=t["sampled"],
            repeated_rows=t["repeated_rows"],
            columns=tuple(map(_column, t["columns"])),
        )
        for t in raw["tables"]
    )
    return Profile(raw["fingerprint"], tuple(tables))


def _column(data: dict[str, Any]) -> ColumnProfile:
    lists = {name: tuple(data[name]) for name in ("examples", "date_formats", "not_numbers", "missing_words")}
    return ColumnProfile(**{**data, **lists, "spellings": tuple(map(tuple, data["spellings"]))})
