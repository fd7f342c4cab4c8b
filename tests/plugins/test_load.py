"""Plugins as people have them: installed packages, and files in a folder that is trusted."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from querist.analysis.sandboxed import open_code
from querist.app import Querist
from querist.errors import ComponentInputError, ConfigError, ModelError, SourceAccessError
from querist.models.open import open_model
from querist.plugins import load
from querist.sandbox.open import open_sandbox
from querist.settings import SandboxSettings, Settings
from querist.settings.trust import distrust, trust
from querist.sources.open import open_sources
from tests.scripted_model import ScriptedModel

WHOLE = '''
from pathlib import Path
from querist import component
from querist.sources.sqlite import SqliteSource
from tests.scripted_model import ScriptedModel

querist_api = 1

@component
async def greet(name: str) -> str:
    """Greet somebody."""
    return "hello " + name

def open_shelf(name, address):
    return SqliteSource(name, Path(address.removeprefix("shelf://")))

def open_parrot(name, options):
    return ScriptedModel(lambda request: options.base_url or "hello", name)

def hello():
    print("hello")

def register(to):
    to.add_component(greet)
    to.add_source("shelf", open_shelf)
    to.add_model("parrot", open_parrot)
    to.add_command("hello", hello, help="Say hello.")
'''


@pytest.fixture(autouse=True)
def nothing_is_kept() -> Iterator[None]:
    """Plugins are loaded once for a process; here each test begins anew, and leaves nothing."""
    from querist.models import open as models
    from querist.sandbox import open as sandboxes
    from querist.sources import indexes
    from querist.sources import open as sources

    yield
    load._installed.cache_clear()
    load._in_folder.cache_clear()
    for module in (models, sources, indexes, sandboxes):
        module._added.clear()  # type: ignore[attr-defined]
    for name in [name for name in sys.modules if name.startswith("querist_plugin_")]:
        del sys.modules[name]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "mine"
    made.mkdir()
    trust(made)
    return made


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    path = tmp_path / "books"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("CREATE TABLE book (title TEXT); INSERT INTO book VALUES ('Emma')")
    return path


def install(site: Path, monkeypatch: pytest.MonkeyPatch, **modules: str) -> None:
    """Lay packages as pip does: a module each, with the data that tell of its entry point."""
    for name, code in modules.items():
        (site / f"{name}.py").write_text(code)
        info = site / f"{name}-1.5.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.5\n")
        (info / "entry_points.txt").write_text(f"[querist.plugins]\n{name} = {name}\n")
    monkeypatch.syspath_prepend(str(site))
    load._installed.cache_clear()


def test_an_installed_package_brings_components_sources_models_and_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shelf: Path
) -> None:
    install(tmp_path, monkeypatch, querist_whole=WHOLE)
    (plugin,) = load.load_plugins()
    assert (plugin.name, plugin.origin, plugin.problem) == ("querist_whole", "querist_whole 1.5", "")
    assert list(plugin.brings.commands) == ["hello"]
    settings = Settings.model_validate({"models": {"providers": {"parrot": {"base_url": "SELECT 1"}}}})
    with Querist(f"shelf://{shelf}", settings=settings, model="parrot:grey") as querist:
        assert querist.components.get("greet").description == "Greet somebody."
        assert querist.run("greet", {"name": "Ada"}).model_dump() == {"result": "hello Ada"}
        assert querist.schemas()["books"].table("book")
        assert querist.ask("How many?").model == "parrot:grey"
        with pytest.raises(ComponentInputError, match="'greet'"):
            querist.run("greet", {"nom": "Ada"})


FINDS_AND_RUNS = """
from querist.sandbox.base import Outcome
from querist.sources.indexes import Match

querist_api = 1

class ByMeaning:
    def mentions(self, question):
        if "clumsy" in question:
            raise RuntimeError("no such word")
        return [Match("book", "title", "Emma", "matchmaker", exact=True)] * ("matchmaker" in question)

    def close(self):
        raise RuntimeError("already closed")

class Toy:
    name, strength = "toy", "remote"

    def __init__(self, settings):
        self.url = settings.url

    async def run(self, job, on_output=None):
        return Outcome("ok", self.name, self.strength, value=self.url)

    async def close(self): ...

def register(to):
    to.add_index("meaning", lambda source: ByMeaning())
    to.add_index("broken", lambda source: 1 / 0)
    to.add_sandbox("toy", Toy)
