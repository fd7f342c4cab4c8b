"""`file_watcher`: waits for changes in a folder. It looks again and again, which works on every file system."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from querist.core.context import RunContext
from querist.errors import ComponentInputError
from querist.tools.confined import READ, open_folder
from querist.tools.folders import matches
from querist.tools.tool import Tool, ToolInput, while_wanted

MAX_FILES = 20_000
"""Files watched at most."""


class FileWatcherInput(ToolInput):
    path: Annotated[str, READ] = Field(default=".", description="The folder.")
    pattern: str = Field(default="*", description="Names of files (`*.csv`), or with a `/` paths below the folder.")
    recursive: bool = Field(default=True, description="With the folders below; links are not followed.")
    timeout: float = Field(default=30, description="Seconds to wait for the first change.", gt=0, le=400)
    batch: float = Field(
        default=0.5, description="Seconds without a change after which those so far are told.", ge=0, le=60
    )
    interval: float = Field(default=0.25, description="Seconds between two looks.", ge=0.05, le=10)


class Change(BaseModel):
    path: str = Field(description="Relative to the folder.")
    change: Literal["created", "modified", "deleted"]


class Changes(BaseModel):
    changes: list[Change] = Field(description="By path; one for each file, from the first look to the last.")
    seconds: float = Field(description="How long it watched.")


class FileWatcher(Tool[FileWatcherInput, Changes]):
    name = "file_watcher"
    description = "Wait until files in a folder are created, changed or deleted, and tell which, as one batch."
    permissions = ("file_read",)
    timeout = 900

    async def run(self, input: FileWatcherInput, context: RunContext) -> Changes:
        started = time.monotonic()
        first = last = await asyncio.to_thread(_look, input, context)
        quiet_since: float | None = None
        while True:
            await asyncio.sleep(input.interval)
            seen, now = await asyncio.to_thread(_look, input, context), time.monotonic()
            if seen != last:
                last, quiet_since = seen, now
            elif quiet_since is not None and now - quiet_since >= input.batch:
                break
            # A file that never rests does not keep it for ever: twice the time to wait is the end.
            if now - started >= input.timeout * (1 if quiet_since is None else 2):
                break
        return Changes(changes=_changes(first, last), seconds=round(time.monotonic() - started, 3))


State = dict[str, tuple[int, int, int]]
"""Time of change, size and inode of each file."""


def _look(input: FileWatcherInput, context: RunContext) -> State:
    state: State = {}
    with open_folder(input.path, context) as folder:
        for found in while_wanted(folder.walk(input.recursive), context):
            if found.kind == "file" and matches(found.path, input.pattern):
                status = found.status
                state[found.name] = (status.st_mtime_ns, status.st_size, status.st_ino)
                if len(state) > MAX_FILES:
                    raise ComponentInputError(f"There are more than {MAX_FILES:,} files.", hint="Narrow the pattern.")
    return state


def _changes(before: State, after: State) -> list[Change]:
    changes = []
    for path in sorted(before.keys() | after.keys()):
        if path not in before:
            changes.append(Change(path=path, change="created"))
        elif path not in after:
            changes.append(Change(path=path, change="deleted"))
        elif before[path] != after[path]:
            changes.append(Change(path=path, change="modified"))
    return changes
