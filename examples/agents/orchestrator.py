"""An orchestrator with two specialists: one queries the shop's data, the other draws what was found.

python examples/agents/orchestrator.py ["your question"]
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from querist import Querist, Runner, load_settings
from querist.agents.agent import Agent, ToolObserved
from querist.agents.definition import AgentDefinition, TeamOptions
from querist.agents.task import AgentResult
from querist.agents.team import Team
from querist.core.context import RunContext
from querist.core.events import EventBus
from querist.core.permissions import Grant, Principal
from querist.models.base import Model
from querist.models.open import open_model
from querist.tools.catalogue import load_tool

SHOP = Path(__file__).parent.parent / "shop"
QUESTION = "Draw the number of orders by region."


def team(querist: Querist, model: Model, runner: Runner) -> Team:
    specialists = [querist.component, load_tool("data_visualizer")]
    lead = AgentDefinition(
        name="orchestrator",
        description="Answers questions about the shop with the help of specialists.",
        instructions="You lead two specialists. `ask` finds figures, `data_visualizer` draws them where it is wanted.",
        verbatim=True,  # the model chooses between them; they get the question as it stands, and the rows
        grounded=True,  # no number in the answer that they have not found
        team=TeamOptions(strategy="hierarchical", members=("ask", "data_visualizer")),
    )
    return Team(lead, specialists, runner, lead=Agent(lead, model, runner, tools=specialists))


async def orchestrate(question: str, querist: Querist, model: Model) -> AgentResult:
    events = EventBus()
    events.subscribe(lambda event: print(f"  {event.source} ← {event.tool}: {event.text}"), ToolObserved.name)  # type: ignore[attr-defined]
    context = RunContext(events=events, principal=Principal("me", (Grant("model", "*"),)))
    return await querist.runner.run(team(querist, model, querist.runner), {"message": question}, context)


async def main() -> None:
    model = open_model("local:qwen2.5-coder-1.5b", load_settings())
    with Querist(SHOP) as querist:
        print(await orchestrate(sys.argv[1] if len(sys.argv) > 1 else QUESTION, querist, model))
    await model.close()


if __name__ == "__main__":
    asyncio.run(main())
