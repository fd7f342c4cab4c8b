"""Fetches a data file from a web address into the cache; asks the server first whether the kept copy is still right."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from querist.errors import SourceAccessError, SourceFormatError, SourceNotFoundError
from querist.state.paths import cache_dir

MAX_BYTES = 1024**3
CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0
_ENDINGS = {
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "application/json": ".json",
    "application/x-ndjson": ".jsonl",
    "application/vnd.apache.parquet": ".parquet",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.ms-excel": ".xls",
}


def download(url: str, on_progress: Callable[[str], None] | None = None) -> Path:
    """The local copy of the file at `url`.

    Raises:
        SourceNotFoundError: the server has no such file.
        SourceAccessError: the server cannot be reached or refuses, or the file cannot be kept.
        SourceFormatError: the file has more than `MAX_BYTES`.
    """
    import httpx

    shown = _without_secrets(url)
    folder = cache_dir() / "downloads" / hashlib.sha256(url.encode()).hexdigest()[:24]
    record = folder / "record.json"
    known = _read_record(record)
    if on_progress is not None:
        on_progress(f"Fetching {shown}")
    timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
    try:
        with (
            httpx.Client(follow_redirects=True, timeout=timeout) as client,
            client.stream("GET", url, headers=_conditions(known)) as response,
        ):
            if response.status_code == 304 and known:
                return folder / known["name"]
            if response.status_code in (404, 410):
                raise SourceNotFoundError(f"There is no file at {shown} (the server says {response.status_code}).")
            if not response.is_success:
                raise SourceAccessError(f"{shown} cannot be fetched: the server says {response.status_code}.")
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # it holds people's data
            name = _file_name(response)
            partial = folder / f"{uuid.uuid4().hex}.partial"
            try:
                _save(response, partial, shown)
                partial.replace(folder / name)
            finally:
                partial.unlink(missing_ok=True)
            headers = {"name": name, "etag": response.headers.get("etag", "")}
            headers["modified"] = response.headers.get("last-modified", "")
            record.write_text(json.dumps(headers), encoding="utf-8")
            return folder / name
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise SourceAccessError(
            f"{shown} cannot be fetched: {str(error) or type(error).__name__}.", hint="Check address and network."
        ) from error
    except OSError as error:
        raise SourceAccessError(f"{shown} cannot be kept: {error}.", hint="Is the disk full?") from error


def _save(response: object, target: Path, shown: str) -> None:
    import httpx

    assert isinstance(response, httpx.Response)
    size = 0
    with target.open("wb") as out:
        for chunk in response.iter_bytes(1 << 20):
            size += len(chunk)
            if size > MAX_BYTES:
                raise SourceFormatError(
                    f"The file at {shown} has more than {MAX_BYTES // 1024**3} GB.", hint="Download it yourself."
                )
            out.write(chunk)


def _read_record(record: Path) -> dict[str, str]:
    try:
        known = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if (record.parent / known["name"]).exists() else {}


def _conditions(known: dict[str, str]) -> dict[str, str]:
    headers = {}
    if known.get("etag"):
        headers["If-None-Match"] = known["etag"]
    if known.get("modified"):
        headers["If-Modified-Since"] = known["modified"]
    return headers


def _file_name(response: object) -> str:
    """A safe name with an ending that tells the format."""
    import httpx

    assert isinstance(response, httpx.Response)
    told = re.search(r'filename="?([^";]+)', response.headers.get("content-disposition", ""))
    name = told[1] if told else unquote(urlsplit(str(response.url)).path)
    name = re.sub(r"[^\w.-]+", "_", Path(name).name).strip("._") or "data"
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not Path(name).suffix and kind in _ENDINGS:
        name += _ENDINGS[kind]
    return name[-100:] if name != "record.json" else "data.json"


def _without_secrets(url: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or ""
    return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}{parts.path}"
