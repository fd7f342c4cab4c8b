#!/usr/bin/env python3
"""How many questions of a data-analysis set (InfiAgent-DABench's form) Querist's analysis answers, and a baseline.

usage: python bench/dabench.py SET [--baseline] [--quick N] [--model NAME] [--out FOLDER]
SET holds questions.jsonl (question, constraints, format, answers) and databases/ with a CSV file for each. A question
is right when every named answer is: numbers to the decimals that the expected one has, texts up to case and quotes.
`--baseline` asks for pandas code in one prompt instead, runs it once, and reads what it prints. Replies of the model
are cached and finished questions kept in FOLDER, of each set and model by themselves, so that a run that was stopped
goes on where it was; `--quick N` takes the same N questions each time. The baseline runs its code with no protection
but a time limit.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pandas as pd

from querist.analysis.code_mend import code_in
from querist.analysis.named import read_named, shown
from querist.app import Querist
from querist.errors import QueristError
from querist.models.base import Message, Request
from querist.models.cached import CachedModel
from querist.models.open import open_model
from querist.settings import load_settings
from querist.state.cache import ContentCache
from querist.state.paths import cache_dir

Question = dict[str, Any]
SEED = 7
SECONDS = 60
BASELINE = """You are a data analyst. The file {db!r} is a CSV file. Its columns are: {columns}
First rows:
{head}
Write a Python program with pandas that reads the file and answers the question. Print each answer exactly in the \
given format @name[value].
Question: {question}
Constraints: {constraints}
Format: {format}
Reply with only the Python code."""


def right(question: Question, given: dict[str, str]) -> bool:
    """Whether every named answer is given and right."""
    return all(name in given and same(value, given[name]) for name, value in question["answers"])


def same(expected: str, given: str) -> bool:
    left, right = (text.strip().strip("\"'").lower() for text in (expected, given))
    if left == right:
        return True
    if "," in left:
        parts = left.split(","), right.strip("[]()").split(",")
        return len(parts[0]) == len(parts[1]) and all(same(a, b) for a, b in zip(*parts, strict=True))
    try:
        wanted, got = float(left), float(right.removesuffix("%"))
    except ValueError:
        return False
    if wanted != wanted or got != got:
        return wanted != wanted and got != got
    decimals = len(left.partition(".")[2])
    return abs(wanted - got) <= (0.5 * 10.0**-decimals if decimals else 0.0) + 1e-9


async def baseline(question: Question, folder: Path, model: CachedModel) -> tuple[dict[str, str], str]:
    data = pd.read_csv(folder / question["db"])
    fields = {key: question[key] for key in ("db", "question", "constraints", "format")}
    prompt = BASELINE.format(columns=", ".join(map(str, data.columns)), head=data.head(3).to_csv(index=False), **fields)
    reply = await model.complete(Request([Message("user", prompt)], max_tokens=700, prefix="dabench-baseline"))
    with tempfile.TemporaryDirectory() as scratch:
        shutil.copy(folder / question["db"], scratch)
        Path(scratch, "program.py").write_text(code_in(reply.text))
        try:
            ran = await asyncio.to_thread(
                subprocess.run,
                [sys.executable, "-W", "ignore", "program.py"],
                cwd=scratch,
                capture_output=True,
                text=True,
                timeout=SECONDS,
            )
        except subprocess.TimeoutExpired:
            return {}, "time out"
    return read_named(ran.stdout), (ran.stderr.strip().splitlines() or [""])[-1]


def querist(question: Question, opened: Querist) -> tuple[dict[str, str], str, str]:
    result = opened.analyse(question["question"], constraints=question["constraints"], format=question["format"])
    return {name: shown(value) for name, value in result.values.items()}, "", result.status


def kept_in(out: Path, kind: str, folder: Path, model: str) -> Path:
    """Where finished questions are kept: what another model answered, or of another set, is no answer."""
    run = re.sub(r"[^\w.-]+", "_", f"{folder.resolve().name}-{model}")
    return out / f"dabench-{kind}-{run}.jsonl"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("set", type=Path)
    arguments.add_argument("--baseline", action="store_true")
    arguments.add_argument("--quick", type=int, metavar="N")
    arguments.add_argument("--model")
    arguments.add_argument("--out", type=Path, default=Path("bench/results"))
    chosen = arguments.parse_args()
    questions = [json.loads(line) for line in (chosen.set / "questions.jsonl").open()]
    if chosen.quick:
        questions = random.Random(SEED).sample(questions, chosen.quick)
    questions.sort(key=lambda question: question["db"])  # the prompts of one file share their beginning
    kind = "baseline" if chosen.baseline else "querist"
    settings = load_settings()
    cache = ContentCache(cache_dir() / "model-replies.sqlite", 500_000_000)
    model = CachedModel(open_model(chosen.model or settings.models.coding, settings), cache)
    log = kept_in(chosen.out, kind, chosen.set, model.name)
    chosen.out.mkdir(parents=True, exist_ok=True)
    done = {row["id"]: row for row in map(json.loads, log.open())} if log.exists() else {}
    opened: tuple[str, Querist] | None = None
    held = ExitStack()
    rows = []
    for question in questions:
        row = done.get(question["id"])
        if row is None:
            started, given, error, status = time.monotonic(), {}, "", ""
            try:
                if chosen.baseline:
                    given, error = asyncio.run(baseline(question, chosen.set / "databases", model))
                else:
                    if opened is None or opened[0] != question["db"]:
                        held.close()  # each has a sandbox with all libraries loaded
                        data = Querist(chosen.set / "databases" / question["db"], model=model)
                        opened = (question["db"], held.enter_context(data))
                    given, error, status = querist(question, opened[1])
            except QueristError as failure:
                error = f"{failure.code}: {failure.message}"
            row = {
                "id": question["id"],
                "hardness": question["hardness"],
                "right": right(question, given),
                "given": given,
                "status": status,
                "error": error,
                "seconds": round(time.monotonic() - started + model.take_replayed()[1], 2),
            }
            with log.open("a") as file:
                file.write(json.dumps(row) + "\n")
        rows.append(row)
        print(f"{len(rows):4} of {len(questions)}  {row['id']:14} {'right' if row['right'] else 'wrong'}", flush=True)
    held.close()
    report(kind, rows)


def report(kind: str, rows: list[dict[str, Any]]) -> None:
    total, good = Counter(r["hardness"] for r in rows), Counter(r["hardness"] for r in rows if r["right"])
    levels = ", ".join(f"{level} {good[level]}/{total[level]}" for level in ("easy", "medium", "hard"))
    seconds = sorted(r["seconds"] for r in rows)[len(rows) // 2]
    share = 100 * sum(good.values()) / len(rows)
    print(f"{kind}: {sum(good.values())} of {len(rows)} right ({share:.1f}%): {levels}; median {seconds:.1f} s")
    if agreed := [r for r in rows if r["status"] == "agreed"]:
        print(f"agreed: {sum(r['right'] for r in agreed)} of {len(agreed)} right")


if __name__ == "__main__":
    main()
