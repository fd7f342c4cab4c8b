"""A tool's JSON Schema as a small model needs it: only what constrains, and a signature of one line."""

from __future__ import annotations

import copy
from typing import Any

from querist.core.component import JsonSchema, Tool

_KEPT = frozenset(
    "type properties required enum const anyOf oneOf items prefixItems minItems maxItems additionalProperties $ref"
    " $defs".split()
)
"""Keywords that a server can hold a reply to. Finer rules are checked when the tool runs, and told to the model."""

_LONGEST_DESCRIPTION = 160
_LONGEST_HINT = 70
_DEEPEST = 4  # a schema may hold itself


def compact(schema: JsonSchema) -> JsonSchema:
    """The schema without titles, descriptions, defaults and finer rules. What may be left out is never null instead."""
    kept: JsonSchema = {}
    for key, value in schema.items():
        if key not in _KEPT:
            continue
        if key == "properties":
            required = schema.get("required", ())
            kept[key] = {n: compact(inner if n in required else _not_null(inner)) for n, inner in value.items()}
        elif key == "$defs":
            kept[key] = {name: compact(inner) for name, inner in value.items()}
        elif key in ("anyOf", "oneOf", "prefixItems"):
            kept[key] = [compact(inner) for inner in value]
        elif key in ("items", "additionalProperties") and isinstance(value, dict):
            kept[key] = compact(value)
        else:
            kept[key] = value
    if kept.get("type") == "object" and "properties" in kept:
        kept.setdefault("additionalProperties", False)
    return kept


def _not_null(schema: JsonSchema) -> JsonSchema:
    options = [option for option in schema.get("anyOf", ()) if option.get("type") != "null"]
    return options[0] if len(options) == 1 else schema | ({"anyOf": options} if options else {})


def hoist(schema: JsonSchema, owner: str, definitions: JsonSchema) -> JsonSchema:
    """The schema with its `$defs` moved into `definitions`, under names that `owner` makes unique."""
    renamed = copy.deepcopy(schema)
    own = renamed.pop("$defs", {})

    def rename(node: Any) -> None:
        if isinstance(node, dict):
            if isinstance(reference := node.get("$ref"), str):
                node["$ref"] = f"#/$defs/{owner}_{reference.removeprefix('#/$defs/')}"
            for value in node.values():
                rename(value)
        elif isinstance(node, list):
            for value in node:
                rename(value)

    rename(renamed)
    rename(own)
    definitions.update({f"{owner}_{name}": inner for name, inner in own.items()})
    return renamed


def signature(tool: Tool) -> str:
    """`name(parameter: type, optional?: type): what it does`, and what its parameters mean where that is told."""
    schema = tool.input_schema
    properties: dict[str, Any] = schema.get("properties", {})
    required = schema.get("required", ())
    parameters = ", ".join(
        f"{name}{'' if name in required else '?'}: {_type(inner, schema)}" for name, inner in properties.items()
    )
    told = "; ".join(
        f"{name}: {_first(inner['description'], _LONGEST_HINT)}"
        for name, inner in properties.items()
        if inner.get("description")
    )
    text = f"{tool.name}({parameters}): {_first(tool.description, _LONGEST_DESCRIPTION)}"
    return f"{text} ({told})" if told else text


def _type(schema: JsonSchema, root: JsonSchema, depth: int = 0) -> str:
    if depth > _DEEPEST:
        return "any"
    if reference := schema.get("$ref"):
        return _type(root.get("$defs", {}).get(reference.removeprefix("#/$defs/"), {}), root, depth + 1)
    if "const" in schema:
        return repr(schema["const"])
    if "enum" in schema:
        return "|".join(map(repr, schema["enum"]))
    if options := schema.get("anyOf") or schema.get("oneOf"):
        named = [_type(option, root, depth + 1) for option in options if option.get("type") != "null"]
        return "|".join(dict.fromkeys(named))
    kind = schema.get("type", "any")
    if kind == "array":
        return f"[{_type(schema.get('items', {}), root, depth + 1)}]"
    if kind == "object" and (inner := schema.get("properties")):
        return "{" + ", ".join(f"{name}: {_type(value, root, depth + 1)}" for name, value in inner.items()) + "}"
    return str(kind)


def _first(text: str, length: int) -> str:
    """The first sentence, cut where it is too long."""
    line = " ".join(text.split())
    sentence = line.split(". ", 1)[0].rstrip(".")
    return sentence if len(sentence) <= length else sentence[: length - 1].rstrip() + "…"
