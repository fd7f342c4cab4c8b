"""Runs on this machine: a zygote behind walls forks a process for each run; this side asks, listens, and ends it.

The walls are built in `launch.py` and `jailed/`. Here is what has to be outside: the clock, and the count of what
comes out.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
from codecs import getincrementaldecoder
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from querist.errors import SandboxError, UsageError
from querist.sandbox.base import Job, Limit, OnOutput, Outcome, SandboxLimits, Strength
from querist.sandbox.launch import Kind, Launch, environment, launch
from querist.sandbox.received import Received
from querist.sandbox.sending import job_frames

START_SECONDS = 60.0
SESSION_SECONDS = 900.0
"""After so long without a run a session ends."""
MOST_SESSIONS = 32
"""Those that are there at once; one more ends the one that has rested longest."""
_PORTION = 1 << 16


class LocalSandbox:
    """Runs code on this machine. The first run waits until the libraries are loaded; `warm` begins that ahead of it.

    Args:
        kind: `bubblewrap` (strong) or `landlock` (reduced: no namespaces, the code can see that files exist).
    """

    def __init__(self, kind: Kind) -> None:
        self.name: str = kind
        self.strength: Strength = "strong" if kind == "bubblewrap" else "reduced"
        self._kind = kind
        self._zygote: _Zygote | None = None
        self._sessions: dict[str, _Worker] = {}
        self._closed = False
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(4, "querist-sandbox")

    async def warm(self) -> None:
        """Begin to load the libraries, and do not wait for them.

        Raises:
            SandboxError: the sandbox did not start, or is closed.
        """
        await asyncio.to_thread(self._launched)

    async def run(self, job: Job, on_output: OnOutput | None = None) -> Outcome:
        frames = await asyncio.to_thread(job_frames, job)
        taking = self._threads.submit(self._worker, job)
        try:
            worker = await asyncio.wrap_future(taking)
        except asyncio.CancelledError:  # the process starts nevertheless
            taking.add_done_callback(lambda taken: self._give_back(job.session, taken))
            raise
        keep = False
        try:
            outcome, keep = await _Run(worker, job.limits, on_output).outcome(frames, self.name, self.strength)
            return outcome
        finally:
            if job.session is None:
                worker.kill()
            else:
                self._rest(job.session, worker, keep)

    async def close(self) -> None:
        with self._lock:
            self._closed = True
            sessions, self._sessions = list(self._sessions.values()), {}
            zygote, self._zygote = self._zygote, None
        for worker in sessions:
            if not worker.busy:  # else its run sees it end with the zygote
                worker.kill()
        if zygote is not None:
            await asyncio.to_thread(zygote.close)

    def _launched(self) -> _Zygote:
        with self._lock:
            if self._closed:
                raise SandboxError("The sandbox is closed.", hint="Open another.")
            if self._zygote is None or self._zygote.process.poll() is not None:
                for name, worker in list(self._sessions.items()):
                    if not worker.busy:
                        self._forget(name, worker)
                if self._zygote is not None:
                    self._zygote.close()
                self._zygote = _Zygote(launch(self._kind))
            return self._zygote

    def _worker(self, job: Job) -> _Worker:
        """The process for the job, taken: nobody else gets it before the job's end."""
        zygote = self._launched()
        zygote.wait()  # without the lock, so that it can be closed meanwhile
        if job.session is None:
            return zygote.fork(job.limits)
        with self._lock:
            worker = self._sessions.get(job.session)
            if worker is None:
                resting = [name for name, other in self._sessions.items() if not other.busy]
                for name in resting[: max(0, len(self._sessions) + 1 - MOST_SESSIONS)]:
                    self._forget(name, self._sessions[name])
                worker = zygote.fork(job.limits)
            elif worker.busy:
                raise UsageError(f"The session {job.session!r} runs something already.", hint="Wait for it to end.")
            else:
                worker.wake()
                zygote.renew(worker, job.limits)
                del self._sessions[job.session]  # to be the last of them
            self._sessions[job.session] = worker
            return worker

    def _rest(self, session: str, worker: _Worker, keep: bool) -> None:
        with self._lock:
            if keep and self._sessions.get(session) is worker:
                worker.rest(lambda: self._end(session, worker))
            else:
                self._forget(session, worker)

    def _give_back(self, session: str | None, taken: Future[_Worker]) -> None:
        if not taken.cancelled() and taken.exception() is None:
            with self._lock:
                self._forget(session, taken.result())

    def _end(self, session: str, worker: _Worker) -> None:
        with self._lock:
            if not worker.busy:
                self._forget(session, worker)

    def _forget(self, session: str | None, worker: _Worker) -> None:
        worker.kill()
        if session is not None and self._sessions.get(session) is worker:
            del self._sessions[session]


