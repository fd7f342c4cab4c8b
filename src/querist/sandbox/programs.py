"""One program of the system behind walls: no network, no files of anybody, no other programs. For `process_executor`.

Generated Python runs elsewhere (`local.py`), where libraries are loaded once and tables come in and out.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from querist.errors import ComponentInputError, SandboxUnavailableError
from querist.sandbox.base import SandboxLimits
from querist.sandbox.launch import walls
from querist.sandbox.open import open_sandbox
from querist.settings import SandboxSettings

_PLACES = "/usr/local/bin:/usr/bin:/usr/local/sbin:/usr/sbin"
_LINKS = {"/bin": "usr/bin", "/sbin": "usr/sbin", "/lib": "usr/lib", "/lib64": "usr/lib64"}
_READ = ("/usr", "/etc/alternatives", "/etc/ld.so.cache", "/etc/localtime")
_BOUNDED = 'ulimit -c 0 && ulimit -v "$1" && ulimit -t "$2" && ulimit -f "$3" && shift 3 && exec "$@"'
"""For a shell, as bubblewrap sets no limits: kilobytes of memory, seconds of a processor, blocks of each file."""
_FOLDER = "/work"
_CALLS = ("execve", "wait4", "creat", "getxattr", "lgetxattr", "listxattr", "llistxattr")


@contextmanager
def behind_walls(
    settings: SandboxSettings, limits: SandboxLimits, program: str, arguments: Sequence[str], folder: str | None = None
) -> Iterator[tuple[list[str], int]]:
    """The command that runs a program by its name, and a descriptor that it must be passed.

    Args:
        folder: that it works in and can read; a new, empty one when None. What it writes there is gone afterwards.

    Raises:
        SandboxUnavailableError, MissingExtraError: there are no walls here.
        ComponentInputError: the system has no such program.
    """
    from querist.sandbox.syscalls import program as filter_of

    if settings.backend not in ("auto", "bubblewrap"):
        raise SandboxUnavailableError(
            f"The sandbox {settings.backend!r} runs Python and no other program.", hint="Set sandbox.backend to auto."
        )
    open_sandbox(settings)  # raises where there are no walls
    path = shutil.which(program, path=_PLACES)
    if path is None:
        raise ComponentInputError(f"The system has no program {program!r}.", hint=f"It is looked for in {_PLACES}.")
    environment = {"PATH": _PLACES, "HOME": _FOLDER, "LANG": "C.UTF-8", "TMPDIR": "/tmp"}
    command = walls(environment)
    for place in _READ:
        command += ["--ro-bind-try", place, place]
    for place, target in _LINKS.items():
        command += ["--symlink", target, place]
    command += ["--proc", "/proc", "--dev", "/dev", "--size", str(limits.files), "--tmpfs", "/tmp"]
    command += ["--ro-bind", folder, _FOLDER] if folder else ["--size", str(limits.files), "--tmpfs", _FOLDER]
    command += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", _FOLDER, "--die-with-parent"]
    with tempfile.TemporaryFile() as file:
        file.write(filter_of(*_CALLS))
        file.seek(0)
        bounds = (limits.memory >> 10, int(limits.cpu_seconds) + 1, limits.files >> 9)
        command += ["--seccomp", str(file.fileno()), "--", "/bin/sh", "-c", _BOUNDED, "sh", *map(str, bounds)]
        yield [*command, path, *arguments], file.fileno()
