from __future__ import annotations

from pydantic import BaseModel

from querist.core.output_cache import OutputCache
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


def test_inputs_that_say_the_same_have_the_same_key() -> None:
    one, other = Options(by_name={"a": 1, "b": 2}), Options(by_name={"b": 2, "a": 1})
    assert OutputCache.key("1", one) == OutputCache.key("1", other)
    assert OutputCache.key("1", one) != OutputCache.key("2", one)
    assert OutputCache.key("1", one) != OutputCache.key("1", Options(by_name={"a": 1}))


def test_an_input_that_cannot_be_written_down_has_no_key() -> None:
    class Holds(BaseModel):
        thing: object

    assert OutputCache.key("1", Holds(thing=object())) == ""
