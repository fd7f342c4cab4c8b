"""A sentence encoder of the BERT family, as its publisher gives it (safetensors, tokenizer.json), as one GGUF file.

llama.cpp reads GGUF only. The matrices become 8-bit (Q8_0), all else stays as it is. The same input gives the same
bytes on every machine, so the result has a SHA-256 to be pinned. Not for other kinds of models.

Formats: https://huggingface.co/docs/safetensors, https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
"""

from __future__ import annotations

import json
import math
import struct
import sys
from array import array
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO

_UINT32, _INT32, _FLOAT32, _BOOL, _STRING, _ARRAY = 4, 5, 6, 7, 8, 9
_F32, _Q8_0 = 0, 8
_MOSTLY_Q8_0 = 7
_MEAN_POOLING = 1
_ALIGNMENT = 32
_BLOCK = 32  # numbers that share one scale in Q8_0
_NORMAL, _CONTROL = 1, 3  # kinds of tokens

_TENSORS = {
    "embeddings.word_embeddings.weight": "token_embd.weight",
    "embeddings.token_type_embeddings.weight": "token_types.weight",
    "embeddings.position_embeddings.weight": "position_embd.weight",
    "embeddings.LayerNorm": "token_embd_norm",
}
_LAYER = {
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}
_WHOLE = ("token_types.weight", "position_embd.weight")  # small, and read row by row


def convert(folder: Path, target: Path, on_bytes: Callable[[int, int], None]) -> None:
    """Write the GGUF file of an encoder that takes the mean of its states.

    Args:
        folder: holds `model.safetensors` with numbers of 32 bits, `tokenizer.json` of the kind WordPiece, and
            `config.json` of the kind `bert`.
        on_bytes: called with how many bytes of the weights are converted, and of how many.
    """
    shape: dict[str, Any] = json.loads((folder / "config.json").read_bytes())
    tokenizer: dict[str, Any] = json.loads((folder / "tokenizer.json").read_bytes())
    fields = [*_model_fields(shape), *_token_fields(tokenizer, shape["type_vocab_size"])]
    with (folder / "model.safetensors").open("rb") as source, target.open("wb") as out:
        (length,) = struct.unpack("<Q", source.read(8))
        header: dict[str, Any] = json.loads(source.read(length))
        names = _names(shape["num_hidden_layers"])
        directory, offset = b"", 0
        for theirs, ours in names.items():
            lengths = header[theirs]["shape"][::-1]  # GGUF counts the fastest first
            kind = _kind(ours, lengths)
            directory += _string(ours) + struct.pack(f"<I{len(lengths)}QIQ", len(lengths), *lengths, kind, offset)
            offset += _padded(_size(kind, lengths))
        out.write(b"GGUF" + struct.pack("<IQQ", 3, len(names), len(fields)) + b"".join(fields) + directory)
        _pad(out)
        done, total = 0, sum(_bytes(header[theirs]) for theirs in names)
        for theirs, ours in names.items():
            entry = header[theirs]
            source.seek(8 + length + entry["data_offsets"][0])
            data = source.read(_bytes(entry))
            out.write(_quantized(data) if _kind(ours, entry["shape"]) == _Q8_0 else data)
            _pad(out)
            done += len(data)
            on_bytes(done, total)


def _names(layers: int) -> dict[str, str]:
    """The tensors to copy, in the order of the file: their names there and here."""
    stems = _TENSORS | {
        f"encoder.layer.{number}.{theirs}": f"blk.{number}.{ours}"
        for number in range(layers)
        for theirs, ours in _LAYER.items()
    }
    return {
        f"{theirs}{end}": f"{ours}{end}"
        for theirs, ours in stems.items()
        for end in ([""] if theirs.endswith(".weight") else [".weight", ".bias"])
    }


def _bytes(entry: dict[str, Any]) -> int:
    start, end = entry["data_offsets"]
    return int(end - start)


