from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from querist.core.context import RunContext
from querist.core.permissions import Budget, Grant, Principal
from querist.core.runner import Runner
from querist.errors import BudgetSpentError, ComponentInputError, ModelOutputError, PermissionDeniedError
from querist.models.base import UsageMeter
from querist.tools.ai.asking import MAX_CHARACTERS
from querist.tools.ai.embedding import EmbeddingGenerator
from querist.tools.ai.entities import NamedEntityRecognizer
from querist.tools.ai.judgements import SentimentAnalyzer, TextClassifier
from querist.tools.ai.languages import LanguageDetector
from querist.tools.ai.summaries import TextSummarizer
from querist.tools.catalogue import load_tool
from querist.tools.sentences import sentences, shorten
from tests.scripted_model import ScriptedModel

pytestmark = pytest.mark.anyio
MAY_ASK = RunContext(principal=Principal("tester", (Grant("model", "*"),)))


async def use(tool: Any, context: RunContext = MAY_ASK, **input: Any) -> Any:
    return await Runner().run(tool, input, context)


BOILERS = (
    "The boiler of the school broke in January. Lunch was soup. The boiler is thirty years old, and parts for the "
    "boiler are no longer made. Dr. Wells of the school board wants a new boiler before winter. The weather was mild."
)


async def test_an_extract_is_made_of_what_the_text_keeps_coming_back_to_and_needs_no_model() -> None:
    given = await use(TextSummarizer(), RunContext(), text=BOILERS, target_length="short", preserve_key_points=True)
    assert given.summary.startswith("The boiler of the school broke in January.")
    assert "soup" not in given.summary
    assert all(sentence in BOILERS for sentence in given.key_points)
    assert len(given.key_points) == 5


def test_abbreviations_and_marks_of_other_scripts_are_known() -> None:
    assert sentences("Dr. Wells came. “Why?” he asked!\n\nTitle\n\n今日は。明日は。") == [
        "Dr. Wells came.",
        "“Why?”",
        "he asked!",
        "Title",
        "今日は。",
        "明日は。",
    ]


async def test_a_long_text_is_shortened_to_its_telling_sentences_before_a_model_words_it() -> None:
    model = ScriptedModel([{"summary": "A boiler broke."}])
    given = await use(TextSummarizer(model), text=BOILERS * 100, style="abstractive")
    assert (given.summary, given.shortened) == ("A boiler broke.", True)
    assert len(model.requests[0].messages[-1].content) < MAX_CHARACTERS + 200
    assert len(shorten("x" * 20_000, 100)) == 100


async def test_a_model_is_asked_only_with_the_permission_within_the_budget_and_what_it_used_is_told() -> None:
    model = ScriptedModel([{"summary": "x"}])
    with pytest.raises(PermissionDeniedError, match="model:fast"):
        await use(TextSummarizer(model), RunContext(), text="x", style="abstractive")
    meter, budget = UsageMeter(), Budget(1)
    context = RunContext(principal=Principal("tester", (Grant("model", "fast"),), budget)).with_extras(meter)
    await use(TextSummarizer(model), context, text="x", style="abstractive")
    assert (meter.total.calls, budget.left) == (1, 0)
    with pytest.raises(BudgetSpentError):
        await use(TextSummarizer(model), context, text="x", style="abstractive")


async def test_a_sentiment_below_the_threshold_is_not_certain() -> None:
    reply = {"reason": "it thanks", "emotions": ["joy", "joy"], "sentiment": "positive", "confidence": 0.6}
    given = await use(SentimentAnalyzer(ScriptedModel([reply])), text="Thanks.", include_emotions=True)
    assert (given.sentiment, given.certain, given.emotions) == ("positive", False, ["joy"])


async def test_a_model_can_choose_only_from_the_labels() -> None:
    labels = {"bill": "about money", "fault": ""}
    model = ScriptedModel([{"reason": "r", "label": "fault", "confidence": 1.0}])
    given = await use(TextClassifier(model), text="It does not start.", labels=labels)
    assert given.labels == ["fault"]
    assert model.requests[0].schema is not None
    assert model.requests[0].schema["properties"]["label"]["enum"] == ["bill", "fault"]
    several = ScriptedModel([{"reason": "r", "labels": ["fault", "bill"], "confidence": 0.5}])
    assert (await use(TextClassifier(several), text="x", labels=labels, multiple=True)).labels == ["fault", "bill"]


