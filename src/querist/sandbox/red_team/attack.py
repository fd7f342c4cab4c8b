"""An attack, and the ways in which it is seen from outside whether it succeeded."""

from __future__ import annotations

import dataclasses
import html
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from querist.sandbox.base import Outcome
from querist.sandbox.red_team.canaries import Canaries
from querist.sources.table import Table

_ACTS = re.compile(r"<script|onload=|<!entity|javascript:", re.I)
FRAME = """import json, os
def raw(data):
    for channel in range(3, 9):  # whichever leads to the host
        try: return os.write(channel, data)
        except OSError: pass
def frame(kind, data=b'', **about):
    raw(json.dumps({'kind': kind, 'size': len(data), **about}).encode() + b'\\n' + data)
"""
"""Lets code write to the channel of its results itself."""

Evidence = Callable[[Canaries, Outcome], str]
"""What shows that the attack succeeded, in words; empty when nothing does."""


@dataclass(frozen=True)
class Attack:
    """Code that tries something it must not. It finds its targets in the dictionary `P`.

    Attributes:
        name: stable, for people and programs.
        tries: what it tries, to end the sentence "it …".
        tables: what the code is given beside its targets.
        before: code of another run that goes ahead of it.
    """

    name: str
    tries: str
    code: str
    evidence: Evidence
    tables: Mapping[str, Table] = field(default_factory=dict)
    before: str = ""


def all_out(outcome: Outcome) -> str:
    """Everything that came out, as text."""
    told = dataclasses.replace(outcome, files=())
    files = "".join(f"{f.name} {f.data[:100_000].decode(errors='replace')}" for f in outcome.files)
    return f"{told!r} {files}"


def leaked(canaries: Canaries, outcome: Outcome) -> str:
    return "a secret came out" if canaries.secret in all_out(outcome) else ""


def passwd(canaries: Canaries, outcome: Outcome) -> str:
    first = Path("/etc/passwd").read_text().splitlines()[0]
    return "/etc/passwd came out" if first in all_out(outcome) else ""


def claimed(canaries: Canaries, outcome: Outcome) -> str:
    """For what cannot be seen afterwards: the code can only print the whole token by having got that far."""
    return "it got that far" if canaries.token in outcome.stdout + outcome.stderr + str(outcome.value) else ""


def heard(canaries: Canaries, outcome: Outcome) -> str:
    return f"it reached {', '.join(sorted(canaries.heard))}" if canaries.heard else ""


def changed(canaries: Canaries, outcome: Outcome) -> str:
    return canaries.changes()


def killed(canaries: Canaries, outcome: Outcome) -> str:
    return "a process of the host was killed" if canaries.process.poll() is not None else ""


def left_behind(canaries: Canaries, outcome: Outcome) -> str:
    found = canaries.processes_called(canaries.token[:12])
    return f"{len(found)} processes live on after the run" if found else ""


def went_on(canaries: Canaries, outcome: Outcome) -> str:
    over = outcome.seconds - canaries.limits.seconds
    return f"it ran for {outcome.seconds:.0f} s" if over > 4 or (over > 1 and claimed(canaries, outcome)) else ""


def flooded(canaries: Canaries, outcome: Outcome) -> str:
    size = len(outcome.stdout) + len(outcome.stderr) + sum(len(f.data) for f in outcome.files)
    most = canaries.limits.output + canaries.limits.files
    return f"{size >> 20} MB came out" if size > most or claimed(canaries, outcome) else ""


def dangerous_file(canaries: Canaries, outcome: Outcome) -> str:
    """Something that acts when it is opened, or a name that leads elsewhere."""
    for file in outcome.files:
        text = file.data.decode(errors="replace")
        if "/" in file.name or "\\" in file.name or file.name.startswith("."):
            return f"a file with the name {file.name!r} was handed out"
        if not file.name.isprintable():
            return f"a file with the name {file.name!r} was handed out"
        if file.data[:1] == b"\x80":
            return "a pickle was handed out"
        if _ACTS.search(html.unescape(text)) or PurePosixPath(file.name).suffix in (".html", ".js", ".exe", ".desktop"):
            return "a file that acts when it is opened was handed out"
        if file.media_type == "image/png" and int.from_bytes(file.data[16:20]) * int.from_bytes(file.data[20:24]) > 1e9:
            return "a picture that takes gigabytes to draw was handed out"
        cells = re.split(r'[,;|\t\r\n"]', text.removeprefix("\ufeff"))
        if file.name.endswith(".csv") and any(cell.startswith(("=", "@", "+cmd")) for cell in cells):
            return "a table with a formula was handed out"
        if file.name.endswith(".json") and "$schema" in text and '"url"' in json.dumps(json.loads(text)):
            return "a chart that calls a server was handed out"
    return changed(canaries, outcome) or heard(canaries, outcome)


def forged(canaries: Canaries, outcome: Outcome) -> str:
    """A result that is not JSON or not text, is larger than allowed, or made the host do something."""
    try:
        size = len(json.dumps([outcome.value, outcome.stdout], allow_nan=False, ensure_ascii=False).encode())
    except (ValueError, TypeError, RecursionError):
        return "the result is no JSON"
    rows = sum(len(table) * max(1, len(table.columns)) for table in outcome.tables.values())
    if size > canaries.limits.files or rows > 20_000_000:
        return "the result is larger than it may be"
    if (grown := canaries.grown()) > 400 << 20:
        return f"the host took {grown >> 20} MB to read it"
    return changed(canaries, outcome) or dangerous_file(canaries, outcome)
