"""`academic_searcher`: finds papers in arXiv, OpenAlex and Crossref.

Held against servers of the tests that speak these protocols as their documentation has them.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from datetime import date
from itertools import chain, zip_longest
from typing import Any, Literal
from urllib.parse import urlencode

from pydantic import BaseModel, Field

from querist.core.component import Component
from querist.core.context import RunContext
from querist.errors import QueristError
from querist.tools.markup import parse_xml
from querist.tools.tool import ToolInput, require
from querist.tools.web.fetching import Fetched, fetch, of_protocol

Catalogue = Literal["arxiv", "openalex", "crossref"]
_ADDRESSES: dict[Catalogue, str] = {
    "arxiv": "https://export.arxiv.org/api/query",
    "openalex": "https://api.openalex.org/works",
    "crossref": "https://api.crossref.org/works",
}


class DateRange(ToolInput):
    start: date | None = Field(default=None, description="The first day.")
    end: date | None = Field(default=None, description="The last day.")


class AcademicSearcherInput(ToolInput):
    query: str = Field(description="Words to search for.", min_length=1, max_length=300)
    sources: list[Catalogue] = Field(
        default=["openalex", "arxiv"], description="Which catalogues to ask.", min_length=1
    )
    date_range: DateRange = Field(default=DateRange(), description="When they were published.")
    max_results: int = Field(default=10, description="Papers at most.", gt=0, le=100)
    include_abstracts: bool = Field(default=False, description="Whether to give abstracts as well.")
    sort_by: Literal["relevance", "date", "citations"] = Field(default="relevance", description="Which go first.")


class Paper(BaseModel):
    title: str
    authors: list[str]
    published: str = Field(description="Year, month and day as far as they are known.")
    url: str
    doi: str
    venue: str
    citations: int | None
    abstract: str
    sources: list[str]


class Papers(BaseModel):
    papers: list[Paper]
    failed: list[str] = Field(description="Catalogues that did not answer, and why.")


class AcademicSearcher(Component[AcademicSearcherInput, Papers]):
    """Args: addresses: where the catalogues are, in place of their own: mirrors, by name."""

    name = "academic_searcher"
    description = """Find scientific papers in arXiv, OpenAlex and Crossref.

    Their hosts must be granted: export.arxiv.org, api.openalex.org, api.crossref.org."""
    permissions = ("network",)

    def __init__(self, addresses: Mapping[Catalogue, str] | None = None) -> None:
        self.addresses = {**_ADDRESSES, **(addresses or {})}

    async def run(self, input: AcademicSearcherInput, context: RunContext) -> Papers:
        if "arxiv" in input.sources:
            require("lxml", "read what arXiv replies")
        names = list(dict.fromkeys(input.sources))
        asked = (_ask(name, self.addresses[name], input, context) for name in names)
        answers = await asyncio.gather(*asked, return_exceptions=True)
        failures: list[QueristError] = []
        given: list[list[Paper]] = []
        for answer in answers:
            if isinstance(answer, QueristError):
                failures.append(answer)
            elif isinstance(answer, BaseException):
                raise answer
            else:
                given.append(answer)
        if not given:
            raise failures[0]
        papers: list[Paper] = []
        for paper in chain.from_iterable(zip_longest(*given)):  # in turn: all that one found may be as many as wanted
            if paper is not None:
                _add(papers, paper)
        if input.sort_by == "date":
            papers.sort(key=lambda paper: paper.published, reverse=True)
        elif input.sort_by == "citations":
            papers.sort(key=lambda paper: -(paper.citations or 0))
        if not input.include_abstracts:
            papers = [paper.model_copy(update={"abstract": ""}) for paper in papers]
        return Papers(papers=papers[: input.max_results], failed=[failure.message for failure in failures])


def _add(papers: list[Paper], paper: Paper) -> None:
    """The same paper of two catalogues is one, by its title: not all have its DOI. Within one, many are `Editorial`."""
    title = _plain(paper.title)
    for known in papers:
        if title and not {*known.sources} & {*paper.sources} and _plain(known.title) == title:
            known.sources += paper.sources
            for name in ("doi", "venue", "abstract", "citations"):
                if not getattr(known, name):
                    setattr(known, name, getattr(paper, name))
            return
    papers.append(paper)


def _plain(title: str) -> str:
    return re.sub(r"\W+", " ", title.lower()).strip()


async def _ask(name: Catalogue, address: str, input: AcademicSearcherInput, context: RunContext) -> list[Paper]:
    query, read = _CATALOGUES[name]
    reply = (await fetch(context, f"{address}?{urlencode(query(input))}")).check(name)
    with of_protocol(name):
        return await asyncio.to_thread(read, reply)


def _arxiv_query(input: AcademicSearcherInput) -> dict[str, Any]:
    words = " AND ".join(f"all:{word}" for word in re.findall(r"[\w-]+", input.query))
    start, end = input.date_range.start, input.date_range.end
    if start or end:
        since, until = start or date(1991, 1, 1), end or date.today()
        words += f" AND submittedDate:[{since:%Y%m%d}0000 TO {until:%Y%m%d}2359]"
    order = "submittedDate" if input.sort_by == "date" else "relevance"
    return {"search_query": words, "max_results": input.max_results, "sortBy": order}


def _arxiv_papers(reply: Fetched) -> list[Paper]:
    root = parse_xml(reply.body)
    if not root.tag.endswith("feed"):
        raise ValueError(f"it is <{root.tag}> and no feed")

    def text(entry: Any, name: str) -> str:
        return " ".join((entry.findtext(f"{{*}}{name}") or "").split())

    return [
        Paper(
            title=text(entry, "title"),
            authors=[text(author, "name") for author in entry.iterfind("{*}author")],
            published=text(entry, "published")[:10],
            url=text(entry, "id"),
            doi=text(entry, "doi"),
            venue=text(entry, "journal_ref") or "arXiv",
            citations=None,
            abstract=text(entry, "summary"),
            sources=["arxiv"],
        )
        for entry in root.iterfind("{*}entry")
    ]


def _openalex_query(input: AcademicSearcherInput) -> dict[str, Any]:
    start, end = input.date_range.start, input.date_range.end
    bounds = [f"from_publication_date:{start}"] * bool(start) + [f"to_publication_date:{end}"] * bool(end)
    order = {"date": "publication_date:desc", "citations": "cited_by_count:desc"}.get(input.sort_by)
    query = {"search": input.query, "per-page": input.max_results, "filter": ",".join(bounds), "sort": order}
    return {name: value for name, value in query.items() if value}


def _openalex_papers(reply: Fetched) -> list[Paper]:
    return [
        Paper(
            title=work.get("title") or "",
            authors=[each["author"]["display_name"] for each in work.get("authorships", [])],
            published=work.get("publication_date") or "",
            url=work.get("doi") or work["id"],
            doi=(work.get("doi") or "").removeprefix("https://doi.org/"),
            venue=((work.get("primary_location") or {}).get("source") or {}).get("display_name") or "",
            citations=work.get("cited_by_count"),
            abstract=_in_order(work.get("abstract_inverted_index") or {}),
            sources=["openalex"],
        )
        for work in reply.json()["results"]
    ]


def _in_order(places: dict[str, list[int]]) -> str:
    """The text of which OpenAlex gives the places of each word."""
    return " ".join(word for _, word in sorted((place, word) for word, at in places.items() for place in at))


def _crossref_query(input: AcademicSearcherInput) -> dict[str, Any]:
    start, end = input.date_range.start, input.date_range.end
    bounds = [f"from-pub-date:{start}"] * bool(start) + [f"until-pub-date:{end}"] * bool(end)
    order = {"date": "published", "citations": "is-referenced-by-count"}.get(input.sort_by, "relevance")
    query = {"query": input.query, "rows": input.max_results, "filter": ",".join(bounds), "sort": order}
    return {name: value for name, value in query.items() if value}


def _crossref_papers(reply: Fetched) -> list[Paper]:
    return [
        Paper(
            title=" ".join(work.get("title") or []),
            authors=[f"{who.get('given', '')} {who.get('family', '')}".strip() for who in work.get("author", [])],
            published="-".join(f"{part:02d}" for part in work.get("issued", {}).get("date-parts", [[]])[0] if part),
            url=work.get("URL", ""),
            doi=work.get("DOI", ""),
            venue=" ".join(work.get("container-title") or []),
            citations=work.get("is-referenced-by-count"),
            abstract=re.sub(r"<[^>]+>", " ", work.get("abstract", "")).strip(),
            sources=["crossref"],
        )
        for work in reply.json()["message"]["items"]
    ]


_CATALOGUES: dict[
    Catalogue, tuple[Callable[[AcademicSearcherInput], dict[str, Any]], Callable[[Fetched], list[Paper]]]
] = {
    "arxiv": (_arxiv_query, _arxiv_papers),
    "openalex": (_openalex_query, _openalex_papers),
    "crossref": (_crossref_query, _crossref_papers),
}
