"""Reading a reply as JSON that follows a schema."""

from __future__ import annotations

from typing import Any

import pytest

from querist.models.structured import parse_reply

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "age": {"type": ["integer", "null"]},
        "kind": {"enum": ["a", "b"]},
        "friends": {"type": "array", "items": {"$ref": "#/$defs/friend"}},
        "value": {"anyOf": [{"type": "number"}, {"type": "string"}]},
    },
    "required": ["name"],
    "additionalProperties": False,
    "$defs": {"friend": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}},
}


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ('{"name": "Ann"}', {"name": "Ann"}),
        ('```json\n{"name": "Ann", "age": null}\n```', {"name": "Ann", "age": None}),
        ('{"name": "Ann", "friends": [{"name": "Bo"}], "value": 1.5}', None),
        ('{"name": "Ann", "value": "x", "kind": "b", "age": 3}', None),
    ],
)
def test_takes_json_that_follows_the_schema(text: str, data: Any) -> None:
    parsed = parse_reply(text, PERSON)
    assert parsed == data if data else parsed["name"] == "Ann"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("The name is Ann.", "not JSON"),
        ('{"name": "Ann"', "not JSON"),
        ("[]", "the reply is list, not object"),
        ('{"age": 3}', "lacks 'name'"),
        ('{"name": 3}', r"the reply\.name is int, not string"),
        ('{"name": "Ann", "age": true}', r"the reply\.age is bool, not integer or null"),
        ('{"name": "Ann", "kind": "c"}', "not one of"),
        ('{"name": "Ann", "sex": "f"}', "'sex', which the schema does not allow"),
        ('{"name": "Ann", "friends": [{"name": "Bo"}, {}]}', r"the reply\.friends\[1\] lacks 'name'"),
        ('{"name": "Ann", "value": []}', "none of the 2 forms"),
    ],
)
def test_says_where_json_breaks_the_schema(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        parse_reply(text, PERSON)
