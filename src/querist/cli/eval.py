"""`querist eval`: ask the questions whose answers are known, and say how many are right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from querist.cli.ask import Data, ModelName
from querist.cli.errors import show_error
from querist.cli.output_file import check_writable, write_whole
from querist.errors import QueristError, UsageError

if TYPE_CHECKING:
    from querist.evaluate.prediction import Prediction
    from querist.evaluate.question import GoldenQuestion
    from querist.evaluate.summary import Summary

app = typer.Typer(no_args_is_help=True, help="Ask questions whose answers are known, and say how many are right.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Marking = Annotated[
    Path | None,
    typer.Option("--set", metavar="SET", help="Mark the predictions against this set, anew where they are marked."),
]


@app.callback()
def root() -> None:
    """Ask questions whose answers are known, and say how many are right."""


@app.command()
def run(
    questions: Annotated[
        Path,
        typer.Argument(metavar="SET", help="A golden file (.yaml), or a folder with questions.jsonl and databases/."),
    ],
    quick: Annotated[
        int | None, typer.Option("--quick", min=1, metavar="N", help="Only N questions, spread evenly over the set.")
    ] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option("--tag", metavar="T", help="Only questions with this tag; may be given several times."),
    ] = None,
    predictions: Annotated[
        Path | None,
        typer.Option(
            "--predictions",
            metavar="FILE",
            help="Write each answer here at once, one JSON object a line; what is there already is not asked again.",
        ),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin the predictions anew.")] = False,
    model: ModelName = None,
    cache: Annotated[
        bool, typer.Option("--cache/--no-cache", help="Replay what the model said to the very same request before.")
    ] = True,
    repeat: Annotated[
        int, typer.Option("--repeat", min=1, metavar="N", help="Ask every question N times, and show which differ.")
    ] = 1,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write the results as a JUnit file, for CI.")
    ] = None,
    min_accuracy: Annotated[
        float | None,
        typer.Option(
            "--min-accuracy",
            min=0,
            max=1,
            metavar="X",
            help="End with 0 when at least this share has passed, such as 0.9. By default all of a golden file must, "
            "and none of a folder.",
        ),
    ] = None,
    as_json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Ask every question of a set, and mark the answers.

    \b
    Examples:
      querist eval run golden.yaml
      querist eval run golden.yaml --tag sales --min-accuracy 0.9 --junit junit.xml
      querist eval run questions/ --quick 100 --predictions nightly.jsonl

    Ends with 0 when enough have passed (are right, and within their budget), 1 when too few have, 2 when the questions
    cannot be asked (the call, the settings, the file, the data or the model are wrong), and 130 when it was stopped
    with Ctrl-C; the same command goes on from there.
    """
    from querist.cli.eval_asker import QueristAsker
    from querist.cli.eval_show import Progress
    from querist.evaluate.junit import junit_file
    from querist.evaluate.prediction import PredictionLog
    from querist.evaluate.run import run as run_questions
    from querist.evaluate.summary import summarize
    from querist.settings import load_settings

    chosen = _chosen(questions, quick, tag or [])
    if junit is not None:
        check_writable(junit)
    settings = load_settings()
    total = len(chosen) * repeat
    progress = Progress(total, quiet=quiet)
    log = PredictionLog(predictions, fresh=fresh) if predictions is not None else None
    stopped = False
    try:
        run_questions(
            chosen,
            lambda data: QueristAsker(data, settings, model, cached=cache),
            log=log,
            on_each=progress.add,
            repeat=repeat,
            setup=json.dumps([model or settings.models.coding, {**settings.public(), "data": ()}], sort_keys=True),
        )
    except KeyboardInterrupt:
        stopped = True
    except QueristError as error:
        show_error(error, as_json=as_json)
        raise typer.Exit(2) from error
    finally:
        progress.end()
        if log is not None:
            log.close()
    summary = summarize(progress.marked, missing=total - len(progress.marked))
    listed = questions.is_file()
    _print_summary(summary, progress.marked if listed else [], as_json=as_json)
    if stopped:
        again = "" if predictions is None else f" The same command goes on from there: they are in {predictions}."
        typer.echo(f"Stopped after {len(progress.marked)} of {total} answers.{again}", err=True)
        raise typer.Exit(130)
    if junit is not None:
        write_whole(junit, junit_file(questions.stem, progress.marked))
    needed = (1.0 if listed else 0.0) if min_accuracy is None else min_accuracy
    raise typer.Exit(0 if (summary.passed.rate or 0.0) >= needed else 1)


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(metavar="A", help="Predictions of one run, as --predictions wrote them.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="Predictions of the other.")],
    questions: Marking = None,
    fail_if_worse: Annotated[
        bool, typer.Option("--fail-if-worse", help="End with 1 when B is worse than chance explains (p < 0.05).")
    ] = False,
    as_json: Json = False,
) -> None:
    """Compare two runs over the same questions.

    Which is better, by how much, whether chance explains it, and which answers changed.

    Example: querist eval compare before.jsonl after.jsonl --fail-if-worse
    """
    from querist.cli.eval_show import comparison_lines
    from querist.evaluate.compare import compare as compared

    comparison = compared(_marked(first, questions), _marked(second, questions))
    if as_json:
        typer.echo(json.dumps(comparison.to_dict(), indent=2, ensure_ascii=False))
    else:
        typer.echo("\n".join(comparison_lines(comparison, str(first), str(second))))
    raise typer.Exit(1 if fail_if_worse and comparison.worse else 0)


