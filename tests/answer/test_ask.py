from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from querist.answer.answer import Answer, Status
from querist.answer.ask import Ask, Progress, Question
from querist.answer.prepared import Prepared
from querist.answer.understand import Turn
from querist.core.context import RunContext
from querist.core.events import Event, EventBus
from querist.core.runner import Runner
from querist.models.base import OnToken, Reply, Request
from querist.sources.base import Limits
from tests.scripted_model import ScriptedModel

pytestmark = pytest.mark.anyio
HEAVY = "SELECT plate FROM truck WHERE tonnes > 15"
ENDLESS = f"SELECT COUNT(*) FROM {', '.join(f'trip AS t{n}' for n in range(20))}"


async def ask(
    fleet: Prepared,
    folder: Path,
    *answers: str,
    text: str = "Which truck has more than 15 tonnes?",
    **options: object,
) -> tuple[Answer, ScriptedModel]:
    model = ScriptedModel(list(answers))
    component = Ask([fleet.source], model, folder / "values", **options)  # type: ignore[arg-type]
    try:
        return await Runner().run(component, Question(text=text), RunContext()), model
    finally:
        component.close()


async def test_two_drafts_that_agree_end_the_work(fleet: Prepared, tmp_path: Path) -> None:
    answer, model = await ask(fleet, tmp_path, HEAVY, f"```sql\n{HEAVY};\n```")
    assert (answer.status, answer.text) == (Status.AGREED, "plate: PA-301")
    assert answer.evidence.agreement == (2, 2)
    assert len(model.requests) == 2
    assert answer.usage.calls == 2


async def test_drafts_are_asked_for_in_different_ways(fleet: Prepared, tmp_path: Path) -> None:
    _, model = await ask(fleet, tmp_path, HEAVY, "SELECT 1", "SELECT 2")
    assert len({request.messages[0].content for request in model.requests}) == 3
    assert len({request.prefix for request in model.requests}) == 3


async def test_what_is_stable_comes_before_the_question(fleet: Prepared, tmp_path: Path) -> None:
    _, model = await ask(fleet, tmp_path, HEAVY, HEAVY)
    for request in model.requests:
        assert "CREATE TABLE truck" in request.messages[0].content
        assert "15 tonnes" not in request.messages[0].content
        assert "15 tonnes" in request.messages[-1].content


async def test_the_majority_wins_over_the_first(fleet: Prepared, tmp_path: Path) -> None:
    answer, _ = await ask(fleet, tmp_path, "SELECT plate FROM truck WHERE tonnes > 10", HEAVY, HEAVY)
    assert (answer.text, answer.evidence.agreement) == ("plate: PA-301", (2, 3))
    assert [attempt.group for attempt in answer.evidence.attempts] == [1, 0, 0]


async def test_a_majority_against_a_sound_draft_is_told_and_not_called_agreed(fleet: Prepared, tmp_path: Path) -> None:
    answer, _ = await ask(fleet, tmp_path, "SELECT plate FROM truck WHERE tonnes > 10", HEAVY, HEAVY)
    assert answer.status is Status.UNVERIFIED
    assert any("another a different one" in warning for warning in answer.evidence.warnings)


async def test_a_draft_that_failed_does_not_speak_against_two_that_agree(fleet: Prepared, tmp_path: Path) -> None:
    answer, _ = await ask(fleet, tmp_path, "SELECT nothing FROM nowhere", HEAVY, HEAVY)
    assert (answer.status, answer.evidence.agreement) == (Status.AGREED, (2, 2))


async def test_drafts_that_all_differ_are_not_called_agreed(fleet: Prepared, tmp_path: Path) -> None:
    answer, _ = await ask(fleet, tmp_path, "SELECT 1", "SELECT 2", "SELECT 3", repairs=0)
    assert (answer.status, answer.evidence.agreement) == (Status.UNVERIFIED, (1, 3))
    assert any("different results" in warning for warning in answer.evidence.warnings)


async def test_what_agrees_but_has_a_warning_is_not_called_agreed(fleet: Prepared, tmp_path: Path) -> None:
    tied = "SELECT plate FROM truck WHERE tonnes < 15 ORDER BY tonnes DESC LIMIT 1"
    answer, _ = await ask(fleet, tmp_path, tied, tied, text="Which truck below 15 tonnes has the most?")
    assert answer.status is Status.UNVERIFIED
    assert answer.evidence.warnings


