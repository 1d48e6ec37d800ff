"""What code makes for the site: the tables are up to date, the pictures are there, and each can be drawn again."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from cyclekit.nets import discriminators, generators

DOCS = Path(__file__).parents[1] / "docs"


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"docs_figures_{name}", DOCS / "figures" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def own(registry):
    """The names that the library registers; other tests and the docs' examples add some."""
    factories = {name: registry.factory(name) for name in registry.list()}
    return {name for name, make in factories.items() if getattr(make, "func", make).__module__.startswith("cyclekit.")}


def test_every_network_is_in_its_table():
    networks = script("networks")
    assert set(networks.GENERATORS) == own(generators)
    assert set(networks.DISCRIMINATORS) == own(discriminators)


def test_the_tables_are_what_the_code_says():
    networks = script("networks")
    said = networks.PAGE.read_text()
    assert networks.page(said) == said, "run `make figures`"


def test_the_tables_have_the_published_figures():
    rows = [line.split(" | ") for line in (DOCS / "nets.md").read_text().splitlines() if line.startswith("| `")]
    found = {row[0].strip("| `"): row for row in rows if len(row) == 6}
    fields = {name: found[f"patchgan_{name}"][4] for name in ("16", "70", "286")}
    assert all(name == measured for name, measured in fields.items())
    assert found["unet_256"][2] == "54,417,027"  # C2GAN's G_I
    assert found["pixelgan"][4] == "1"


@pytest.mark.parametrize(("page", "name"), [("keypoints", "keypoints"), ("losses", "losses")])
def test_pictures_are_there_and_can_be_drawn(page, name):
    for file, draw in script(name).FIGURES.items():
        assert f"](images/{file})" in (DOCS / f"{page}.md").read_text()
        assert (DOCS / "images" / file).stat().st_size < 150_000
        figure = draw()
        assert all(axes.images or axes.lines for axes in figure.axes)
