"""Comparison of groups with the test that fits: t, Welch, Mann-Whitney, ANOVA, Kruskal-Wallis, chi-squared, Fisher."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal

from querist.analysis.findings import Findings, Gathering
from querist.analysis.frame import numbers, present
from querist.analysis.phrases import listed, p_text, ranked
from querist.analysis.techniques.base import MAX_GROUPS, Column, Params, Technique, groups, label, when_asked
from querist.charts.chart import Chart, Kind
from querist.charts.columns import title
from querist.charts.recommend import SERIES, recommend
from querist.charts.statistical import boxes
from querist.errors import UsageError
from querist.sources.table import ResultColumn, Table

if TYPE_CHECKING:
    import pandas as pd

Test = Literal["auto", "t_test", "welch", "mann_whitney", "anova", "kruskal", "chi_squared"]
NAMES = {
    "t_test": "t-test", "welch": "Welch's test", "mann_whitney": "Mann-Whitney", "anova": "ANOVA",
    "kruskal": "Kruskal-Wallis",
}  # fmt: skip
MIN_PER_GROUP = 3
LARGE = 30
"""The mean of more values is nearly normal, whatever they are."""
MOST_SHARES = 12
"""Shares that are told one by one."""
UNEVEN = 1.5
"""Where a group is so many times as large as another, that variances look alike is no reason to take them as equal."""


class ComparisonParams(Params):
    column: Column
    by: Column
    test: Annotated[Test, when_asked(r"t-?test|welch|mann|anova|kruskal|chi-?sq|fisher")] = "auto"


class Comparison(Technique[ComparisonParams]):
    name = "compare_groups"
    description = "Test whether a column differs between the groups of another (t-test, ANOVA, chi-squared, …)."

    def wanted(self, params: ComparisonParams) -> tuple[str, ...]:
        amounts = any(_is_numeric(self.frame, column) for column in (params.column, params.by))
        return ("mean of each group",) if amounts and params.test != "chi_squared" else ("p-value",)

    def compute(self, params: ComparisonParams) -> Findings:
        found = Gathering(self.name)
        params = self._turned(params, found)
        wanted = params.test
        if wanted == "chi_squared" or (wanted == "auto" and not _is_numeric(self.frame, params.column)):
            _of_words(found, self.frame, params)
            return found.done()
        values = numbers(self.frame, params.column)
        parts = _parts(found, self.frame, values, params)
        if values.nunique() < 2:
            raise UsageError(f"All values of {params.column!r} are the same; there is nothing to compare.")
        samples = [part for _, part in parts]
        test = _fitting(wanted, samples, found)
        statistic, p = _run(test, samples)
        if not abs(statistic) < float("inf"):
            raise UsageError(
                f"The test {test} cannot be computed: {params.column!r} does not vary within the groups.",
                hint="Use mann_whitney or kruskal, which compare ranks.",
            )
        found.add("test", test, "the test that was made")
        found.add("statistic", statistic, f"statistic of the {test} test of {params.column} by {params.by}")
        found.add("p_value", p, f"p-value of the {test} test of {params.column} by {params.by}")
        found.add("significant", p < 0.05, "whether the difference is significant at 0.05")
        if p < 0.05 and len(parts) > 2:
            found.warn(f"That the {len(parts)} groups differ does not say which of them do.")
        for name, part in parts:
            where = f"of {params.column} where {params.by} = {name}"
            found.add(f"mean_{name}", part.mean(), f"mean {where}")
            found.add(f"median_{name}", part.median(), f"median {where}")
            found.add(f"std_{name}", part.std(), f"std {where}")
            found.add(f"count_{name}", len(part), f"count {where}")
        told = f"{title(params.column)} by {title(params.by)}: {NAMES[test]}, {p_text(p)}"
        differs = "differs" if p < 0.05 else "does not differ significantly"
        middle = "median" if test in ("mann_whitney", "kruskal") else "mean"
        middles = {name: float(part.agg(middle)) for name, part in parts}
        if len(set(middles.values())) == 1:  # ranks can differ where medians do not
            middle, middles = "mean", {name: float(part.mean()) for name, part in parts}
        found.say(
            f"{params.column} {differs} between the groups of {params.by} ({NAMES[test]}, {p_text(p)}); "
            f"{middle} from highest to lowest: {ranked(middles)}."
        )
        drawn = {name: part.tolist() for name, part in parts}
        found.chart = boxes(drawn, (title(params.column), title(params.by)), told)
        return found.done()

    def _turned(self, params: ComparisonParams, found: Gathering) -> ComparisonParams:
        """The other way round where words are to be compared by amounts that make too many groups: a model's slip."""
        words, amounts = present(self.frame, params.column), present(self.frame, params.by)
        numeric = _is_numeric(self.frame, params.by) and not _is_numeric(self.frame, params.column)
        if not numeric or not words.nunique() <= MAX_GROUPS < amounts.nunique():
            return params
        found.warn(f"{params.by} was compared between the groups of {params.column}, not the other way round.")
        test = "auto" if params.test == "chi_squared" else params.test
        return params.model_copy(update={"column": params.by, "by": params.column, "test": test})


