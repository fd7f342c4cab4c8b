"""Runs each job in a container without network, rights or a writable system. Needs Docker or Podman.

The image has Python and the libraries; what runs in it is mounted from here.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

from querist.errors import SandboxUnavailableError
from querist.sandbox.base import Job, Limit, OnOutput, Outcome, SandboxLimits, Strength
from querist.sandbox.piped import PROGRAM, run_piped, start_command

_CPU_SIGNAL = 24
_EXITS: dict[int, Limit] = {_CPU_SIGNAL: "cpu_seconds", 137: "memory"}
"""How a container ends at a limit; 137 is how an engine tells that the kernel killed it."""


def container_command(engine: str, image: str, limits: SandboxLimits, name: str) -> list[str]:
    """How the engine is called for one run."""
    walls = "--network none --read-only --cap-drop ALL --security-opt no-new-privileges --user 65534:65534 --pull never"
    memory = limits.memory + (512 << 20)  # the libraries themselves
    bounds = ["--pids-limit", str(limits.threads), "--memory", str(memory), "--memory-swap", str(memory)]
    cpu = max(1, round(limits.cpu_seconds))
    bounds += ["--ulimit", f"fsize={limits.files}", "--ulimit", f"cpu={cpu}:{cpu + 5}"]
    bounds += ["--ulimit", "nofile=256", "--ulimit", "nproc=4096", "--ulimit", "core=0"]
    scratch = ["--ipc", "none", "--tmpfs", f"/job:rw,noexec,nosuid,nodev,size={limits.files},mode=1777"]
    if Path(engine).name == "podman":
        scratch += ["--read-only-tmpfs=false"]  # Docker brings no writable folders of its own
    program = ["--volume", f"{PROGRAM / 'jailed'}:/program/jailed:ro"]
    variables = [part for name in ("HOME", "TMPDIR", "MPLCONFIGDIR") for part in ("--env", f"{name}=/job")]
    return [
        engine, "run", "--rm", "--interactive", "--name", name, "--stop-signal", "KILL", *walls.split(), *bounds,
        *scratch, *program, *variables, image, *start_command("python3", "/program", _prepare()),
    ]  # fmt: skip


def _prepare() -> str:
    """Inside: a folder for what is handed out, and a sign that the CPU time is used up. On Linux also the filter of
    system calls that runs without containers have; elsewhere the container is in a virtual machine, of which nobody
    knows here what calls it has.
    """
    # A container's first process does not hear the kernel's signal for it unless it has a handler. This one is the C
    # library's `_exit`, whose exit code is then the signal's number: it works also while no code of Python runs.
    folder = (
        "os.mkdir('/job/out'); os.chdir('/job/out'); "
        f"import ctypes; libc = ctypes.CDLL(None); libc.signal({_CPU_SIGNAL}, libc._exit)"
    )
    if sys.platform != "linux":
        return folder
    from querist.sandbox.syscalls import program

    return f"{folder}; from jailed import walls; walls.allow_only(bytes.fromhex('{program().hex()}'))"


def find_engine(image: str) -> tuple[str, str]:
    """The engine that has the image; else nothing, and why no container of it can run here."""
    why = "there is neither Podman nor Docker"
    for engine in filter(None, map(shutil.which, ("podman", "docker"))):
        try:
            done = subprocess.run([engine, "image", "inspect", image], capture_output=True, text=True, timeout=20)
        except (OSError, subprocess.TimeoutExpired) as error:
            why = str(error)
            continue
        if done.returncode == 0:
            return engine, ""
        why = (done.stderr.strip().splitlines() or [f"{engine} does not answer"])[-1]
    return "", why


class ContainerSandbox:
    """Runs code in containers of an image that has Python and the libraries.

    Raises:
        SandboxUnavailableError: there is no engine, it does not answer, or it has no such image.
    """

    name = "container"
    strength: Strength = "strong"

    def __init__(self, image: str) -> None:
        engine, why = find_engine(image)
        if why:
            raise SandboxUnavailableError(
                f"Generated code cannot run: the sandbox 'container' does not work here: {why}.",
                hint="docs/sandbox.md tells how to make the image; `querist sandbox doctor` says what else works here.",
            )
        self.engine, self.image = engine, image

    async def run(self, job: Job, on_output: OnOutput | None = None) -> Outcome:
        name = f"querist-{uuid.uuid4().hex}"
        command = container_command(self.engine, self.image, job.limits, name)
        try:
            return await run_piped(command, job, on_output, name=self.name, strength=self.strength, exits=_EXITS)
        finally:  # killing the client leaves the container running
            await _remove(self.engine, name)

    async def close(self) -> None:
        """Nothing is kept."""


async def _remove(engine: str, name: str) -> None:
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(engine, "rm", "--force", name, stdout=quiet, stderr=quiet)
    await process.wait()
