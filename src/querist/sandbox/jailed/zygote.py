"""Loads the libraries once and forks a process for each run, so that no run waits for imports. Runs no foreign code.

It also watches the runs, from inside where all of them can be seen: memory, CPU time, threads and files.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import importlib
import json
import os
import select
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import walls, worker

WATCH_SECONDS = 0.05
MOST_FILES = 1000
DEEPEST_FOLDER = 30
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass
class _Run:
    number: int
    limits: dict[str, Any]
    folder: str
    report: socket.socket
    process: int = 0
    memory_at_start: int = 0
    cpu_at_start: float = 0.0
    peak: int = 0
    cpu: float = 0.0
    limit: str | None = None


def main(descriptor: int) -> None:
    control = socket.socket(fileno=descriptor)
    config = json.loads(control.recv(1 << 20))
    sys.path.pop(0)  # by which this package was found; the code must not find it
    walls.not_traceable()
    for module in config["preload"]:
        _load(module)
        if select.select([control], [], [], 0)[0]:
            return  # its host has closed it: nothing else comes ahead of "ready"
    pending = list(config["when_idle"])
    gc.collect()
    gc.freeze()
    control.send(b"ready")
    runs: dict[int, _Run] = {}
    while True:
        wait = WATCH_SECONDS if runs else 1.0 if pending else None
        ready, _, _ = select.select([control], [], [], wait)
        if ready:
            data, descriptors, _, _ = socket.recv_fds(control, 1 << 16, 5)
            if not data:
                break
            request = json.loads(data)
            if not descriptors:
                _renew(runs, request)
            elif (run := _start(config, request, descriptors, control)) is not None:
                runs[run.process] = run
        elif not runs and pending:
            _load(pending.pop(0))
        for run in list(runs.values()):
            if _over(run):
                del runs[run.process]
    for run in runs.values():
        os.kill(run.process, 9)
        os.waitpid(run.process, 0)
        _remove(run.folder)


def _load(module: str) -> None:
    with contextlib.suppress(ImportError):
        importlib.import_module(module)


def _start(
    config: dict[str, Any], request: dict[str, Any], descriptors: list[int], control: socket.socket
) -> _Run | None:
    """Fork the process of a run, and tell its host by a handle that works across process namespaces.

    None where there is no room for it: then its host hears that the report is closed, and other runs go on.
    """
    *pipes, report = descriptors
    run = _Run(request["id"], request["limits"], f"{config['scratch']}/{request['id']}", socket.socket(fileno=report))
    try:
        for place in (run.folder, f"{run.folder}/out", f"{run.folder}/tmp"):
            Path(place).mkdir(mode=0o700)
            if config["drop_to"]:
                os.chown(place, config["drop_to"], config["drop_to"])
        run.process = os.fork()
        if run.process == 0:
            code = 70
            try:
                _become_worker(config, run, pipes)
                code = 0
            except BaseException as error:
                os.write(2, f"the sandbox could not be set up: {type(error).__name__}: {error}\n".encode())
            finally:
                os._exit(code)
        handle = os.pidfd_open(run.process)
        socket.send_fds(run.report, [b"started"], [handle])
        os.close(handle)
    except OSError:
        if run.process == 0:
            run.report.close()
            return None  # else its host has gone, and the watch will find it dead or let it end
    finally:
        for pipe in pipes:
            os.close(pipe)
    run.memory_at_start = _measure(run)[0]
    return run


def _renew(runs: dict[int, _Run], request: dict[str, Any]) -> None:
    """The next job of a session has bounds of its own."""
    for run in runs.values():
        if run.number == request["id"]:
            run.limits, run.cpu_at_start = request["limits"], run.cpu


def _become_worker(config: dict[str, Any], run: _Run, pipes: list[int]) -> None:
    os.setsid()
    kept = [os.open("/dev/null", os.O_RDONLY), pipes[2], pipes[3], pipes[0], pipes[1]]
    high = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, len(kept)) for descriptor in kept]  # out of each other's way
    for number, descriptor in enumerate(high):
        os.dup2(descriptor, number)
    os.closerange(len(kept), 1 << 12)
    os.chdir(f"{run.folder}/out")
    os.environ["TMPDIR"] = os.environ["HOME"] = os.environ["POLARS_TEMP_DIR"] = f"{run.folder}/tmp"
    walls.build(config, run.limits, run.folder)
    worker.serve(3, 4)


def _measure(run: _Run) -> tuple[int, float, int]:
    """Bytes of memory, seconds of CPU time, threads."""
    with contextlib.suppress(OSError, IndexError, ValueError):
        fields = Path(f"/proc/{run.process}/stat").read_text().rpartition(")")[2].split()
        return int(fields[21]) * _PAGE, (int(fields[11]) + int(fields[12])) / _TICKS, int(fields[17])
    return 0, run.cpu, 0


def _over(run: _Run) -> bool:
    """Whether the run has ended; ends it when it breaks a limit, and reports."""
    memory, run.cpu, threads = _measure(run)
    run.peak = max(run.peak, memory)
    limits = run.limits
    broken = (
        "memory"
        if memory - run.memory_at_start > limits["memory"]
        else "cpu_seconds"
        if run.cpu - run.cpu_at_start > limits["cpu_seconds"]
        else "threads"
        if threads > limits["threads"]
        else "files"
        if _is_too_much(run)
        else None
    )
    if broken and run.limit is None:
        run.limit = broken
        os.kill(run.process, 9)
    ended, status = os.waitpid(run.process, os.WNOHANG)
    if not ended:
        return False
    _remove(run.folder)
    report = {"status": os.waitstatus_to_exitcode(status), "limit": run.limit, "cpu": run.cpu, "peak": run.peak}
    with contextlib.suppress(OSError):
        run.report.send(json.dumps(report).encode())
    run.report.close()
    return True


def _is_too_much(run: _Run) -> bool:
    """Whether its files are too large or too many. What cannot be looked into may hide some, and is too much."""
    size = count = 0
    places = [(run.folder, 0)]
    try:
        while places:
            place, depth = places.pop()
            with contextlib.suppress(FileNotFoundError), os.scandir(place) as entries:
                for entry in entries:
                    count += 1
                    if count > MOST_FILES or depth > DEEPEST_FOLDER:
                        return True
                    if entry.is_dir(follow_symlinks=False):
                        places.append((entry.path, depth + 1))
                    else:
                        with contextlib.suppress(FileNotFoundError):
                            size += entry.stat(follow_symlinks=False).st_blocks * 512
    except OSError:
        return True
    most: int = run.limits["files"]
    return size + _nameless(run.process) > most


def _nameless(process: int) -> int:
    """Bytes of the files that a process has deleted and still holds open."""
    found = {}
    with contextlib.suppress(OSError):
        for descriptor in os.scandir(f"/proc/{process}/fd"):
            with contextlib.suppress(OSError):
                file = descriptor.stat()
                if file.st_nlink == 0:
                    found[file.st_dev, file.st_ino] = file.st_blocks * 512
    return sum(found.values())


def _remove(folder: str) -> None:
    """Remove the folder of a run that has ended, however deep the code made it and whatever it forbids."""
    places, moved = [folder], 0
    with contextlib.suppress(OSError):
        while places:
            place = places.pop()
            for entry in list(os.scandir(place)):
                if entry.is_dir(follow_symlinks=False):
                    moved += 1
                    places.append(f"{folder}-{moved}")
                    Path(entry.path).chmod(0o700)
                    Path(entry.path).rename(places[-1])  # so that no path is ever long
                else:
                    Path(entry.path).unlink()
            Path(place).rmdir()


def probe(config: dict[str, Any]) -> None:
    """Raise the walls around this very process and try them; prints what is wrong, or `ok`."""
    folder = f"{config['scratch']}/probe-{time.time_ns()}"
    Path(folder).mkdir(mode=0o700)
    if config["drop_to"]:
        os.chown(folder, config["drop_to"], config["drop_to"])
    walls.build(config, config["limits"], folder)
    for what, attempt in (
        ("files can be read", lambda: Path("/etc/passwd").read_bytes()),
        ("sockets can be opened", lambda: socket.socket()),
        ("processes can be started", lambda: os.fork() or os._exit(0)),
    ):
        with contextlib.suppress(OSError):
            attempt()
            print(what)
            return
    Path(folder, "written").write_text("yes")
    importlib.import_module("colorsys")  # which nothing has loaded so far
    print("ok")