def _is_numeric(frame: pd.DataFrame, column: str) -> bool:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    values = present(frame, column)
    return bool(is_numeric_dtype(values) and not is_bool_dtype(values))


def _parts(
    found: Gathering, frame: pd.DataFrame, values: pd.Series[float], params: ComparisonParams
) -> list[tuple[str, pd.Series[float]]]:
    """The values of each group that has enough of them."""
    parts = [(name, values[part.index]) for name, part in groups(frame.loc[values.index], params.by)]
    found.left_out(len(frame) - sum(len(part) for _, part in parts), f"{params.column} or {params.by}")
    if small := [name for name, part in parts if len(part) < MIN_PER_GROUP]:
        found.warn(f"Groups with fewer than {MIN_PER_GROUP} values are left out: {', '.join(small)}.")
    parts = [(name, part) for name, part in parts if len(part) >= MIN_PER_GROUP]
    if len(parts) < 2:
        raise UsageError(
            f"{params.by!r} does not make two groups with at least {MIN_PER_GROUP} values of {params.column!r}."
        )
    return parts


def _fitting(wanted: Test, samples: list[pd.Series[float]], found: Gathering) -> str:
    """The test that was asked for, with warnings where its assumptions fail; or the one whose assumptions hold."""
    from scipy import stats

    normal = all(
        len(values) > LARGE or (values.nunique() > 1 and stats.shapiro(values).pvalue >= 0.05) for values in samples
    )
    vary = any(values.nunique() > 1 for values in samples)
    equal = not vary or float(stats.levene(*samples).pvalue) >= 0.05
    two = len(samples) == 2
    if wanted == "auto":
        if not normal:
            chosen, why = "mann_whitney" if two else "kruskal", "a small group is not normally distributed"
        elif not equal:
            chosen, why = "welch", "the variances differ"
        elif max(map(len, samples)) > UNEVEN * min(map(len, samples)):
            chosen, why = "welch", "the groups differ in size, so that it matters whether the variances do"
        else:
            chosen, why = "t_test" if two else "anova", "the variances are alike"
        found.warn(f"The test {chosen} was chosen because {why}.")
        return chosen
    if wanted in ("t_test", "mann_whitney") and not two:
        raise UsageError(f"{wanted!r} compares two groups, and there are {len(samples)}.", hint="Use anova or kruskal.")
    if wanted in ("t_test", "anova") and not equal:
        found.warn(f"The variances of the groups differ, which {wanted} does not expect.")
    if wanted in ("t_test", "welch", "anova") and not normal:
        found.warn(f"A small group is not normally distributed, which {wanted} expects.")
    return wanted


