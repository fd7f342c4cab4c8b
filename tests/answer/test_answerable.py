"""Questions that the data cannot answer are refused, and ordinary ones are not, whatever words they use."""

from __future__ import annotations

from pathlib import Path

import pytest

from querist.answer.answer import Answer, Status
from querist.answer.ask import Ask, Question
from querist.answer.coverage import unknown_words
from querist.answer.prepared import Prepared
from querist.core.context import RunContext
from querist.core.runner import Runner
from querist.errors import ModelTimeoutError
from tests.scripted_model import ScriptedModel

pytestmark = pytest.mark.anyio
KM = "SELECT SUM(km) FROM trip"


async def ask(
    fleet: Prepared, folder: Path, text: str, *answers: str | Exception, note: str = "", assume: bool = False
) -> Answer:
    component = Ask([fleet.source], ScriptedModel(list(answers)), folder / "values", repairs=0)
    try:
        return await Runner().run(component, Question(text=text, note=note, assume=assume), RunContext())
    finally:
        component.close()


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("What is the average salary of the drivers?", ["salary"]),
        ("List the warranty and the plate of each truck.", ["warranty"]),
        ("Which truck is the oldest?", ["age"]),
        ("How much fuel per mile does each truck need?", ["fuel mile"]),
        ("Who earned the most overtime pay?", ["overtime"]),
        ("What are the earnings of each driver?", ["earning"]),
        ("How many of the drivers are women?", ["gender"]),
        ("What is the crème of each truck?", ["creme"]),
        ("How many dollars does each driver get?", ["dollar"]),
        ("What is the name of the company?", ["company"]),
        ("What Is The Average Salary Of The Drivers?", ["salary"]),
        ("WHAT IS THE AVERAGE SALARY OF THE DRIVERS", ["salary"]),
    ],
)
def test_what_the_data_never_say_is_found(question: str, words: list[str], fleet: Prepared) -> None:
    assert unknown_words(question, fleet) == words


@pytest.mark.parametrize(
    "question",
    [
        "Show the trucks of each depot as a bar chart",
        "How many trucks are there in each town?",
        "Which driver drove the most kms in total, and how many trips were made by Ada Berg?",
        "Show the plates of the trucks that have never made a trip, sorted alphabetically.",
        "What is the largest number of trips that one driver has made?",
        "Which trucks started from 'Ålesund Harbour'?",
        "Does Jon Falk drive more often than Mia Roth?",
        "Does Jon Falk Drive More Often Than Mia Roth?",
        "How many depotts are there?",
        "Which trips were the longest, and which drivers are usually the quickest?",
        "Wie viele Fahrer gibt es in der Datenbank?",
        "Which trucks haven't made a trip, and which drivers aren’t from Lindau?",
        "Which trips started in Ålesund, and which in ålesund?",
        "How many trips were made in summer, on weekends and at night since sept 2020?",
        "Which trucks weigh more than ten tonnes in pounds, or went over 500 miles?",
        "How many kms per square metre is that right now, in millions?",
        "Show the trend of the trips as a chart.",
        "How many trucks does our company have in the whole organisation?",
        "What share of the trips at the firm was made by Ada Berg?",
        "Show the `overtime` of the drivers.",
        "",
    ],
)
def test_ordinary_words_other_languages_names_and_misspellings_are_not(question: str, fleet: Prepared) -> None:
    assert unknown_words(question, fleet) == []


def test_what_the_asker_explains_is_known(fleet: Prepared) -> None:
    assert unknown_words("What is the mileage of each truck?", fleet, note="mileage is the sum of km") == []


async def test_a_query_that_takes_something_else_is_refused(fleet: Prepared, tmp_path: Path) -> None:
    answer = await ask(fleet, tmp_path, "What is the total salary of the drivers?", KM, KM, "no", "no")
    assert (answer.status, answer.sql, answer.table) == (Status.REFUSED, None, None)
    assert "“salary”" in answer.text
    assert "trip.km" in answer.text
    assert "driver" in answer.text.split("What there is:")[1]
    assert answer.usage.calls == 4


async def test_rows_of_a_table_that_nobody_asked_for_are_refused(fleet: Prepared, tmp_path: Path) -> None:
    count = "SELECT COUNT(*) FROM depot"
    answer = await ask(fleet, tmp_path, "How many dragons are there?", count, count, "no")
    assert answer.status is Status.REFUSED
    assert "depot" in answer.text


