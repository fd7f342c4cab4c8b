#!/usr/bin/env python3
"""What each technique of the answer engine is worth: a question set asked with one of them switched off at a time.

usage: python bench/ablation.py SET [--quick N] [--model NAME] [--out FOLDER] [--only VARIANT]...
Replies of the model are cached, so that variants that ask it the same cost nothing; their seconds are those of the
first time. Writes a table in Markdown, and the same figures as JSON, after each variant.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from querist.answer import ask, draft
from querist.answer.mend import Mended
from querist.cli.eval_asker import QueristAsker
from querist.evaluate.question_set import read_question_set, select
from querist.evaluate.run import run
from querist.evaluate.summary import summarize
from querist.settings import load_settings

Patch = Callable[[], Any]

VARIANTS: dict[str, tuple[dict[str, Any], tuple[Patch, ...]]] = {
    "all of it": ({}, ()),
    "no mending": ({}, (lambda: mock.patch.object(draft, "mend", lambda sql, *rest: Mended(sql)),)),
    "no checks": ({}, (lambda: mock.patch.object(draft, "run_checks", lambda case: []),)),
    "no values in the prompt": ({}, (lambda: mock.patch.object(ask, "hints", lambda matches, note: note),)),
    "no repairs": ({"answer": {"repairs": 0}}, ()),
    "no refusals": ({}, (lambda: mock.patch.object(ask, "missing", mock.AsyncMock(return_value=None)),)),
    "one draft, no vote": ({"answer": {"drafts": 1}}, ()),
    "one draft, nothing else": (
        {"answer": {"drafts": 1, "repairs": 0}},
        (
            lambda: mock.patch.object(draft, "mend", lambda sql, *rest: Mended(sql)),
            lambda: mock.patch.object(draft, "run_checks", lambda case: []),
            lambda: mock.patch.object(ask, "hints", lambda matches, note: note),
        ),
    ),
}


@contextmanager
def switched_off(patches: tuple[Patch, ...]) -> Iterator[None]:
    with ExitStack() as stack:
        for patch in patches:
            stack.enter_context(patch())
        yield


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("set", type=Path)
    arguments.add_argument("--quick", type=int, metavar="N")
    arguments.add_argument("--model")
    arguments.add_argument("--only", action="append", choices=list(VARIANTS), metavar="VARIANT")
    arguments.add_argument("--out", type=Path, default=Path("bench/results"))
    chosen = arguments.parse_args()
    questions = select(read_question_set(chosen.set), chosen.quick)
    chosen.out.mkdir(parents=True, exist_ok=True)
    figures = {}
    lines = [
        f"{len(questions)} questions of {chosen.set.name}.",
        "",
        "| variant | right | calls | median s | agreed: right of | wrong, no warning |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for name in chosen.only or VARIANTS:
        overrides, patches = VARIANTS[name]
        settings = load_settings(overrides=overrides)
        with switched_off(patches):
            marked = run(questions, lambda data, s=settings: QueristAsker(data, s, chosen.model, cached=True))
        figures[name] = summarize(marked).to_dict()
        agreed = [p for p in marked if p.status == "agreed"]
        calls = sum(p.model_calls for p in marked) / len(marked)
        seconds = sorted(p.seconds for p in marked)[len(marked) // 2]
        lines.append(
            f"| {name} | {100 * sum(p.right for p in marked) / len(marked):.1f}% | {calls:.2f} | {seconds:.1f} "
            f"| {sum(p.right for p in agreed)} of {len(agreed)} | {sum(p.silent for p in marked)} |"
        )
        print(lines[-1], flush=True)
        (chosen.out / "ablation.md").write_text("\n".join(lines) + "\n")
        (chosen.out / "ablation.json").write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
