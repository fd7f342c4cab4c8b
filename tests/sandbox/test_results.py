"""Everything that code leaves comes back, or is told as refused."""

from __future__ import annotations

import datetime as dt

import pytest

from querist.sandbox.base import Job, Outcome
from querist.sandbox.local import LocalSandbox
from querist.sandbox.piped import UnsafeSandbox

pytestmark = pytest.mark.anyio


async def ran(sandbox: LocalSandbox, code: str) -> Outcome:
    outcome = await sandbox.run(Job(f"import os, pandas as pd, polars as pl, numpy as np\n{code}"))
    assert outcome.error is None, outcome.error.message
    return outcome


async def test_tables_of_the_same_name_come_back_each(sandbox: LocalSandbox) -> None:
    code = "one, two = pl.DataFrame({'n': [1]}), pl.DataFrame({'n': [2]})\n"
    outcome = await ran(sandbox, code + "result = {'oak': {'age': one}, 'elm': {'age': two}, 'oak.age': two}")
    assert outcome.value == {
        "oak": {"age": {"table": "oak.age"}},
        "elm": {"age": {"table": "elm.age"}},
        "oak.age": {"table": "oak.age_2"},
    }
    assert {name: table.rows for name, table in outcome.tables.items()} == {
        "oak.age": ((1,),),
        "elm.age": ((2,),),
        "oak.age_2": ((2,),),
    }
    long = await ran(sandbox, code + "result = {'x' * 300 + 'a': one, 'x' * 300 + 'b': [two]}")
    assert sorted(table.rows for table in long.tables.values()) == [((1,),), ((2,),)]


@pytest.mark.parametrize(
    ("index", "names", "rows"),
    [
        ("[2021, 2022]", ["index", "n"], ((2021, 5), (2022, 6))),
        ("pd.RangeIndex(2021, 2023)", ["index", "n"], ((2021, 5), (2022, 6))),
        ("[1, 0]", ["index", "n"], ((1, 5), (0, 6))),
        ("[False, True]", ["index", "n"], ((False, 5), (True, 6))),
        ("[0, 1]", ["n"], ((5,), (6,))),
        ("pd.Index([0, 1], name='n')", ["n", "n"], ((0, 5), (1, 6))),
        ("pd.MultiIndex.from_tuples([('a', 1), ('a', 2)])", ["level_0", "level_1", "n"], (("a", 1, 5), ("a", 2, 6))),
        ("pd.period_range('2024-01', periods=2, freq='M')", ["index", "n"], (("2024-01", 5), ("2024-02", 6))),
        ("pd.cut([1, 3], [0, 2, 4])", ["index", "n"], (("(0, 2]", 5), ("(2, 4]", 6))),
        ("pd.CategoricalIndex([7, 8])", ["index", "n"], ((7, 5), (8, 6))),
    ],
)
async def test_the_index_of_a_frame_is_kept_where_it_says_more_than_a_number(
    sandbox: LocalSandbox, index: str, names: list[str], rows: tuple[tuple[object, ...], ...]
) -> None:
    table = (await ran(sandbox, f"result = pd.DataFrame({{'n': [5, 6]}}, index={index})")).tables["result"]
    assert (table.names, table.rows) == (names, rows)


async def test_cells_that_arrow_has_no_type_for_come_back_as_text(sandbox: LocalSandbox) -> None:
    code = "result = pd.DataFrame([[1, {'a': 1}, 1], ['x', None, 2]], columns=['mixed', 'nested', 'mixed'])"
    table = (await ran(sandbox, code)).tables["result"]
    assert table.rows == (("1", "{'a': 1}", 1), ("x", None, 2))
    code = "result = pl.DataFrame({'wide': pl.Series([2**70], dtype=pl.Int128), 'list': [[1, 2]]})"
    assert (await ran(sandbox, code)).tables["result"].rows == ((str(2**70), "[1, 2]"),)
    wide = "result = pd.DataFrame([[1, 2]], index=['n'], columns=pd.CategoricalIndex(['a', 'b']))"
    assert (await ran(sandbox, wide)).tables["result"].rows == (("n", 1, 2),)