def _kind(name: str, lengths: list[int]) -> int:
    return _Q8_0 if len(lengths) == 2 and name not in _WHOLE else _F32


def _size(kind: int, lengths: list[int]) -> int:
    count = math.prod(lengths)
    return count // _BLOCK * (2 + _BLOCK) if kind == _Q8_0 else 4 * count


def _quantized(data: bytes) -> bytes:
    """Numbers of 32 bits as Q8_0: for each block a scale of 16 bits, and each number as a share of it in 8 bits."""
    numbers = array("f", data)
    if sys.byteorder == "big":
        numbers.byteswap()
    out, pack = bytearray(), struct.Struct(f"<e{_BLOCK}b").pack
    for start in range(0, len(numbers), _BLOCK):
        block = numbers[start : start + _BLOCK]
        largest = max(max(block), -min(block))
        share = 127 / largest if largest else 0.0
        out += pack(largest / 127, *[round(number * share) for number in block])
    return bytes(out)


def _model_fields(shape: dict[str, Any]) -> list[bytes]:
    return [
        _field("general.architecture", _string("bert"), _STRING),
        _field("general.file_type", struct.pack("<I", _MOSTLY_Q8_0), _UINT32),
        _uint("bert.block_count", shape["num_hidden_layers"]),
        _uint("bert.context_length", shape["max_position_embeddings"]),
        _uint("bert.embedding_length", shape["hidden_size"]),
        _uint("bert.feed_forward_length", shape["intermediate_size"]),
        _uint("bert.attention.head_count", shape["num_attention_heads"]),
        _field("bert.attention.layer_norm_epsilon", struct.pack("<f", shape["layer_norm_eps"]), _FLOAT32),
        _field("bert.attention.causal", b"\0", _BOOL),
        _uint("bert.pooling_type", _MEAN_POOLING),
    ]


def _token_fields(tokenizer: dict[str, Any], kinds: int) -> list[bytes]:
    ids: dict[str, int] = tokenizer["model"]["vocab"]
    words = sorted(ids, key=ids.__getitem__)
    special = {token["content"] for token in tokenizer["added_tokens"] if token["special"]}
    types = [_CONTROL if word in special else _NORMAL for word in words]
    return [
        _field("tokenizer.ggml.model", _string("bert"), _STRING),
        _array("tokenizer.ggml.tokens", _STRING, (_string(_as_phantom_space(word, special)) for word in words)),
        _array("tokenizer.ggml.token_type", _INT32, (struct.pack("<i", kind) for kind in types)),
        _uint("tokenizer.ggml.token_type_count", kinds),
        _uint("tokenizer.ggml.bos_token_id", ids["[CLS]"]),
        _uint("tokenizer.ggml.eos_token_id", ids["[SEP]"]),
        _uint("tokenizer.ggml.unknown_token_id", ids["[UNK]"]),
        _uint("tokenizer.ggml.seperator_token_id", ids["[SEP]"]),  # spelt so in the format
        _uint("tokenizer.ggml.padding_token_id", ids["[PAD]"]),
        _uint("tokenizer.ggml.mask_token_id", ids["[MASK]"]),
    ]


def _as_phantom_space(word: str, special: set[str]) -> str:
    """llama.cpp marks the pieces that begin a word, WordPiece those that go on with one."""
    if word in special:
        return word
    return word[2:] if word.startswith("##") else f"▁{word}"


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _field(key: str, value: bytes, kind: int) -> bytes:
    return _string(key) + struct.pack("<I", kind) + value


def _uint(key: str, value: int) -> bytes:
    return _field(key, struct.pack("<I", value), _UINT32)


def _array(key: str, kind: int, values: Iterable[bytes]) -> bytes:
    items = list(values)
    return _field(key, struct.pack("<IQ", kind, len(items)) + b"".join(items), _ARRAY)


def _padded(size: int) -> int:
    return size + -size % _ALIGNMENT


def _pad(out: BinaryIO) -> None:
    out.write(bytes(-out.tell() % _ALIGNMENT))
