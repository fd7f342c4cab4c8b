"""`database_connector`: one read-only query on a database that the settings name. Writes nothing, ever."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, Field

from querist.core.component import Component
from querist.core.context import RunContext
from querist.core.permissions import Need
from querist.errors import ConfigError
from querist.sources.base import Limits, Source, TableSchema
from querist.sources.guard import guard
from querist.sources.open import open_sources
from querist.sources.table import Value, json_cell
from querist.tools.credentials import tool_settings
from querist.tools.tool import ToolInput


class DatabaseConnectorInput(ToolInput):
    database: str = Field(description="Its name in the settings.")
    operation: Literal["query", "schema"] = Field(default="query", description="Run a query, or list the tables.")
    sql: str = Field(default="", description="One SELECT, in the database's own SQL.", max_length=100_000)
    max_rows: int = Field(default=1000, description="Rows at most.", gt=0, le=10_000)
    timeout: float = Field(default=30, description="Seconds for the query.", gt=0, le=300)


class DatabaseTable(BaseModel):
    name: str
    columns: dict[str, str] = Field(description="Types by name.")
    rows: int | None


class QueryResult(BaseModel):
    sql: str = Field(default="", description="What ran: the query as it was checked.")
    columns: list[str] = []
    rows: list[list[Value]] = Field(default=[], description="Cells as JSON has them.")
    truncated: bool = Field(default=False, description="Whether there are more rows.")
    tables: list[DatabaseTable] = []


class DatabaseConnector(Component[DatabaseConnectorInput, QueryResult]):
    name = "database_connector"
    description = """Query a database that the settings name, or list its tables. It can only read.

    PostgreSQL, MySQL, SQLite, DuckDB and what SQLAlchemy has a driver for; see `tools.databases` in the settings."""
    permissions = ("source",)

    def needs(self, input: DatabaseConnectorInput) -> Iterable[Need]:
        return (Need("source", input.database),)

    async def run(self, input: DatabaseConnectorInput, context: RunContext) -> QueryResult:
        known = tool_settings(context).databases
        if input.database not in known:
            raise ConfigError(
                f"There is no database {input.database!r}.",
                hint=f"Set tools.databases in querist.yaml. There are: {', '.join(known) or 'none'}.",
            )
        address = known[input.database].get_secret_value()
        source = (await asyncio.to_thread(open_sources, [address], names=[input.database]))[0]
        forget = context.cancellation.on_cancel(source.interrupt)
        try:
            return await asyncio.to_thread(_query, source, input)
        except asyncio.CancelledError:
            source.interrupt()
            raise
        finally:
            forget()
            source.close()


def _query(source: Source, input: DatabaseConnectorInput) -> QueryResult:
    schema = source.schema()
    if input.operation == "schema":
        return QueryResult(tables=[_table(table) for table in schema.tables])
    sql = guard(input.sql, schema).sql
    result = source.execute(sql, Limits(seconds=input.timeout, rows=input.max_rows))
    return QueryResult(
        sql=sql,
        columns=[column.name for column in result.columns],
        rows=[[json_cell(value) for value in row] for row in result.rows],
        truncated=result.truncated is not None,
    )


def _table(table: TableSchema) -> DatabaseTable:
    columns = {column.name: column.type for column in table.columns}
    return DatabaseTable(name=table.name, columns=columns, rows=table.row_count)
