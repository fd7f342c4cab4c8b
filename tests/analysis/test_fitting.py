"""The types of the columns say which technique tells whether they go together, and conditions leave what to compare."""

from __future__ import annotations

import pandas as pd
import pytest

from querist.analysis.conditions import Conditioned, comparable, conditioned, unsaid
from querist.analysis.fitting import fitted
from querist.analysis.prepare import KeepRows, NewColumn
from querist.analysis.techniques import techniques
from querist.analysis.techniques.base import Params
from querist.analysis.techniques.comparison import ComparisonParams
from querist.analysis.techniques.correlation import CorrelationParams
from querist.analysis.techniques.describe import DescribeParams
from querist.analysis.techniques.missing import MissingParams
from querist.analysis.techniques.regression import RegressionParams

FRAME = pd.DataFrame(
    {
        "drug": ["yes", "no"] * 20,
        "ward": ["A", "B", "C", "D"] * 10,
        "name": [f"person {n}" for n in range(40)],
        "age": range(20, 60),
        "pulse": [float(60 + n % 13) for n in range(40)],
        "grade": [1, 2, 3, 4] * 10,
    }
)


def by(column: str, group: str) -> ComparisonParams:
    return ComparisonParams(column=column, by=group)


def of(*columns: str, group: str = "") -> CorrelationParams:
    return CorrelationParams(columns=list(columns), by=group)


@pytest.mark.parametrize(
    ("planned", "meant"),
    [
        (of("age", "pulse"), of("age", "pulse")),
        (of("drug", "pulse"), by("pulse", "drug")),
        (of("drug", "ward"), by("drug", "ward")),
        (of("drug", "name"), of("drug", "name")),
        (of("drug", "pulse", group="ward"), of("drug", "pulse", group="ward")),
        (by("pulse", "age"), of("age", "pulse")),
        (by("pulse", "grade"), by("pulse", "grade")),
        (
            ComparisonParams(column="pulse", by="age", test="anova"),
            ComparisonParams(column="pulse", by="age", test="anova"),
        ),
        (by("pulse", "ward"), by("pulse", "ward")),
    ],
)
def test_the_technique_is_that_which_the_columns_take(planned: Params, meant: Params) -> None:
    assert fitted(planned, FRAME) == meant


@pytest.mark.parametrize(
    ("target", "planned", "meant"),
    [("age", "logistic", "logistic"), ("drug", "linear", "logistic"), ("age", "linear", "linear")],
)
def test_so_is_the_kind_of_a_regression(target: str, planned: str, meant: str) -> None:
    params = RegressionParams.model_validate({"target": target, "features": ["pulse"], "kind": planned})
    assert fitted(params, FRAME) == params.model_copy(update={"kind": meant})


def where(sql: str) -> KeepRows:
    return KeepRows(do="keep_rows", sql=sql)


def plan(*steps: KeepRows, of: Params) -> Conditioned:
    return Conditioned(steps, (of,))


def test_a_condition_that_leaves_one_group_to_compare_is_left_out() -> None:
    drug, adults = where("drug = 'yes'"), where("age > 30")
    kept = comparable(FRAME, plan(drug, adults, of=by("pulse", "drug")))
    assert kept.steps == (adults,)
    assert kept.told == ("All groups of drug are compared, not only those where drug = 'yes'.",)
    for other in (by("pulse", "ward"), of("pulse", "age")):
        assert comparable(FRAME, plan(drug, of=other)) == plan(drug, of=other)


def test_gaps_are_not_counted_where_there_are_none() -> None:
    kept = comparable(FRAME, plan(where("age IS NOT NULL"), where("age > 3"), of=MissingParams(columns=["age"])))
    assert kept.steps == (where("age > 3"),)
    assert kept.told == ("Missing values are counted in all rows, not only where age IS NOT NULL.",)


@pytest.mark.parametrize(
    ("question", "planned", "steps", "meant"),
    [
        ("Is age related to pulse in ward A?", of("age", "pulse"), [], of("age", "pulse")),
        ("Is age related to pulse in Ward Alpha?", of("age", "pulse"), ["\"ward\" = 'Alpha'"], of("age", "pulse")),
        (
            "Among Alpha, is age related to pulse?",
            of("age", "pulse", group="ward"),
            ["\"ward\" = 'Alpha'"],
            of("age", "pulse"),
        ),
        ("Is age related to pulse and grade?", of("age", "pulse"), [], of("age", "pulse", "grade")),
        ("Do Alpha and Beta differ in pulse?", by("pulse", "ward"), [], by("pulse", "ward")),
        ("Has Alpha a higher pulse?", by("pulse", "ward"), [], by("pulse", "ward")),
        (
            "Only those with the drug: is age related to pulse?",
            of("age", "pulse"),
            ["\"drug\" = 'yes'"],
            of("age", "pulse"),
        ),
    ],
)
def test_conditions_of_the_question_become_those_of_the_plan(
    question: str, planned: Params, steps: list[str], meant: Params
) -> None:
    frame = FRAME.assign(ward=["Alpha", "Beta", "Gamma", "Delta"] * 10)
    plan = conditioned(question, frame, [], [planned])
    assert ([step.sql for step in plan.steps if isinstance(step, KeepRows)], plan.analyses) == (steps, (meant,))


