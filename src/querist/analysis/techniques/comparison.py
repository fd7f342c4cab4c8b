"""Comparison of groups with the test that fits: t, Welch, Mann-Whitney, ANOVA, Kruskal-Wallis, chi-squared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from querist.analysis.findings import Findings, Gathering
from querist.analysis.frame import numbers, present
from querist.analysis.techniques.base import Column, Params, Technique, label
from querist.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

Test = Literal["auto", "t_test", "welch", "mann_whitney", "anova", "kruskal", "chi_squared"]
MIN_PER_GROUP = 3


class ComparisonParams(Params):
    column: Column
    by: Column
    test: Test = "auto"


class Comparison(Technique[ComparisonParams]):
    name = "compare_groups"
    description = "Test whether a column differs between the groups of another (t-test, ANOVA, chi-squared, …)."

    def compute(self, params: ComparisonParams) -> Findings:
        found = Gathering(self.name)
        wanted = params.test
        if wanted == "chi_squared" or (wanted == "auto" and not _is_numeric(self.frame, params.column)):
            _chi_squared(found, self.frame, params)
            return found.done()
        parts = {
            label(value): numbers(part, params.column)
            for value, part in self.frame.groupby(params.by, sort=True, observed=True)
        }
        parts = {name: values for name, values in parts.items() if len(values) >= MIN_PER_GROUP}
        if len(parts) < 2:
            raise UsageError(
                f"{params.by!r} does not make two groups with at least {MIN_PER_GROUP} values of {params.column!r}."
            )
        test = _fitting(wanted, parts, found)
        statistic, p = _run(test, list(parts.values()))
        found.add("test", test, "the test that was made")
        found.add("statistic", statistic, f"statistic of the {test} test of {params.column} by {params.by}")
        found.add("p_value", p, f"p-value of the {test} test of {params.column} by {params.by}")
        found.add("significant", p < 0.05, "whether the difference is significant at 0.05")
        for name, values in parts.items():
            where = f"of {params.column} where {params.by} = {name}"
            found.add(f"mean_{name}", values.mean(), f"mean {where}")
            found.add(f"median_{name}", values.median(), f"median {where}")
            found.add(f"std_{name}", values.std(), f"std {where}")
            found.add(f"count_{name}", len(values), f"count {where}")
        return found.done()


def _is_numeric(frame: pd.DataFrame, column: str) -> bool:
    from pandas.api.types import is_numeric_dtype

    return bool(is_numeric_dtype(present(frame, column)))


def _fitting(wanted: Test, parts: dict[str, pd.Series[float]], found: Gathering) -> str:
    """The test that was asked for, with warnings where its assumptions fail; or the one whose assumptions hold."""
    from scipy import stats

    normal = all(
        len(values) > 30 or (values.nunique() > 1 and stats.shapiro(values).pvalue >= 0.05) for values in parts.values()
    )
    equal = float(stats.levene(*parts.values()).pvalue) >= 0.05
    two = len(parts) == 2
    if wanted == "auto":
        if not normal:
            chosen, why = "mann_whitney" if two else "kruskal", "a small group is not normally distributed"
        elif two:
            chosen, why = ("t_test", "the variances are alike") if equal else ("welch", "the variances differ")
        else:
            chosen, why = ("anova", "the variances are alike") if equal else ("kruskal", "the variances differ")
        found.warn(f"The test {chosen} was chosen because {why}.")
        return chosen
    if wanted in ("t_test", "welch", "mann_whitney") and not two:
        raise UsageError(f"{wanted!r} compares two groups, and there are {len(parts)}.", hint="Use anova or kruskal.")
    if wanted in ("t_test", "anova") and not equal:
        found.warn(f"The variances of the groups differ, which {wanted} does not expect.")
    if wanted in ("t_test", "welch", "anova") and not normal:
        found.warn(f"A small group is not normally distributed, which {wanted} expects.")
    return wanted


def _run(test: str, parts: list[Any]) -> tuple[float, float]:
    from scipy import stats

    result = {
        "t_test": lambda: stats.ttest_ind(*parts),
        "welch": lambda: stats.ttest_ind(*parts, equal_var=False),
        "mann_whitney": lambda: stats.mannwhitneyu(*parts, alternative="two-sided"),
        "anova": lambda: stats.f_oneway(*parts),
        "kruskal": lambda: stats.kruskal(*parts),
    }[test]()
    return float(result.statistic), float(result.pvalue)


def _chi_squared(found: Gathering, frame: pd.DataFrame, params: ComparisonParams) -> None:
    import pandas as pd
    from scipy import stats

    counts = pd.crosstab(present(frame, params.column), present(frame, params.by))
    if min(counts.shape) < 2:
        raise UsageError(f"{params.column!r} and {params.by!r} need two different values each for a chi-squared test.")
    result = stats.chi2_contingency(counts)
    found.add("test", "chi_squared", "the test that was made")
    found.add("statistic", result.statistic, f"chi-squared of {params.column} by {params.by}")
    found.add("p_value", result.pvalue, f"p-value of the chi-squared test of {params.column} by {params.by}")
    found.add("degrees_of_freedom", result.dof, "degrees of freedom")
    found.add("significant", result.pvalue < 0.05, "whether the two are related, at 0.05")
    if (result.expected_freq < 5).mean() > 0.2:
        found.warn("More than a fifth of the expected counts are below 5: the chi-squared test is not reliable.")