class _Zygote:
    """The process that has everything loaded, seen from outside. It takes a while until it is ready: see `wait`."""

    def __init__(self, prepared: Launch) -> None:
        self._prepared = prepared
        self._number = 0
        self._ready = False
        self._starting, self._lock = threading.Lock(), threading.Lock()
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.settimeout(START_SECONDS)
        with theirs:
            self.process = subprocess.Popen(
                [*prepared.command, str(theirs.fileno())],
                env=environment(prepared.scratch) if prepared.scratch else {},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                start_new_session=True,
            )
            self._control.send(json.dumps(prepared.config).encode())

    def wait(self) -> None:
        """Return once it is ready.

        Raises:
            SandboxError: it did not start, or was closed.
        """
        with self._starting:
            if self._ready:
                return
            with contextlib.suppress(OSError):
                self._ready = self._control.recv(16) == b"ready"
            if not self._ready:
                said = b""
                with contextlib.suppress(ValueError):  # it was closed meanwhile
                    self._log.seek(0)
                    said = self._log.read().strip()
                self.close()
                why = said.decode(errors="replace")[-500:] or "it said nothing"
                raise SandboxError(f"The sandbox did not start: {why}", hint="Try: querist sandbox doctor")

    def fork(self, limits: SandboxLimits) -> _Worker:
        report, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        pipes = [os.pipe() for _ in range(4)]  # jobs, results, stdout, stderr
        (jobs_in, jobs), (results, results_out), (stdout, stdout_in), (stderr, stderr_in) = pipes
        given = [jobs_in, results_out, stdout_in, stderr_in]
        try:
            with theirs, self._lock:
                self._number += 1
                request: dict[str, Any] = {"id": self._number, "limits": dataclasses.asdict(limits)}
                socket.send_fds(self._control, [json.dumps(request).encode()], [*given, theirs.fileno()])
            report.settimeout(START_SECONDS)
            _, handles, _, _ = socket.recv_fds(report, 64, 1)
            report.setblocking(False)  # else whoever listens on an event loop would stop it
            if not handles:
                raise SandboxError(
                    "The sandbox did not start a process for the run.",
                    hint="Other runs may have filled its disk space.",
                )
            return _Worker(request["id"], jobs, results, stdout, stderr, report, handles[0])
        except BaseException as error:
            for descriptor in (jobs, results, stdout, stderr):
                os.close(descriptor)
            report.close()
            if isinstance(error, OSError):
                self.close()  # so that the next run gets a new one
                raise SandboxError(f"The sandbox did not answer: {error}") from error
            raise
        finally:
            for descriptor in given:
                os.close(descriptor)

    def renew(self, worker: _Worker, limits: SandboxLimits) -> None:
        """Count from here for the next job of a session."""
        with self._lock, contextlib.suppress(OSError):  # when it has ended, the run will tell
            self._control.send(json.dumps({"id": worker.number, "limits": dataclasses.asdict(limits)}).encode())

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)  # wakes a thread that waits for it, as closing does not
        self._control.close()
        try:
            self.process.wait(2)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self._log.close()
        self._prepared.discard()


@dataclass
class _Worker:
    """The process of a run or a session, seen from outside: the ends of its pipes, and a handle to end it by."""

    number: int
    jobs: int
    results: int
    stdout: int
    stderr: int
    report: socket.socket
    handle: int
    _expiry: threading.Timer | None = None
    _closed: bool = False

    @property
    def busy(self) -> bool:
        return self._expiry is None

    def rest(self, end: Callable[[], None]) -> None:
        """Wait for the session's next job, or for `end` when none comes."""
        self._expiry = threading.Timer(SESSION_SECONDS, end)
        self._expiry.daemon = True
        self._expiry.start()

    def wake(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None

    def kill(self) -> None:
        self.wake()
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.handle, signal.SIGKILL)
        for descriptor in (self.jobs, self.results, self.stdout, self.stderr, self.handle):
            os.close(descriptor)
        self.report.close()


