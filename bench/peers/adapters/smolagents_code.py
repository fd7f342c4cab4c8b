"""smolagents' `CodeAgent` with one SQL tool that describes the tables, as its text-to-SQL tutorial builds it.

Its answer is any Python value. The SQL that its tool ran is kept, and so is the value where it has the form of a
result; either may be what is right.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from answering import Ask, Endpoint, Open, Prediction, Queries, main, plain_rows


def load() -> Open:
    from smolagents import CodeAgent, OpenAIModel, tool
    from sqlalchemy import create_engine, inspect, text

    def open_peer(database: Path, endpoint: Endpoint) -> Ask:
        queries = Queries()
        engine = create_engine(f"sqlite:///{database}")

        @tool
        def sql_engine(query: str) -> str:
            """Runs a SQL query on the tables.

            Args:
                query: The query to perform. This should be correct SQL.
            """
            queries.tried(query)
            output = ""
            with engine.connect() as connection:
                for row in connection.execute(text(query)):
                    output += "\n" + str(row)
            queries.ran(query)
            return output

        sql_engine.description = _description(inspect(engine))
        model = OpenAIModel(
            model_id=endpoint.model,
            api_base=endpoint.base_url,
            api_key=endpoint.api_key,
            client_kwargs={"timeout": endpoint.timeout},
            temperature=0.0,
        )
        agent = CodeAgent(tools=[sql_engine], model=model)

        def ask(question: str) -> Prediction:
            result = agent.run(question, return_full_result=True)
            status = "refused" if result.state == "max_steps_error" else "answered"
            return Prediction(status, queries.answer, _rows(result.output), str(result.output)[:2000])

        return ask

    return open_peer


def _description(inspector: Any) -> str:
    lines = [
        "Allows you to perform SQL queries on the tables. Beware that this tool's output is a string representation of "
        "the execution output. It can use the following tables:"
    ]
    for table in inspector.get_table_names():
        lines.append(f"\nTable '{table}':\nColumns:")
        lines += [f"  - {column['name']}: {column['type']}" for column in inspector.get_columns(table)]
    return "\n".join(lines)


def _rows(value: Any) -> list[list[Any]] | None:
    """The answer as rows; None when it does not have that form."""
    if isinstance(value, (bool, int, float)):
        return plain_rows([[value]])
    if not isinstance(value, (list, tuple)) or not value:
        return None
    if all(isinstance(row, (list, tuple)) for row in value):
        return plain_rows(value)
    if all(isinstance(row, dict) for row in value):
        return plain_rows(row.values() for row in value)
    return plain_rows([item] for item in value)


main(load)
