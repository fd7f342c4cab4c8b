"""From what people write (a path, a pattern, a folder, an address) to open sources."""

from __future__ import annotations

import difflib
import glob
import logging
import os
import re
import stat
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from querist.errors import (
    DataError,
    QueristError,
    SourceAccessError,
    SourceFormatError,
    SourceNotFoundError,
    UsageError,
)
from querist.sources.base import Source
from querist.sources.file_kinds import SUPPORTED, FileKind, belongs_in_folder, file_kind, stem
from querist.sources.naming import table_name, unique_name

log = logging.getLogger(__name__)

OpenAddress: TypeAlias = Callable[[str, str], Source]
"""Makes the source called `name` for an address: `open(name, address)`."""

_OWN_SCHEMES = ("http", "https", "file", "sqlite", "duckdb")
_added: dict[str, OpenAddress] = {}
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def open_sources(
    specs: Sequence[str | Path],
    *,
    names: Sequence[str] = (),
    on_progress: Callable[[str], None] | None = None,
) -> list[Source]:
    """Open everything that the specs name.

    Plain data files of all specs become tables of one source, so that they can be joined; each SQLite or DuckDB file
    and each database server is a source of its own.

    Args:
        specs: paths, glob patterns (`**` as well), folders (their data files, and those of their direct subfolders;
            hidden files are left out), `http(s)://` addresses of files, SQLAlchemy URLs of database servers.
        names: for the sources in the order of the result; those without one are named after their data.
        on_progress: is told what takes a while, such as `Reading orders.csv`.

    Raises:
        SourceNotFoundError: nothing is there; the hint has names that are near.
        SourceFormatError: a file is of no supported format, or is damaged.
        SourceAccessError: a file, server or address may not or cannot be read.
    """
    if not specs:
        raise UsageError("No data are named.", hint="Name a file, a folder or a database URL, such as sales.csv.")
    files: list[Path] = []
    optional: set[Path] = set()
    servers: list[str] = []
    for spec in specs:
        if not isinstance(spec, (str, os.PathLike)):
            raise UsageError(
                f"Data are named by a path or an address, not by a {type(spec).__name__}.",
                hint="Give several of them one by one: Querist(*paths).",
            )
        text = os.fspath(spec)
        if isinstance(spec, str) and _ADDRESS.match(text):
            if text.lower().startswith(("http://", "https://")):
                from querist.sources.download import download

                files.append(download(text, on_progress))
            elif text.lower().startswith("file://"):
                from urllib.parse import unquote, urlparse

                files += _expand(unquote(urlparse(text).path))[0]
            elif text.lower().startswith(("sqlite:///", "duckdb:///")):
                files += _expand(text.partition(":///")[2])[0]
            else:
                servers.append(text)
            continue
        found, is_folder = _expand(text)
        files += found
        if is_folder:
            optional |= set(found)
    different: dict[Path, Path] = {}
    for path in files:  # a file named in two ways is one: as two files of one table its rows would come twice
        different.setdefault(path.parent.resolve() / path.name, path)
    files = list(different.values())
    sources: list[Source] = []
    try:
        _open_files(files, optional, list(names), sources, on_progress)
        for url in servers:
            sources.append(_open_server(_name(names, sources, _database_name(url)), url))
    except BaseException:
        for source in sources:
            source.close()
        raise
    return sources


def check_scheme(scheme: str) -> None:
    """Raise a UsageError when addresses with this scheme cannot be given to a plugin."""
    if not re.fullmatch(r"[a-z][a-z0-9+.-]*", scheme):
        raise UsageError(f"{scheme!r} is no scheme of an address.", hint="Use small letters, digits, +, - and dots.")
    if scheme in _OWN_SCHEMES or scheme in _added:
        raise UsageError(f"Addresses with {scheme}:// are taken.", hint="Choose another scheme.")


def add_schemes(openers: Mapping[str, OpenAddress]) -> None:
    """From now on open addresses with these schemes so, in the whole process."""
    _added.update(openers)


def _open_server(name: str, url: str) -> Source:
    scheme = url.partition("://")[0].lower()
    if scheme not in _added:
        from querist.sources.sql import SqlSource

        return SqlSource(name, url)
    try:
        return _added[scheme](name, url)
    except QueristError:
        raise
    except Exception as error:
        raise SourceAccessError(f"The plugin for {scheme}:// failed: {type(error).__name__}: {error}") from error


