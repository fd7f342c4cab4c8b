from __future__ import annotations

import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

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


def test_installed_packages_bring_components_and_a_broken_one_is_left_out_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "greeting_plugin.py").write_text(
        "from querist.core.component import component\n"
        "@component\n"
        "async def greet(name: str) -> str:\n"
        "    'Greet somebody.'\n"
        "    return 'hello ' + name\n"
    )
    info = tmp_path / "greeting_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: greeting-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[querist.components]\ngreet = greeting_plugin:greet\nbroken = greeting_plugin:missing\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    registry = Registry()
    failures = registry.discover()
    sys.modules.pop("greeting_plugin", None)
    assert issubclass(registry.get("greet").input_type, BaseModel)
    assert len(failures) == 1
    assert "'broken' of greeting-plugin" in failures[0]
