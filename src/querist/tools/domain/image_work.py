"""The work of `image_processor`, run in a worker: a picture may be made to fill all memory. Imports little."""

from __future__ import annotations

import base64
import io
import os
from typing import Any

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
MAX_PIXELS = 50_000_000


def process(descriptor: int, operation: str, options: dict[str, Any]) -> dict[str, Any]:
    """Change an open picture.

    Args:
        options: `width`, `height`, `keep_ratio`, `box`, `degrees`, `format`, `quality`; what the operation needs.

    Returns:
        `format`, `width`, `height`, `mode`, `frames`, and of a new picture its bytes as base64 (`made`).
    """
    from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2  # it raises from twice this number on
    try:
        with Image.open(os.fdopen(descriptor, "rb", closefd=False), formats=FORMATS) as picture:
            was = picture.format or ""
            if picture.width * picture.height > MAX_PIXELS:
                raise ValueError(f"The picture has more than {MAX_PIXELS:,} pixels.")
            lies = picture.getexif().get(ExifTags.Base.Orientation) in (5, 6, 7, 8)
            width, height = picture.size[::-1] if lies else picture.size
            told = {"format": was, "width": width, "height": height, "mode": picture.mode}
            told["frames"] = getattr(picture, "n_frames", 1)
            if operation == "info":
                return told
            made = _changed(ImageOps.exif_transpose(picture), operation, options)
        kind = (options["format"] or was).upper()
        if made.mode == "CMYK" and kind in ("PNG", "BMP"):  # they know no printing inks, and not their profile
            made = made.convert("RGB")
            made.info.pop("icc_profile", None)
        if kind == "JPEG" and made.mode not in ("RGB", "L"):
            # JPEG knows nothing transparent: white is put behind it.
            seen = made.convert("RGBA")
            made = Image.new("RGB", made.size, "white")
            made.paste(seen, mask=seen.getchannel("A"))
        # What else is noted in a picture (comments, place, time) some formats would write into the new one as well.
        made.info = {name: made.info[name] for name in ("icc_profile", "transparency") if name in made.info}
        out = io.BytesIO()
        made.save(out, kind, **({"quality": options["quality"]} if kind in ("JPEG", "WEBP") else {}))
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError) as error:
        raise ValueError(f"It is not a picture that can be read: {error}.") from error
    new = {"format": kind, "width": made.width, "height": made.height, "mode": made.mode, "frames": 1}
    return new | {"made": base64.b64encode(out.getvalue()).decode()}


def _changed(picture: Any, operation: str, options: dict[str, Any]) -> Any:
    from PIL import Image

    if operation == "crop":
        left, top, right, bottom = options["box"]
        if not (0 <= left < right <= picture.width and 0 <= top < bottom <= picture.height):
            raise ValueError(f"The box does not lie in the picture of {picture.width} × {picture.height} pixels.")
        return picture.crop((left, top, right, bottom))
    if operation == "rotate":
        return picture.rotate(-options["degrees"], expand=True)  # Pillow turns the other way
    if operation == "grayscale":
        return picture.convert("LA" if "A" in picture.getbands() else "L")
    if operation == "resize":
        width, height = options["width"], options["height"]
        if options["keep_ratio"] or not (width and height):
            scale = min(size / own for size, own in ((width, picture.width), (height, picture.height)) if size)
            width, height = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
        if width * height > MAX_PIXELS:
            raise ValueError(f"The new picture would have more than {MAX_PIXELS:,} pixels.")
        whole = picture if picture.mode != "P" else picture.convert("RGBA")
        return whole.resize((width, height), Image.Resampling.LANCZOS)
    return picture
