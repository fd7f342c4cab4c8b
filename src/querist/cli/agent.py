"""`querist agent`: run, list, show and write agents."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from querist.cli.errors import harmless
from querist.cli.output_file import check_writable, write_whole
from querist.errors import ModelNotFoundError, QueristError, UsageError

if TYPE_CHECKING:
    from querist.agents.agent import Agent
    from querist.agents.conversation import AgentState
    from querist.agents.definition import AgentDefinition
    from querist.agents.library import AgentLibrary
    from querist.agents.task import AgentResult
    from querist.agents.team import Team
    from querist.app import Querist
    from querist.core.events import Event
    from querist.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Run agents: models with instructions, tools and a memory.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Name = Annotated[str, typer.Argument(help="Name of an agent; `querist agent list` shows all.")]


@app.command()
def run(
    name: Name,
    message: Annotated[str, typer.Argument(help="What it is to do; - reads it from the standard input.")],
    data: Annotated[
        list[str] | None,
        typer.Option(
            "--data",
            "-d",
            metavar="DATA",
            help="Data that the agent may ask (its tool `ask`); may be given several times.",
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model", "-m", metavar="MODEL", help="A role or provider:model, in place of what the agent says."
        ),
    ] = None,
    grant: Annotated[
        list[str] | None,
        typer.Option(
            "--grant",
            "-g",
            metavar="KIND:SCOPE",
            help="What its tools may do, such as file_read:./docs or network:*.example.org.",
        ),
    ] = None,
    variable: Annotated[
        list[str] | None,
        typer.Option("--var", metavar="NAME=VALUE", help="For its instructions; may be given several times."),
    ] = None,
    session: Annotated[
        str,
        typer.Option("--session", "-s", metavar="NAME", help="Go on with the conversation of this name, and keep it."),
    ] = "",
    restore: Annotated[
        Path | None, typer.Option("--restore", metavar="FILE", help="Begin with a state that --save has written.")
    ] = None,
    save: Annotated[
        Path | None, typer.Option("--save", metavar="FILE", help="Write the agent's state to this file afterwards.")
    ] = None,
    as_json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Do not show the steps.")] = False,
) -> None:
    """Let an agent do something, and watch its steps.

    \b
    Examples:
      querist agent run chat "How many days are there until the end of the year?"
      querist agent run data_analyst --data sales.csv "Which region grows fastest, and by how much?"
      querist agent run code --grant file_read:./src "What does src/main.py do?"
    """
    from querist.settings import load_settings
    from querist.sources.text_encoding import decode

    text = decode(sys.stdin.buffer.read())[0] if message == "-" else message
    if not text.strip():
        raise UsageError("There is nothing to do: the message is empty.")
    task = {"message": text.strip(), "variables": _variables(variable), "session": session}
    if (save or restore) and not session:
        raise UsageError("A state belongs to a session.", hint="Name it with --session.")
    state = _read_state(restore) if restore else None
    if save is not None:
        check_writable(save)
    with _steps(quiet=quiet or as_json) as watch:
        result, agent = _run(name, task, load_settings(), data, model, grant or [], watch, state, save is not None)
    if as_json:
        typer.echo(result.model_dump_json(indent=2))  # what a tool gave may hold NaN, which is no JSON
    else:
        typer.echo(harmless(result.text))
        _draw(result)
        _tell(result)
    if save is not None:  # last, so that the answer is not lost with the file
        write_whole(save, _single(agent).state(session).model_dump_json(indent=2) + "\n")


@app.command("list")
def list_agents(as_json: Json = False) -> None:
    """List all agents: your own, and those that come with Querist."""
    library = _library()
    found = [_listed(library, name) for name in library.names()]
    if as_json:
        _print_json(found)
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    grid = Table(box=None, pad_edge=False)
    for title in ("agent", "what it does", "tools"):
        grid.add_column(title, overflow="fold")
    for agent in found:
        about = f"[red]{escape(agent['error'])}[/]" if agent["error"] else escape(agent["description"])
        grid.add_row(f"[bold]{agent['name']}[/]", about, escape(", ".join(agent["tools"])))
    Console(highlight=False).print(grid)


@app.command()
def show(name: Name, as_json: Json = False) -> None:
    """Show what an agent is made of, what it extends included.

    Example: querist agent show data_analyst
    """
    library = _library()
    definition = library.definition(name)
    if as_json:
        shown = definition.model_dump(mode="json", exclude={"extends", "replace", "instructions_file"})
        _print_json(shown | {"file": str(library.files(name)[0])})
        return
    typer.echo(f"{name}: {definition.description}")
    typer.echo(f"  file          {library.files(name)[0]}")
    for title, value in _facts(definition):
        if value:
            typer.echo(f"  {title:<13} {value}")
    for tool in (*definition.tools, *(definition.team.members if definition.team else ())):
        typer.echo(f"  tool          {tool}{_about(tool)}")
    if definition.instructions:
        typer.echo("\n" + definition.instructions.strip())


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Letters, digits, _ and -.")],
    extends: Annotated[
        str | None, typer.Option("--extends", metavar="AGENT", help="An agent that the new one starts from.")
    ] = None,
) -> None:
    """Write the file of a new agent, with comments on what can be set.

    Example: querist agent new clerk --extends chat
    """
    import re

    from querist.agents.library import FOLDER
    from querist.settings.load import find_file

    library = _library()
    if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name):
        raise UsageError(f"{name!r} is no name of an agent.", hint="Use 1 to 64 letters, digits, hyphens, underscores.")
    if extends is not None:
        library.definition(extends)
    path = (find_file() or Path("querist.yaml")).parent / FOLDER / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(_SKELETON.format(name=name, extends=f"extends: {extends}" if extends else "# extends: chat"))
    except FileExistsError as error:
        raise UsageError(f"{path} is there already.", hint="Give the agent another name, or edit that file.") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error
    typer.echo(f'{path} is written. Try it: querist agent run {name} "Hello"')


_SKELETON = """\
# The agent {name}. Try it: querist agent run {name} "..."
description: Answers questions in one sentence.   # by this, people and other agents choose it
{extends}   # start from another agent: instructions and tools below are added to its own

