"""LangChain's SQL agent as its current tutorial builds it: `create_agent` with the SQL toolkit, by tool calling."""

from __future__ import annotations

from pathlib import Path

from answering import Ask, Endpoint, Open, Prediction, Queries, main, said
from langchain_react import watched


def load() -> Open:
    from langchain.agents import create_agent
    from langchain_community.agent_toolkits import SQLDatabaseToolkit
    from langchain_community.agent_toolkits.sql.prompt import SQL_FUNCTIONS_SUFFIX, SQL_PREFIX
    from langchain_community.utilities import SQLDatabase
    from langchain_openai import ChatOpenAI

    def prompt(dialect: str) -> str:
        """What the tutorial says, out of the package's own texts: look at the tables first, no "I don't know"."""
        *paragraphs, _ = SQL_PREFIX.format(dialect=dialect, top_k=10).strip().split("\n\n")
        return "\n\n".join([*paragraphs, SQL_FUNCTIONS_SUFFIX])

    def open_peer(database: Path, endpoint: Endpoint) -> Ask:
        queries = Queries()
        model = ChatOpenAI(
            model=endpoint.model,
            base_url=endpoint.base_url,
            api_key=endpoint.api_key,
            temperature=0,
            timeout=endpoint.timeout,
        )
        connected = watched(SQLDatabase, queries).from_uri(f"sqlite:///{database}")
        toolkit = SQLDatabaseToolkit(db=connected, llm=model)
        agent = create_agent(model, toolkit.get_tools(), system_prompt=prompt(toolkit.dialect))

        def ask(question: str) -> Prediction:
            reply = agent.invoke({"messages": [{"role": "user", "content": question}]})
            return said(str(reply["messages"][-1].content), queries.answer)

        return ask

    return open_peer


main(load)
