"""Loads what judging a draft needs while the model still writes it: a third of a second that nobody then waits for."""

from __future__ import annotations

import asyncio
import sys

from querist.sources.base import Schema

_HEAD_START = 0.05
"""Seconds that the model's requests get to leave first: Python runs one thread at a time."""


async def warm_up(schema: Schema) -> None:
    """Load the SQL parser and the schema's dialect. Does nothing when the parser is loaded."""
    if "sqlglot" in sys.modules:
        return
    await asyncio.sleep(_HEAD_START)
    await asyncio.to_thread(_load, schema)


def _load(schema: Schema) -> None:
    import sqlglot.optimizer.scope  # noqa: F401 - imported for its own sake

    from querist.errors import GuardError
    from querist.sources.guard import guard

    try:
        guard("SELECT 1", schema)  # its dialect builds its tables at the first statement
    except GuardError:
        return  # even so they are built
