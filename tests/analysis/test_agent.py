"""An analysis goes two ways, says what they agree on, and claims nothing that no result contains."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from querist.analysis.agent import Analyse, AnalysisQuestion
from querist.analysis.analysis import Analysis
from querist.analysis.generated import Ran
from querist.analysis.techniques.describe import Describe
from querist.core.runner import Runner
from querist.errors import ModelOutputError, ModelTimeoutError, UsageError
from querist.sources.open import open_sources
from querist.sources.table import ResultColumn, Table
from tests.scripted_model import Answer, ScriptedModel

pytestmark = pytest.mark.anyio

TABLE = Table(
    (ResultColumn("city"), ResultColumn("height"), ResultColumn("rent")),
    (("A", 1, 10.0), ("A", 2, 19.0), ("B", 3, 31.0), ("B", 4, 42.0), ("b", 5, None)),
)
MEAN: dict[str, Any] = {
    "analyses": [{"technique": "describe", "columns": ["rent"], "statistics": ["mean"], "by": ""}],
    "prepare": [],
}


CODE = {"analyses": [{"technique": "code"}], "prepare": []}
READING = "mean = mean_rent"
MEANS, SUMS = "answers = {'mean': df['rent'].mean()}", "answers = {'mean': df['rent'].sum() / 4}"


class Script:
    """Stands for the sandbox: tells the results that the code would have."""

    isolation = "a script"

    def __init__(self, *results: Ran) -> None:
        self.results = list(results)
        self.codes: list[str] = []
        self.warm_calls = 0

    async def warm(self) -> None:
        self.warm_calls += 1

    async def run(self, code: str, frames: Mapping[str, pd.DataFrame]) -> Ran:
        self.codes.append(code)
        return self.results.pop(0)

    async def close(self) -> None:
        return None


def found_mean() -> Script:
    return Script(Ran({"mean rent": 25.5}))


async def analyse(*replies: Answer, code: Script | None = None, **question: Any) -> tuple[Analysis, ScriptedModel]:
    model = ScriptedModel(list(replies))
    asked = AnalysisQuestion(text="What is the mean rent?", **{"data": TABLE, "format": "@mean[value]", **question})
    return await Runner().run(Analyse((), model, code), asked), model


async def test_techniques_and_code_that_agree() -> None:
    code = Script(Ran({"mean": 25.5}))
    result, model = await analyse(MEAN, READING, "```python\nanswers = {'mean': df.Rent.mean()}\n```", code=code)
    assert (result.status, result.values) == ("agreed", {"mean": 25.5})
    assert result.text == "mean: 25.5"
    assert [attempt.agrees for attempt in result.attempts] == [True, True]
    assert result.isolation == "a script"
    assert "height: number, one of 1, 2, 3, 4, 5" in model.requests[0].messages[0].content


async def test_a_difference_is_told() -> None:
    code = Script(Ran({"mean": 1}), Ran({"mean": 2}))
    result, _ = await analyse(MEAN, READING, MEANS, SUMS, code=code)
    assert (result.status, result.values) == ("unverified", {"mean": 1})
    assert result.warnings[-1] == (
        "The 3 drafts gave different results; this is that of one of them: describe gives mean: 25.5; "
        "other code gives mean: 2."
    )


async def test_other_code_decides_between_two_that_differ() -> None:
    code = Script(Ran({"mean": 1}), Ran({"mean": 25.5}))
    result, _ = await analyse(MEAN, READING, SUMS, MEANS, code=code)
    assert (result.status, result.values) == ("agreed", {"mean": 25.5})
    assert [attempt.agrees for attempt in result.attempts] == [True, False, True]


async def test_code_does_not_confirm_code() -> None:
    code = Script(Ran({"mean": 1}), Ran({"mean": 1.0}))
    result, _ = await analyse(MEAN, READING, SUMS, MEANS, code=code)
    assert (result.status, result.values) == ("unverified", {"mean": 1})
    assert [attempt.agrees for attempt in result.attempts] == [False, True, True]
    assert result.warnings[-1] == (
        "The 3 drafts gave different results; this is that of 2 that came about in the same way: "
        "describe gives mean: 25.5."
    )


async def test_the_same_code_again_is_no_second_opinion() -> None:
    code = Script(Ran({"mean": 1}), Ran({"mean": 1}))
    result, _ = await analyse(MEAN, READING, SUMS, SUMS, code=code)
    assert result.status == "unverified"
    assert "The 2 drafts gave different results; this is that of one of them" in result.warnings[-1]


async def test_what_only_a_guess_confirms_is_unverified() -> None:
    result, _ = await analyse(MEAN, READING, SUMS, code=Script(Ran({"average": 25.5})))
    assert (result.status, result.values) == ("unverified", {"mean": 25.5})
    assert result.warnings[-1] == "Values were taken by their order: 'average' for mean."


async def test_code_that_states_a_value_computes_none() -> None:
    result, _ = await analyse(MEAN, READING, "answers = {'mean': 25.5}", code=Script(Ran({"mean": 25.5})))
    assert result.status == "unverified"
    assert result.warnings[-1] == "The code states mean and does not compute it."
    by_rule = "answers = {'mean': 0}\nif len(df) > 2:\n    answers['mean'] = 25.5"
    result, _ = await analyse(MEAN, READING, by_rule, code=Script(Ran({"mean": 25.5})))
    assert result.status == "agreed"


async def test_a_remedy_of_the_code_that_agrees_is_told() -> None:
    code = Script(Ran({"mean": None}), Ran({"mean": 25.5}))
    result, _ = await analyse(MEAN, READING, "answers = {'mean': scipy.stats.tmean(df['rent'])}", code=code)
    assert result.status == "agreed"
    assert "Left out missing values of rent, for the code." in result.warnings
    assert "df['rent'].dropna()" in code.codes[1]


async def test_a_remedy_that_fails_leaves_what_the_code_gave() -> None:
    code = Script(Ran({"mean": 25.5, "more": None}), Ran(error="ValueError: lengths differ"))
    lines = "answers = {'mean': df['rent'].mean(), 'more': scipy.stats.tmean(df['rent'])}"
    result, _ = await analyse(MEAN, READING, lines, code=code)
    assert (result.status, result.values) == ("agreed", {"mean": 25.5})


async def test_a_column_that_is_not_there_is_not_swapped_for_its_neighbour() -> None:
    code = Script(Ran(error="KeyError: 'rents'"), Ran(error="KeyError: 'rents'"))
    wrong = "answers = {'mean': df['rents'].mean()}"
    analyses = [{"technique": "describe", "columns": ["new_1"], "statistics": ["mean"], "by": ""}]
    plan = {"analyses": analyses, "prepare": [{"do": "new_column", "name": "new_1", "sql": "rents * 1"}]}
    result, _ = await analyse(plan, wrong, SUMS, code=code)
    assert result.status == "failed"
    assert "df['rents']" in code.codes[0]


async def test_values_have_the_decimals_that_were_asked_for() -> None:
    rounded = "@mean[the mean rent, rounded to one decimal]"
    code = Script(Ran({"mean": 25.5}))
    result, _ = await analyse(MEAN, "mean = mean_rent + 0.04", MEANS, code=code, format=rounded)
    assert (result.status, result.values) == ("agreed", {"mean": 25.5})
    assert result.findings[0].value == 25.5


async def test_in_words_a_technique_is_told_rather_than_code_that_differs() -> None:
    code = Script(Ran({"n": 1}), Ran({"n": 2}))
    replies = ("answers = {'n': 1}", "answers = {'n': 2}", "The mean rent is 25.5.")
    result, _ = await analyse(MEAN, *replies, code=code, format="")
    assert (result.techniques, result.status) == (["describe"], "unverified")
    assert result.values == {"mean_rent": 25.5}


async def test_code_that_fails_is_repaired_with_its_error() -> None:
    plan = {"analyses": [{"technique": "code"}], "prepare": []}
    code = Script(Ran(error="Traceback ...\nKeyError: 'rents'"), Ran({"mean": 25.5}))
    result, model = await analyse(plan, "answers = {'mean': df['rents'].sum()}", "answers = {'mean': 25.5}", code=code)
    assert (result.values, result.chart) == ({"mean": 25.5}, None)
    assert "KeyError: 'rents'" in model.requests[-1].messages[-1].content
    assert [attempt.error for attempt in result.attempts] == [
        "No standard technique fits.",
        "KeyError: 'rents'",
        "",
    ]


async def test_code_that_only_states_its_answer_is_no_analysis() -> None:
    plan = {"analyses": [{"technique": "code"}], "prepare": []}
    stated = "answers = {'what it is': 'The rents differ'}"
    code = Script(Ran({"what it is": "The rents differ"}), Ran({"rent": 25.5}))
    replies = (plan, stated, "answers = {'rent': df['rent'].mean()}", "The rent is 25.5.")
    result, model = await analyse(*replies, code=code, format="")
    assert "computes nothing from df" in model.requests[2].messages[-1].content
    assert (result.status, result.values) == ("unverified", {"rent": 25.5})


async def test_what_the_values_of_code_belong_to_is_told() -> None:
    plan = {"analyses": [{"technique": "code"}], "prepare": []}
    code = Script(Ran({"mean rent": {"A": 14.5, "B": 36.5}}))
    replies = (plan, "answers = {'mean rent': df.groupby('city')['rent'].mean().to_dict()}", "The mean is 99.")
    result, _ = await analyse(*replies, code=code, format="")
    assert result.text == "mean rent: A: 14.5, B: 36.5"


async def test_code_has_a_picture_of_the_columns_that_it_reads() -> None:
    plan = {"analyses": [{"technique": "code"}], "prepare": []}
    code = Script(Ran({"mean": 25.5}))
    result, _ = await analyse(plan, "answers = {'mean': df.groupby('city')['rent'].mean().mean()}", code=code)
    assert result.chart is not None
    assert (result.chart.kind, result.chart.title) == ("bar", "What is the mean rent?")
    assert result.chart.notes[0] == "This shows the data that the code read (city, rent), not its result."


async def test_where_code_and_a_technique_agree_the_picture_is_what_the_technique_found() -> None:
    code = Script(Ran({"mean": 25.5}))
    result, _ = await analyse(MEAN, READING, "answers = {'mean': df['rent'].mean()}", code=code)
    assert result.status == "agreed"
    assert result.chart is not None
    assert result.chart.title == "Distribution of Rent"


async def test_where_a_model_insists_on_code_that_failed_it_is_asked_for_other_code() -> None:
    plan = {"analyses": [{"technique": "code"}], "prepare": []}
    code = Script(Ran(error="KeyError: 'rents'"), Ran({"mean": 25.5}))
    wrong = "answers = {'mean': df['rents'].sum()}"
    result, model = await analyse(plan, wrong, f"```python\n{wrong}\n```", "answers = {'mean': 25.5}", code=code)
    assert result.values == {"mean": 25.5}
    assert model.requests[-1].temperature > 0


async def test_where_nothing_runs_the_reason_is_told() -> None:
    plan = {
        "analyses": [{"technique": "describe", "columns": ["city"], "statistics": ["mean"], "by": ""}],
        "prepare": [],
    }
    result, _ = await analyse(plan)
    assert result.status == "failed"
    assert "'city' does not hold numbers only" in result.text


async def test_without_a_format_a_technique_says_itself_what_it_found() -> None:
    result, model = await analyse(MEAN, format="")
    assert (result.text, result.values) == ("rent: mean 25.5.", {"mean_rent": 25.5})
    assert result.warnings == ["Rows without a value of rent are left out: 1."]
    assert len(model.requests) == 1  # for the plan


@pytest.mark.parametrize(
    ("said", "text", "warning"),
    [
        ("The mean rent is 25.5.", "The mean rent is 25.5.", ""),
        ("The mean rent is 26.1.", "mean rent: 25.5", "left out; no result contains 26.1: 'The mean rent is 26.1.'"),
        ("Rents are high.", "mean rent: 25.5", "left out, for they cite no result: 'Rents are high.'"),
    ],
)
async def test_what_code_found_a_model_says_and_each_number_is_checked(said: str, text: str, warning: str) -> None:
    result, _ = await analyse(CODE, "answers = {'mean rent': df['rent'].mean()}", said, code=found_mean(), format="")
    assert (result.text, result.values) == (text, {"mean rent": 25.5})
    assert [told for told in result.warnings if "words" in told] == (
        [f"The model's words are {warning}"] if warning else []
    )


async def test_words_that_only_name_what_was_found_cite_it() -> None:
    code = Script(Ran({"dearest": "Bern"}))
    result, _ = await analyse(CODE, "answers = {'dearest': df['city'].max()}", "Bern is dearest.", code=code, format="")
    assert result.text == "Bern is dearest."


async def test_a_model_that_fails_loses_nothing_that_was_found_without_it() -> None:
    broken = ModelOutputError("It did not follow the schema.")
    by_code, _ = await analyse(broken, "answers = {'mean': 25.5}", code=Script(Ran({"mean": 25.5})))
    assert by_code.values == {"mean": 25.5}
    assert by_code.attempts[0].error == "It did not follow the schema."
    timeout = ModelTimeoutError("No reply in 60 s.")
    code = "answers = {'mean rent': df['rent'].mean()}"
    silent, _ = await analyse(CODE, code, timeout, code=found_mean(), format="")
    assert silent.text == "mean rent: 25.5"
    assert silent.warnings[-1] == "It is not said in words: No reply in 60 s."


async def test_a_technique_that_takes_too_long_stops_no_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Describe, "timeout", 0.0)
    result, _ = await analyse(MEAN, MEANS, code=Script(Ran({"mean": 25.5})))
    assert (result.status, result.values) == ("unverified", {"mean": 25.5})
    assert "no time left to start 'describe'" in result.attempts[0].error


async def test_what_cleaning_and_preparing_did_stands_in_the_evidence() -> None:
    plan = {
        "analyses": [{"technique": "describe", "columns": ["new_1"], "statistics": ["mean"], "by": ""}],
        "prepare": [
            {"do": "new_column", "name": "new_1", "sql": "Rent / height"},
            {"do": "new_column", "name": "new_2", "sql": "height * 2"},
        ],
    }
    result, _ = await analyse(plan, "mean = mean_new_1")
    assert result.prepared == [
        "city: values differ in case or blanks only, such as 'b' and 'B': kept.",
        "Rent is read as the column rent",
        "New column new_1: Rent / height.",
    ]


async def test_the_table_is_found_by_the_words_of_the_question(tmp_path: Path) -> None:
    (tmp_path / "flats.csv").write_text("rent,rooms\n10,1\n20,2\n30,3\n")
    (tmp_path / "trees.csv").write_text("kind,age\noak,100\nelm,50\n")
    sources = open_sources([str(tmp_path)])
    component = Analyse(sources, ScriptedModel([MEAN, READING]))
    result = await Runner().run(component, {"text": "What is the mean rent of flats?", "format": "@mean[x]"})
    assert (result.table, result.values) == ("flats", {"mean": 20.0})
    with pytest.raises(UsageError, match="no table 'shrubs'"):
        await Runner().run(component, {"text": "How old?", "table": "shrubs"})
    for source in sources:
        source.close()


async def test_of_two_questions_at_once_each_is_about_its_own_table(tmp_path: Path) -> None:
    (tmp_path / "flats.csv").write_text("rent,rooms\n10,1\n20,2\n30,3\n")
    (tmp_path / "trees.csv").write_text("kind,age\noak,100\nelm,50\n")

    class Busy(Analyse):
        """Reads the trees for another question as soon as it has read the flats."""

        def __setattr__(self, name: str, value: Any) -> None:
            super().__setattr__(name, value)
            if name == "_last" and value is not None and value[1].name == "flats":
                self._data(AnalysisQuestion(text="How old?", table="trees"))

    sources = open_sources([str(tmp_path)])
    asked = {"text": "What is the mean rent?", "table": "flats", "format": "@mean[x]"}
    result = await Runner().run(Busy(sources, ScriptedModel([MEAN, READING])), asked)
    assert (result.table, result.values) == ("flats", {"mean": 20.0})
    for source in sources:
        source.close()


async def test_of_very_many_columns_a_model_is_shown_those_that_the_question_names() -> None:
    wide = Table((*(ResultColumn(f"c{n}") for n in range(999)), ResultColumn("mean_rent")), (tuple(range(1000)),) * 3)
    plan = {**MEAN, "analyses": [{**MEAN["analyses"][0], "columns": ["mean_rent"]}]}
    result, model = await analyse(plan, "mean = mean_mean_rent", data=wide)
    assert "mean_rent" in model.requests[0].messages[0].content
    assert len(model.requests[0].messages[0].content) < 10_000
    assert (result.values, result.warnings[-1]) == ({"mean": 999.0}, "The model was not shown 900 columns of data.")


async def test_the_sandbox_loads_while_the_model_plans() -> None:
    code = Script()
    with pytest.raises(ModelTimeoutError):
        await analyse(ModelTimeoutError("no plan"), code=code)
    assert code.warm_calls == 1


async def test_cells_that_hold_lists_or_records_are_read_as_text() -> None:
    columns = (*TABLE.columns, ResultColumn("tags"), ResultColumn("owner"))
    rows = tuple((*row, ["né", None], {"since": 2020}) for row in TABLE.rows)
    result, model = await analyse(MEAN, READING, data=Table(columns, rows))
    assert result.values == {"mean": 25.5}
    assert """tags: text, one of '["né", null]'""" in model.requests[0].messages[0].content


async def test_an_empty_table_is_an_error() -> None:
    with pytest.raises(UsageError, match="no rows to analyse"):
        await analyse(data=Table(TABLE.columns, ()))
