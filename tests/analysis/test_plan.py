"""A plan can name only what there is; what a model adds without need is left out."""

from __future__ import annotations

from typing import Any

import pytest

from querist.analysis.plan import new_names, plan_schema, read_plan
from querist.analysis.prepare import NewColumn
from querist.errors import ModelOutputError
from querist.models.structured import parse_reply

MEAN: dict[str, Any] = {"technique": "describe", "columns": ["rent"], "statistics": ["mean"], "by": ""}


@pytest.mark.parametrize(
    "wrong",
    [
        '{"analyses": [{"technique": "missing_values", "columns": ["rents"]}], "prepare": []}',
        '{"analyses": [{"technique": "magic"}], "prepare": []}',
        '{"analyses": [{"technique": "code"}], "prepare": [{"do": "new_column", "name": "rent", "sql": "1"}]}',
    ],
)
def test_the_schema_knows_the_columns_the_techniques_and_the_new_names(wrong: str) -> None:
    schema = plan_schema(["rent", "size"], ["new_1"])
    assert parse_reply('{"analyses": [{"technique": "code"}], "prepare": []}', schema)
    with pytest.raises(ValueError, match="fits none"):
        parse_reply(wrong, schema)


def test_each_list_of_columns_stands_in_the_schema_once() -> None:
    assert str(plan_schema([f"column {n}" for n in range(300)], ["new_1"])).count("'column 7'") == 2


def test_a_new_column_that_nothing_uses_is_left_out() -> None:
    for used in ("new_1", "Miete je m²"):
        steps = [{"do": "new_column", "name": name, "sql": "rent / size"} for name in (used, "new_2")]
        plan = read_plan({"analyses": [{**MEAN, "columns": [used]}], "prepare": steps})
        assert plan.steps == (NewColumn(do="new_column", name=used, sql="rent / size"),)


def test_a_value_out_of_bounds_is_an_error_of_the_model() -> None:
    outliers = {"technique": "outliers", "column": "rent", "method": "iqr", "threshold": -1, "by": ""}
    with pytest.raises(ModelOutputError, match="threshold"):
        read_plan({"analyses": [outliers], "prepare": []})


def test_names_that_a_question_introduces_may_be_used() -> None:
    question = 'Create "rent per m2" from rent and size, and the class RentClass; correlate it with "size".'
    assert new_names(question, ["rent", "size"]) == ["rent per m2", "RentClass", "new_1", "new_2"]
