"""What tools share beside files: what they need, how strictly input is read, what is said when a library is missing."""

from __future__ import annotations

import asyncio
import importlib.util
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Annotated, Any, ClassVar, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticSerializationError, to_json

from querist.core.component import Component, In, Out
from querist.core.context import RunContext
from querist.core.permissions import Need
from querist.errors import ComponentInputError, ComponentTimeoutError, MissingExtraError

T = TypeVar("T")
CHUNK = 1 << 18


class ToolInput(BaseModel):
    """Input of a tool: a parameter that it does not know is a mistake, and told. Names may be written in camelCase too.

    Attributes:
        needed: fields that an operation (or action) cannot do without.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    needed: ClassVar[Mapping[str, Sequence[str]]] = {}

    @model_validator(mode="before")
    @classmethod
    def _in_snake_case(cls, data: Any) -> Any:
        if not isinstance(data, dict) or data.keys() <= cls.model_fields.keys():
            return data
        names = {to_camel(name): name for name in cls.model_fields}
        return {names.get(key, key): value for key, value in data.items()}

    @model_validator(mode="after")
    def _complete(self) -> Self:
        operation = getattr(self, "operation", getattr(self, "action", ""))
        for name in self.needed.get(operation, ()):
            if getattr(self, name) in (None, "", []):
                raise ValueError(f"`{operation}` needs `{name.rstrip('_')}`")
        return self


@dataclass(frozen=True)
class Touches:
    """Marks a field of an input (`Annotated[str, READ]`): what it names, one or a list, is what a run needs."""

    need: Callable[[str], Need]


class Tool(Component[In, Out]):
    """A component that needs what the fields of its input say."""

    def needs(self, input: In) -> Iterable[Need]:
        for name, field in type(input).model_fields.items():
            for mark in field.metadata:
                if isinstance(mark, Touches) and (value := getattr(input, name)):
                    yield from map(mark.need, [value] if isinstance(value, str) else value)


class ThreadTool(Tool[In, Out]):
    """A tool whose work is done in a thread, as it waits for nobody but the machine."""

    async def run(self, input: In, context: RunContext) -> Out:
        return await asyncio.to_thread(self.work, input, context)

    @abstractmethod
    def work(self, input: In, context: RunContext) -> Out:
        """What `run` is for other tools."""


def _tellable(data: Any) -> Any:
    try:
        to_json(data)
    except PydanticSerializationError as error:  # nested beyond what anybody reads, or half a character
        raise ComponentInputError(f"What was found cannot be told: {error}.", hint="Take a part of it.") from error
    return data


Told = Annotated[Any, AfterValidator(_tellable)]
"""Data from outside in the output of a tool: any that can be written as JSON again."""


def require(package: str, purpose: str, extra: str = "tools") -> None:
    """Raise MissingExtraError unless `package` is installed; for work that is done in another process.

    Args:
        purpose: ends the sentence "... is needed to".
    """
    if importlib.util.find_spec(package) is None:
        raise MissingExtraError(package, extra, purpose)


def while_wanted(items: Iterable[T], context: RunContext) -> Iterator[T]:
    """The items, for work in a thread, which nobody can stop: it ends itself when the run is over."""
    for item in items:
        remaining = context.remaining()
        if context.cancellation.cancelled or (remaining is not None and remaining <= 0):
            raise ComponentTimeoutError("There was no time left to finish.", hint="Allow more time, or ask for less.")
        yield item


def chunks(file: IO[bytes], context: RunContext) -> Iterator[bytes]:
    """A file piece by piece, while the run is wanted."""
    return while_wanted(iter(lambda: file.read(CHUNK), b""), context)
