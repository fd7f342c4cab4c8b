"""What tools share beside files: how strictly input is read, and what is said when a library is missing."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import IO

from pydantic import BaseModel, ConfigDict

from querist.core.context import RunContext
from querist.errors import ComponentTimeoutError, MissingExtraError

CHUNK = 1 << 18


class ToolInput(BaseModel):
    """Input of a tool: a parameter that it does not know is a mistake, and told."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def require(package: str, purpose: str, extra: str = "tools") -> None:
    """Raise MissingExtraError unless `package` is installed; for work that is done in another process.

    Args:
        purpose: ends the sentence "... is needed to".
    """
    if importlib.util.find_spec(package) is None:
        raise MissingExtraError(package, extra, purpose)


def chunks(file: IO[bytes], context: RunContext) -> Iterator[bytes]:
    """A file piece by piece, in a thread that nobody can stop, and so only while the run is still wanted."""
    while chunk := file.read(CHUNK):
        remaining = context.remaining()
        if context.cancellation.cancelled or (remaining is not None and remaining <= 0):
            raise ComponentTimeoutError("The file was not read to its end in time.", hint="Allow more time.")
        yield chunk
