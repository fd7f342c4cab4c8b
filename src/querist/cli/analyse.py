"""`querist analyse`: a question that is more than a query, answered by statistics or by code in the sandbox."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from querist.cli.ask import Data, ModelName, open_querist
from querist.cli.chart_option import ChartFile, check_chart, draw_chart
from querist.cli.live import Live

if TYPE_CHECKING:
    from rich.console import Console

    from querist.analysis.analysis import Analysis

_COLOURS = {"agreed": "green", "unverified": "yellow", "failed": "red"}
_SHOWN = 30
_DIGITS = 6


def analyse(
    question: Annotated[str, typer.Argument(help="In plain language.")],
    data: Data = None,
    table: Annotated[
        str,
        typer.Option(
            "--table", "-t", metavar="TABLE", help="The table it is about; by default found by the question's words."
        ),
    ] = "",
    constraints: Annotated[
        str, typer.Option("--constraints", metavar="TEXT", help='How to compute it: "Leave out rows without an age."')
    ] = "",
    format: Annotated[
        str,
        typer.Option("--format", metavar="TEXT", help='Values wanted: "@mean[rounded to 2 decimals] @median[value]"'),
    ] = "",
    model: ModelName = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show the plan and the code of every draft, and where the time went.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole analysis as one JSON document.")] = False,
    chart: ChartFile = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Answer a statistical question about a table: correlation, outliers, tests, regression, trend, forecast, clusters.

    A model chooses the technique and its columns; the program computes. Code that it writes runs in the sandbox only.

    \b
    Examples:
      querist analyse "Is the price correlated with the size?" -d flats.csv
      querist analyse "Which columns have outliers?" -d shop.db --table orders --explain
      querist analyse "Forecast the monthly sales" -d sales.csv --chart forecast.svg

    Exits with 0 when it is answered, 1 when it failed, 2 when the call or the settings are wrong.
    """
    check_chart(chart, as_json=as_json)
    with Live(quiet=quiet) as live, open_querist(data, model, None, live) as querist:
        result = querist.analyse(question, constraints=constraints, format=format, table=table)
    if as_json:
        typer.echo(json.dumps(result.to_dict(), indent=2, ensure_ascii=False))
    else:
        from querist.cli.show import open_console

        _show(open_console(), result, explain=explain)
    if chart is not None:
        draw_chart(result.chart, chart)
    raise typer.Exit(1 if result.status == "failed" else 0)


def _show(console: Console, result: Analysis, *, explain: bool) -> None:
    from rich.table import Table

    from querist.analysis.named import shown
    from querist.cli.show import plain

    console.print(plain(result.text, style="bold", keep_lines=True), soft_wrap=True)
    console.print(plain(_status_line(result), style=_COLOURS[result.status]))
    if result.findings:
        listing = Table("value", "", box=None, pad_edge=False, header_style="dim")
        for found in result.findings[:_SHOWN]:
            listing.add_row(plain(shown(found.value, _DIGITS)), plain(found.meaning))
        console.print(listing)
        if (more := len(result.findings) - _SHOWN) > 0:
            console.print(plain(f"… and {more} more; --json gives all", style="dim"))
    for line in result.prepared:
        console.print(plain(f"data: {line}", style="dim"), soft_wrap=True)
    for line in result.warnings:
        console.print(plain(f"warning: {line}", style="yellow"), soft_wrap=True)
    if not explain:
        return
    for number, attempt in enumerate(result.attempts, start=1):
        console.print()
        outcome = attempt.error or ("agrees" if attempt.agrees else "differs")
        console.print(plain(f"draft {number}, {attempt.kind}: {outcome}", style="bold"))
        console.print(plain(attempt.script, keep_lines=True), soft_wrap=True)
        for note in attempt.notes:
            console.print(plain(f"  {note}", style="dim"))
    where = f", code ran in {result.isolation}" if result.isolation else ""
    times = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in result.timings.items())
    console.print(plain(f"table {result.table}; {times}; model {result.model}{where}", style="dim"))


def _status_line(result: Analysis) -> str:
    """How far the result can be trusted, as `ask` says it."""
    ran, same = sum(not draft.error for draft in result.attempts), sum(draft.agrees for draft in result.attempts)
    if result.status == "failed":
        return "failed: no analysis could be made to run"
    agreed = result.status == "agreed"
    but = "" if agreed else ", and nothing else confirms it; --explain shows how it came about"
    kind = "independent " if agreed or same == 1 else ""  # code does not confirm code
    return f"{result.status}: {same} of {ran} {kind}draft{'' if ran == 1 else 's'} gave this result{but}"
