"""`template_processor`: texts with places to fill in."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from querist.core.component import Component
from querist.core.context import RunContext
from querist.tools.tool import ToolInput, require
from querist.tools.utilities.rendering import MAX_OUTPUT, render
from querist.tools.worker import in_worker


class TemplateOptions(ToolInput):
    strict: bool = Field(default=True, description="Whether a variable that is missing is an error, and not empty.")
    escape_html: bool = Field(default=False, description="Whether values are escaped for HTML.")


class TemplateProcessorInput(ToolInput):
    template: str = Field(description="Jinja: `{{ x }}`, `{% for %}`, `{% if %}`, filters.", max_length=200_000)
    variables: dict[str, Any] = Field(default={}, description="What the names in it stand for.")
    options: TemplateOptions = Field(default=TemplateOptions(), description="How strict, and whether for HTML.")


class Rendered(BaseModel):
    text: str


class TemplateProcessor(Component[TemplateProcessorInput, Rendered]):
    name = "template_processor"
    description = f"""Fill in a template.

    It is a Jinja template in Jinja's sandbox: it sees no files and nothing of Python. It may make {MAX_OUTPUT:,}
    characters."""
    own_process = True

    async def run(self, input: TemplateProcessorInput, context: RunContext) -> Rendered:
        require("jinja2", "fill in templates")
        options = input.options
        return Rendered(
            text=await in_worker(render, input.template, input.variables, options.strict, options.escape_html)
        )
