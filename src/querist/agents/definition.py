"""What an agent is made of, as a YAML file or Python states it, and how one extends another.

Not for finding definitions by name (`library.py`), nor for making agents of them (`build.py`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from querist.errors import UsageError
from querist.settings.file import Problem, read_file
from querist.settings.mistakes import config_error, problem_of
from querist.settings.policy import HookSettings

ROLES = ("reasoning", "coding", "fast")
ADDITIVE = ("instructions", "tools", "agents", "handoffs", "hooks", "capabilities")
"""What a child adds to its parent's, unless it names it under `replace`."""

Name = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
Names = tuple[Name, ...]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AgentLimits(_Part):
    """Bounds of one run.

    Attributes:
        steps: the most model calls; the last of them can only answer.
        tokens: read and written by all its model calls; no call is begun beyond it.
        seconds: for everything, including the agents below it.
        observation: characters of a tool's result that the model gets to read.
        hops: agents that may be inside each other, through hand-offs or as tools.
    """

    steps: int = Field(default=8, ge=1, le=100)
    tokens: int = Field(default=50_000, ge=1)
    seconds: float = Field(default=600.0, gt=0, allow_inf_nan=False)
    observation: int = Field(default=2000, ge=100)
    hops: int = Field(default=5, ge=1, le=50)


class MemoryOptions(_Part):
    """What is kept between runs.

    Attributes:
        tokens: about how long a conversation may be; what is older is summarised.
        facts: whether the agent has the tools `remember`, `recall` and `forget`, and is told what it knows of a matter.
    """

    tokens: int = Field(default=2000, ge=100)
    facts: bool = False


def _handoff(value: Any) -> Any:
    return {"to": value} if isinstance(value, str) else value


class HandoffOptions(_Part):
    """An agent that may take over.

    Attributes:
        when: for the model that decides.
        variables: names of those passed on; all of them by default.
        history: whether the conversation so far is passed on.
    """

    to: Name
    when: str = ""
    variables: tuple[str, ...] | None = None
    history: bool = True


class TeamOptions(_Part):
    """Several components that work on one task; see `team.py` for what the strategies do.

    Attributes:
        members: names of agents and tools.
        backup: does what a member failed to do.
        on_failure: of a member without a backup: go on with the others, or stop.
        threshold: share of the votes that a proposal needs (consensus).
    """

    strategy: Literal["sequential", "parallel", "hierarchical", "consensus"]
    members: Annotated[Names, Field(min_length=1)]
    backup: Name | None = None
    on_failure: Literal["skip", "stop"] = "skip"
    threshold: float = Field(default=0.5, gt=0, le=1)


class AgentDefinition(_Part):
    """An agent, or with `team` several that work together.

    Attributes:
        extends: an agent whose definition this one starts from. Instructions, tools and the other fields of `ADDITIVE`
            are added to its; others override.
        replace: fields of `ADDITIVE` that override as well.
        model: a role (`reasoning`, `coding`, `fast`) or `provider:model`.
        instructions: what it is told to be and do; may hold `{{ variable }}` (Jinja).
        instructions_file: read into `instructions`; beside the YAML file.
        variables: defaults for the instructions; a task may give others.
        tools, agents: names of components that it may use, and of agents that it may ask.
        begin_with: a tool that gets the message of a new conversation before the model thinks. For tools that know what
            a model must not make up: a small one would rather answer than ask.
        verbatim: the model chooses tools and writes no text or rows for them: they get the message as it stands (agents
            with what was found so far) and the rows of the last table. When one has answered, others that get the same
            message are offered no more. In a conversation that goes on it writes, as the message does not stand alone.
        grounded: it answers only when a tool has been used, and only with numbers that a result or the message
            contains. Where it does not after being told, the results themselves are the answer; with `verbatim` also
            where a table of several rows was found.
        hooks: built-in hooks for its runs and for all that runs inside them.
        capabilities: what it is good for, in words for people.
        output: JSON Schema of its answer, or a pydantic model; text without.
    """

    name: Name
    description: str = ""
    extends: Name | None = None
    replace: tuple[Literal["instructions", "tools", "agents", "handoffs", "hooks", "capabilities"], ...] = ()
    model: Annotated[str, Field(pattern=r"^(reasoning|coding|fast|[^:\s]+:\S+)$")] = "reasoning"
    temperature: float = Field(default=0.0, ge=0, le=2)
    max_tokens: int = Field(default=512, ge=16)
    instructions: str = ""
    instructions_file: str = ""
    variables: dict[str, Any] = Field(default_factory=dict)
    tools: Names = ()
    agents: Names = ()
    begin_with: Name | None = None
    verbatim: bool = False
    grounded: bool = False
    handoffs: tuple[Annotated[HandoffOptions, BeforeValidator(_handoff)], ...] = ()
    memory: MemoryOptions = MemoryOptions()
    limits: AgentLimits = AgentLimits()
    hooks: tuple[HookSettings, ...] = ()
    output: type[BaseModel] | dict[str, Any] | None = None
    team: TeamOptions | None = None
    capabilities: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _output_is_an_object(self) -> AgentDefinition:
        if isinstance(self.output, dict) and self.output.get("type") != "object":
            raise ValueError("'output' must be a JSON Schema with `type: object`")
        return self

    def output_schema(self) -> dict[str, Any] | None:
        """JSON Schema of the answer; None when it is text."""
        return self.output if isinstance(self.output, dict) or self.output is None else self.output.model_json_schema()


