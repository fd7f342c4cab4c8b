"""Techniques overstate nothing: many tests, small counts, rows in order of time, clusters of noise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from querist.analysis.findings import Findings
from tests.analysis.test_techniques import found

CLEAN, DIRTY = "clean", "dirty"


def told(result: Findings, words: str) -> bool:
    return any(words in warning for warning in result.warnings)


def walk(seed: int, number: int = 60) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=number).cumsum()


def test_the_strongest_of_many_correlations_of_noise_is_not_significant() -> None:
    noise = pd.DataFrame(np.random.default_rng(7).normal(size=(25, 8)), columns=list("abcdefgh"))
    result = found("correlation", noise, columns=list("abcdefgh"))
    p = {finding.name: float(finding.value) for finding in result.values if finding.name.startswith("p_")}  # type: ignore[arg-type]
    pairs = str(result.value("strongest_r_pair")).replace(", ", "_")
    raw, adjusted = p[f"p_{pairs}"], p[f"p_adjusted_{pairs}"]
    assert raw == min(value for name, value in p.items() if "adjusted" not in name)
    assert adjusted == pytest.approx(28 * raw)
    assert raw < 0.05 < adjusted
    assert result.chart is not None
    assert result.chart.title.endswith(f"p = {adjusted:.2g} for 28 correlations")
    assert told(result, "Among 28 correlations some look strong by chance")


def test_one_correlation_needs_no_adjustment() -> None:
    frame = pd.DataFrame({"a": [1.0, 2, 3, 4, 5], "b": [2.0, 1, 4, 3, 5]})
    result = found("correlation", frame, columns=["a", "b"])
    assert [finding.name for finding in result.values] == ["r", "p", "n"]
    assert result.warnings == []


def test_the_p_value_of_few_ranks_is_rough() -> None:
    frame = pd.DataFrame({"a": range(12), "b": [n * n for n in range(12)]})
    few = found("correlation", frame.head(3), columns=["a", "b"], method="spearman")
    assert few.value("p") == pytest.approx(0, abs=1e-6)
    assert told(few, "Spearman's p is rough for 3 rows, and may be far too small; Kendall's is surer.")
    assert found("correlation", frame.head(3), columns=["a", "b"], method="kendall").value("p") == pytest.approx(1 / 3)
    assert found("correlation", frame, columns=["a", "b"], method="spearman").warnings == []


def test_two_columns_that_drift_over_the_days_are_not_independent_rows() -> None:
    days = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=60), "a": walk(1), "b": walk(2)})
    words = "in order of day, and each is like the one before it in a, b: p takes rows for independent"
    assert told(found("correlation", days, columns=["a", "b"]), words)
    assert told(found("regression", days, target="a", features=["b"]), "in order of day, and each residual is like")
    years = days.assign(day=range(1960, 2020))
    assert told(found("correlation", years, columns=["a", "b"]), words)
    lacking = days.assign(c=np.nan)
    assert told(found("correlation", lacking, columns=["a", "b", "c"]), words)
    shuffled = days.sample(frac=1, random_state=0)
    assert not told(found("correlation", shuffled, columns=["a", "b"]), "in order of")
    steady = days.assign(b=np.random.default_rng(3).normal(size=60))
    assert not told(found("correlation", steady, columns=["a", "b"]), "in order of")


def counts(*cells: int) -> pd.DataFrame:
    rows = [(kind, place) for kind, place in [(DIRTY, "a"), (DIRTY, "b"), (CLEAN, "a"), (CLEAN, "b")]]
    return pd.DataFrame([row for row, count in zip(rows, cells, strict=True) for _ in range(count)], columns=["k", "g"])


def test_small_counts_of_two_by_two_words_are_compared_exactly() -> None:
    exact = stats.fisher_exact([[1, 7], [6, 2]]).pvalue
    result = found("compare_groups", counts(1, 7, 6, 2), column="k", by="g")
    assert (result.value("test"), result.value("p_value")) == ("fisher_exact", pytest.approx(exact))
    assert result.chart is not None
    assert "Fisher's exact test, p = 0.041" in result.chart.title


def test_chi_squared_that_was_asked_for_stays_and_the_exact_test_decides() -> None:
    frame = counts(2, 28, 9, 29)
    table = [[2, 28], [9, 29]]
    result = found("compare_groups", frame, column="k", by="g", test="chi_squared")
    assert (result.value("test"), result.value("p_value")) == (
        "chi_squared",
        pytest.approx(stats.chi2_contingency(table).pvalue),
    )
    assert result.value("p_value_exact") == pytest.approx(stats.fisher_exact(table).pvalue)
    assert result.value("significant") is False
    assert told(result, "Fisher's exact test decides")


def test_large_counts_are_compared_by_chi_squared() -> None:
    result = found("compare_groups", counts(20, 40, 30, 20), column="k", by="g")
    assert result.value("test") == "chi_squared"
    assert all(finding.name != "p_value_exact" for finding in result.values)


def test_groups_that_differ_much_in_size_are_compared_without_taking_their_variances_for_equal() -> None:
    random = np.random.default_rng(1)
    values = np.concatenate([random.normal(0, 1.3, 8), random.normal(0, 1, 40)])
    frame = pd.DataFrame({"y": values, "g": ["few"] * 8 + ["many"] * 40})
    result = found("compare_groups", frame, column="y", by="g")
    assert result.value("test") == "welch"
    assert told(result, "the groups differ in size")


def test_that_groups_differ_does_not_say_which() -> None:
    random = np.random.default_rng(2)
    frame = pd.DataFrame({"y": random.normal(size=60) + np.repeat([0, 0, 3], 20), "g": np.repeat(["a", "b", "c"], 20)})
    result = found("compare_groups", frame, column="y", by="g")
    assert told(result, "That the 3 groups differ does not say which of them do.")
    assert not told(found("compare_groups", frame[frame.g != "b"], column="y", by="g"), "does not say which")


def test_clusters_of_noise_are_told_from_those_that_lie_apart() -> None:
    random = np.random.default_rng(3)
    noise = pd.DataFrame(random.uniform(size=(60, 2)), columns=["x", "y"])
    assert told(found("clusters", noise, columns=["x", "y"], count=4), "these may have none")
    apart = noise + 3 * np.repeat([0, 1], 30)[:, None]
    result = found("clusters", apart, columns=["x", "y"], count=2)
    assert not told(result, "may have none")
    assert float(result.value("silhouette")) > float(result.value("silhouette_by_chance")) + 0.1  # type: ignore[arg-type]


def test_few_values_that_look_normal_show_little() -> None:
    frame = pd.DataFrame({"x": [1.0, 2, 3, 4, 5, 6, 7, 8, 9, 40]})
    assert not told(found("normality", frame, columns=["x"]), "hardly show")
    assert told(found("normality", frame.head(9), columns=["x"]), "9 values of x hardly show whether they are normal")
