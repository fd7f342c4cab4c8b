"""`data_transformer`: rows in, rows out."""

from __future__ import annotations

from pydantic import BaseModel, Field

from querist.core.context import RunContext
from querist.tools.data.given import MAX_ROWS, Row
from querist.tools.data.rows import Operation, transform
from querist.tools.tool import ThreadTool, ToolInput


class DataTransformerInput(ToolInput):
    data: list[Row] = Field(description="The rows.", max_length=MAX_ROWS)
    operations: list[Operation] = Field(
        description="One after another.",
        max_length=50,
        examples=[[{"type": "group_by", "field": "city", "aggregations": ["sum:amount", "count:*"]}]],
    )


class Rows(BaseModel):
    data: list[Row]
    count: int


class DataTransformer(ThreadTool[DataTransformerInput, Rows]):
    name = "data_transformer"
    description = """Filter, derive, select, group, sort, join, distinct and limit rows.

    Conditions and formulas are expressions over the fields, as in `price * 2 > 10 and kind in ['a', 'b']`."""

    def work(self, input: DataTransformerInput, context: RunContext) -> Rows:
        rows = transform(input.data, input.operations, context)
        return Rows(data=rows, count=len(rows))
