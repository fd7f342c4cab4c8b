"""Who is compared, and how each one is set up. Not for running them: see `drive.py`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Peer:
    """One row of the table.

    Attributes:
        title: what the table calls it.
        setup: one sentence for the table's notes: what exactly was run.
        package: the distribution whose version is shown; empty where there is none.
        requirements: name of the pinned file in `requirements/`, which also names the environment.
        adapter: script in `adapters/` that runs inside that environment.
    """

    name: str
    title: str
    setup: str
    package: str = ""
    requirements: str = ""
    adapter: str = ""


QUERIST = Peer("querist", "Querist", "`querist eval run` on the installed package, base dependencies only.", "querist")
ONESHOT = Peer(
    "oneshot",
    "One shot",
    "The baseline script beside the question set: schema and question in one prompt, no retry, no checks.",
)

PEERS: tuple[Peer, ...] = (
    QUERIST,
    ONESHOT,
    Peer(
        "vanna",
        "Vanna (agent)",
        "`Agent` with `RunSqlTool` over `SqliteRunner`, as in the quickstart; the schema added to its system prompt.",
        "vanna",
        "vanna",
        "vanna_agent.py",
    ),
    Peer(
        "vanna-classic",
        "Vanna (classic)",
        "`vanna.legacy`, the method of 0.x: trained on all CREATE statements, a store that returns all of them "
        "(no embedding model), then `generate_sql` and `run_sql`.",
        "vanna",
        "vanna",
        "vanna_classic.py",
    ),
    Peer(
        "pandasai",
        "PandasAI",
        "`Agent.chat` over all tables as data frames, model by `pandasai-litellm`.",
        "pandasai",
        "pandasai",
        "pandas_ai.py",
    ),
    Peer(
        "langchain",
        "LangChain (agent)",
        "`create_agent` with `SQLDatabaseToolkit` and the SQL prompt of its tutorial, by tool calling.",
        "langchain",
        "langchain",
        "langchain_tools.py",
    ),
    Peer(
        "langchain-react",
        "LangChain (ReAct)",
        "`create_sql_agent` with its defaults (ReAct) and `handle_parsing_errors=True`.",
        "langchain-community",
        "langchain",
        "langchain_react.py",
    ),
    Peer(
        "llamaindex",
        "LlamaIndex",
        "`NLSQLTableQueryEngine` over all tables with its defaults; no embedding model.",
        "llama-index-core",
        "llamaindex",
        "llamaindex_nlsql.py",
    ),
    Peer(
        "smolagents",
        "smolagents",
        "`CodeAgent` with one SQL tool that describes the tables, as in the text-to-SQL tutorial.",
        "smolagents",
        "smolagents",
        "smolagents_code.py",
    ),
)


def find(names: list[str]) -> list[Peer]:
    """The peers with these names, in the order of the table.

    Raises:
        ValueError: a name that nobody has.
    """
    known = {peer.name for peer in PEERS}
    if strange := [name for name in names if name not in known]:
        raise ValueError(f"no peer is called {strange[0]!r}; there are {', '.join(sorted(known))}")
    return [peer for peer in PEERS if not names or peer.name in names]
