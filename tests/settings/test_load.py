from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from querist.errors import ConfigError
from querist.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(text: str, name: str = "querist.yaml") -> Path:
    path = Path(name)
    path.write_text(text, encoding="utf-8")
    return path


def mistake(text: str, environ: Mapping[str, str] | None = None) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load_settings(write(text), environ=environ or {})
    return caught.value


class TestOrder:
    def test_without_anything_the_defaults_hold(self) -> None:
        settings = load_settings(environ={})
        assert settings == Settings()
        assert settings.models.coding == ("local:qwen2.5-coder-1.5b",)
        assert settings.limits.seconds == 30

    def test_each_layer_wins_over_the_one_before_key_by_key(self) -> None:
        write("limits: {rows: 1, bytes: 1, seconds: 1}\nanswer: {drafts: 1}")
        environ = {"QUERIST_LIMITS__BYTES": "2", "QUERIST_LIMITS__SECONDS": "2"}
        settings = load_settings(overrides={"limits": {"seconds": 3}}, environ=environ)
        assert (settings.limits.rows, settings.limits.bytes, settings.limits.seconds) == (1, 2, 3)
        assert settings.answer.drafts == 1
        assert settings.answer.repairs == Settings().answer.repairs

    def test_an_argument_that_is_none_was_not_given(self) -> None:
        write("limits: {rows: 7}")
        assert load_settings(overrides={"limits": {"rows": None}, "answer": None}, environ={}).limits.rows == 7

    def test_the_file_can_be_named_by_the_environment_and_an_argument_wins_over_that(self) -> None:
        first, second = write("limits: {rows: 1}", "a.yaml"), write("limits: {rows: 2}", "b.yaml")
        environ = {"QUERIST_CONFIG": str(first)}
        assert load_settings(environ=environ).limits.rows == 1
        assert load_settings(second, environ=environ).limits.rows == 2

    def test_a_named_file_that_does_not_exist_is_an_error(self) -> None:
        with pytest.raises(ConfigError, match=r"'nowhere\.yaml' \(named by --config or by the environment variable"):
            load_settings(environ={"QUERIST_CONFIG": "nowhere.yaml"})

    def test_an_empty_file_and_empty_keys_leave_the_defaults(self) -> None:
        assert load_settings(write("# nothing\n"), environ={}) == Settings()
        assert load_settings(write("limits:\n  rows:\nlocal:\n"), environ={}) == Settings()

    def test_settings_cannot_be_changed_after_loading(self) -> None:
        with pytest.raises(ValueError, match="frozen"):
            load_settings(environ={}).limits.rows = 5  # type: ignore[misc]


class TestValues:
    def test_a_role_takes_one_model_or_several_in_order(self) -> None:
        settings = load_settings(write("models:\n  fast: ollama:b\n  coding: [openai:d, local:f]"), environ={})
        assert settings.models.fast == ("ollama:b",)
        assert settings.models.coding == ("openai:d", "local:f")

    def test_data_of_a_file_lie_beside_that_file(self, tmp_path: Path) -> None:
        (tmp_path / "project").mkdir()
        path = write("data: [sales/*.csv, /abs/x.csv, 'sqlite:///x.db', ~/y.csv]", "project/querist.yaml")
        assert load_settings(path, environ={}).data == (
            "project/sales/*.csv",
            "/abs/x.csv",
            "sqlite:///x.db",
            "~/y.csv",
        )
        assert load_settings(write("data: x.csv"), environ={}).data == ("x.csv",)

    def test_anchors_and_merge_keys_work(self) -> None:
        providers = "{openai: &base {base_url: u, api_version: v}, azure: {<<: *base, api_version: w}}"
        azure = load_settings(write(f"models: {{providers: {providers}}}"), environ={}).models.providers["azure"]
        assert (azure.base_url, azure.api_version) == ("u", "w")


class TestVariables:
    @pytest.mark.parametrize(
        ("written", "environ", "value"),
        [
            ("${A}", {"A": "x"}, "x"),
            ("pre-${A}-${B}", {"A": "1", "B": "2"}, "pre-1-2"),
            ("${A:-fallback}", {}, "fallback"),
            ("${A:-fallback}", {"A": ""}, "fallback"),
            ("${A:-fallback}", {"A": "x"}, "x"),
            ("'${A:-with : colon}'", {}, "with : colon"),
            ("$${A}", {}, "${A}"),
            ("$A", {"A": "x"}, "$A"),
        ],
    )
    def test_substitution(self, written: str, environ: dict[str, str], value: str) -> None:
        settings = load_settings(write(f"models:\n  providers:\n    x:\n      base_url: {written}"), environ=environ)
        assert settings.models.providers["x"].base_url == value

    def test_a_number_may_come_from_a_variable_and_an_empty_one_leaves_the_default(self) -> None:
        settings = load_settings(write("local:\n  slots: ${N}\n  threads: ${T:-}"), environ={"N": "7"})
        assert settings.local.slots == 7
        assert settings.local.threads is None

    def test_a_missing_variable_is_told_with_its_place_and_a_way_out(self) -> None:
        error = mistake("models:\n  fast: ${MODEL_NAME}")
        assert (error.line, error.column) == (2, 9)
        assert "MODEL_NAME, which is not set" in error.message
        assert "${MODEL_NAME:-default}" in error.hint


