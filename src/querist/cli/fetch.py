"""Fetching a built-in model from the command line: the progress bars, and the offer to fetch one that is needed."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from querist.models.download import OnProgress, Progress
    from querist.models.manifest import LocalModelInfo


def is_fetched(model: LocalModelInfo) -> bool:
    """Whether the file is there in its full size. Its bytes are not read: `querist models verify` does that."""
    return model.path.is_file() and model.path.stat().st_size == model.bytes


def missing_model(names: Sequence[str]) -> LocalModelInfo | None:
    """The first built-in model among `names` that is not on this machine."""
    from querist.models.manifest import LOCAL_PREFIX, manifest

    built_in = {f"{LOCAL_PREFIX}{model.name}": model for model in manifest().models}
    return next((built_in[name] for name in names if name in built_in and not is_fetched(built_in[name])), None)


def offer_to_fetch(names: Sequence[str]) -> bool:
    """Ask whether to fetch the model that is missing, and do it. False when there is none or nobody to ask."""
    model = missing_model(names)
    if model is None or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    typer.echo(
        f"The model {model.title} is not on this machine yet: {model.size}, licence {model.licence}.",
        err=True,
    )
    if not typer.confirm("Fetch it now?", default=True, err=True):
        return False
    from querist.models import download

    with progress_bars(model, quiet=False) as report:
        download.pull(model, report)
    return True


@contextmanager
def progress_bars(model: LocalModelInfo, *, quiet: bool) -> Iterator[OnProgress | None]:
    """A bar on the error stream for each step; nothing when `quiet`."""
    if quiet:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[tuple[str, str], Any] = {}

        def report(progress: Progress) -> None:
            step = (progress.step, progress.mirror)
            if step not in tasks:
                source = f" from {progress.mirror}" if progress.step == "download" else ""
                tasks[step] = bars.add_task(f"{progress.step} {model.name}{source}", total=progress.total)
            bars.update(tasks[step], completed=progress.done)

        yield report
