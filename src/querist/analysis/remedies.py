"""Remedies for what often stops generated code and needs no model: missing values, and text among a model's features.

Only where it changes nothing else that the code computes; any other failure is for the model to repair.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

_MISSING = re.compile(r"contains? NaN|missing values|NaN or inf|non-finite|array must not contain infs or NaNs", re.I)
_TEXT = re.compile(r"could not convert string to float|unsupported operand|Cannot convert .* to numeric", re.I)
_OTHER_RESULTS = frozenset(
    "len isna isnull notna notnull count value_counts size shape index nunique info fillna groupby describe mean "
    "median sum std var min max quantile mode corr".split()
)
"""What computes something from the rows besides, or fills them in: left-out rows would change it."""
_PAIRED = frozenset(
    "pearsonr spearmanr kendalltau weightedtau pointbiserialr somersd linregress theilslopes siegelslopes ttest_rel "
    "wilcoxon friedmanchisquare chisquare power_divergence entropy binned_statistic".split()
)
"""Functions of SciPy whose samples belong together row by row, where they are given several."""
_BY_ROW = frozenset("zscore gzscore zmap rankdata boxcox yeojohnson sigmaclip trimboth".split())
"""Functions of SciPy that give a value for each row, which would not fit its row any more."""
_NUMBERING = "df[_name] = df[_name].map({v: n for n, v in enumerate(sorted(df[_name].dropna().unique()))})"
_FEATURES_AT = {
    "fit": 0, "fit_transform": 0, "fit_predict": 0, "predict": 0, "predict_proba": 0, "score": 0, "add_constant": 0,
    "train_test_split": 0, "cross_val_score": 1, "cross_validate": 1, "OLS": 1, "Logit": 1, "GLM": 1,
}  # fmt: skip
"""Which argument of what fits a model, or prepares it, are the features."""
_AS_IT_IS = ("copy", "dropna", "to_numpy", "values")


class Remedy(NamedTuple):
    """Code that begins with what helps it, and what was done; `guess`: it takes something to be meant."""

    code: str
    note: str
    guess: bool = False


def remedy(code: str, error: str, frame: pd.DataFrame, values: Sequence[Any] = ()) -> Remedy | None:
    """The code, helped; None where nothing is known to help without changing what else it computes.

    Args:
        error: the last line of the error, empty when it ran.
        values: what it gave; nothing, or what is not a number, among them is a failure, too.
    """
    nothing = [value is None or value != value for value in values]
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError):
        return None
    used = [column for column in _texts(tree) if column in frame.columns]
    lacking = [column for column in used if frame[column].isna().any()]
    if lacking and (_MISSING.search(error) or any(nothing)):
        if alone := _without_missing(tree, lacking):
            return Remedy(alone[0], f"Left out missing values of {', '.join(alone[1])}, for the code.")
        line = f"df = df.dropna(subset={used!r}).copy()"
        if (error or all(nothing)) and not code.startswith(line) and not _OTHER_RESULTS & _called(tree):
            return Remedy(f"{line}\n{code}", f"Left out rows without {', '.join(lacking)}, for the code.")
        return None
    words = [column for column in used if frame[column].map(lambda value: isinstance(value, str)).any()]
    if words and _TEXT.search(error) and _NUMBERING not in code and _are_features(tree, words, frame):
        note = f"Numbered the values of {', '.join(words)} in the order of the alphabet, to fit a model to them."
        return Remedy(f"for _name in {words!r}:\n    {_NUMBERING}\n{code}", note, guess=True)
    return None


def _without_missing(tree: ast.Module, lacking: Sequence[str]) -> tuple[str, list[str]] | None:
    """The code with missing values left out of what SciPy is given, and nowhere else, and of which columns they are."""
    tree, changed = ast.parse(ast.unparse(tree)), []
    scipy = _names_of_scipy(tree)
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or _root(call.func) not in scipy or (name := _name(call)) in _BY_ROW:
            continue
        given = [(place, found) for place, part in enumerate(call.args) if (found := _column(part))]
        if not any(column in lacking for _, (_, column) in given):
            continue
        frames = {frame for _, (frame, _) in given}
        paired = name in _PAIRED and len(call.args) + len(call.keywords) > 1
        unknown = [part for part in call.args if not _column(part) and not isinstance(part, ast.Constant)]
        if paired and (unknown or len(given) < 2 or len(frames) > 1):
            continue
        for place, (frame, column) in given:
            both = f"{frame}.dropna(subset={[other for _, (_, other) in given]!r})[{column!r}]"
            alone = f"{frame}[{column!r}].dropna()"
            call.args[place] = ast.parse(both if paired else alone, mode="eval").body
        changed += [column for _, (_, column) in given if column in lacking]
    return (ast.unparse(tree), list(dict.fromkeys(changed))) if changed else None


def _names_of_scipy(tree: ast.Module) -> set[str]:
    """What the code calls SciPy and its parts."""
    imports = [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
    return {
        alias.asname or alias.name.split(".")[0]
        for node in imports
        for alias in node.names
        if (node.module or "" if isinstance(node, ast.ImportFrom) else alias.name).split(".")[0] == "scipy"
    }


def _are_features(tree: ast.Module, words: Sequence[str], frame: pd.DataFrame) -> bool:
    """Whether these columns hold words without a digit, and the code gives them to a model as features and no more."""
    if any(re.search(r"\d", str(value)) for column in words for value in frame[column].dropna().unique()):
        return False
    flow = _Flow(tree)
    places = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and node.value in words]
    return all(map(flow.into_model, places))


class _Flow:
    """Where what stands somewhere in code goes."""

    def __init__(self, tree: ast.Module) -> None:
        self.parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
        self.loads = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)]
        self.followed: set[str] = set()

    def into_model(self, node: ast.AST) -> bool:
        """Whether it becomes features of a model, and nothing else."""
        parent = self.parents[node]
        if isinstance(parent, ast.Call):
            place = _FEATURES_AT.get(_name(parent))
            return place is not None and len(parent.args) > place and parent.args[place] is node
        if isinstance(parent, ast.Subscript) and parent.value is node:  # another selection, which speaks for itself
            return isinstance(parent.slice, (ast.Constant, ast.List))
        if isinstance(parent, ast.Attribute) and parent.attr in _AS_IT_IS:
            call = self.parents[parent]
            return self.into_model(call if isinstance(call, ast.Call) and call.func is parent else parent)
        if isinstance(parent, ast.Assign) and len(parent.targets) == 1 and isinstance(parent.targets[0], ast.Name):
            name = parent.targets[0].id
            if name in self.followed:  # `X = X.copy()`
                return True
            self.followed.add(name)
            return all(self.into_model(load) for load in self.loads if load.id == name)
        if isinstance(parent, ast.keyword):
            return parent.arg == "subset"
        return isinstance(parent, (ast.List, ast.Subscript)) and self.into_model(parent)


def _column(node: ast.expr) -> tuple[str, str] | None:
    """The frame and the column of `df['age']`."""
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and isinstance(node.slice, ast.Constant):
        return (node.value.id, node.slice.value) if isinstance(node.slice.value, str) else None
    return None


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _called(tree: ast.Module) -> set[str]:
    """The names of functions and attributes in the code."""
    return {getattr(node, "attr", getattr(node, "id", "")) for node in ast.walk(tree)}


def _texts(tree: ast.Module) -> list[str]:
    """The texts that stand in the code, each once."""
    found = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return list(dict.fromkeys(found))