async def test_rows_of_a_table_that_is_named_are_counted(fleet: Prepared, tmp_path: Path) -> None:
    count = "SELECT COUNT(*) FROM truck"
    answer = await ask(fleet, tmp_path, "How many trucks has the dragon?", count, count)
    assert (answer.status, answer.text) == (Status.UNVERIFIED, "count: 4")
    assert any("“dragon”" in warning for warning in answer.evidence.warnings)


async def test_a_word_that_the_query_looks_for_is_no_word_for_a_column(fleet: Prepared, tmp_path: Path) -> None:
    lost = "SELECT COUNT(*) FROM depot WHERE town = 'hamburg'"
    answer = await ask(fleet, tmp_path, "How many depots are in hamburg?", lost, lost)
    assert answer.status is Status.UNVERIFIED
    assert not any("is called" in warning for warning in answer.evidence.warnings)


async def test_a_question_full_of_unknown_words_costs_few_calls(fleet: Prepared, tmp_path: Path) -> None:
    words = " and the ".join(f"{letter}lorp" for letter in "abcdefghijk")
    answer = await ask(fleet, tmp_path, f"What is the {words} of the drivers?", KM, KM, *["no"] * 8)
    assert answer.status is Status.REFUSED


@pytest.mark.parametrize("reply", ["", "<think>", "The column"])
async def test_a_model_that_says_neither_yes_nor_no_refuses_nothing(
    reply: str, fleet: Prepared, tmp_path: Path
) -> None:
    answer = await ask(fleet, tmp_path, "What is the total salary of the drivers?", KM, KM, reply)
    assert (answer.status, answer.text) == (Status.UNVERIFIED, "total km: 550")
    assert any("“salary”" in warning for warning in answer.evidence.warnings)


async def test_an_answer_that_no_model_can_judge_is_not_lost(fleet: Prepared, tmp_path: Path) -> None:
    lost = ModelTimeoutError("no reply")
    answer = await ask(fleet, tmp_path, "What is the total salary of the drivers?", KM, KM, lost)
    assert (answer.status, answer.text) == (Status.UNVERIFIED, "total km: 550")
    assert any("“salary”" in warning for warning in answer.evidence.warnings)


async def test_another_word_for_the_same_is_answered(fleet: Prepared, tmp_path: Path) -> None:
    answer = await ask(fleet, tmp_path, "What is the total distance of the trips?", KM, KM, "Yes")
    assert answer.status is Status.AGREED


async def test_what_is_to_be_assumed_is_answered_and_told(fleet: Prepared, tmp_path: Path) -> None:
    answer = await ask(fleet, tmp_path, "What is the total salary of the drivers?", KM, KM, "no", "no", assume=True)
    assert (answer.status, answer.text) == (Status.UNVERIFIED, "total km: 550")
    assert any("“salary”" in warning for warning in answer.evidence.warnings)


async def test_a_column_that_every_draft_invents_is_missing(fleet: Prepared, tmp_path: Path) -> None:
    invented = "SELECT AVG(salary) FROM trip"
    answer = await ask(fleet, tmp_path, "What is the average salary?", invented, invented, invented)
    assert answer.status is Status.REFUSED
    assert "“salary”" in answer.text


async def test_a_word_that_the_query_leaves_out_is_told(fleet: Prepared, tmp_path: Path) -> None:
    plates = "SELECT plate FROM truck"
    answer = await ask(fleet, tmp_path, "List the plate and warranty of each truck.", plates, plates, "no", "no")
    assert answer.status is Status.UNVERIFIED
    assert any("“warranty”" in warning for warning in answer.evidence.warnings)


async def test_of_what_a_query_computes_the_expression_is_judged(fleet: Prepared, tmp_path: Path) -> None:
    cost = "SELECT SUM(km * 2) FROM trip"
    model = ScriptedModel([cost, cost, "Yes."])
    component = Ask([fleet.source], model, tmp_path / "values")
    answer = await Runner().run(component, Question(text="What is the total toll of the trips?"), RunContext())
    component.close()
    assert answer.status is Status.AGREED
    assert "expression SUM(km * 2) compute the toll" in model.requests[-1].messages[-1].content
