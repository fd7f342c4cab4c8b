from __future__ import annotations

import base64
import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from PIL import ExifTags, Image
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from querist.core.context import RunContext
from querist.core.permissions import Grant, Principal
from querist.core.runner import Runner
from querist.errors import ComponentInputError, NetworkError, PermissionDeniedError
from querist.tools.domain import image_work, pdf_work
from querist.tools.domain.papers import AcademicSearcher
from tests.tools.site import Asked, reply, site

pytestmark = pytest.mark.anyio
Use = Callable[..., Any]


def write_pdf(path: Path, *pages: str, password: str = "") -> str:
    writer = PdfWriter()
    name = {
        NameObject("/F1"): DictionaryObject(
            {
                NameObject("/Type"): NameObject("/Font"),
                NameObject("/Subtype"): NameObject("/Type1"),
                NameObject("/BaseFont"): NameObject("/Helvetica"),
            }
        )
    }
    for text in pages:
        page = writer.add_blank_page(300, 300)
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): DictionaryObject(name)})
        content = DecodedStreamObject()
        content.set_data(f"BT /F1 12 Tf 20 200 Td ({text}) Tj ET".encode())
        page[NameObject("/Contents")] = writer._add_object(content)
    writer.add_metadata({"/Title": "A title", "/Author": "Ann"})
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    writer.write(path)
    return str(path)


async def test_text_and_metadata_are_taken_out_of_a_pdf(tmp_path: Path, use: Use) -> None:
    path = write_pdf(tmp_path / "a.pdf", "one", "two", "three")
    found = await use("pdf_processor", file_path=path, pages=[3, 1])
    assert [(page.number, page.text) for page in found.pages] == [(3, "three"), (1, "one")]
    assert found.metadata["title"] == "A title"
    assert (await use("pdf_processor", file_path=path, max_characters=4)).truncated
    about = await use("pdf_processor", file_path=path, operation="metadata")
    assert (about.page_count, about.metadata["title"], about.metadata["author"]) == (3, "A title", "Ann")


async def test_pdfs_are_split_and_merged(tmp_path: Path, use: Use) -> None:
    first, second = write_pdf(tmp_path / "a.pdf", "one", "two"), write_pdf(tmp_path / "b.pdf", "three")
    out = tmp_path / "out.pdf"
    await use("pdf_processor", operation="merge", file_path=first, with_files=[second], output_path=str(out))
    assert [page.extract_text() for page in PdfReader(out).pages] == ["one", "two", "three"]
    await use("pdf_processor", operation="split", file_path=first, pages=[2], output_path=str(out))
    assert [page.extract_text() for page in PdfReader(out).pages] == ["two"]
    with pytest.raises(ComponentInputError, match="split one first"):
        await use(
            "pdf_processor", operation="merge", file_path=first, pages=[1], with_files=[second], output_path=str(out)
        )


def test_what_is_no_readable_pdf_is_told(tmp_path: Path) -> None:
    def read(path: str, *pages: int) -> None:
        with Path(path).open("rb") as file:
            pdf_work.process([file.fileno()], "extract_text", list(pages), 100)

    (tmp_path / "a.pdf").write_text("not a pdf")
    with pytest.raises(ValueError, match="not a PDF"):
        read(str(tmp_path / "a.pdf"))
    with pytest.raises(ValueError, match="password"):
        read(write_pdf(tmp_path / "b.pdf", "x", password="p"))
    with pytest.raises(ValueError, match="no page 9"):
        read(write_pdf(tmp_path / "c.pdf", "x"), 9)


async def test_files_are_read_only_with_the_permission(use: Use) -> None:
    with pytest.raises(PermissionDeniedError):
        await use("pdf_processor", file_path="/etc/passwd")


def draw(path: Path, size: tuple[int, int] = (40, 20), mode: str = "RGB") -> str:
    Image.new(mode, size, "red").save(path)
    return str(path)


