"""The walls around one run: what a process does to itself before it looks at the code."""

from __future__ import annotations

import ctypes
import os
import resource
import struct
from pathlib import Path
from typing import Any

from . import landlock

OWN_PROCESS = 0x51A5B0C5
"""Stands in the system-call filter for the process that it will be about."""
_NO_NEW_PRIVILEGES, _DUMPABLE, _DIE_WITH_PARENT, _SECCOMP = 38, 4, 1, 22
_libc = ctypes.CDLL(None, use_errno=True)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def not_traceable() -> None:
    """Close this process's memory and environment to others of its user."""
    prctl(_DUMPABLE, 0)


def build(config: dict[str, Any], limits: dict[str, Any], folder: str) -> None:
    """Raise all walls. What is open stays open; nothing else is left than `folder` and the libraries."""
    prctl(_DIE_WITH_PARENT, 9)
    _limit(limits, processes=config["count_processes"])
    if config["drop_to"]:
        os.setgroups([])
        os.setresgid(*[config["drop_to"]] * 3)
        os.setresuid(*[config["drop_to"]] * 3)
        prctl(_DIE_WITH_PARENT, 9)  # changing the user has undone it
    prctl(_NO_NEW_PRIVILEGES, 1)  # Landlock asks for it
    landlock.restrict(config["readable"], [folder, "/dev/null"])
    prctl(_DUMPABLE, 1)  # the zygote counts what it holds open; nothing behind these walls may look into it
    allow_only(bytes.fromhex(config["filter"]))


def _limit(limits: dict[str, Any], *, processes: bool) -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = {
        resource.RLIMIT_CORE: 1,  # none, not even to a program that gathers them: see core(5)
        resource.RLIMIT_NOFILE: 256,
        resource.RLIMIT_FSIZE: limits["files"],
        resource.RLIMIT_AS: pages * resource.getpagesize() + limits["memory"],
        resource.RLIMIT_MEMLOCK: 0,
    }
    if processes:  # elsewhere it would count all processes of the user
        most[resource.RLIMIT_NPROC] = limits["threads"] + 256
    for kind, value in most.items():
        resource.setrlimit(kind, (value, value))


def allow_only(program: bytes) -> None:
    """Leave this process only the system calls that the filter lets through."""
    prctl(_NO_NEW_PRIVILEGES, 1)
    program = program.replace(struct.pack("<I", OWN_PROCESS), struct.pack("<I", os.getpid()))
    code = ctypes.create_string_buffer(program, len(program))
    prctl(_SECCOMP, 2, ctypes.byref(_Program(len(program) // 8, ctypes.addressof(code))))


def prctl(option: int, *arguments: object) -> None:
    if _libc.prctl(option, *arguments, *[0] * (4 - len(arguments))):
        raise OSError(ctypes.get_errno(), f"prctl {option}: {os.strerror(ctypes.get_errno())}")
