"""The examples run: with a scripted model, and where it is there with the real one."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from querist import Querist
from querist.models.manifest import default_model
from querist.models.open import open_model
from querist.settings import Settings
from tests.agents.shop import say, use
from tests.scripted_model import ScriptedModel

FOLDER = Path(__file__).parent.parent.parent / "examples" / "agents"

pytestmark = pytest.mark.anyio


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def test_the_clerk_looks_a_price_up_and_converts_it(capsys: pytest.CaptureFixture[str]) -> None:
    script = [use("product_price", product="gas stove"), use("convert", amount_eur=39.9, currency="USD"), say("43.89")]
    clerk = load("shop_clerk")
    await clerk.ask_clerk(clerk.QUESTION, ScriptedModel(script))
    assert capsys.readouterr().out == "  product_price: Gas stove: 39.9 EUR\n  convert: 43.89 USD\n"


async def test_the_orchestrator_lets_two_specialists_work() -> None:
    orchestrator = load("orchestrator")
    query = (
        "SELECT region, COUNT(*) AS orders FROM orders JOIN customers ON orders.customer_id = customers.customer_id "
        "GROUP BY region"
    )
    model = ScriptedModel([use("ask"), use("data_visualizer"), say("See the chart.")])
    with Querist(orchestrator.SHOP, model=ScriptedModel([query, query])) as querist:
        result = await orchestrator.orchestrate(orchestrator.QUESTION, querist, model)
    assert "Hills | 279" in result.text
    assert [(step.agent, step.tool, step.error) for step in result.steps] == [
        ("orchestrator", "ask", ""),
        ("orchestrator", "data_visualizer", ""),
    ]


@pytest.mark.model
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("question", "number"),
    [
        ("What does the gas stove cost in US dollars?", "43.89"),
        ("How much is the sleeping bag in Swiss francs?", "80.27"),
    ],
)
async def test_the_local_model_does_a_task_of_two_steps(question: str, number: str) -> None:
    if not default_model().path.is_file():
        pytest.skip("the default model is not on this machine; fetch it: querist models pull")
    model = open_model(f"local:{default_model().name}", Settings())
    result = await load("shop_clerk").ask_clerk(question, model)
    await model.close()
    assert [step.tool for step in result.steps] == ["product_price", "convert"]
    assert number in result.text
