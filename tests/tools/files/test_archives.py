from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from querist.errors import ComponentInputError, SourceAccessError, SourceFormatError
from querist.tools.files import archives

pytestmark = pytest.mark.anyio
Use = Callable[..., Any]


@pytest.mark.parametrize("form", ["zip", "tar", "tar.gz", "tar.bz2", "tar.xz"])
async def test_what_is_packed_comes_out_again(tmp_path: Path, use: Use, form: str) -> None:
    source = tmp_path / "data"
    (source / "sub").mkdir(parents=True)
    (source / "a.txt").write_text("a" * 1000)
    (source / "sub" / "ä.bin").write_bytes(bytes(range(256)))
    (source / "link").symlink_to("/etc/passwd")
    archive = str(source / f"a.{form}")  # in the very folder that is packed
    made = await use("file_archiver", operation="create", archive=archive, paths=[str(source)])
    assert (made.left_out, made.size) == (["data/link"], 1256)
    listed = await use("file_archiver", operation="list", archive=archive)
    assert [(f.path, f.size) for f in listed.files] == [("data/a.txt", 1000), ("data/sub/ä.bin", 256)]
    await use("file_archiver", operation="extract", archive=archive, destination=str(tmp_path / "out"))
    assert (tmp_path / "out/data/a.txt").read_text() == "a" * 1000
    assert (tmp_path / "out/data/sub/ä.bin").read_bytes() == bytes(range(256))


def _zip(path: Path, *names: str, content: bytes = b"x") -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, content)


def _tar(path: Path, **attributes: Any) -> None:
    with tarfile.open(path, "w") as archive:
        entry = tarfile.TarInfo("a")
        for name, value in attributes.items():
            setattr(entry, name, value)
        archive.addfile(entry, io.BytesIO(b"x" * entry.size))


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "..\\x", "C:x", "a/" * 70 + "x"])
async def test_paths_that_lead_out_are_refused_and_nothing_is_unpacked(tmp_path: Path, use: Use, name: str) -> None:
    _zip(tmp_path / "a.zip", "good.txt", name)
    _tar(tmp_path / "a.tar", name=name)
    for archive in ("a.zip", "a.tar"):
        with pytest.raises(SourceFormatError, match="refused"):
            await use(
                "file_archiver", operation="extract", archive=str(tmp_path / archive), destination=f"{tmp_path}/o"
            )
    assert {path.name for path in tmp_path.iterdir()} == {"a.zip", "a.tar"}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
async def test_links_and_devices_are_refused(tmp_path: Path, use: Use, kind: bytes) -> None:
    _tar(tmp_path / "a.tar", type=kind, linkname="/etc/passwd")
    with pytest.raises(SourceFormatError, match="link or a device"):
        await use("file_archiver", operation="extract", archive=str(tmp_path / "a.tar"), destination=f"{tmp_path}/o")


async def test_a_link_in_a_zip_is_refused(tmp_path: Path, use: Use) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        entry = zipfile.ZipInfo("link")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(SourceFormatError, match="link or a device"):
        await use("file_archiver", operation="extract", archive=str(tmp_path / "a.zip"), destination=f"{tmp_path}/o")


@pytest.mark.parametrize("form", ["zip", "tar.gz"])
async def test_a_bomb_does_not_go_off(tmp_path: Path, use: Use, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "FREE_BYTES", 100_000)
    archive = tmp_path / f"a.{form}"
    if form == "zip":
        _zip(archive, *(f"{i}" for i in range(9)), content=bytes(2_000_000))
    else:
        with tarfile.open(archive, "w:gz") as tar:
            entry = tarfile.TarInfo("a")
            entry.size = 20_000_000
            tar.addfile(entry, io.BytesIO(bytes(entry.size)))
    with pytest.raises(SourceFormatError, match="200-fold"):
        await use("file_archiver", operation="extract", archive=str(archive), destination=str(tmp_path / "out"))
    assert [path.name for path in tmp_path.iterdir()] == [archive.name]


async def test_a_size_that_an_archive_lies_about_is_found_out(tmp_path: Path, use: Use) -> None:
    _zip(tmp_path / "a.zip", "a", content=bytes(5000))
    data = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(data.replace((5000).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    with pytest.raises(SourceFormatError):
        await use("file_archiver", operation="extract", archive=str(tmp_path / "a.zip"), destination=f"{tmp_path}/o")


async def test_too_many_files_are_refused(tmp_path: Path, use: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_FILES", 3)
    _zip(tmp_path / "a.zip", *"abcd")
    with pytest.raises(SourceFormatError, match="more than 3 files"):
        await use("file_archiver", operation="list", archive=str(tmp_path / "a.zip"))


async def test_what_is_no_archive_or_in_the_way_is_told(tmp_path: Path, use: Use) -> None:
    (tmp_path / "a.zip").write_text("no")
    (tmp_path / "a.tar.gz").write_text("no")
    for name in ("a.zip", "a.tar.gz"):
        for operation in ({"operation": "list"}, {"operation": "extract", "destination": f"{tmp_path}/o"}):
            with pytest.raises(SourceFormatError, match=f"{name} cannot be unpacked"):
                await use("file_archiver", archive=str(tmp_path / name), **operation)
    (tmp_path / "a.rar").touch()
    with pytest.raises(ComponentInputError, match="what kind"):
        await use("file_archiver", operation="list", archive=str(tmp_path / "a.rar"))
    _zip(tmp_path / "b.zip", "a")
    (tmp_path / "out").mkdir()
    with pytest.raises(SourceAccessError, match="there already"):
        await use("file_archiver", operation="extract", archive=f"{tmp_path}/b.zip", destination=f"{tmp_path}/out")


async def test_two_things_of_one_name_are_told(tmp_path: Path, use: Use) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a", "file")
        archive.writestr("a/b", "file in a file")
    with pytest.raises(SourceFormatError, match="'a/b' and another thing of that name"):
        await use(
            "file_archiver", operation="extract", archive=str(tmp_path / "a.zip"), destination=str(tmp_path / "out")
        )
    assert not (tmp_path / "out").exists()


async def test_a_table_of_contents_that_is_too_long_is_not_read(
    tmp_path: Path, use: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a", "")
    monkeypatch.setattr(archives, "MAX_CONTENTS", 20)
    monkeypatch.setattr(zipfile, "ZipFile", None)
    with pytest.raises(SourceFormatError, match="more than 10,000 files"):
        await use("file_archiver", operation="list", archive=str(tmp_path / "a.zip"))