@pytest.mark.parametrize(
    ("question", "left_out"),
    [
        ("Is age related to pulse and drug?", "The question names drug, which the analysis does not use."),
        (
            "In Alpha and Beta, is age related to pulse?",
            "The question names Alpha, Beta, which the analysis does not tell apart.",
        ),
        ("In Omega, is age related to pulse?", "The question names Omega, which is in none of the rows' columns."),
        ("Is age related to pulse in Ward Alpha, by Spearman, since March?", ""),
        ("Is age related to pulse?", ""),
    ],
)
def test_what_a_plan_leaves_out_is_told(question: str, left_out: str) -> None:
    frame = FRAME.assign(ward=["Alpha", "Beta", "Gamma", "Delta"] * 10)
    assert conditioned(question, frame, [], [of("age", "pulse")]).guesses == ((left_out,) if left_out else ())


@pytest.mark.parametrize(
    ("question", "condition"),
    [
        ("Is age correlated with pulse in ward A?", "ward = 'A'"),
        ("Is age correlated with pulse for those on the drug?", "drug = 'yes'"),
        ("Is age correlated with pulse over 30?", "age > 30"),
        ("Do smokers differ?", "kind = 'smoker'"),
        ("Do women differ?", "sex = 'F'"),
        ("Is it different since 2023?", "day >= '2023-01-01'"),
        ("Is the pulse normal?", "pulse IS NOT NULL"),
    ],
)
def test_conditions_that_a_question_names(question: str, condition: str) -> None:
    assert not list(unsaid([KeepRows(do="keep_rows", sql=condition)], question))


@pytest.mark.parametrize(
    ("question", "condition"),
    [
        ("Do older patients have a higher pulse?", "age > 60"),
        ("Do people have a higher pulse for that?", "sex = 'f'"),
        ("Is there a difference?", "status = 'active'"),
        ("How old are people in each region?", "country = 'India'"),
        ("Is the pulse of 30 patients normal?", "age > 3"),
        ("Is the pulse normal?", "drug = 'yes'"),
    ],
)
def test_conditions_that_nobody_named_are_told(question: str, condition: str) -> None:
    told = list(unsaid([KeepRows(do="keep_rows", sql=condition)], question))
    assert told == [f"The rows are limited to {condition}, which the question does not say."]


@pytest.mark.parametrize(
    ("params", "wanted"),
    [
        (by("pulse", "ward"), ("mean of each group",)),
        (by("ward", "pulse"), ("mean of each group",)),  # which is turned round
        (by("drug", "ward"), ("p-value",)),
        (of("age", "pulse"), ("pearson correlation", "p-value")),
    ],
)
def test_code_is_asked_for_what_the_technique_has(params: Params, wanted: tuple[str, ...]) -> None:
    technique = next(kind for kind in techniques(FRAME) if isinstance(params, kind.input_type))
    assert technique.wanted(params) == wanted


SALES = pd.DataFrame(
    {
        "price": [100.0, 10.0, 10.0] * 20,
        "country": ["Germany", "France", "Spain"] * 20,
        "pool": ["yes", "no"] * 30,
        "class": [1, 2] * 30,
        "method": ["express", "standard"] * 30,
        "size": ["Large", "Small"] * 30,
        "weight": [float(n * 7 % 60) for n in range(60)],
    }
)


def mean_of(group: str = "") -> DescribeParams:
    return DescribeParams(columns=["price"], statistics=["mean"], by=group)


@pytest.mark.parametrize(
    ("question", "planned"),
    [
        ("What is the average price in all countries except Germany?", mean_of()),
        ("What is the average price by country, excluding Germany?", mean_of("country")),
        ("How does the average price in Germany compare with the others?", mean_of("country")),
        ("What is the average price among houses without a pool?", mean_of()),
        ("What is the average price, only in class 2?", mean_of()),
        ("Is there a large difference in price?", mean_of("country")),
    ],
)
def test_no_condition_is_turned_round_or_made_up(question: str, planned: Params) -> None:
    plan = conditioned(question, SALES, [], [planned])
    assert (plan.steps, plan.analyses) == ((), (planned,))


def test_a_condition_on_a_column_called_like_a_parameter_is_set() -> None:
    plan = conditioned("For express parcels, is weight correlated with price?", SALES, [], [of("weight", "price")])
    assert plan.steps == (where("\"method\" = 'express'"),)


def test_of_a_condition_only_the_part_that_leaves_one_group_is_left_out() -> None:
    steps = (
        NewColumn(do="new_column", name="old", sql="CASE WHEN age > 40 THEN 'old' ELSE 'young' END"),
        where("old = 'old' AND drug = 'yes' AND age > 45"),
    )
    kept = comparable(FRAME, Conditioned(steps, (by("pulse", "drug"),)))
    assert kept.steps == (steps[0], where("old = 'old'"), where("age > 45"))