def _run(test: str, samples: list[Any]) -> tuple[float, float]:
    import warnings

    from scipy import stats
    from statsmodels.stats.oneway import anova_oneway

    def welch() -> Any:
        if len(samples) == 2:
            return stats.ttest_ind(*samples, equal_var=False)
        return anova_oneway(samples, use_var="unequal")

    tests: dict[str, Callable[[], Any]] = {
        "t_test": lambda: stats.ttest_ind(*samples),
        "welch": welch,
        "mann_whitney": lambda: stats.mannwhitneyu(*samples, alternative="two-sided"),
        "anova": lambda: stats.f_oneway(*samples),
        "kruskal": lambda: stats.kruskal(*samples),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of groups that do not vary; the caller looks at the result
        result = tests[test]()
    return float(result.statistic), float(result.pvalue)


def _of_words(found: Gathering, frame: pd.DataFrame, params: ComparisonParams) -> None:
    """Whether two columns of words go together: by chi-squared, or by Fisher's exact test where counts are small."""
    import pandas as pd
    from scipy import stats

    for name in (params.column, params.by):
        if (count := present(frame, name).nunique()) > MAX_GROUPS:
            raise UsageError(
                f"{name!r} has {count:,} different values, too many for a chi-squared test (at most {MAX_GROUPS}).",
                hint="Use a column with fewer values, or make classes of it first.",
            )
    counts = pd.crosstab(frame[params.column], frame[params.by])
    found.left_out(len(frame) - int(counts.to_numpy().sum()), f"{params.column} or {params.by}")
    if min(counts.shape) < 2:
        raise UsageError(f"{params.column!r} and {params.by!r} need two different values each for a chi-squared test.")
    result = stats.chi2_contingency(counts)
    pair, p, name = f"{params.column} by {params.by}", float(result.pvalue), "chi-squared"
    small = float((result.expected_freq < 5).mean())
    exact = float(stats.fisher_exact(counts).pvalue) if counts.shape == (2, 2) and small else None
    if exact is not None and params.test == "auto":
        found.add("test", "fisher_exact", "the test that was made")
        found.add("p_value", exact, f"p-value of Fisher's exact test of {pair}")
        found.warn("Fisher's exact test was chosen because an expected count is below 5.")
    else:
        found.add("test", "chi_squared", "the test that was made")
        found.add("statistic", result.statistic, f"chi-squared of {pair}")
        found.add("p_value", p, f"p-value of the chi-squared test of {pair}")
        found.add("degrees_of_freedom", result.dof, "degrees of freedom")
        if counts.shape == (2, 2):
            found.warn("The statistic of two by two values is with Yates' correction.")
        if exact is not None:
            found.add("p_value_exact", exact, f"p-value of Fisher's exact test of {pair}")
            found.warn("An expected count is below 5, which chi-squared does not expect: Fisher's exact test decides.")
        elif small > 0.2:
            found.warn("More than a fifth of the expected counts are below 5: the chi-squared test is not reliable.")
    if exact is not None:
        p, name = exact, "Fisher's exact test"
    found.add("significant", p < 0.05, "whether the two are related, at 0.05")
    go = "are associated" if p < 0.05 else "show no significant association"
    found.say(f"{params.column} and {params.by} {go} ({name}, {p_text(p)}).")
    shares = counts / counts.sum()
    if counts.size <= MOST_SHARES:
        for value in counts.index:
            for group in counts.columns:
                meaning = f"share of {params.column} = {label(value)} in the rows where {params.by} = {label(group)}"
                found.add(f"share_{label(value)}_{label(group)}", shares.at[value, group], meaning)
        value = (
            (shares.max(axis=1) - shares.min(axis=1)).round(9)[::-1].idxmax()
        )  # which differs most; of no and yes, yes
        percent = [
            f"{100 * share:.3g}% where {params.by} is {label(group)}"
            for group, share in shares.loc[value].sort_values(ascending=False).items()
        ]
        found.say(f"{params.column} is {label(value)} in {listed(percent)}.")
    found.chart = _shares(counts, params, f"{name}, {p_text(p)}")


def _shares(counts: pd.DataFrame, params: ComparisonParams, result: str) -> Chart | None:
    """How each group is made up, in percent: as bars, or as a heat map where those would have too many colours."""
    share = f"share of the rows of one {params.by} (%)"
    columns = tuple(ResultColumn(name) for name in (params.by, params.column, share))
    shares = 100 * counts / counts.sum()
    rows = [
        (label(group), label(value), float(shares.at[value, group]))
        for group in counts.columns
        for value in counts.index
    ]
    told = f"{title(params.column)} by {title(params.by)}: {result}"
    kind: Kind = "bar" if len(counts) <= SERIES else "heatmap"
    return recommend(Table(columns, tuple(rows)), kind=kind, title=told)