@pytest.mark.parametrize("index", ["['n', 'n', 's']", "[1, '1', 2]"])
async def test_a_series_with_repeated_labels_comes_back_as_a_table(sandbox: LocalSandbox, index: str) -> None:
    outcome = await ran(sandbox, f"result = pd.Series([1, 2, 3], index={index})")
    assert outcome.value == {"table": "result"}
    assert [row[-1] for row in outcome.tables["result"]] == [1, 2, 3]
    assert (await ran(sandbox, "result = pd.Series([1, 2], index=['n', 's'])")).value == {"n": 1, "s": 2}


async def test_keys_that_would_become_one_are_an_error(sandbox: LocalSandbox) -> None:
    outcome = await sandbox.run(Job("result = {1: 'a', '1': 'b'}"))
    assert outcome.error is not None
    assert "written alike" in outcome.error.message


async def test_dates_and_numbers_come_back_as_what_they_are(sandbox: LocalSandbox) -> None:
    code = "day = np.datetime64('2024-05-06', 'ns')\nresult = [day, np.array([day]), pd.NaT, 10**400]"
    day = str(dt.datetime(2024, 5, 6))
    assert (await ran(sandbox, code)).value == [day, [day], None, f"1{'0' * 400}"]


async def test_what_can_be_gone_through_comes_back_as_a_list(sandbox: LocalSandbox) -> None:
    code = "result = [range(2), {'a': 1}.items(), map(str, [1]), (n for n in 'ab'), np.longdouble('1.5')]"
    assert (await ran(sandbox, code)).value == [[0, 1], [["a", 1]], ["1"], ["a", "b"], "1.5"]


async def test_an_error_that_cannot_be_written_is_one_of_the_code(sandbox: LocalSandbox) -> None:
    outcome = await sandbox.run(Job("class Odd(Exception):\n  def __str__(self): return 1 / 0\nraise Odd"))
    assert outcome.error is not None
    assert (outcome.error.type, outcome.error.line) == ("Odd", 3)


async def test_an_early_end_without_an_error_is_an_end(sandbox: LocalSandbox) -> None:
    outcome = await ran(sandbox, "open('note.txt', 'w').write('x')\nresult = 5\nraise SystemExit(0)")
    assert (outcome.value, [file.name for file in outcome.files]) == (5, ["note.txt"])


async def test_files_come_back_from_folders_too(sandbox: LocalSandbox) -> None:
    code = (
        "os.makedirs('out/deep')\nfor path in ('out/a.csv', 'out/deep/a.csv', 'out_a.csv'): open(path, 'w').write(path)"
    )
    files = {file.name: file.data for file in (await ran(sandbox, code)).files}
    assert files == {
        "out_a.csv": b"out/a.csv\n",
        "out_deep_a.csv": b"out/deep/a.csv\n",
        "out_a_2.csv": b"out_a.csv\n",
    }


async def test_a_figure_takes_no_name_that_is_taken(sandbox: LocalSandbox) -> None:
    code = "import matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.savefig('figure_1.png'); plt.title('x')"
    assert [file.name for file in (await ran(sandbox, code)).files] == ["figure_1.png", "figure_1_2.png"]


async def test_what_is_not_handed_out_is_told() -> None:
    code = (
        "import os\nos.symlink('/etc/passwd', 'link.txt'); os.mkfifo('pipe.txt'); os.makedirs('1/2/3/4/5/6/7')\n"
        "for n in range(60): open(f'{n:02}.txt', 'w').close()"
    )
    outcome = await UnsafeSandbox().run(Job(code))
    assert len(outcome.files) == 50
    assert list(outcome.refused) == [
        "Not handed out: '1/2/3/4/5/6': folders are looked into 5 deep.",
        "Not handed out: 'link.txt': it is a link, or no ordinary file.",
        "Not handed out: 'pipe.txt': it is a link, or no ordinary file.",
        "Not handed out: 10 more files, such as '50.txt': at most 50 are.",
    ]


async def test_figures_of_a_run_that_failed_are_not_those_of_the_next(sandbox: LocalSandbox) -> None:
    plot = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\n"
    assert (await sandbox.run(Job(plot + "1 / 0", session="figures"))).error is not None
    assert (await sandbox.run(Job("result = 1", session="figures"))).files == ()


async def test_a_session_ends_when_its_code_writes_to_the_channel_of_results(sandbox: LocalSandbox) -> None:
    await sandbox.run(Job("import os\nos.write(4, b'x' * 5000)\nresult = 'old'", session="forged"))
    assert (await sandbox.run(Job("result = 'new'", session="forged"))).value == "new"
