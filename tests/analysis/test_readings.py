"""A reading takes values from findings and computes with them, and can do nothing else."""

from __future__ import annotations

import pytest

from querist.analysis.readings import read
from querist.errors import UsageError

FINDINGS = {"r": -0.31, "p_value": 0.2, "mean_north": 4.0, "mean_south": 7.0, "columns": ["a", "b"]}


def test_values_are_assigned_by_name() -> None:
    code = """
coefficient = round(r, 1)
difference = mean_south - mean_north
relation = 'linear' if p_value < 0.05 and abs(r) >= 0.5 else 'none'
first = len(columns)
answers = {"difference again": difference}
"""
    assigned, problems = read(code, FINDINGS)
    assert assigned == {
        "coefficient": -0.3,
        "difference": 3.0,
        "relation": "none",
        "first": 2,
        "difference again": 3.0,
    }
    assert not problems


def test_a_condition_may_stand_in_lines_of_its_own() -> None:
    code = "if p_value < 0.05:\n    word = 'yes'\nelif r < 0:\n    word = 'falling'\nelse:\n    word = 'no'"
    assert read(code, FINDINGS)[0] == {"word": "falling"}


def test_a_value_that_is_changed_in_place_is_computed() -> None:
    assert read("import math\nx = mean_north\nx += 1\nx *= mean_south", FINDINGS) == ({"x": 35.0}, [])


@pytest.mark.parametrize("line", ["for n in columns:\n    x += 1", "x, z = r, r", "x = round(columns)", "x **= 2"])
def test_a_value_is_gone_with_the_line_that_should_change_it(line: str) -> None:
    assigned, problems = read(f"x = mean_north\ny = r\n{line}", FINDINGS)
    assert (assigned, len(problems)) == ({"y": -0.31}, 1)


def test_a_name_may_differ_in_case_and_nothing_else() -> None:
    assert read("x = mean_North", FINDINGS)[0] == {"x": 4.0}
    assigned, problems = read("x = mean_nord\ny = means_north", FINDINGS)
    assert (assigned, len(problems)) == ({}, 2)


def test_what_rests_on_no_finding_was_not_found() -> None:
    code = "level = 0.05\nword = 'yes' if p_value < level else 'no'\nmean = 5.5\nmore = mean + level"
    assert read(code, FINDINGS) == ({"word": "no"}, [])


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("x = round(r, ndigits=1)", -0.3),
        ("x = sorted([r, p_value], reverse=True)", [0.2, -0.31]),
        ("x = len(columns) > 5 and 'many' or 'few'", "few"),
        ("x = mean_north or 'none'", 4.0),
        ("x = not p_value < 0.05", True),
        ("x = 0 < p_value < 0.05", False),
        ("x = mean_north >= 4 and mean_north <= 4 and mean_north != 5 and 'a' in columns and 'c' not in columns", True),
        ("x = mean_north > 4 or mean_north < 4 or mean_north == 5", False),
    ],
)
def test_an_expression_means_what_it_means_in_python(line: str, value: object) -> None:
    assert read(line, FINDINGS) == ({"x": value}, [])


@pytest.mark.parametrize(
    "line",
    [
        "x = __import__('os').system('true')",
        "x = r.__class__",
        "x = (lambda: 1)()",
        "x = [i for i in columns]",
        "x = nothing_like_it",
        "x = 'a' * 999999999",
        "x = columns + columns",
        "x = r / 0",
        "x = ~(p_value < 0.05)",
        "x = max(columns, key=len)",
    ],
)
def test_what_is_no_reading_is_a_problem_and_not_run(line: str) -> None:
    assigned, problems = read(f"{line}\ny = r", FINDINGS)
    assert assigned == {"y": -0.31}
    assert len(problems) == 1


def test_a_reading_computes_no_number_without_end() -> None:
    assigned, problems = read("x = len(columns)" + "\nx *= x" * 25, FINDINGS)
    assert "x" not in assigned
    assert "too large" in problems[0]
    assert read(f"x = round(int(n), -{10**12})", {"n": 12})[0] == {"x": 0}


def test_what_is_not_python_is_an_error() -> None:
    with pytest.raises(UsageError, match="Python's syntax"):
        read("x = = 1", FINDINGS)
