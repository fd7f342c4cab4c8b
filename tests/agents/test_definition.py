"""Definitions in files: what is wrong is told with its place, and one extends another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from querist.agents.build import Agents
from querist.agents.definition import AgentDefinition, read_definition
from querist.agents.library import TEMPLATES, AgentLibrary, open_library
from querist.agents.team import Team
from querist.core.component import Component, component
from querist.core.registry import Registry
from querist.errors import ComponentNotFoundError, ConfigError, MissingExtraError, UsageError
from querist.settings import Settings, load_settings
from querist.tools.catalogue import ENTRIES
from tests.agents.shop import Shop, price, say, use
from tests.scripted_model import ScriptedModel


def write(folder: Path, **files: str) -> AgentLibrary:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return AgentLibrary([folder])


def test_a_file_is_an_agent(tmp_path: Path) -> None:
    write(
        tmp_path, clerk="description: Sells.\nmodel: fast\ntools: [calculator]\nlimits: {steps: 3}\nhandoffs: [boss]\n"
    )
    read = read_definition(tmp_path / "clerk.yaml")
    assert (read.name, read.model, read.tools, read.limits.steps) == ("clerk", "fast", ("calculator",), 3)
    assert read.handoffs[0].to == "boss"


def test_all_mistakes_are_told_with_their_lines(tmp_path: Path) -> None:
    write(tmp_path, clerk="description: Sells.\ntool: [calculator]\nlimits:\n  steps: many\n")
    with pytest.raises(ConfigError) as caught:
        read_definition(tmp_path / "clerk.yaml")
    assert "clerk.yaml:2:1: unknown field 'tool'. Did you mean 'tools'?" in caught.value.message
    assert "clerk.yaml:4:10: 'limits.steps' is 'many'" in caught.value.message


def test_the_name_is_that_of_the_file(tmp_path: Path) -> None:
    write(tmp_path, clerk="name: seller\ndescription: Sells.\n")
    with pytest.raises(ConfigError, match="'clerk'"):
        read_definition(tmp_path / "clerk.yaml")


def test_instructions_can_lie_in_a_file_beside_it(tmp_path: Path) -> None:
    (tmp_path / "long.md").write_text("You sell things.\n", encoding="utf-8")
    write(tmp_path, clerk="description: Sells.\ninstructions_file: long.md\ninstructions: Be brief.\n")
    assert read_definition(tmp_path / "clerk.yaml").instructions == "You sell things.\n\nBe brief."


@pytest.mark.parametrize("file", ["../secret.md", "/etc/hostname", "none.md"])
def test_instructions_are_read_from_nowhere_else(tmp_path: Path, file: str) -> None:
    (tmp_path / "secret.md").write_text("secret", encoding="utf-8")
    folder = tmp_path / "agents"
    folder.mkdir()
    write(folder, clerk=f"description: Sells.\ninstructions_file: {file}\n")
    with pytest.raises(ConfigError, match=r"clerk\.yaml:2:20"):
        read_definition(folder / "clerk.yaml")


def test_a_child_adds_to_its_parent_and_overrides_it(tmp_path: Path) -> None:
    parent = (
        "description: Sells.\nmodel: fast\ninstructions: You sell.\ntools: [a, b]\nvariables: {x: 1, y: 1}\n"
        "limits: {steps: 3, tokens: 9}\n"
    )
    child = "extends: parent\nmodel: coding\ninstructions: Politely.\ntools: [b, c]\nvariables: {y: 2}\n"
    child += "limits: {steps: 5}\n"
    whole = write(tmp_path, parent=parent, child=child).definition("child")
    assert (whole.name, whole.description, whole.model) == ("child", "Sells.", "coding")
    assert (whole.instructions, whole.tools) == ("You sell.\n\nPolitely.", ("a", "b", "c"))
    assert whole.variables == {"x": 1, "y": 2}
    assert (whole.limits.steps, whole.limits.tokens) == (5, 9)


def test_a_child_can_replace_what_it_would_add_to(tmp_path: Path) -> None:
    child = "extends: parent\nreplace: [tools]\ntools: [c]\ninstructions: Politely.\n"
    whole = write(tmp_path, parent="description: x\ninstructions: You sell.\ntools: [a]\n", child=child).definition(
        "child"
    )
    assert (whole.tools, whole.instructions) == (("c",), "You sell.\n\nPolitely.")


def test_an_agent_of_ones_own_can_extend_the_one_whose_name_it_takes(tmp_path: Path) -> None:
    whole = write(tmp_path, chat="extends: chat\ninstructions: Rhyme.\n").definition("chat")
    assert whole.instructions.endswith("Rhyme.")
    assert whole.tools == read_definition(TEMPLATES / "chat.yaml").tools


def test_agents_that_extend_each_other_in_a_circle_are_told(tmp_path: Path) -> None:
    library = write(tmp_path, a="extends: b\ndescription: x\n", b="extends: a\ndescription: x\n")
    with pytest.raises(UsageError, match="a → b → a"):
        library.definition("a")


def test_an_agent_that_is_not_there_is_told_with_the_nearest() -> None:
    with pytest.raises(ComponentNotFoundError) as caught:
        AgentLibrary().definition("reserch")
    assert caught.value.hint == "Did you mean research?"


def test_agents_are_found_beside_the_settings_and_where_the_settings_say(tmp_path: Path) -> None:
    for folder in ("agents", "more"):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder, **{f"from_{folder}": "description: x\n"})
    (tmp_path / "querist.yaml").write_text("agents: more\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QUERIST_CONFIG", str(tmp_path / "querist.yaml"))
        names = open_library(load_settings()).names()
    assert {"from_agents", "from_more", "chat"} <= set(names)


@pytest.mark.parametrize("name", AgentLibrary().names())
def test_an_agent_that_comes_with_querist_says_what_it_does_and_can(name: str) -> None:
    definition = AgentLibrary().definition(name)
    assert definition.description and definition.instructions and definition.capabilities
    assert definition.tools or definition.team
    assert set(definition.tools) <= {entry.name for entry in ENTRIES} | {"ask", "analyse"}


@pytest.mark.parametrize("name", AgentLibrary().names())
def test_the_docs_tell_the_tools_and_capabilities_of_what_comes_with_querist(name: str) -> None:
    definition = AgentLibrary().definition(name)
    tools = [*definition.tools, *(definition.team.members if definition.team else ())]
    text = (Path(__file__).parents[2] / "docs" / "agents.md").read_text(encoding="utf-8")
    row = next(line for line in text.splitlines() if line.startswith(f"| `{name}` |"))
    assert row.endswith(f"| {', '.join(tools)} | {', '.join(definition.capabilities)} |")


def known(*components: Component[Any, Any]) -> Registry:
    registry = Registry()
    for one in components:
        registry.add(one)
    return registry


def made(shop: Shop, library: AgentLibrary, model: ScriptedModel) -> Agents:
    return Agents(Settings(), shop.runner, components=known(price), library=library, model=model, memory=shop.memory)


@pytest.mark.anyio
async def test_an_agent_is_made_with_all_that_it_names(shop: Shop, tmp_path: Path) -> None:
    library = write(
        tmp_path,
        clerk="description: Sells.\ntools: [price, calculator]\nagents: [expert]\nhandoffs: [boss]\n",
        expert="description: Knows all.\n",
        boss="description: Decides.\nhandoffs: [clerk]\n",
    )
    model = ScriptedModel([use("hand_off_to_boss", message="Decide"), say("Yes.")])
    clerk = made(shop, library, model).open("clerk")
    assert (await shop.run(clerk, "May I?")).agent == "boss"
    offered = model.requests[0].messages[0].content
    assert all(f"\n- {name}(" in offered for name in ("price", "calculator", "expert", "hand_off_to_boss"))


def test_a_tool_that_is_not_there_is_told_with_who_wants_it(shop: Shop, tmp_path: Path) -> None:
    library = write(tmp_path, clerk="description: Sells.\ntools: [prise]\n")
    with pytest.raises(ComponentNotFoundError, match="agent 'clerk' uses 'prise'"):
        made(shop, library, ScriptedModel([])).open("clerk")


def test_an_agent_that_needs_data_says_so(shop: Shop) -> None:
    with pytest.raises(ComponentNotFoundError) as caught:
        made(shop, AgentLibrary(), ScriptedModel([])).open("data_analyst")
    assert "--data" in caught.value.hint


@pytest.mark.anyio
async def test_a_tool_that_is_not_installed_is_left_out_and_that_is_told(shop: Shop, tmp_path: Path) -> None:
    def missing() -> Component[Any, Any]:
        raise MissingExtraError("scipy", "analysis", "analyse data")

    components = known(price)
    components.add_later("analyse", missing)
    library = write(tmp_path, clerk="description: Sells.\ntools: [price, analyse]\n")
    model = ScriptedModel([say("Hello")])
    agents = Agents(Settings(), shop.runner, components=components, library=library, model=model, memory=shop.memory)
    result = await shop.run(agents.open("clerk"), "Hello")
    assert result.notes[0].startswith("analyse was left out: 'scipy' is not installed")
    assert "price(" in model.requests[0].messages[0].content


def test_agents_that_use_each_other_in_a_circle_are_told(shop: Shop, tmp_path: Path) -> None:
    library = write(tmp_path, a="description: x\nagents: [b]\n", b="description: x\nagents: [a]\n")
    with pytest.raises(UsageError, match="a → b → a"):
        made(shop, library, ScriptedModel([])).open("a")


@pytest.mark.anyio
async def test_the_orchestrator_delegates_and_merges(shop: Shop, tmp_path: Path) -> None:
    @component
    async def query(question: str) -> str:
        """Answer a question about the data."""
        return "Revenue was 120 in May and 90 in June."

    team = "description: Leads.\nextends: orchestrator\nteam: {strategy: hierarchical, members: [query, analyst]}\n"
    library = write(tmp_path, lead=team, analyst="description: Interprets figures.\n")
    model = ScriptedModel(
        [
            use("query"),
            use("analyst"),
            "It fell by a quarter.",
            say("Revenue fell by a quarter, from 120 to 90."),
        ]
    )
    agents = Agents(Settings(), shop.runner, components=known(query), library=library, model=model, memory=shop.memory)
    lead = agents.open("lead")
    assert isinstance(lead, Team)
    result = await shop.run(lead, "How did revenue develop?")
    assert result.text == "Revenue fell by a quarter, from 120 to 90."
    assert [(step.agent, step.tool, step.arguments) for step in result.steps] == [
        ("lead", "query", {"question": "How did revenue develop?"}),
        (
            "lead",
            "analyst",
            {"message": f"How did revenue develop?\n\nFound so far:\nquery: {result.steps[0].observation}"},
        ),
    ]


def test_an_output_must_be_an_object() -> None:
    with pytest.raises(ValueError, match="type: object"):
        AgentDefinition(name="x", output={"type": "string"})
