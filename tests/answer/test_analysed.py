"""A question that asks for statistics by name is analysed; any other becomes a query, as before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from querist.analysis.agent import Analyse
from querist.answer.answer import Answer, Status
from querist.answer.ask import Ask
from querist.core.runner import Runner
from querist.errors import MissingExtraError
from querist.sources.base import Source
from querist.sources.open import open_sources
from tests.scripted_model import ScriptedModel

pytestmark = pytest.mark.anyio

CORRELATION: dict[str, Any] = {
    "analyses": [{"technique": "correlation", "columns": ["rain", "crop"], "method": "pearson", "by": ""}],
    "prepare": [],
}
QUESTION = "Is the rain correlated with the crop?"
COUNT = "SELECT COUNT(*) FROM fields"


@pytest.fixture
def fields(tmp_path: Path) -> Iterator[Callable[[str], list[Source]]]:
    opened: list[Source] = []

    def write(header: str) -> list[Source]:
        rows = "".join(f"{300 + 10 * n},{5 + n + n % 3},{'ab'[n % 2]}\n" for n in range(20))
        (tmp_path / "fields.csv").write_text(f"{header}\n{rows}")
        opened.extend(open_sources([str(tmp_path / "fields.csv")]))
        return opened

    yield write
    for source in opened:
        source.close()


async def ask(sources: list[Source], model: ScriptedModel, folder: Path, question: str = QUESTION) -> Answer:
    component = Ask(sources, model, folder / "values", drafts=1, repairs=0, analyse=lambda: Analyse(sources, model))
    try:
        return await Runner().run(component, {"text": question})
    finally:
        component.close()


async def test_a_correlation_is_analysed_with_its_evidence(
    fields: Callable[[str], list[Source]], tmp_path: Path
) -> None:
    model = ScriptedModel([CORRELATION])
    answer = await ask(fields("rain,crop,kind"), model, tmp_path)
    assert (answer.status, answer.sql) == (Status.UNVERIFIED, None)
    assert answer.chart is not None
    assert answer.chart.title == "Crop against Rain: r = 0.99, p < 0.001"
    assert "chart" not in answer.to_dict()["analysis"]
    assert answer.text == "rain and crop have a strong positive correlation: r = 0.991, p < 0.001, n = 20."
    assert answer.analysis is not None
    assert answer.table is not None
    assert [row[0] for row in answer.table.rows] == ["r", "p", "n"]
    assert answer.evidence.assumptions == ("Analysed the table fields by correlation",)
    assert answer.evidence.agreement == (1, 1)
    assert answer.usage.calls == len(model.requests) == 1
    assert answer.to_dict()["analysis"]["techniques"] == ["correlation"]


async def test_an_ordinary_question_asks_the_model_for_a_query_alone(
    fields: Callable[[str], list[Source]], tmp_path: Path
) -> None:
    model = ScriptedModel([COUNT])
    answer = await ask(fields("rain,crop,kind"), model, tmp_path, "How many fields are there?")
    assert answer.sql == COUNT
    assert answer.analysis is None


async def test_of_several_questions_only_the_one_that_names_a_technique_is_analysed(
    fields: Callable[[str], list[Source]], tmp_path: Path
) -> None:
    model = ScriptedModel(lambda request: CORRELATION if request.schema else COUNT)
    question = "What is the correlation of rain and crop, and how many fields are there?"
    answer = await ask(fields("rain,crop,kind"), model, tmp_path, question)
    analysed, counted = (step.answer for step in answer.steps)
    assert analysed.analysis is not None
    assert analysed.text.startswith("rain and crop have a strong positive correlation")
    assert (counted.sql, counted.analysis) == (COUNT, None)


async def test_a_column_called_so_is_asked_for_with_a_query(
    fields: Callable[[str], list[Source]], tmp_path: Path
) -> None:
    model = ScriptedModel(lambda _: "SELECT AVG(forecast_crop) FROM fields")
    answer = await ask(fields("rain,forecast_crop,kind"), model, tmp_path, "What is the average forecast crop?")
    assert answer.sql is not None


async def test_without_the_libraries_a_query_answers_and_says_so(
    fields: Callable[[str], list[Source]], tmp_path: Path
) -> None:
    def missing() -> Analyse:
        raise MissingExtraError("scipy", "analysis", "analyse data")

    model = ScriptedModel(["SELECT CORR(rain, crop) FROM fields"])
    component = Ask(fields("rain,crop,kind"), model, tmp_path / "values", drafts=1, repairs=0, analyse=missing)
    answer = await Runner().run(component, {"text": QUESTION})
    component.close()
    assert answer.sql is not None
    assert 'pip install "querist[analysis]"' in answer.evidence.assumptions[0]


async def test_data_that_cannot_be_analysed_fail_with_a_reason(
    fields: Callable[[str], list[Source]], tmp_path: Path
) -> None:
    plan = {**CORRELATION, "prepare": [{"do": "keep_rows", "sql": "rain < 0"}]}
    answer = await ask(fields("rain,crop,kind"), ScriptedModel([plan, plan]), tmp_path)
    assert answer.status is Status.FAILED
    assert "No row is left" in answer.text
