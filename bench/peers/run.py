"""The command: `python -m bench.peers.run SET_DIR ...`. See README.md."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import re
import shutil
import signal
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from bench.peers.drive import CannotRun, Task, drive
from bench.peers.environments import Environment, InstallError, as_json, prepare
from bench.peers.judge import Outcome, judge, load_scorer
from bench.peers.meter import Call, Meter
from bench.peers.peers import Peer, find
from bench.peers.report import Row, write
from querist.errors import QueristError
from querist.state.paths import cache_dir

_CONDITIONS = ("context", "max_tokens", "timeout")
"""What answers depend on beside the questions and the model: under others everyone is asked anew."""


def main(arguments: list[str] | None = None) -> int:
    """Run the comparison; 0 when every program ran, 1 when one could not, 2 when the call is wrong."""
    a = _parser().parse_args(arguments)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that being ended ends what was started, too
    try:
        scorer = load_scorer(a.folder)
        questions = _questions(scorer, a.folder, a.quick)
        peers = find([name for name in (a.peers or "").split(",") if name])
        work = (a.work or cache_dir() / "bench-peers").resolve()
        work.mkdir(parents=True, exist_ok=True)
        if a.install_only:
            return _install(peers, work)
        with _endpoint(a) as (base_url, api_key, model):
            return _compare(a, scorer, questions, peers, work, Meter(base_url, api_key, a.max_tokens), model)
    except (ValueError, FileNotFoundError, QueristError) as error:
        hint = getattr(error, "hint", "")
        print(f"error: {error}{f' {hint}' if hint else ''}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on from here.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.peers.run", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="SET_DIR", help="the question set; score.py lies beside it")
    parser.add_argument("--quick", type=int, metavar="N", help="only N questions, those that the scorer picks")
    parser.add_argument("--peers", metavar="A,B", help="only these (default: all)")
    parser.add_argument("--base-url", metavar="URL", help="OpenAI-compatible endpoint, up to and including /v1")
    parser.add_argument("--api-key", default=os.environ.get("BENCH_API_KEY", ""), help="default: $BENCH_API_KEY")
    parser.add_argument("--model", default="", help="name at the endpoint; with --local a built-in model or a GGUF")
    parser.add_argument("--local", action="store_true", help="serve the model here, as Querist does")
    parser.add_argument("--context", type=int, default=8192, help="tokens the model holds (default: %(default)s)")
    parser.add_argument("--max-tokens", type=int, default=1024, help="reply length where none is asked for")
    parser.add_argument("--timeout", type=float, default=120.0, help="seconds for a question (default: %(default)s)")
    parser.add_argument("--work", type=Path, metavar="DIR", help="environments and runs (default: Querist's cache)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where peers.md and peers.json go (default: the run's)")
    parser.add_argument("--fresh", action="store_true", help="forget what an earlier run of the same answered")
    parser.add_argument("--report-only", action="store_true", help="ask nothing; write the table of what is there")
    parser.add_argument("--install-only", action="store_true", help="make the environments and stop")
    return parser


def _questions(scorer: ModuleType, folder: Path, quick: int | None) -> list[dict[str, Any]]:
    """In the order of their databases, so that a server which keeps prompt beginnings serves everyone alike."""
    text = (folder / "questions.jsonl").read_text(encoding="utf-8")
    questions = scorer.select([json.loads(line) for line in text.splitlines()], quick)
    for name in sorted({q["db"] for q in questions}):
        if not (folder / "databases" / f"{name}.sqlite").exists():
            raise FileNotFoundError(f"{folder} has no databases/{name}.sqlite; this compares on SQLite databases")
    return sorted(questions, key=lambda q: str(q["db"]))


def _install(peers: list[Peer], work: Path) -> int:
    failed = 0
    for peer in peers:
        try:
            made = prepare(peer, work)
            print(f"{peer.name} {made.version}: {made.megabytes:.0f} MB, {made.packages} packages")
        except InstallError as error:
            failed = 1
            print(f"{peer.name}: {error}", file=sys.stderr)
    return failed


@contextlib.contextmanager
def _endpoint(a: argparse.Namespace) -> Iterator[tuple[str, str, str]]:
    """Base URL, key and model name of the endpoint; a local server ends when this is left."""
    if a.local == bool(a.base_url) and not a.report_only:
        raise ValueError("give either --base-url URL or --local")
    if not a.local:
        yield a.base_url or "http://127.0.0.1/v1", a.api_key, a.model or "local"
        return
    from querist.models.download import pull
    from querist.models.llama_server import LlamaServer, ServerConfig
    from querist.models.manifest import default_model, find_model, is_path, model_path

    name = a.model or default_model().name
    path = model_path(name) if is_path(name) else pull(find_model(name))
    directory = cache_dir() / "bench-peers-server"
    directory.mkdir(parents=True, exist_ok=True)
    server = LlamaServer(ServerConfig(str(path), context=a.context), directory)
    try:
        yield f"{server.url}/v1", server.key, path.stem if is_path(name) else name
    finally:
        server.close()


def _compare(
    a: argparse.Namespace,
    scorer: ModuleType,
    questions: list[dict[str, Any]],
    peers: list[Peer],
    work: Path,
    meter: Meter,
    model: str,
) -> int:
    task = Task(a.folder, questions, model, a.context, a.timeout)
    usual = _parser().get_default
    other = [f"{name}-{value:g}" for name in _CONDITIONS if (value := getattr(a, name)) != usual(name)]
    name = "-".join([a.folder.resolve().name, str(len(questions)), model, *other])
    run = work / "runs" / re.sub(r"[^\w.-]+", "_", name)
    about = {
        "set": a.folder.resolve().name,
        "questions": len(questions),
        "model": model,
        "timeout": a.timeout,
        "max_tokens": a.max_tokens,
        "context": a.context,
        "machine": f"{os.cpu_count()} processors, {platform.machine()}",
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
    }
    rows: list[Row] = []
    with meter:
        for peer in peers:
            rows.append(_run(peer, scorer, task, run / peer.name, work, meter, a))
            text = write(rows, about, a.out or run)
    print(f"\n{text}\nWritten to {a.out or run}")
    return int(any(row.cannot_run for row in rows))


def _run(
    peer: Peer, scorer: ModuleType, task: Task, folder: Path, work: Path, meter: Meter, a: argparse.Namespace
) -> Row:
    """One program's row. What it answered is kept in `folder`, line by line; judged anew each time."""
    if a.fresh and not a.report_only:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    kept, state = folder / "results.jsonl", folder / "state.json"
    by_id = {question["id"]: question for question in task.questions}

    def judged(record: dict[str, Any]) -> dict[str, Any]:
        question = by_id[record["id"]]
        original = task.folder / "databases" / f"{question['db']}.sqlite"
        verdict = judge(scorer, original, question["gold"], record, task.timeout)
        verdict_fields = {"outcome": str(verdict.outcome), "warned": verdict.warned, "reason": verdict.reason[:500]}
        return {**record, "hardness": question.get("hardness", ""), **verdict_fields}

    results = [judged(record) for record in _read_lines(kept) if record["id"] in by_id]
    if a.report_only:
        about = json.loads(state.read_text(encoding="utf-8")) if state.exists() else {}
        return Row(peer, about.get("environment", {}), results, about.get("cannot_run", ""))

    def each(line: dict[str, Any], calls: list[Call], changed: list[str]) -> None:
        if meter.unreachable:
            raise ValueError(
                f"the model's endpoint cannot be reached: {meter.unreachable}. Nothing was kept of {line['id']}."
            )
        record = {**line, "status": line.get("status") or "", "seconds": line.get("seconds") or 0.0}
        record |= {"changed": changed, **_use(calls)}
        with kept.open("a", encoding="utf-8") as out:
            out.write(json.dumps(record) + "\n")
        results.append(judged(record))
        _show(peer, results, len(by_id))

    environment, cannot_run = Environment(sys.executable), ""
    print(f"\n{peer.title}: {len(results)} of {len(by_id)} answered before", flush=True)
    try:
        environment = prepare(peer, work)
        drive(peer, environment, task, folder / "home", meter, {r["id"] for r in results}, each)
    except (CannotRun, InstallError) as error:
        cannot_run = str(error)
        if all(result["outcome"] == Outcome.CRASHED for result in results):
            results.clear()  # what it lost on the way to that is no result, and a later run asks it again
            kept.unlink(missing_ok=True)
        print(f"  cannot run: {cannot_run}", flush=True)
    about = {"environment": as_json(environment), "cannot_run": cannot_run}
    state.write_text(json.dumps(about, indent=1), encoding="utf-8")
    return Row(peer, about["environment"], results, cannot_run)


