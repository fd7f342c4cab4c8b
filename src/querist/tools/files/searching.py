"""The work of `file_search`, run in a worker: somebody's pattern over many files. Imports little, as workers should."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from querist.tools.encodings import text_of
from querist.tools.folders import Folder, matches

LINE_WIDTH = 300
"""Characters shown of a line."""


def search(
    path: str, descriptor: int | None, names: str, pattern: str | None, flags: int, max_size: int, limit: int
) -> dict[str, Any]:
    """Files in an open folder whose paths match a glob, and the lines in them that match a pattern.

    Returns:
        The fields of `Matches`.
    """
    try:
        regex = None if pattern is None else re.compile(pattern, flags)
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a pattern: {error}.") from error
    matched: list[dict[str, Any]] = []
    searched, skipped = 0, list[str]()
    with Folder(Path(path), descriptor) as folder:
        for found in folder.walk():
            name = found.name
            if found.unread:
                skipped.append(f"{name}: cannot be listed")
            if found.kind != "file" or not matches(found.path, names):
                continue
            if regex is None:
                matched.append({"path": name})
            elif found.status.st_size > max_size:
                skipped.append(f"{name}: more than {max_size:,} bytes")
            else:
                try:
                    with found.open() as file:
                        data = file.read(max_size)
                except OSError as error:
                    skipped.append(f"{name}: {error.strerror}")
                    continue
                searched += 1
                if b"\0" in data[:1024] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
                    continue  # not text
                for number, line in enumerate(text_of(data)[0].splitlines(), start=1):
                    if hit := regex.search(line):
                        start = max(0, hit.start() - LINE_WIDTH // 2)
                        shown = line[start : start + LINE_WIDTH]
                        matched.append({"path": name, "line": number, "column": hit.start() + 1, "text": shown})
                        if len(matched) > limit:
                            break
            if len(matched) > limit:
                break
    cut = len(matched) > limit
    return {"matches": matched[:limit], "searched": searched, "skipped": skipped[:100], "truncated": cut}
