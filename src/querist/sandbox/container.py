"""Runs each job in a container without network, rights or a writable system. Needs Docker or Podman.

The shape of the command is tested; a run is not, where the tests have no engine.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import uuid

from querist.errors import SandboxUnavailableError
from querist.sandbox.base import Job, OnOutput, Outcome, SandboxLimits, Strength
from querist.sandbox.piped import PROGRAM, run_piped, start_command


def container_command(engine: str, image: str, limits: SandboxLimits, name: str) -> list[str]:
    """How the engine is called for one run."""
    walls = "--network none --read-only --cap-drop ALL --security-opt no-new-privileges --user 65534:65534 --pull never"
    memory = limits.memory + (512 << 20)  # the libraries themselves
    bounds = ["--pids-limit", str(limits.threads), "--memory", str(memory), "--memory-swap", str(memory)]
    bounds += ["--ulimit", f"fsize={limits.files}", "--ulimit", f"cpu={max(1, round(limits.cpu_seconds))}"]
    scratch = ["--tmpfs", f"/tmp:rw,noexec,nosuid,nodev,size={limits.files},mode=1777", "--workdir", "/tmp"]
    program = ["--volume", f"{PROGRAM / 'jailed'}:/program/jailed:ro"]
    variables = [part for name in ("HOME", "TMPDIR", "MPLCONFIGDIR") for part in ("--env", f"{name}=/tmp")]
    return [
        engine, "run", "--rm", "--interactive", "--init", "--name", name, *walls.split(), *bounds, *scratch, *program,
        *variables, image, *start_command("python3", "/program"),
    ]  # fmt: skip


def find_engine() -> str | None:
    return shutil.which("podman") or shutil.which("docker")


def why_not(image: str) -> str:
    """Why no container of this image can run here; empty when the engine answers and has the image."""
    engine = find_engine()
    if engine is None:
        return "there is neither Podman nor Docker"
    try:
        done = subprocess.run([engine, "image", "inspect", image], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["the engine does not answer"])[-1]


class ContainerSandbox:
    """Runs code in containers of an image that has Python and the libraries.

    Raises:
        SandboxUnavailableError: there is no engine.
    """

    name = "container"
    strength: Strength = "strong"

    def __init__(self, image: str) -> None:
        engine = find_engine()
        if engine is None:
            raise SandboxUnavailableError(
                "Generated code cannot run: there is neither Podman nor Docker here.",
                hint="Install one of them, or use the backend bubblewrap: querist sandbox doctor",
            )
        self.engine, self.image = engine, image

    async def run(self, job: Job, on_output: OnOutput | None = None) -> Outcome:
        name = f"querist-{uuid.uuid4().hex}"
        command = container_command(self.engine, self.image, job.limits, name)
        try:
            return await run_piped(command, job, on_output, name=self.name, strength=self.strength)
        finally:  # killing the client leaves the container running
            await _remove(self.engine, name)

    async def close(self) -> None:
        """Nothing is kept."""


async def _remove(engine: str, name: str) -> None:
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(engine, "rm", "--force", name, stdout=quiet, stderr=quiet)
    await process.wait()
