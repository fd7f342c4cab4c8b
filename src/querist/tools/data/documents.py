"""`json_processor`, `yaml_processor`, `xml_processor` and `data_validator`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from itertools import islice
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, Field, model_validator

from querist.core.component import Component
from querist.core.context import RunContext
from querist.errors import ComponentInputError
from querist.tools.data import structured
from querist.tools.data.given import TextOrFile
from querist.tools.data.rows import FUNCTIONS
from querist.tools.expressions import Expression
from querist.tools.tool import Told, Tool, ToolInput, require, while_wanted
from querist.tools.worker import in_worker

JsonSchema = dict[str, Any] | bool


class Mistake(BaseModel):
    path: str = Field(description="Where: a JSON pointer (RFC 6901), for XML an XPath; empty for the whole.")
    message: str


class Document(BaseModel):
    data: Told = Field(default=None, description="What was read, found, merged or transformed.")
    valid: bool | None = Field(default=None, description="For `validate`.")
    errors: list[Mistake] = Field(default=[], description=f"For `validate`: {structured.MAX_ERRORS} at most.")


class JsonProcessorInput(TextOrFile):
    needed: ClassVar = {"transform": ["expression"], "validate": ["schema_"], "merge": ["patch"]}

    operation: Literal["parse", "transform", "validate", "merge"] = Field(default="parse", description="What to do.")
    expression: str | None = Field(
        default=None, description="For `transform`: JMESPath, such as `people[?age > `20`].name`.", max_length=5_000
    )
    schema_: JsonSchema | None = Field(default=None, alias="schema", description="For `validate`: a JSON Schema.")
    patch: Any = Field(default=None, description="For `merge`: a merge patch (RFC 7396); null in it takes a field out.")


class JsonProcessor(Tool[JsonProcessorInput, Document]):
    name = "json_processor"
    description = "Parse JSON, take parts of it with JMESPath, validate it by a JSON Schema, or merge changes into it."
    permissions = ("file_read",)
    own_process = True

    async def run(self, input: JsonProcessorInput, context: RunContext) -> Document:
        text = await asyncio.to_thread(input.read, context)
        if input.operation == "transform":
            require("jmespath", "take parts of JSON")
            return Document(data=await in_worker(structured.query_json, text, input.expression))
        if input.operation == "validate":
            require("jsonschema", "validate data")
            return Document.model_validate(await in_worker(structured.validate_json, text, input.schema_))
        if input.operation == "merge":
            return Document(data=await in_worker(structured.merge_json, text, input.patch))
        return Document(data=await in_worker(structured.read_json, text))


class YamlProcessorInput(TextOrFile):
    needed: ClassVar = {"validate": ["schema_"]}

    operation: Literal["parse", "generate", "validate"] = Field(default="parse", description="What to do.")
    data: Any = Field(default=None, description="For `generate`: what to write.")
    schema_: JsonSchema | None = Field(default=None, alias="schema", description="For `validate`: a JSON Schema.")

    def _takes_text(self) -> bool:
        return self.operation != "generate"


class YamlProcessor(Tool[YamlProcessorInput, Document]):
    name = "yaml_processor"
    description = "Parse YAML 1.2 (plain data, no tags that make objects), write it, or validate it by a JSON Schema."
    permissions = ("file_read",)
    own_process = True

    async def run(self, input: YamlProcessorInput, context: RunContext) -> Document:
        if input.operation == "generate":
            return Document(data=await in_worker(structured.write_yaml, input.data))
        text = await asyncio.to_thread(input.read, context)
        if input.operation == "validate":
            require("jsonschema", "validate data")
            return Document.model_validate(await in_worker(structured.validate_yaml, text, input.schema_))
        return Document(data=await in_worker(structured.read_yaml, text))


class XmlProcessorInput(TextOrFile):
    needed: ClassVar = {"xpath": ["expression"], "xslt": ["stylesheet"], "validate": ["schema_"]}

    operation: Literal["parse", "xpath", "xslt", "validate"] = Field(default="parse", description="What to do.")
    expression: str | None = Field(default=None, description="For `xpath`: XPath 1.0.", max_length=5_000)
    namespaces: dict[str, str] = Field(default={}, description="For `xpath`: prefixes in the expression.")
    stylesheet: str | None = Field(default=None, description="For `xslt`: an XSLT 1.0 stylesheet.")
    parameters: dict[str, str] = Field(default={}, description="For `xslt`: texts for its parameters.")
    schema_: str | None = Field(default=None, alias="schema", description="For `validate`: an XML Schema (XSD).")
    limit: int = Field(default=1000, description="For `xpath`: results at most.", gt=0, le=100_000)


class XmlProcessor(Tool[XmlProcessorInput, Document]):
    name = "xml_processor"
    description = """Parse XML, find parts of it with XPath, transform it with XSLT, or validate it by an XML Schema.

    Documents that define entities or bring in other files are refused."""
    permissions = ("file_read",)
    own_process = True

    async def run(self, input: XmlProcessorInput, context: RunContext) -> Document:
        require("lxml", "read XML")
        text = await asyncio.to_thread(input.read, context)
        match input.operation:
            case "xpath":
                found = await in_worker(structured.find_xml, text, input.expression, input.namespaces, input.limit)
                return Document(data=found)
            case "xslt":
                made = await in_worker(structured.transform_xml, text, input.stylesheet, input.parameters)
                return Document(data=made)
            case "validate":
                return Document.model_validate(await in_worker(structured.validate_xml, text, input.schema_))
        return Document(data=await in_worker(structured.read_xml, text))


class Rule(ToolInput):
    name: str = Field(description="What is told when it does not hold.")
    condition: str = Field(description="An expression over the fields, such as `low <= high`.")


class DataValidatorInput(ToolInput):
    data: Any = Field(description="The data: an object, or a list of rows.")
    schema_: JsonSchema | None = Field(default=None, alias="schema", description="A JSON Schema for the data.")
    rules: list[Rule] = Field(default=[], description="For each row, or for the one object.", max_length=100)

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.schema_ is None and not self.rules:
            raise ValueError("give a `schema`, or `rules`, or both")
        return self


class Validated(BaseModel):
    valid: bool
    errors: list[Mistake] = Field(description=f"{structured.MAX_ERRORS} at most.")


class DataValidator(Component[DataValidatorInput, Validated]):
    name = "data_validator"
    description = "Validate data by a JSON Schema and by rules of your own, and tell each mistake with its place."

    async def run(self, input: DataValidatorInput, context: RunContext) -> Validated:
        errors: list[Mistake] = []
        if input.schema_ is not None:
            require("jsonschema", "validate data")
            found = await in_worker(structured.validate, input.data, input.schema_)
            errors = Validated.model_validate(found).errors
        broken = islice(_broken(input.data, input.rules, context), structured.MAX_ERRORS - len(errors))
        errors += await asyncio.to_thread(list, broken)
        return Validated(valid=not errors, errors=errors)


def _broken(data: Any, rules: list[Rule], context: RunContext) -> Iterable[Mistake]:
    rows = {f"/{i}": row for i, row in enumerate(data)} if isinstance(data, list) else {"": data}
    conditions = [(rule, Expression(rule.condition, FUNCTIONS)) for rule in rules]
    for path, row in while_wanted(rows.items(), context):
        for rule, condition in conditions:
            if not isinstance(row, dict):
                raise ComponentInputError("Rules are for an object, or for a list of objects.")
            try:
                holds = condition(row)
            except ComponentInputError as error:
                yield Mistake(path=path, message=f"{rule.name}: {error.message}")
                continue
            if not holds:
                yield Mistake(path=path, message=rule.name)
