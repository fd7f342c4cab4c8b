"""Deterministic checks of an answer: its query, its result, and what the data say about both.

A check speaks up only when the query's tree gives reason to and, where that is not proof, a cheap probe of the data
confirms it: a warning on a right answer teaches people to ignore warnings.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from querist.answer.answer import Check
from querist.answer.checks import (
    days,
    filters,
    guesses,
    left_out,
    logic,
    merged,
    numbers,
    repeats,
    result,
    unclean,
    units,
    unmatched,
)
from querist.answer.checks.case import Case, Rule
from querist.errors import QueristError

__all__ = ["CHECKS", "Case", "repairs", "run_checks", "vetoed"]

_log = logging.getLogger(__name__)

CHECKS: tuple[Rule, ...] = (
    result.empty_result,
    result.all_null,
    result.truncated,
    guesses.guessed,
    filters.literal_absent,
    filters.date_literal,
    filters.null_in_not_in,
    filters.null_in_negation,
    days.day_as_moment,
    left_out.grouping_left_out,
    left_out.all_but_one_left_out,
    left_out.number_left_out,
    left_out.value_left_out,
    logic.none_as_another,
    logic.both_as_either,
    logic.either_as_both,
    repeats.unlinked_tables,
    repeats.fan_out,
    repeats.references_counted,
    repeats.duplicate_rows,
    unmatched.groups_lost,
    unmatched.unmatched_counted,
    merged.namesakes,
    merged.equal_figures,
    repeats.ungrouped_column,
    numbers.non_numeric_aggregate,
    numbers.number_as_text,
    numbers.date_as_text,
    numbers.text_against_number,
    numbers.condition_counted,
    numbers.integer_division,
    numbers.division_by_zero,
    numbers.average_of_averages,
    unclean.last_row_counted,
    unclean.spellings_apart,
    unclean.spelling_left_out,
    unclean.unsorted_dates,
    unclean.text_among_numbers,
    units.unit_mixture,
    result.null_on_top,
    result.top_k_ties,
    result.any_rows,
)
"""All checks, in the order in which their findings are told."""

_SEVERITY = {rule.name: rule.severity for rule in CHECKS}


def run_checks(case: Case) -> list[Check]:
    """Judge an answer; checks that do not apply to it are left out.

    A finding has the outcome `warned` when it is only for people, and `failed` when its message also tells a model what
    to mend. A check that breaks off never takes the answer down: it is logged and reported as `warned`.
    """
    return [outcome for rule in CHECKS if (outcome := _judge(rule, case)) is not None]


def repairs(checks: Iterable[Check]) -> list[str]:
    """What a model can mend, in sentences that say precisely what is wrong."""
    return [check.message for check in checks if check.outcome == "failed"]


def vetoed(checks: Iterable[Check]) -> bool:
    """Whether such an answer must not win."""
    return any(check.outcome == "failed" and _SEVERITY.get(check.name) == "veto" for check in checks)


def _judge(rule: Rule, case: Case) -> Check | None:
    try:
        finding = rule.judge(case)
    except QueristError as error:
        _log.warning("the check %s could not be finished: %s", rule.name, error)
        return Check(rule.name, "warned", f"The check {rule.name} could not be finished: {error}")
    except Exception as error:
        _log.exception("the check %s broke off on %s", rule.name, case.sql)
        return Check(rule.name, "warned", f"The check {rule.name} broke off: {error!r}")
    if finding is None:
        return None
    if not finding.message:
        return Check(rule.name, "passed")
    mild = finding.mild or rule.severity == "warn"
    return Check(rule.name, "warned" if mild else "failed", finding.message)