async def test_an_empty_result_never_wins(fleet: Prepared, tmp_path: Path) -> None:
    empty = "SELECT plate FROM truck WHERE tonnes > 999"
    answer, _ = await ask(fleet, tmp_path, empty, empty, HEAVY)
    assert answer.text == "plate: PA-301"


async def test_a_result_that_a_check_vetoes_never_wins(fleet: Prepared, tmp_path: Path) -> None:
    vetoed = "SELECT SUM(plate) FROM truck"
    answer, model = await ask(fleet, tmp_path, vetoed, vetoed, HEAVY)
    assert (answer.text, answer.status, len(model.requests)) == ("plate: PA-301", Status.UNVERIFIED, 3)


async def test_a_mended_draft_says_what_was_mended(fleet: Prepared, tmp_path: Path) -> None:
    answer, _ = await ask(fleet, tmp_path, "SELECT plate FROM truck WHERE town = 'passau' AND tonnes > 15", HEAVY)
    assert answer.status is Status.AGREED
    assert any("Passau" in note for note in answer.evidence.attempts[0].mended)


async def test_what_rests_on_a_guess_is_never_called_agreed(fleet: Prepared, tmp_path: Path) -> None:
    slip = "SELECT plate FROM truck JOIN depot USING (depot_id) WHERE town = 'Pasau' AND tonnes > 15"
    for second in (slip, HEAVY):
        answer, _ = await ask(fleet, tmp_path, slip, second)
        assert (answer.status, answer.text) == (Status.UNVERIFIED, "plate: PA-301")
        assert any(
            "'Pasau' for depot.town" in said and "'Passau' was taken" in said for said in answer.evidence.warnings
        )
    assert answer.sql == HEAVY, "of two that agree the one without a guess is shown"


async def test_a_value_that_the_question_only_sounds_like_is_told(fleet: Prepared, tmp_path: Path) -> None:
    sql = "SELECT COUNT(*) FROM depot WHERE town = 'Passau'"
    answer, _ = await ask(fleet, tmp_path, sql, sql, text="How many depots are in Pasau?")
    assert answer.status is Status.UNVERIFIED
    assert (
        "The question says 'pasau', which is not in the data; 'Passau' was taken instead." in answer.evidence.warnings
    )


async def test_a_failed_draft_is_repaired_from_its_error(fleet: Prepared, tmp_path: Path) -> None:
    answer, model = await ask(fleet, tmp_path, "SELECT horsepower FROM engine", HEAVY, drafts=1)
    assert (answer.text, answer.status) == ("plate: PA-301", Status.UNVERIFIED), "nothing agrees with a single draft"
    assert "engine" in model.requests[1].messages[-1].content
    assert answer.evidence.attempts[0].error


async def test_a_draft_that_runs_is_repaired_from_what_a_check_says(fleet: Prepared, tmp_path: Path) -> None:
    whole, exact = "SELECT SUM(km) / COUNT(*) FROM trip", "SELECT SUM(km) * 1.0 / COUNT(*) FROM trip"
    _, model = await ask(fleet, tmp_path, whole, exact, drafts=1, text="Km of a trip on average?")
    assert "drops the fraction" in model.requests[1].messages[-1].content
    assert len(model.requests) == 2


async def test_repairs_come_to_an_end(fleet: Prepared, tmp_path: Path) -> None:
    answer, model = await ask(fleet, tmp_path, *["SELECT x FROM nowhere"] * 3, drafts=1, repairs=2)
    assert answer.status is Status.FAILED
    assert "nowhere" in answer.text
    assert len(model.requests) == 3


async def test_after_two_queries_that_take_too_long_no_third_is_tried(fleet: Prepared, tmp_path: Path) -> None:
    answer, model = await ask(fleet, tmp_path, ENDLESS, ENDLESS, limits=Limits(seconds=0.1))
    assert answer.status is Status.FAILED
    assert "longer than 0.1 s" in answer.text
    assert "limits.seconds" in answer.text
    assert len(model.requests) == 2


