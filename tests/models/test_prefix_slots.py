"""Which slot holds which prompt prefix, and which saved ones stay on disk."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from querist.models.prefix_slots import SlotTable, prefix_file, trim


def test_a_prefix_keeps_its_slot_and_others_get_their_own(tmp_path: Path) -> None:
    table = SlotTable(tmp_path, 2)
    assert [table.assign(name).slot for name in ("a", "b", "a", "b")] == [0, 1, 0, 1]
    assert [table.assign(name).fresh for name in ("a", "c")] == [False, True]


def test_the_least_recently_used_prefix_makes_room(tmp_path: Path) -> None:
    table = SlotTable(tmp_path, 2)
    for name in ("a", "b", "a", "c"):
        table.assign(name)
    assert {entry.prefix for entry in table.read().values()} == {"a", "c"}


def test_a_slot_counts_as_filled_only_for_the_prefix_that_filled_it(tmp_path: Path) -> None:
    table = SlotTable(tmp_path, 1)
    slot = table.assign("a").slot
    table.assign("b")
    table.mark_filled(slot, "a")
    assert not table.read()[slot].filled
    table.mark_filled(slot, "b")
    assert table.assign("b").filled


def test_processes_agree_on_the_slots(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from querist.models.prefix_slots import SlotTable; "
        "table = SlotTable(Path(sys.argv[1]), 8); "
        "[table.assign(f'{sys.argv[2]}{n}') for n in range(4) for _ in range(20)]"
    )
    processes = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), name]) for name in ("a", "b")]
    assert [process.wait() for process in processes] == [0, 0]
    held = [entry.prefix for entry in SlotTable(tmp_path, 8).read().values()]
    assert sorted(held) == ["a0", "a1", "a2", "a3", "b0", "b1", "b2", "b3"]


def test_the_disk_keeps_the_most_recently_used(tmp_path: Path) -> None:
    for age, name in enumerate(["new", "old", "oldest"]):
        file = prefix_file(tmp_path, name)
        file.write_bytes(bytes(100))
        os.utime(file, (1000 - age, 1000 - age))
    trim(tmp_path, 250)
    assert [prefix_file(tmp_path, name).exists() for name in ("new", "old", "oldest")] == [True, True, False]