@app.command()
def report(
    predictions: Annotated[Path, typer.Argument(metavar="FILE", help="Predictions, as --predictions wrote them.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write a page (HTML) here; else print figures."),
    ] = None,
    questions: Marking = None,
    as_json: Json = False,
) -> None:
    """Show the figures of a finished run, or write them as a page.

    The page has charts and every question, and needs no network.

    Example: querist eval report nightly.jsonl --output report.html
    """
    from querist.evaluate.summary import summarize

    marked = _marked(predictions, questions)
    if any(p.mark is None for p in marked):
        raise UsageError(
            f"There are answers without a mark in {predictions}.", hint="Name the question set with --set to mark them."
        )
    if output is None or as_json:
        asked = {p.id for p in marked}
        missing = 0 if questions is None else sum(question.id not in asked for question in _read(questions))
        _print_summary(summarize(marked, missing=missing), [], as_json=as_json)
    if output is not None:
        from querist.evaluate.report import report_page

        write_whole(output, report_page(predictions.stem, marked))
        typer.echo(f"The report is in {output}.", err=True)


@app.command()
def record(
    session: Annotated[
        Path | None, typer.Argument(metavar="SESSION", help="A session of `querist chat`; the last one by default.")
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Golden file to write, or to add to.")
    ] = Path("golden.yaml"),
    data: Data = None,
) -> None:
    """Turn the answers of a session into golden questions. Read their queries before you rely on them.

    Example: querist eval record --data sales.csv --output golden.yaml
    """
    from querist.evaluate.record import last_session
    from querist.evaluate.record import record as record_session
    from querist.settings import load_settings
    from querist.state.paths import data_dir

    chosen = session or last_session(data_dir() / "sessions")
    recorded = record_session(chosen, output, data or load_settings().data)
    for question, reason in recorded.left_out:
        typer.echo(f"Left out, since {reason}: {question}", err=True)
    if not recorded.added:
        raise UsageError(f"There is nothing to record in {chosen}.")
    new = "1 question is" if recorded.added == 1 else f"{recorded.added} questions are"
    typer.echo(f"{new} new in {output}. Read their queries before you rely on them.")


def _read(path: Path) -> list[GoldenQuestion]:
    if not path.exists():
        raise UsageError(f"There is no {path}.", hint="Name a golden file, or a folder with questions.jsonl.")
    if path.is_dir():
        from querist.evaluate.question_set import read_question_set

        return read_question_set(path)
    from querist.evaluate.golden import read_golden

    return read_golden(path)


def _chosen(path: Path, quick: int | None, tags: list[str]) -> list[GoldenQuestion]:
    from querist.evaluate.question_set import select

    questions = _read(path)
    if tags:
        known = sorted({tag for question in questions for tag in question.tags})
        questions = [question for question in questions if set(tags) & set(question.tags)]
        if not questions:
            listed = f"Its tags: {', '.join(known)}." if known else "Its questions have no tags."
            raise UsageError(f"No question of {path} has the tag {' or '.join(tags)}.", hint=listed)
    return select(questions, quick)


def _marked(predictions: Path, questions: Path | None) -> list[Prediction]:
    from querist.evaluate.prediction import read_predictions
    from querist.evaluate.score import mark_all

    read = read_predictions(predictions)
    marked = read if questions is None else mark_all(_read(questions), read)
    if not marked:
        raise UsageError(f"There are no answers in {predictions}" + (f" to questions of {questions}." if read else "."))
    return marked


def _print_summary(summary: Summary, listed: list[Prediction], *, as_json: bool) -> None:
    from querist.cli.eval_show import failure_lines, summary_lines

    if as_json:
        typer.echo(json.dumps(summary.to_dict(), indent=2))
        return
    lines = summary_lines(summary)
    if failures := failure_lines(listed):
        lines += ["not passed", *failures]
    typer.echo("\n".join(lines))
