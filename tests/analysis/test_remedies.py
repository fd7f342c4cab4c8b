"""Code that stumbles over missing values or text is helped without a model, and not twice in the same way."""

from __future__ import annotations

import pandas as pd

from querist.analysis.remedies import remedy

FRAME = pd.DataFrame({"size": [1.0, None, 3.0], "colour": ["red", "blue", "red"], "age": [1, 2, 3]})
CODE = "answers = {'x': fit(df[['size', 'age']])}"


def test_missing_values_are_left_out_where_the_code_cannot_deal_with_them() -> None:
    helped = remedy(CODE, "ValueError: Input X contains NaN.", FRAME)
    assert helped is not None
    code, note = helped
    assert code.startswith("df = df.dropna(subset=['size', 'age'])")
    assert note == "left out rows without size, which the code cannot deal with"
    assert remedy(code, "ValueError: Input X contains NaN.", FRAME) is None


def test_a_result_that_is_not_a_number_is_helped_like_an_error() -> None:
    assert remedy(CODE, "", FRAME, [float("nan")]) is not None
    assert remedy(CODE, "", FRAME, [1.0]) is None


def test_text_that_is_taken_for_numbers_is_numbered() -> None:
    helped = remedy("fit(df[['colour', 'age']])", "ValueError: could not convert string to float: 'red'", FRAME)
    assert helped is not None
    scope = {"df": FRAME.copy(), "fit": lambda frame: None}
    exec(helped[0], scope)
    assert scope["df"]["colour"].tolist() == [1, 0, 1]


def test_other_errors_are_for_the_model() -> None:
    assert remedy(CODE, "KeyError: 'weight'", FRAME) is None


def test_a_column_that_goes_alone_into_a_function_loses_its_missing_values_only_there() -> None:
    code = "answers = {'x': stats.skew(df['size']), 'n': len(df)}"
    helped = remedy(code, "", FRAME, [float("nan"), 3])
    assert helped == (
        "answers = {'x': stats.skew(df['size'].dropna()), 'n': len(df)}",
        "left out missing values of size, which the code cannot deal with",
    )


def test_of_two_columns_that_go_together_rows_are_left_out() -> None:
    helped = remedy("answers = {'x': stats.pearsonr(df['size'], df['age'])[0]}", "", FRAME, [float("nan")])
    assert helped is not None
    assert helped[0].startswith("df = df.dropna(subset=['size', 'age'])")
