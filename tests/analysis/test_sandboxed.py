"""Generated code runs behind the walls of the sandbox, on the data as they are."""

from __future__ import annotations

import pandas as pd
import pytest

from querist.analysis.sandboxed import SandboxedCode, open_code
from querist.sandbox.base import Job, OnOutput, Outcome, SandboxLimits
from querist.sandbox.remote import RemoteSandbox
from querist.settings import SandboxSettings


@pytest.mark.anyio
async def test_code_gets_the_frame_and_gives_values_or_its_error() -> None:
    code, why_not = open_code(SandboxSettings())
    if code is None:
        pytest.skip(why_not)
    frame = pd.DataFrame({"x": [1.0, None, 3.0], "word": ["a", None, "b"], "mixed": [1, "b", None]})
    try:
        ran = await code.run("answers = {'mean': df['x'].mean(), 'words': int(df['word'].count())}", {"df": frame})
        assert (ran.value, ran.error) == ({"mean": 2.0, "words": 2}, "")
        texts = await code.run("answers = {'texts': [c for c in df if df[c].dtype == 'object']}", {"df": frame})
        assert texts.value == {"texts": ["word", "mixed"]}
        tables = await code.run(
            "import pandas as pd\n"
            "answers = {'words': df.set_index('word')['x'], 'twice': pd.Series([1, 2], index=['n', 'n']),"
            " 'cell': df[['x']].head(1), 'long': pd.DataFrame({'n': range(60)})}",
            {"df": frame},
        )
        assert tables.value == {
            "words": {"a": 1.0, "nan": None, "b": 3.0},
            "twice": [{"index": "n", "value": 1}, {"index": "n", "value": 2}],
            "cell": 1.0,
            "long": "a table of 60 rows",
        }
        failed = await code.run("answers = open('/etc/passwd').read()", {"df": frame})
        assert failed.value is None
        assert failed.error
    finally:
        await code.close()


def test_a_sandbox_without_pandas_says_why_no_code_is_tried() -> None:
    code, why_not = open_code(SandboxSettings(backend="monty"))
    assert code is None
    assert why_not.startswith("No code was tried: ")


@pytest.mark.anyio
async def test_a_server_without_walls_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run(self: RemoteSandbox, job: Job, on_output: OnOutput | None = None) -> Outcome:
        return Outcome("ok", "remote (unsafe, unsafe)", "unsafe")

    monkeypatch.setattr(RemoteSandbox, "run", run)
    code = SandboxedCode(RemoteSandbox("http://127.0.0.1", "token"), SandboxLimits())
    await code.run("answers = 1", {})
    assert code.isolation == "remote (unsafe, unsafe) (unsafe)"
