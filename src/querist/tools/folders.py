"""Folders held open: what is in them is reached by its name from there, and so no link can be put in the way meanwhile.

Knows nothing of what a run may touch: `confined` sees to that, and gives folders out.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path, PurePath
from typing import BinaryIO, Literal

MAX_DEPTH = 64
"""Folders inside each other that `Folder.walk` enters."""

_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_BINARY = getattr(os, "O_BINARY", 0)
_DIRECTORY = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | _NO_LINK
# Of the folders on the way only the next name is asked, which those allow as well that may not be listed.
_PASSED = _DIRECTORY | getattr(os, "O_PATH", 0)
_HAS_DESCRIPTORS = os.open in os.supports_dir_fd  # not on Windows, where a folder is only its path


@dataclass(frozen=True)
class Folder:
    """A folder; closed by leaving it as a context manager. Names are of things directly in it.

    Attributes:
        path: where it was when it was opened.
        descriptor: None on systems that have none for folders.
    """

    path: Path
    descriptor: int | None

    @classmethod
    def reach(cls, path: Path, make: bool = False) -> Folder:
        """Open a folder by its resolved path, name by name; `make` makes those that are missing."""
        folder = cls(Path(path.anchor), os.open(path.anchor, _PASSED) if _HAS_DESCRIPTORS else None)
        for name in path.parts[1:]:
            with folder:
                folder = folder.enter(name, make)
        return folder

    def enter(self, name: str, make: bool = False) -> Folder:
        if make:
            with suppress(FileExistsError):
                os.mkdir(self._at(name), dir_fd=self.descriptor)
        descriptor = None if self.descriptor is None else os.open(name, _PASSED, dir_fd=self.descriptor)
        return Folder(self.path / name, descriptor)

    def open(self, name: str) -> BinaryIO:
        """A regular file, to read."""
        # O_NONBLOCK: opening a pipe would otherwise wait for somebody to write to it.
        flags = os.O_RDONLY | _NO_LINK | _BINARY | getattr(os, "O_NONBLOCK", 0)
        descriptor = os.open(self._at(name), flags, dir_fd=self.descriptor)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(errno.EINVAL, "it is not a regular file")
        return os.fdopen(descriptor, "rb")

    def create(self, name: str, mode: int = 0o666) -> BinaryIO:
        """A file that is not there yet, to write."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK | _BINARY
        return os.fdopen(os.open(self._at(name), flags, mode, dir_fd=self.descriptor), "wb")

    def status(self, name: str) -> os.stat_result:
        """Of the thing itself, not of what a link points to."""
        return os.stat(self._at(name), dir_fd=self.descriptor, follow_symlinks=False)

    def own_status(self) -> os.stat_result:
        return self.path.stat() if self.descriptor is None else os.fstat(self.descriptor)

    def rename(self, name: str, new: str) -> None:
        """Give a thing a new name, in place of a file that has it."""
        os.replace(self._at(name), self._at(new), src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor)

    def remove(self, name: str) -> None:
        """Remove a file, or a folder with all that is in it, if it is there."""
        with suppress(FileNotFoundError):
            if stat.S_ISDIR(self.status(name).st_mode):
                shutil.rmtree(self._at(name), dir_fd=self.descriptor)
            else:
                os.unlink(self._at(name), dir_fd=self.descriptor)

    def walk(self, recursive: bool = True) -> Iterator[Found]:
        """What is in it, and in the folders below, each before what is in it. Follows no link."""
        return self._walk(self._names(), recursive, PurePath())

    def _walk(self, names: list[str], recursive: bool, inside: PurePath) -> Iterator[Found]:
        for name in names:
            try:
                found = Found(inside / name, self.status(name), self)
                inner = self.enter(name) if recursive and found.kind == "folder" else None
            except FileNotFoundError:
                continue  # it went away meanwhile
            except OSError:
                yield replace(found, unread=True)
                continue
            if inner is None:
                yield found
                continue
            with inner:
                below: list[str] | None = None
                if len(found.path.parts) < MAX_DEPTH:
                    with suppress(OSError):
                        below = inner._names()
                yield replace(found, unread=below is None)
                yield from inner._walk(below or [], True, found.path)

    def _names(self) -> list[str]:
        listing = None if self.descriptor is None else os.open(".", _DIRECTORY, dir_fd=self.descriptor)
        try:
            with os.scandir(self.path if listing is None else listing) as entries:
                return sorted(entry.name for entry in entries)
        finally:
            if listing is not None:
                os.close(listing)

    def _at(self, name: str) -> str:
        return name if self.descriptor is not None else str(self.path / name)

    def __enter__(self) -> Folder:
        return self

    def __exit__(self, *_: object) -> None:
        if self.descriptor is not None:
            os.close(self.descriptor)


@dataclass(frozen=True)
class Found:
    """Something that `Folder.walk` came upon.

    Attributes:
        path: relative to where the walk began.
        status: of itself, not of what a link points to.
        folder: that it is in, open until the walk goes on.
        unread: it is a folder, and what is in it is not told.
    """

    path: PurePath
    status: os.stat_result
    folder: Folder
    unread: bool = False

    @property
    def kind(self) -> Literal["file", "folder", "link", "other"]:
        mode = self.status.st_mode
        if stat.S_ISLNK(mode):
            return "link"
        return "file" if stat.S_ISREG(mode) else "folder" if stat.S_ISDIR(mode) else "other"

    @property
    def name(self) -> str:
        """Its path, to be told."""
        return shown(self.path)

    def open(self) -> BinaryIO:
        """The file, to read."""
        return self.folder.open(self.path.name)


def shown(path: PurePath) -> str:
    """A path as text that can be told: names may be of any bytes, and those that are no UTF-8 become `�`."""
    return os.fsencode(path.as_posix()).decode(errors="replace")


def matches(path: PurePath, pattern: str) -> bool:
    """Whether a relative path fits a pattern: with a `/` the whole of it, else its last name. `**/` is any folders."""
    if "/" not in pattern:
        return fnmatch(path.name, pattern)
    text = path.as_posix()
    return fnmatch(text, pattern) or (pattern.startswith("**/") and fnmatch(text, pattern[3:]))