def _open_files(
    files: Sequence[Path],
    optional: set[Path],
    names: Sequence[str],
    sources: list[Source],
    on_progress: Callable[[str], None] | None,
) -> None:
    plain: list[Path] = []
    databases: list[tuple[Path, FileKind]] = []
    for path in files:
        try:
            kind = file_kind(path)
        except (SourceFormatError, PermissionError):
            plain.append(path)  # told, with the other files, by the source they go to
            continue
        if kind in ("sqlite", "duckdb"):
            databases.append((path, kind))
        else:
            plain.append(path)
    failed: DataError | None = None
    if plain:
        from querist.sources.files import FileSource

        parents = {path.parent for path in plain}
        label = stem(plain[0]) if len(plain) == 1 else plain[0].absolute().parent.name if len(parents) == 1 else "files"
        files_source = FileSource(
            _name(names, sources, label), paths=tuple(plain), optional=frozenset(optional), on_progress=on_progress
        )
        failed = _add(files_source, sources, may_fail=set(plain) <= optional)
    for path, kind in databases:
        name = _name(names, sources, stem(path))
        if kind == "sqlite":
            from querist.sources.sqlite import SqliteSource

            source: Source = SqliteSource(name, path)
        else:
            from querist.sources.duckdb_file import DuckDbSource

            source = DuckDbSource(name, path)
        failed = _add(source, sources, may_fail=path in optional) or failed
    if failed is not None and not sources:
        raise failed


def _add(source: Source, sources: list[Source], *, may_fail: bool) -> DataError | None:
    """Add a source that can be opened. One of a folder that cannot is left out, and the reason logged and returned."""
    try:
        source.schema()
    except DataError as error:
        source.close()
        if not may_fail:
            raise
        log.warning("%s is left out: %s", source.describe(), error.message)
        return error
    sources.append(source)
    return None


def _expand(text: str) -> tuple[list[Path], bool]:
    """The files that a spec stands for, and whether they were found in a folder rather than named."""
    path = Path(os.path.expanduser(text))  # noqa: PTH111 - keeps "~x.csv" where nobody is called so
    try:
        mode = path.stat().st_mode
    except PermissionError as error:
        raise SourceAccessError(f"{path} may not be read.", hint="Check its permissions.") from error
    except OSError:  # nothing is there, or can be: the name is too long
        mode = 0
    if stat.S_ISDIR(mode):
        return _in_folder(path), True
    if stat.S_ISREG(mode):
        return [path], False
    if mode:
        hint = "Save what it gives as a file, and name that."
        raise SourceFormatError(f"{text!r} is a pipe or a device, which cannot be read twice.", hint=hint)
    if glob.has_magic(text):
        hits = [Path(hit) for hit in sorted(glob.glob(str(path), recursive=True))]  # noqa: PTH207 - takes absolute patterns too
        found = [hit for hit in hits if hit.is_file() and not hit.name.startswith((".", "~$"))]
        if not found:
            raise SourceNotFoundError(f"Nothing matches {text!r}.", hint=_near(path))
        return found, False
    raise SourceNotFoundError(f"There is no file or folder {text!r}.", hint=_near(path))


def _in_folder(folder: Path) -> list[Path]:
    try:
        here = sorted(p for p in folder.iterdir() if not p.name.startswith("."))
        below = [p for sub in here if sub.is_dir() for p in sorted(sub.iterdir())]
        found = [p for p in [*here, *below] if p.is_file() and belongs_in_folder(p)]
    except PermissionError as error:
        raise SourceAccessError(f"{error.filename} may not be read.", hint="Check its permissions.") from error
    if not found:
        names = [p.name for p in here]
        what = f"it holds {', '.join(names[:8])}{', …' if len(names) > 8 else ''}" if names else "it is empty"
        message = f"The folder {str(folder)!r} has no data files: {what}."
        raise SourceNotFoundError(message, hint=f"Supported: {SUPPORTED}.")
    return found


def _near(path: Path) -> str:
    folder = path.parent
    try:
        while not folder.is_dir() and folder != folder.parent:
            folder = folder.parent
        names = sorted(p.name for p in folder.iterdir() if not p.name.startswith("."))
    except OSError:
        return ""
    lowered = {name.lower(): name for name in names}
    close = [lowered[n] for n in difflib.get_close_matches(path.name.lower(), list(lowered), n=3, cutoff=0.5)]
    if close and folder == path.parent:
        return f"Did you mean {' or '.join(close)}?"
    shown = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    return f"{folder} holds {shown}." if names else f"{folder} is empty."


def _name(names: Sequence[str], sources: Sequence[Source], label: str) -> str:
    if len(sources) < len(names):
        return names[len(sources)]
    return unique_name(table_name(label), [source.name for source in sources])


def _database_name(url: str) -> str:
    """The database's name from a URL, without user and password."""
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    return parts.path.strip("/").rpartition("/")[2] or parts.hostname or parts.scheme
