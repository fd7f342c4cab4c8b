"""Regression: linear with diagnostics, or logistic for two classes; on all rows, or trained and tested on a split."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from querist.analysis.findings import Findings, Gathering, counted
from querist.analysis.frame import numbers, present
from querist.analysis.phrases import figure, listed, p_text
from querist.analysis.techniques.base import Column, Params, Technique, follows, in_time, label, when_asked
from querist.charts.chart import Chart
from querist.charts.columns import title
from querist.charts.statistical import boxes, points
from querist.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

MAX_LEVELS = 20
"""A text column with more different values is no feature."""
FEW = 50
"""The p-values of more rows hold also where the residuals are not normal."""
DEPENDENT = 30.0
"""Condition number of scaled features from which single coefficients are unreliable (Belsley, Kuh and Welsch 1980)."""


_SPLIT = r"\btest|train|split|hold|valid|unseen|accura"


Effects = dict[str, tuple[float, float]]
"""Coefficient and p-value of each feature."""


class RegressionParams(Params):
    target: Column
    features: list[Column] = Field(min_length=1, max_length=20)
    kind: Annotated[Literal["linear", "logistic"], when_asked("logistic|probab|odds|likel|classif")] = "linear"
    test_share: Annotated[float, when_asked(_SPLIT)] = Field(
        default=0.0, ge=0, le=0.9, description="Share of rows to test on; 0 for no split"
    )
    random_state: Annotated[int, when_asked("random|seed")] = Field(default=42, ge=0, le=2**31)


class Regression(Technique[RegressionParams]):
    name = "regression"
    description = "Fit a linear or logistic regression; its coefficients, p-values, and how well it predicts."

    def wanted(self, params: RegressionParams) -> tuple[str, ...]:
        return ("coefficients", "intercept", "R squared") if params.kind == "linear" else ("accuracy",)

    def compute(self, params: RegressionParams) -> Findings:
        found = Gathering(self.name)
        if params.test_share > 0.5:  # 80% are what one trains on, whatever it was called
            params = params.model_copy(update={"test_share": round(1 - params.test_share, 6)})
            found.warn(f"Tested on {params.test_share:.0%} of the rows, and trained on the others.")
        rows, features = _design(self.frame, params, found)
        if len(rows) < len(features) + 3:
            raise UsageError(
                f"{counted(len(rows), 'complete row')} are too few for a regression of {params.target!r}; "
                f"with {counted(len(features), 'feature')} it takes {len(features) + 3}."
            )
        if params.test_share:
            _split(found, rows, features, params)
        if params.kind == "linear":
            effects = _ordinary(found, rows, features, params, in_time(self.frame))
        else:
            if not params.test_share:
                _score(found, "", _fitted(found, rows, features, params), rows, features, params)
            effects = _logit(found, rows, features, params.target)
        found.add("n", len(rows), "rows used")
        _say(found, rows, effects, params)
        return found.done()


def _design(frame: pd.DataFrame, params: RegressionParams, found: Gathering) -> tuple[pd.DataFrame, list[str]]:
    """Complete rows with the target and numeric features; text becomes indicator columns, one level left out."""
    import pandas as pd

    names = [name for name in dict.fromkeys(params.features) if name != params.target]
    if not names:
        raise UsageError(f"There is no feature to predict {params.target!r} from.")
    rows = frame
    for name in (*names, params.target):
        rows = rows.loc[present(rows, name).index]
    rows = rows[[params.target, *names]]
    found.left_out(len(frame) - len(rows), f"a value of {', '.join((params.target, *names))}")
    target = rows[params.target]
    if target.nunique() < 2:
        raise UsageError(
            f"{params.target!r} does not vary in {counted(len(rows), 'complete row')}; nothing can be predicted."
        )
    if params.kind == "logistic":
        if target.nunique() != 2:
            raise UsageError(
                f"{params.target!r} has {target.nunique()} different values; a logistic regression needs two."
            )
    elif not pd.api.types.is_numeric_dtype(target.infer_objects()):
        raise UsageError(f"{params.target!r} is not numeric.", hint="Use a logistic regression for two classes.")
    else:
        rows = rows.assign(**{params.target: numbers(rows, params.target)})
    texts = [name for name in names if not pd.api.types.is_numeric_dtype(rows[name].infer_objects())]
    for name in texts:
        if rows[name].nunique() > MAX_LEVELS:
            raise UsageError(f"{name!r} has {rows[name].nunique():,} different values, too many for a regression.")
    rows = rows.assign(**{name: numbers(rows, name) for name in names if name not in texts})
    if texts:
        rows = pd.get_dummies(rows, columns=texts, drop_first=True, dtype=float)
    return rows, _independent(rows, [str(name) for name in rows.columns if name != params.target], found)


def _independent(rows: pd.DataFrame, features: list[str], found: Gathering) -> list[str]:
    """The features that say something which those before them do not; of the others it is told."""
    import numpy as np

    basis = np.ones((len(rows), 1)) / len(rows) ** 0.5
    kept = []
    for name in features:
        if rows[name].nunique() < 2:
            found.warn(f"{name} is left out: it does not vary.")
            continue
        values = rows[name].to_numpy()
        rest = values - values.mean()
        size = np.linalg.norm(rest)
        for _ in range(2):  # the second time takes away what rounding left
            rest = rest - basis @ (basis.T @ rest)
        if np.linalg.norm(rest) <= 1e-7 * size:
            found.warn(f"{name} is left out: it follows from the features before it.")
            continue
        basis = np.column_stack([basis, rest / np.linalg.norm(rest)])
        kept.append(name)
    if not kept:
        raise UsageError("No feature varies.", hint="Choose other features.")
    return kept


def _fitted(found: Gathering, rows: pd.DataFrame, features: list[str], params: RegressionParams) -> Any:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LinearRegression, LogisticRegression

    model = LinearRegression() if params.kind == "linear" else LogisticRegression(max_iter=1000)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        fitted = model.fit(rows[features], rows[params.target])
    if any(issubclass(warning.category, ConvergenceWarning) for warning in caught):
        found.warn("The logistic regression came to no end; scale the features first.")
    return fitted


def _split(found: Gathering, rows: pd.DataFrame, features: list[str], params: RegressionParams) -> None:
    from sklearn.model_selection import train_test_split

    train, test = train_test_split(rows, test_size=params.test_share, random_state=params.random_state)
    if len(test) < 2 or train[params.target].nunique() < 2:
        raise UsageError(
            f"{len(rows)} rows are too few to test on {params.test_share:.0%} of them.", hint="Use all, with no split."
        )
    model = _fitted(found, train, features, params)
    found.add("train_rows", len(train), "rows trained on")
    found.add("test_rows", len(test), "rows tested on")
    _score(found, "test_", model, test, features, params)


def _score(
    found: Gathering, prefix: str, model: Any, rows: pd.DataFrame, features: list[str], params: RegressionParams
) -> None:
    import pandas as pd
    from sklearn import metrics

    actual, predicted = rows[params.target], model.predict(rows[features])
    where = "on the test rows" if prefix else "on all rows"
    if params.kind == "logistic":
        positive = model.classes_[-1]
        options = {"pos_label": positive, "zero_division": 0}
        accuracy = metrics.accuracy_score(actual, predicted)
        found.add(f"{prefix}accuracy", accuracy, f"share predicted right {where}")
        for name in ("precision", "recall", "f1"):
            value = getattr(metrics, f"{name}_score")(actual, predicted, **options)
            found.add(f"{prefix}{name}", value, f"{name} for {positive} {where}")
        if accuracy <= (actual == actual.mode()[0]).mean():
            found.warn(f"Always saying {actual.mode()[0]} would be right as often {where}.")
        likely = pd.Series(model.predict_proba(rows[features])[:, -1])
        parts = {label(value): likely[(actual == value).to_numpy()].tolist() for value in model.classes_}
        if all(len(part) > 1 for part in parts.values()):
            axes = (f"Predicted probability of {label(positive)}", title(params.target))
            found.chart = boxes(parts, axes, f"{axes[1]}, predicted against observed: {accuracy:.0%} right {where}")
        return
    error = metrics.mean_squared_error(actual, predicted)
    found.add(f"{prefix}mse", error, f"mean squared error {where}")
    found.add(f"{prefix}rmse", error**0.5, f"root mean squared error {where}")
    found.add(f"{prefix}mae", metrics.mean_absolute_error(actual, predicted), f"mean absolute error {where}")
    r2 = metrics.r2_score(actual, predicted)
    found.add(f"{prefix}r2", r2, f"R squared {where}")
    found.chart = _picture(actual.tolist(), predicted.tolist(), params.target, f"R² = {r2:.2f} {where}")
    if actual.nunique() == 2:
        right = ((predicted > actual.mean()) == (actual == actual.max())).mean()
        found.add(f"{prefix}accuracy", right, f"share on the right side of the middle {where}")


def _ordinary(
    found: Gathering, rows: pd.DataFrame, features: list[str], params: RegressionParams, time: str
) -> Effects:
    """Ordinary least squares on all rows, with what its residuals say about the assumptions; the effects of features.

    Args:
        time: the column that the rows are in order of; empty for none.
    """
    import pandas as pd
    import statsmodels.api as sm
    from scipy import stats
    from statsmodels.stats.diagnostic import het_breuschpagan

    target, (inputs, means, spreads) = params.target, _scaled(rows, features)
    fit = sm.OLS(rows[target].to_numpy(), inputs).fit()
    coefficients = fit.params[1:] / spreads
    found.add("intercept", fit.params[0] - (coefficients * means).sum(), "intercept")
    effects = dict(zip(features, zip(coefficients, fit.pvalues[1:], strict=True), strict=True))
    for name, (coefficient, p) in effects.items():
        found.add(f"coef_{name}", coefficient, f"coefficient of {name}")
        found.add(f"p_value_{name}", p, f"p-value of the coefficient of {name}")
    found.add("r2", fit.rsquared, "R squared on all rows")
    found.add("adjusted_r2", fit.rsquared_adj, "adjusted R squared on all rows")
    found.add("p_value", fit.f_pvalue, "p-value of the whole regression")
    if not params.test_share:  # else only the errors on the test rows count
        found.add("mse", float((fit.resid**2).mean()), "mean squared error on all rows")
        found.add("rmse", float((fit.resid**2).mean() ** 0.5), "root mean squared error on all rows")
        told = f"R² = {fit.rsquared:.2f} on all rows"
        found.chart = _picture(rows[target].tolist(), fit.fittedvalues.tolist(), target, told)
    if fit.condition_number > DEPENDENT:
        found.warn("The features are nearly dependent on each other: single coefficients are unreliable.")
    if fit.rsquared > 1 - 1e-10:
        found.warn(f"The features give {target} exactly: perhaps it was computed from them.")
        return effects
    if time and follows(pd.Series(fit.resid)):
        found.warn(
            f"The rows are in order of {time}, and each residual is like the one before it: "
            "p-values take rows for independent, and are too small."
        )
    if float(het_breuschpagan(fit.resid, inputs)[1]) < 0.05:
        found.warn("The residuals spread unevenly (Breusch-Pagan p < 0.05): standard errors are too optimistic.")
    if len(rows) <= FEW and float(stats.shapiro(fit.resid).pvalue) < 0.05:
        found.warn("The residuals are not normally distributed, which the p-values of so few rows expect.")
    return effects


def _picture(actual: list[float], predicted: list[float], target: str, told: str) -> Chart:
    """What was predicted against what is; on the dashed line they are the same."""
    marks = [(x, y, "") for x, y in zip(actual, predicted, strict=True)]
    axes = (f"Observed: {title(target)}", f"Predicted: {title(target)}")
    alike = [(end, end) for end in (min(actual), max(actual))]
    return points(marks, axes, f"{title(target)}, predicted against observed: {told}", lines=[alike])


def _scaled(rows: pd.DataFrame, features: list[str]) -> tuple[Any, Any, Any]:
    """Features as numbers of size 1 behind a column of ones, with their means and deviations: large ones stay exact."""
    import numpy as np

    values = rows[features].to_numpy(dtype=float)
    means, spreads = values.mean(axis=0), values.std(axis=0)
    return np.column_stack([np.ones(len(rows)), (values - means) / spreads]), means, spreads


def _say(found: Gathering, rows: pd.DataFrame, effects: Effects, params: RegressionParams) -> None:
    """What each feature does to the target, and how well all predict it."""
    clear, unclear = [], []
    for name, (size, p) in effects.items():
        more = f"with {name}" if rows[name].isin((0, 1)).all() else f"per unit of {name}"
        if p >= 0.05:
            unclear.append(f"{name} ({p_text(p)})")
        elif params.kind == "linear":
            clear.append(f"{figure(abs(size))} {'higher' if size > 0 else 'lower'} {more} ({p_text(p)})")
        else:
            clear.append(f"{'more' if size > 0 else 'less'} likely {more} (log odds {figure(size)}, {p_text(p)})")
    known: dict[str, Any] = {finding.name: finding.value for finding in found.done().values}
    subject = params.target
    if params.kind == "logistic":
        subject += f" = {label(sorted(rows[params.target].unique())[-1])}"
    if clear:
        found.say(f"{subject} is {listed(clear)}{', the others held fixed' if len(effects) > 1 else ''}.")
    if unclear:
        found.say(f"{subject} does not clearly depend on {listed(unclear)}.")
    if not clear and len(unclear) > 1 and (whole := known.get("p_value")) is not None and whole < 0.05:
        found.say(f"It does on all of them together ({p_text(whole)}).")
    where, prefix = ("on the test rows", "test_") if params.test_share else ("on all rows", "")
    if params.kind == "linear":
        error = f"root mean squared error {figure(known[f'{prefix}rmse'])}"
        found.say(f"R² = {known[f'{prefix}r2']:.3g} {where}, {error}.")
    else:
        found.say(f"{100 * known[f'{prefix}accuracy']:.3g}% are predicted right {where}.")


def _logit(found: Gathering, rows: pd.DataFrame, features: list[str], target: str) -> Effects:
    """Coefficients on all rows by maximum likelihood, where they are bounded; the effects of features."""
    import numpy as np
    import statsmodels.api as sm

    positive = sorted(rows[target].unique())[-1]
    inputs, _, spreads = _scaled(rows, features)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of separation; the outcome tells
        try:
            fit = sm.Logit((rows[target] == positive).to_numpy(dtype=float), inputs).fit(disp=0, maxiter=100)
        except np.linalg.LinAlgError:
            fit = None
    if fit is None or not fit.mle_retvals["converged"]:
        found.warn(f"The features tell the values of {target} apart completely, so that no coefficient has a bound.")
        return {}
    effects = dict(zip(features, zip(fit.params[1:] / spreads, fit.pvalues[1:], strict=True), strict=True))
    for name, (coefficient, p) in effects.items():
        found.add(f"coef_{name}", coefficient, f"change of the log odds of {positive} with one more of {name}")
        found.add(f"p_value_{name}", p, f"p-value of the coefficient of {name}")
    found.add("pseudo_r2", fit.prsquared, "McFadden's pseudo R squared on all rows")
    return effects
