"""Work on hostile input (a pattern, a template, a stylesheet, a schema) in a process that can be killed.

Not a sandbox: what runs is Querist's own code. It only has to stop when the input makes it run or grow without end.
Functions that run here are in modules that import little, for each call starts a process.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from querist.errors import ComponentFailedError, ComponentInputError, ComponentTimeoutError

SECONDS = 10.0
MEGABYTES = 1024
MAX_REPLY = 50_000_000
"""Bytes of JSON that come back."""

_KEPT = ("PATH", "PYTHONPATH", "SYSTEMROOT", "LANG", "LC_ALL")


async def in_worker(
    function: Callable[..., Any], *arguments: Any, seconds: float | None = None, keep: Sequence[int] = ()
) -> Any:
    """Call a function of a module, with arguments and a result that are JSON, in a process of its own.

    The process keeps to `memory_mb` and `cpu_seconds` of the run that it works for, where the system can bound them.

    Args:
        seconds: that it may take; `SECONDS` when None.
        keep: descriptors that the function uses, passed on under their numbers.

    Raises:
        ComponentInputError: the function raised it, or a ValueError.
        ComponentTimeoutError: it took longer than `seconds`.
        ComponentFailedError: it raised something else, or grew too large.
    """
    # The process itself does without these, as they are slow to import.
    import asyncio

    from querist.core.context import RunContext, current_run

    seconds = SECONDS if seconds is None else seconds
    run = current_run.get() or RunContext()
    cpu = int(min(seconds, run.cpu_seconds or seconds)) + 1
    megabytes = min(MEGABYTES, run.memory_mb or MEGABYTES)
    request = json.dumps([function.__module__, function.__qualname__, arguments]).encode()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-P", "-m", __name__, str(cpu), str(megabytes)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=keep,
        env={name: os.environ[name] for name in _KEPT if name in os.environ},
    )
    try:
        async with asyncio.timeout(seconds):
            reply, _ = await process.communicate(request)
    except TimeoutError as error:
        raise ComponentTimeoutError(
            f"It did not finish in {seconds:g} s.", hint="The pattern, template or rule is too costly: simplify it."
        ) from error
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            # asyncio sees the end of a process only when its pipes have been read to theirs.
            await process.communicate()
    if not reply:
        raise ComponentFailedError(
            f"It stopped without a result (exit code {process.returncode}).", hint="It may have needed too much memory."
        )
    outcome, value = json.loads(reply)
    if outcome == "input":
        raise ComponentInputError(value)
    if outcome == "failed":
        raise ComponentFailedError(value)
    return value


def _main(seconds: int, megabytes: int) -> None:
    with suppress(ImportError, ValueError, OSError):  # Windows has no limits, and macOS none of memory
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))  # should the parent be gone
    module, name, arguments = json.loads(sys.stdin.buffer.read())
    try:
        result = getattr(importlib.import_module(module), name)(*arguments)
        reply = json.dumps(["result", result], ensure_ascii=False).encode()  # refuses half a character
        if len(reply) > MAX_REPLY:
            reply = json.dumps(["failed", f"The result is larger than {MAX_REPLY:,} bytes."]).encode()
    except (ComponentInputError, ValueError) as error:
        reply = json.dumps(["input", str(error)]).encode()
    except (MemoryError, RecursionError):
        reply = b'["failed", "The result is too large, or too deeply nested."]'
    except Exception as error:
        reply = json.dumps(["failed", f"{type(error).__name__}: {error}"]).encode()
    sys.stdout.buffer.write(reply)


if __name__ == "__main__":
    _main(int(sys.argv[1]), int(sys.argv[2]))
