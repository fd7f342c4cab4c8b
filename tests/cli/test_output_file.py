from __future__ import annotations

from pathlib import Path

import pytest

from querist.cli.output_file import check_writable, write_whole
from querist.errors import UsageError


def test_a_file_and_its_folder_are_made(tmp_path: Path) -> None:
    write_whole(tmp_path / "new" / "page.html", "Ä")
    assert [(p.name, p.read_text(encoding="utf-8")) for p in (tmp_path / "new").iterdir()] == [("page.html", "Ä")]


def test_a_name_that_no_file_can_have_is_told_beforehand(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written: File name too long"):
        check_writable(tmp_path / f"{'x' * 300}.csv")


def test_what_cannot_be_written_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.html"
    page.write_text("old")

    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(UsageError, match="No space left"):
        write_whole(page, "new")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("page.html", "old")]


def test_a_device_can_be_written_where_no_file_can_be_made() -> None:
    check_writable(Path("/dev/null"))


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        write_whole(tmp_path / "file" / "page.html", "Ä")
