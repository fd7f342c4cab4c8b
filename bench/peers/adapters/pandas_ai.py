"""PandasAI 3: the tables as its data frames, `Agent.chat` over all of them, LiteLLM as its documentation has it.

It answers with a number, a text or a data frame out of generated Python, which mostly calls SQL on DuckDB. That SQL is
kept, and so are the rows of the answer; either may be what is right.
"""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import Any

from answering import Ask, Endpoint, Open, Prediction, Queries, main, plain_rows


def load() -> Open:
    import pandas as pd
    import pandasai as pai
    from pandasai import Agent
    from pandasai_litellm.litellm import LiteLLM

    class Watched(Agent):
        queries: Queries
        rows: list[list[Any]] | None = None

        def _execute_sql_query(self, query: str) -> Any:
            self.queries.tried(query)
            frame = super()._execute_sql_query(query)
            self.queries.ran(query)
            self.rows = plain_rows(frame.itertuples(index=False))
            return frame

    def open_peer(database: Path, endpoint: Endpoint) -> Ask:
        pai.config.set(
            {
                "llm": LiteLLM(
                    model=f"openai/{endpoint.model}",
                    api_base=endpoint.base_url,
                    api_key=endpoint.api_key,
                    temperature=0,
                    timeout=endpoint.timeout,
                ),
                "save_logs": False,
            }
        )
        # Upper case and blanks in a table's name are refused by PandasAI; its SQL is the same without.
        frames = {re.sub(r"\W", "_", name.lower()): frame for name, frame in _tables(pd, database).items()}
        agent = Watched([pai.DataFrame(frame, _table_name=name) for name, frame in frames.items()])
        agent.queries = Queries()

        def ask(question: str) -> Prediction:
            response = agent.chat(question)
            sql = agent.queries.answer
            if response is None or response.type == "error":
                return Prediction("refused", sql, text=str(response))
            rows = _rows(pd, response)
            # a text may say the result in words: then the rows of its last query stand for it
            return Prediction("answered", sql, agent.rows if rows is None else rows, str(response.value)[:2000])

        return ask

    return open_peer


def _tables(pd: Any, database: Path) -> dict[str, Any]:
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    connection.text_factory = lambda raw: raw.decode("utf-8", "ignore")
    try:
        names = connection.execute(
            "select name from sqlite_master where type in ('table', 'view') and name not like 'sqlite_%'"
        ).fetchall()
        quoted = {name: '"' + name.replace('"', '""') + '"' for (name,) in names}
        return {name: pd.read_sql_query(f"select * from {sql}", connection) for name, sql in quoted.items()}
    finally:
        connection.close()


def _rows(pd: Any, response: Any) -> list[list[Any]] | None:
    """The answer as rows; None when it is a text or a picture."""
    if response.type == "number":
        return plain_rows([[response.value]])
    if response.type != "dataframe":
        return None
    value = response.value
    if isinstance(value, pd.Series):
        value = value.to_frame() if isinstance(value.index, pd.RangeIndex) else value.reset_index()
    elif isinstance(value, dict):
        value = pd.DataFrame(value)
    return plain_rows(value.itertuples(index=False))


main(load)
