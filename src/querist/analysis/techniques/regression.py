"""Regression: linear with diagnostics, or logistic for two classes; on all rows, or trained and tested on a split."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from querist.analysis.findings import Findings, Gathering
from querist.analysis.frame import present
from querist.analysis.techniques.base import Column, Params, Technique
from querist.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

MAX_LEVELS = 20
"""A text column with more different values is no feature."""


class RegressionParams(Params):
    target: Column
    features: list[Column] = Field(min_length=1, max_length=20)
    kind: Literal["linear", "logistic"] = "linear"
    test_share: float = Field(default=0.0, ge=0, le=0.9, description="Share of rows to test on; 0 for no split")
    random_state: int = Field(default=42, ge=0, le=2**31)


class Regression(Technique[RegressionParams]):
    name = "regression"
    description = "Fit a linear or logistic regression; its coefficients, p-values, and how well it predicts."

    def compute(self, params: RegressionParams) -> Findings:
        found = Gathering(self.name)
        if params.test_share > 0.5:  # 80% are what one trains on, whatever it was called
            params = params.model_copy(update={"test_share": round(1 - params.test_share, 6)})
            found.warn(f"Tested on {params.test_share:.0%} of the rows, and trained on the others.")
        rows, features = _design(self.frame, params, found)
        if len(rows) < len(features) + 3:
            raise UsageError(f"{len(rows)} complete rows are too few for a regression on {len(features)} features.")
        if params.test_share:
            _split(found, rows, features, params)
        if params.kind == "linear":
            _ordinary(found, rows, features, params.target, bool(params.test_share))
        elif not params.test_share:
            _score(found, "", _model("logistic").fit(rows[features], rows[params.target]), rows, features, params)
        found.add("n", len(rows), "rows used")
        return found.done()


def _design(frame: pd.DataFrame, params: RegressionParams, found: Gathering) -> tuple[pd.DataFrame, list[str]]:
    """Complete rows with the target and numeric features; text becomes indicator columns, one level left out."""
    import pandas as pd

    names = [name for name in dict.fromkeys(params.features) if name != params.target]
    if not names:
        raise UsageError(f"There is no feature to predict {params.target!r} from.")
    for name in (*names, params.target):
        present(frame, name)
    rows = frame[[params.target, *names]].dropna()
    if dropped := len(frame) - len(rows):
        found.warn(f"{dropped:,} rows with a missing value are left out of the regression.")
    texts = [name for name in names if not pd.api.types.is_numeric_dtype(rows[name].infer_objects())]
    for name in texts:
        if rows[name].nunique() > MAX_LEVELS:
            raise UsageError(f"{name!r} has {rows[name].nunique():,} different values, too many for a regression.")
    if texts:
        rows = pd.get_dummies(rows, columns=texts, drop_first=True, dtype=float)
    features = [str(name) for name in rows.columns if name != params.target]
    rows[features] = rows[features].astype(float)
    target = rows[params.target]
    if params.kind == "logistic":
        if target.nunique() != 2:
            raise UsageError(
                f"{params.target!r} has {target.nunique()} different values; a logistic regression needs two."
            )
    elif not pd.api.types.is_numeric_dtype(target.infer_objects()):
        raise UsageError(f"{params.target!r} is not numeric.", hint="Use a logistic regression for two classes.")
    return rows, features


def _model(kind: str) -> Any:
    from sklearn.linear_model import LinearRegression, LogisticRegression

    return LinearRegression() if kind == "linear" else LogisticRegression(max_iter=1000)


def _split(found: Gathering, rows: pd.DataFrame, features: list[str], params: RegressionParams) -> None:
    from sklearn.model_selection import train_test_split

    train, test = train_test_split(rows, test_size=params.test_share, random_state=params.random_state)
    model = _model(params.kind).fit(train[features], train[params.target])
    found.add("train_rows", len(train), "rows trained on")
    found.add("test_rows", len(test), "rows tested on")
    _score(found, "test_", model, test, features, params)


def _score(
    found: Gathering, prefix: str, model: Any, rows: pd.DataFrame, features: list[str], params: RegressionParams
) -> None:
    from sklearn import metrics

    actual, predicted = rows[params.target], model.predict(rows[features])
    where = "on the test rows" if prefix else "on all rows"
    if params.kind == "logistic":
        positive = sorted(actual.unique())[-1]
        options = {"pos_label": positive, "zero_division": 0}
        found.add(f"{prefix}accuracy", metrics.accuracy_score(actual, predicted), f"share predicted right {where}")
        for name in ("precision", "recall", "f1"):
            value = getattr(metrics, f"{name}_score")(actual, predicted, **options)
            found.add(f"{prefix}{name}", value, f"{name} for {positive} {where}")
        return
    error = metrics.mean_squared_error(actual, predicted)
    found.add(f"{prefix}mse", error, f"mean squared error {where}")
    found.add(f"{prefix}rmse", error**0.5, f"root mean squared error {where}")
    found.add(f"{prefix}mae", metrics.mean_absolute_error(actual, predicted), f"mean absolute error {where}")
    found.add(f"{prefix}r2", metrics.r2_score(actual, predicted), f"R squared {where}")
    if actual.nunique() == 2:
        right = ((predicted > actual.mean()) == (actual == actual.max())).mean()
        found.add(f"{prefix}accuracy", right, f"share on the right side of the middle {where}")


def _ordinary(found: Gathering, rows: pd.DataFrame, features: list[str], target: str, tested: bool) -> None:
    """Ordinary least squares on all rows, with what its residuals say about the assumptions."""
    import statsmodels.api as sm
    from statsmodels.stats.diagnostic import het_breuschpagan

    inputs = sm.add_constant(rows[features], has_constant="add")
    fit = sm.OLS(rows[target].astype(float), inputs).fit()
    found.add("intercept", fit.params["const"], "intercept")
    for name in features:
        found.add(f"coef_{name}", fit.params[name], f"coefficient of {name}")
        found.add(f"p_value_{name}", fit.pvalues[name], f"p-value of the coefficient of {name}")
    found.add("r2", fit.rsquared, "R squared on all rows")
    found.add("adjusted_r2", fit.rsquared_adj, "adjusted R squared on all rows")
    found.add("p_value", fit.f_pvalue, "p-value of the whole regression")
    if not tested:  # else only the errors on the test rows count
        found.add("mse", float((fit.resid**2).mean()), "mean squared error on all rows")
        found.add("rmse", float((fit.resid**2).mean() ** 0.5), "root mean squared error on all rows")
    if float(het_breuschpagan(fit.resid, inputs)[1]) < 0.05:
        found.warn("The residuals spread unevenly (Breusch-Pagan p < 0.05): standard errors are too optimistic.")
    if fit.condition_number > 1e3 and len(features) > 1:
        found.warn("The features are nearly dependent on each other: single coefficients are unreliable.")
