"""`github_integration`: repositories, issues and pull requests, by GitHub's REST API."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import quote, urlencode

from pydantic import BaseModel, Field, model_validator

from querist.core.context import RunContext
from querist.tools.tool import Tool, ToolInput
from querist.tools.web.fetching import FETCH, fetch, of_protocol

_VERSION = "2022-11-28"
Action = Literal[
    "get_repository",
    "list_issues",
    "get_issue",
    "create_issue",
    "close_issue",
    "list_comments",
    "add_comment",
    "list_pulls",
    "get_pull",
    "search_issues",
]


class GithubIntegrationInput(ToolInput):
    needed: ClassVar = {
        **dict.fromkeys(("get_issue", "list_comments", "close_issue", "get_pull"), ("number",)),
        "add_comment": ["number", "body"],
        "create_issue": ["title"],
        "search_issues": ["query"],
    }

    action: Action = Field(description="What to do.")
    repository: str = Field(description="As `owner/name`.", pattern=r"^[\w-]{1,39}/[\w.-]{1,100}$")
    number: int | None = Field(default=None, description="Of the issue or pull request.", gt=0)
    title: str = Field(default="", description="Of the issue to create.", max_length=256)
    body: str = Field(default="", description="Of the issue or comment to write, in Markdown.", max_length=65_536)
    labels: list[str] = Field(default=[], description="For the issue to create, or that listed issues must have.")
    state: Literal["open", "closed", "all"] = Field(
        default="open", description="Which issues or pull requests to list."
    )
    query: str = Field(default="", description="What to search issues for.", max_length=200)
    limit: int = Field(default=30, description="Entries at most.", gt=0, le=100)
    credential: str = Field(default="", description="Name of the credential that holds a token; public data need none.")
    api_url: Annotated[str, FETCH] = Field(
        default="https://api.github.com", description="Another address, as GitHub Enterprise has."
    )

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.repository.endswith(("/.", "/..")):
            raise ValueError("the repository is a name, and no path")
        return self


class GithubItem(BaseModel):
    """An issue, a pull request, a comment or a repository."""

    url: str
    number: int | None = None
    title: str = ""
    body: str = ""
    state: str = ""
    author: str = ""
    created: str = ""
    labels: list[str] = []
    is_pull: bool = False


class GithubResult(BaseModel):
    items: list[GithubItem]
    more: bool = Field(description="Whether there are more than were asked for.")
    requests_left: int | None = Field(description="Until GitHub makes one wait.")


class GithubIntegration(Tool[GithubIntegrationInput, GithubResult]):
    name = "github_integration"
    description = """Read and write issues and comments on GitHub; read repositories and pull requests."""
    permissions = ("network",)

    async def run(self, input: GithubIntegrationInput, context: RunContext) -> GithubResult:
        method, path, data = _request(input)
        headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": _VERSION}
        reply = await fetch(
            context,
            f"{input.api_url.rstrip('/')}{path}",
            method=method,
            headers=headers,
            data=data,
            use=input.credential,
        )
        found = reply.check("GitHub").json()
        if isinstance(found, dict):
            found = found.get("items", [found])
        with of_protocol("GitHub"):
            items = [_item(each) for each in found]
        left = reply.headers.get("x-ratelimit-remaining", "")
        return GithubResult(
            items=items,
            more='rel="next"' in reply.headers.get("link", ""),
            requests_left=int(left) if left.isdigit() else None,
        )


def _request(input: GithubIntegrationInput) -> tuple[str, str, dict[str, Any] | None]:
    """Method, path and body of the call."""
    root = f"/repos/{quote(input.repository)}"
    page = {"per_page": input.limit}
    listed = page | {"state": input.state} | ({"labels": ",".join(input.labels)} if input.labels else {})
    words = f"{input.query} repo:{input.repository}"
    return {
        "get_repository": ("GET", root, None),
        "list_issues": ("GET", f"{root}/issues?{urlencode(listed)}", None),
        "get_issue": ("GET", f"{root}/issues/{input.number}", None),
        "create_issue": (
            "POST",
            f"{root}/issues",
            {"title": input.title, "body": input.body, "labels": input.labels},
        ),
        "close_issue": ("PATCH", f"{root}/issues/{input.number}", {"state": "closed"}),
        "list_comments": ("GET", f"{root}/issues/{input.number}/comments?{urlencode(page)}", None),
        "add_comment": ("POST", f"{root}/issues/{input.number}/comments", {"body": input.body}),
        "list_pulls": ("GET", f"{root}/pulls?{urlencode(page | {'state': input.state})}", None),
        "get_pull": ("GET", f"{root}/pulls/{input.number}", None),
        "search_issues": ("GET", f"/search/issues?{urlencode(page | {'q': words})}", None),
    }[input.action]


def _item(data: dict[str, Any]) -> GithubItem:
    return GithubItem(
        url=data.get("html_url") or "",
        number=data.get("number"),
        title=data.get("title") or data.get("full_name") or "",
        body=data.get("body") or data.get("description") or "",
        state=data.get("state") or "",
        author=(data.get("user") or data.get("owner") or {}).get("login") or "",
        created=data.get("created_at") or "",
        labels=[label["name"] for label in data.get("labels") or []],
        is_pull="pull_request" in data or "merged" in data or "head" in data,
    )
