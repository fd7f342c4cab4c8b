from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

from querist.evaluate.prediction import Prediction, Preview
from querist.evaluate.report import report_page
from tests.evaluate.marked import marked

EVIL = "<script>alert('x')</script>"


class Page(HTMLParser):
    """The tags of a page, with their attributes, and the questions that it lists."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def several() -> list[Prediction]:
    rows = Preview(columns=("name", "n"), rows=(("Skarv", None), (EVIL, 2)), total=12)
    return [
        marked("good", hardness="easy", seconds=1.2, agreement=(2, 2), expected=rows, got=rows, model="scripted:model"),
        marked("doubtful", False, warnings=(EVIL,), tags=("b&w",), seconds=3, reason=EVIL, text=EVIL, sql=EVIL),
        marked("silent", False, "unverified", seconds=0.4, agreement=(1, 3)),
        marked("none", False, "refused", sql=None, over_budget=("took 9 s of 2 s",)),
    ]


def test_every_question_is_in_the_page_the_silently_wrong_first() -> None:
    items = Page(report_page("nightly", several())).all("details")
    assert [item["data-mark"] for item in items] == ["wrong silent", "wrong warned", "wrong over-budget", "right"]
    assert [item["data-status"] for item in items] == ["unverified", "agreed", "refused", "agreed"]
    assert items[3]["data-tags"] == "easy"


def test_the_page_asks_for_nothing_outside_itself() -> None:
    page = report_page("nightly", several())
    parsed = Page(page)
    assert not any({"src", "href", "action", "srcset"} & set(attributes) for _, attributes in parsed.tags)
    assert not re.search(r"https?://|@import|url\(", page)
    (policy,) = [meta["content"] for meta in parsed.all("meta") if "http-equiv" in meta]
    assert policy is not None
    assert policy.startswith("default-src 'none'")


def test_what_data_and_models_say_stays_text() -> None:
    page = report_page(EVIL, several())
    assert EVIL not in page
    assert len(Page(page).all("script")) == 1


def test_the_charts_are_drawn_for_what_there_is() -> None:
    titles = re.findall(r"<figcaption>(.*?)</figcaption>", report_page("nightly", several()))
    assert titles == [
        "Right, by status", "Right, by hardness", "Right, by tag", "Right, when only the surest are answered", "Time",
    ]  # fmt: skip
    assert "Right, by tag" not in report_page("nightly", [marked(1)])
    charts = re.findall(r"<svg.*?</svg>", report_page("nightly", several()), re.S)
    assert all(ET.fromstring(chart).tag == "svg" for chart in charts)


def test_times_of_minutes_are_told_in_seconds() -> None:
    page = report_page("slow", [marked(1, seconds=123.4), marked(2, seconds=1234.5)])
    assert "678.95 s" in page
    assert not re.search(r"\de\+\d", page)


def test_a_page_of_one_failure_can_be_made() -> None:
    assert "0.0%" in report_page("small", [marked(1, False, "failed", sql=None)])
