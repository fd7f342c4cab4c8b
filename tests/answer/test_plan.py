"""Which questions are planned as several steps, and how a plan is checked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from querist.answer.plan import RESULTS, PlannedStep, filled, plan, seems_several
from querist.answer.prepared import Prepared, prepare
from querist.sources.open import open_sources
from tests.scripted_model import ScriptedModel

pytestmark = pytest.mark.anyio


@pytest.fixture
def wages(tmp_path: Path) -> Iterator[Prepared]:
    """Who drives, beside the trucks."""
    (tmp_path / "wages.csv").write_text("driver,wage\nAda Berg,4100\nJon Falk,3900\nMia Roth,4000\n")
    (source,) = open_sources([tmp_path / "wages.csv"])
    prepared = prepare(source, tmp_path / "values")
    yield prepared
    prepared.close()
    source.close()


@pytest.mark.parametrize(
    "question",
    [
        "How many trucks are there, and how many trips did Ada Berg make?",
        "How many trucks are there? How many depots?",
        "Which truck is the heaviest and who is the driver of trip 3?",
    ],
)
def test_parts_that_do_not_lean_on_each_other_are_steps(fleet: Prepared, question: str) -> None:
    assert seems_several(question, [fleet])


@pytest.mark.parametrize(
    "question",
    [
        "How many trips were there, and how many kilometres did they take?",
        "Which truck is the heaviest, and what is its plate?",
        "What are the depots and how many trucks does each have?",
        "Which drivers made trips that are long and which are short?",
        "List the trucks and the towns of the depots.",
        "Which depot has the most trucks? Give me the town.",
        "For trucks above 10 tonnes, how many trips were there?",
        "Average and highest tonnes?",
        "Which depot has the most trucks, and by how many?",
    ],
)
def test_what_one_query_can_answer_is_one_step(fleet: Prepared, question: str) -> None:
    assert not seems_several(question, [fleet])


def test_a_question_that_no_source_holds_alone_is_several_steps(fleet: Prepared, wages: Prepared) -> None:
    assert seems_several("What is the wage of the driver with the most km?", [fleet, wages])
    assert not seems_several("What is the wage of Ada Berg?", [fleet, wages])
    assert not seems_several("How many trucks are in Passau?", [fleet, wages])


def step(question: str, source: str = "fleet", needs: tuple[int, ...] = ()) -> dict[str, Any]:
    return {"question": question, "source": source, "needs": list(needs)}


PARTS = "How many trucks are there, and how many trips?"
"""The second part leaves out its verb, so that a model has to say it."""


async def planned(prepared: Prepared, *steps: dict[str, Any], question: str = PARTS) -> tuple[PlannedStep, ...]:
    return (await plan(ScriptedModel([{"steps": list(steps)}]), question, [prepared]))[0]


async def test_parts_that_stand_alone_are_asked_as_they_stand_of_the_source_that_has_their_words(
    fleet: Prepared, wages: Prepared
) -> None:
    question = "How many trucks are there, and which wage is the highest, and how many trips did Ada Berg make?"
    steps, reply = await plan(ScriptedModel([]), question, [fleet, wages])
    assert reply is None
    assert [(found.question, found.source, found.needs) for found in steps] == [
        ("How many trucks are there?", "fleet", ()),
        ("Which wage is the highest?", "wages", ()),
        ("How many trips did Ada Berg make?", "fleet", ()),
    ]


async def test_a_part_that_may_take_over_a_condition_is_left_to_a_model(fleet: Prepared) -> None:
    question = "How many trucks are there in Passau, and how many trips were there?"
    whole = [step("How many trucks are there in Passau?"), step("How many trips started in Passau?")]
    steps = await planned(fleet, *whole, question=question)
    assert [found.question for found in steps] == [found["question"] for found in whole]


async def test_a_step_is_asked_of_the_source_that_has_its_words(fleet: Prepared, wages: Prepared) -> None:
    planned = [step("Which truck is the heaviest?", wages.source.name), step("What is the wage of <1>?", needs=(1,))]
    model = ScriptedModel([{"steps": planned}])
    steps, _ = await plan(model, "What is the wage of the driver with the heaviest truck?", [fleet, wages])
    assert [found.source for found in steps] == ["fleet", "wages"]


async def test_a_plan_may_need_earlier_steps_only(fleet: Prepared) -> None:
    steps = await planned(fleet, step("Which truck?", needs=(1, 2)), step("Which trips made <1>?"))
    assert [(found.number, found.needs) for found in steps] == [(1, ()), (2, (1,))]


async def test_a_last_step_that_nobody_asked_for_is_left_out(fleet: Prepared) -> None:
    steps = await planned(
        fleet, step("How many trucks?"), step("How many trips?"), step("Which depot is <1>?", needs=(1,))
    )
    assert [found.question for found in steps] == ["How many trucks?", "How many trips?"]


@pytest.mark.parametrize(
    "steps",
    [
        (step("Which truck?"),),
        (step("Who drives <2>?"), step("Which truck?")),
        (step("Which truck?"), step("Who drives <3>?")),
        (step("Which truck?"), step("which truck?")),
        (step("Which truck?"), step("")),
        (step("Which truck?"), step("Which trucks and drivers?", RESULTS)),
    ],
)
async def test_a_plan_that_makes_no_sense_is_none(fleet: Prepared, steps: tuple[dict[str, Any], ...]) -> None:
    assert await planned(fleet, *steps) == ()


async def test_a_question_without_parts_is_one_step_when_one_source_is_enough(fleet: Prepared) -> None:
    steps = (step("Which truck?"), step("Which trips made <1>?"))
    assert await planned(fleet, *steps, question="Who drives the heaviest truck?") == ()
    assert len(await planned(fleet, *steps)) == 2


def test_only_what_stands_for_a_result_is_filled_in() -> None:
    assert filled("Which of <1> is rated <5>?", {1: "Ann, Bea"}) == "Which of Ann, Bea is rated <5>?"
