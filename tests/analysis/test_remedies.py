"""Code that stumbles over missing values or text is helped without a model where nothing else in it changes."""

from __future__ import annotations

import pandas as pd
import pytest

from querist.analysis.remedies import remedy

FRAME = pd.DataFrame(
    {
        "size": [1.0, None, 3.0],
        "colour": ["red", "blue", "red"],
        "age": [1, 2, 3],
        "price": ["120", "sold out", "99"],
        "class": ["class 1", "class 2", None],
    }
)
NAN = "ValueError: Input X contains NaN."
TEXT = "ValueError: could not convert string to float: 'red'"
FIT = "answers = {'x': fit(df[['size', 'age']])}"
MODEL = (
    "features = ['colour', 'age']\ndf = df.dropna(subset=features)\nX = df[features].copy()\nmodel.fit(X, df['size'])"
)


def test_rows_with_missing_values_are_left_out_where_a_model_cannot_deal_with_them() -> None:
    helped = remedy(FIT, NAN, FRAME)
    assert helped is not None
    assert helped.code.startswith("df = df.dropna(subset=['size', 'age'])")
    assert helped.note == "Left out rows without size, for the code."
    assert remedy(helped.code, NAN, FRAME) is None


@pytest.mark.parametrize("other", ["len(df)", "df['size'].isna().sum()", "df['age'].mean()", "df.shape[0]"])
def test_rows_stay_where_something_else_is_computed_from_them(other: str) -> None:
    assert remedy(f"{FIT}\nanswers['n'] = {other}", NAN, FRAME) is None


def test_code_that_ran_keeps_its_rows() -> None:
    assert remedy(FIT, "", FRAME, [float("nan"), 1]) is None
    assert remedy(FIT, "", FRAME, [1.0]) is None
    assert remedy(FIT, "", FRAME, [float("nan"), None]) is not None


@pytest.mark.parametrize(
    ("call", "helped"),
    [
        ("stats.skew(df['size'])", "stats.skew(df['size'].dropna())"),
        ("stats.ttest_ind(df['size'], df['age'])", "stats.ttest_ind(df['size'].dropna(), df['age'].dropna())"),
        (
            "stats.pearsonr(df['size'], df['age'])",
            "stats.pearsonr(df.dropna(subset=['size', 'age'])['size'], df.dropna(subset=['size', 'age'])['age'])",
        ),
        (
            "stats.entropy(df['size'], df['age'])",
            "stats.entropy(df.dropna(subset=['size', 'age'])['size'], df.dropna(subset=['size', 'age'])['age'])",
        ),
        ("stats.entropy(df['size'])", "stats.entropy(df['size'].dropna())"),
    ],
)
def test_what_scipy_is_given_loses_its_missing_values_only_there(call: str, helped: str) -> None:
    code = "from scipy import stats\nanswers = {{'x': {}, 'n': len(df['size'])}}"
    found = remedy(code.format(call), "", FRAME, [float("nan"), 3])
    assert found == (code.format(helped), "Left out missing values of size, for the code.", False)


@pytest.mark.parametrize(
    "code",
    [
        "answers = {'x': share(df['size']), 'n': len(df['size'])}",
        "from scipy import stats\nanswers = {'x': stats.zscore(df['size'])[0]}",
        "from scipy import stats\nanswers = {'x': stats.pearsonr(a['size'], b['age'])[0]}",
        "from scipy import stats\nanswers = {'x': stats.friedmanchisquare(df['size'], df['age'], later)[0]}",
    ],
)
def test_nothing_is_left_out_where_it_could_shift_or_miscount(code: str) -> None:
    assert remedy(code, "", FRAME, [float("nan"), 3]) is None


def test_words_among_the_features_of_a_model_are_numbered_and_that_is_a_guess() -> None:
    helped = remedy(MODEL, TEXT, FRAME)
    assert helped is not None
    assert helped.guess
    assert helped.note == "Numbered the values of colour in the order of the alphabet, to fit a model to them."
    scope = {"df": pd.DataFrame({"colour": ["red", None, "blue"]})}
    exec("\n".join(helped.code.splitlines()[:2]), scope)
    assert scope["df"]["colour"].fillna(-9).tolist() == [1, -9, 0]
    assert remedy(helped.code, TEXT, FRAME) is None


@pytest.mark.parametrize(
    "code",
    [
        "answers = {'mean': df['price'].astype(float).mean()}",
        "answers = {'mean': df['colour'].astype(float).mean()}",
        "model.fit(df[['price', 'age']], df['size'])",
        "model.fit(df[['class', 'age']], df['size'])",
        "model.fit(df[['age']], df['colour'])",
        "answers = {'r': df[['colour', 'age']].corr()}",
        f"{MODEL}\nn = (df['colour'] == 'red').sum()",
        f"{MODEL}\nn = X.mean()",
    ],
)
def test_what_may_be_a_number_or_is_used_otherwise_is_not_numbered(code: str) -> None:
    assert remedy(code, TEXT, FRAME) is None


@pytest.mark.parametrize("code", [FIT, "x = = 1"])
def test_other_errors_are_for_the_model(code: str) -> None:
    assert remedy(code, "KeyError: 'weight'", FRAME) is None
