"""A tool as a small model sees it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from querist.agents.tool_schema import compact, hoist, signature
from querist.core.component import Tool


class Place(BaseModel):
    town: str
    inside: list[Place] = []


class Search(BaseModel):
    where: Place = Field(description="The place. And more of it")
    kind: Literal["shop", "school"] = "shop"
    limit: int | None = Field(default=None, ge=1)
    tags: list[str] = []


def tool() -> Tool:
    return Tool("search", "Find a place. It may take a while.", Search.model_json_schema(), {})


def test_a_signature_is_one_line_with_types_and_what_parameters_mean() -> None:
    assert signature(tool()).startswith("search(where: {town: string, inside: [{town: any, inside: any}]}, ")
    assert signature(tool()).endswith(
        "kind?: 'shop'|'school', limit?: integer, tags?: [string]): Find a place (where: The place)"
    )


def test_a_schema_keeps_what_constrains_and_nothing_else() -> None:
    small = compact(Search.model_json_schema())
    assert small["properties"]["kind"] == {"enum": ["shop", "school"], "type": "string"}
    assert small["properties"]["limit"] == {"type": "integer"}
    assert (small["required"], small["additionalProperties"]) == (["where"], False)


def test_definitions_of_several_tools_do_not_mix() -> None:
    definitions: dict[str, Any] = {}
    for name in ("one", "two"):
        schema = hoist(Search.model_json_schema(), name, definitions)
        assert schema["properties"]["where"]["$ref"] == f"#/$defs/{name}_Place"
    assert sorted(definitions) == ["one_Place", "two_Place"]
    assert definitions["two_Place"]["properties"]["inside"]["items"] == {"$ref": "#/$defs/two_Place"}
