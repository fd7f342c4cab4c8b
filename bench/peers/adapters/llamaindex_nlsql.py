"""LlamaIndex's `NLSQLTableQueryEngine`: one call writes the query, one more puts its result into words."""

from __future__ import annotations

from pathlib import Path

from answering import Ask, Endpoint, Open, Prediction, main


def load() -> Open:
    from llama_index.core import SQLDatabase
    from llama_index.core.embeddings import MockEmbedding
    from llama_index.core.query_engine import NLSQLTableQueryEngine
    from llama_index.llms.openai_like import OpenAILike
    from sqlalchemy import create_engine

    def open_peer(database: Path, endpoint: Endpoint) -> Ask:
        model = OpenAILike(
            model=endpoint.model,
            api_base=endpoint.base_url,
            api_key=endpoint.api_key,
            is_chat_model=True,
            context_window=endpoint.context,
            temperature=0.0,
            timeout=endpoint.timeout,
        )
        engine = NLSQLTableQueryEngine(
            SQLDatabase(create_engine(f"sqlite:///{database}")),
            llm=model,
            embed_model=MockEmbedding(embed_dim=8),  # never asked: without one given it looks for OpenAI's
        )

        def ask(question: str) -> Prediction:
            response = engine.query(question)
            return Prediction("answered", (response.metadata or {}).get("sql_query"), text=str(response))

        return ask

    return open_peer


main(load)
