"""What the program fills in of tools' inputs, and that answers rest on results: for models that make things up."""

from __future__ import annotations

from typing import Any

import pytest

from querist.agents.offer import offer
from querist.analysis.analysis import Analysis
from querist.analysis.findings import Finding
from querist.answer.answer import Answer, Check, Evidence, Status
from querist.core.component import Component, component
from querist.errors import UsageError
from querist.sources.table import ResultColumn, Table
from querist.tools.catalogue import load_tool
from tests.agents.shop import Shop, price, say, times, use
from tests.scripted_model import ScriptedModel

pytestmark = pytest.mark.anyio

SALES = [{"month": "May", "sales": 120}, {"month": "June", "sales": 90}]


@component
async def look_up(question: str) -> list[dict[str, Any]]:
    """Look something up."""
    return SALES


@component
async def total(data: list[dict[str, Any]], column: str) -> float:
    """Add up a column of rows."""
    return float(sum(row[column] for row in data))


@component
async def draw(data: list[dict[str, Any]], question: str = "") -> str:
    """Draw rows."""
    return f"{len(data)} bars for {question!r}"


def choices(model: ScriptedModel, request: int = 0) -> list[str]:
    """What the model could choose from in one of its requests."""
    schema = model.requests[request].schema
    assert schema is not None
    options = [option["properties"] for option in schema.get("anyOf", [schema])]
    return [option["tool"]["const"] if "tool" in option else "answer" for option in options]


async def test_rows_of_a_result_are_given_to_a_tool_by_its_name(shop: Shop) -> None:
    model = ScriptedModel(
        [use("look_up", question="Sales?"), use("total", data="result_1", column="sales"), say("210")]
    )
    result = await shop.run(shop.agent(model, look_up, total), "What are the sales?")
    assert [step.observation for step in result.steps][1] == '{"result":210.0}'
    assert result.steps[1].arguments == {"data": "result_1", "column": "sales"}


async def test_rows_can_still_be_written(shop: Shop) -> None:
    script = [use("total", data=SALES, column="sales"), say("210")]
    result = await shop.run(shop.agent(script, total), "Add up 120 and 90")
    assert result.steps[0].observation == '{"result":210.0}'


async def test_a_name_that_is_no_result_is_told_to_the_model(shop: Shop) -> None:
    script = [use("look_up", question="Sales?"), use("total", data="sales", column="sales"), say("?")]
    result = await shop.run(shop.agent(script, look_up, total), "What are the sales?")
    assert result.steps[1].error == "run.input"
    assert "Those that have: result_1." in result.steps[1].observation


async def test_the_rows_of_a_table_are_told_under_its_name(shop: Shop) -> None:
    table = Table((ResultColumn("month"), ResultColumn("sales")), (("May", 120), ("June", 90)))

    @component
    async def ask(text: str) -> Answer:
        """Ask the data."""
        cut = Evidence(checks=(Check("cut", "warned", "There are more rows."), Check("empty", "passed")))
        return Answer(question=text, status="unverified", text="2 rows of month, sales.", table=table, evidence=cut)

    script = [use("ask", text="Sales?"), use("total", data="result_1", column="sales"), say("210")]
    result = await shop.run(shop.agent(script, ask, total), "What are the sales?")
    assert result.steps[0].observation == "2 rows of month, sales.\nresult_1:\nmonth | sales\nMay | 120\nJune | 90"
    assert result.steps[0].output.table is table
    assert result.steps[1].observation == '{"result":210.0}'
    assert result.notes == ("ask: This is unverified.", "ask: There are more rows.")


async def test_verbatim_tools_get_the_message_and_the_last_rows_and_the_model_only_chooses(shop: Shop) -> None:
    model = ScriptedModel([use("look_up"), use("draw"), say("See the chart.")])
    result = await shop.run(shop.agent(model, look_up, draw, verbatim=True), "Draw the sales")
    assert [(step.tool, step.arguments) for step in result.steps] == [
        ("look_up", {"question": "Draw the sales"}),
        ("draw", {"question": "Draw the sales", "data": "result_1"}),
    ]
    assert result.steps[1].observation == "2 bars for 'Draw the sales'"
    assert [choices(model, n) for n in range(3)] == [["look_up", "answer"], ["draw", "answer"], ["answer"]]


