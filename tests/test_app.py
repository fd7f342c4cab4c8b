"""Querist from Python: in scripts, in event loops and in notebooks; and slips in using it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import querist
from querist import Answer, Querist, Runner, Settings, Status, component
from querist.agents.task import AgentResult
from querist.analysis.agent import Analyse
from querist.core.context import RunContext
from querist.core.hooks import Moving
from querist.errors import (
    BudgetSpentError,
    ComponentInputError,
    ComponentNotFoundError,
    ModelNotFoundError,
    PermissionDeniedError,
    RunRateLimitError,
    UsageError,
    VetoError,
)
from querist.models.base import Reply, Request
from querist.settings import AnswerSettings
from querist.settings.policy import EventSettings, HookSettings, Policy, Rate
from querist.sources.files import FileSource
from querist.state.event_log import EventLog
from querist.state.paths import data_dir
from tests.scripted_model import ScriptedModel

Open = Callable[..., Querist]
QUERY = "SELECT who, hours FROM shifts ORDER BY who"
QUESTION = "Who worked how many hours?"


@pytest.fixture
def shifts(tmp_path: Path) -> Path:
    file = tmp_path / "shifts.csv"
    file.write_text("who,hours\nIda,7\nOle,4\n<b>,\n", encoding="utf-8")
    return file


@pytest.fixture
def opened(shifts: Path) -> Iterator[Open]:
    made: list[Querist] = []

    def open_one(*data: Any, query: str = QUERY) -> Querist:
        made.append(Querist(*(data or (shifts,)), model=ScriptedModel(lambda _: query)))
        return made[-1]

    yield open_one
    for one in made:
        one.close()


def test_a_pattern_is_asked_in_one_line(shifts: Path, opened: Open) -> None:
    answer = opened(f"{shifts.parent}/*.csv").ask(QUESTION)
    assert isinstance(answer, Answer)
    assert answer.status is Status.AGREED
    assert answer.sql == QUERY


def test_it_can_be_awaited_and_asked_from_a_running_loop(opened: Open) -> None:
    async def program() -> list[Answer]:
        one = opened()
        return [*await asyncio.gather(one.aask(QUESTION), one.aask(QUESTION)), one.ask(QUESTION)]

    answers = asyncio.run(program())
    assert {answer.text for answer in answers} == {"3 rows of who, hours."}


def test_one_object_serves_several_loops_in_turn(opened: Open) -> None:
    one = opened()
    assert asyncio.run(one.aask(QUESTION)).table == asyncio.run(one.aask(QUESTION)).table == one.ask(QUESTION).table


def test_results_become_data_frames(opened: Open) -> None:
    table = opened().ask(QUESTION).table
    assert table is not None
    assert table.to_polars().rows() == [("<b>", None), ("Ida", 7), ("Ole", 4)]
    assert list(table.to_pandas().columns) == ["who", "hours"]


def test_a_notebook_shows_the_table_the_status_and_the_query_and_no_markup_of_the_data(opened: Open) -> None:
    shown = opened().ask(QUESTION)._repr_html_()
    assert "<td>Ida</td><td>7</td>" in shown
    assert "agreed" in shown
    assert QUERY in shown
    assert "&lt;b&gt;" in shown
    assert "<td><b>" not in shown


@pytest.mark.parametrize("question", ["", "  \n"])
def test_an_empty_question_is_told_as_such(question: str, opened: Open) -> None:
    with pytest.raises(ComponentInputError, match="text"):
        opened().ask(question)


def test_a_closed_one_answers_no_more_and_says_so(opened: Open) -> None:
    one = opened()
    one.ask(QUESTION)
    one.close()
    one.close()
    with pytest.raises(UsageError, match="closed"):
        one.ask(QUESTION)
    with pytest.raises(UsageError, match="closed"):
        asyncio.run(one.aask(QUESTION))
    with pytest.raises(UsageError, match="closed"):
        one.verify(QUESTION, QUERY)


def test_a_thread_that_waits_for_an_answer_is_told_when_it_is_closed(shifts: Path) -> None:
    asked = threading.Event()

    class Slow(ScriptedModel):
        async def complete(self, request: Request, on_token: Any = None) -> Reply:
            asked.set()
            await asyncio.Event().wait()
            raise AssertionError("unreachable")

    one = Querist(shifts, model=Slow([]))
    with ThreadPoolExecutor() as threads:
        answer = threads.submit(one.ask, QUESTION)
        asked.wait()
        one.close()
        with pytest.raises(UsageError, match="closed meanwhile"):
            answer.result(timeout=30)


def test_threads_that_ask_at_once_share_one_loop(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[asyncio.AbstractEventLoop] = []

    def slow_to_make() -> asyncio.AbstractEventLoop:
        time.sleep(0.05)
        made.append(asyncio.SelectorEventLoop())
        return made[-1]

    monkeypatch.setattr(asyncio, "new_event_loop", slow_to_make)
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(opened().ask, [QUESTION] * 4))
    assert {answer.text for answer in answers} == {"3 rows of who, hours."}
    assert len(made) == 1


def test_it_can_be_closed_while_a_query_that_was_given_up_still_runs(tmp_path: Path, opened: Open) -> None:
    numbers = tmp_path / "numbers.csv"
    numbers.write_text("n\n" + "\n".join(map(str, range(5000))))

    async def program() -> None:
        one = opened(numbers, query="SELECT count(*) FROM numbers a, numbers b, numbers c WHERE a.n + b.n * c.n > 7")
        asking = asyncio.create_task(one.aask("How many?"))
        await asyncio.sleep(0.5)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        one.close()

    asyncio.run(program())


def test_a_list_of_data_is_told_how_to_be_given(shifts: Path) -> None:
    with pytest.raises(UsageError) as caught:
        Querist([str(shifts)], model=ScriptedModel([]))  # type: ignore[arg-type]
    assert "list" in caught.value.message
    assert "one by one" in caught.value.hint


def test_every_public_name_can_be_imported() -> None:
    for name in querist.__all__:
        assert getattr(querist, name).__name__ == name


def test_components_run_by_name_through_the_same_door(opened: Open) -> None:
    one = opened()
    assert [component.name for component in one.components] == ["ask"]
    assert isinstance(one.run("ask", {"text": QUESTION}), Answer)
    with pytest.raises(ComponentNotFoundError) as unknown:
        one.run("aks", {})
    assert "'ask'" in unknown.value.hint
    assert one.run("calculator", {"expression": "6 * 7"}).model_dump()["result"] == 42
    with pytest.raises(PermissionDeniedError):
        one.run("file_metadata", {"path": "/etc/hosts"})
    assert isinstance(one.components.get("analyse"), Analyse)
    one.close()
    with pytest.raises(UsageError, match="is closed"):
        one.run("ask", {"text": QUESTION})


def test_agents_run_by_name_and_use_the_data(shifts: Path) -> None:
    def reply(request: Request) -> dict[str, str] | str:
        return {"think": "I know.", "answer": "Ida, 7 hours."} if request.schema else QUERY

    allowed = Settings(permissions=("model:*",))
    with Querist(shifts, model=ScriptedModel(reply), settings=allowed) as one:
        result = one.run("data_analyst", {"message": QUESTION})
    assert isinstance(result, AgentResult)
    assert [step.tool for step in result.steps] == ["ask"]
    assert "Ida | 7\nOle | 4" in result.text
    assert isinstance(result.steps[0].output, Answer)
    with Querist(shifts, model=ScriptedModel(reply)) as one, pytest.raises(PermissionDeniedError, match="model:fast"):
        one.run("chat", {"message": "Hello"})


def test_hooks_events_and_the_budget_of_the_settings_hold_for_questions(
    shifts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("QUERIST_HOME", str(tmp_path / "home"))
    settings = Settings.model_validate(
        {
            "hooks": [
                {"use": "transformer", "at": "before:model", "pattern": "Ida", "replacement": "N.N."},
                {"use": "logger", "at": "system:*"},
            ],
            "events": {"keep": True},
            "token_budget": 60,
        }
    )
    model = ScriptedModel(lambda _: QUERY)
    with caplog.at_level("INFO", "querist.hooks"), Querist(shifts, settings=settings, model=model) as one:
        one.ask("How many hours did Ida work?")
        with pytest.raises(BudgetSpentError, match="of 60 tokens"):
            one.ask(QUESTION)
    assert [record.message.split()[0] for record in caplog.records if record.name == "querist.hooks"] == [
        "system:start",
        "system:stop",
    ]
    assert "Ida" not in model.requests[0].messages[-1].content
    kept = list(EventLog(tmp_path / "home" / "data" / "events.sqlite").replay(name="run.failed"))
    assert {event["code"] for event in kept if event["source"] == "model"} == {"run.budget"}


def test_a_hook_of_settings_that_gives_something_else_is_told_so(opened: Open) -> None:
    one = opened()

    async def forget(moving: Moving) -> str:
        return "nothing"

    one.runner.hooks.add(forget, "system:config")
    with pytest.raises(UsageError, match="gave str in place of settings"):
        one.configure(one.settings)


def test_settings_can_change_while_it_is_open_where_hooks_agree(opened: Open) -> None:
    one, added = opened(), list[str]()
    now = one.settings

    async def note(moving: Moving) -> None:
        added.append(moving.point)

    async def decide(moving: Moving) -> Settings:
        if moving.value.permissions:
            raise VetoError("No rights for anybody.")
        return moving.value.model_copy(update={"token_budget": 7})  # type: ignore[no-any-return]

    one.runner.hooks.add(decide, "system:config")
    one.runner.hooks.add(note, "after:tool")
    run = {"expression": "1 + 1"}
    one.configure(now.model_copy(update={"components": {"calculator": Policy(rate=Rate(per_minute=0.1), timeout=5)}}))
    assert (one.settings.token_budget, one.principal.budget.tokens) == (7, 7)  # type: ignore[union-attr]
    one.run("calculator", run)
    with pytest.raises(RunRateLimitError):
        one.run("calculator", run)
    validator = HookSettings(use="validator", at=("before:tool",), pattern="1")
    one.configure(now.model_copy(update={"hooks": (validator,), "token_budget": 7}))
    with pytest.raises(VetoError, match="not allowed"):
        one.run("calculator", run)
    one.principal.budget.spend(3)  # type: ignore[union-attr]
    one.configure(now)
    assert one.principal.budget.left == 4, "what was spent stays spent"  # type: ignore[union-attr]
    one.run("calculator", run)
    assert added == ["after:tool", "after:tool"], "a hook of the program's own stays"
    with pytest.raises(VetoError, match="No rights"):
        one.configure(now.model_copy(update={"permissions": ("process:*",)}))
    with pytest.raises(UsageError, match="answer, data cannot change"):
        one.configure(now.model_copy(update={"data": ("x.csv",), "answer": AnswerSettings(drafts=1)}))
    assert one.settings.permissions == ()


def test_what_was_opened_is_closed_when_the_rest_cannot_be(shifts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str] = []
    monkeypatch.setattr(FileSource, "close", lambda source: closed.append(source.name))
    with pytest.raises(ModelNotFoundError):
        Querist(shifts, model="nobody:any", settings=Settings(events=EventSettings(keep=True)))
    assert closed == ["shifts"]
    assert [event["event"] for event in EventLog(data_dir() / "events.sqlite").replay()] == ["answer.progress"]
    assert not {"querist", "event log"} & {thread.name for thread in threading.enumerate()}


def test_a_component_finds_the_settings_and_the_runner_of_whoever_runs_it(opened: Open) -> None:
    @component
    async def rows(context: RunContext) -> int:
        """How many rows a result may have."""
        assert context.get(Runner) is one.runner
        settings = context.get(Settings)
        assert settings is not None
        return settings.limits.rows

    one = opened()
    one.components.add(rows)
    assert one.run("rows", {}).model_dump() == {"result": one.settings.limits.rows}