async def test_pictures_are_described_and_changed(tmp_path: Path, use: Use) -> None:
    path, out = draw(tmp_path / "a.png"), str(tmp_path / "new" / "out.jpg")
    about = await use("image_processor", operation="info", input_path=path)
    assert (about.format, about.width, about.height, about.mode, about.written) == ("PNG", 40, 20, "RGB", None)
    small = await use("image_processor", operation="resize", input_path=path, output_path=out, width=10, format="jpeg")
    assert (small.width, small.height, small.format) == (10, 5, "JPEG")
    assert Image.open(out).size == (10, 5)
    turned = await use("image_processor", operation="rotate", input_path=path, output_path=out)
    assert (turned.width, turned.height) == (20, 40)
    with pytest.raises(ComponentInputError, match="does not lie in the picture"):
        await use("image_processor", operation="crop", input_path=path, output_path=out, box=[0, 0, 50, 5])


async def test_what_is_transparent_becomes_white_in_a_jpeg(tmp_path: Path, use: Use) -> None:
    Image.new("RGBA", (4, 4), (255, 0, 0, 0)).save(tmp_path / "a.png")
    out = tmp_path / "b.jpg"
    ask = {"input_path": str(tmp_path / "a.png"), "output_path": str(out)}
    await use("image_processor", operation="convert", format="jpeg", **ask)
    assert Image.open(out).getpixel((1, 1)) == (255, 255, 255)


def test_a_picture_for_print_is_converted_to_one_for_screens(tmp_path: Path) -> None:
    Image.new("CMYK", (4, 4), (0, 255, 255, 0)).save(tmp_path / "a.jpg", quality=100)
    with (tmp_path / "a.jpg").open("rb") as file:
        made = image_work.process(file.fileno(), "convert", {"format": "png"})
    red, green, blue = Image.open(io.BytesIO(base64.b64decode(made["made"]))).getpixel((1, 1))  # type: ignore[misc]
    assert (made["mode"], red > 250, green < 5, blue < 5) == ("RGB", True, True, True)


