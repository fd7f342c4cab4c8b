"""Operations on rows: filter, derive, group, sort, join and the like. Not for more rows than fit in a reply: a source
is asked for those."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from querist.core.context import RunContext
from querist.errors import ComponentInputError
from querist.tools.data.given import MAX_ROWS, Row
from querist.tools.expressions import ARITHMETIC, TEXT, Expression
from querist.tools.tool import ToolInput, while_wanted

FUNCTIONS = ARITHMETIC | TEXT
"""What conditions and formulas on rows may call."""

_AGGREGATES: dict[str, Callable[[Sequence[Any]], Any]] = {
    "sum": sum,
    "avg": statistics.fmean,
    "median": statistics.median,
    "min": min,
    "max": max,
    "count": len,
    "distinct": lambda values: len({_name([value]) for value in values}),
    "first": lambda values: values[0],
    "last": lambda values: values[-1],
}


class Filter(ToolInput):
    type: Literal["filter"]
    condition: str = Field(description="Kept are rows for which it is true, such as `amount > 10 and kind == 'tea'`.")


class Map(ToolInput):
    type: Literal["map"]
    fields: dict[str, str] = Field(description="New or changed fields, each with its formula, such as `price * 1.19`.")


class Select(ToolInput):
    type: Literal["select"]
    fields: list[str] | dict[str, str] = Field(description="Fields to keep; as a mapping, with their new names.")


class GroupBy(ToolInput):
    type: Literal["group_by", "aggregate", "reduce"] = Field(description="`aggregate` and `reduce`: all as one group.")
    field: str | list[str] = Field(default=[], description="What makes the groups.")
    aggregations: list[str] = Field(
        description=f"`function:field`, named `function_field`; `count:*`. Functions: {', '.join(_AGGREGATES)}.",
        min_length=1,
    )


class Sort(ToolInput):
    type: Literal["sort"]
    field: str | list[str] = Field(description="By which fields, the first first.")
    order: Literal["asc", "desc"] = Field(default="asc", description="Rows without a value come last.")


class Join(ToolInput):
    type: Literal["join"]
    data: list[Row] = Field(description="The rows to join.", max_length=MAX_ROWS)
    on: str | list[str] = Field(description="Fields that must be equal.")
    how: Literal["inner", "left"] = Field(
        default="inner",
        description="`left` keeps rows that find no other. Their own fields go before those joined.",
    )


class Distinct(ToolInput):
    type: Literal["distinct"]
    field: str | list[str] | None = Field(default=None, description="The first row for each; of whole rows without.")


class Limit(ToolInput):
    type: Literal["limit"]
    count: int = Field(description="Rows to keep.", ge=0)
    offset: int = Field(default=0, description="Rows to pass over before.", ge=0)


Operation = Annotated[Filter | Map | Select | GroupBy | Sort | Join | Distinct | Limit, Field(discriminator="type")]


def transform(rows: list[Row], operations: Iterable[Operation], context: RunContext) -> list[Row]:
    """Apply operations one after another.

    Raises:
        ComponentInputError: a field is missing, or an expression or aggregate has no value; it names the operation.
    """
    for number, operation in enumerate(operations, start=1):
        try:
            rows = _applied(rows, operation, context)
        except ComponentInputError as error:
            told = f"Operation {number} ({operation.type}): {error.message}"
            raise ComponentInputError(told, hint=error.hint) from error
    return rows


def _applied(rows: list[Row], operation: Operation, context: RunContext) -> list[Row]:
    match operation:
        case Filter():
            condition = Expression(operation.condition, FUNCTIONS)
            return [row for row in while_wanted(rows, context) if condition(row)]
        case Map():
            formulas = {name: Expression(text, FUNCTIONS) for name, text in operation.fields.items()}
            return [
                row | {name: formula(row) for name, formula in formulas.items()} for row in while_wanted(rows, context)
            ]
        case Select():
            names = operation.fields
            new = names if isinstance(names, dict) else dict(zip(names, names, strict=True))
            return [dict(zip(new.values(), _key(row, list(new)), strict=True)) for row in rows]
        case GroupBy():
            return _grouped(rows, _listed(operation.field), operation.aggregations)
        case Sort():
            return _sorted(rows, _listed(operation.field), operation.order == "desc")
        case Join():
            return _joined(rows, operation)
        case Distinct():
            found: dict[str, Row] = {}
            for row in rows:
                names = _listed(operation.field or sorted(row))
                found.setdefault(_name((*names, *_key(row, names))), row)
            return list(found.values())
        case Limit():
            return rows[operation.offset : operation.offset + operation.count]


def _listed(field: str | list[str]) -> list[str]:
    return [field] if isinstance(field, str) else field


def _key(row: Row, fields: Sequence[str]) -> tuple[Any, ...]:
    for field in fields:
        if field not in row:
            raise ComponentInputError(f"A row has no field {field!r}.", hint=f"It has {', '.join(row) or 'none'}.")
    return tuple(row[field] for field in fields)


def _name(key: Iterable[Any]) -> str:
    """A key that can be looked up, the same for 1 and 1.0; values may be lists."""
    return repr([int(value) if isinstance(value, float) and value.is_integer() else value for value in key])


def _grouped(rows: list[Row], fields: list[str], aggregations: list[str]) -> list[Row]:
    names = [text.replace(":*", "").replace(":", "_") for text in aggregations]
    if twice := [name for name in names if name in fields]:
        raise ComponentInputError(f"{twice[0]!r} would be a field and an aggregation.", hint="Rename the field first.")
    groups: dict[str, tuple[tuple[Any, ...], list[Row]]] = {}
    for row in rows:
        key = _key(row, fields)
        groups.setdefault(_name(key), (key, []))[1].append(row)
    if not fields and not groups:
        groups[""] = ((), [])
    return [
        dict(zip(fields, key, strict=True))
        | {name: _aggregate(text, members) for name, text in zip(names, aggregations, strict=True)}
        for key, members in groups.values()
    ]


def _aggregate(text: str, rows: list[Row]) -> Any:
    """One value over rows; missing values do not count, and where none is left there is none (but 0 for counts)."""
    name, _, field = text.partition(":")
    if name not in _AGGREGATES or not field:
        raise ComponentInputError(
            f"{text!r} is no aggregation.", hint=f"Write function:field; functions: {', '.join(_AGGREGATES)}."
        )
    values: list[Any] = rows if field == "*" else [value for (value,) in (_key(row, [field]) for row in rows)]
    values = [value for value in values if value is not None]
    if not values and name not in ("count", "distinct"):
        return None
    try:
        return _AGGREGATES[name](values)
    except (TypeError, ArithmeticError) as error:
        raise ComponentInputError(f"{text!r} has no value: {error}.") from error


def _sorted(rows: list[Row], fields: list[str], descending: bool) -> list[Row]:
    for field in reversed(fields):
        there = [row for row in rows if _key(row, [field])[0] is not None]
        try:
            there.sort(key=lambda row: row[field], reverse=descending)
        except TypeError as error:
            raise ComponentInputError(f"Values of {field!r} cannot be put in order: {error}.") from error
        rows = there + [row for row in rows if row[field] is None]
    return rows


def _joined(rows: list[Row], join: Join) -> list[Row]:
    fields = _listed(join.on)
    others: dict[str, list[Row]] = {}
    for other in join.data:
        others.setdefault(_name(_key(other, fields)), []).append(other)
    empty = dict.fromkeys(name for other in join.data for name in other)
    joined: list[Row] = []
    for row in rows:
        found = others.get(_name(_key(row, fields)), [])
        joined += [{**other, **row} for other in found] or ([{**empty, **row}] if join.how == "left" else [])
        if len(joined) > MAX_ROWS:
            raise ComponentInputError(f"The join gives more than {MAX_ROWS:,} rows.", hint="Join on more fields.")
    return joined
