"""Vanna 2: its agent with the SQL tool, as in its quickstart, with the schema in the system prompt."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from answering import Ask, Endpoint, Open, Prediction, Queries, main, said, schema_of


def load() -> Open:
    from vanna import Agent, AgentConfig
    from vanna.core.registry import ToolRegistry
    from vanna.core.system_prompt import DefaultSystemPromptBuilder
    from vanna.core.user import RequestContext, User, UserResolver
    from vanna.integrations.local import LocalFileSystem
    from vanna.integrations.local.agent_memory import DemoAgentMemory
    from vanna.integrations.openai import OpenAILlmService
    from vanna.integrations.sqlite import SqliteRunner
    from vanna.tools import RunSqlTool

    class OneUser(UserResolver):
        async def resolve_user(self, request_context: RequestContext) -> User:
            return User(id="bench", group_memberships=["users"])

    class WithSchema(DefaultSystemPromptBuilder):
        """Its default prompt knows no schema; its documentation adds such knowledge to the system prompt."""

        def __init__(self, schema: str) -> None:
            super().__init__()
            self.schema = schema

        async def build_system_prompt(self, user: User, tools: list[Any]) -> str:
            prompt = await super().build_system_prompt(user, tools)
            return f"{prompt}\n\nThe database is SQLite. Its schema:\n{self.schema}"

    class Watched(SqliteRunner):
        def __init__(self, database: str, queries: Queries) -> None:
            super().__init__(database)
            self.queries = queries

        async def run_sql(self, args: Any, context: Any) -> Any:
            self.queries.tried(args.sql)
            frame = await super().run_sql(args, context)
            self.queries.ran(args.sql)
            return frame

    def open_peer(database: Path, endpoint: Endpoint) -> Ask:
        queries = Queries()
        tools = ToolRegistry()
        files = LocalFileSystem(working_directory=tempfile.mkdtemp(prefix="vanna-"))
        run_sql = RunSqlTool(sql_runner=Watched(str(database), queries), file_system=files)
        tools.register_local_tool(run_sql, access_groups=["users"])
        agent = Agent(
            llm_service=OpenAILlmService(
                model=endpoint.model, base_url=endpoint.base_url, api_key=endpoint.api_key, timeout=endpoint.timeout
            ),
            tool_registry=tools,
            user_resolver=OneUser(),
            agent_memory=DemoAgentMemory(max_items=1000),
            system_prompt_builder=WithSchema(schema_of(database)),
            config=AgentConfig(stream_responses=False, temperature=0.0),
        )

        async def answer(question: str) -> Prediction:
            texts = []
            async for component in agent.send_message(RequestContext(), question):
                text = getattr(component.simple_component, "text", "")
                if "An unexpected error occurred" in text:
                    return Prediction("crashed", queries.answer, error="the agent reported an unexpected error")
                texts += [text] if text else []
            return said("".join(texts[-1:]), queries.answer)

        return lambda question: asyncio.run(answer(question))

    return open_peer


main(load)
