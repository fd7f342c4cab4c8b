from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from querist.errors import (
    ComponentInputError,
    ComponentTimeoutError,
    PermissionDeniedError,
    SourceFormatError,
)

pytestmark = pytest.mark.anyio
Use = Callable[..., Any]


async def test_a_file_is_read_in_whatever_encoding_it_has(tmp_path: Path, use: Use) -> None:
    (tmp_path / "a.txt").write_bytes("Grüße, 5 €".encode("cp1252"))
    found = await use("file_reader", path=str(tmp_path / "a.txt"))
    assert (found.content, found.encoding, found.size) == ("Grüße, 5 €", "cp1252", 10)


async def test_bytes_that_are_no_text_come_as_base64(tmp_path: Path, use: Use) -> None:
    (tmp_path / "a.bin").write_bytes(b"\x89PNG\0\0\1")
    found = await use("file_reader", path=str(tmp_path / "a.bin"))
    assert (found.encoding, base64.b64decode(found.content)) == ("binary", b"\x89PNG\0\0\1")


async def test_a_file_larger_than_asked_for_is_not_read(tmp_path: Path, use: Use) -> None:
    (tmp_path / "a.txt").write_bytes(b"x" * 3000)
    with pytest.raises(SourceFormatError, match="2,000 bytes"):
        await use("file_reader", path=str(tmp_path / "a.txt"), max_size="2kB")


@pytest.mark.parametrize(
    ("name", "input"),
    [
        ("file_reader", {"path": "/etc/passwd"}),
        ("file_reader", {"path": "{root}/../../etc/passwd"}),
        ("file_reader", {"path": "{root}/link/passwd"}),
        ("file_writer", {"path": "{root}/link/new", "content": ""}),
        ("file_writer", {"path": "{root}-beside/new", "content": ""}),
        ("directory_lister", {"path": "/etc"}),
        ("file_metadata", {"path": "{root}/link/passwd"}),
        ("file_search", {"path": "{root}/link"}),
        ("file_watcher", {"path": "/"}),
        ("file_archiver", {"operation": "create", "archive": "{root}/a.zip", "paths": ["{root}", "/etc/passwd"]}),
        ("file_archiver", {"operation": "extract", "archive": "{root}/a.zip", "destination": "{root}/link/x"}),
        ("file_converter", {"path": "{root}/a.txt", "output_path": "/etc/a.txt"}),
    ],
)
async def test_nothing_outside_of_what_was_granted_is_touched(
    tmp_path: Path, use: Use, name: str, input: dict[str, Any]
) -> None:
    (tmp_path / "link").symlink_to("/etc")
    (tmp_path / "a.txt").touch()
    placed = {
        key: [v.format(root=tmp_path) for v in value] if isinstance(value, list) else value.format(root=tmp_path)
        for key, value in input.items()
    }
    with pytest.raises(PermissionDeniedError):
        await use(name, **placed)
    assert {path.name for path in tmp_path.iterdir()} == {"a.txt", "link"}


async def test_a_file_is_written_with_its_folders_and_the_old_one_is_kept(tmp_path: Path, use: Use) -> None:
    path = tmp_path / "deep" / "er" / "a.txt"
    first = await use("file_writer", path=str(path), content="one", create_backup=True)
    second = await use("file_writer", path=str(path), content="two", create_backup=True)
    assert (first.backup, second.backup) == (None, f"{path}.bak")
    assert (path.read_text(), Path(second.backup).read_text()) == ("two", "one")


async def test_text_that_the_encoding_lacks_is_told_before_anything_is_written(tmp_path: Path, use: Use) -> None:
    with pytest.raises(ComponentInputError, match="'ж', which stands at character 2"):
        await use("file_writer", path=str(tmp_path / "a.txt"), content="a ж", encoding="latin-1")
    with pytest.raises(ComponentInputError, match="not base64"):
        await use("file_writer", path=str(tmp_path / "a.txt"), content="a ж", encoding="binary")
    assert not list(tmp_path.iterdir())


