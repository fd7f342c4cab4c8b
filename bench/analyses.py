#!/usr/bin/env python3
"""How many statistical questions in plain words, with no format to fill in, `querist analyse` answers right.

usage: python bench/analyses.py SET [--model NAME] [--no-code] [--explain]
SET holds CSV files and cases.jsonl, an object a line: the `file` and the `question`; the `technique`s that answer it;
`values`, which a right answer has computed, each as [what it is, number]; `says`, a pattern that its words match, and
`never`, one that only false words match. A question is right when technique, values and words are, and a lie when its
words are false. `bench/analyses/` has two such sets: one that was looked at while the program was made, and one that
was not. Replies of the model are cached.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import statistics
from collections import Counter
from itertools import groupby
from pathlib import Path
from typing import Any

from querist.analysis.analysis import Analysis
from querist.analysis.findings import FindingValue
from querist.app import Querist
from querist.errors import QueristError
from querist.models.cached import CachedModel
from querist.models.open import open_model
from querist.settings import load_settings
from querist.state.cache import ContentCache
from querist.state.paths import cache_dir

Case = dict[str, Any]


def faults(case: Case, result: Analysis) -> list[str]:
    """What is wrong with an answer: `technique`, `value`, `words`, `lie`."""
    found = [found.value for found in result.findings]
    checks = {
        "technique": bool({*result.techniques} & {*case["technique"]}),
        "value": all(any(_near(value, number) for value in found) for _, number in case["values"]),
        "words": bool(re.search(case["says"], result.text, re.I)),
        "lie": not (case["never"] and re.search(case["never"], result.text, re.I)),
    }
    return [name for name, holds in checks.items() if not holds]


def _near(value: FindingValue, number: float) -> bool:
    return isinstance(value, int | float) and math.isclose(value, number, rel_tol=0.005, abs_tol=0.0005)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("set", type=Path)
    arguments.add_argument("--model")
    arguments.add_argument("--explain", action="store_true", help="also print the words of each answer")
    chosen = arguments.parse_args()
    cases: list[Case] = [json.loads(line) for line in (chosen.set / "cases.jsonl").open()]
    settings = load_settings()
    cache = ContentCache(cache_dir() / "model-replies.sqlite", 500_000_000)
    model = CachedModel(open_model(chosen.model or settings.models.coding, settings), cache)
    counts: Counter[str] = Counter()
    seconds: list[float] = []
    for file, asked in groupby(cases, key=lambda case: str(case["file"])):
        with Querist(chosen.set / file, model=model) as querist:
            for case in asked:
                try:
                    result = querist.analyse(case["question"])
                except QueristError as error:
                    result = Analysis(question=case["question"], status="failed", text=error.message)
                wrong = faults(case, result)
                counts += Counter([*wrong, result.status, "all"])
                counts["right"] += not wrong
                counts[f"{result.status} and right"] += not wrong
                seconds.append(result.timings.get("total", 0.0))
                print(
                    f"{'right' if not wrong else ', '.join(wrong):20} {result.status:10} {case['question']}", flush=True
                )
                if chosen.explain:
                    print(f"    {', '.join(result.techniques) or 'code'}: {result.text}", flush=True)
    print(
        f"{counts['right']} of {counts['all']} right; wrong technique {counts['technique']}, value {counts['value']}, "
        f"words {counts['words']}, of these false {counts['lie']}; agreed and right {counts['agreed and right']} of "
        f"{counts['agreed']}; median {statistics.median(seconds):.1f} s"
    )


if __name__ == "__main__":
    main()
