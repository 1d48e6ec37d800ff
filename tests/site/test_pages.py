"""Pages about the rest: one leads to the next, all fit a phone, and what they show is there."""

import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from mkdocs.config import load_config
from mkdocs.structure.files import get_files

from tests.site.conftest import ROOT

NEW = ["gallery", "faq", "bibliography", "study", "howto/coming_from", "notebooks/c2gan", "notebooks/cyclegan"]


def test_every_page_leads_to_the_one_before_and_the_one_behind(site):
    pages = [path for path in site.rglob("index.html") if "md-footer" in path.read_text(encoding="utf-8")]
    assert len(pages) > 70
    ends = {"prev": 0, "next": 0}
    for path in pages:
        said = path.read_text(encoding="utf-8")
        for way in ends:
            link = re.search(rf'<a href="([^"]+)" class="md-footer__link md-footer__link--{way}"', said)
            ends[way] += link is None
            assert link is None or (path.parent / link[1] / "index.html").resolve().is_file(), (path, way)
    assert ends == {"prev": 1, "next": 1}  # the first page and the last


class Places(HTMLParser):
    """What a page can be asked for by an anchor, and what it leads to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a tag's name and its address."""
        said = dict(attrs)
        self.anchors |= {said.get("id") or "", said.get("name") or ""}
        self.links |= {said.get("href") or "", said.get("src") or ""}


def test_no_two_pages_have_one_address():
    files = get_files(load_config(str(ROOT / "mkdocs.yml")))
    addresses = Counter(file.dest_uri for file in files.documentation_pages())
    assert [address for address, count in addresses.items() if count > 1] == []


def test_every_link_leads_to_a_page_and_a_place_in_it(site):
    places = {path: Places(path) for path in site.rglob("*.html")}
    lost = []
    for path, own in places.items():
        for link in own.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or (path.name == "404.html" and parts.path.startswith("/")):
                continue
            there = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            there = there / "index.html" if there.is_dir() else there
            known = places[there].anchors if there in places else {""}
            if not there.is_file() or unquote(parts.fragment) not in known | {""}:
                lost.append(f"{path.relative_to(site)}: {link}")
    assert lost == []


@pytest.mark.parametrize("path", NEW)
def test_a_phone_shows_the_whole_page_with_all_its_pictures(page, address, path):
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{address}{path}/")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    for picture in page.locator("article img").all():
        picture.scroll_into_view_if_needed()
        page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=picture.element_handle())
    assert page.locator(".katex-error").count() == 0
    if path.startswith("notebooks"):
        assert page.locator(".katex-display").count() >= 3
        assert page.request.get(f"{address}{path}.ipynb").json()["nbformat"] == 4


def test_the_study_is_tried_in_its_page_without_taking_its_reader_there(page, address):
    page.set_viewport_size({"width": 1400, "height": 900})
    page.goto(f"{address}study/")
    frame = page.frame_locator("iframe.study")
    frame.get_by_role("button", name="Begin").wait_for()
    assert page.evaluate("scrollY") == 0
    frame.get_by_role("button", name="Begin").click()
    frame.locator(".stage img").wait_for()
    frame.get_by_role("button", name="Made").click()
    frame.get_by_role("button", name="Next").wait_for()
