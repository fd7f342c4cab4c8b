from __future__ import annotations

import os
from pathlib import Path

import pytest

from querist.core.context import RunContext
from querist.errors import (
    ComponentInputError,
    PermissionDeniedError,
    SourceAccessError,
    SourceFormatError,
    SourceNotFoundError,
)
from querist.tools import confined, folders
from querist.tools.folders import Folder


def test_the_need_names_what_a_path_really_means(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "link").symlink_to("/etc/hostname")
    assert confined.to_read(f"{tmp_path}/in/../link").target == str(Path("/etc/hostname").resolve())


@pytest.mark.parametrize("path", ["", "  ", "a\0b"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ComponentInputError):
        confined.to_read(path)


def test_a_link_put_in_place_after_the_check_is_not_followed(
    tmp_path: Path, may: RunContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, secret = tmp_path / "folder", tmp_path.parent / f"{tmp_path.name}-secret"
    folder.mkdir()
    secret.mkdir()
    (folder / "a.txt").write_text("mine")
    (secret / "a.txt").write_text("not mine")
    checked = confined._checked

    def swapped(*arguments: object) -> Path:
        found = checked(*arguments)  # type: ignore[arg-type]
        folder.rename(tmp_path / "away")
        folder.symlink_to(secret)
        return found

    monkeypatch.setattr(confined, "_checked", swapped)
    with pytest.raises(SourceFormatError):
        confined.read_bytes(str(folder / "a.txt"), may)


def test_a_path_that_has_come_to_mean_another_is_refused(may: RunContext) -> None:
    with pytest.raises(PermissionDeniedError):
        confined.read_bytes("/etc/hostname", may)


@pytest.mark.parametrize(
    ("name", "error"), [("none", SourceNotFoundError), ("pipe", SourceFormatError), ("folder", SourceFormatError)]
)
def test_only_regular_files_are_read(tmp_path: Path, may: RunContext, name: str, error: type[Exception]) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    with pytest.raises(error):
        confined.read_bytes(str(tmp_path / name), may)


def test_more_than_the_limit_is_not_read(tmp_path: Path, may: RunContext) -> None:
    (tmp_path / "big").write_bytes(b"x" * 11)
    with pytest.raises(SourceFormatError, match="10 bytes"):
        confined.read_bytes(str(tmp_path / "big"), may, limit=10)


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, may: RunContext) -> None:
    target = tmp_path / "a.txt"
    target.write_text("before")
    target.chmod(0o600)
    with pytest.raises(RuntimeError), confined.write_file(str(target), may) as file:
        file.write(b"half")
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert target.read_text() == "before"
    with confined.write_file(str(target), may, backup=".bak") as file:
        file.write(b"after")
    assert (target.read_text(), (tmp_path / "a.txt.bak").read_text()) == ("after", "before")
    assert target.stat().st_mode & 0o777 == 0o600


def test_a_file_may_have_as_long_a_name_as_the_system_allows(tmp_path: Path, may: RunContext) -> None:
    name = "決" * 84 + ".md"
    confined.write_bytes(str(tmp_path / name), b"x", may)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_folder_is_filled_whole_or_not_at_all(tmp_path: Path, may: RunContext) -> None:
    with pytest.raises(RuntimeError), confined.fill_folder(str(tmp_path / "x"), may) as folder:
        folder.create("a").close()
        raise RuntimeError
    assert not list(tmp_path.iterdir())
    with pytest.raises(SourceAccessError, match="there already"), confined.fill_folder(str(tmp_path), may):
        pass


def test_walking_enters_no_link_and_tells_what_it_did_not_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "f.txt").touch()
    (tmp_path / "loop").symlink_to(tmp_path)
    monkeypatch.setattr(folders, "MAX_DEPTH", 2)
    with Folder.reach(tmp_path) as folder:
        found = {str(f.path): f.kind for f in folder.walk()}
        unread = [str(f.path) for f in folder.walk() if f.unread]
    assert found == {"a": "folder", "a/b": "folder", "a/f.txt": "file", "loop": "link"}
    assert unread == ["a/b"]
    still_open = [os.path.realpath(f) for f in Path("/dev/fd").iterdir()]
    assert not [path for path in still_open if path.startswith(str(tmp_path))]