async def test_a_folder_is_listed_by_pattern_up_to_a_limit(tmp_path: Path, use: Use) -> None:
    for name in ("a.csv", "b.csv", "sub/c.csv", "sub/d.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("12345")
    flat = await use("directory_lister", path=str(tmp_path))
    assert [(e.path, e.kind, e.size) for e in flat.entries] == [
        ("a.csv", "file", None),
        ("b.csv", "file", None),
        ("sub", "folder", None),
    ]
    deep = await use("directory_lister", path=str(tmp_path), recursive=True, pattern="*.csv", include_metadata=True)
    assert [(e.path, e.size) for e in deep.entries] == [("a.csv", 5), ("b.csv", 5), ("sub/c.csv", 5)]
    assert deep.entries[0].permissions.startswith("-rw")
    below = await use("directory_lister", path=str(tmp_path), recursive=True, pattern="sub/*", limit=1)
    assert [e.path for e in below.entries] == ["sub/c.csv"]
    assert below.truncated


async def test_metadata_tell_what_a_link_means_and_that_it_is_one(tmp_path: Path, use: Use) -> None:
    (tmp_path / "a.csv").write_text("x")
    (tmp_path / "link").symlink_to("a.csv")
    found = await use("file_metadata", path=str(tmp_path / "link"), checksums=["sha256"])
    assert (found.path, found.is_link, found.mime_type, found.size) == (str(tmp_path / "a.csv"), True, "text/csv", 1)
    assert found.checksums == {"sha256": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"}
    assert (await use("file_metadata", path=str(tmp_path))).kind == "folder"


async def test_lines_are_found_by_text_and_by_expression(tmp_path: Path, use: Use) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.py").write_text("x = 1\nprint(x)\n")
    (tmp_path / "b.txt").write_text("print(y)\n")
    (tmp_path / "c.py").write_bytes(b"print\0")
    plain = await use("file_search", path=str(tmp_path), content="print(")
    assert [(m.path, m.line, m.column) for m in plain.matches] == [("b.txt", 1, 1), ("sub/a.py", 2, 1)]
    regex = await use("file_search", path=str(tmp_path), name="*.py", content=r"\bX\b", regex=True, ignore_case=True)
    assert [(m.path, m.line) for m in regex.matches] == [("sub/a.py", 1), ("sub/a.py", 2)]
    named = await use("file_search", path=str(tmp_path), name="*.py", max_results=1)
    assert ([m.path for m in named.matches], named.truncated) == (["c.py"], True)


async def test_an_expression_that_never_ends_is_stopped(tmp_path: Path, use: Use) -> None:
    (tmp_path / "a.txt").write_text("a" * 60 + "!")
    with pytest.raises(ComponentTimeoutError):
        await use("file_search", path=str(tmp_path), content="(a+)+$", regex=True, timeout=0.5)
    with pytest.raises(ComponentInputError, match="not a pattern"):
        await use("file_search", path=str(tmp_path), content="(", regex=True)


async def test_a_watcher_tells_what_changed_as_one_batch(tmp_path: Path, use: Use) -> None:
    (tmp_path / "old.txt").write_text("1")
    (tmp_path / "gone.txt").write_text("1")
    watching = asyncio.create_task(
        use("file_watcher", path=str(tmp_path), pattern="*.txt", batch=0.1, interval=0.05, timeout=20)
    )
    await asyncio.sleep(0.3)
    (tmp_path / "new.txt").write_text("1")
    (tmp_path / "old.txt").write_text("12")
    (tmp_path / "gone.txt").unlink()
    (tmp_path / "new.csv").write_text("1")
    found = await watching
    assert {c.path: c.change for c in found.changes} == {
        "new.txt": "created",
        "old.txt": "modified",
        "gone.txt": "deleted",
    }


async def test_a_watcher_ends_when_nothing_happens(tmp_path: Path, use: Use) -> None:
    assert (await use("file_watcher", path=str(tmp_path), timeout=0.1, interval=0.05)).changes == []


async def test_encoding_and_line_ends_are_converted(tmp_path: Path, use: Use) -> None:
    (tmp_path / "a.txt").write_bytes("ä\r\nb\nc\r\n".encode("cp1252"))
    done = await use("file_converter", path=str(tmp_path / "a.txt"), line_endings="lf")
    assert (done.from_encoding, done.lines_changed) == ("cp1252", 2)
    assert (tmp_path / "a.txt").read_bytes() == "ä\nb\nc\n".encode()


async def test_a_text_that_names_its_encoding_is_read_in_it(tmp_path: Path, use: Use) -> None:
    for name, text in {
        "a.xml": '<?xml version="1.0" encoding="{}"?><a>日本</a>',
        "a.html": "<meta charset={}>日本",
    }.items():
        (tmp_path / name).write_bytes(text.format("Shift_JIS").encode("shift_jis"))
        assert (await use("file_reader", path=str(tmp_path / name))).content == text.format("Shift_JIS")
    (tmp_path / "wrong.html").write_bytes("<meta charset=utf-16>Grüße".encode())
    assert (await use("file_reader", path=str(tmp_path / "wrong.html"))).encoding == "utf-8"


async def test_the_mark_by_which_a_text_begins_says_its_encoding_and_is_no_part_of_it(tmp_path: Path, use: Use) -> None:
    (tmp_path / "a.html").write_bytes("\ufeff<meta charset=latin-1>Grüße".encode())
    for encoding in (None, "utf-8"):
        found = await use("file_reader", path=str(tmp_path / "a.html"), encoding=encoding)
        assert found.content == "<meta charset=latin-1>Grüße"


@pytest.mark.parametrize("encoding", ["punycode", "idna", "undefined", "unicode_escape", "zlib", "rot13", "a\0b"])
async def test_what_is_no_encoding_of_texts_is_refused(tmp_path: Path, use: Use, encoding: str) -> None:
    path = str(tmp_path / "a.txt")
    await use("file_writer", path=path, content="a")
    with pytest.raises(ComponentInputError, match="no encoding"):
        await use("file_reader", path=path, encoding=encoding)
    with pytest.raises(ComponentInputError, match="no encoding"):
        await use("file_writer", path=path, encoding=encoding, content="a")


async def test_names_of_any_bytes_can_be_told(tmp_path: Path, use: Use) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/odd\xff.txt")).write_text("here")
    listed = await use("directory_lister", path=str(tmp_path))
    assert [entry.path for entry in listed.entries] == ["odd�.txt"]
    found = await use("file_search", path=str(tmp_path), content="here")
    assert [match.path for match in found.matches] == ["odd�.txt"]
    for form in ("zip", "tar"):
        archive = {"archive": f"{tmp_path}/a.{form}"}
        await use("file_archiver", operation="create", paths=[str(tmp_path)], **archive)
        packed = await use("file_archiver", operation="list", **archive)
        assert f"{tmp_path.name}/odd�.txt" in [file.path for file in packed.files]


async def test_writing_to_a_file_that_has_another_name_elsewhere_leaves_that_alone(tmp_path: Path, use: Use) -> None:
    (tmp_path / "elsewhere").write_text("old")
    os.link(tmp_path / "elsewhere", tmp_path / "here")
    await use("file_writer", path=str(tmp_path / "here"), content="new")
    assert (tmp_path / "elsewhere").read_text() == "old"
