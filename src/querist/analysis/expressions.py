"""SQL expressions over one data frame: new columns and row conditions that a model writes, guarded and run in DuckDB.

Names that are a column's up to case and punctuation are mended first; what the guard does not know does not run.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from querist.analysis.spelling import spelt_alike
from querist.errors import GuardError, QueryError, QueryTimeoutError
from querist.sources.base import Column, Schema, TableSchema
from querist.sources.guard import guard
from querist.sources.naming import quote, unique_name

if TYPE_CHECKING:
    import pandas as pd
    from sqlglot import exp

SECONDS = 30.0


def add_column(frame: pd.DataFrame, name: str, sql: str) -> tuple[pd.DataFrame, list[str]]:
    """The frame with a column more (or made anew), whose values are those of the expression; and what was mended.

    Raises:
        GuardError, QueryError: the expression may not run, or does not.
    """
    text, notes = mended(sql, [str(column) for column in frame.columns])
    values = _evaluate(frame, text)
    return frame.assign(**{name: values.to_numpy()}), notes


def keep_rows(frame: pd.DataFrame, condition: str) -> tuple[pd.DataFrame, list[str]]:
    """The rows for which the condition holds, and what was mended."""
    text, notes = mended(condition, [str(column) for column in frame.columns])
    holds = _evaluate(frame, f"coalesce(({text})::BOOLEAN, false)")
    return frame[holds.to_numpy().astype(bool)], notes


def mended(sql: str, columns: list[str]) -> tuple[str, list[str]]:
    """The expression with its columns as the frame names them: case, quotes and punctuation.

    Raises:
        GuardError: it is not readable, or means one of two columns that are the same to SQL.
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    text = _quoted(sql.strip().rstrip(";"), columns)
    try:
        try:
            tree = sqlglot.parse_one(text, dialect="duckdb")
        except SqlglotError:  # perhaps a column is called as a word of SQL is
            tree = sqlglot.parse_one(_quoted(text, columns, all_words=True), dialect="duckdb")
    except SqlglotError as error:
        raise GuardError(f"{sql!r} is not readable as an SQL expression.", rule="syntax") from error
    if isinstance(tree, exp.Alias):  # the step says already what the column is called
        tree = tree.this
    if isinstance(tree, exp.Query):
        raise GuardError(f"{sql!r} is a query and not an expression.", rule="construct")
    notes: list[str] = []
    for column in list(tree.find_all(exp.Column)):
        column.set("table", None)
        name = column.name
        if (known := spelt_alike(name, columns)) is not None:
            if sum(other.lower() == known.lower() for other in columns) > 1:
                raise GuardError(
                    f"SQL cannot tell {known!r} from a column that differs in case only.", rule="construct"
                )
            column.set("this", exp.to_identifier(known, quoted=True))
            notes += [f"{name} is read as the column {known}"] if known != name else []
        elif column.this.args.get("quoted") and _is_value(column, columns):
            column.replace(exp.Literal.string(name))  # a text in double quotes
    return tree.sql(dialect="duckdb"), notes


def _is_value(column: exp.Column, columns: list[str]) -> bool:
    """Whether a column is meant to have it or is chosen by one; else it is a name that nothing is called."""
    from sqlglot import exp

    if column.parent is None or (isinstance(column.parent, exp.Predicate) and column.arg_key == "this"):
        return False
    beside = (other.name for other in column.parent.find_all(exp.Column) if other is not column)
    return any(spelt_alike(name, columns) for name in beside)


def _quoted(sql: str, columns: list[str], *, all_words: bool = False) -> str:
    """Names that need quotes and stand without them get them; what stands in quotes, and numbers, stay."""
    names = [name for name in columns if all_words or not name.isidentifier()]
    names = [name for name in names if not name.replace(".", "").isdigit()]
    bare = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    part = re.compile(rf"'(?:[^']|'')*'|\"[^\"]*\"|`(?P<ticked>[^`]*)`|(?<!\w)(?:{bare or '(?!)'})(?!\w)")

    def quoted(match: re.Match[str]) -> str:
        if match["ticked"] is not None:
            return quote(match["ticked"])
        return quote(match[0]) if match[0] in names else match[0]

    return part.sub(quoted, sql)


def _evaluate(frame: pd.DataFrame, expression: str) -> pd.Series[Any]:
    """One value for each row, in the frame's order."""
    import duckdb

    from querist.sources.duckdb_engine import engine_settings
    from querist.sources.running import RunningQuery

    row = unique_name("row number", map(str, frame.columns))
    data = frame.assign(**{row: range(len(frame))})
    columns = tuple(Column(str(name), "", "other") for name in data.columns)
    schema = Schema("duckdb", (TableSchema("data", columns),))
    query = guard(f"SELECT {_over_rows(expression, row)} AS value FROM data ORDER BY {quote(row)}", schema)
    con = duckdb.connect(":memory:", config={**engine_settings(), "enable_external_access": "false"})
    running = RunningQuery(con.interrupt, SECONDS)
    try:
        con.register("data", data)
        con.execute("SET lock_configuration = true")
        with running:
            return con.execute(query.sql).df()["value"]
    except duckdb.Error as error:
        if running.timed_out:
            raise QueryTimeoutError(f"The expression {expression!r} took longer than {SECONDS:g} s.") from error
        raise QueryError(f"The expression {expression!r} does not run: {str(error).splitlines()[0]}") from error
    finally:
        con.close()


def _over_rows(expression: str, row: str) -> str:
    """Aggregates mean all rows (`price > avg(price)`), and neighbours (`lag(price)`) the order of the column `row`."""
    import sqlglot
    from sqlglot import exp

    tree = sqlglot.parse_one(expression, dialect="duckdb")
    for call in list(tree.find_all(exp.AggFunc)):
        if call.find_ancestor(exp.Window, exp.Query):
            continue
        order = exp.Order(expressions=[exp.column(row, quoted=True)])
        window = exp.Window(this=call.copy(), order=order if isinstance(call, (exp.Lag, exp.Lead)) else None)
        if call is tree:
            return str(window.sql(dialect="duckdb"))
        call.replace(window)
    return str(tree.sql(dialect="duckdb"))
