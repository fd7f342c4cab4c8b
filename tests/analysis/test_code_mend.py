"""Generated code is mended where the table and the libraries decide, and left alone elsewhere."""

from __future__ import annotations

import ast

import pytest

from querist.analysis.code_mend import code_in, mend_code

COLUMNS = ["Close Price", "volume"]


@pytest.mark.parametrize(
    ("code", "mended"),
    [
        ("x = df['close price'].mean()", "x = df['Close Price'].mean()"),
        ("x = df[['Close_Price', 'Volume']].corr()", "x = df[['Close Price', 'volume']].corr()"),
        ("df = pd.read_csv('data.csv')", "df = df.copy()"),
        ("x = np.mean(df['volume'])", "import numpy as np\nx = np.mean(df['volume'])"),
        ("r, p = pearsonr(a, b)", "from scipy.stats import pearsonr\nr, p = pearsonr(a, b)"),
        (
            "x = mean_squared_error(a, b, squared=False)",
            "from sklearn.metrics import mean_squared_error\nx = mean_squared_error(a, b) ** 0.5",
        ),
        ("d = df.dropna(subset=['Volume'])", "d = df.dropna(subset=['volume'])"),
        (
            "s, p = stats.chi2_contingency(t)",
            "from scipy import stats\ns, p = stats.chi2_contingency(t)[:2]",
        ),
        (
            "slope, intercept, r_value = stats.linregress(a, b)",
            "from scipy import stats\nslope, intercept, r_value = stats.linregress(a, b)[:3]",
        ),
        ("x = day == 5 | day == 6", "x = (day == 5) | (day == 6)"),
        ("x = a == 1 | b > 2 | c < 3", "x = (a == 1) | (b > 2) | (c < 3)"),
        ("x = (a == 1) & b == 2", "x = (a == 1) & (b == 2)"),
    ],
)
def test_what_is_decided_is_mended_and_noted(code: str, mended: str) -> None:
    text, notes = mend_code(code, COLUMNS)
    assert text == mended
    assert notes


@pytest.mark.parametrize(
    "code",
    [
        "df['Volumes'] = df['volume'] * 2\nx = df['Volumes'].sum()",
        "import numpy as np\nx = np.mean(df['volume'])",
        "x = {'Volume': 1}['Volume2']",
        "x = a & 4 == 4",
        "from scipy.stats import chi2_contingency\ns, p, dof, expected = chi2_contingency(t)",
        "from scipy.stats import chi2_contingency\ns, *rest = chi2_contingency(t)",
        "from scipy.stats import chi2_contingency\np, s = chi2_contingency(t)",
        "from scipy.stats import linregress\nr, p = linregress(a, b)",
        "df['volume'].drop_duplicates(inplace=True)",
        "d = df.assign(Volume=df['volume'] * 2)\nx = d['Volume'].mean()",
        "d = df.rename(columns={'volume': 'Volume'})\nx = d['Volume'].mean()",
        "df.columns = ['Close', 'Volume']\nx = df['Volume'].mean()",
        "x = df['kind'].value_counts()['Volume']",
        "counts = df['kind'].value_counts()\nx = counts['Volume']",
        "import pandas as pd\nx = pd.crosstab(df['kind'], df['side'])['Volume']",
        "found = {'VOLUME': 1}\nx = found['VOLUME']",
        "df[mask].fillna(0, inplace=True)",
        "x = a == 1 | b > 2 & c < 3",
        "x = 1 < a < 3",
        "x = (a > 1) & (b < 2)",
        "x = ((a > 1) & (b == 'm')) == False",
        "x = (a > 1) & (b == 'm') == False",
        "x = (a > 1) & b == False",
        "x = ((a == 1) & b) == 2",
        "x = a == (1 | b) == 2",
        "x = df['volume_2'].mean()",
        "x = df[['Close Prices', 'value']].corr()",
    ],
)
def test_what_is_right_or_unknown_stays(code: str) -> None:
    text, notes = mend_code(code, COLUMNS)
    assert (ast.dump(ast.parse(text)), notes) == (ast.dump(ast.parse(code)), [])


def test_what_is_no_python_is_left_to_the_sandbox_to_say() -> None:
    assert mend_code("x = = 1", COLUMNS) == ("x = = 1", [])


def test_code_is_taken_out_of_its_fence() -> None:
    assert code_in("Sure:\n```python\nx = 1\n```\nThat is it.") == "x = 1"
    assert code_in("x = 1") == "x = 1"


def test_a_change_in_place_of_a_column_becomes_an_assignment() -> None:
    text, notes = mend_code("df['Volume'].fillna(0, inplace=True)", COLUMNS)
    assert text == "df['volume'] = df['volume'].fillna(0)"
    assert "assigned what fillna gives, instead of inplace=True" in notes


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("total = df.volume.sum()", "answers = {'total': total}"),
        ("def solve(df):\n    return {'total': 1}", "answers = solve(df)"),
        ("def solve():\n    return {'total': 1}", "answers = solve()"),
    ],
)
def test_values_that_are_never_put_into_the_answers_are_gathered(code: str, line: str) -> None:
    text, notes = mend_code(code, COLUMNS, ["total", "mean"])
    assert text.splitlines()[-1] == line
    assert notes == [f"added {line!r}"]


@pytest.mark.parametrize(
    "code", ["answers = {'total': 1}", "def f(df):\n    return 1\nx = f(df)", "x = 1", "def f(a, b):\n    return a"]
)
def test_nothing_is_gathered_where_the_code_says_it_or_has_none(code: str) -> None:
    assert mend_code(code, COLUMNS, ["total"]) == (code, [])
