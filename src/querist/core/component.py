"""Component: the unit of work. It holds its own work and nothing else; limits, tracing and events are the runner's.

Write one as a class, or make it from a typed async function with the decorator `component`.
"""

from __future__ import annotations

import inspect
import re
import typing
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar, get_args, get_origin, overload

from pydantic import BaseModel, create_model

from querist.core.context import RunContext
from querist.core.permissions import Kind, Need
from querist.errors import UsageError
from querist.settings.policy import Policy

In = TypeVar("In", bound=BaseModel)
Out = TypeVar("Out", bound=BaseModel)
JsonSchema = dict[str, Any]
ComponentKind = Literal["component", "agent", "tool", "workflow", "step", "model"]
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


@dataclass(frozen=True)
class Tool:
    """A component as it is offered to a model or to another program."""

    name: str
    description: str
    input_schema: JsonSchema
    output_schema: JsonSchema

    def to_openai(self) -> dict[str, Any]:
        """As an entry of `tools` in the Chat Completions format, which most providers understand."""
        function = {"name": self.name, "description": self.description, "parameters": self.input_schema}
        return {"type": "function", "function": function}

    def to_mcp(self) -> dict[str, Any]:
        """As an entry of the answer to MCP's `tools/list`."""
        return {
            "name": self.name,
            "description": self.description,
            "inputSchema": self.input_schema,
            "outputSchema": self.output_schema,
        }


class Component(ABC, Generic[In, Out]):
    """A name, a description, a typed input, a typed output, and the work between them.

    Attributes:
        name: letters, digits, `_` and `-`, at most 64, as providers ask of tool names.
        description: what it does, for the person or the model that chooses it.
        input_type, output_type: taken from the type arguments (`class Ask(Component[Question, Answer])`) unless set.
        kind: what hooks know it by; see `core/hooks.py`.
        version: changes when the same input would give another output, so that no older one is taken from a cache.
        timeout: seconds that one run may take; None leaves it to the runner.
        policy: its other limits; settings go before it.
        permissions: the kinds of permission that a run may need, for people to read; see `needs`.
        own_process: its work is done in a process that keeps to `context.memory_mb` and `context.cpu_seconds`.
    """

    name: str
    description: str
    input_type: type[In]
    output_type: type[Out]
    kind: ComponentKind = "component"
    version: str = "1"
    timeout: float | None = None
    policy: Policy | None = None
    permissions: tuple[Kind, ...] = ()
    own_process: bool = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if isinstance(cls.__dict__.get("description"), str):
            cls.description = inspect.cleandoc(cls.description)
        for base in getattr(cls, "__orig_bases__", ()):
            origin = get_origin(base)
            if isinstance(origin, type) and issubclass(origin, Component):
                for attribute, kind in zip(("input_type", "output_type"), get_args(base), strict=False):
                    if isinstance(kind, type) and attribute not in cls.__dict__:
                        setattr(cls, attribute, kind)

    @abstractmethod
    async def run(self, input: In, context: RunContext) -> Out:
        """Do the work. Only the runner calls this; to run another component from here, give the runner `context`."""

    def needs(self, input: In) -> Iterable[Need]:
        """What a run with this input needs; the runner refuses it when the principal lacks any of it."""
        return ()

    def input_schema(self) -> JsonSchema:
        """JSON Schema of the input."""
        return self.input_type.model_json_schema()

    def output_schema(self) -> JsonSchema:
        """JSON Schema of the output."""
        return self.output_type.model_json_schema()

    def to_tool(self) -> Tool:
        return Tool(self.name, self.description, self.input_schema(), self.output_schema())


def check_component(component: Component[Any, Any]) -> None:
    """Raise a UsageError for a component that lacks what every component has."""
    kind, name = type(component).__name__, getattr(component, "name", None)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        what = "no name" if name is None else f"the name {name!r}"
        raise UsageError(
            f"The component {kind} has {what}.", hint="Names have 1 to 64 letters, digits, hyphens and underscores."
        )
    if not getattr(component, "description", ""):
        raise UsageError(f"The component {name!r} has no description.", hint="Models choose tools by it: add one.")
    if not hasattr(component, "input_type") or not hasattr(component, "output_type"):
        raise UsageError(
            f"The component {name!r} does not say what it takes and gives.",
            hint=f"Name both types: class {kind}(Component[Input, Output]).",
        )


