"""Deterministic mending of generated analysis code, by its syntax tree: what the table and the libraries decide.

Each change is noted. What they do not decide is left alone; the sandbox then says what is wrong with it.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Sequence
from typing import TypeGuard

from querist.analysis.spelling import spelt_alike

IMPORTS = {
    "pd": "import pandas as pd",
    "pl": "import polars as pl",
    "np": "import numpy as np",
    "math": "import math",
    "re": "import re",
    "statistics": "import statistics",
    "datetime": "import datetime",
    "scipy": "import scipy.stats",
    "stats": "from scipy import stats",
    "sm": "import statsmodels.api as sm",
    "smf": "import statsmodels.formula.api as smf",
    "train_test_split": "from sklearn.model_selection import train_test_split",
    "LinearRegression": "from sklearn.linear_model import LinearRegression",
    "LogisticRegression": "from sklearn.linear_model import LogisticRegression",
    "DecisionTreeClassifier": "from sklearn.tree import DecisionTreeClassifier",
    "RandomForestClassifier": "from sklearn.ensemble import RandomForestClassifier",
    "RandomForestRegressor": "from sklearn.ensemble import RandomForestRegressor",
    "KMeans": "from sklearn.cluster import KMeans",
    "MinMaxScaler": "from sklearn.preprocessing import MinMaxScaler",
    "StandardScaler": "from sklearn.preprocessing import StandardScaler",
    "LabelEncoder": "from sklearn.preprocessing import LabelEncoder",
    "SimpleImputer": "from sklearn.impute import SimpleImputer",
    "mean_squared_error": "from sklearn.metrics import mean_squared_error",
    "mean_absolute_error": "from sklearn.metrics import mean_absolute_error",
    "r2_score": "from sklearn.metrics import r2_score",
    "accuracy_score": "from sklearn.metrics import accuracy_score",
    "pearsonr": "from scipy.stats import pearsonr",
    "spearmanr": "from scipy.stats import spearmanr",
    "shapiro": "from scipy.stats import shapiro",
    "zscore": "from scipy.stats import zscore",
    "skew": "from scipy.stats import skew",
    "kurtosis": "from scipy.stats import kurtosis",
    "ttest_ind": "from scipy.stats import ttest_ind",
    "mannwhitneyu": "from scipy.stats import mannwhitneyu",
    "chi2_contingency": "from scipy.stats import chi2_contingency",
    "f_oneway": "from scipy.stats import f_oneway",
}
"""What a name means that code uses without importing it."""
_GIVES = {"chi2_contingency": "spde", "linregress": "sirps"}
"""How the names of the values begin that a function of SciPy gives, of which code often takes fewer."""
_FILLS = frozenset("fillna ffill bfill interpolate replace clip mask where".split())
"""Methods of a column that give a value for each of its rows."""
_BY_VALUE = ("value_counts", "crosstab", "pivot", "pivot_table", "unstack", "set_index", "to_dict")
"""What makes values of a column into labels."""
_READERS = ("read_csv", "read_excel", "read_parquet", "read_json", "read_table")


def mend_code(code: str, columns: Sequence[str], names: Sequence[str] = (), frame: str = "df") -> tuple[str, list[str]]:
    """The code, mended, and a note for each change; as it was when it is not Python.

    Args:
        names: the values that it is to put into `answers`.
    """
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError):
        return code, []
    mender = _Mender(code, tree, columns, frame)
    tree = ast.fix_missing_locations(mender.visit(tree))
    notes = list(dict.fromkeys(mender.notes))
    if gathered := _gather_answers(tree, names, frame):
        notes.append(f"added {gathered!r}")
        tree.body += ast.parse(gathered).body
    bound = _bound(tree)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    missing = [IMPORTS[name] for name in sorted(used - bound) if name in IMPORTS]
    notes += [f"added {line!r}" for line in missing]
    return "\n".join([*missing, ast.unparse(tree)]), notes


def _gather_answers(tree: ast.Module, names: Sequence[str], frame: str) -> str:
    """The line that code lacks which computes the values and never puts them into `answers`; else nothing.

    They are in variables of their names, or a function returns them that is never called.
    """
    stored = {name.id for node in tree.body if not isinstance(node, ast.FunctionDef) for name in _stored(node)}
    if "answers" in stored:
        return ""
    if found := [name for name in names if name in stored]:
        return f"answers = {{{', '.join(f'{name!r}: {name}' for name in found)}}}"
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    uncalled = [f for f in functions if f.name not in called and len(f.args.args) <= 1 and _returns(f)]
    if len(uncalled) != 1:
        return ""
    return f"answers = {uncalled[0].name}({frame if uncalled[0].args.args else ''})"


def _stored(tree: ast.AST) -> list[ast.Name]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]


def _returns(function: ast.FunctionDef) -> bool:
    return any(isinstance(node, ast.Return) and node.value is not None for node in ast.walk(function))


def _bound(tree: ast.Module) -> set[str]:
    names = set(dir(builtins))
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
    return names


def _made(tree: ast.Module) -> set[str]:
    """The columns that the code may make itself: it stores them, gives them as keywords, or puts them for others."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and isinstance(node.slice, ast.Constant):
            names.add(str(node.slice.value))
        elif isinstance(node, ast.keyword) and node.arg:
            names.add(node.arg)
        elif isinstance(node, ast.Dict):
            names |= {str(value.value) for value in node.values if isinstance(value, ast.Constant)}
        elif isinstance(node, ast.Assign) and getattr(node.targets[0], "attr", "") == "columns":
            names |= {str(part.value) for part in ast.walk(node.value) if isinstance(part, ast.Constant)}
    return names