def asking(*rows: tuple[str, int], status: Status = Status.AGREED) -> Component[Any, Any]:
    @component
    async def ask(text: str) -> Answer:
        """Ask the data."""
        table = Table((ResultColumn("month"), ResultColumn("sales")), rows)
        return Answer(question=text, status=status, text="Sales by month.", table=table)

    return ask


async def test_a_question_that_has_its_answer_is_put_to_no_other_tool(shop: Shop) -> None:
    model = ScriptedModel([use("ask"), say("See above.")])
    agent = shop.agent(model, asking(("May", 120), ("June", 90)), look_up, draw, verbatim=True)
    await shop.run(agent, "What are the sales?")
    assert [choices(model, n) for n in range(2)] == [["ask", "look_up", "answer"], ["draw", "answer"]]


async def test_a_question_that_was_refused_is_put_to_another_tool(shop: Shop) -> None:
    model = ScriptedModel([use("ask"), use("look_up"), say("See above.")])
    agent = shop.agent(model, asking(status=Status.REFUSED), look_up, verbatim=True)
    await shop.run(agent, "What are the sales?")
    assert choices(model, 1) == ["look_up", "answer"]


async def test_a_table_is_the_answer_as_it_is_and_not_what_a_small_model_picks_from_it(shop: Shop) -> None:
    ask = asking(("May", 120), ("June", 90))
    result = await shop.run(shop.agent([use("ask"), say("120")], ask, verbatim=True, grounded=True), "Sales by month?")
    assert (result.text, result.stopped) == ("Sales by month.\nmonth | sales\nMay | 120\nJune | 90", "")


async def test_a_single_row_is_not_drawn(shop: Shop) -> None:
    model = ScriptedModel([use("ask"), say("120")])
    await shop.run(shop.agent(model, asking(("May", 120)), draw, verbatim=True), "What are the sales in May?")
    assert choices(model, 1) == ["answer"]


async def test_an_analysis_is_told_by_what_was_computed_and_not_by_its_words(shop: Shop) -> None:
    @component
    async def analyse(text: str) -> Analysis:
        """Analyse the data."""
        found = [Finding(name="mean", value=7.5, meaning="mean of sales")]
        return Analysis(question=text, status="unverified", text="The mean is 8.9 million.", findings=found)

    script = [use("analyse"), say("8.9 million"), say("The mean is 7.5.")]
    result = await shop.run(shop.agent(script, analyse, verbatim=True, grounded=True), "What is the mean of sales?")
    assert (result.steps[0].observation, result.text) == ("mean of sales: 7.5", "mean of sales: 7.5")


@pytest.mark.parametrize(("p", "stopped"), [(0.3, "ungrounded"), (0.03, "")])
async def test_a_difference_is_significant_only_where_the_analysis_found_it_so(
    p: float, stopped: str, shop: Shop
) -> None:
    @component
    async def analyse(text: str) -> Analysis:
        """Analyse the data."""
        found = [
            Finding(name="p_value", value=p, meaning="p-value of the welch test of rent by town"),
            Finding(name="significant", value=p < 0.05, meaning="whether the difference is significant at 0.05"),
        ]
        return Analysis(question=text, status="agreed", text="See the findings.", findings=found)

    claim = say("The rents differ significantly.")
    agent = shop.agent([use("analyse", text="Do rents differ?"), claim, claim], analyse, grounded=True)
    assert (await shop.run(agent, "Do rents differ between towns?")).stopped == stopped


async def test_in_a_conversation_that_goes_on_the_model_writes_since_the_message_does_not_stand_alone(
    shop: Shop,
) -> None:
    history = [{"role": "user", "content": "Sales in May?"}, {"role": "assistant", "content": "120"}]
    script = [use("look_up", question="Sales in June?"), say("90")]
    result = await shop.run(shop.agent(script, look_up, verbatim=True), "And in June?", history=history)
    assert result.steps[0].arguments == {"question": "Sales in June?"}


