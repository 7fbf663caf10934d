"""The page: whole, self-contained, safe, the same every time."""

from __future__ import annotations

import dataclasses
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from farfield.reports import (
    Action,
    AxisShift,
    Causes,
    Curve,
    DrawnStructure,
    ErrorRow,
    Interval,
    JudgedScore,
    Judgement,
    Lifetimes,
    Report,
    SetSummary,
    render,
    write_report,
)

SECTIONS = ("shifts", "structures", "judgement", "errors", "actions", "commands")
NAN = float("nan")


class Page(HTMLParser):
    """The elements, ids and visible text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._silent = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._silent += tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.text.append(data)

    @property
    def ids(self) -> list[str]:
        return [value for _, attrs in self.tags if (value := attrs.get("id"))]

    @property
    def visible(self) -> str:
        return " ".join(" ".join(self.text).split())


def data_of(html: str, name: str = "farfield-report") -> Any:
    """Return the content of a JSON element of the page."""
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', html, re.S)
    assert found
    return json.loads(found[1])


@pytest.fixture(scope="module")
def html(full: Report) -> str:
    return render(full)


def test_page_refers_to_nothing_outside_itself(html: str) -> None:
    page = Page(html)
    assert not re.findall(r"https?://(?!www\.w3\.org/)", html)
    assert all("xmlns" in found for found in re.findall(r'\S*https?://[^"]*', html))
    for tag, attrs in page.tags:
        assert tag not in ("iframe", "object", "embed", "base", "form"), tag
        for name in ("src", "href", "srcset", "action", "data", "poster"):
            value = attrs.get(name) or "#"
            assert value.startswith("#") or value == "data:,", (tag, name, value)
    assert not re.search(r"@import|url\((?!#)", html)


def test_page_forbids_loading_and_foreign_scripts(html: str) -> None:
    policy = next(
        attrs["content"] for tag, attrs in Page(html).tags
        if tag == "meta" and attrs.get("http-equiv") == "Content-Security-Policy"
    )  # fmt: skip
    assert policy is not None
    assert "default-src 'none'" in policy
    assert re.search(r"script-src 'sha256-[^']+'", policy)


def test_full_report_has_every_section_and_unique_ids(html: str) -> None:
    page = Page(html)
    assert set(SECTIONS) <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    links = {attrs.get("href") for tag, attrs in page.tags if tag == "a"}
    assert links == {f"#{section}" for section in SECTIONS}
    referenced = {value[1:] for tag, attrs in page.tags if tag == "use"
                  and (value := attrs.get("href"))}  # fmt: skip
    referenced |= set(re.findall(r"url\(#([^)]+)\)", html))
    assert referenced <= set(page.ids)


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"sets": [], "axes": []}, "shifts"),
        ({"structures": []}, "structures"),
        ({"judgement": None}, "judgement"),
        ({"errors": []}, "errors"),
        ({"actions": []}, "actions"),
        ({"commands": []}, "commands"),
    ],
)
def test_section_without_content_is_omitted(
    full: Report, changes: dict[str, Any], missing: str
) -> None:
    page = Page(render(dataclasses.replace(full, **changes)))
    assert set(SECTIONS) - set(page.ids) == {missing}
    assert f"#{missing}" not in {attrs.get("href") for _, attrs in page.tags}


def test_empty_report_is_still_a_page() -> None:
    page = Page(render(Report("Nothing yet")))
    assert "Nothing yet" in page.visible
    assert not set(SECTIONS) & set(page.ids)


def test_data_element_holds_the_whole_report(full: Report, html: str) -> None:
    data = data_of(html)
    assert data["schema"] == "farfield-report/1"
    assert "meV/Å" in data["units"].values()
    expected = json.loads(json.dumps(dataclasses.asdict(full)))
    assert {key: data[key] for key in expected} == expected


def test_hostile_text_stays_text(full: Report) -> None:
    evil = "</script><script>alert(1)</script><img src=x onerror=alert(2)> $x_1$ & \"'"
    one = Interval(1, 1, 1)
    report = Report(
        evil, evil, [evil], {evil: evil}, [SetSummary(evil, 1, {"edge": 1}, evil, evil)],
        [AxisShift(evil, evil, evil, evil, [1.0, 2.0], {evil: [3.0]}, None, {}, evil)],
        [DrawnStructure(evil, [1], [[0.0, 0.0, 0.0]], [], [0.5], evil, 0.5, evil, evil, 0)],
        Judgement(
            1, [1.0], [1.0], [JudgedScore(evil, one, one, one, [1.0])],
            {evil: one}, {evil: (1.0, 2.0)}, {evil: evil},
        ),
        [ErrorRow(evil, evil, 1, one, note=evil, before=evil)], [evil],
        [Action(evil, True, [evil], {evil: evil}, [Curve(evil, evil, [0], {evil: [1.0]})])],
        lifetimes=[Lifetimes(evil, [1.0, 2.0], [False, True])],
        causes=[Causes(evil, 2, {evil: 1})], commands=[evil], warnings=[evil],
    )  # fmt: skip
    html = render(report)
    page = Page(html)
    assert data_of(html)["title"] == evil
    assert sum(tag == "script" for tag, _ in page.tags) == 4
    assert not any(tag == "img" for tag, _ in page.tags)
    assert evil in page.visible


def test_missing_numbers_are_dashes(full: Report) -> None:
    nothing = Interval(NAN, NAN, NAN)
    report = Report(
        "Missing",
        sets=[SetSummary("a", 2, {}, None, ""), SetSummary("unscored", 0, {}, None, "")],
        axes=[
            AxisShift("one", "One", "", "", [NAN], {"a": [NAN, 1.0]}, "b", {"a": nothing}),
            AxisShift("two", "Two", "", "", [], {"a": []}),
        ],
        structures=[
            DrawnStructure("H", [1], [[0.0, 0.0, 0.0]], [], [NAN], "one", NAN, "", "f", 0)
        ],
        errors=[
            ErrorRow("m", "a", 0, None),
            ErrorRow("k", "a", 2, nothing, NAN, NAN, NAN, NAN, before="m"),
            ErrorRow("l", "a", 2, Interval(5.0, NAN, NAN), before="k"),
        ],
        actions=[Action("m", True, [], {}, [Curve("c", "", [0, 1], {"s": [NAN, NAN]})])],
    )  # fmt: skip
    html = render(report)
    page = Page(html)
    words = re.findall(r"[\w.]+", page.visible.lower())
    assert not {"nan", "none", "inf", "null"} & set(words)
    assert "—" in page.visible
    assert "NaN" not in html.split("farfield-report")[-1].split("</script>")[0]
    assert data_of(html)["axes"][0]["training"] == [None]


def test_same_report_gives_same_bytes(full: Report, html: str) -> None:
    assert render(full) == html


def test_user_style_of_matplotlib_changes_nothing(full: Report, html: str) -> None:
    import matplotlib

    with matplotlib.rc_context({"axes.facecolor": "red", "font.size": 30, "lines.linewidth": 9}):
        assert render(full) == html


def test_page_is_small(html: str) -> None:
    assert len(html.encode()) < 1_500_000


def test_figures_are_described_and_take_the_colours_of_the_page(html: str) -> None:
    figures = [attrs for tag, attrs in Page(html).tags if tag == "svg"]
    assert len(figures) == 4 + 1 + 4 + 2
    assert all(attrs.get("role") == "img" and attrs.get("aria-label") for attrs in figures)
    assert "var(--far)" in html
    assert "#0a0b0" not in html
    assert "DejaVu" not in html


def test_words_without_a_glyph_in_matplotlib_are_fine() -> None:
    report = Report("r", axes=[AxisShift("a", "乙醇", "", "", [1.0, 2.0], {"乙醇": [3.0]})])
    assert "乙醇" in render(report)


def test_written_report_is_the_rendered_one(full: Report, html: str, tmp_path: Path) -> None:
    write_report(full, tmp_path / "new" / "report.html")
    assert (tmp_path / "new" / "report.html").read_text(encoding="utf-8") == html
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["report.html"]
