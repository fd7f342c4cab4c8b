"""Vanna as it was up to 0.7 and still ships in `vanna.legacy`: retrieve, write one query, run it.

Its store is one that hands back every CREATE statement it was trained on: its own needs an embedding model from a hub,
and with a schema that fits the prompt, retrieval could only lose tables.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from answering import Ask, Endpoint, Open, Prediction, main, schema_of


def load() -> Open:
    import openai
    import pandas as pd
    from vanna.legacy.base import VannaBase
    from vanna.legacy.openai.openai_chat import OpenAI_Chat

    class EverythingStore(VannaBase):
        def __init__(self, config: Any = None) -> None:
            super().__init__(config=config)
            self.ddl: list[str] = []

        def add_ddl(self, ddl: str, **kwargs: Any) -> str:
            self.ddl.append(ddl)
            return str(len(self.ddl))

        def add_documentation(self, documentation: str, **kwargs: Any) -> str:
            raise NotImplementedError("nothing here adds documentation")

        def add_question_sql(self, question: str, sql: str, **kwargs: Any) -> str:
            raise NotImplementedError("nothing here adds questions: each one is asked of a fresh Vanna")

        def get_related_ddl(self, question: str, **kwargs: Any) -> list[str]:
            return self.ddl

        def get_related_documentation(self, question: str, **kwargs: Any) -> list[str]:
            return []

        def get_similar_question_sql(self, question: str, **kwargs: Any) -> list[Any]:
            return []

        def get_training_data(self, **kwargs: Any) -> Any:
            return pd.DataFrame({"content": self.ddl})

        def remove_training_data(self, id: str, **kwargs: Any) -> bool:
            return False

        def generate_embedding(self, data: str, **kwargs: Any) -> list[float]:
            return []

    class Vanna(EverythingStore, OpenAI_Chat):
        def __init__(self, client: Any, config: dict[str, Any]) -> None:
            EverythingStore.__init__(self, config=config)
            OpenAI_Chat.__init__(self, client=client, config=config)

    def open_peer(database: Path, endpoint: Endpoint) -> Ask:
        client = openai.OpenAI(base_url=endpoint.base_url, api_key=endpoint.api_key, timeout=endpoint.timeout)
        vanna = Vanna(client, {"model": endpoint.model, "temperature": 0.0})
        vanna.connect_to_sqlite(str(database))
        for statement in schema_of(database).split(";\n"):
            vanna.train(ddl=statement)

        def ask(question: str) -> Prediction:
            sql = vanna.generate_sql(question)
            try:
                vanna.run_sql(sql)
            except Exception as error:  # as its `ask` does: it prints the error and returns nothing
                return Prediction("refused", sql, text=f"Couldn't run sql: {error}")
            return Prediction("answered", sql)

        return ask

    return open_peer


main(load)
