"""`querist eval`: ask the questions whose answers are known, and say how many are right."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from querist.cli.ask import ModelName
from querist.errors import UsageError

if TYPE_CHECKING:
    from querist.evaluate.prediction import Prediction
    from querist.evaluate.question import GoldenQuestion
    from querist.evaluate.summary import Summary

app = typer.Typer(no_args_is_help=True, help="Ask questions whose answers are known, and say how many are right.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


@app.callback()
def root() -> None:
    """Ask questions whose answers are known, and say how many are right."""


@app.command()
def run(
    questions: Annotated[
        Path,
        typer.Argument(metavar="SET", help="Folder with questions.jsonl and databases/, or a golden file (.yaml)."),
    ],
    quick: Annotated[
        int | None, typer.Option("--quick", min=1, metavar="N", help="Only N questions, spread evenly over the set.")
    ] = None,
    predictions: Annotated[
        Path | None,
        typer.Option(
            "--predictions",
            metavar="FILE",
            help="Write each answer here at once, one JSON object a line; what is there already is not asked again.",
        ),
    ] = None,
    model: ModelName = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin the predictions anew.")] = False,
    cache: Annotated[
        bool, typer.Option("--cache/--no-cache", help="Replay what the model said to the very same request before.")
    ] = True,
    repeat: Annotated[int, typer.Option("--repeat", min=1, metavar="N", help="Ask every question N times.")] = 1,
    as_json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Ask every question of a set and compare the answers with the expected ones."""
    from querist.cli.eval_asker import QueristAsker
    from querist.evaluate.prediction import PredictionLog
    from querist.evaluate.question_set import select
    from querist.evaluate.run import run as run_questions
    from querist.settings import load_settings

    chosen = select(_read(questions), quick)
    settings = load_settings()
    progress = _Progress(len(chosen) * repeat, quiet=quiet)
    log = PredictionLog(predictions, fresh=fresh) if predictions is not None else None
    stopped = False
    try:
        run_questions(
            chosen,
            lambda data: QueristAsker(data, settings, model, cached=cache),
            log=log,
            on_each=progress.add,
            repeat=repeat,
        )
    except KeyboardInterrupt:
        stopped = True
    finally:
        progress.end()
        if log is not None:
            log.close()
    _report(progress.marked, len(chosen) * repeat, as_json=as_json)
    if stopped:
        again = f" The same command goes on from there: {predictions}" if predictions is not None else ""
        typer.echo(f"Stopped after {len(progress.marked)} of {len(chosen) * repeat}.{again}", err=True)
        raise typer.Exit(130)


def _read(path: Path) -> list[GoldenQuestion]:
    from querist.evaluate.question_set import read_question_set

    if not path.exists():
        raise UsageError(f"There is no {path}.")
    return read_question_set(path)


class _Progress:
    """One line on the terminal's error stream, written anew with each answer; nothing where that is no terminal."""

    def __init__(self, total: int, *, quiet: bool) -> None:
        self.total = total
        self.marked: list[Prediction] = []
        self._shown = sys.stderr.isatty() and not quiet

    def add(self, marked: Prediction) -> None:
        self.marked.append(marked)
        if not self._shown:
            return
        done = len(self.marked)
        right = sum(p.right for p in self.marked)
        asked = [p.seconds for p in self.marked]
        measured = [p.measured for p in self.marked]
        left = sum(measured) / done * (self.total - done)
        line = (
            f"{done}/{self.total}  right {right} ({100 * right / done:.1f}%)  "
            f"{sum(asked) / done:.1f} s a question  {left / 60:.0f} min left  {marked.id}"
        )
        sys.stderr.write(f"\r\x1b[K{line[:110]}")
        sys.stderr.flush()

    def end(self) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def _report(marked: list[Prediction], total: int, *, as_json: bool) -> None:
    from querist.evaluate.summary import summarize

    summary = summarize(marked, missing=total - len(marked))
    if as_json:
        typer.echo(json.dumps(summary.to_dict(), indent=2))
    else:
        typer.echo("\n".join(summary_lines(summary)))


def summary_lines(summary: Summary) -> list[str]:
    """The figures for people, a line each."""
    low, high = summary.right.interval
    each = summary.per_question
    lines = [
        f"right        {_of(summary.right)}  (95% interval {100 * low:.1f} to {100 * high:.1f}%)",
        *(f"  {kind:<18} {_of(share)}" for kind, share in summary.by_hardness.items()),
        *(f"  #{tag:<17} {_of(share)}" for tag, share in summary.by_tag.items()),
        "by status",
        *(f"  {kind:<18} {_of(share)}" for kind, share in summary.by_status.items()),
        f"sure         {_of(summary.trusted)} of the verified and agreed, which are "
        f"{_percent(summary.trusted.total, summary.questions)} of all",
        f"silent       {_of(summary.silent)} wrong without a warning, of all",
        f"needless     {_of(summary.needless)} of the right answers carry a warning",
        f"coverage     {100 * summary.coverage_area:.1f}% mean accuracy, the surest answers first",
        f"seconds      median {summary.seconds['p50']:.2f}, p90 {summary.seconds['p90']:.2f}, "
        f"p99 {summary.seconds['p99']:.2f}; in all {summary.seconds['sum']:.0f}",
        f"a question   {each['model_calls']:.2f} model calls, {each['tokens_in']:.0f} tokens in "
        f"({each['tokens_cached']:.0f} of them read before), {each['tokens_out']:.0f} out",
    ]
    if summary.replayed.part:
        lines.append(
            f"cache        {_of(summary.replayed)} of the model calls were replayed; seconds count them as they were"
        )
    if summary.repeats > 1:
        named = ", ".join(map(str, summary.unstable[:20])) or "none"
        lines.append(f"unstable     {len(summary.unstable)} questions differ between {summary.repeats} times: {named}")
    if summary.missing:
        lines.append(f"missing      {summary.missing} questions have no answer yet; they count as neither")
    return lines


def _of(share: object) -> str:
    from querist.evaluate.statistics import Share

    assert isinstance(share, Share)
    return (
        f"{share.part}/{share.total}" if share.rate is None else f"{share.part}/{share.total} {100 * share.rate:.1f}%"
    )


def _percent(part: int, total: int) -> str:
    return f"{100 * part / total:.1f}%" if total else "0%"
