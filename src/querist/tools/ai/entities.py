"""`named_entity_recognizer`: what a text names: persons, places and dates by a model, addresses by rules."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pydantic import BaseModel, Field

from querist.core.context import RunContext
from querist.core.permissions import Need
from querist.models.structured import record
from querist.tools.ai.asking import TO_ASK, ModelTool
from querist.tools.tool import ToolInput

_CHUNK = 4000
"""Characters of text in one call of the model."""

_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}"
_RULES = {
    "EMAIL": re.compile(r"\b[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[a-zA-Z]{2,24}\b"),
    "URL": re.compile(r"\bhttps?://[^\s<>\"'\])}]{1,2000}(?<![.,;:!?])"),
    "IP_ADDRESS": re.compile(r"\b(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)\b"),
    "DATE": re.compile(
        rf"\b\d{{4}}-\d\d-\d\d\b|\b\d{{1,2}}[./]\d{{1,2}}[./]\d{{4}}\b|\b\d{{1,2}}\.? {_MONTH} \d{{4}}\b"
        rf"|\b{_MONTH} \d{{1,2}}, \d{{4}}\b"
    ),
}


class NamedEntityRecognizerInput(ToolInput):
    text: str = Field(description="The text.", min_length=1, max_length=60_000)
    entity_types: list[str] = Field(
        default=["PERSON", "ORGANIZATION", "LOCATION", "DATE"],
        description=f"What to look for, in words a model understands. {', '.join(_RULES)} alone need no model.",
        min_length=1,
        max_length=20,
    )


class Entity(BaseModel):
    text: str = Field(description="As it stands in the text.")
    type: str
    start: int = Field(description="Place of its first character, from 0.")
    end: int


class Entities(BaseModel):
    entities: list[Entity] = Field(description="By their place in the text.")
    invented: list[str] = Field(description="What the model named and the text does not hold; left out above.")


class NamedEntityRecognizer(ModelTool[NamedEntityRecognizerInput, Entities]):
    name = "named_entity_recognizer"
    description = """Find what a text names: persons, organisations, places, dates, addresses or anything else.

    Addresses are found by rules; dates as well, in their commonest forms, where nothing else is asked for."""

    def needs(self, input: NamedEntityRecognizerInput) -> Iterable[Need]:
        return (TO_ASK,) if set(input.entity_types) - set(_RULES) else ()

    async def run(self, input: NamedEntityRecognizerInput, context: RunContext) -> Entities:
        asked = list(dict.fromkeys(input.entity_types))
        for_model = [kind for kind in asked if kind not in _RULES or kind == "DATE"] if set(asked) - set(_RULES) else []
        found = {
            (match.start(), match.end()): kind
            for kind in asked
            if kind in _RULES and kind not in for_model
            for match in _RULES[kind].finditer(input.text)
        }
        invented: dict[str, None] = {}
        kind = {"type": "string", "enum": for_model}
        item = record(text={"type": "string", "maxLength": 200}, type=kind)
        schema = record(entities={"type": "array", "items": item, "maxItems": 60})
        for offset, chunk in _chunks(input.text) if for_model else ():
            given = await self.ask(context, "entities", schema, types=", ".join(for_model), text=chunk)
            for entity in given["entities"]:
                places = list(_places(entity["text"], chunk))
                if not places:
                    invented[entity["text"]] = None
                for start in places:
                    found.setdefault((offset + start, offset + start + len(entity["text"])), entity["type"])
        entities = [
            Entity(text=input.text[start:end], type=type, start=start, end=end)
            for (start, end), type in sorted(found.items())
        ]
        return Entities(entities=entities, invented=list(invented))


def _chunks(text: str) -> Iterator[tuple[int, str]]:
    """The text in pieces that end between sentences or at least words, each with its place."""
    start = 0
    while start < len(text):
        end = len(text)
        if end - start > _CHUNK:
            window = text[start : start + _CHUNK]
            cut = max(window.rfind(". "), window.rfind("\n"))
            end = start + (cut if cut > _CHUNK // 2 else max(window.rfind(" "), _CHUNK // 2)) + 1
        yield start, text[start:end]
        start = end


def _places(name: str, text: str) -> Iterator[int]:
    """Where a name stands in a text, as whole words."""
    if name.strip():
        edge = r"(?<!\w)", r"(?!\w)"
        for match in re.finditer(f"{edge[0]}{re.escape(name)}{edge[1]}", text):
            yield match.start()