class TestMistakes:
    def test_an_unknown_key_is_told_with_its_place_the_nearest_and_the_allowed_ones(self) -> None:
        error = mistake("data: x.csv\nlimits:\n  rowz: 5")
        assert (error.file, error.line, error.column) == ("querist.yaml", 3, 3)
        assert error.message == "querist.yaml:3:3: unknown setting 'rowz' in 'limits'"
        assert error.hint == "Did you mean 'rows'? Allowed: bytes, rows, seconds."

    def test_a_key_in_the_wrong_section_is_told_where_it_belongs(self) -> None:
        assert "Did you mean 'limits.rows'?" in mistake("rows: 5").hint

    def test_a_bad_value_is_told_with_what_is_allowed(self) -> None:
        error = mistake("limits:\n  rows: many")
        assert (error.line, error.column) == (2, 9)
        assert "'limits.rows' is 'many', but must be a valid integer" in error.message

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("limits: {rows: many}", "must be a valid integer"),
            ("limits: {rows: true}", "'limits.rows' is True, but must be a number"),
            ("limits: {seconds: false}", "'limits.seconds' is False, but must be a number"),
            ("limits: {seconds: .inf}", "must be a finite number"),
            ("data: 5", "'data' is 5, but must be text, or a list of texts"),
            ("models: {coding: []}", "'models.coding' is [], but must name at least one"),
            ("models: {providers: {openai: {api_key: 12}}}", "must be text; put it in quotes"),
        ],
    )
    def test_what_a_value_must_be_is_said_in_plain_words(self, text: str, said: str) -> None:
        assert said in mistake(text).message

    def test_a_tab_is_told_to_be_spaces(self) -> None:
        assert "spaces" in mistake("limits:\n\trows: 1").hint

    @pytest.mark.parametrize("written", ["'${A'", "'${1A}'", "'${}'", "'x${A B}'"])
    def test_a_variable_that_is_written_wrongly_is_told(self, written: str) -> None:
        error = mistake(f"data: {written}", {"A": "x"})
        assert (error.line, error.column) == (1, 7)
        assert "${NAME}" in error.hint

    def test_a_model_of_an_unknown_provider_is_told_with_its_place_and_the_nearest(self) -> None:
        error = mistake("models:\n  fast: opnai:gpt-5")
        assert (error.line, error.column) == (2, 9)
        assert "no provider 'opnai'" in error.message
        assert "openai:gpt-5" in error.message

    @pytest.mark.parametrize("name", ["gpt-5", "openai:", ":x"])
    def test_a_model_is_written_with_its_provider(self, name: str) -> None:
        assert "provider:model" in mistake(f"models: {{fast: '{name}'}}").message

    def test_a_sandbox_is_one_of_ours_or_of_a_plugin(self) -> None:
        assert load_settings(write("sandbox: {backend: 'plugin:far'}"), environ={}).sandbox.backend == "plugin:far"
        assert "'sandbox.backend' is 'bublewrap', but must be one of auto, bub" in str(
            mistake("sandbox: {backend: bublewrap}")
        )

    def test_a_bad_value_in_a_list_is_told_with_its_own_place(self) -> None:
        error = mistake("models:\n  fast:\n    - a:b\n    - ''")
        assert (error.line, error.column) == (4, 7)
        assert "'models.fast[1]'" in error.message

    def test_a_value_where_a_section_belongs(self) -> None:
        error = mistake("limits: 5")
        assert "'limits' must hold `key: value` pairs" in error.message
        assert "bytes, rows, seconds" in error.hint

    def test_a_key_that_is_set_twice(self) -> None:
        error = mistake("limits: {rows: 1}\nanswer: {drafts: 1}\nlimits: {rows: 2}")
        assert (error.line, error.column) == (3, 1)
        assert "set in line 1 already" in error.message

    @pytest.mark.parametrize(
        ("text", "line", "column"),
        [
            ("limits: {rows: 1", 1, 17),
            ("data: 'x", 1, 9),
            ("limits:\n\trows: 1", 2, 1),
            ("- x", 1, 1),
            ("a: 1\n---\nb: 2", 2, 1),
        ],
    )
    def test_what_is_not_yaml_is_told_with_its_place(self, text: str, line: int, column: int) -> None:
        error = mistake(text)
        assert (error.line, error.column) == (line, column)

    def test_a_value_that_contains_itself_is_a_mistake(self) -> None:
        assert "refers to itself" in mistake("data: &a [*a]").message
        assert "merged" in mistake("&a\n<<: *a").message

    def test_a_file_that_is_no_text(self) -> None:
        Path("querist.yaml").write_bytes(b"data: \xff\xfe")
        with pytest.raises(ConfigError, match="not UTF-8"):
            load_settings(environ={})

    def test_all_mistakes_are_told_at_once_in_their_order(self) -> None:
        text = "limits:\n  rowz: 1\n  bytes: x\nmodels:\n  fast: ${NOPE}\n  timeout: -1\n"
        message = mistake(text, {"QUERIST_ANSWER__DRAFTS": "0"}).message
        places = [
            "querist.yaml:2:3",
            "querist.yaml:3:10",
            "querist.yaml:5:9",
            "querist.yaml:6:12",
            "QUERIST_ANSWER__DRAFTS",
        ]
        assert message.startswith("There are 5 mistakes")
        found = [message.index(place) for place in places]
        assert found == sorted(found)

    def test_a_mistake_in_the_environment_names_the_variable(self) -> None:
        with pytest.raises(ConfigError, match=r"environment variable QUERIST_LIMITS__ROWS: 'limits.rows' is 'x'"):
            load_settings(environ={"QUERIST_LIMITS__ROWS": "x"})
        with pytest.raises(ConfigError, match="QUERIST_LIMITS__ROWZ: unknown setting 'rowz'"):
            load_settings(environ={"QUERIST_LIMITS__ROWZ": "1"})
        with pytest.raises(ConfigError) as caught:
            load_settings(environ={"QUERIST_MODEL_FAST": "a:b"})
        assert "QUERIST_MODELS__FAST" in caught.value.hint

    def test_the_layer_that_won_is_blamed(self) -> None:
        write("models: {fast: [a, b]}\nlimits: {rows: 1}")
        with pytest.raises(ConfigError, match="environment variable QUERIST_MODELS__FAST"):
            load_settings(environ={"QUERIST_MODELS__FAST": '["x", ""]'})
        with pytest.raises(ConfigError, match=r"argument: 'limits.rows'"):
            load_settings(environ={}, overrides={"limits": {"rows": 0}})


