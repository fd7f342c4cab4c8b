"""An attack, and the ways in which it is seen from outside whether it succeeded."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from querist.sandbox.base import Outcome
from querist.sandbox.red_team.canaries import Canaries
from querist.sources.table import Table

Evidence = Callable[[Canaries, Outcome], str]
"""What shows that the attack succeeded, in words; empty when nothing does."""


@dataclass(frozen=True)
class Attack:
    """Code that tries something it must not. It finds its targets in the dictionary `P`.

    Attributes:
        name: stable, for people and programs.
        tries: what it tries, to end the sentence "it …".
        tables: what the code is given beside its targets.
    """

    name: str
    tries: str
    code: str
    evidence: Evidence
    tables: Mapping[str, Table] = field(default_factory=dict)


def all_out(outcome: Outcome) -> str:
    """Everything that came out, as text."""
    told = dataclasses.replace(outcome, files=())
    files = "".join(f"{f.name} {f.data[:100_000].decode(errors='replace')}" for f in outcome.files)
    return f"{told!r} {files}"


def leaked(canaries: Canaries, outcome: Outcome) -> str:
    return "a secret came out" if canaries.secret in all_out(outcome) else ""


def passwd(canaries: Canaries, outcome: Outcome) -> str:
    first = Path("/etc/passwd").read_text().splitlines()[0]
    return "/etc/passwd came out" if first in all_out(outcome) or "/root,/bin" in all_out(outcome) else ""


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
        if file.data[:1] == b"\x80":
            return "a pickle was handed out"
        if "<script" in text.lower() or "onload=" in text.lower() or "<!entity" in text.lower():
            return "a file with a script was handed out"
        if file.name.endswith(".csv"):
            cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
            if any(cell.startswith(("=", "@", "+cmd")) for cell in cells):
                return "a table with a formula was handed out"
        if file.name.endswith(".json") and "$schema" in text and '"url"' in text:
            return "a chart that calls a server was handed out"
    return changed(canaries, outcome) or heard(canaries, outcome)


def forged(canaries: Canaries, outcome: Outcome) -> str:
    """A result that is not JSON, is larger than allowed, or made the host do something."""
    try:
        size = len(json.dumps(outcome.value, allow_nan=False))
    except (ValueError, TypeError, RecursionError):
        return "the result is no JSON"
    rows = sum(len(table) * max(1, len(table.columns)) for table in outcome.tables.values())
    if size > canaries.limits.files or rows > 20_000_000:
        return "the result is larger than it may be"
    return changed(canaries, outcome) or dangerous_file(canaries, outcome)