async def test_after_one_query_that_takes_too_long_another_may_answer(fleet: Prepared, tmp_path: Path) -> None:
    answer, _ = await ask(fleet, tmp_path, ENDLESS, HEAVY, HEAVY, limits=Limits(seconds=0.5))
    assert answer.text == "plate: PA-301"
    assert "longer than 0.5 s" in answer.evidence.attempts[0].error


async def test_a_write_is_refused_and_changes_nothing(fleet: Prepared, tmp_path: Path) -> None:
    answer, _ = await ask(fleet, tmp_path, *["DELETE FROM trip"] * 3, drafts=3, repairs=0)
    assert answer.status is Status.FAILED
    assert fleet.source.execute("SELECT COUNT(*) FROM trip").scalar() == 4


async def test_a_cut_result_is_told(fleet: Prepared, tmp_path: Path) -> None:
    query = "SELECT plate FROM truck"
    answer, _ = await ask(fleet, tmp_path, query, query, limits=Limits(rows=2))
    assert answer.table is not None
    assert len(answer.table) == 2
    assert answer.status is Status.UNVERIFIED
    assert any("2" in warning for warning in answer.evidence.warnings)


async def test_data_that_change_while_a_question_is_answered_leave_it_its_index(
    fleet: Prepared, tmp_path: Path
) -> None:
    class Slow(ScriptedModel):
        async def complete(self, request: Request, on_token: OnToken | None = None) -> Reply:
            with closing(sqlite3.connect(fleet.source.describe())) as connection, connection:
                connection.execute("INSERT INTO region (label) VALUES ('East')")
            await component.prepare()  # as the next question does
            return await super().complete(request, on_token)

    model = Slow(["SELECT plate FROM truck WHERE town = 'lindau'"])
    component = Ask([fleet.source], model, tmp_path / "values", drafts=1)
    answer = await Runner().run(component, Question(text="Which trucks are in Lindau?"))
    component.close()
    assert answer.text == "plate: LI-200"


def test_questions_of_several_event_loops_wait_for_the_first_to_read_the_data(fleet: Prepared, tmp_path: Path) -> None:
    component = Ask([fleet.source], ScriptedModel([]), tmp_path / "values")
    reading, go_on = threading.Event(), threading.Event()
    fingerprint = fleet.source.fingerprint
    found: list[Prepared] = []

    def slow() -> str:
        reading.set()
        go_on.wait(10)
        return fingerprint()

    def ask() -> None:
        found.extend(asyncio.run(component.prepare()))

    fleet.source.fingerprint = slow  # type: ignore[method-assign]
    first, second = (threading.Thread(target=ask, daemon=True) for _ in range(2))
    first.start()
    assert reading.wait(10)
    second.start()
    second.join(0.1)
    go_on.set()
    first.join(10)
    second.join(10)
    component.close()
    assert len(found) == 2
    assert found[0] is found[1]


async def test_a_follow_up_is_understood_before_it_is_asked(fleet: Prepared, tmp_path: Path) -> None:
    model = ScriptedModel(["How many trucks are in Lindau?", *["SELECT COUNT(*) FROM truck WHERE depot_id = 2"] * 2])
    component = Ask([fleet.source], model, tmp_path / "values")
    asked = Question(text="And in Lindau?", history=(Turn(question="How many trucks are in Passau?", sql="SELECT 2"),))
    answer = await Runner().run(component, asked)
    component.close()
    assert answer.text == "count: 1"
    assert answer.understood == "How many trucks are in Lindau?"
    assert answer.evidence.assumptions == ("Understood as: How many trucks are in Lindau?",)


@pytest.fixture
async def told(fleet: Prepared, tmp_path: Path) -> AsyncIterator[list[Event]]:
    events: list[Event] = []
    bus = EventBus()
    bus.subscribe(events.append)
    component = Ask([fleet.source], ScriptedModel([HEAVY, HEAVY]), tmp_path / "values")
    await Runner().run(component, Question(text="Which trucks have many tonnes?"), RunContext(events=bus))
    yield events
    component.close()


async def test_progress_is_told_as_it_happens(told: list[Event]) -> None:
    stages = [event.stage for event in told if isinstance(event, Progress)]
    assert stages == ["prepare", "draft", "query", "draft", "query"]
    assert told[0].name == "run.started"
    assert told[-1].name == "run.finished"
