"""A whole but minute language model as a GGUF file: real to llama.cpp, loaded at once, and talking nonsense.

It lets the tests use the real server without a download. Format: the GGUF specification, version 3.
"""

from __future__ import annotations

import random
import struct
from pathlib import Path

WIDTH, FEED_FORWARD, HEADS, CONTEXT = 32, 64, 2, 4096
TOKENS = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
TOKEN_TYPES = [2, 3, 3, *([6] * 256)]  # unknown, control, control, byte
CHAT_TEMPLATE = "{% for message in messages %}{{ message['content'] }}\n{% endfor %}"

_UINT32, _FLOAT32, _STRING, _ARRAY, _INT32 = 4, 6, 8, 9, 5
_ALIGNMENT = 32


def write_tiny_model(path: Path, *, embedding: bool = False) -> Path:
    """Write the model to `path`; `embedding` makes one that pools its states into one vector for each text."""
    numbers = random.Random(0)
    fields = [
        _field("general.architecture", _string("llama"), _STRING),
        _field("general.name", _string("tiny"), _STRING),
        _uint("llama.block_count", 1),
        _uint("llama.context_length", CONTEXT),
        _uint("llama.embedding_length", WIDTH),
        _uint("llama.feed_forward_length", FEED_FORWARD),
        _uint("llama.attention.head_count", HEADS),
        _uint("llama.rope.dimension_count", WIDTH // HEADS),
        _field("llama.attention.layer_norm_rms_epsilon", struct.pack("<f", 1e-5), _FLOAT32),
        _field("tokenizer.ggml.model", _string("llama"), _STRING),
        _array("tokenizer.ggml.tokens", _STRING, [_string(token) for token in TOKENS]),
        _array("tokenizer.ggml.scores", _FLOAT32, [struct.pack("<f", 0.0)] * len(TOKENS)),
        _array("tokenizer.ggml.token_type", _INT32, [struct.pack("<i", kind) for kind in TOKEN_TYPES]),
        _uint("tokenizer.ggml.bos_token_id", 1),
        _uint("tokenizer.ggml.eos_token_id", 2),
        _field("tokenizer.chat_template", _string(CHAT_TEMPLATE), _STRING),
    ]
    if embedding:
        fields.append(_uint("llama.pooling_type", 1))
    shapes = {
        "token_embd.weight": (WIDTH, len(TOKENS)),
        "output_norm.weight": (WIDTH,),
        "output.weight": (WIDTH, len(TOKENS)),
        "blk.0.attn_norm.weight": (WIDTH,),
        "blk.0.attn_q.weight": (WIDTH, WIDTH),
        "blk.0.attn_k.weight": (WIDTH, WIDTH),
        "blk.0.attn_v.weight": (WIDTH, WIDTH),
        "blk.0.attn_output.weight": (WIDTH, WIDTH),
        "blk.0.ffn_norm.weight": (WIDTH,),
        "blk.0.ffn_gate.weight": (WIDTH, FEED_FORWARD),
        "blk.0.ffn_up.weight": (WIDTH, FEED_FORWARD),
        "blk.0.ffn_down.weight": (FEED_FORWARD, WIDTH),
    }
    directory, data = b"", b""
    for name, shape in shapes.items():
        count = 1
        for length in shape:
            count *= length
        directory += _string(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, len(data))
        data += struct.pack(f"<{count}f", *(numbers.gauss(0, 0.3) for _ in range(count)))
        data += bytes(-len(data) % _ALIGNMENT)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(shapes), len(fields)) + b"".join(fields) + directory
    path.write_bytes(head + bytes(-len(head) % _ALIGNMENT) + data)
    return path


def _string(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()


def _field(key: str, value: bytes, kind: int) -> bytes:
    return _string(key) + struct.pack("<I", kind) + value


def _uint(key: str, value: int) -> bytes:
    return _field(key, struct.pack("<I", value), _UINT32)


def _array(key: str, kind: int, values: list[bytes]) -> bytes:
    return _field(key, struct.pack("<IQ", kind, len(values)) + b"".join(values), _ARRAY)
