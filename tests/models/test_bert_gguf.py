"""An encoder converted from its publisher's files: the same vectors, and the same bytes each time."""

from __future__ import annotations

from pathlib import Path

import pytest

from querist.errors import ModelError
from querist.models.bert_gguf import convert
from querist.models.llama_server import ServerConfig
from querist.models.llamacpp import LocalEmbeddings
from tests.models.tiny_bert import CONTEXT, Weights, dot, embed, write_tiny_bert


@pytest.fixture
def weights(tmp_path: Path) -> Weights:
    return write_tiny_bert(tmp_path)


def converted(folder: Path, name: str = "tiny.gguf") -> Path:
    target = folder / name
    convert(folder, target, lambda done, total: None)
    return target


@pytest.mark.anyio
async def test_the_converted_model_makes_the_vectors_of_the_original(tmp_path: Path, weights: Weights) -> None:
    model = LocalEmbeddings("local:tiny", ServerConfig(str(converted(tmp_path)), context=512, slots=1), shared=False)
    texts = {
        "Sales by region": ["sales", "by", "region"],
        "café-regions": ["cafe", "-", "region", "##s"],
        "12 unheard": ["1", "##2", "[UNK]"],
    }
    found = await model.embed(list(texts))
    for vector, tokens in zip(found, texts.values(), strict=True):
        assert dot(vector, embed(weights, tokens)) > 0.999
    assert dot(found[0], found[2]) < 0.99
    with pytest.raises(ModelError, match=f"larger than the max context size \\({CONTEXT} tokens\\)") as refused:
        await model.embed(["sales " * CONTEXT])
    assert "shorter" in refused.value.hint
    await model.close()


@pytest.mark.usefixtures("weights")
def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    assert converted(tmp_path, "one.gguf").read_bytes() == converted(tmp_path, "two.gguf").read_bytes()