def test_what_a_verbatim_tool_needs_beside_text_and_rows_is_left_to_the_model() -> None:
    assert list(offer(total.to_tool(), verbatim=True).tool.input_schema["properties"]) == ["column"]
    assert list(offer(times.to_tool(), verbatim=True).tool.input_schema["properties"]) == ["a", "b"]


@pytest.mark.parametrize("name", ["data_visualizer", "statistical_analyzer"])
def test_tools_of_the_catalogue_take_rows_by_name(name: str) -> None:
    assert offer(load_tool(name).to_tool(), verbatim=False).rows == "data"


async def test_a_grounded_agent_cannot_answer_before_it_has_looked(shop: Shop) -> None:
    model = ScriptedModel([use("price", product="lamp"), say("A lamp costs 40 EUR.")])
    result = await shop.run(shop.agent(model, price, grounded=True), "How much is a lamp?")
    assert (result.text, result.stopped) == ("A lamp costs 40 EUR.", "")
    assert (choices(model, 0), choices(model, 1)) == (["price"], ["price", "answer"])


async def test_a_number_that_no_result_contains_has_to_be_taken_back(shop: Shop) -> None:
    model = ScriptedModel([use("price", product="lamp"), say("It was 50 EUR, now 40."), say("It costs 40 EUR.")])
    result = await shop.run(shop.agent(model, price, grounded=True), "How much is a lamp?")
    assert (result.text, result.stopped) == ("It costs 40 EUR.", "")
    assert "No result contains 50. Say only what the results say." in model.requests[2].messages[-1].content
    assert choices(model, 2) == ["answer"]


async def test_an_agent_that_insists_on_its_own_numbers_is_replaced_by_the_results(shop: Shop) -> None:
    script = [use("price", product="lamp"), say("It costs 50 EUR."), say("50 EUR!")]
    result = await shop.run(shop.agent(script, price, grounded=True), "How much is a lamp?")
    assert (result.text, result.stopped) == ('{"result":40.0}', "ungrounded")
    assert "No result contains 50" in result.notes[0]


async def test_a_typed_answer_with_a_number_of_its_own_is_called_ungrounded(shop: Shop) -> None:
    schema = {"type": "object", "properties": {"eur": {"type": "number"}}, "required": ["eur"]}
    script = [use("price", product="lamp"), say({"eur": 50}), say({"eur": 50})]
    result = await shop.run(shop.agent(script, price, grounded=True, output=schema), "How much is a lamp?")
    assert (result.output, result.stopped) == ({"eur": 50}, "ungrounded")
    assert "No result contains 50" in result.notes[0]


async def test_numbers_of_the_question_and_of_a_list_need_no_result(shop: Shop) -> None:
    answer = "Two lamps at 40.0 each:\n1. the red one\n2. the blue one"
    script = [use("price", product="lamp"), say(answer)]
    result = await shop.run(shop.agent(script, price, grounded=True), "What do two lamps cost?")
    assert (result.text, result.stopped) == (answer, "")


async def test_a_number_that_begins_a_line_is_no_list(shop: Shop) -> None:
    script = [use("price", product="lamp"), say("It costs\n50. That is all."), say("50. That is all.")]
    result = await shop.run(shop.agent(script, price, grounded=True), "How much is a lamp?")
    assert (result.text, result.stopped) == ('{"result":40.0}', "ungrounded")


async def test_where_every_tool_fails_nothing_is_made_up(shop: Shop) -> None:
    script = [use("price", product="boat"), say("A boat costs 999."), say("It costs 999.")]
    result = await shop.run(shop.agent(script, price, grounded=True), "How much is a boat?")
    assert (result.text, result.stopped) == ("No tool found anything to answer with.", "ungrounded")


@pytest.mark.parametrize("tool", ["times", "prise"])
async def test_an_agent_can_only_begin_with_a_tool_of_its_own_that_takes_one_text(shop: Shop, tool: str) -> None:
    with pytest.raises(UsageError, match=f"cannot begin with '{tool}'"):
        shop.agent([], price, times, begin_with=tool)
