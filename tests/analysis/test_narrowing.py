"""A question in plain words leaves a plan open where its words do, and what it does not speak of as it is."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from querist.analysis.narrowing import narrow
from querist.analysis.plan import plan_schema
from querist.models.structured import parse_reply

FRAME = pd.DataFrame(
    {
        "city": ["A", "B", "A", "B"] * 10,
        "rent": [float(n) for n in range(40)],
        "size_m2": [float(n * 7 % 40) for n in range(40)],
        "day": pd.date_range("2024-01-01", periods=40),
    }
)


@pytest.mark.parametrize(
    ("question", "techniques"),
    [
        ("Is the rent correlated with the size?", {"correlation"}),
        ("Do larger flats have a higher rent?", {"correlation", "compare_groups"}),
        ("Is the rent bell-shaped?", {"normality"}),
        ("Are there strange values in the rent?", {"outliers"}),
        ("How many values are missing in each column?", {"missing_values"}),
        ("How much more rent does a square metre bring?", {"regression"}),
        ("What will the rent be in the next 3 months?", {"forecast"}),
        ("Has the rent fallen over time?", {"trend"}),
        ("What is the average rent?", {"describe", "code"}),
        ("Tell me about it", {*"correlation normality outliers compare_groups regression describe".split(), "code",
                              *"missing_values trend forecast clusters".split()}),
    ],
)  # fmt: skip
def test_the_words_say_which_techniques_come_into_question(question: str, techniques: set[str]) -> None:
    assert {*narrow(question, FRAME).techniques} == techniques


def test_what_the_columns_do_not_allow_is_not_open() -> None:
    words = FRAME[["city"]]
    assert not {"trend", "forecast", "normality", "outliers", "clusters"} & {*narrow("Tell me", words).techniques}
    assert narrow("Is there a trend in the rent?", FRAME[["city", "rent"]]).columns["date"] == ()


@pytest.mark.parametrize(
    ("dates", "period"),
    [
        (pd.date_range("2024-01-01", periods=40), "day"),
        (pd.date_range("2024-01-01", periods=40, freq="W"), "week"),
        (pd.date_range("2020-01-01", periods=40, freq="MS"), "month"),
        (pd.date_range("2014-01-01", periods=40, freq="QS"), "quarter"),
        (pd.date_range("1980-01-01", periods=40, freq="YS"), "year"),
        (list(range(1980, 2020)), "year"),
        ([*pd.date_range("2024-01-01", periods=20)] * 2, "day"),
        ([*pd.date_range("2024-01-01", periods=20, freq="2W")] * 2, "week"),
        ([*pd.date_range("2020-01-01", periods=20, freq="2MS")] * 2, "month"),
    ],
)
def test_a_period_that_nobody_named_is_that_of_the_data(dates: Any, period: str) -> None:
    frame = pd.DataFrame({"year": dates, "x": range(40)})
    assert narrow("Is x rising?", frame).fixed == {"period": period}
    assert narrow("Is x rising by week?", frame).fixed["period"] == "week"
    assert narrow("What is x per month?", frame).fixed["period"] == "month"
    assert narrow("What is the annual trend of x?", frame).fixed["period"] == "year"


def test_a_month_ahead_is_counted() -> None:
    frame = pd.DataFrame({"month": pd.date_range("2020-01-01", periods=40, freq="MS"), "x": range(40)})  # to April
    assert narrow("Forecast x for next August", frame).fixed == {"period": "month", "ahead": 4}
    assert narrow("What will x be in April?", frame).fixed["ahead"] == 12
    assert "ahead" not in narrow("Forecast x, after the fall in the rainy March", frame).fixed


@pytest.mark.parametrize(
    ("question", "fixed"),
    [
        ("Forecast x for the next 3 months", {"period": "month", "ahead": 3}),
        ("Forecast x for the next year", {"period": "month", "ahead": 12}),
        ("Forecast x for the coming two quarters", {"period": "month", "ahead": 6}),
        ("Forecast x for the next few months", {"period": "month"}),
        ("Forecast x for the next 5 weeks", {"period": "week"}),
        ("Forecast x for the next 90 years", {"period": "month", "ahead": 60}),
    ],
)
def test_how_far_ahead_a_question_looks(question: str, fixed: dict[str, Any]) -> None:
    frame = pd.DataFrame({"month": pd.date_range("2020-01-01", periods=40, freq="MS"), "x": range(40)})
    assert narrow(question, frame).fixed == fixed


@pytest.mark.parametrize(
    ("question", "technique"),
    [
        ("Do sales differ between segments?", "compare_groups"),
        ("What is the average of sales by segment?", "describe"),
        ("Is there a pay gap between men and women?", "compare_groups"),
        ("Do customers who do not have a contract buy more?", "compare_groups"),
        ("Which segment has the highest sales per unit?", "describe"),
        ("What are the mean sales since 2011?", "describe"),
    ],
)
def test_words_that_mean_something_else_shut_nothing_out(question: str, technique: str) -> None:
    frame = pd.DataFrame({"segment": ["a", "b"] * 9, "sales": [float(n) for n in range(18)]})
    assert technique in narrow(question, frame).techniques


def reads(question: str, plan: dict[str, Any], steps: list[dict[str, Any]] | None = None) -> bool:
    columns = [str(column) for column in FRAME.columns]
    schema = plan_schema(columns, ["new_1"], narrow(question, FRAME))
    try:
        parse_reply(json.dumps({"analyses": [plan], "prepare": steps or []}), schema)
    except ValueError:
        return False
    return True


COMPARE = {"technique": "compare_groups", "column": "rent", "by": "city"}
CORRELATE = {"technique": "correlation", "columns": ["rent", "size_m2"], "method": "pearson"}
SCALE = {"do": "scale", "columns": ["rent"], "method": "zscore"}


@pytest.mark.parametrize(
    ("question", "plan"),
    [
        ("Does the rent differ between cities?", {**COMPARE, "test": "auto"}),
        ("Does the rent differ by a t-test?", {**COMPARE, "test": "t_test"}),
        ("Is rent correlated with size?", {**CORRELATE, "by": ""}),
        ("Is rent correlated with size in each city?", {**CORRELATE, "by": "city"}),
        ("Is rent correlated with size, by Spearman?", {**CORRELATE, "method": "spearman", "by": ""}),
        ("Is anything missing?", {"technique": "missing_values", "columns": ["city", "rent", "size_m2", "day"]}),
        ("How many rent values are missing?", {"technique": "missing_values", "columns": ["rent"]}),
    ],
)
def test_what_is_named_may_be_chosen(question: str, plan: dict[str, Any]) -> None:
    assert reads(question, plan)


@pytest.mark.parametrize(
    ("question", "plan"),
    [
        ("Does the rent differ between cities?", {**COMPARE, "test": "chi_squared"}),
        ("Is rent correlated with size?", {**CORRELATE, "method": "kendall", "by": ""}),
        ("Is rent correlated with size?", {**CORRELATE, "by": "city"}),
        ("Is rent correlated with size?", {**COMPARE, "test": "auto"}),
        ("Is anything missing?", {"technique": "missing_values", "columns": ["rent"]}),
        ("Is the city normal?", {"technique": "normality", "columns": ["city"], "test": "shapiro", "by": ""}),
        ("Is the rent rising?", {"technique": "trend", "date": "city", "value": "rent", "period": "day",
                                 "aggregate": "mean"}),
    ],
)  # fmt: skip
def test_what_is_not_named_stays_as_it_is(question: str, plan: dict[str, Any]) -> None:
    assert not reads(question, plan)


def test_the_data_are_changed_only_where_the_question_asks_for_it() -> None:
    plan = {**COMPARE, "test": "auto"}
    assert not reads("Does the rent differ between cities?", plan, [SCALE])
    assert reads("Does the standardized rent differ between cities?", plan, [SCALE])
    assert reads("Does the rent differ between cities?", plan, [{"do": "keep_rows", "sql": "rent > 2"}])


WARDS = pd.DataFrame(
    {
        "patient": range(100, 140),
        "age": [float(n % 37) for n in range(40)],
        "stay_days": [float(n % 11) for n in range(40)],
        "visits_per_month": [float(n % 5) for n in range(40)],
        "pulse": [float(n % 7) for n in range(40)],
        "treatment": ["drug", "placebo"] * 20,
    }
)


@pytest.mark.parametrize(
    ("question", "columns"),
    [
        ("Is the age related to the stay?", ("age", "stay_days")),
        ("Does the stay depend on the treatment with the drug?", ("stay_days", "treatment")),
        ("Is the stay shorter with the drug?", tuple(WARDS.columns)),
        ("Do older patients have a higher pulse?", tuple(WARDS.columns)),  # the patient is the row, and "older" the age
        ("Is the pulse normal?", tuple(WARDS.columns)),
    ],
)
def test_a_question_that_names_two_columns_is_about_these(question: str, columns: tuple[str, ...]) -> None:
    assert narrow(question, WARDS).columns["one"] == columns


def test_no_other_column_is_open_then() -> None:
    schema = plan_schema(list(WARDS.columns), ["new_1"], narrow("Does the stay depend on the treatment?", WARDS))
    assert schema["$defs"]["one"]["enum"] == ["stay_days", "treatment", "new_1"]
    assert schema["$defs"]["number"]["enum"] == ["stay_days", "new_1"]


def test_the_words_of_a_column_ask_for_nothing() -> None:
    assert {*narrow("Are visits per month tied to age?", WARDS).techniques} == {"correlation", "compare_groups"}
    assert "regression" in narrow("How is the pulse per month?", WARDS).techniques
