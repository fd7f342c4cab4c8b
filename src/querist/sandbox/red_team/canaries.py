"""What the attacks aim at: secrets, files, servers and a process that are there for nothing else."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from querist.sandbox.base import SandboxLimits

LIMITS = SandboxLimits(seconds=3, cpu_seconds=2, memory=512 << 20, threads=32, output=256 << 10, files=16 << 20)
VARIABLE = "QUERIST_CANARY"


class Canaries:
    """Sets them out, and tells what happened to them. `token` is what code prints that got where it must not."""

    limits = LIMITS

    def __enter__(self) -> Canaries:
        self.secret, self.token = f"secret-{secrets.token_hex(8)}", f"q{secrets.token_hex(8)}"
        self.heard: set[str] = set()
        self.folder = Path(tempfile.mkdtemp(prefix="querist-canaries-"))
        self.folder.chmod(0o755)
        (self.folder / "home/.ssh").mkdir(parents=True)
        self.key, self.victim = self.folder / "home/.ssh/id_canary", self.folder / "victim"
        self.planted = self.folder / "home/.bashrc"
        self.key.write_text(self.secret)
        self.sockets = self._listen()
        os.environ[VARIABLE] = self.secret
        self.reset()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, way: TracebackType | None
    ) -> None:
        os.environ.pop(VARIABLE, None)
        self._end_process()
        for listening in self.sockets:
            listening.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def reset(self) -> None:
        """As it was before the first attack."""
        self._end_process()
        self.heard.clear()
        self.planted.unlink(missing_ok=True)
        self.victim.write_text("untouched")
        self.victim.chmod(0o644)
        with suppress(OSError):  # not every kernel has it; then the peak counts from the start
            Path("/proc/self/clear_refs").write_text("5")
        self._memory = _memory("VmRSS")
        self.process = subprocess.Popen(["sleep", "300"], env={"CANARY": self.secret, "PATH": "/usr/bin:/bin"})
        for process in self.processes_called(self.token[:12]):
            with suppress(ProcessLookupError):
                os.kill(process, 9)

    def targets(self) -> dict[str, Any]:
        """What the code is told, as its dictionary `P`. The token comes in two halves: no error message holds it."""
        return {
            "key": str(self.key),
            "victim": str(self.victim),
            "planted": str(self.planted),
            "socket": str(self.folder / "socket"),
            "abstract": self.token,
            "tcp": self._ports["TCP"],
            "udp": self._ports["UDP"],
            "process": self.process.pid,
            "variable": VARIABLE,
            "half": self.token[:8],
            "rest": self.token[8:],
        }

    def changes(self) -> str:
        """What was done to the files; empty when nothing was."""
        if self.planted.exists():
            return "a file was planted in the home folder"
        if not self.victim.exists() or self.victim.read_text() != "untouched":
            return "a file of the host was changed"
        return "a file's rights were changed" if self.victim.stat().st_mode & 0o777 != 0o644 else ""

    def grown(self) -> int:
        """Bytes of memory that this process has taken meanwhile."""
        return _memory("VmHWM") - self._memory

    def processes_called(self, name: str) -> list[int]:
        """Those that live: what has ended stays listed until its parent has heard of it."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with suppress(OSError):
                    told = (entry / "stat").read_text(errors="replace")
                    called, _, rest = told.partition("(")[2].rpartition(")")
                    if called == name and rest.split()[0] not in "ZX":
                        found.append(int(entry.name))
        return found

    def _end_process(self) -> None:
        if (process := getattr(self, "process", None)) is not None:
            process.kill()
            process.wait()

    def _listen(self) -> list[socket.socket]:
        tcp = socket.create_server(("127.0.0.1", 0))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        path, abstract = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
        path.bind(str(self.folder / "socket"))
        (self.folder / "socket").chmod(0o777)
        abstract.bind("\0" + self.token)
        self._ports = {"TCP": tcp.getsockname()[1], "UDP": udp.getsockname()[1]}
        for name, listening in (
            ("TCP", tcp),
            ("UDP", udp),
            ("a socket in a folder", path),
            ("a named socket", abstract),
        ):
            threading.Thread(target=self._serve, args=(name, listening), daemon=True).start()
        return [tcp, udp, path, abstract]

    def _serve(self, name: str, listening: socket.socket) -> None:
        with suppress(OSError):
            if listening.type == socket.SOCK_DGRAM:
                while True:
                    listening.recvfrom(64)
                    self.heard.add(name)
            listening.listen(8)
            while True:
                connection, _ = listening.accept()
                self.heard.add(name)
                connection.close()


def _memory(of: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(f"{of}:"))) * 1024
