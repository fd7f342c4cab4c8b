from __future__ import annotations

import logging
import multiprocessing
import sqlite3
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from querist.state.cache import ContentCache


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now

    def pass_minutes(self, minutes: float) -> None:
        self.now += minutes * 60


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "folder" / "cache.sqlite"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cache(path: Path, clock: Clock) -> Iterator[ContentCache]:
    cache = ContentCache(path, max_bytes=1000, clock=clock)
    yield cache
    cache.close()


def test_what_was_put_is_there_for_others_who_open_the_file(cache: ContentCache, path: Path) -> None:
    cache.put("profile", "a", b"\x00one")
    other = ContentCache(path)
    assert other.get("profile", "a") == b"\x00one"
    assert other.get("profile", "b") is None
    assert other.get("reply", "a") is None
    other.close()


def test_a_value_takes_the_place_of_the_one_before(cache: ContentCache) -> None:
    cache.put("n", "k", b"x" * 500)
    cache.put("n", "k", b"y" * 100)
    assert cache.get("n", "k") == b"y" * 100
    assert cache.size() == 102


def test_the_least_recently_used_go_first_when_it_is_full(cache: ContentCache, clock: Clock) -> None:
    for key in "abc":
        cache.put("n", key, b"x" * 300)
        clock.pass_minutes(2)
    assert cache.get("n", "a") is not None
    clock.pass_minutes(2)
    cache.put("n", "d", b"x" * 300)
    assert [key for key in "abcd" if cache.get("n", key) is not None] == ["a", "d"]
    assert cache.size() <= 1000


def test_it_stays_within_its_bound_and_keeps_the_newest(cache: ContentCache, clock: Clock) -> None:
    for i in range(200):
        cache.put("n", str(i), b"x" * 50)
        clock.pass_minutes(1)
        assert cache.size() <= 1000
        assert cache.get("n", str(i)) is not None


def test_a_value_larger_than_the_whole_cache_is_not_kept_and_pushes_nothing_out(cache: ContentCache) -> None:
    cache.put("n", "small", b"x")
    cache.put("n", "large", b"x" * 2000)
    assert cache.get("n", "large") is None
    assert cache.get("n", "small") == b"x"


def test_a_namespace_can_be_cleared_and_so_can_everything(cache: ContentCache) -> None:
    cache.put("a", "k", b"x")
    cache.put("b", "k", b"x")
    cache.clear("a")
    assert (cache.get("a", "k"), cache.get("b", "k")) == (None, b"x")
    cache.clear()
    assert cache.size() == 0


@pytest.mark.parametrize("damage", ["all", "middle"])
def test_a_broken_file_is_told_and_the_cache_starts_again(
    cache: ContentCache, path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    for i in range(30):
        cache.put("n", str(i), b"x" * 20)
    cache.close()
    content = bytearray(path.read_bytes())
    start = 0 if damage == "all" else 4096
    content[start:] = b"\xff" * (len(content) - start)
    path.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        assert cache.get("n", "29") is None
    assert "starts again" in caplog.text
    cache.put("n", "new", b"y")
    assert cache.get("n", "new") == b"y"


def test_a_file_of_another_version_starts_again(cache: ContentCache, path: Path) -> None:
    cache.put("n", "k", b"x")
    cache.close()
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    assert cache.get("n", "k") is None
    cache.put("n", "k", b"y")
    assert cache.get("n", "k") == b"y"


def test_a_place_that_cannot_be_used_is_told_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("not a folder")
    cache = ContentCache(tmp_path / "file" / "cache.sqlite")
    with caplog.at_level(logging.WARNING):
        cache.put("n", "k", b"x")
        assert cache.get("n", "k") is None
        assert cache.size() == 0
    assert "could not write the cache" in caplog.text


def test_a_writer_that_holds_the_file_does_not_keep_readers_out(cache: ContentCache, path: Path, clock: Clock) -> None:
    cache.put("n", "k", b"x")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert cache.get("n", "k") == b"x"
    other.execute("ROLLBACK")
    other.close()


def test_only_its_owner_can_read_it(cache: ContentCache, path: Path) -> None:
    cache.put("n", "k", b"x")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(Path(f"{path}-wal").stat().st_mode) == 0o600


def test_threads_can_share_it(path: Path) -> None:
    cache = ContentCache(path)
    seen: list[bool] = []

    def work(number: int) -> None:
        for i in range(30):
            cache.put("n", f"{number}-{i}", str(number).encode())
            seen.append(cache.get("n", f"{number}-{i}") == str(number).encode())

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [True] * 180
    cache.close()


def _put_many(path: Path, number: int) -> None:
    cache = ContentCache(path, max_bytes=100_000)
    for i in range(50):
        cache.put("n", f"{number}-{i}", b"x" * 100)
    cache.close()


def test_processes_can_share_its_file(path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=_put_many, args=(path, n)) for n in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    cache = ContentCache(path)
    assert all(cache.get("n", f"{n}-{i}") for n in range(3) for i in range(50))
    expected = sum(len("n") + len(f"{n}-{i}") + 100 for n in range(3) for i in range(50))
    assert cache.size() == expected
    cache.close()
