"""Files that appear whole or not at all, and what stands in their place already."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from querist.state.whole_file import whole_file


def test_a_file_is_as_it_was_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), whole_file(path) as file:
        file.write(b"half")
        raise ZeroDivisionError
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("out.txt", "old")]
    with whole_file(path) as file:
        file.write(b"new")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("out.txt", "new")]


def test_a_name_as_long_as_names_may_be_is_no_hindrance(tmp_path: Path) -> None:
    with whole_file(tmp_path / ("月" * 85)) as file:
        file.write(b"moon")
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"moon"]


def test_a_link_goes_on_pointing_where_it_did(tmp_path: Path) -> None:
    (tmp_path / "latest").symlink_to("real.txt")
    with whole_file(tmp_path / "latest") as file:
        file.write(b"x")
    assert (tmp_path / "latest").is_symlink()
    assert (tmp_path / "real.txt").read_bytes() == b"x"


def test_a_pipe_or_device_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with whole_file(pipe) as file:
        file.write(b"through")
    assert os.read(reader, 100) == b"through"
    os.close(reader)
    assert pipe.is_fifo()
