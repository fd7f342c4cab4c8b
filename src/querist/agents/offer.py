"""A tool as an agent offers it to its model: what the program fills in of its input, the model need not write.

Rows of an earlier result are named and not retyped. With `verbatim`, the model only chooses: tools get the message as
it stands and the last rows. A small model can then neither bend a question nor make up data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from querist.core.component import Component, JsonSchema, Tool
from querist.core.permissions import Kind, Principal
from querist.errors import ComponentInputError

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Offer:
    """A tool, and what of its input is not the model's to write.

    Attributes:
        tool: as the model sees it.
        text: the property that takes the message; empty for none.
        rows: the property that takes rows; empty for none.
    """

    tool: Tool
    text: str
    rows: str
    verbatim: bool

    @property
    def once(self) -> bool:
        """Whether to call it again would only repeat it: there is nothing that could be written otherwise."""
        return self.verbatim and not self.tool.input_schema["properties"]

    def fits(self, found: Mapping[str, Rows]) -> bool:
        """Whether there is what it works on."""
        return not (self.verbatim and self.rows) or bool(_tables(found))

    def filled(self, arguments: Mapping[str, Any], message: str, found: Mapping[str, Rows]) -> dict[str, Any]:
        """The arguments with what the model has not written; rows still by the name of their result."""
        if not self.verbatim:
            return dict(arguments)
        own = {self.text: message} if self.text else {}
        return {**arguments, **own, **({self.rows: tables[-1]} if self.rows and (tables := _tables(found)) else {})}

    def input(self, arguments: Mapping[str, Any], found: Mapping[str, Rows]) -> dict[str, Any]:
        """The arguments with the rows themselves.

        Raises:
            ComponentInputError: they name a result that has none.
        """
        name = arguments.get(self.rows) if self.rows else None
        if not isinstance(name, str):
            return dict(arguments)
        if name not in found:
            known = f"Those that have: {', '.join(found)}." if found else "None has any so far."
            raise ComponentInputError(f"There is no result {name!r} that has rows.", hint=known)
        return {**arguments, self.rows: found[name]}


def offer(tool: Tool, *, verbatim: bool) -> Offer:
    """How to offer a tool."""
    schema = tool.input_schema
    properties, required = schema.get("properties", {}), schema.get("required", ())
    rows = next((name for name in required if _takes_rows(properties[name])), "")
    texts = [name for name in required if properties[name].get("type") == "string"]
    text = texts[0] if len(texts) == 1 and not rows else "question" if "question" in properties else ""
    if verbatim:
        left = {name: properties[name] for name in required if name not in (text, rows)}
        parts = {name: part for name, part in schema.items() if left or name != "$defs"}
        schema = {**parts, "properties": left, "required": list(left)}
    elif rows:
        about = properties[rows].get("description", "")
        name = {"type": "string", "description": "The name of a result"}
        named = {
            "anyOf": [name, properties[rows]],
            "description": f"The name of a result such as result_1, or: {about}",
        }
        schema = {**schema, "properties": {**properties, rows: named}}
    return Offer(replace(tool, input_schema=schema), text, rows, verbatim)


def lacking(tool: Component[Any, Any], principal: Principal) -> list[Kind]:
    """The kinds of permission without which a tool can do nothing, and of which the principal has no grant at all.

    Files are not among them: many tools take a text as well as a file.
    """
    granted = {grant.kind for grant in principal.grants}
    return [kind for kind in tool.permissions if kind in ("network", "process") and kind not in granted]


def _tables(found: Mapping[str, Rows]) -> list[str]:
    """The results with several rows: of a single one there is nothing to draw or to compare."""
    return [name for name, rows in found.items() if len(rows) > 1]


def _takes_rows(schema: JsonSchema) -> bool:
    if options := schema.get("anyOf"):
        return any(map(_takes_rows, options))
    items = schema.get("items", {})
    return schema.get("type") == "array" and items.get("type") == "object" and "properties" not in items
