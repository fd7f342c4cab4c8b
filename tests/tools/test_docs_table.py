"""The table of the tools in the documentation says what the catalogue says. `python -m tests.tools.test_docs_table`
writes it."""

from __future__ import annotations

import re
from pathlib import Path

from querist.tools.catalogue import ENTRIES, Entry

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs/tools.md"
BEGIN, END = "<!-- the table is written by tests/tools/test_docs_table.py -->\n\n", "\n<!-- end of the table -->"


def table() -> str:
    lines = ["| tool | what it does | may need | library | extra | tests |", "|---|---|---|---|---|---|"]
    group = ""
    for entry in ENTRIES:
        if entry.group != group:
            group = entry.group
            lines.append(f"| **{group}** | | | | | |")
        tested = "".join(
            f"[{path.stem.removeprefix('test_')}](../{path.relative_to(ROOT)}) " for path in that_use(entry)
        )
        needs = ", ".join(f"`{kind}`" for kind in entry.permissions)
        extra = f"`{entry.extra}`" if entry.extra else ""
        lines.append(f"| `{entry.name}` | {entry.summary} | {needs} | {entry.library} | {extra} | {tested.strip()} |")
    return "\n".join(lines) + "\n"


def that_use(entry: Entry) -> list[Path]:
    """The files of the group's tests that use the tool."""
    folder = ROOT / "tests/tools" / entry.group
    named = re.compile(rf'"{entry.name}"|\b{entry.class_name}\(')
    return [path for path in sorted(folder.glob("test_*.py")) if named.search(path.read_text(encoding="utf-8"))]


def test_the_page_has_the_table_of_the_catalogue() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page.partition(BEGIN)[2].partition(END)[0] == table(), "write it: python -m tests.tools.test_docs_table"


def test_every_tool_is_tested() -> None:
    assert [entry.name for entry in ENTRIES if not that_use(entry)] == []


if __name__ == "__main__":
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(before + BEGIN + table() + END + rest.partition(END)[2], encoding="utf-8")