def read_definition(path: Path, environ: Mapping[str, str] | None = None) -> AgentDefinition:
    """The definition in a YAML file, whose name is the agent's.

    Raises:
        ConfigError: something in it is wrong; its message tells every mistake with line and column.
    """
    layer = read_file(path, os.environ if environ is None else environ)
    problems = list(layer.problems)
    values = {**layer.values, "name": path.stem}
    if layer.values.get("name", path.stem) != path.stem:
        problems.append(Problem(layer.places[("name",)], f"the name of an agent is that of its file, {path.stem!r}"))
    if isinstance(file := values.get("instructions_file"), str) and file:
        try:
            values["instructions"] = _joined(_beside(path, file), str(values.get("instructions", "")))
        except (OSError, ValueError) as error:
            place = layer.places[("instructions_file",)]
            problems.append(Problem(place, f"the instructions cannot be read from {file!r}: {error}"))
    try:
        definition = AgentDefinition.model_validate(values)
    except ValidationError as error:
        details = error.errors(include_url=False)
        problems += [problem_of(detail, [layer], AgentDefinition, "field") for detail in details]
    if problems:
        raise config_error(problems, f"the agent {path.name}")
    return definition


def inherit(parent: AgentDefinition, child: AgentDefinition) -> AgentDefinition:
    """The child with what it does not say itself taken from its parent."""
    given = child.model_fields_set - {"extends", "replace", "instructions_file"}
    changes: dict[str, Any] = {}
    for name in given:
        own, theirs = getattr(child, name), getattr(parent, name)
        if name in ADDITIVE and name not in child.replace:
            changes[name] = _added(theirs, own)
        elif name in ("memory", "limits"):
            changes[name] = theirs.model_copy(update={key: getattr(own, key) for key in own.model_fields_set})
        elif name == "variables":
            changes[name] = {**theirs, **own}
        else:
            changes[name] = own
    changes["name"] = child.name
    return parent.model_copy(update=changes)


def _added(theirs: Any, own: Any) -> Any:
    return _joined(theirs, own) if isinstance(own, str) else (*theirs, *(item for item in own if item not in theirs))


def _joined(*texts: str) -> str:
    return "\n\n".join(text.strip() for text in texts if text.strip())


def _beside(path: Path, file: str) -> str:
    """The text of a file in the definition's folder or below: it goes to a model, so nothing else may be named."""
    folder = path.parent.resolve()
    found = (folder / file).resolve()
    if folder not in found.parents:
        raise ValueError("it is not in the folder of the agent")
    return found.read_text(encoding="utf-8")


def checked(definition: AgentDefinition) -> AgentDefinition:
    """The definition, when there is enough in it to make an agent of.

    Raises:
        UsageError: it has no description.
    """
    if not definition.description:
        raise UsageError(
            f"The agent {definition.name!r} has no description.",
            hint="Add `description:`; people and other agents choose it by that.",
        )
    return definition
