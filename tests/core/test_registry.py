from __future__ import annotations

import pytest

from querist.core.component import FunctionComponent, component
from querist.core.registry import Registry
from querist.errors import ComponentNotFoundError, UsageError


def named(name: str) -> FunctionComponent:
    @component(name=name, description="Does it.")
    async def work(x: int) -> int:
        return x

    return work


def test_components_are_found_by_name_and_listed_in_order() -> None:
    registry = Registry()
    second, first = named("beta"), named("alpha")
    registry.add(second)
    registry.add(first)
    assert registry.get("alpha") is first
    assert list(registry) == [first, second]
    assert "beta" in registry
    assert "gamma" not in registry
    assert len(registry) == 2


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    registry = Registry()
    registry.add(named("read_file"))
    with pytest.raises(ComponentNotFoundError, match="no component 'read_fil'") as caught:
        registry.get("read_fil")
    assert caught.value.hint == "Did you mean 'read_file'?"
    with pytest.raises(ComponentNotFoundError) as caught:
        registry.get("zzz")
    assert caught.value.hint == "Known: read_file."


def test_a_name_is_taken_once() -> None:
    registry = Registry()
    registry.add(named("a"))
    with pytest.raises(UsageError, match="already a component 'a'"):
        registry.add(named("a"))


@pytest.mark.parametrize("name", ["", "with space", "dotted.name", "x" * 65])
def test_a_name_that_providers_refuse_as_a_tool_is_refused_here(name: str) -> None:
    component = named("fine")
    component.name = name
    with pytest.raises(UsageError, match="has the name"):
        Registry().add(component)


def test_a_component_can_be_made_when_it_is_first_asked_for() -> None:
    registry, made = Registry(), []

    def make() -> FunctionComponent:
        made.append(named("gamma"))
        return made[-1]

    registry.add_later("gamma", make)
    assert "gamma" in registry
    assert not list(registry)
    assert not made
    assert registry.get("gamma") is registry.get("gamma") is made[0]
    with pytest.raises(ComponentNotFoundError) as caught:
        registry.get("gama")
    assert caught.value.hint == "Did you mean 'gamma'?"
    assert len(made) == 1


def test_what_is_added_goes_before_what_could_be_made() -> None:
    registry, own = Registry(), named("gamma")
    registry.add_later("gamma", lambda: named("gamma"))
    registry.add(own)
    assert registry.get("gamma") is own
