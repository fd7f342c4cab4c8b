"""What the sandbox costs: cold start, runs once it is warm, and fifty runs at once with their memory.

    python -m bench.sandbox [--backend bubblewrap] [--runs 100] [--json]

Needs the extra `analysis`. Times are wall-clock, on whatever else the machine does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import threading
import time
from pathlib import Path

from querist.sandbox.base import Job
from querist.sandbox.local import LocalSandbox

EMPTY = "result = 1"
WORK = """
import polars as pl, matplotlib.pyplot as plt
data = pl.DataFrame({"group": [n % 7 for n in range(10_000)], "value": [float(n) for n in range(10_000)]})
result = data.group_by("group").agg(pl.col("value").mean()).sort("group")
plt.plot(result["group"], result["value"])
"""


def available() -> int:
    """Bytes of memory that this machine has left."""
    line = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemAvailable"))
    return int(line.split()[1]) * 1024


class Lowest:
    """The least memory that was left while it watched."""

    def __enter__(self) -> Lowest:
        self.before = self.value = available()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.02):
            self.value = min(self.value, available())


async def timed(sandbox: LocalSandbox, code: str) -> float:
    started = time.perf_counter()
    outcome = await sandbox.run(Job(code))
    assert outcome.status == "ok", outcome
    return time.perf_counter() - started


async def measure(kind: str, runs: int) -> dict[str, float]:
    sandbox = LocalSandbox(kind)  # type: ignore[arg-type]
    cold = await timed(sandbox, EMPTY)
    await asyncio.sleep(8)  # until the libraries for later are loaded too
    empty = [await timed(sandbox, EMPTY) for _ in range(runs)]
    work = [await timed(sandbox, WORK) for _ in range(max(5, runs // 10))]
    with Lowest() as lowest:
        started = time.perf_counter()
        each = await asyncio.gather(*(timed(sandbox, WORK) for _ in range(50)))
        fifty = time.perf_counter() - started
    await sandbox.close()
    return {
        "cold start and first run, s": cold,
        "warm empty run, median, ms": statistics.median(empty) * 1000,
        "warm empty run, 95th percentile, ms": sorted(empty)[int(len(empty) * 0.95)] * 1000,
        "group, mean and chart, median, ms": statistics.median(work) * 1000,
        "50 of these at once, s": fifty,
        "slowest of the 50, s": max(each),
        "memory of the 50 together, MB": (lowest.before - lowest.value) / 1e6,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backend", choices=("bubblewrap", "landlock"), default="bubblewrap")
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    figures = {name: round(value, 2) for name, value in asyncio.run(measure(arguments.backend, arguments.runs)).items()}
    print(json.dumps(figures, indent=2) if arguments.json else "\n".join(f"{n:38} {v:10}" for n, v in figures.items()))


if __name__ == "__main__":
    main()
