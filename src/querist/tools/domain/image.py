"""`image_processor`: what a picture is, and other pictures of it. Only the first frame of a moving one."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, Field, model_validator

from querist.core.context import RunContext
from querist.tools.confined import READ, WRITE, open_file, write_bytes
from querist.tools.domain.image_work import process
from querist.tools.tool import Tool, ToolInput, require
from querist.tools.worker import in_worker

_ENDINGS = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp", ".gif": "gif", ".bmp": "bmp"}
_ENDINGS |= {".tif": "tiff", ".tiff": "tiff"}


class ImageProcessorInput(ToolInput):
    needed: ClassVar = {"crop": ["box"]}

    operation: Literal["info", "resize", "crop", "rotate", "grayscale", "convert"] = Field(description="What to do.")
    input_path: Annotated[str, READ] = Field(description="The picture: PNG, JPEG, WebP, GIF, BMP or TIFF.")
    output_path: Annotated[str | None, WRITE] = Field(
        default=None, description="The picture to write; all but `info` need one."
    )
    width: int | None = Field(default=None, description="Pixels, for `resize`.", gt=0, le=20_000)
    height: int | None = Field(default=None, description="Pixels, for `resize`.", gt=0, le=20_000)
    maintain_aspect_ratio: bool = Field(default=True, description="Whether it fits into width and height undistorted.")
    box: tuple[int, int, int, int] | None = Field(default=None, description="Left, top, right and bottom, for `crop`.")
    degrees: float = Field(default=90, description="Clockwise, for `rotate`.", ge=-360, le=360)
    format: Literal["png", "jpeg", "webp", "gif", "bmp", "tiff"] | None = Field(
        default=None, description="Of the new picture; by the ending of `output_path`, else that of the old one."
    )
    quality: int = Field(default=85, description="For JPEG and WebP, from 1 to 100.", ge=1, le=100)
    timeout: float = Field(default=30, description="Seconds that it may take.", gt=0, le=300)

    @model_validator(mode="after")
    def _where_to(self) -> Self:
        if (self.operation == "info") != (self.output_path is None):
            raise ValueError("all but info need an output_path, info has none")
        if self.operation == "resize" and not (self.width or self.height):
            raise ValueError("resize needs width or height")
        return self


class Image(BaseModel):
    format: str
    width: int
    height: int
    mode: str = Field(description="Its channels, such as `RGB` or `RGBA`.")
    frames: int
    written: str | None = None


class ImageProcessor(Tool[ImageProcessorInput, Image]):
    name = "image_processor"
    description = """Describe a picture, or write a resized, cropped, turned, grey or converted one.

    What the camera noted in it (place, time) is not in the new picture."""
    permissions = ("file_read", "file_write")

    async def run(self, input: ImageProcessorInput, context: RunContext) -> Image:
        require("PIL", "read pictures")
        options = {
            "width": input.width,
            "height": input.height,
            "keep_ratio": input.maintain_aspect_ratio,
            "box": input.box,
            "degrees": input.degrees,
            "format": input.format or _ENDINGS.get(Path(input.output_path or "").suffix.lower()),
            "quality": input.quality,
        }
        with open_file(input.input_path, context) as file:
            number = file.fileno()
            found = await in_worker(process, number, input.operation, options, seconds=input.timeout, keep=(number,))
        if input.output_path is not None:
            await asyncio.to_thread(write_bytes, input.output_path, base64.b64decode(found.pop("made")), context)
        return Image(**found, written=input.output_path)
