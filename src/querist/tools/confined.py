"""Files that tools touch: one way from a path to what a run needs, and to the file, so that the two cannot differ.

Between the door's check and the opening somebody may put a link in the place of a folder. Here, therefore, the path is
resolved and checked again, and then reached name by name from the top, following no link.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Literal

from querist.core.context import RunContext
from querist.core.permissions import Need
from querist.errors import (
    ComponentInputError,
    PermissionDeniedError,
    SourceAccessError,
    SourceFormatError,
    SourceNotFoundError,
)
from querist.tools.encodings import decode_as, text_of
from querist.tools.folders import Folder
from querist.tools.tool import Touches

MAX_BYTES = 10_000_000
"""Bytes that a tool reads of one file unless told otherwise."""


def resolve(path: str) -> Path:
    """The place that a path from outside means: absolute, without links and `..`."""
    if not path.strip() or "\0" in path:
        raise ComponentInputError(f"{path!r} is not a path.")
    try:
        return Path(path).expanduser().resolve()
    except (OSError, RuntimeError, ValueError) as error:  # links in a circle, too long, no such home, half a character
        raise ComponentInputError(f"{path!r} cannot be followed: {error}.") from error


def to_read(path: str) -> Need:
    """The need to read a file, or a folder and all below it."""
    return Need("file_read", str(resolve(path)))


def to_write(path: str) -> Need:
    """The need to write a file, or below a folder."""
    return Need("file_write", str(resolve(path)))


READ, WRITE = Touches(to_read), Touches(to_write)
"""Mark fields of inputs that name what is read, or written."""


@contextmanager
def open_file(path: str, context: RunContext) -> Iterator[BinaryIO]:
    """A regular file, open to read.

    Raises:
        SourceNotFoundError, SourceAccessError: it is not there, or the system refuses it.
        SourceFormatError: it is a folder, a pipe or a device.
        PermissionDeniedError: the path has come to mean one that the run may not read.
    """
    found = _checked(path, "file_read", context)
    with _told(found), Folder.reach(found.parent) as folder, folder.open(found.name) as file:
        yield file


def read_bytes(path: str, context: RunContext, limit: int = MAX_BYTES) -> bytes:
    """All of a file of at most `limit` bytes."""
    with open_file(path, context) as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise SourceFormatError(
            f"{path} has more than the {limit:,} bytes that are read.", hint="Allow more, or take a smaller file."
        )
    return data


def read_text(path: str, context: RunContext, encoding: str | None = None, limit: int = MAX_BYTES) -> str:
    """All of a text file; its encoding is found out where None is given."""
    data = read_bytes(path, context, limit)
    return text_of(data)[0] if encoding is None else decode_as(data, encoding, path)


@contextmanager
def open_folder(path: str, context: RunContext) -> Iterator[Folder]:
    """A folder to look into. Raises what `open_file` raises."""
    found = _checked(path, "file_read", context)
    with _told(found), Folder.reach(found) as folder:
        yield folder


@contextmanager
def write_file(path: str, context: RunContext, backup: str = "") -> Iterator[BinaryIO]:
    """Write a file as a whole: it is there when the block has ended well, and untouched otherwise.

    Folders above it that are missing are made.

    Args:
        backup: what to add to the name of the file that was there, so as to keep it; empty to drop it.
    """
    found = _checked(path, "file_write", context)
    name, partial, mode = found.name, _hidden(), 0o666
    with _told(found), Folder.reach(found.parent, make=True) as folder:
        with suppress(FileNotFoundError):
            status = folder.status(name)
            if not stat.S_ISREG(status.st_mode):
                raise SourceFormatError(f"{found} is not a regular file.", hint="Name a file, not the folder for it.")
            mode = stat.S_IMODE(status.st_mode)
        try:
            with folder.create(partial, mode) as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            if backup:
                with suppress(FileNotFoundError):
                    folder.rename(name, name + backup)
            folder.rename(partial, name)
        except BaseException:
            folder.remove(partial)
            raise


def write_bytes(path: str, data: bytes, context: RunContext, backup: str = "") -> None:
    """Write a file of which all is there already."""
    with write_file(path, context, backup) as file:
        file.write(data)


@contextmanager
def fill_folder(path: str, context: RunContext) -> Iterator[Folder]:
    """A new folder, which is there as a whole when the block has ended well, and not at all otherwise."""
    found = _checked(path, "file_write", context)
    partial = _hidden()
    with _told(found), Folder.reach(found.parent, make=True) as folder:
        with suppress(FileNotFoundError):
            folder.status(found.name)
            raise SourceAccessError(f"{found} is there already.", hint="Name a folder that is not there yet.")
        try:
            with folder.enter(partial, make=True) as made:
                yield made
            folder.rename(partial, found.name)
        except BaseException:
            folder.remove(partial)
            raise


def _checked(path: str, kind: Literal["file_read", "file_write"], context: RunContext) -> Path:
    found = resolve(path)
    if context.principal.grant_for(Need(kind, str(found))) is None:
        raise PermissionDeniedError(f"{path} has come to mean {found}, for which there is no {kind}.")
    return found


def _hidden() -> str:
    """A name that nothing has, for what is not whole yet."""
    return f".{os.urandom(8).hex()}.partial"


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Errors of the system, in our words."""
    try:
        yield
    except FileNotFoundError as error:
        raise SourceNotFoundError(
            f"There is no {path}.", hint="A path that does not begin with / is below the current folder."
        ) from error
    except OSError as error:
        if error.errno in (errno.EISDIR, errno.EINVAL):
            raise SourceFormatError(f"{path} is not a regular file.") from error
        if error.errno == errno.ENOTDIR:
            raise SourceFormatError(f"{path} is not a folder, or lies in what is none.") from error
        raise SourceAccessError(f"{path} cannot be used: {error.strerror or error}.") from error
