from __future__ import annotations

import threading
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field, SecretStr

from querist.core.output_cache import OutputCache
from querist.models.base import Message
from tests.core.doing import Clock, Text


class Options(BaseModel):
    by_name: dict[str, int]


def test_outputs_are_forgotten_after_their_time() -> None:
    clock = Clock()
    cache = OutputCache(ttl=5, size=2, clock=clock)
    cache.put("a", Text(text="x"))
    clock.now += 5
    assert cache.get("a") == Text(text="x")
    clock.now += 1
    assert cache.get("a") is None


def test_the_one_that_was_not_used_for_longest_makes_room() -> None:
    cache = OutputCache(ttl=5, size=2, clock=Clock())
    cache.put("a", Text(text="a"))
    cache.put("b", Text(text="b"))
    cache.get("a")
    cache.put("c", Text(text="c"))
    assert [key for key in "abc" if cache.get(key)] == ["a", "c"]


def test_changing_an_output_does_not_change_what_others_get() -> None:
    cache = OutputCache(ttl=5, size=2, clock=Clock())
    output = Options(by_name={"a": 1})
    cache.put("k", output)
    output.by_name["a"] = 2
    first = cache.get("k")
    assert first == Options(by_name={"a": 1})
    first.by_name["a"] = 3
    assert cache.get("k") == Options(by_name={"a": 1})


def test_an_output_that_cannot_be_copied_is_not_kept() -> None:
    cache = OutputCache(ttl=5, size=2)
    cache.put("k", Holds(thing=threading.Lock()))
    assert cache.get("k") is None


def test_inputs_that_say_the_same_have_the_same_key() -> None:
    one, other = Options(by_name={"a": 1, "b": 2}), Options(by_name={"b": 2, "a": 1})
    assert OutputCache.key("1", one) == OutputCache.key("1", other)
    assert OutputCache.key("1", one) != OutputCache.key("2", one)
    assert OutputCache.key("1", one) != OutputCache.key("1", Options(by_name={"a": 1}))


class Shape(BaseModel):
    pass


class Circle(Shape):
    radius: int


class Ball(Shape):
    radius: int


class Holds(BaseModel):
    thing: Any
    hidden: int = Field(default=0, exclude=True)


def key_of(thing: Any) -> str:
    return OutputCache.key("1", Holds(thing=thing))


def test_inputs_that_only_look_alike_have_keys_of_their_own() -> None:
    shapes = [Circle(radius=1), Circle(radius=2), Ball(radius=1), {"radius": 1}, Message("user", "a"), "user", None]
    days = [date(2024, 1, 1), "2024-01-01", Path("2024-01-01")]
    assert len({key_of(thing) for thing in [*shapes, *days]}) == len(shapes) + len(days)
    assert OutputCache.key("1", Holds(thing=1)) != OutputCache.key("1", Holds(thing=1, hidden=1))
    assert key_of({8, 0}) == key_of({0, 8}) != key_of([0, 8])


@pytest.mark.parametrize(
    "thing",
    [object(), SecretStr("a"), b"\xff", {1: 1, "a": 1}],
    ids=["an object", "a secret", "bytes", "keys of two kinds"],
)
def test_an_input_that_cannot_be_written_down_has_no_key(thing: object) -> None:
    assert key_of(thing) == ""