class _Mender(ast.NodeTransformer):
    def __init__(self, code: str, tree: ast.Module, columns: Sequence[str], frame: str) -> None:
        self.lines, self.columns, self.frame = code.encode().splitlines(), list(columns), frame
        self.notes: list[str] = []
        self.made = _made(tree)
        self.keyed: set[str] = set()
        """Variables that are no tables: what stands in their brackets is no column."""

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        if self._is_keyed(node.value):
            self.keyed |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        self.generic_visit(node)
        taken, call = node.targets[0], node.value
        if isinstance(taken, ast.Tuple) and isinstance(call, ast.Call):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            if len(taken.elts) < len(gives := _GIVES.get(name, "")) and _in_order(taken, gives):
                node.value = ast.Subscript(call, ast.Slice(upper=ast.Constant(len(taken.elts))), ast.Load())
                self.notes.append(f"took the first {len(taken.elts)} values of {name}")
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute) and node.func.attr in _READERS:
            self.notes.append(f"used {self.frame} instead of reading a file")
            return ast.parse(f"{self.frame}.copy()", mode="eval").body
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name == "mean_squared_error":
            return self._root(node)
        return node

    def _root(self, node: ast.Call) -> ast.AST:
        """`squared=False`, which scikit-learn no longer has, is the root."""
        kept = [k for k in node.keywords if k.arg != "squared"]
        if len(kept) == len(node.keywords):
            return node
        squared = next(k.value for k in node.keywords if k.arg == "squared")
        node.keywords = kept
        self.notes.append("wrote mean_squared_error without the old argument squared")
        if isinstance(squared, ast.Constant) and squared.value is False:
            return ast.BinOp(left=node, op=ast.Pow(), right=ast.Constant(0.5))
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        """`a == 5 | b == 6`, which is `a == (5 | b) == 6`, means `(a == 5) | (b == 6)`. Brackets stay."""
        joined = [part for part in (node.left, *node.comparators[:-1]) if _joins(part)]
        meant = any(self._in_brackets(part, node) or isinstance(part.right, ast.Compare) for part in joined)
        if len(node.ops) == 1 and isinstance(last := node.comparators[0], ast.Constant):
            meant = meant or isinstance(last.value, bool)  # `(a > 1) & b == False` may deny both
        self.generic_visit(node)
        if meant:
            return node
        whole: ast.expr | None = None
        left, joining = node.left, None
        if _joins(left) and isinstance(left.left, ast.Compare):
            whole, joining, left = left.left, left.op, left.right
        elif len(node.ops) < 2 or not all(map(_joins, node.comparators[:-1])):
            return node
        signs = [type(part.op) for part in (node.left, *node.comparators[:-1]) if isinstance(part, ast.BinOp)]
        if len(set(signs)) > 1:
            return node
        for op, right in zip(node.ops, node.comparators, strict=True):
            after = right if isinstance(right, ast.BinOp) and right is not node.comparators[-1] else None
            compared = ast.Compare(left, [op], [after.left if after else right])
            whole = ast.BinOp(whole, joining, compared) if whole is not None and joining is not None else compared
            if after is not None:
                joining, left = after.op, after.right
        assert whole is not None
        self.notes.append("put brackets around the comparisons beside | and &")
        return whole

    def _in_brackets(self, part: ast.expr, whole: ast.Compare) -> bool:
        if part is whole.left:
            return (part.lineno, part.col_offset) != (whole.lineno, whole.col_offset)
        before = [*self.lines[: part.lineno - 1], self.lines[part.lineno - 1][: part.col_offset]]
        return b"\n".join(before).rstrip().endswith(b"(")

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        """`df['a'].fillna(0, inplace=True)`, which changes nothing since pandas 3, becomes an assignment."""
        call = node.value
        if (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and call.func.attr in _FILLS
            and isinstance(call.func.value, ast.Subscript)
            and isinstance(call.func.value.slice, ast.Constant)
            and any(k.arg == "inplace" and getattr(k.value, "value", False) is True for k in call.keywords)
        ):
            call.keywords = [k for k in call.keywords if k.arg != "inplace"]
            column = call.func.value
            target = ast.Subscript(value=column.value, slice=self._columns(column.slice), ctx=ast.Store())
            self.notes.append(f"assigned what {call.func.attr} gives, instead of inplace=True")
            return self.generic_visit(ast.Assign(targets=[target], value=call))
        return self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        if isinstance(node.ctx, ast.Load) and not self._is_keyed(node.value):
            node.slice = self._columns(node.slice)
        return self.generic_visit(node)

    def _is_keyed(self, node: ast.expr) -> bool:
        """Whether it is a dictionary, or made of one column: its keys are values, such as those that were counted."""
        while isinstance(node, (ast.Subscript, ast.Call, ast.Attribute)):
            if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
                return True
            if isinstance(node, ast.Attribute) and node.attr in _BY_VALUE:
                return True
            node = node.func if isinstance(node, ast.Call) else node.value
        return isinstance(node, ast.Dict) or (isinstance(node, ast.Name) and node.id in self.keyed)

    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        if node.arg in ("subset", "columns", "by"):
            node.value = self._columns(node.value)
        return self.generic_visit(node)

    def _columns(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.List):
            node.elts = [self._columns(part) for part in node.elts]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            name = node.value
            alike = name if name in self.made else spelt_alike(name, self.columns)
            if alike is not None and alike != name:
                self.notes.append(f"read {name!r} as the column {alike!r}")
                return ast.Constant(alike)
        return node


def _joins(node: ast.expr) -> TypeGuard[ast.BinOp]:
    return isinstance(node, ast.BinOp) and isinstance(node.op, (ast.BitOr, ast.BitAnd))


def _in_order(taken: ast.Tuple, initials: str) -> bool:
    """Whether these may be the first of the values: `r, p` is not what a fit gives first."""
    names = [part.id if isinstance(part, ast.Name) else "" for part in taken.elts]
    return all(name and (name[0] == own or name[0] not in initials) for name, own in zip(names, initials, strict=False))


def code_in(text: str) -> str:
    """The code in a model's reply, without fences."""
    fenced = re.search(r"```[a-zA-Z]*\s*\n(.*?)(?:```|$)", text, re.S)
    return (fenced[1] if fenced else text).strip()
