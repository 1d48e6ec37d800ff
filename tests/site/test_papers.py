"""The papers' pages in a browser: every equation is typeset, and nothing is wider than a phone."""

from pathlib import Path

import pytest

NAMES = sorted(path.stem for path in (Path(__file__).parents[2] / "docs" / "papers").glob("*.md"))


@pytest.mark.parametrize("name", sorted({*NAMES} - {"index"}))
def test_the_objective_is_typeset(page, address, name):
    page.goto(f"{address}papers/{name}/", wait_until="domcontentloaded")
    assert page.locator(".arithmatex .katex").count() == 1
    assert page.locator(".katex-error").count() == 0


@pytest.mark.parametrize("path", ["papers/", "papers/c2gan/", "papers/drit/", "notation/"])
def test_a_phone_shows_the_whole_page(page, address, path):
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{address}{path}")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
