"""Querist, the façade: builds everything from settings and owns its life."""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
import logging
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from pydantic import BaseModel

from querist.agents.library import open_library
from querist.answer.answer import Answer
from querist.answer.ask import Ask, Progress
from querist.answer.understand import Turn
from querist.core.context import RunContext
from querist.core.events import Event, EventBus
from querist.core.permissions import Principal
from querist.core.registry import Registry
from querist.core.runner import Runner
from querist.errors import QueristError, UsageError
from querist.plugins.load import add_components, load_plugins
from querist.settings import Settings, load_settings
from querist.sources.base import Limits, Schema, Source
from querist.sources.open import open_sources
from querist.state.event_log import kept
from querist.state.paths import cache_dir, data_dir
from querist.state.verified_store import VerifiedQuery, VerifiedStore
from querist.tools.catalogue import ENTRIES, load_tool

if TYPE_CHECKING:
    from querist.agents.agent import Agent
    from querist.agents.build import Agents
    from querist.agents.team import Team
    from querist.analysis.agent import Analyse
    from querist.analysis.analysis import Analysis
    from querist.models.base import Model
    from querist.sources.table import Table

T = TypeVar("T")

log = logging.getLogger(__name__)

_CHANGEABLE = {"components", "concurrency", "hooks", "permissions", "token_budget", "tools"}
"""Settings that can change while a Querist is open."""
_PATIENCE = 5.0
"""Seconds that closing waits for what it has cancelled."""


