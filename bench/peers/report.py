"""The table: one row for each program, as Markdown for people and JSON for programs."""

from __future__ import annotations

import json
import statistics
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.peers.judge import Outcome
from bench.peers.peers import Peer


@dataclass(frozen=True)
class Row:
    """What one program did. `results` are its lines in the order they came; `cannot_run` is empty when it ran."""

    peer: Peer
    environment: dict[str, Any]
    results: list[dict[str, Any]]
    cannot_run: str = ""


def figures(row: Row) -> dict[str, Any]:
    """A row's numbers. Shares and means are over all its questions, those without an answer included."""
    results = row.results
    outcomes = Counter(result["outcome"] for result in results)
    wrong = [result for result in results if result["outcome"] == Outcome.WRONG]
    by_status: dict[str, Counter[str]] = {}
    by_hardness: dict[str, Counter[str]] = {}
    for result in results:
        by_status.setdefault(result["status"], Counter())[result["outcome"]] += 1
        by_hardness.setdefault(result["hardness"], Counter())[result["outcome"]] += 1
    seconds = [result["seconds"] for result in results]
    return {
        "name": row.peer.name,
        "title": row.peer.title,
        "setup": row.peer.setup,
        "environment": row.environment,
        "cannot_run": row.cannot_run,
        "questions": len(results),
        "right": outcomes[Outcome.RIGHT],
        "accuracy": round(outcomes[Outcome.RIGHT] / len(results), 4) if results else None,
        "refused": outcomes[Outcome.REFUSED],
        "crashed": outcomes[Outcome.CRASHED],
        "wrong": len(wrong),
        "wrong_without_warning": sum(not result["warned"] for result in wrong),
        "seconds_median": round(statistics.median(seconds), 2) if seconds else None,
        "seconds_mean": round(statistics.fmean(seconds), 2) if seconds else None,
        "calls_mean": _mean(results, "calls"),
        "input_tokens_mean": _mean(results, "input_tokens"),
        "output_tokens_mean": _mean(results, "output_tokens"),
        "failed_calls": sum(result["failed_calls"] for result in results),
        "tool_calls_read_from_text": sum(result["tools_read"] for result in results),
        "temperatures": sorted({str(t) for result in results for t in result["temperatures"]}),
        "wrote_to_data": sorted({f"{result['id']}: {name}" for result in results for name in result["changed"]}),
        "by_status": by_status,
        "by_hardness": by_hardness,
        "outcomes": {result["id"]: result["outcome"] for result in results},
    }


def write(rows: list[Row], about: dict[str, Any], out: Path) -> str:
    """Write `peers.md` and `peers.json` to `out`; the Markdown."""
    data = {"about": about, "peers": [figures(row) for row in rows]}
    out.mkdir(parents=True, exist_ok=True)
    text = markdown(data)
    (out / "peers.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    (out / "peers.md").write_text(text, encoding="utf-8")
    return text


def markdown(data: dict[str, Any]) -> str:
    about, asked = data["about"], data["about"]["questions"]
    lines = [
        "# Querist beside its peers",
        "",
        f"{asked} questions of `{about['set']}`, model `{about['model']}`, {about['machine']}, {about['date']}.",
        f"Limit for a question: {about['timeout']:g} s. Where a program does not ask otherwise: temperature 0, at most "
        f"{about['max_tokens']} tokens a reply.",
        "",
        "| program | version | right | refused | crashed | wrong, no warning | wrong, with warning | seconds (median) "
        "| tokens in + out | model calls | install | wrote to the data |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|",
    ]
    lines += [_line(peer, asked) for peer in data["peers"]]
    lines += ["", "Tokens and calls are means for a question. How each was set up:", ""]
    lines += [f"- **{peer['title']}**: {peer['setup']}{_notes(peer)}" for peer in data["peers"]]
    return "\n".join(lines) + "\n"


def _line(peer: dict[str, Any], asked: int) -> str:
    version = peer["environment"].get("version") or "–"
    if peer["cannot_run"]:
        reason = peer["cannot_run"].replace("|", "\\|").replace("\n", " ")
        return f"| {peer['title']} | {version} | cannot run: {reason} |" + " |" * 9
    if not peer["questions"]:
        return f"| {peer['title']} | {version} | not run |" + " |" * 9
    unfinished = f" (of {peer['questions']} so far)" if peer["questions"] < asked else ""
    cells = [
        peer["title"],
        version,
        f"{peer['right']} ({100 * peer['right'] / peer['questions']:.1f}%){unfinished}",
        *(str(peer[name]) for name in ("refused", "crashed", "wrong_without_warning")),
        str(peer["wrong"] - peer["wrong_without_warning"]),
        f"{peer['seconds_median']:.1f}",
        f"{peer['input_tokens_mean']:.0f} + {peer['output_tokens_mean']:.0f}",
        f"{peer['calls_mean']:.1f}",
        f"{peer['environment'].get('megabytes') or 0:.0f} MB",
        f"yes ({len(peer['wrote_to_data'])})" if peer["wrote_to_data"] else "no",
    ]
    return f"| {' | '.join(cells)} |"


def _notes(peer: dict[str, Any]) -> str:
    notes = []
    if other := [t for t in peer["temperatures"] if t not in ("0", "0.0", "None")]:
        notes.append(f"It asked for temperature {', '.join(other)}.")
    if peer["tool_calls_read_from_text"]:
        notes.append(f"{peer['tool_calls_read_from_text']} tool calls were read from the model's text.")
    if peer["failed_calls"]:
        notes.append(f"{peer['failed_calls']} model calls failed or were cut off.")
    if peer["wrote_to_data"]:
        notes.append(f"Changed the data: {', '.join(peer['wrote_to_data'][:5])}.")
    return "".join(f" {note}" for note in notes)


def _mean(results: list[dict[str, Any]], name: str) -> float:
    return round(statistics.fmean(result[name] for result in results), 2) if results else 0.0
