"""An agent with three tools, on the local model: it looks a price up, then converts it.

python examples/agents/shop_clerk.py ["your question"]
"""

from __future__ import annotations

import asyncio
import csv
import sys
from pathlib import Path

from querist import Runner, component, load_settings
from querist.agents.agent import Agent, ToolObserved
from querist.agents.definition import AgentDefinition
from querist.agents.task import AgentResult
from querist.core.context import RunContext
from querist.core.events import EventBus
from querist.core.permissions import Grant, Principal
from querist.models.base import Model
from querist.models.open import open_model

PRODUCTS = Path(__file__).parent.parent / "shop" / "products.csv"
RATES = {"USD": 1.10, "CHF": 0.95, "GBP": 0.85}
QUESTION = "What does the gas stove cost in US dollars?"


@component
async def product_price(product: str) -> str:
    """Look up the price of a product by its name. It is in EUR."""
    with PRODUCTS.open(encoding="utf-8", newline="") as file:
        found = [row for row in csv.DictReader(file) if product.lower() in row["product"].lower()]
    return "; ".join(f"{row['product']}: {row['price']} EUR" for row in found) or f"There is no product {product!r}."


@component
async def convert(amount_eur: float, currency: str) -> str:
    """Convert an amount in EUR to another currency: USD, CHF or GBP."""
    rate = RATES.get(currency.upper())
    return f"{amount_eur * rate:.2f} {currency.upper()}" if rate else f"There is no rate for {currency!r}."


@component
async def delivery_days(country: str) -> int:
    """Tell how many days a delivery to a country takes."""
    return 2 if country.lower() == "germany" else 5


CLERK = AgentDefinition(
    name="clerk",
    description="Answers customers of a shop.",
    model="fast",
    instructions="You are the clerk of a shop. Prices come from the tools only.",
)


async def ask_clerk(question: str, model: Model) -> AgentResult:
    runner = Runner()
    clerk = Agent(CLERK, model, runner, tools=[product_price, convert, delivery_days])
    events = EventBus()
    events.subscribe(lambda event: print(f"  {event.tool}: {event.text}"), ToolObserved.name)  # type: ignore[attr-defined]
    context = RunContext(events=events, principal=Principal("me", (Grant("model", "*"),)))
    return await runner.run(clerk, {"message": question}, context)


async def main() -> None:
    model = open_model("local:qwen2.5-coder-1.5b", load_settings())
    print(await ask_clerk(sys.argv[1] if len(sys.argv) > 1 else QUESTION, model))
    await model.close()


if __name__ == "__main__":
    asyncio.run(main())
