"""Read a model's reply as JSON and hold it against the schema that was asked for; `record` makes one.

Servers that constrain the reply never fail here. It is for those that take a schema as a wish. The check covers the
part of JSON Schema that requests use; a keyword it does not know passes.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from querist.errors import ModelOutputError
from querist.models.base import JsonSchema, Message, Reply, Request

log = logging.getLogger(__name__)

_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "null": type(None),
    "integer": int,
    "number": (int, float),
}


async def follow_schema(name: str, request: Request, ask: Callable[[Request], Awaitable[Reply]]) -> Reply:
    """The reply of the model `name` to `request`, its JSON read; asks once more after a reply that breaks the schema.

    Raises:
        ModelOutputError: the reply was cut off, or broke the schema twice.
    """
    reply = await ask(request)
    if request.schema is None:
        return reply
    try:
        return replace(reply, data=parse_reply(reply.text, request.schema))
    except ValueError as error:
        fault = str(error)
    if reply.finish == "length":
        raise ModelOutputError(
            f"{name} was cut off after {reply.usage.output_tokens} tokens, in the middle of its JSON.",
            hint="Ask for something shorter, or over fewer tables.",
        )
    log.warning("%s did not follow the schema (%s); asking once more", name, fault)
    demand = f"That is not usable: {fault}. Reply with nothing but JSON that follows this JSON Schema:\n"
    insisting = [Message("assistant", reply.text), Message("user", demand + json.dumps(request.schema))]
    again = await ask(replace(request, messages=[*request.messages, *insisting]))
    again = replace(again, usage=reply.usage + again.usage)
    try:
        return replace(again, data=parse_reply(again.text, request.schema))
    except ValueError as error:
        raise ModelOutputError(
            f"{name} did not follow the schema it was given, twice: {error}.",
            hint="Choose a model or server that supports structured output (JSON schema).",
        ) from error


def record(**properties: JsonSchema) -> JsonSchema:
    """JSON Schema of an object that has just these properties, in this order."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def parse_reply(text: str, schema: JsonSchema) -> Any:
    """The JSON in `text`, which may stand in a Markdown fence.

    Raises:
        ValueError: it is not JSON or does not follow `schema`; the message says what and where.
    """
    body = text.strip()
    if body.startswith("```"):
        body = body.split("\n", 1)[-1].rsplit("```", 1)[0]
    try:
        data = json.loads(body)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at character {error.pos}") from error
    if fault := _fault(data, schema, schema, "the reply"):
        raise ValueError(fault)
    return data


def _fault(data: Any, schema: JsonSchema, root: JsonSchema, where: str) -> str:
    """What is wrong with `data` at the place called `where`; empty when nothing is."""
    if reference := schema.get("$ref"):
        return _fault(data, _resolve(reference, root), root, where)
    if options := schema.get("anyOf") or schema.get("oneOf"):
        faults = [_fault(data, option, root, where) for option in options]
        return "" if "" in faults else f"{where} fits none of the {len(faults)} forms allowed ({faults[0]})"
    if "enum" in schema and data not in schema["enum"]:
        return f"{where} is {data!r}, not one of {schema['enum']}"
    if "const" in schema and data != schema["const"]:
        return f"{where} is {data!r}, not {schema['const']!r}"
    if wanted := schema.get("type"):
        kinds = [wanted] if isinstance(wanted, str) else wanted
        if not any(_is(data, kind) for kind in kinds):
            return f"{where} is {type(data).__name__}, not {' or '.join(kinds)}"
    if isinstance(data, dict):
        return _object_fault(data, schema, root, where)
    if isinstance(data, list) and isinstance(schema.get("items"), dict):
        places = (_fault(item, schema["items"], root, f"{where}[{number}]") for number, item in enumerate(data))
        return next((fault for fault in places if fault), "")
    return ""


def _object_fault(data: dict[str, Any], schema: JsonSchema, root: JsonSchema, where: str) -> str:
    properties = schema.get("properties", {})
    if missing := [key for key in schema.get("required", []) if key not in data]:
        return f"{where} lacks {', '.join(map(repr, missing))}"
    if schema.get("additionalProperties") is False and (extra := [key for key in data if key not in properties]):
        return f"{where} has {', '.join(map(repr, extra))}, which the schema does not allow"
    places = (_fault(data[key], inner, root, f"{where}.{key}") for key, inner in properties.items() if key in data)
    return next((fault for fault in places if fault), "")


def _is(data: Any, kind: str) -> bool:
    if isinstance(data, bool):
        return kind == "boolean"
    return isinstance(data, _TYPES[kind]) if kind in _TYPES else True


def _resolve(reference: str, root: JsonSchema) -> JsonSchema:
    found: Any = root
    for key in reference.removeprefix("#/").split("/"):
        found = found[key]
    resolved: JsonSchema = found
    return resolved
