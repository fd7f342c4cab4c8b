"""Steps before an analysis change a copy, say what they did, and let a model's SQL do nothing but compute."""

from __future__ import annotations

from typing import Literal

import pandas as pd
import pytest

from querist.analysis.expressions import add_column, keep_rows
from querist.analysis.prepare import (
    DropDuplicates,
    DropMissing,
    DropOutliers,
    FillMissing,
    KeepRows,
    NewColumn,
    Scale,
    prepare,
)
from querist.errors import DataError, GuardError, UsageError

FRAME = pd.DataFrame({"High Price": [1.0, 2.0, 4.0], "low": [1.0, None, 2.0], "union": ["a", "b", "a"]})


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ('"High Price" * 2', [2, 4, 8]),
        ("High Price - 1", [0, 1, 3]),
        ("High Price - 1 AS made", [0, 1, 3]),
        ("high_price + 1", [2, 3, 5]),
        ('"High Price" > avg("High Price")', [False, False, True]),
        ('"High Price" - lag("High Price")', [None, 1, 2]),
        ("CASE WHEN union = 'a' THEN 1 ELSE 0 END", [1, 0, 1]),
        ('CASE WHEN "union" = "a" THEN 1 ELSE 0 END', [1, 0, 1]),
    ],
)
def test_an_expression_is_mended_and_computed_row_by_row(sql: str, expected: list[object]) -> None:
    frame, _ = add_column(FRAME, "made", sql)
    assert [None if value != value else value for value in frame["made"]] == expected
    assert "made" not in FRAME


@pytest.mark.parametrize(
    "sql",
    [
        "(SELECT count(*) FROM read_csv('/etc/passwd'))",
        "getenv('HOME')",
        "(SELECT 1) AS made",
        "1); DROP TABLE data; --",
        "nowhere + 1",
        "lows + 1",
        '"lows" = 1',
        '"onion" <> low',
        "\"onion\" IN ('a', 'b')",
    ],
)
def test_an_expression_that_could_do_more_than_compute_does_not_run(sql: str) -> None:
    with pytest.raises(DataError):
        add_column(FRAME, "made", sql)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("kind = 'per unit price'", [True, False]),
        ("unit price * 2", [2.0, 4.0]),
        ("full unit price * 2", [20.0, 40.0]),
        ("2 * `2`", [6.0, 8.0]),
    ],
)
def test_quotes_are_put_around_whole_names_and_nothing_else(sql: str, expected: list[object]) -> None:
    columns = {"unit price": [1.0, 2.0], "full unit price": [10.0, 20.0], "2": [3.0, 4.0]}
    frame = pd.DataFrame({**columns, "kind": ["per unit price", "flat"]})
    assert add_column(frame, "made", sql)[0]["made"].tolist() == expected


def test_a_backtick_in_a_text_is_part_of_it() -> None:
    frame = pd.DataFrame({"note": ["5` wide", "new"]})
    kept, _ = keep_rows(frame, "`note` <> '5` wide'")
    assert kept["note"].tolist() == ["new"]


def test_a_column_that_only_case_tells_from_another_is_not_read_as_the_other() -> None:
    with pytest.raises(GuardError, match="differs in case only"):
        add_column(pd.DataFrame({"Price": [1.0], "price": [9.0]}), "made", '"price" * 2')


def test_a_column_may_be_called_as_the_order_of_the_rows_is() -> None:
    frame, _ = add_column(pd.DataFrame({"row number": [7, 5]}), "made", '"row number" - lag("row number")')
    assert frame["made"].tolist()[1] == -2


def test_rows_are_kept_where_the_condition_holds_and_missing_is_not_true() -> None:
    kept, _ = keep_rows(FRAME, "low >= 1")
    assert list(kept.index) == [0, 2]


def test_each_step_says_what_it_did() -> None:
    frame, notes = prepare(
        FRAME,
        [
            FillMissing(do="fill_missing", columns=["low"], using="mean"),
            NewColumn(do="new_column", name="spread", sql='"High Price" - low'),
            Scale(do="scale", columns=["spread"], method="minmax"),
            KeepRows(do="keep_rows", sql="spread > 0"),
        ],
    )
    assert frame["spread"].tolist() == [0.25, 1.0]
    assert notes == [
        "Filled 1 missing values of low with the mean, 1.5.",
        'New column spread: "High Price" - low.',
        "Scaled spread (minmax).",
        "Kept 2 of 3 rows where spread > 0.",
    ]


def test_missing_values_and_outliers_are_left_out_on_demand() -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0, 2.0, 100.0, None]})
    steps = [
        DropMissing(do="drop_missing", columns=["x"]),
        DropOutliers(do="drop_outliers", column="x", method="iqr", threshold=1.5),
    ]
    assert prepare(frame, steps)[0]["x"].tolist() == [1.0, 2.0, 3.0, 2.0]


@pytest.mark.parametrize(("using", "value"), [("mean", 4.0), ("median", 2.5), ("mode", 2.0), ("zero", 0.0)])
def test_missing_values_are_filled_with_what_was_chosen(
    using: Literal["mean", "median", "mode", "zero"], value: float
) -> None:
    frame = pd.DataFrame({"x": [2.0, None, 2.0, 3.0, 9.0]})
    filled, _ = prepare(frame, [FillMissing(do="fill_missing", columns=["x"], using=using)])
    assert filled["x"].tolist() == [2.0, value, 2.0, 3.0, 9.0]


def test_z_scores_are_of_all_rows_and_repeated_rows_are_left_out() -> None:
    frame = pd.DataFrame({"x": [1.0, 3.0, 3.0, 1.0], "y": ["a", "b", "b", "b"]})
    frame, notes = prepare(
        frame, [Scale(do="scale", columns=["x"], method="zscore"), DropDuplicates(do="drop_duplicates")]
    )
    assert (frame["x"].tolist(), frame["y"].tolist()) == ([-1.0, 1.0, -1.0], ["a", "b", "b"])
    assert notes[-1] == "Left out 1 repeated rows."


def test_a_condition_that_leaves_no_row_is_an_error_and_no_empty_result() -> None:
    with pytest.raises(UsageError, match="No row is left"):
        prepare(FRAME, [KeepRows(do="keep_rows", sql="low > 99")])


@pytest.mark.parametrize("method", ["minmax", "zscore"])
def test_one_value_is_not_scaled(method: Literal["minmax", "zscore"]) -> None:
    frame = pd.DataFrame({"x": [0.1] * 3})
    assert frame["x"].std(ddof=0) > 0
    with pytest.raises(UsageError, match="one value only"):
        prepare(frame, [Scale(do="scale", columns=["x"], method=method)])


def test_a_query_is_no_expression() -> None:
    with pytest.raises(GuardError, match="not an expression"):
        add_column(FRAME, "made", "SELECT 1")