class TestEnvironment:
    def test_lists_are_written_in_json_and_one_value_as_it_is(self) -> None:
        environ = {"QUERIST_MODELS__FAST": '["ollama:b", "openai:d"]', "QUERIST_DATA": "[ab]*.csv"}
        settings = load_settings(environ=environ)
        assert settings.models.fast == ("ollama:b", "openai:d")
        assert settings.data == ("[ab]*.csv",)

    def test_a_provider_with_a_hyphen_is_written_with_an_underscore(self) -> None:
        settings = load_settings(
            environ={"QUERIST_MODELS__PROVIDERS__OPENAI_COMPATIBLE__BASE_URL": "http://localhost:1"}
        )
        assert settings.models.providers["openai-compatible"].base_url == "http://localhost:1"

    def test_names_that_other_programs_set_are_left_alone(self) -> None:
        environ = {
            "QUERIST_SERVICE_HOST": "10.0.0.1",
            "QUERIST_PORT": "tcp://x",
            "QUERIST_HOME": "/x",
            "QUERIST_DATA": "",
        }
        assert load_settings(environ=environ) == Settings()


class TestSecrets:
    KEY = "sk-very-secret"
    URL = "postgresql://user:p@ss/word@host/db?sslpassword=hidden&x=1"

    def settings(self) -> Settings:
        overrides: dict[str, Any] = {"data": [self.URL], "models": {"providers": {"openai": {"api_key": self.KEY}}}}
        return load_settings(overrides=overrides, environ={})

    def test_they_can_be_used(self) -> None:
        key = self.settings().models.providers["openai"].api_key
        assert key is not None
        assert key.get_secret_value() == self.KEY
        assert self.settings().data == (self.URL,)

    def test_they_are_in_no_text_made_from_the_settings(self) -> None:
        for text in (repr(self.settings()), str(self.settings()), str(self.settings().public())):
            assert self.KEY not in text
            assert "p@ss" not in text
            assert "word@" not in text
            assert "hidden" not in text
            assert "host/db" in text

    @pytest.mark.parametrize(
        "text",
        [
            "models: {providers: {openai: {api_key: [sk-very-secret]}}}",
            "models: {providers: {openai: {apikey: sk-very-secret}}}",
            "models: {providers: {openai: sk-very-secret}}",
            "models: {providers: sk-very-secret}",
            "limits: {rows: '${KEY}'}",
            "limits: {rows: 'x://u:sk-very-secret@h'}",
        ],
    )
    def test_they_are_in_no_error(self, text: str) -> None:
        error = mistake(text, {"KEY": self.KEY})
        assert self.KEY not in error.message + error.hint
        assert self.KEY not in str(error.__cause__ or error.__context__)
