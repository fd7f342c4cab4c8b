from __future__ import annotations

from dataclasses import replace

import pytest

from querist.answer import checks
from querist.answer.checks import CHECKS, Case, repairs, run_checks, vetoed
from querist.answer.checks.case import check
from querist.errors import QueryTimeoutError
from querist.sources.table import Table
from tests.answer.checks.conftest import Data, MakeData


@pytest.fixture
def wells(sqlite: MakeData) -> Data:
    return sqlite(
        "CREATE TABLE well (id INTEGER PRIMARY KEY, owner TEXT, depth INTEGER);"
        "INSERT INTO well VALUES (1, 'Rask', 12), (2, 'Orre', 30), (3, 'Tveit', 30)"
    )


def test_every_check_has_a_name_of_its_own_and_says_what_it_means() -> None:
    assert len({rule.name for rule in CHECKS}) == len(CHECKS)
    assert all(rule.meaning.endswith(".") for rule in CHECKS)


def test_an_innocent_query_passes_everything_without_a_probe(wells: Data) -> None:
    found = wells.judge("SELECT owner FROM well WHERE depth > 20 AND owner = 'Orre'", "Who of Orre's has a deep well?")
    assert {c.outcome for c in found.values()} == {"passed"}
    assert wells.probes == []


def test_only_what_is_hardly_ever_an_answer_must_not_win() -> None:
    assert {rule.name for rule in CHECKS if rule.severity == "veto"} == {
        "all_null",
        "grouping_left_out",
        "all_but_one_left_out",
        "none_as_another",
        "both_as_either",
        "either_as_both",
        "unlinked_tables",
        "non_numeric_aggregate",
        "text_against_number",
        "condition_counted",
        "unsorted_dates",
    }


def test_findings_that_a_model_can_mend_are_repairs(wells: Data) -> None:
    found = run_checks(wells.case("SELECT owner FROM well WHERE owner = 'Nobody Known'"))
    assert len(repairs(found)) == 1
    assert "well.owner holds no 'Nobody Known'" in repairs(found)[0]
    assert not vetoed(found)


def test_warnings_are_no_repairs(wells: Data) -> None:
    found = run_checks(wells.case("SELECT owner FROM well ORDER BY depth DESC LIMIT 1"))
    assert [c.name for c in found if c.outcome == "warned"] == ["top_k_ties"]
    assert repairs(found) == []


def test_a_veto_is_told_to_the_model_as_well(wells: Data) -> None:
    found = run_checks(wells.case("SELECT sum(owner) FROM well"))
    assert vetoed(found)
    assert len(repairs(found)) == 1


def test_a_query_that_did_not_parse_is_judged_by_its_result(wells: Data) -> None:
    case = replace(wells.case("SELECT owner FROM well"), tree=None)
    assert {c.name for c in run_checks(case)} >= {"empty_result", "all_null", "truncated"}


def test_a_probe_that_fails_leaves_a_warning_with_the_reason(wells: Data) -> None:
    def run(sql: str) -> Table:
        raise QueryTimeoutError("The query ran longer than 1 s and was stopped.")

    case = replace(wells.case("SELECT owner FROM well ORDER BY depth DESC LIMIT 1"), run=run)
    outcome = {c.name: c for c in run_checks(case)}["top_k_ties"]
    assert outcome.outcome == "warned"
    assert "ran longer than 1 s" in outcome.message


def test_a_check_that_breaks_off_does_not_take_the_answer_down(
    wells: Data, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    @check(severity="veto")
    def broken(case: Case) -> None:
        """Breaks off."""
        raise ZeroDivisionError("in the check")

    monkeypatch.setattr(checks, "CHECKS", (broken, *CHECKS))
    found = run_checks(wells.case("SELECT owner FROM well"))
    assert (found[0].name, found[0].outcome) == ("broken", "warned")
    assert "in the check" in found[0].message
    assert not vetoed(found)
    assert len(found) > 1
    assert "broken" in caplog.text