class _Run:
    """One job in a worker: sends it, gathers all that comes back, and watches the clock."""

    def __init__(self, worker: _Worker, limits: SandboxLimits, on_output: OnOutput | None) -> None:
        self.worker, self.limits = worker, limits
        self.received = Received(limits.files + limits.output)
        self.output = {worker.stdout: bytearray(), worker.stderr: bytearray()}
        self.report: dict[str, Any] | None = None
        self.limit: Limit | None = None
        self._tell = on_output
        self._decoders = {d: getincrementaldecoder("utf-8")("replace") for d in self.output}
        self._done = asyncio.Event()

    async def outcome(self, frames: bytes, name: str, strength: Any) -> tuple[Outcome, bool]:
        """What became of it, and whether the worker can take another job."""
        loop, worker, started = asyncio.get_running_loop(), self.worker, time.monotonic()
        cpu, _ = _usage(worker.handle)
        listeners: dict[int, Callable[[], None]] = {
            worker.results: self._on_result,
            worker.stdout: lambda: self._on_output(worker.stdout),
            worker.stderr: lambda: self._on_output(worker.stderr),
            worker.report.fileno(): self._on_report,
        }
        for descriptor, listener in listeners.items():
            os.set_blocking(descriptor, False)
            loop.add_reader(descriptor, listener)
        try:
            async with asyncio.timeout(self.limits.seconds):
                sending = loop.create_task(self._send(frames))
                try:
                    await self._done.wait()
                finally:
                    sending.cancel()
        except TimeoutError:
            self.limit = "seconds"
        finally:
            for descriptor in listeners:
                loop.remove_reader(descriptor)
        used, peak = _usage(worker.handle)
        ended = self.received.ended and self.limit is None and not self.received.too_much
        if not ended and self.report is None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(worker.handle, signal.SIGKILL)
            await self._last_report(loop)
        report = self.report or {}
        for descriptor in self.output:
            self._on_output(descriptor)
        stdout, stderr = (bytes(self.output[d]).decode(errors="replace") for d in (worker.stdout, worker.stderr))
        outcome = self.received.outcome(
            name,
            strength,
            stdout=stdout,
            stderr=stderr,
            limit=self.limit or report.get("limit"),
            exit_code=report.get("status"),
            seconds=time.monotonic() - started,
            cpu_seconds=max(0.0, max(used, report.get("cpu", 0.0)) - cpu),
            peak_memory=max(peak, report.get("peak", 0)),
        )
        return outcome, ended and self.received.sound and self.report is None

    async def _send(self, frames: bytes) -> None:
        loop, descriptor, view = asyncio.get_running_loop(), self.worker.jobs, memoryview(frames)
        os.set_blocking(descriptor, False)
        while view:
            try:
                view = view[os.write(descriptor, view[:_PORTION]) :]
            except BlockingIOError:
                free = asyncio.Event()
                loop.add_writer(descriptor, free.set)
                try:
                    await free.wait()
                finally:
                    loop.remove_writer(descriptor)
            except BrokenPipeError:  # it has ended before it read the job; its report says how
                return

    def _on_result(self) -> None:
        for data in _portions(self.worker.results):
            self.received.feed(data)
            if self.received.ended:
                self._done.set()
                return

    def _on_output(self, descriptor: int) -> None:
        kept = self.output[descriptor]
        for data in _portions(descriptor):
            room = self.limits.output - sum(map(len, self.output.values()))
            kept += data[:room]
            if self._tell and (text := self._decoders[descriptor].decode(data[:room])):
                self._tell(text)
            if len(data) > room:
                self.limit = self.limit or "output"
                self._done.set()
                return

    def _on_report(self) -> None:
        with contextlib.suppress(BlockingIOError):
            try:
                said = self.worker.report.recv(4096)
            except ConnectionError:
                said = b""
            self.report = json.loads(said) if said else {}
            self._on_result()
            self._done.set()

    async def _last_report(self, loop: asyncio.AbstractEventLoop) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                said = await loop.sock_recv(self.worker.report, 4096)
                self.report = json.loads(said) if said else {}


def _portions(descriptor: int) -> Any:
    """What can be read without waiting, in portions, for a while: the clock must get its turn."""
    with contextlib.suppress(BlockingIOError):
        for _ in range(16):
            data = os.read(descriptor, _PORTION)
            if not data:
                asyncio.get_running_loop().remove_reader(descriptor)
                return
            yield data


def _usage(handle: int) -> tuple[float, int]:
    """CPU seconds so far and the highest memory in bytes of the process behind a handle; zeros when it has ended."""
    with contextlib.suppress(OSError, StopIteration, IndexError, ValueError):
        told = Path(f"/proc/self/fdinfo/{handle}").read_text().splitlines()
        process = Path("/proc") / next(line.split()[1] for line in told if line.startswith("Pid:"))
        times = (process / "stat").read_text().rpartition(")")[2].split()[11:13]
        memory = (process / "status").read_text().splitlines()
        peak = int(next(line.split()[1] for line in memory if line.startswith("VmHWM:"))) * 1024
        return sum(map(int, times)) / os.sysconf("SC_CLK_TCK"), peak
    return 0.0, 0
