"""LangChain's `create_sql_agent` as it comes: a ReAct agent over the SQL toolkit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from answering import Ask, Endpoint, Open, Prediction, Queries, main, said


def load() -> Open:
    from langchain_community.agent_toolkits import create_sql_agent
    from langchain_community.utilities import SQLDatabase
    from langchain_openai import ChatOpenAI

    def open_peer(database: Path, endpoint: Endpoint) -> Ask:
        queries = Queries()
        model = ChatOpenAI(
            model=endpoint.model,
            base_url=endpoint.base_url,
            api_key=endpoint.api_key,
            temperature=0,
            timeout=endpoint.timeout,
        )
        agent = create_sql_agent(
            model,
            db=watched(SQLDatabase, queries).from_uri(f"sqlite:///{database}"),
            # what its own error message tells everyone to do when a reply does not parse
            agent_executor_kwargs={"handle_parsing_errors": True},
        )

        def ask(question: str) -> Prediction:
            text = str(agent.invoke({"input": question})["output"])
            if text.startswith("Agent stopped due to"):
                return Prediction("refused", queries.answer, text=text)
            return said(text, queries.answer)

        return ask

    return open_peer


def watched(kind: Any, queries: Queries) -> Any:
    """LangChain's database class, noting the queries that its tools run."""

    class Watched(kind):
        def run(self, command: Any, *args: Any, **kwargs: Any) -> Any:
            queries.tried(str(command))
            result = super().run(command, *args, **kwargs)
            queries.ran(str(command))
            return result

    return Watched


if __name__ == "__main__":
    main(load)
