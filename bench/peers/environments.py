"""One virtual environment for each requirements file, kept in the work directory, and how much room it takes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.peers.peers import ONESHOT, QUERIST, Peer

REPOSITORY = Path(__file__).parents[2]
_REQUIREMENTS = Path(__file__).parent / "requirements"
_PYTHON = "3.11"  # PandasAI takes no newer one


class InstallError(Exception):
    """An environment could not be made; the message is the installer's own."""


@dataclass(frozen=True)
class Environment:
    """Where a peer runs. `megabytes` and `packages` count what installing it adds to an empty environment."""

    python: str
    version: str = ""
    megabytes: float = 0.0
    packages: int = 0


def prepare(peer: Peer, work: Path) -> Environment:
    """Make the peer's environment, or find it as it was made before from the same requirements.

    Raises:
        InstallError: the installer failed, or there is none.
    """
    if peer is ONESHOT:
        return Environment(sys.executable)
    folder = work / "envs" / (peer.requirements or peer.name)
    wanted = _requirements(peer, work)
    stamp = folder / "made.json"
    digest = hashlib.sha256(wanted.read_bytes()).hexdigest()
    made = json.loads(stamp.read_text(encoding="utf-8")) if stamp.exists() else {}
    python = folder / "bin" / "python"
    if made.get("digest") != digest:
        shutil.rmtree(folder, ignore_errors=True)
        _uv("venv", "--quiet", "--python", _PYTHON, str(folder))
        _uv("pip", "install", "--quiet", "--python", str(python), "-r", str(wanted))
        made = {"digest": digest}
    if peer is QUERIST:  # the checkout itself, anew each time: it is what is being worked on
        _uv("pip", "install", "--quiet", "--python", str(python), "--no-deps", "--reinstall", str(REPOSITORY))
        made.pop("size", None)
    if "size" not in made:
        made["size"] = _size(folder)
        made["versions"] = _versions(python)
        stamp.write_text(json.dumps(made, indent=1), encoding="utf-8")
    version = made["versions"].get(peer.package, "")
    return Environment(str(python), version, made["size"] / 1e6, len(made["versions"]))


def as_json(environment: Environment) -> dict[str, object]:
    """What the report keeps of it; not the path, which is this machine's."""
    data = asdict(environment)
    del data["python"]
    return data


def _requirements(peer: Peer, work: Path) -> Path:
    if peer is not QUERIST:
        return _REQUIREMENTS / f"{peer.requirements}.txt"
    file = work / "querist-requirements.txt"
    _uv(
        "export", "--quiet", "--frozen", "--no-dev", "--no-emit-project", "--no-header", "-o", str(file),
        "--project", str(REPOSITORY),
    )  # fmt: skip
    return file


def _uv(*arguments: str) -> str:
    beside = Path(sys.executable).with_name("uv")
    command = str(beside) if beside.exists() else shutil.which("uv")
    if command is None:
        raise InstallError("`uv` is not installed. Install it: pip install uv")
    done = subprocess.run([command, *arguments], capture_output=True, text=True, cwd=REPOSITORY, env=_quiet())
    if done.returncode:
        raise InstallError(f"`uv {' '.join(arguments[:2])}` failed: {done.stderr.strip()[-1500:]}")
    return done.stdout


def _quiet() -> dict[str, str]:
    """The caller's environment without its own virtual environment, of which `uv` would warn."""
    return {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}


def _size(folder: Path) -> int:
    """Bytes of the installed packages, without compiled files, which come with use."""
    files = (folder / "lib").rglob("*")
    return sum(f.stat().st_size for f in files if f.is_file() and f.suffix != ".pyc" and not f.is_symlink())


def _versions(python: Path) -> dict[str, str]:
    return {
        row["name"]: row["version"]
        for row in json.loads(_uv("pip", "list", "--format", "json", "--python", str(python)))
    }
