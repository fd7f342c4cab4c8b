"""`querist ask`: one question, one answer."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from querist.cli.chart_option import IN_TERMINAL, ChartFile, check_chart, draw_chart
from querist.cli.live import Live
from querist.cli.output_file import check_writable
from querist.errors import ModelNotFoundError, UsageError
from querist.state.last_answer import keep_last

if TYPE_CHECKING:
    from querist.answer.answer import Answer
    from querist.app import Querist
    from querist.settings import Settings
    from querist.sources.table import Table

SAVE_HINT = "--csv FILE saves all"

Data = Annotated[
    list[str] | None,
    typer.Option(
        "--data",
        "-d",
        metavar="DATA",
        help="File, folder, pattern or database URL; may be given several times. By default what the settings name.",
    ),
]
ModelName = Annotated[
    str | None, typer.Option("--model", "-m", metavar="MODEL", help="Model that writes the queries, as provider:model.")
]
Drafts = Annotated[
    int | None, typer.Option("--drafts", min=1, metavar="N", help="The most drafts made for one question.")
]


def ask(
    question: Annotated[str, typer.Argument(help="In plain language.")],
    data: Data = None,
    note: Annotated[
        str,
        typer.Option("--note", metavar="TEXT", help="What helps to understand the question and the data do not say."),
    ] = "",
    assume: Annotated[
        bool, typer.Option("--assume", help="Answer where it would ask back or refuse, and say what was assumed.")
    ] = False,
    model: ModelName = None,
    drafts: Drafts = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show every draft, every check, and where the time went.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole answer as one JSON document.")] = False,
    csv: Annotated[
        str | None, typer.Option("--csv", metavar="FILE", help="Save the whole result as CSV; - prints only that.")
    ] = None,
    chart: ChartFile = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Answer a question about the data, with its evidence.

    \b
    Examples:
      querist ask "What was sold most in May?" --data sales.csv
      querist ask "Which customers paid late?" -d shop.db -d payments.xlsx --explain
      querist ask "What are the sales by region?" -d sales.csv --chart sales.svg

    Exits with 0 when it is answered, 3 when it is refused or needs clarification, 1 when it failed, 2 when the call or
    the settings are wrong, and 130 when it was stopped with Ctrl-C.
    """
    if csv == "-" and (as_json or chart == IN_TERMINAL):
        other = "--json" if as_json else "--chart -"
        raise UsageError(f"{other} and --csv - both want the standard output.", hint="Give --csv a file.")
    file = None if csv in (None, "-") else Path(csv).expanduser()
    if file is not None:
        check_writable(file)
    check_chart(chart, as_json=as_json)
    with Live(quiet=quiet) as live, open_querist(data, model, drafts, live) as querist:
        answer = querist.ask(question, note=note, assume=assume)
    if answer.sql and not answer.steps:
        keep_last(answer.understood, answer.sql)
    if csv == "-":
        _print_csv(answer)
    elif as_json:
        typer.echo(json.dumps(answer.to_dict(), indent=2, ensure_ascii=False))
    else:
        _show(answer, explain=explain, save_hint="" if csv else SAVE_HINT)
    if file is not None and answer.table is not None:  # last, so that the answer is not lost with the file
        _save(answer.table, file)
    if chart is not None:
        draw_chart(answer.chart, chart)
    raise typer.Exit(exit_code(answer))


def exit_code(answer: Answer) -> int:
    """0 for an answer, 3 for a reasoned no, 1 for a failure."""
    from querist.answer.answer import Status

    return {Status.FAILED: 1, Status.REFUSED: 3, Status.NEEDS_CLARIFICATION: 3}.get(answer.status, 0)


def open_querist(data: list[str] | None, model: str | None, drafts: int | None, live: Live) -> Querist:
    """Querist over these data; a built-in model that is missing is offered to be fetched, where there is a terminal."""
    from querist.app import Querist
    from querist.settings import load_settings

    settings = load_settings()
    if drafts is not None:
        settings = settings.model_copy(update={"answer": settings.answer.model_copy(update={"drafts": drafts})})
    if not data and not settings.data:
        raise UsageError("No data are named.", hint="Name some with --data, or set `data` in querist.yaml.")

    def opened() -> Querist:
        return Querist(*(data or ()), settings=settings, model=model, on_event=live.on_event)

    try:
        return opened()
    except ModelNotFoundError:
        with live.paused():
            if not _offer(settings, model):
                raise
        return opened()


def _offer(settings: Settings, model: str | None) -> bool:
    from querist.cli.fetch import offer_to_fetch

    return offer_to_fetch([model] if model else settings.models.coding)


def _show(answer: Answer, *, explain: bool, save_hint: str) -> None:
    from querist.cli.show import open_console, show_answer

    show_answer(open_console(), answer, explain=explain, save_hint=save_hint)


def _print_csv(answer: Answer) -> None:
    """The rows, and on the error stream what speaks against relying on them."""
    from querist.answer.answer import Status
    from querist.cli.show import plain, status_line

    if answer.table is not None:
        answer.table.write_csv(sys.stdout)
        sys.stdout.flush()  # a full disk is to be an error
    else:
        typer.echo(plain(answer.text, keep_lines=True).plain, err=True)
    if answer.status not in (Status.VERIFIED, Status.AGREED):
        typer.echo(status_line(answer), err=True)
    for warning in answer.evidence.warnings:
        typer.echo(plain(f"! {warning}").plain, err=True)


def _save(table: Table, file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        table.to_csv(file)
    except OSError as error:
        raise UsageError(f"The result cannot be saved to {file}: {error.strerror}.") from error
    rows = "1 row is" if len(table) == 1 else f"{len(table):,} rows are"
    typer.echo(f"{rows} in {file}.", err=True)
