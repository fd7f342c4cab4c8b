"""A tool of one's own: it counts the lines of a file, and may only read what it was granted.

Run `python examples/core/custom_tool.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel

from querist import Component, Runner
from querist.core.context import RunContext
from querist.core.permissions import Grant, Kind, Need, Principal
from querist.errors import PermissionDeniedError

SHOP = Path(__file__).parents[1] / "shop"


class File(BaseModel):
    path: str


class Lines(BaseModel):
    count: int


class CountLines(Component[File, Lines]):
    name = "count_lines"
    description = "Count the lines of a text file."
    kind = "tool"
    permissions: tuple[Kind, ...] = ("file_read",)

    def needs(self, input: File) -> Iterable[Need]:
        return [Need("file_read", input.path)]

    async def run(self, input: File, context: RunContext) -> Lines:
        text = await asyncio.to_thread(Path(input.path).read_text, "utf-8")
        return Lines(count=len(text.splitlines()))


async def main() -> None:
    runner, tool = Runner(), CountLines()
    context = RunContext(principal=Principal("ann", grants=(Grant("file_read", str(SHOP)),)))
    lines = await runner.run(tool, {"path": str(SHOP / "customers.csv")}, context)
    print("lines:", lines.count)
    try:
        await runner.run(tool, {"path": "/etc/passwd"}, context)
    except PermissionDeniedError as error:
        print("refused:", error.message)
    print("for a model:", tool.to_tool().to_openai()["function"]["name"])


if __name__ == "__main__":
    asyncio.run(main())