class FunctionComponent(Component[Any, Any]):
    """A component whose work is an async function; made by `component`."""

    def __init__(
        self,
        function: Callable[..., Awaitable[Any]],
        name: str,
        description: str,
        timeout: float | None = None,
        kind: ComponentKind = "component",
        policy: Policy | None = None,
    ) -> None:
        self.function = function
        self.name = name
        self.description = description
        self.timeout = timeout
        self.kind = kind
        self.policy = policy
        parameters, returned = _signature(function)
        self._context = next((p for p, (kind, _) in parameters.items() if kind is RunContext), None)
        values: dict[str, Any] = {p: v for p, v in parameters.items() if p != self._context}
        self._whole = next((p for p, (kind, _) in values.items() if len(values) == 1 and _is_model(kind)), None)
        stem = "".join(part.capitalize() for part in name.replace("-", "_").split("_"))
        self.input_type = values[self._whole][0] if self._whole else create_model(f"{stem}Input", **values)
        self._wrapped = not _is_model(returned)
        self.output_type = create_model(f"{stem}Output", result=(returned, ...)) if self._wrapped else returned

    async def run(self, input: Any, context: RunContext) -> Any:
        if self._whole:
            arguments = {self._whole: input}
        else:
            arguments = {name: getattr(input, name) for name in self.input_type.model_fields}
        if self._context:
            arguments[self._context] = context
        result = await self.function(**arguments)
        return self.output_type(result=result) if self._wrapped else result


@overload
def component(function: Callable[..., Awaitable[Any]]) -> FunctionComponent: ...
@overload
def component(
    *,
    name: str = "",
    description: str = "",
    timeout: float | None = None,
    kind: ComponentKind = "component",
    policy: Policy | None = None,
) -> Callable[[Callable[..., Awaitable[Any]]], FunctionComponent]: ...
def component(
    function: Callable[..., Awaitable[Any]] | None = None,
    *,
    name: str = "",
    description: str = "",
    timeout: float | None = None,
    kind: ComponentKind = "component",
    policy: Policy | None = None,
) -> FunctionComponent | Callable[[Callable[..., Awaitable[Any]]], FunctionComponent]:
    """Make a component from an async function whose parameters and result have types.

    Its parameters become the input: a single pydantic model is the input itself, anything else a field each. A
    parameter of type `RunContext` receives the context. A result that is no pydantic model becomes the field `result`
    of one.

    Args:
        name: the function's own when empty.
        description: the function's docstring when empty.

    Raises:
        TypeError: the function is not async, or a type or the description is missing.
    """

    def make(function: Callable[..., Awaitable[Any]]) -> FunctionComponent:
        own_name = name or function.__name__
        text = description or inspect.cleandoc(function.__doc__ or "")
        if not inspect.iscoroutinefunction(function):
            raise TypeError(f"the component {own_name!r} must be an async function")
        if not text:
            raise TypeError(f"the component {own_name!r} needs a description or a docstring: models choose tools by it")
        return FunctionComponent(function, own_name, text, timeout, kind, policy)

    return make if function is None else make(function)


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _signature(function: Callable[..., Any]) -> tuple[dict[str, tuple[Any, Any]], Any]:
    """The parameters as (type, default) by name, `...` for no default, and the type of the result."""
    hints = typing.get_type_hints(function, include_extras=True)
    parameters: dict[str, tuple[Any, Any]] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise TypeError(
                f"the component {function.__name__!r} cannot have the parameter {parameter}: give it a name"
            )
        if name not in hints:
            raise TypeError(f"the parameter {name!r} of the component {function.__name__!r} needs a type")
        parameters[name] = (hints[name], ... if parameter.default is parameter.empty else parameter.default)
    if "return" not in hints:
        raise TypeError(f"the result of the component {function.__name__!r} needs a type")
    return parameters, hints["return"]
