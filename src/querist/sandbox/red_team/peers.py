"""Executors of other programs as targets of the same attacks, each in an environment of its own. For comparison only."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from querist.errors import SandboxError
from querist.sandbox.base import Job, OnOutput, Outcome, Strength
from querist.sandbox.piped import PROGRAM, run_piped
from querist.state.paths import cache_dir


@dataclass(frozen=True)
class Peer:
    """A program that runs code. `adapter` is the file in `adapters/` that hands it a job."""

    requirements: tuple[str, ...]
    adapter: str


PEERS = {
    "smolagents": Peer(("smolagents==1.26.0", "pandas>=2.2", "numpy>=2", "pyarrow>=18"), "smolagents_local.py"),
    "pandasai": Peer(("pandasai==3.0.0",), "pandasai_executor.py"),
}


class PeerSandbox:
    """Runs jobs in a peer's executor. Nothing holds it but the clock, as nothing does where it is used."""

    strength: Strength = "unsafe"

    def __init__(self, name: str) -> None:
        self.name, self._peer = name, PEERS[name]
        self._folder = cache_dir() / "sandbox-peers" / name

    def install(self) -> None:
        """Make its environment, unless it is there.

        Raises:
            SandboxError: the installer failed.
        """
        done = self._folder / "installed"
        if done.exists() and done.read_text() == str(self._peer.requirements):
            return
        shutil.rmtree(self._folder, ignore_errors=True)
        python = str(self._folder / "bin/python")
        quiet = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        for command in ([sys.executable, "-m", "venv", str(self._folder)], [python, *quiet, *self._peer.requirements]):
            made = subprocess.run(command, capture_output=True, text=True)
            if made.returncode:
                raise SandboxError(f"The peer {self.name!r} could not be installed: {made.stderr.strip()[-500:]}")
        done.write_text(str(self._peer.requirements))

    async def run(self, job: Job, on_output: OnOutput | None = None) -> Outcome:
        await asyncio.to_thread(self.install)
        adapter = Path(__file__).parent / "adapters" / self._peer.adapter
        command = [str(self._folder / "bin/python"), str(adapter), str(PROGRAM)]
        with tempfile.TemporaryDirectory(prefix="querist-peer-", ignore_cleanup_errors=True) as folder:
            return await run_piped(
                command,
                job,
                on_output,
                name=self.name,
                strength=self.strength,
                folder=folder,
                environment={**os.environ, "PYTHONUNBUFFERED": "1"},  # else what it printed is lost when it is stopped
            )

    async def close(self) -> None:
        """Nothing is kept."""