"""


def test_questions_find_values_by_the_index_of_a_plugin_and_a_broken_one_harms_nobody(
    folder: Path, shelf: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "finds.py").write_text(FINDS_AND_RUNS)
    shelf = shelf.rename(shelf.with_suffix(".sqlite"))
    model = ScriptedModel(lambda request: "SELECT count(*) FROM book")
    with Querist(shelf, settings=Settings(plugins=(str(folder),)), model=model) as querist:
        querist.ask("How many books of the matchmaker are there?")
        assert "'Emma' is a value of book.title" in model.requests[0].messages[-1].content
        assert querist.ask("How many clumsy books are there?").sql
    for said in ("broken of a plugin is left out", "failed on 'How many clumsy", "could not be closed"):
        assert said in caplog.text


@pytest.mark.anyio
async def test_generated_code_runs_in_the_sandbox_of_a_plugin_when_settings_name_it(folder: Path) -> None:
    (folder / "runs.py").write_text(FINDS_AND_RUNS)
    load.load_plugins([folder])
    settings = SandboxSettings(backend="plugin:toy", url="http://far")
    code, _ = open_code(settings)
    assert code is not None
    assert code.isolation == "toy (remote)"
    assert (await code.run("1 + 1", {})).value == "http://far"
    with pytest.raises(ConfigError, match="No plugin brings the sandbox 'tou'"):
        open_sandbox(SandboxSettings(backend="plugin:tou"))


def test_a_plugin_in_a_folder_is_loaded_only_when_the_folder_is_trusted(folder: Path) -> None:
    (folder / "whole.py").write_text(WHOLE)
    (folder / "_draft.py").write_text("raise SystemExit")
    package = folder / "pair"
    package.mkdir()
    (package / "__init__.py").write_text("from .inner import querist_api, register\n")
    (package / "inner.py").write_text("querist_api = 1\ndef register(to):\n    pass\n")
    assert [(p.name, p.problem) for p in load.load_plugins([folder])] == [("pair", ""), ("whole", "")]
    distrust(folder)
    (refused,) = load.load_plugins([folder])
    assert "querist plugin trust" in refused.problem
    assert not refused.brings.components


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("import nowhere_to_be_found", "ModuleNotFoundError"),
        ("def register(to): pass", "does not say for which version"),
        ("querist_api = 99\ndef register(to): pass", "is written for version 99"),
        ("querist_api = 1", "no attribute 'register'"),
        ("querist_api = 1\ndef register(to): to.add_component(print)", "is no component"),
        ("querist_api = 1\ndef register(to): to.add_source('sqlite', print)", "sqlite:// are taken"),
        ("querist_api = 1\ndef register(to): to.add_model('openai', print)", "already a provider 'openai'"),
        ("querist_api = 1\ndef register(to): to.add_index('by meaning', print)", "cannot be the name of an index"),
        ("querist_api = 1\ndef register(to): to.add_sandbox('Jail', print)", "is no name of a sandbox"),
        ("querist_api = 1\ndef register(to): to.add_command('Say it', print, help='')", "cannot be a command"),
    ],
)
def test_a_broken_plugin_is_left_out_with_the_reason_and_the_others_work(folder: Path, code: str, problem: str) -> None:
    (folder / "broken.py").write_text(code)
    (folder / "whole.py").write_text(WHOLE)
    broken, whole = load.load_plugins([folder])
    assert problem in broken.problem
    assert list(whole.brings.components) == ["greet"]


def test_a_plugin_that_fails_at_work_is_named(folder: Path) -> None:
    (folder / "late.py").write_text(
        "querist_api = 1\n"
        "def fail(name, what):\n"
        "    raise KeyError('password')\n"
        "def register(to):\n"
        "    to.add_source('late', fail)\n"
        "    to.add_model('late', fail)\n"
    )
    load.load_plugins([folder])
    with pytest.raises(SourceAccessError, match="plugin for late:// failed: KeyError"):
        open_sources(["late://x"])
    with pytest.raises(ModelError, match="plugin for late: failed: KeyError"):
        open_model("late:x")


def test_of_two_that_bring_the_same_name_the_second_is_left_out(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    named = WHOLE.replace('"shelf"', '"shelf2"').replace('"parrot"', '"parrot2"')
    (folder / "first.py").write_text(WHOLE)
    (folder / "second.py").write_text(named)
    (folder / "third.py").write_text(WHOLE)
    first, second, third = load.load_plugins([folder])
    assert (first.problem, second.problem) == ("", "")
    assert "shelf:// are taken" in third.problem
    (folder / "t.csv").write_text("a\n1\n")
    with Querist(folder / "t.csv", settings=Settings(plugins=(str(folder),)), model=ScriptedModel([])) as querist:
        assert querist.run("greet", {"name": "Bo"}).model_dump() == {"result": "hello Bo"}
    assert "A component of the plugin second is left out: There is already a component 'greet'" in caplog.text
    assert f"The plugin third ({folder / 'third.py'}) is left out" in caplog.text


def test_the_folder_plugins_of_the_working_directory_needs_no_setting_only_trust(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    local = tmp_path / "plugins"
    local.mkdir()
    (local / "whole.py").write_text(WHOLE)
    assert load.load_plugins() == []
    trust(local)
    assert [plugin.name for plugin in load.load_plugins([local])] == ["whole"], "once, though the settings name it too"


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    (missing,) = load.load_plugins([tmp_path / "none"])
    assert missing.problem == "there is no such folder"


def test_the_plugin_of_the_documentation_works(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = Path(__file__).parents[2] / "docs" / "plugins.md"
    code = page.read_text(encoding="utf-8").partition("```python\n")[2].partition("```")[0]
    (folder / "notes.py").write_text(code)
    (tmp_path / "today.txt").write_text("rain")
    monkeypatch.chdir(tmp_path)
    settings = Settings.model_validate(
        {"plugins": str(folder), "models": {"providers": {"echo": {}}, "coding": "echo:any"}}
    )
    with Querist(f"notes://{tmp_path}", settings=settings) as querist:
        assert querist.ask("How many notes are there?").text == "notes: 1"
        assert querist.run("fahrenheit", {"celsius": 20}).model_dump() == {"result": 68}
