"""The option `--chart` of commands that answer: looked at before anything is asked, drawn when the answer is there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from querist.cli.output_file import check_writable
from querist.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    from querist.charts.chart import Chart

ChartFile = Annotated[
    str | None,
    typer.Option("--chart", metavar="FILE", help="Save a chart as svg, png, pdf or html; - shows it as text."),
]
IN_TERMINAL = "-"


def check_chart(file: str | None, *, as_json: bool) -> None:
    """Look at whether a chart can be drawn there.

    Raises:
        UsageError: the file cannot be written, its ending is no format, or the output is wanted for JSON.
        MissingExtraError: the extra `charts` is missing.
    """
    import importlib.util

    from querist.charts.chart import check_ending

    if file is None:
        return
    if file == IN_TERMINAL:
        if as_json:
            raise UsageError("--json and --chart - both want the standard output.", hint="Give --chart a file.")
        return
    path = Path(file).expanduser()
    check_writable(path)
    if check_ending(path) not in ("json", "txt") and importlib.util.find_spec("vl_convert") is None:
        raise MissingExtraError("vl_convert", "charts", "draw a chart")


def draw_chart(chart: Chart | None, file: str) -> None:
    """Save it, or print it as text; what was drawn instead of what was asked for is told."""
    if chart is None:
        typer.echo("No chart shows this result better than its text.", err=True)
    elif file == IN_TERMINAL:
        from querist.cli.show import open_console, plain

        console = open_console()
        console.print(plain(chart.text(console.width), keep_lines=True), soft_wrap=True)
    else:
        path = Path(file).expanduser()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            chart.save(path)
        except OSError as error:
            raise UsageError(f"The chart cannot be saved to {file}: {error.strerror}.") from error
        typer.echo(" ".join((f"The chart is in {path}.", *chart.notes)), err=True)
