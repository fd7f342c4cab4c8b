"""How the zygote is started: what it can see, behind which walls. Not for talking to it: see `local.py`."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from querist.errors import QueristError
from querist.sandbox.base import SandboxLimits
from querist.sandbox.jailed import landlock

Kind = Literal["bubblewrap", "landlock"]

SCRATCH_BYTES = 1 << 30
"""All runs of one sandbox together; each has its own limit below it."""
UNPRIVILEGED = 64123
"""The user that root's runs become without namespaces: a number that nobody has."""
PRELOAD = ("numpy", "pyarrow", "pyarrow.ipc", "polars", "pandas", "matplotlib.pyplot")
WHEN_IDLE = ("scipy.stats", "statsmodels.api", "sklearn.cluster", "sklearn.linear_model")
_PROGRAM = Path(__file__).parent / "jailed"
_SYSTEM = ("/usr/lib", "/usr/lib64", "/usr/share/zoneinfo", "/usr/share/fonts")
_LINKS = {"/lib": "usr/lib", "/lib64": "usr/lib64"}


@dataclass(frozen=True)
class Launch:
    """A command that starts a zygote (its descriptor for control is still to be added), and its settings."""

    command: tuple[str, ...]
    config: dict[str, Any]
    scratch: str | None = None  # a folder of the host's, removed afterwards; None when it goes away by itself

    def discard(self) -> None:
        if self.scratch:
            shutil.rmtree(self.scratch, ignore_errors=True)


def launch(kind: Kind) -> Launch:
    """Prepare the start of a zygote.

    Raises:
        MissingExtraError, OSError: the system-call filter cannot be made here.
    """
    from querist.sandbox.syscalls import program

    pythons = _pythons()
    config: dict[str, Any] = {
        "filter": program().hex(),
        "preload": PRELOAD,
        "when_idle": WHEN_IDLE,
        "drop_to": 0,
        "count_processes": kind == "bubblewrap",
    }
    if kind == "bubblewrap":
        config |= {
            "scratch": "/job",
            "readable": [*_SYSTEM, *_LINKS, *pythons, "/program", "/dev/urandom", "/dev/zero"],
        }
        return Launch((*_bubblewrap(pythons), *_python("/", "program")), config)
    scratch = tempfile.mkdtemp(prefix="querist-sandbox-")
    config |= {"scratch": scratch, "readable": [*_SYSTEM, *_LINKS, *pythons, "/dev/urandom", "/dev/zero"]}
    if os.geteuid() == 0:
        Path(scratch).chmod(0o711)
        config["drop_to"] = UNPRIVILEGED
    return Launch(_python(str(_PROGRAM.parent), _PROGRAM.name), config, scratch)


def environment(folder: str) -> dict[str, str]:
    """All variables that the libraries see; nothing of the host's."""
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {
        "PATH": "/usr/bin",
        "HOME": folder,
        "LANG": "C.UTF-8",
        "MPLBACKEND": "Agg",
        "MPLCONFIGDIR": folder,
        "TMPDIR": folder,
        "POLARS_MAX_THREADS": "2",
        "PYTHONDONTWRITEBYTECODE": "1",
        "JOBLIB_MULTIPROCESSING": "0",  # it could not start processes, and would say so each time
        **one,
    }


def probe(kind: Kind) -> str:
    """Start a sandbox without libraries and try its walls; empty when they hold, else why not, for people."""
    if sys.platform != "linux":
        return "it needs Linux"
    if kind == "bubblewrap" and shutil.which("bwrap") is None:
        return "the program bwrap is not installed"
    if landlock.version() < (6 if kind == "landlock" else 1):
        return f"it needs a kernel with a newer Landlock (this one has version {landlock.version()})"
    try:
        prepared = launch(kind)
    except QueristError as error:
        return f"{error.message} {error.hint}"
    except OSError as error:
        return f"the system-call filter cannot be made: {error}"
    config = prepared.config | {"limits": dataclasses.asdict(SandboxLimits())}
    try:
        done = subprocess.run(
            [*prepared.command, "probe"],
            input=json.dumps(config),
            env=environment(prepared.scratch) if prepared.scratch else {},
            capture_output=True,
            text=True,
            timeout=20,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    finally:
        prepared.discard()
    said = done.stdout.strip() or (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
    return "" if said == "ok" else said


def _python(folder: str, package: str) -> tuple[str, ...]:
    start = f"import sys; sys.path.insert(0, {folder!r}); from {package}.start import start; start()"
    return (sys.executable, "-I", "-c", start)


def _pythons() -> list[str]:
    """The folders of this Python and its packages, both as they are called and as they really are."""
    found = [sys.prefix, sys.base_prefix, sys.exec_prefix, str(Path(sys.base_prefix).resolve())]
    binary = Path(sys.executable)
    while binary.is_symlink():  # each step of the way from the environment's `python` to the real one must be there
        binary = binary.parent / binary.readlink()
        found.append(str(Path(os.path.normpath(binary)).parent.parent))
    found.append(str(binary.resolve().parent.parent))
    own = [place for place in dict.fromkeys(found) if place not in ("/", "/usr", str(Path.home()))]
    if "/usr" in found:
        own += [
            str(path) for path in (Path("/usr/bin") / f"python3.{sys.version_info.minor}", Path("/usr/bin/python3"))
        ]
        own += ["/usr/local/lib"]
    return own


def walls(variables: dict[str, str]) -> list[str]:
    """How a command of bubblewrap begins: with nothing of the host's but these variables, and no rights to get more."""
    command = [
        shutil.which("bwrap") or "bwrap",
        "--unshare-all",
        "--unshare-user",
        "--disable-userns",
        "--cap-drop",
        "ALL",
        "--new-session",
    ]
    command += ["--uid", "1000", "--gid", "1000", "--hostname", "sandbox", "--clearenv"]
    for name, value in variables.items():
        command += ["--setenv", name, value]
    return command


def _bubblewrap(pythons: list[str]) -> tuple[str, ...]:
    command = walls(environment("/tmp"))
    command += ["--size", str(16 << 20), "--tmpfs", "/tmp"]  # first, since this Python may lie in the host's
    for place in (*_SYSTEM, *pythons):
        command += ["--ro-bind-try", place, place]
    for place, target in _LINKS.items():
        command += ["--symlink", target, place]
    command += ["--ro-bind", str(_PROGRAM), "/program", "--proc", "/proc", "--dev", "/dev"]
    for place, size in (("/dev/shm", 1 << 20), ("/job", SCRATCH_BYTES)):
        command += ["--size", str(size), "--tmpfs", place]
    command += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/", "--"]
    return tuple(command)
