"""What holds for every test, and the browser that some look with."""

import shutil

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)  # no test measures time
settings.load_profile("untimed")

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), ""
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="run the tests that are marked slow, too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--slow"):
        skip = pytest.mark.skip(reason="slow, more of what others test: make slow")
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(skip)


@pytest.fixture(scope="module")
def browser():
    """Return a browser; of a module, since processes that other tests fork would hold it open."""
    if not CHROMIUM:
        pytest.skip("no chromium is at hand")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()
