"""Pages about the rest: one leads to the next, all fit a phone, and what they show is there."""

import re

import pytest

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
