"""Only a question that unmistakably names a technique asks for one."""

from __future__ import annotations

import pytest

from querist.analysis.recognise import technique_named


@pytest.mark.parametrize(
    ("question", "technique"),
    [
        ("Is the price correlated with the size?", "correlation"),
        ("Compute Spearman's coefficient of age and income", "correlation"),
        ("Forecast the sales of the next three months", "forecast"),
        ("Can you predict the rent from the size?", "forecast"),
        ("Run a linear regression of rent on size", "regression"),
        ("Fit a regression to the rents", "regression"),
        ("Regress rent on size", "regression"),
        ("Cluster the customers by age and spending", "clusters"),
        ("Can the customers be put into natural clusters?", "clusters"),
        ("Which orders are outliers?", "outliers"),
        ("What is the mean rent without anomalies?", "outliers"),
        ("Are the heights normally distributed?", "normality"),
        ("Do men and women differ significantly in their salary?", "compare_groups"),
        ("Is there a statistically significant difference between the shops?", "compare_groups"),
        ("Make an ANOVA of yield by field", "compare_groups"),
        ("Is there an upward trend in the visits?", "trend"),
        ("How strong is the seasonality of the sales?", "trend"),
    ],
)
def test_a_question_that_names_a_technique(question: str, technique: str) -> None:
    found = technique_named(question)
    assert found is not None
    assert found[0] == technique


@pytest.mark.parametrize(
    "question",
    [
        "What is the average price by region?",
        "What is the difference between the highest and the lowest salary?",
        "Show the trend of sales by year.",
        "How did the number of orders develop over time?",
        "Compare the sales of the groups A and B.",
        "What are the median and the standard deviation of the age?",
        "Which customers spent significantly more than the mean?",
        "How many values are missing in each column?",
        "What is the distribution of orders by status?",
        "Which projects progressed to the next phase?",
        "Is there a relationship between suppliers and shops?",
        "List the regular customers of the test group.",
        "How many units of the product 'Forecast Pro' and \"Cluster\" were sold?",
        "What is the temperature normally?",
        "How many books did Pearson publish?",
        "Which albums are by Kendall?",
        "Which servers are in the cluster eu-west?",
        "In which cluster the servers run?",
        "How many regressions were reported in version 2?",
        "Which test did she pass?",
    ],
)
def test_an_ordinary_question_names_none(question: str) -> None:
    assert technique_named(question) is None
