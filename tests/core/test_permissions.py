"""Permissions: a run starts only when its principal may do all that it needs, and every grant used is told."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from pydantic import BaseModel

from querist.core.component import Component
from querist.core.context import RunContext
from querist.core.events import Event, EventBus, PermissionUsed
from querist.core.permissions import Grant, Need, Principal
from querist.core.runner import Runner
from querist.errors import PermissionDeniedError, UsageError
from querist.settings.policy import Policy


class File(BaseModel):
    path: str


class Size(BaseModel):
    bytes: int


class SizeOf(Component[File, Size]):
    name = "size_of"
    description = "The size of a file."
    permissions = ("file_read",)

    def needs(self, input: File) -> Iterable[Need]:
        return [Need("file_read", input.path)]

    async def run(self, input: File, context: RunContext) -> Size:
        return Size(bytes=Path(input.path).stat().st_size)


@pytest.mark.anyio
async def test_without_the_grant_nothing_happens(tmp_path: Path) -> None:
    with pytest.raises(PermissionDeniedError, match="file_read"):
        await Runner().run(SizeOf(), {"path": str(tmp_path / "none")}, RunContext())


@pytest.mark.anyio
async def test_a_grant_that_is_used_is_told(tmp_path: Path) -> None:
    told: list[Event] = []
    events = EventBus()
    events.subscribe(told.append, "permission.*")
    (tmp_path / "a.txt").write_text("abc")
    one = Principal("ann", (Grant("file_read", str(tmp_path)),))
    size = await Runner().run(SizeOf(), {"path": str(tmp_path / "a.txt")}, RunContext(events=events, principal=one))
    assert size.bytes == 3
    assert [(e.principal, e.source) for e in told if isinstance(e, PermissionUsed)] == [("ann", "size_of")]


@pytest.mark.anyio
async def test_what_is_kept_of_a_run_is_not_handed_to_one_who_may_not_run_it(tmp_path: Path) -> None:
    runner = Runner(policies={"size_of": Policy.model_validate({"cache": {}})})
    (tmp_path / "a.txt").write_text("abc")
    asked = {"path": str(tmp_path / "a.txt")}
    await runner.run(SizeOf(), asked, RunContext(principal=Principal("ann", (Grant("file_read", str(tmp_path)),))))
    with pytest.raises(PermissionDeniedError):
        await runner.run(SizeOf(), asked, RunContext())


@pytest.mark.parametrize("text", ["everything", "file_read:", "files:/", ":/"])
def test_what_names_no_kind_or_no_scope_grants_nothing(text: str) -> None:
    with pytest.raises(UsageError, match="is no permission"):
        Grant.parse(text)


def test_a_folder_is_granted_with_what_is_in_it_and_not_what_its_links_lead_to(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / "link").symlink_to(outside)
    grant = Grant("file_read", str(root))
    assert grant.covers(Need("file_read", str(root / "a" / "b.csv")))
    assert not grant.covers(Need("file_read", str(root / ".." / "outside" / "b.csv")))
    assert not grant.covers(Need("file_read", str(root / "link" / "b.csv")))
    assert not grant.covers(Need("file_read", str(tmp_path / "root2")))
    assert not grant.covers(Need("file_write", str(root / "a")))


@pytest.mark.parametrize(
    ("scope", "host", "covered"),
    [
        ("example.org", "example.org", True),
        ("example.org", "EXAMPLE.org:443", True),
        ("example.org:443", "example.org:80", False),
        ("*.example.org", "api.example.org", True),
        ("*.example.org", "example.org.evil.net", False),
        ("example.org", "notexample.org", False),
        ("*", "anything.net:8080", True),
    ],
)
def test_hosts_are_granted_by_pattern(scope: str, host: str, covered: bool) -> None:
    assert Grant("network", scope).covers(Need("network", host)) is covered
