from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field

from querist.core.component import Component, component
from querist.core.context import RunContext
from querist.core.runner import Runner
from querist.errors import UsageError


class Text(BaseModel):
    text: str = Field(description="what to look at")


class Length(BaseModel):
    length: int


class Measure(Component[Text, Length]):
    name = "measure"
    description = "Count the characters of a text."

    async def run(self, input: Text, context: RunContext) -> Length:
        return Length(length=len(input.text))


@component
async def repeat(text: Annotated[str, Field(description="what to repeat")], times: int = 2) -> str:
    """Repeat a text.

    As often as you like.
    """
    return text * times


@component(name="shout-it", timeout=5)
async def shout(input: Text, context: RunContext) -> Length:
    """Measure loudly."""
    assert context.run_id
    return Length(length=len(input.text) * 2)


def test_a_class_takes_its_types_from_its_type_arguments() -> None:
    assert Measure.input_type is Text
    assert Measure().output_type is Length


def test_a_subclass_inherits_and_may_replace_them() -> None:
    class Louder(Measure):
        name = "louder"

    assert Louder.output_type is Length


def test_schemas_come_from_the_models() -> None:
    assert Measure().input_schema()["properties"]["text"]["description"] == "what to look at"
    assert Measure().output_schema()["required"] == ["length"]


def test_a_component_is_offered_as_a_tool_in_both_formats() -> None:
    tool = Measure().to_tool()
    assert tool.to_openai()["function"] == {
        "name": "measure",
        "description": "Count the characters of a text.",
        "parameters": Text.model_json_schema(),
    }
    assert tool.to_mcp()["inputSchema"] == Text.model_json_schema()
    assert tool.to_mcp()["outputSchema"] == Length.model_json_schema()


async def _run(what: Component[Any, Any], input: dict[str, Any]) -> Any:
    return await Runner().run(what, input)


def test_a_function_becomes_a_component_with_a_field_for_each_parameter() -> None:
    import asyncio

    schema = repeat.input_schema()
    assert schema["required"] == ["text"]
    assert schema["properties"]["times"]["default"] == 2
    assert schema["properties"]["text"]["description"] == "what to repeat"
    assert repeat.description == "Repeat a text.\n\nAs often as you like."
    assert asyncio.run(_run(repeat, {"text": "ab"})).result == "abab"


def test_a_function_of_one_model_takes_that_model_and_the_context() -> None:
    import asyncio

    assert (shout.name, shout.timeout) == ("shout-it", 5)
    assert (shout.input_type, shout.output_type) == (Text, Length)
    assert asyncio.run(_run(shout, {"text": "abc"})) == Length(length=6)


def test_a_function_that_cannot_become_one_says_why() -> None:
    with pytest.raises(TypeError, match="'plain' must be an async function"):

        @component
        def plain(x: int) -> int:  # type: ignore[arg-type]
            """Add."""
            return x

    with pytest.raises(TypeError, match="'silent' needs a description"):

        @component
        async def silent(x: int) -> int:
            return x

    with pytest.raises(TypeError, match="parameter 'x' of the component 'untyped' needs a type"):

        @component
        async def untyped(x) -> int:  # type: ignore[no-untyped-def]
            """Add."""
            return 1

    with pytest.raises(TypeError, match=r"cannot have the parameter \*xs"):

        @component
        async def many(*xs: int) -> int:
            """Add."""
            return 1


def test_a_component_that_lacks_something_says_so_when_it_is_run() -> None:
    import asyncio

    class Bare(Component):  # type: ignore[type-arg]
        async def run(self, input: Any, context: RunContext) -> Any:
            return input

    bare = Bare()
    with pytest.raises(UsageError, match="component Bare has no name"):
        asyncio.run(Runner().run(bare, {}))
    bare.name = "bare"
    with pytest.raises(UsageError, match="'bare' has no description"):
        asyncio.run(Runner().run(bare, {}))
    bare.description = "Gives back what it takes."
    with pytest.raises(UsageError, match="does not say what it takes") as refused:
        asyncio.run(Runner().run(bare, {}))
    assert "Component[Input, Output]" in refused.value.hint
