"""The work of `pdf_processor`, run in a worker: a PDF may be made to be read for ever. Imports little."""

from __future__ import annotations

import base64
import io
import os
from typing import Any


def process(descriptors: list[int], operation: str, pages: list[int], max_characters: int) -> dict[str, Any]:
    """Read open PDF files.

    Args:
        pages: from 1; none for all.

    Returns:
        The fields of `PdfResult`, with `made` as base64 in place of `written`.
    """
    from pypdf import PdfReader, PdfWriter
    from pypdf.errors import PyPdfError

    try:
        readers = [PdfReader(os.fdopen(descriptor, "rb", closefd=False)) for descriptor in descriptors]
        if any(reader.is_encrypted and not reader.decrypt("") for reader in readers):
            raise ValueError("The PDF needs a password.")
        first = readers[0]
        count = len(first.pages)
        if pages and max(pages) > count:
            raise ValueError(f"There is no page {max(pages)}: the PDF has {count}.")
        chosen = pages or range(1, count + 1)
        result: dict[str, Any] = {"page_count": count}
        if operation == "extract_text":
            result["pages"], result["truncated"] = _texts(first, chosen, max_characters)
        if operation in ("extract_text", "metadata"):
            found: Any = first.metadata or {}
            result["metadata"] = {str(key).lstrip("/").lower(): str(value)[:1000] for key, value in found.items()}
        else:
            writer = PdfWriter()
            if operation == "merge":
                for reader in readers:
                    writer.append(reader)
            else:
                for number in chosen:
                    writer.add_page(first.pages[number - 1])
            made = io.BytesIO()
            writer.write(made)
            result |= {"made": base64.b64encode(made.getvalue()).decode(), "page_count": len(writer.pages)}
        return result
    except (PyPdfError, KeyError, TypeError, AttributeError, IndexError, OSError) as error:
        raise ValueError(f"It is not a PDF that can be read: {error}.") from error


def _texts(reader: Any, chosen: Any, room: int) -> tuple[list[dict[str, Any]], bool]:
    pages: list[dict[str, Any]] = []
    for number in chosen:
        text = reader.pages[number - 1].extract_text()
        pages.append({"number": number, "text": text[:room]})
        room -= len(text)
        if room < 0:
            return pages, True
    return pages, False
