"""`uuid_generator`, `hash_calculator` and `base64_encoder`."""

from __future__ import annotations

import base64
import hashlib
import os
import time
import uuid
from typing import Annotated, Literal
from urllib.parse import quote, unquote_to_bytes

from pydantic import BaseModel, Field, model_validator

from querist.core.component import Component
from querist.core.context import RunContext
from querist.errors import ComponentInputError
from querist.tools.confined import READ, open_file
from querist.tools.tool import ThreadTool, ToolInput, chunks


class UuidGeneratorInput(ToolInput):
    version: Literal[4, 5, 7] = Field(
        default=4, description="4: random; 7: random, in the order of time; 5: always the same for a name."
    )
    count: int = Field(default=1, description="How many.", ge=1, le=1000)
    format: Literal["standard", "hex", "urn", "braces", "uppercase"] = Field(
        default="standard", description="How they are written."
    )
    namespace: Literal["dns", "url", "oid", "x500"] | uuid.UUID = Field(default="url", description="For version 5.")
    name: str | None = Field(default=None, description="For version 5.")

    @model_validator(mode="after")
    def _named(self) -> UuidGeneratorInput:
        if (self.version == 5) != (self.name is not None):
            raise ValueError("a `name` goes with version 5, and only with that")
        return self


class Uuids(BaseModel):
    uuids: list[str]


class UuidGenerator(Component[UuidGeneratorInput, Uuids]):
    name = "uuid_generator"
    description = "Make UUIDs: random, in the order of time, or for a name."

    async def run(self, input: UuidGeneratorInput, context: RunContext) -> Uuids:
        return Uuids(uuids=[_written(_uuid(input), input.format) for _ in range(input.count)])


def _uuid(input: UuidGeneratorInput) -> uuid.UUID:
    if input.version == 4:
        return uuid.uuid4()
    if input.version == 7:  # RFC 9562: milliseconds, then random bits
        bits = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10))
        bits = bits & ~(0xF << 76) | 0x7 << 76
        return uuid.UUID(int=bits & ~(0x3 << 62) | 0x2 << 62)
    spaces = {"dns": uuid.NAMESPACE_DNS, "url": uuid.NAMESPACE_URL, "oid": uuid.NAMESPACE_OID}
    space = input.namespace
    if isinstance(space, str):
        space = spaces.get(space, uuid.NAMESPACE_X500)
    return uuid.uuid5(space, input.name or "")


def _written(value: uuid.UUID, form: str) -> str:
    forms = {"hex": value.hex, "urn": value.urn, "braces": f"{{{value}}}", "uppercase": str(value).upper()}
    return forms.get(form, str(value))


class HashCalculatorInput(ToolInput):
    algorithm: Literal["md5", "sha1", "sha256", "sha512", "sha3_256", "blake2b", "blake2s"] = Field(
        default="sha256", description="md5 and sha1 find accidents, not malice."
    )
    text: str | None = Field(default=None, description="The text, taken as UTF-8; or give `path`.")
    path: Annotated[str | None, READ] = Field(default=None, description="A file; or give `text`.")

    @model_validator(mode="after")
    def _one(self) -> HashCalculatorInput:
        if (self.text is None) == (self.path is None):
            raise ValueError("give either `text` or `path`")
        return self


class Hash(BaseModel):
    algorithm: str
    hex: str
    base64: str


class HashCalculator(ThreadTool[HashCalculatorInput, Hash]):
    name = "hash_calculator"
    description = "Calculate the hash of a text or of a file."
    permissions = ("file_read",)

    def work(self, input: HashCalculatorInput, context: RunContext) -> Hash:
        made = hashlib.new(input.algorithm, usedforsecurity=False)
        if input.path is None:
            made.update((input.text or "").encode())
        else:
            with open_file(input.path, context) as file:
                for chunk in chunks(file, context):
                    made.update(chunk)
        return Hash(algorithm=input.algorithm, hex=made.hexdigest(), base64=base64.b64encode(made.digest()).decode())


class Base64EncoderInput(ToolInput):
    text: str = Field(description="What to encode or decode.", max_length=20_000_000)
    operation: Literal["encode", "decode"] = Field(default="encode", description="Which way.")
    variant: Literal["base64", "base64url", "url"] = Field(
        default="base64", description="`base64url` for addresses and file names; `url` is percent-encoding (%20)."
    )


class Encoded(BaseModel):
    result: str
    is_hex: bool = Field(default=False, description="Decoded bytes that are no UTF-8 text are written in hex.")


class Base64Encoder(Component[Base64EncoderInput, Encoded]):
    name = "base64_encoder"
    description = "Encode or decode base64, base64 for addresses, or percent-encoding."

    async def run(self, input: Base64EncoderInput, context: RunContext) -> Encoded:
        if input.operation == "encode":
            return Encoded(result=_encoded(input.text, input.variant))
        data = _decoded(input.text, input.variant)
        try:
            return Encoded(result=data.decode())
        except UnicodeDecodeError:
            return Encoded(result=data.hex(), is_hex=True)


def _encoded(text: str, variant: str) -> str:
    if variant == "url":
        return quote(text, safe="")
    encode = base64.b64encode if variant == "base64" else base64.urlsafe_b64encode
    return encode(text.encode()).decode()


def _decoded(text: str, variant: str) -> bytes:
    if variant == "url":
        return unquote_to_bytes(text)
    padded = "".join(text.split()).rstrip("=")
    padded += "=" * (-len(padded) % 4)
    try:
        return base64.b64decode(padded, altchars=None if variant == "base64" else b"-_", validate=True)
    except ValueError as error:
        raise ComponentInputError(f"The text is not {variant}: {error}.") from error
