"""A whole but minute sentence encoder in its publisher's files, and what it makes of a text, in plain Python.

The second is the reference for the converted model: it shares no code and no format with it.
"""

from __future__ import annotations

import json
import math
import random
import struct
from pathlib import Path

WIDTH, INNER, HEADS, CONTEXT = 32, 64, 2, 64
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "sales", "by", "region", "##s", "cafe", "-", "1", "##2"]

Vector = list[float]
Weights = dict[str, tuple[list[int], Vector]]


def write_tiny_bert(folder: Path) -> Weights:
    """Write model.safetensors, tokenizer.json and config.json; returns the weights, each with its shape."""
    numbers = random.Random(0)
    layer = "encoder.layer.0"
    shapes = {
        "embeddings.word_embeddings.weight": [len(WORDS), WIDTH],
        "embeddings.position_embeddings.weight": [CONTEXT, WIDTH],
        "embeddings.token_type_embeddings.weight": [2, WIDTH],
        f"{layer}.intermediate.dense.weight": [INNER, WIDTH],
        f"{layer}.intermediate.dense.bias": [INNER],
        f"{layer}.output.dense.weight": [WIDTH, INNER],
        f"{layer}.output.dense.bias": [WIDTH],
        "pooler.dense.weight": [WIDTH, WIDTH],  # of no use here
    }
    for square in ("self.query", "self.key", "self.value", "output.dense"):
        shapes |= {f"{layer}.attention.{square}.weight": [WIDTH, WIDTH], f"{layer}.attention.{square}.bias": [WIDTH]}
    for norm in ("embeddings", f"{layer}.attention.output", f"{layer}.output"):
        shapes |= {f"{norm}.LayerNorm.weight": [WIDTH], f"{norm}.LayerNorm.bias": [WIDTH]}
    weights = {
        name: (shape, [numbers.gauss(0, 0.5) for _ in range(math.prod(shape))]) for name, shape in shapes.items()
    }
    header, data = {}, b""
    for name, (shape, values) in weights.items():
        start = len(data)
        data += struct.pack(f"<{len(values)}f", *values)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [start, len(data)]}
    head = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(head)) + head + data)
    special = [{"content": word, "special": True} for word in WORDS[:5]]
    vocabulary = {word: number for number, word in enumerate(WORDS)}
    (folder / "tokenizer.json").write_text(json.dumps({"model": {"vocab": vocabulary}, "added_tokens": special}))
    config = {
        "num_hidden_layers": 1,
        "max_position_embeddings": CONTEXT,
        "hidden_size": WIDTH,
        "intermediate_size": INNER,
        "num_attention_heads": HEADS,
        "layer_norm_eps": 1e-12,
        "type_vocab_size": 2,
    }
    (folder / "config.json").write_text(json.dumps(config))
    return weights


def embed(weights: Weights, tokens: list[str]) -> Vector:
    """The unit vector of a text that was split into `tokens`, without those at its ends."""

    def rows(name: str) -> list[Vector]:
        shape, values = weights[name]
        width = shape[-1]
        return [values[start : start + width] for start in range(0, len(values), width)]

    def linear(x: Vector, name: str) -> Vector:
        return [
            dot(row, x) + bias for row, bias in zip(rows(f"{name}.weight"), weights[f"{name}.bias"][1], strict=True)
        ]

    def norm(x: Vector, name: str) -> Vector:
        mean = sum(x) / len(x)
        spread = math.sqrt(sum((value - mean) ** 2 for value in x) / len(x))
        scale, shift = weights[f"{name}.weight"][1], weights[f"{name}.bias"][1]
        return [(value - mean) / spread * a + b for value, a, b in zip(x, scale, shift, strict=True)]

    words, places = rows("embeddings.word_embeddings.weight"), rows("embeddings.position_embeddings.weight")
    kind = rows("embeddings.token_type_embeddings.weight")[0]
    ids = [WORDS.index(token) for token in ("[CLS]", *tokens, "[SEP]")]
    states = [norm(add(add(words[id], places[place]), kind), "embeddings.LayerNorm") for place, id in enumerate(ids)]
    layer, size = "encoder.layer.0", WIDTH // HEADS
    query, key, value = ([linear(x, f"{layer}.attention.self.{n}") for x in states] for n in ("query", "key", "value"))
    seen: list[Vector] = [[] for _ in states]
    for head in (slice(n * size, (n + 1) * size) for n in range(HEADS)):
        for place, asked in enumerate(query):
            shares = [math.exp(dot(asked[head], known[head]) / math.sqrt(size)) for known in key]
            pairs = [(share / sum(shares), found[head]) for share, found in zip(shares, value, strict=True)]
            seen[place] += [sum(share * found[n] for share, found in pairs) for n in range(size)]
    mixed = [
        norm(add(x, linear(new, f"{layer}.attention.output.dense")), f"{layer}.attention.output.LayerNorm")
        for x, new in zip(states, seen, strict=True)
    ]
    inner = [[gelu(h) for h in linear(x, f"{layer}.intermediate.dense")] for x in mixed]
    last = [
        norm(add(x, linear(h, f"{layer}.output.dense")), f"{layer}.output.LayerNorm")
        for x, h in zip(mixed, inner, strict=True)
    ]
    mean = [sum(column) / len(last) for column in zip(*last, strict=True)]
    return [value / math.sqrt(dot(mean, mean)) for value in mean]


def dot(a: Vector, b: Vector) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def add(a: Vector, b: Vector) -> Vector:
    return [x + y for x, y in zip(a, b, strict=True)]


def gelu(x: float) -> float:
    return x * 0.5 * (1 + math.erf(x / math.sqrt(2)))