class Querist:
    """Asks questions over data.

    Use it as a context manager, or call `close` when done; `aask` is for programs that already run an event loop.

    Args:
        data: paths, patterns, folders or database URLs; what the settings name when none are given.
        settings: all settings; read from `querist.yaml` and the environment by default.
        model: name of the model that writes the queries (`provider:model`), or a `Model`; else as settings say.
        on_event: called with every event, from the thread that answers.
        use_verified: whether questions are answered from verified queries.

    Raises:
        UsageError: no data are named anywhere.
        SourceNotFoundError, SourceFormatError, SourceAccessError: data that cannot be opened.
        ConfigError: the settings are wrong.

    Example:
        >>> with Querist("sales/*.csv") as querist:
        ...     print(querist.ask("What was the revenue by region in 2024?"))
    """

    def __init__(
        self,
        *data: str | Path,
        settings: Settings | None = None,
        model: str | Model | None = None,
        on_event: Callable[[Event], None] | None = None,
        use_verified: bool = True,
    ) -> None:
        self.settings = settings or load_settings()
        specs = data or self.settings.data
        if not specs:
            raise UsageError(
                "No data are named.", hint="Name files, a folder or a database URL, or set `data` in querist.yaml."
            )
        self.events = EventBus()
        if on_event is not None:
            self.events.subscribe(on_event)
        with ExitStack() as opened:  # what was opened is closed, also when what follows cannot be
            opened.enter_context(kept(self.events, self.settings.events))
            self._loop = _Loop()
            opened.callback(self._loop.close)
            self.principal = Principal.of(self.settings)
            self.runner = Runner.of(self.settings)
            self._fire("system:start")
            plugins = load_plugins(self.settings.plugins)  # first: they may bring what opens the data and the model
            self.sources: list[Source] = open_sources(list(specs), on_progress=self._tell_opening)
            for source in self.sources:
                opened.callback(source.close)
            self.model = self._open_model(model)
            opened.callback(lambda: self._loop.run(self.model.close()))
            self._opened = opened.pop_all()
        limits = self.settings.limits
        self.verified = VerifiedStore(data_dir() / "verified.sqlite")
        self.component = Ask(
            self.sources,
            self._model_at_door(),
            cache_dir() / "values",
            drafts=self.settings.answer.drafts,
            repairs=self.settings.answer.repairs,
            limits=Limits(limits.seconds, limits.rows, limits.bytes),
            verified=self.verified if use_verified else None,
            schema_tokens=self.settings.answer.schema_tokens,
            analyse=lambda: self._analyse,
        )
        self._opened.callback(self.component.close)
        self.components = Registry()
        self.components.add(self.component)
        add_components(plugins, self.components)
        self.components.add_later("analyse", lambda: self._analyse)
        self._agents_model = model
        for name in open_library(self.settings).names():
            self.components.add_later(name, functools.partial(self._agent, name))
        for tool in ENTRIES:
            self.components.add_later(tool.name, functools.partial(load_tool, tool.name))

    def _tell_opening(self, text: str) -> None:
        self.events.emit(Progress(source="ask", stage="open", detail=text))

    def _open_model(self, model: str | Model | None) -> Model:
        from querist.models.open import open_model

        if model is None or isinstance(model, str):
            return open_model(model or self.settings.models.coding, self.settings)
        return model

    def _model_at_door(self) -> Model:
        from querist.models.at_door import ModelAtDoor

        return ModelAtDoor(self.model, self.runner)

    def _context(self) -> RunContext:
        # Tools look for the settings and the runner in the context.
        return RunContext(events=self.events, principal=self.principal).with_extras(self.settings, self.runner)

    def _fire(self, point: str, value: Any = None) -> Any:
        return self._loop.run(self.runner.hooks.fire(point, value, self._context())) if self.runner.hooks else value

    def configure(self, settings: Settings) -> None:
        """Go on under other settings: how components run, what they may do, which hooks are called.

        Hooks of `system:config` may change the settings first, or forbid them. What runs already ends as it began.

        Raises:
            UsageError: what is open would have to be another, such as the data or the model.
            VetoError, HookFailedError: a hook forbids it, or must not fail and did.
        """
        self._check_open()
        changed = self._fire("system:config", settings)
        if not isinstance(changed, Settings):
            told = f"A hook of system:config gave {type(changed).__name__} in place of settings."
            raise UsageError(told, hint="Let it give the settings back, changed or not.")
        settings = changed
        fixed = [name for name in Settings.model_fields if getattr(settings, name) != getattr(self.settings, name)]
        if fixed := sorted(set(fixed) - _CHANGEABLE):
            raise UsageError(
                f"{', '.join(fixed)} cannot change while a Querist is open.",
                hint=f"Make a new one. What can change: {', '.join(sorted(_CHANGEABLE))}.",
            )
        principal = Principal.of(settings)
        if principal.budget and self.principal.budget:
            principal.budget.spend(self.principal.budget.spent)
        self.settings, self.principal = settings, principal
        self.runner.configure(settings)

    def ask(self, question: str, *, note: str = "", history: Sequence[Turn] = (), assume: bool = False) -> Answer:
        """Answer a question, and wait for the answer.

        Args:
            question: in plain language.
            note: what helps to understand it and the data do not say.
            history: earlier questions of the same session, for one that goes on from them.
            assume: answer even when the question has several readings or asks for what the data do not name, and say
                what was assumed; by default that is asked back or refused.

        Raises:
            ModelError: no model could be reached. A question that cannot be answered raises nothing: see its status.
            RunError: a limit, the budget or a hook that the settings name does not allow it.
        """
        self._check_open()
        return self._loop.run(self.aask(question, note=note, history=history, assume=assume))

    async def aask(
        self, question: str, *, note: str = "", history: Sequence[Turn] = (), assume: bool = False
    ) -> Answer:
        """As `ask`, for programs with an event loop."""
        self._check_open()
        asked = {"text": question.strip(), "note": note, "history": tuple(history), "assume": assume}
        return await self.runner.run(self.component, asked, self._context())

    def analyse(
        self, question: str, *, constraints: str = "", format: str = "", table: str = "", data: Table | None = None
    ) -> Analysis:
        """Answer a statistical question over the rows of one table, and wait for it. Needs the extra `analysis`.

        Args:
            question: in plain language.
            constraints: how to compute it, where that is prescribed.
            format: the values wanted, each as `@name[what it is]`; words when empty.
            table: the table's name; found by the words of the question when empty.
            data: the table itself, such as `answer.table`, instead of one of the sources.

        Raises:
            ModelError: no model could be reached. An analysis that cannot be made raises nothing: see its status.
            UsageError: there is no such table, or it is empty.
        """
        self._check_open()
        return self._loop.run(self.aanalyse(question, constraints=constraints, format=format, table=table, data=data))

    async def aanalyse(
        self, question: str, *, constraints: str = "", format: str = "", table: str = "", data: Table | None = None
    ) -> Analysis:
        """As `analyse`, for programs with an event loop."""
        self._check_open()
        asked = {"text": question.strip(), "constraints": constraints, "format": format, "table": table, "data": data}
        analyse = await asyncio.to_thread(lambda: self._analyse)  # the first time it tries the sandbox
        return await self.runner.run(analyse, asked, self._context())

    @functools.cached_property
    def _analyse(self) -> Analyse:
        from querist.analysis.agent import Analyse
        from querist.analysis.sandboxed import open_code

        code, why_not = open_code(self.settings.sandbox)
        analyse = Analyse(self.sources, self._model_at_door(), code, no_code=why_not)
        self._opened.callback(lambda: self._loop.run(analyse.close()))
        return analyse

    def _agent(self, name: str) -> Agent | Team:
        return self._agents.open(name)

    @functools.cached_property
    def _agents(self) -> Agents:
        from querist.agents.build import Agents

        agents = Agents(self.settings, self.runner, components=self.components, model=self._agents_model)
        self._opened.callback(lambda: self._loop.run(agents.close()))
        return agents

    def run(self, name: str, input: BaseModel | Mapping[str, Any]) -> BaseModel:
        """Run a component of `components`, and wait for what it gives. It may do what the settings permit.

        Known are `ask`, `analyse`, agents, the built-in tools, those of plugins, and what you added. An agent needs the
        permission `model:ROLE` to think.

        Args:
            input: of its input type, or a mapping that fits it.

        Raises:
            ComponentNotFoundError: there is none of that name.
            RunError: the input does not fit, a permission is missing, it failed, or took too long.
        """
        self._check_open()
        return self._loop.run(self.arun(name, input))

    async def arun(self, name: str, input: BaseModel | Mapping[str, Any]) -> BaseModel:
        """As `run`, for programs with an event loop."""
        self._check_open()
        component = await asyncio.to_thread(self.components.get, name)  # it may have to be made
        output: BaseModel = await self.runner.run(component, input, self._context())
        return output

    def verify(self, question: str, sql: str) -> VerifiedQuery:
        """Keep a query as the right one for a question; questions that mean the same are then answered from it.

        Raises:
            GuardError, QueryError: the query may not run, or does not.
        """
        from querist.answer.verified import verify

        self._check_open()
        prepared = self._loop.run(self.component.prepare())
        return verify(question, sql, prepared, self.verified, self.component.limits).query

    def schemas(self) -> dict[str, Schema]:
        """The schema of each source, by the source's name."""
        return {source.name: source.schema() for source in self.sources}

    def _check_open(self) -> None:
        if self._loop.closed:
            raise UsageError("This Querist is closed.", hint="Make a new one.")

    def close(self) -> None:
        """Close the model and the sources. What other threads wait for ends in an error; a second call does nothing."""
        if self._loop.closed:
            return
        try:
            self._fire("system:stop")
        except QueristError as error:  # no hook may keep it open
            log.warning("a hook failed when Querist was closed: %s", error)
        self._loop.give_up()
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Loop:
    """An event loop in a thread of its own, so that `ask` works in scripts, notebooks and other loops alike."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._starting = threading.Lock()
        self.closed = False

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(work, self._started())
        try:
            return future.result()
        except KeyboardInterrupt:
            future.cancel()
            raise
        except concurrent.futures.CancelledError as error:
            if not self.closed:
                raise
            raise UsageError("This Querist was closed meanwhile.", hint="Make a new one.") from error

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._starting:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="querist", daemon=True).start()
            return self._loop

    def give_up(self) -> None:
        """Cancel what runs. From now on only closing may run something."""

        async def cancel() -> None:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            if others:
                await asyncio.wait(others, timeout=_PATIENCE)

        self.closed = True
        if self._loop is not None:
            self.run(cancel())

    def close(self) -> None:
        self.closed = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