def _use(calls: list[Call]) -> dict[str, Any]:
    return {
        "calls": len(calls),
        "failed_calls": sum(call.status >= 400 for call in calls),
        "input_tokens": sum(call.input_tokens for call in calls),
        "output_tokens": sum(call.output_tokens for call in calls),
        "model_seconds": round(sum(call.seconds for call in calls), 2),
        "tools_read": sum(call.tools_read for call in calls),
        "temperatures": sorted({str(call.sent_temperature) for call in calls}),
    }


def _show(peer: Peer, results: list[dict[str, Any]], total: int) -> None:
    last = results[-1]
    right = sum(result["outcome"] == "right" for result in results)
    reason = f": {last['reason'].splitlines()[0][:100]}" if last["reason"] else ""
    print(
        f"  {peer.name} {len(results)}/{total}  {last['id']}  {last['outcome']}, {last['seconds']:.1f} s, "
        f"{last['calls']} calls  ({right} right so far){reason}",
        flush=True,
    )


def _read_lines(file: Path) -> list[dict[str, Any]]:
    """The whole lines of a file; half a line, which a run that was killed may leave, is cut off."""
    if not file.exists():
        return []
    text = file.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        file.write_text(whole, encoding="utf-8")
    return [json.loads(line) for line in whole.splitlines()]


if __name__ == "__main__":
    sys.exit(main())