def describe(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return image_work.process(file.fileno(), "info", {})


def test_a_picture_is_as_large_as_it_is_shown(tmp_path: Path) -> None:
    upright = Image.Exif()
    upright[ExifTags.Base.Orientation] = 6  # the camera was held on its side
    Image.new("RGB", (8, 4)).save(tmp_path / "a.jpg", exif=upright)
    told = describe(tmp_path / "a.jpg")
    assert (told["width"], told["height"]) == (4, 8)


def test_a_small_file_that_unpacks_to_a_huge_picture_is_refused(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    png = (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )
    (tmp_path / "bomb.png").write_bytes(png)
    with pytest.raises(ValueError, match=r"pixels|decompression bomb"):
        describe(tmp_path / "bomb.png")
    (tmp_path / "a.png").write_text("%!PS-Adobe")
    with pytest.raises(ValueError, match="not a picture"):
        describe(tmp_path / "a.png")


ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xmlns:arxiv="http://arxiv.org/schemas/atom"><entry>
<id>http://arxiv.org/abs/1</id><title>On
 Boilers</title><author><name>Ann Lee</name></author><published>2023-02-01T00:00:00Z</published>
<summary>Hot.</summary></entry></feed>"""
OPENALEX = {
    "results": [
        {
            "id": "https://openalex.org/W1",
            "title": "On boilers",
            "authorships": [{"author": {"display_name": "Ann Lee"}}],
            "publication_date": "2023-03-01",
            "doi": "https://doi.org/10.1/x",
            "cited_by_count": 5,
            "primary_location": None,
            "abstract_inverted_index": {"Very": [0], "hot": [1, 3], "and": [2]},
        },
        {"id": "https://openalex.org/W2", "title": "Soup", "publication_date": "2024-01-01", "cited_by_count": 9},
    ]
}
CROSSREF = {
    "message": {
        "items": [
            {
                "title": ["Stoves"],
                "author": [{"given": "Bo", "family": "Ek"}],
                "issued": {"date-parts": [[2022, 5]]},
                "DOI": "10.1/s",
                "is-referenced-by-count": 1,
            }
        ]
    }
}


async def search(url: str, **input: Any) -> Any:
    tool = AcademicSearcher({"arxiv": f"{url}/arxiv", "openalex": f"{url}/openalex", "crossref": f"{url}/crossref"})
    context = RunContext(principal=Principal("tester", (Grant("network", "127.0.0.1"),)))
    return await Runner().run(tool, {"query": "hot boilers", **input}, context)


def catalogues(asked: Asked) -> bytes:
    name = urlsplit(asked.path).path
    return reply({"/arxiv": ATOM, "/openalex": OPENALEX, "/crossref": CROSSREF}[name])


async def test_papers_of_several_catalogues_are_one_list() -> None:
    async with site(catalogues) as here:
        found = await search(
            here.url, sources=["arxiv", "openalex", "crossref"], include_abstracts=True, sort_by="citations"
        )
    assert [(paper.title, paper.citations, paper.sources) for paper in found.papers] == [
        ("Soup", 9, ["openalex"]),
        ("On Boilers", 5, ["arxiv", "openalex"]),
        ("Stoves", 1, ["crossref"]),
    ]
    boilers, stoves = found.papers[1], found.papers[2]
    assert (boilers.abstract, boilers.doi, boilers.authors) == ("Hot.", "10.1/x", ["Ann Lee"])
    assert (stoves.published, stoves.authors) == ("2022-05", ["Bo Ek"])


async def test_papers_of_one_catalogue_are_several_whatever_their_titles() -> None:
    works = [{"title": title, "DOI": f"10.1/{n}"} for n, title in enumerate((["Editorial"], ["Editorial"], [], []))]
    async with site(lambda asked: reply({"message": {"items": works}})) as here:
        found = await search(here.url, sources=["crossref"])
    assert [paper.doi for paper in found.papers] == ["10.1/0", "10.1/1", "10.1/2", "10.1/3"]


async def test_catalogues_are_heard_in_turn() -> None:
    async with site(catalogues) as here:
        found = await search(here.url, sources=["openalex", "crossref"], max_results=2)
    assert [paper.title for paper in found.papers] == ["On boilers", "Stoves"]


async def test_each_catalogue_is_asked_in_its_own_way() -> None:
    async with site(catalogues) as here:
        await search(
            here.url, sources=["arxiv", "openalex"], date_range={"start": "2023-01-01"}, sort_by="date", max_results=5
        )
    asked = {urlsplit(each.path).path: parse_qs(urlsplit(each.path).query) for each in here.asked}
    assert asked["/openalex"] == {
        "search": ["hot boilers"],
        "per-page": ["5"],
        "filter": ["from_publication_date:2023-01-01"],
        "sort": ["publication_date:desc"],
    }
    assert asked["/arxiv"]["search_query"][0].startswith("all:hot AND all:boilers AND submittedDate:[202301010000 TO ")


@pytest.mark.parametrize(
    "broken",
    [reply(status=429), reply("<x>"), reply("<x/>"), reply({"results": [7]})],
    ids=["429", "half", "other", "garbage"],
)
async def test_one_catalogue_may_fail_but_not_all(broken: bytes) -> None:
    def answer(asked: Asked) -> bytes:
        return reply(CROSSREF) if asked.path.startswith("/crossref") else broken

    async with site(answer) as here:
        found = await search(here.url, sources=["arxiv", "openalex", "crossref"])
        assert ([paper.title for paper in found.papers], len(found.failed)) == (["Stoves"], 2)
        with pytest.raises(NetworkError):
            await search(here.url, sources=["arxiv"])


async def test_what_was_noted_in_a_picture_is_not_in_the_new_one(tmp_path: Path, use: Use) -> None:
    noted = Image.Exif()
    noted[0x010F] = "Camera"
    Image.new("RGB", (8, 8)).save(tmp_path / "a.jpg", exif=noted, comment=b"at home")
    for name, kind in {"b.jpg": "JPEG", "b.gif": "GIF", "b.webp": "WEBP"}.items():
        out = tmp_path / name
        await use("image_processor", operation="convert", input_path=str(tmp_path / "a.jpg"), output_path=str(out))
        assert Image.open(out).format == kind
        assert not [word for word in (b"Camera", b"at home") if word in out.read_bytes()]
