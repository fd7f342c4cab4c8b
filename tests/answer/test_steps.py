"""Questions of several steps: over one source, over several, and when a step fails."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from querist.answer import gather
from querist.answer.answer import Answer, Status, Step
from querist.answer.ask import Ask, Question
from querist.answer.plan import RESULTS, PlannedStep
from querist.answer.prepared import Prepared
from querist.answer.steps import ask_steps, together
from querist.core.runner import Runner
from querist.errors import ModelOutputError, ModelTimeoutError
from querist.models.base import Request
from querist.sources.open import open_sources
from querist.sources.table import ResultColumn, Table
from querist.state.paths import cache_dir
from tests.scripted_model import Answer as Reply
from tests.scripted_model import ScriptedModel

pytestmark = pytest.mark.anyio

Asked = Callable[..., Any]
WAGE = "What is the wage of the driver of the longest trip?"
LONGEST = "SELECT driver FROM trip ORDER BY km DESC LIMIT 1"


def plan(*steps: tuple[str, str, list[int]]) -> dict[str, Any]:
    return {"steps": [{"question": q, "source": source, "needs": needs} for q, source, needs in steps]}


class Asker:
    """Asks over trucks and wages with a model that has one query for each question it is asked."""

    def __init__(self, fleet: Prepared, folder: Path, wages: Sequence[tuple[str, int]]) -> None:
        with (folder / "wages.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("driver", "wage"), *wages])
        self.sources = [fleet.source, *open_sources([folder / "wages.csv"])]
        self.folder = folder
        self.seen: list[str] = []

    async def __call__(self, text: str, plan: Reply, **queries: Reply) -> Answer:
        def reply(request: Request) -> Reply:
            if request.schema is not None:
                return plan
            asked = next(m.content for m in reversed(request.messages) if "?" in m.content)
            if "yes or no" in asked:  # whether a word of the question is a column's
                return "yes"
            self.seen.append(asked)
            return next(query for word, query in queries.items() if word in asked)

        component = Ask(self.sources, ScriptedModel(reply), self.folder / "values")
        try:
            return await Runner().run(component, Question(text=text))
        finally:
            component.close()


@pytest.fixture
async def ask(fleet: Prepared, tmp_path: Path) -> AsyncIterator[Asker]:
    asker = Asker(fleet, tmp_path, [("Ada Berg", 4100), ("Jon Falk", 3900), ("Mia Roth", 4000)])
    yield asker
    asker.sources[1].close()


@pytest.fixture
def too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """No table is small enough to be copied, so that a model plans how sources are asked one after the other."""
    monkeypatch.setattr(gather, "MOST_ROWS", 0)


async def test_small_tables_of_several_sources_are_brought_together_for_one_query(ask: Asker) -> None:
    answer = await ask(
        WAGE,
        "no plan is asked for",
        wage="SELECT wage FROM wages JOIN trip ON trip.driver = wages.driver ORDER BY km DESC LIMIT 1",
    )
    assert (answer.text, answer.status) == ("wage: 3900", Status.AGREED)
    assert answer.evidence.assumptions == ("Brought together trip of fleet (4 rows) with wages",)
    assert answer.source == "fleet, wages"
    assert answer.steps == ()
    kept = {path.name for path in (cache_dir() / "files").iterdir()}
    again = await ask(WAGE, "no plan is asked for", wage="SELECT MAX(wage) FROM wages")
    assert again.text == "highest wage: 4100"
    assert kept == {path.name for path in (cache_dir() / "files").iterdir()}, "no copy of a database is kept"


async def test_a_table_that_is_larger_than_it_was_taken_for_is_not_cut_in_silence(
    fleet: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gather, "MOST_ROWS", 2)
    tables = tuple(replace(table, row_count=1) for table in fleet.schema.tables)
    estimated = replace(fleet, schema=replace(fleet.schema, tables=tables))
    assert gather.gather("Which trips did Ada Berg make?", [estimated]) is None


async def test_a_table_is_the_same_where_it_is_brought(fleet: Prepared, monkeypatch: pytest.MonkeyPatch) -> None:
    columns = tuple(map(ResultColumn, ("driver", "release", "day")))
    rows = ((1, "1.10", "2031-05-01"), (2, "1.1", None), (None, None, None))
    monkeypatch.setattr(gather, "_rows", lambda *_: Table(columns, rows))
    found = gather.gather("Which trips did Ada Berg make?", [fleet])
    assert found is not None
    brought = found.prepared.source.execute("SELECT driver, release, CAST(day AS VARCHAR) FROM trip ORDER BY driver")
    assert brought.rows == rows
    found.close()


async def test_tables_of_one_name_in_two_sources_stay_two(fleet: Prepared) -> None:
    found = gather.gather("Which trips did Ada Berg make?", [fleet, fleet])
    assert found is not None
    assert {table.name: table.row_count for table in found.prepared.schema.tables} == {"trip": 4, "trip_2": 4}
    found.close()


async def test_parts_of_one_row_stand_side_by_side(ask: Asker) -> None:
    answer = await ask(
        "How many trucks are there, and how many trips did Ada Berg make?",
        "no plan is asked for",
        trucks="SELECT COUNT(*) AS trucks FROM truck",
        trips="SELECT COUNT(*) AS trips FROM trip WHERE driver = 'Ada Berg'",
    )
    assert answer.status is Status.AGREED
    assert answer.text == "How many trucks are there? trucks: 4\nHow many trips did Ada Berg make? trips: 2"
    assert answer.table is not None
    assert (answer.table.names, answer.table.rows) == (["trucks", "trips"], ((4, 2),))
    assert [step.answer.evidence.agreement for step in answer.steps] == [(2, 2), (2, 2)]
    assert answer.usage.calls == 4
    assert len(answer.to_dict()["steps"]) == 2


def test_parts_of_several_rows_are_not_cut_to_stand_side_by_side() -> None:
    towns = Table((ResultColumn("town"),), (("Lindau",), ("Passau",)))
    count = Table((ResultColumn("trucks"),), ((4,),))
    answers = [Answer(question="Which?", status=Status.AGREED, text="", table=table) for table in (count, towns)]
    steps = [Step(number=number, answer=answer) for number, answer in enumerate(answers, 1)]
    assert together("Which two?", "Which two?", steps).table is None


@pytest.mark.parametrize("second", ["What is the wage of <1>?", "What is the wage of that driver?"])
async def test_a_step_goes_on_with_what_another_source_found(ask: Asker, second: str, too_large: None) -> None:
    answer = await ask(
        WAGE,
        plan(("Who drove the longest trip?", "fleet", []), (second, "wages", [1])),
        wage="SELECT wage FROM wages WHERE driver = 'Jon Falk'",
        longest=LONGEST,
    )
    assert (answer.text, answer.status) == ("wage: 3900", Status.AGREED)
    assert answer.sql == "SELECT wage FROM wages WHERE driver = 'Jon Falk'"
    assert all("Jon Falk" in asked for asked in ask.seen if "wage" in asked)
    assert answer.source == "fleet, wages"


@pytest.mark.parametrize(
    ("columns", "rows", "handed"),
    [
        (("item", "AVG(price)"), [("pen", 2.5), ("ink", None)], "pen (average price 2.5) and ink (no average price)"),
        (("price", "category"), [(2.5, "pen")], "pen (price 2.5)"),
        (("year", "trips", "km"), [(2024, 3, 10), (2025, 4, 20)], "2024 (trips 3, km 10) and 2025 (trips 4, km 20)"),
        (("driver", "rank"), [("Ada", None), (None, None), ("Jon", None), ("Ada", None)], "Ada and Jon"),
        (("driver", "km"), [("Ada", 7), (None, 8)], "Ada (km 7) and no driver (km 8)"),
    ],
)
async def test_a_step_is_told_all_that_a_short_result_says(
    fleet: Prepared, columns: Sequence[str], rows: Sequence[tuple[Any, ...]], handed: str
) -> None:
    table = Table(tuple(map(ResultColumn, columns)), tuple(rows))

    async def ask_one(question: str, source: Prepared) -> Answer:
        return Answer(question=question, status=Status.AGREED, text="", table=table)

    steps = [PlannedStep(1, "Which?", "fleet"), PlannedStep(2, "How many cost more than <1>?", "fleet", (1,))]
    found = await ask_steps(steps, [fleet], ask_one)
    assert found[1].answer.question == f"How many cost more than {handed}?"


async def test_a_result_that_does_not_fit_a_question_is_not_cut_to_fit(fleet: Prepared) -> None:
    wide = Table(tuple(ResultColumn(f"column {n}") for n in range(60)), (tuple(range(60)),))

    async def ask_one(question: str, source: Prepared) -> Answer:
        return Answer(question=question, status=Status.AGREED, text="", table=wide)

    steps = [PlannedStep(1, "Which?", "fleet"), PlannedStep(2, "How many cost more than <1>?", "fleet", (1,))]
    _, second = await ask_steps(steps, [fleet], ask_one)
    assert second.answer.status is Status.FAILED
    assert second.answer.text == "Step 1 gave more than fleet can be asked about in words."


async def test_results_of_two_sources_are_joined_as_tables(ask: Asker, too_large: None) -> None:
    answer = await ask(
        "Show the km and the wage of each driver.",
        plan(
            ("How many km did each driver go?", "fleet", []),
            ("What does each driver get?", "wages", []),
            ("What are the km in <1> and the wages in <2>?", RESULTS, [1, 2]),
        ),
        go="SELECT driver, SUM(km) FROM trip GROUP BY driver",
        get="SELECT driver, wage FROM wages",
        step_1="SELECT step_1.driver, total_km, wage FROM step_1 JOIN step_2 ON step_2.driver = step_1.driver",
    )
    assert answer.status is Status.AGREED
    assert answer.table is not None
    assert sorted(answer.table.rows) == [("Ada Berg", 200, 4100), ("Jon Falk", 300, 3900), ("Mia Roth", 50, 4000)]


async def test_a_long_result_is_a_table_beside_files(fleet: Prepared, tmp_path: Path) -> None:
    asker = Asker(fleet, tmp_path, [(f"Driver {n}", n) for n in range(50)])
    (trips,) = open_sources([tmp_path / "wages.csv"])
    try:
        answer = await asker(
            "What do the drivers with a wage above 5 earn, and how many trucks are there?",
            plan(("Who are drivers?", "wages", []), ("What do <1> earn in sum?", "wages", [1])),
            drivers="SELECT driver FROM wages WHERE wage > 5",
            sum="SELECT SUM(wage) AS sum FROM wages JOIN step_1 USING (driver)",
        )
    finally:
        trips.close()
        asker.sources[1].close()
    assert answer.text == f"sum: {sum(range(6, 50))}"


async def test_the_whole_is_as_sure_as_its_weakest_step_and_names_it(ask: Asker) -> None:
    answer = await ask(
        "How many trucks are there, and how many trips did Ada Berg make?",
        "no plan is asked for",
        trucks="SELECT COUNT(*) AS trucks FROM truck",
        trips="SELECT nothing FROM nowhere",
    )
    assert answer.status is Status.FAILED
    assert "trucks: 4" in answer.text
    assert any("Step 2, “How many trips did Ada Berg make?”, has no answer" in w for w in answer.evidence.warnings)


async def test_a_step_that_lacks_what_it_needs_is_not_asked(ask: Asker, too_large: None) -> None:
    answer = await ask(
        WAGE,
        plan(("Who drove the longest trip?", "fleet", []), ("What is the wage of <1>?", "wages", [1])),
        longest="SELECT driver FROM trip WHERE km > 9999",
    )
    assert answer.status is Status.FAILED
    assert answer.text == "Not asked, for step 1 found nothing that it needs: No rows match."


async def test_a_step_that_must_be_asked_back_asks_the_whole_back(ask: Asker) -> None:
    (ask.folder / "rates.csv").write_text("driver,day_rate,night_rate\nJon Falk,10,15\nAda Berg,30,20\n")
    ask.sources += open_sources([ask.folder / "rates.csv"])
    answer = await ask(
        "What is the highest rate, and how many trips by Ada Berg?",
        plan(("What is the highest rate?", "rates", []), ("How many trips for <1>?", "fleet", [1])),
        rate="SELECT MAX(day_rate) FROM rates",
    )
    ask.sources.pop().close()
    assert answer.status is Status.NEEDS_CLARIFICATION
    assert [reading.label for reading in answer.readings] == ["rates.day_rate", "rates.night_rate"]
    assert "rates.day_rate" in answer.text
    assert answer.steps[1].answer.status is Status.NEEDS_CLARIFICATION


async def test_steps_that_do_not_need_each_other_run_together(fleet: Prepared) -> None:
    together = asyncio.Barrier(2)

    async def ask_one(question: str, source: Prepared) -> Answer:
        await asyncio.wait_for(together.wait(), 5)
        return Answer(question=question, status=Status.AGREED, text=question)

    steps = [PlannedStep(1, "How many trucks?", "fleet"), PlannedStep(2, "How many trips?", "fleet")]
    found = await ask_steps(steps, [fleet], ask_one)
    assert [step.answer.text for step in found] == ["How many trucks?", "How many trips?"]


async def test_a_step_that_breaks_off_leaves_no_other_running(fleet: Prepared) -> None:
    ended = []

    async def ask_one(question: str, source: Prepared) -> Answer:
        if "trucks" in question:
            raise ModelTimeoutError("It is gone.")
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            ended.append(question)
        raise AssertionError

    steps = [PlannedStep(1, "How many trucks?", "fleet"), PlannedStep(2, "How many trips?", "fleet")]
    with pytest.raises(ModelTimeoutError):
        await ask_steps(steps, [fleet], ask_one)
    assert ended == ["How many trips?"]


async def test_a_plan_that_cannot_be_read_leaves_the_question_as_it_is(ask: Asker) -> None:
    answer = await ask(WAGE, ModelOutputError("It was cut off."), wage=LONGEST)
    assert answer.steps == ()
    assert answer.table is not None


async def test_a_plan_of_one_step_leaves_the_question_as_it_is(ask: Asker) -> None:
    answer = await ask(WAGE, plan(("What?", "fleet", [])), wage=LONGEST)
    assert answer.steps == ()
    assert answer.question == WAGE


async def test_a_model_that_cannot_be_reached_fails_the_question(ask: Asker) -> None:
    steps = plan(("How many trucks are there?", "fleet", []), ("How many trips are there?", "fleet", []))
    with pytest.raises(ModelTimeoutError):
        await ask(
            "How many trucks are there, and how many trips did Ada Berg make?",
            steps,
            trucks=ModelTimeoutError("It is gone."),
            trips="SELECT COUNT(*) FROM trip",
        )
