"""What a large CSV costs: time until the first and the second query of the same folder, and peak memory.

    python bench/files.py [--rows 2000000] [--output bench/results/files]

Writes Markdown and JSON. Each step runs in a process of its own, as two commands after another would; times include the
start of Python and all imports. It uses a home of its own, so your own caches play no part.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

QUERIES = {
    "group and sum": "SELECT region, sum(quantity * price) FROM readings GROUP BY region ORDER BY region",
    "join": "SELECT region, owner, count(*) FROM readings JOIN stations USING (station) GROUP BY ALL ORDER BY ALL",
    "distinct text": "SELECT count(DISTINCT note) FROM readings",
    "sort all, show ten": "SELECT * FROM readings ORDER BY price DESC, id LIMIT 10",
}


def write_data(folder: Path, rows: int) -> None:
    """A folder with one large CSV (ten columns of all kinds) and a small one that joins to it."""
    rng = random.Random(5)
    with (folder / "readings.csv").open("w", encoding="utf-8") as out:
        out.write("id,station,region,product,quantity,price,taken_on,sent_at,note,grade\n")
        for number in range(rows):
            note = "" if rng.random() < 0.7 else f"note {rng.randrange(100_000)}"
            out.write(
                f"{number},S{rng.randrange(500):05},{rng.choice(['north', 'south', 'east', 'west'])},"
                f"P{rng.randrange(900)},{rng.randrange(1, 20)},{rng.random() * 500:.2f},"
                f"{2020 + rng.randrange(5)}-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02},"
                f"2024-01-{rng.randrange(1, 29):02} 10:{rng.randrange(60):02}:00,{note},"
                f"{rng.choice(['', '1', '2', '3'])}\n"
            )
    with (folder / "stations.csv").open("w", encoding="utf-8") as out:
        out.write("station,owner\n" + "".join(f"S{n:05},owner {n % 7}\n" for n in range(500)))


def ask(folder: Path, step: str) -> None:
    """One process: open the folder, do one thing, and print what it took."""
    from querist.sources.open import open_sources

    (source,) = open_sources([folder])
    opened = time.perf_counter()
    if step == "profile":
        source.profile()
        rows = None
    else:
        rows = source.execute(QUERIES[step]).rows
    done = time.perf_counter()
    source.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print(
        json.dumps({"seconds_in_step": done - opened, "peak_bytes": peak, "first_row": repr(rows[:1]) if rows else ""})
    )


def run(folder: Path, home: Path, step: str) -> dict[str, Any]:
    command = [sys.executable, __file__, "--folder", str(folder), "--step", step]
    started = time.perf_counter()
    done = subprocess.run(command, env={**os.environ, "QUERIST_HOME": str(home)}, capture_output=True, text=True)
    seconds = time.perf_counter() - started
    if done.returncode:
        raise SystemExit(done.stderr)
    return {"step": step, "seconds": seconds, **json.loads(done.stdout)}


def measure(rows: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as place:
        folder, home = Path(place) / "data", Path(place) / "home"
        folder.mkdir()
        write_data(folder, rows)
        size = sum(path.stat().st_size for path in folder.iterdir())
        first = run(folder, home, "group and sum")
        kept = sum(path.stat().st_size for path in home.rglob("*.duckdb"))
        later = [run(folder, home, step) for step in (*QUERIES, "profile", "profile")]
    second = later[0]
    return {
        "rows": rows,
        "bytes": size,
        "kept_bytes": kept,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "load_before": os.getloadavg()[0],
        "first": first,
        "later": later,
        "first_to_second": first["seconds"] / second["seconds"],
    }


def as_markdown(found: dict[str, Any]) -> str:
    first, ratio = found["first"], found["first_to_second"]
    lines = [
        f"# A CSV of {found['rows']:,} rows",
        "",
        f"{found['bytes'] / 1e6:.0f} MB of CSV, kept as {found['kept_bytes'] / 1e6:.0f} MB; {found['machine']}.",
        f"The second query of the folder takes 1/{ratio:.0f} of the time of the first.",
        "",
        "| command | seconds from start to end | of that, the query | peak memory, MB |",
        "|---|---|---|---|",
    ]
    seen: set[str] = set()
    for step in (first, *found["later"]):
        again = ", again" if step["step"] in seen else ""
        seen.add(step["step"])
        lines.append(
            f"| {step['step']}{again} | {step['seconds']:.2f} | {step['seconds_in_step']:.3f} "
            f"| {step['peak_bytes'] / 1e6:.0f} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "files")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--step", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        ask(options.folder, options.step)
        return
    found = measure(options.rows)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.with_suffix(".json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    options.output.with_suffix(".md").write_text(as_markdown(found), encoding="utf-8")
    print(as_markdown(found))


if __name__ == "__main__":
    main()
