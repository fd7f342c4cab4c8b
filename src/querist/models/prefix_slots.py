"""Which slot of the local server holds which prompt prefix, agreed between all processes that use the server.

A slot keeps the tokens it read last. Two prompt families in one slot would read each other out again, a cost of
seconds, so each family (`Request.prefix`) gets a slot of its own, the least recently used when none is free. Nothing
here decides what a reply says: the server compares tokens, and a wrong entry costs time only.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from querist.models.file_lock import FileLock


@dataclass(frozen=True)
class SlotEntry:
    """`used` is when, in seconds since the epoch; `filled` whether a reply of this prefix has come from the slot."""

    prefix: str
    used: float
    filled: bool


@dataclass(frozen=True)
class Assignment:
    """The slot to use. `fresh`: it held another prefix, or none, until now. `filled`: it has read this one."""

    slot: int
    fresh: bool
    filled: bool


class SlotTable:
    """A small file beside the server's state; every change is made under a lock and takes well under a millisecond."""

    def __init__(self, directory: Path, slots: int) -> None:
        self.path = directory / "slots.json"
        self._lock = directory / "slots.lock"
        self._slots = slots

    def assign(self, prefix: str) -> Assignment:
        """The slot of `prefix`, which is the most recently used from now on."""
        with FileLock(self._lock):
            entries = self.read()
            slot = next((number for number, entry in entries.items() if entry.prefix == prefix), None)
            if slot is not None:
                self._write(entries | {slot: SlotEntry(prefix, time.time(), entries[slot].filled)})
                return Assignment(slot, fresh=False, filled=entries[slot].filled)
            unused = [number for number in range(self._slots) if number not in entries]
            slot = unused[0] if unused else min(entries, key=lambda number: entries[number].used)
            self._write(entries | {slot: SlotEntry(prefix, time.time(), filled=False)})
            return Assignment(slot, fresh=True, filled=False)

    def mark_filled(self, slot: int, prefix: str) -> None:
        """Note that `slot` has read `prefix`, unless another prefix took it meanwhile."""
        with FileLock(self._lock):
            entries = self.read()
            if (entry := entries.get(slot)) and entry.prefix == prefix:
                self._write(entries | {slot: SlotEntry(prefix, time.time(), filled=True)})

    def read(self) -> dict[int, SlotEntry]:
        try:
            return {int(slot): SlotEntry(**entry) for slot, entry in json.loads(self.path.read_bytes()).items()}
        except FileNotFoundError:
            return {}

    def _write(self, entries: dict[int, SlotEntry]) -> None:
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps({slot: asdict(entry) for slot, entry in entries.items()}), encoding="utf-8")
        new.replace(self.path)


def prefix_file(directory: Path, prefix: str) -> Path:
    """Where the keys and values of `prefix` are kept on disk."""
    return directory / f"{hashlib.sha256(prefix.encode()).hexdigest()[:32]}.bin"


def trim(directory: Path, limit: int) -> None:
    """Delete the least recently used prefix files of all models until at most `limit` bytes remain."""
    files = ((file.stat().st_mtime, file.stat().st_size, file) for file in directory.rglob("*.bin"))
    found = sorted(files, reverse=True)
    total = 0
    for _, size, file in found:
        total += size
        if total > limit:
            file.unlink(missing_ok=True)
