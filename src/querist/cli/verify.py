"""`querist verify`: keep queries that are known to be right, and see whether they still are."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from querist.cli.ask import Data
from querist.errors import UsageError
from querist.state.last_answer import last as last_answer
from querist.state.paths import cache_dir, data_dir
from querist.state.verified_store import VerifiedStore

if TYPE_CHECKING:
    from querist.answer.prepared import Prepared
    from querist.answer.slots import Slot
    from querist.answer.verified import Inspection
    from querist.sources.base import Limits


def verify(
    question: Annotated[str | None, typer.Argument(help="In plain language.", show_default=False)] = None,
    sql: Annotated[str | None, typer.Option("--sql", metavar="QUERY", help="The query that answers it.")] = None,
    last: Annotated[bool, typer.Option("--last", help="Take the last answer, of ask or chat.")] = False,
    data: Data = None,
    show: Annotated[bool, typer.Option("--list", help="List the verified queries.")] = False,
    remove: Annotated[str | None, typer.Option("--remove", metavar="ID", help="Forget one.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Run them all again: do they still run, with the same result?")
    ] = False,
    export: Annotated[Path | None, typer.Option("--export", metavar="FILE", help="Write them all as YAML.")] = None,
    import_: Annotated[
        Path | None, typer.Option("--import", metavar="FILE", help="Add those of a YAML file, for these data.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON for programs: with --list, --check, or a query that is kept.")
    ] = False,
) -> None:
    """Keep a query as the right one for a question. Questions that mean the same are then answered from it.

    \b
    Examples:
      querist verify "How many orders came in 2025?" --sql "SELECT COUNT(*) FROM orders WHERE year = 2025" -d shop.db
      querist verify --last --data shop.db
      querist verify --check --data shop.db

    --check exits with 1 when a query is stale (the tables or columns that it reads have changed) or fails.
    """
    store = VerifiedStore(data_dir() / "verified.sqlite")
    tasks = [question is not None or last, show, remove is not None, check, export is not None, import_ is not None]
    if sum(tasks) != 1:
        raise UsageError(
            "Say one thing to do.", hint='querist verify "question" --sql "SELECT …", or one of the options of --help.'
        )
    if as_json and (remove is not None or export is not None or import_ is not None):
        raise UsageError("--json goes with --list, --check, or a query that is kept.")
    if show:
        _list(store, as_json)
    elif remove is not None:
        if not store.remove(remove):
            raise UsageError(f"There is no verified query {remove!r}.", hint="`querist verify --list` shows them.")
        typer.echo(f"Removed {remove}.")
    elif export is not None:
        from querist.state.verified_file import write_queries

        queries = store.all()
        write_queries(export, queries)
        typer.echo(f"{_count(len(queries))} in {export}.")
    elif check:
        _check(store, data, as_json)
    elif import_ is not None:
        _import(store, import_, data)
    else:
        if last:
            if question is not None or sql is not None:
                raise UsageError("--last brings its own question and query.")
            found = last_answer()
            if found is None:
                raise UsageError("There is no answer to verify yet.", hint="Ask something with `querist ask` first.")
            question, sql = found
        if not question or not sql:
            raise UsageError("The query is missing.", hint='Give it with --sql "SELECT …".')
        _verify(store, question, sql, data, as_json)


def _verify(store: VerifiedStore, question: str, sql: str, data: list[str] | None, as_json: bool) -> None:
    from querist.answer.present import present
    from querist.answer.verified import verify as keep

    with _opened(data) as (prepared, limits):
        kept = keep(question, sql, prepared, store, limits)
    table = kept.draft.table
    assert table is not None
    warnings = [found.message for found in kept.draft.checks if found.outcome != "passed"]
    if as_json:
        slots = [_told(slot) for slot in kept.slots]
        _print_json({**kept.query.model_dump(mode="json"), "slots": slots, "warnings": warnings})
        return
    typer.echo(f"Verified {kept.query.id}: {kept.query.question}")
    typer.echo(f"  result     {present(table)}")
    if kept.slots:
        typer.echo(f"  also with  another {', another '.join(_told(slot) for slot in kept.slots)}")
    for warning in warnings:
        typer.echo(f"  ! {warning}")


def _told(slot: Slot) -> str:
    if slot.kind == "text":
        return f"{' and '.join(f'{table}.{column}' for table, column in slot.columns)} than {slot.value!r}"
    return f"{slot.kind} than {slot.value}"


def _list(store: VerifiedStore, as_json: bool) -> None:
    queries = store.all()
    if as_json:
        _print_json([query.model_dump(mode="json") for query in queries])
        return
    for query in queries:
        typer.echo(f"{query.id}  {query.verified:%Y-%m-%d}  {query.source}  {query.question}")
        typer.echo(f"          {' '.join(query.sql.split())}")
    if not queries:
        typer.echo("No query is verified yet.")


def _check(store: VerifiedStore, data: list[str] | None, as_json: bool) -> None:
    from querist.answer.verified import inspect

    found: list[Inspection] = []
    with _opened(data) as (prepared, limits):
        for inspection in inspect(prepared, store, limits):
            found.append(inspection)
            if not as_json:
                typer.echo(f"{inspection.state:<8} {inspection.query.id}  {inspection.query.question}")
                if inspection.reason:
                    typer.echo(f"                   {inspection.reason}")
    others = len(store.all()) - len(found)
    if as_json:
        _print_json([{"state": i.state, "reason": i.reason, **i.query.model_dump(mode="json")} for i in found])
    typer.echo(f"{_count(len(found))} checked" + (f"; {others} are about other data." if others else "."), err=True)
    if any(inspection.state in ("stale", "failed") for inspection in found):
        raise typer.Exit(1)


def _import(store: VerifiedStore, file: Path, data: list[str] | None) -> None:
    from querist.answer.verified import moved
    from querist.state.verified_file import read_queries

    queries = read_queries(file)
    with _opened(data) as (prepared, _):
        # All or none: one about other data stops them before the first is kept.
        for query in [moved(query, prepared) for query in queries]:
            store.add(query)
    typer.echo(f"{_count(len(queries))} added from {file}. `querist verify --check` tells how they fare here.")


def _print_json(content: object) -> None:
    typer.echo(json.dumps(content, indent=2, ensure_ascii=False))


def _count(number: int) -> str:
    return f"{number} verified quer{'y' if number == 1 else 'ies'}"


@contextmanager
def _opened(data: list[str] | None) -> Iterator[tuple[Sequence[Prepared], Limits]]:
    """The data, without any model."""
    from querist.answer.prepared import prepare
    from querist.settings import load_settings
    from querist.sources.base import Limits
    from querist.sources.open import open_sources

    settings = load_settings()
    specs = data or settings.data
    if not specs:
        raise UsageError("No data are named.", hint="Name some with --data, or set `data` in querist.yaml.")
    sources = open_sources(list(specs))
    prepared: list[Prepared] = []
    try:
        for source in sources:
            prepared.append(prepare(source, cache_dir() / "values"))
        yield prepared, Limits(settings.limits.seconds, settings.limits.rows, settings.limits.bytes)
    finally:
        for known in prepared:
            known.close()
        for source in sources:
            source.close()
