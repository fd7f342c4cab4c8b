"""Runs the attacks against a sandbox and says which succeeded."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from querist.errors import SandboxError, UsageError
from querist.sandbox.base import Job, Sandbox
from querist.sandbox.red_team import floods, network, processes, reading, results
from querist.sandbox.red_team.attack import Attack, claimed
from querist.sandbox.red_team.canaries import LIMITS, Canaries
from querist.sources.table import ResultColumn, Table

FAMILIES = {
    "reading": reading.ATTACKS,
    "network": network.ATTACKS,
    "processes": processes.ATTACKS,
    "floods": floods.ATTACKS,
    "results": results.ATTACKS,
}
_LIBRARIES = ("numpy", "pandas", "polars", "pyarrow")
_HARMLESS = Attack("harmless", "does nothing forbidden", "print(P['half'] + tables['notes']['note'][0])", claimed)


@dataclass(frozen=True)
class Verdict:
    """What became of an attack. `evidence` is empty unless it succeeded; `how` says what the sandbox did.

    `tried` is False where it did not even begin, as a library that it goes by is missing or takes too long to load.
    """

    family: str
    name: str
    tries: str
    evidence: str
    how: str
    seconds: float
    tried: bool

    @property
    def succeeded(self) -> bool:
        return bool(self.evidence)

    @property
    def contained(self) -> bool:
        return self.tried and not self.succeeded


async def attack_all(sandbox: Sandbox, only: Sequence[str] = ()) -> AsyncIterator[Verdict]:
    """Each attack in turn, after a harmless run has shown that the sandbox works at all.

    Args:
        only: names of attacks; all when empty.

    Raises:
        SandboxError: harmless code does not run either, so that nothing could be told from attacks that fail.
        UsageError: it runs code elsewhere, where nothing is that the attacks aim at: all would seem contained. Or what
            they aim at cannot be set out here.
    """
    if sys.platform != "linux":
        raise UsageError(
            "The attacks need Linux: they aim at its processes, sockets and system calls.",
            hint="`querist sandbox doctor` says which sandboxes work here.",
        )
    if sandbox.strength == "remote":
        raise UsageError(
            f"The sandbox {sandbox.name!r} runs code on another machine, and attacks are judged where it runs.",
            hint="Run `querist sandbox test` there.",
        )
    with Canaries() as canaries:
        rest = Table((ResultColumn("note"),), ((canaries.token[8:],),))
        job = Job(_HARMLESS.code, {"notes": rest}, {"P": canaries.targets()}, LIMITS)
        outcome = await sandbox.run(job)
        if not claimed(canaries, outcome):
            why = outcome.error or outcome.limit or outcome.stderr[-300:]
            raise SandboxError(f"The sandbox {sandbox.name!r} does not even run harmless code: {why}")
        for family, attacks in FAMILIES.items():
            for attack in attacks:
                if not only or attack.name in only:
                    canaries.reset()
                    yield await _attack(sandbox, family, attack, canaries)


async def _attack(sandbox: Sandbox, family: str, attack: Attack, canaries: Canaries) -> Verdict:
    libraries = [name for name in _LIBRARIES if name in attack.code]
    begin = f"import {', '.join(libraries)}\nprint(P['half'])\n" if libraries else ""
    job = Job(begin + attack.code, attack.tables, {"P": canaries.targets()}, LIMITS)
    if attack.before:
        await sandbox.run(dataclasses.replace(job, code=attack.before))
    outcome = await sandbox.run(job)
    await asyncio.sleep(0.05)  # what was sent may still be on its way to whoever listens
    if outcome.limit:
        how = f"stopped: {outcome.limit.replace('_', ' ')}"
    elif outcome.error:
        how = f"{outcome.error.type}: {outcome.error.message}"
    else:
        how = "; ".join(outcome.refused) or "nothing came of it"
    evidence = attack.evidence(canaries, outcome)
    tried = bool(evidence) or not begin or canaries.token[:8] in outcome.stdout + outcome.stderr
    return Verdict(family, attack.name, attack.tries, evidence, how[:120], outcome.seconds, tried)
