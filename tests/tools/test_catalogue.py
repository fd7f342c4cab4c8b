from __future__ import annotations

import subprocess
import sys

import pytest

from querist.core.component import Component
from querist.errors import ComponentNotFoundError
from querist.tools.catalogue import ENTRIES, GROUPS, Entry, load_tool
from querist.tools.confined import READ, WRITE
from querist.tools.web.fetching import FETCH


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_an_entry_says_what_its_tool_says(entry: Entry) -> None:
    tool = load_tool(entry.name)
    assert isinstance(tool, Component)
    assert (tool.name, tool.kind) == (entry.name, "tool")
    assert tool.description.splitlines()[0] == entry.summary
    assert set(tool.permissions) == set(entry.permissions)
    assert tool.input_schema()["properties"], "a tool takes something"
    undescribed = [n for n, field in tool.input_type.model_fields.items() if not field.description]
    assert not undescribed, "models choose values by the descriptions of fields"


def test_names_are_unique_and_groups_stand_together() -> None:
    assert len({entry.name for entry in ENTRIES}) == len(ENTRIES)
    assert [e.group for e in ENTRIES] == sorted((e.group for e in ENTRIES), key=GROUPS.index)


def test_listing_imports_no_tool() -> None:
    code = (
        "import sys, querist.tools.catalogue as c; assert c.ENTRIES;"
        "print([m for m in sys.modules if m.startswith('querist.tools.') and m != 'querist.tools.catalogue'])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(ComponentNotFoundError) as failure:
        load_tool("file_raeder")
    assert "'file_reader'" in failure.value.hint


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_what_the_fields_of_a_tool_touch_is_among_its_permissions(entry: Entry) -> None:
    tool = load_tool(entry.name)
    touched = {mark for field in tool.input_type.model_fields.values() for mark in field.metadata}
    kinds = {READ: "file_read", WRITE: "file_write", FETCH: "network"}
    assert {kind for mark, kind in kinds.items() if mark in touched} <= set(tool.permissions)