async def test_what_a_model_names_counts_only_where_the_text_holds_it() -> None:
    text = "Ann met Anna in Rome. Ann wrote to anna@example.org."
    reply = {"entities": [{"text": "Ann", "type": "PERSON"}, {"text": "Paris", "type": "LOCATION"}]}
    given = await use(
        NamedEntityRecognizer(ScriptedModel([reply])), text=text, entity_types=["PERSON", "LOCATION", "EMAIL"]
    )
    assert [(e.text, e.type, e.start) for e in given.entities] == [
        ("Ann", "PERSON", 0),
        ("Ann", "PERSON", 22),
        ("anna@example.org", "EMAIL", 35),
    ]
    assert given.invented == ["Paris"]
    assert all(text[e.start : e.end] == e.text for e in given.entities)


async def test_addresses_and_dates_need_no_model() -> None:
    text = "On 2024-05-01, 3. May 2024 and June 7, 2024: see https://example.org/a?b=1. Host 10.0.0.1, not 999.1.1.1."
    given = await use(
        load_tool("named_entity_recognizer"), RunContext(), text=text, entity_types=["URL", "DATE", "IP_ADDRESS"]
    )
    assert [e.text for e in given.entities] == [
        "2024-05-01",
        "3. May 2024",
        "June 7, 2024",
        "https://example.org/a?b=1",
        "10.0.0.1",
    ]


async def test_a_long_text_is_read_in_pieces_and_places_stay_right() -> None:
    text = "Nothing here. " * 400 + "Then came Zoe."
    model = ScriptedModel(
        lambda request: {
            "entities": [{"text": "Zoe", "type": "PERSON"}] if "Zoe" in request.messages[-1].content else []
        }
    )
    given = await use(NamedEntityRecognizer(model), text=text, entity_types=["PERSON"])
    assert [(e.text, e.start) for e in given.entities] == [("Zoe", text.index("Zoe"))]
    assert len(model.requests) == 2


async def test_a_model_that_fails_fails_the_tool() -> None:
    with pytest.raises(ModelOutputError):
        await use(SentimentAnalyzer(ScriptedModel([ModelOutputError("nonsense")])), text="x")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Der Zug nach Hamburg fährt heute leider nicht.", "de"),
        ("Le train ne part pas aujourd'hui.", "fr"),
        ("今日は電車が走りません。", "ja"),
    ],
)
async def test_languages_are_told_apart(text: str, language: str) -> None:
    assert (await use(LanguageDetector(), text=text)).language == language


async def test_too_little_text_is_not_certain_and_none_is_no_language() -> None:
    assert not (await use(LanguageDetector(), text="ok")).certain
    assert (await use(LanguageDetector(), text="12 – 34")).language is None
    with pytest.raises(ComponentInputError, match="xx"):
        await use(LanguageDetector(), text="hello", among=["xx"])


class Lengths:
    """Embeds a text by its length."""

    name = "test:lengths"

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        return [[1.0, 0.0] if len(text) > 3 else [0.0, 1.0] for text in texts]

    async def close(self) -> None:
        return None


async def test_each_text_gets_its_vector() -> None:
    given = await use(EmbeddingGenerator(Lengths()), texts=["long text", "abc"])
    assert (given.model, given.dimensions, given.vectors) == ("test:lengths", 2, [[1.0, 0.0], [0.0, 1.0]])


@pytest.mark.model
@pytest.mark.timeout(600)
async def test_the_default_models_do_all_this() -> None:
    sad = await use(load_tool("sentiment_analyzer"), text="The food was cold, the waiter rude. Never again!")
    assert sad.sentiment == "negative"
    labels = {"billing": "invoices and payments", "technical": "something does not work"}
    kind = await use(load_tool("text_classifier"), text="The app crashes whenever I open it.", labels=labels)
    assert kind.labels == ["technical"]
    named = await use(load_tool("named_entity_recognizer"), text="Marie Curie worked in Paris.")
    assert ("Marie Curie", "PERSON") in [(entity.text, entity.type) for entity in named.entities]
    gist = await use(load_tool("text_summarizer"), text=BOILERS, style="abstractive", target_length="short")
    assert "boiler" in gist.summary
    texts = ["a dog barks", "a hound bays", "interest rates rise"]
    dog, hound, rates = (await use(load_tool("embedding_generator"), texts=texts)).vectors
    assert sum(a * b for a, b in zip(dog, hound, strict=True)) > sum(a * b for a, b in zip(dog, rates, strict=True))


async def test_a_text_that_is_made_to_take_long_does_not() -> None:
    endless = await use(TextSummarizer(), text="e.g. " * 90_000)
    assert endless.summary.startswith("e.g. e.g.")
    assert len(shorten("a\n\n" * 130_000, 12_000)) <= 12_000