model: fast            # reasoning, coding, fast, or provider:model
# max_tokens: 512      # the longest reply
# temperature: 0.0

instructions: |
  You answer in one sentence.
# instructions_file: prompts/{name}.md   # a longer text, beside this file
# variables: {{tone: friendly}}          # for {{{{ tone }}}} in the instructions

tools: [calculator]    # querist tool list
# begin_with: ask      # a tool that gets the message before the model thinks
# verbatim: true       # tools get the message as it stands: for small models
# grounded: true       # it answers only with numbers that tools have found
# agents: [research]   # agents that it may ask
# handoffs: [{{to: customer_service, when: the customer has a complaint}}]

# memory: {{tokens: 2000, facts: true}}  # how long a conversation may be; remember, recall and forget
# limits: {{steps: 8, tokens: 50000, seconds: 600}}
# output: {{type: object, properties: {{answer: {{type: string}}}}, required: [answer]}}
"""


def _run(
    name: str,
    task: dict[str, Any],
    settings: Settings,
    data: list[str] | None,
    model: str | None,
    grants: Sequence[str],
    watch: _Watch | None,
    state: AgentState | None,
    saves: bool,
) -> tuple[AgentResult, Agent | Team]:
    from querist.agents.build import Agents
    from querist.core.context import RunContext
    from querist.core.events import EventBus
    from querist.core.permissions import Grant, Principal
    from querist.core.registry import Registry
    from querist.core.runner import Runner
    from querist.plugins.load import add_components, load_plugins
    from querist.state.event_log import kept

    principal = Principal.of(settings)
    # Who runs an agent wants it to think; all else that it may do is granted by name.
    allowed = (*principal.grants, *map(Grant.parse, grants), Grant("model", "*"))
    with contextlib.ExitStack() as stack:
        if data or settings.data:
            querist = stack.enter_context(_querist(data, model))
            runner, events, components = querist.runner, querist.events, querist.components
        else:
            runner, events, components = Runner.of(settings), EventBus(), Registry()
            stack.enter_context(kept(events, settings.events))
            add_components(load_plugins(settings.plugins), components)
        agents = Agents(settings, runner, components=components, model=model)
        agent = _opened(agents.open, name, settings, model)
        if state is not None:
            _single(agent).restore(state)
        if saves:  # told before it runs, if it keeps none
            _single(agent)
        if watch is not None:
            events.subscribe(watch.on_event, "agent.*")
        context = RunContext(events=events, principal=replace(principal, grants=allowed)).with_extras(settings)

        async def done() -> AgentResult:
            try:
                return await runner.run(agent, task, context)
            finally:
                await agents.close()

        return asyncio.run(done()), agent


def _querist(data: list[str] | None, model: str | None) -> Querist:
    """The data, opened, and what answers questions about them. Its queries are written by the model for coding."""
    from querist.cli.ask import open_querist
    from querist.cli.live import Live

    with Live() as live:
        return open_querist(data, model if model and ":" in model else None, None, live)


def _opened(open_agent: Any, name: str, settings: Settings, model: str | None) -> Agent | Team:
    """The agent; a built-in model that is missing is offered to be fetched, where there is a terminal."""
    from querist.cli.fetch import offer_to_fetch

    opened: Agent | Team
    try:
        opened = open_agent(name)
    except ModelNotFoundError:
        names = [model] if model and ":" in model else settings.models.reasoning
        if not offer_to_fetch(names):
            raise
        opened = open_agent(name)
    return opened


def _read_state(path: Path) -> AgentState:
    from pydantic import ValidationError

    from querist.agents.conversation import AgentState

    try:
        return AgentState.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UsageError(f"The state cannot be read from {path}: {error.strerror}.") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "it"
        raise UsageError(f"{path} holds no state of an agent: {where}: {first['msg']}.") from error


def _single(agent: Agent | Team) -> Agent:
    from querist.agents.agent import Agent

    if isinstance(agent, Agent):
        return agent
    raise UsageError(f"{agent.name!r} is a team, which keeps no state.", hint="Its members do: save those.")


_WIDEST = 200
"""Characters of a step that are shown."""


class _Watch:
    """Shows the steps of agents as they happen, on the error stream."""

    def __init__(self, status: Any = None) -> None:
        self._status = status

    def on_event(self, event: Event) -> None:
        from querist.agents.agent import ToolCalled, ToolObserved
        from querist.agents.handoff import HandedOff
        from querist.agents.team import MemberFinished

        match event:
            case ToolCalled():
                arguments = ", ".join(f"{name}={value!r}" for name, value in event.arguments.items())
                self._print(f"{event.source} → {event.tool}({arguments})")
            case ToolObserved():
                self._print(f"  {'failed: ' if event.error else ''}{event.text}")
            case MemberFinished():
                self._print(f"{event.source} ← {event.member}: {event.text}")
            case HandedOff():
                self._print(f"{event.source} hands over to {event.to}")

    def _print(self, text: str) -> None:
        line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
        shown = line if len(line) <= _WIDEST else line[: _WIDEST - 1] + "…"
        if self._status is None:
            typer.echo(shown, err=True)
        else:
            self._status.console.print(shown, markup=False, highlight=False, style="dim")


@contextlib.contextmanager
def _steps(*, quiet: bool) -> Iterator[_Watch | None]:
    """What shows the steps; on a terminal with a line that says that the model thinks."""
    if quiet:
        yield None
    elif not sys.stderr.isatty():
        yield _Watch()
    else:
        from rich.console import Console

        with Console(stderr=True).status("Thinking") as status:
            yield _Watch(status)


def _draw(result: AgentResult) -> None:
    """The charts that tools have drawn."""
    from querist.charts.chart import Chart
    from querist.tools.data.visualizer import Charts

    for step in result.steps:
        if isinstance(step.output, Charts):
            for drawn in step.output.charts:
                typer.echo("\n" + Chart(drawn.spec, drawn.kind, tuple(drawn.notes)).text())


_STOPPED = {
    "steps": "It ran out of steps and answered with what it had; limits.steps allows more.",
    "repeats": "It kept asking for the same and had to answer with what it had.",
    "ungrounded": "These are the results themselves.",
    "no_consensus": "No proposal got enough votes; this is the one with most.",
}


def _tell(result: AgentResult) -> None:
    """What a person should know beside the answer."""
    for note in (*result.notes, *([_STOPPED[result.stopped]] if result.stopped else [])):
        typer.echo(f"! {harmless(note)}", err=True)


def _library() -> AgentLibrary:
    from querist.agents.library import open_library
    from querist.settings import load_settings

    return open_library(load_settings())


def _listed(library: AgentLibrary, name: str) -> dict[str, Any]:
    """A line of the list. A file that is wrong is told and does not hide the others."""
    file = str(library.files(name)[0])
    try:
        definition = library.definition(name)
    except QueristError as error:
        return {"name": name, "description": "", "tools": [], "file": file, "error": error.message}
    uses = [*definition.tools, *definition.agents, *(definition.team.members if definition.team else ())]
    return {"name": name, "description": definition.description, "tools": uses, "file": file, "error": ""}


def _facts(definition: AgentDefinition) -> list[tuple[str, str]]:
    limits, team = definition.limits, definition.team
    return [
        ("good at", ", ".join(definition.capabilities)),
        ("model", definition.model),
        ("team", team.strategy if team else ""),
        ("agents", ", ".join(definition.agents)),
        ("begins with", definition.begin_with or ""),
        ("tools get", "the message as it stands" if definition.verbatim else ""),
        ("answers with", "numbers of results only" if definition.grounded else ""),
        ("hands over to", ", ".join(handoff.to for handoff in definition.handoffs)),
        ("memory", "remembers facts" if definition.memory.facts else ""),
        ("variables", ", ".join(f"{name}={value!r}" for name, value in definition.variables.items())),
        ("limits", f"{limits.steps} steps, {limits.tokens:,} tokens, {limits.seconds:.0f} s"),
    ]


def _about(tool: str) -> str:
    """What a tool needs to work, as far as the catalogue says."""
    from querist.tools.catalogue import ENTRIES

    entry = next((entry for entry in ENTRIES if entry.name == tool), None)
    if entry is None:
        return {"ask": "  (needs --data)", "analyse": "  (needs --data, querist[analysis])"}.get(tool, "")
    needs = [f"--grant {kind}:…" for kind in entry.permissions] + ([f"querist[{entry.extra}]"] if entry.extra else [])
    return f"  (may need {', '.join(needs)})" if needs else ""


def _variables(given: list[str] | None) -> dict[str, str]:
    variables = {}
    for pair in given or []:
        name, sign, value = pair.partition("=")
        if not sign or not name.strip():
            raise UsageError(f"{pair!r} is no variable.", hint="Write --var NAME=VALUE.")
        variables[name.strip()] = value
    return variables


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))
