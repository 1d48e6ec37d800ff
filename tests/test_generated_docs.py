"""What code makes for the site: the tables are up to date, the pictures are there, and each can be drawn again."""

import importlib.util
import re
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


def test_every_paper_has_its_page_as_the_code_says():
    papers = script("papers")
    names = papers.own()
    assert {path.stem for path in papers.PAGES.glob("*.md")} == {"index", *names}
    for name in names:
        said = (papers.PAGES / f"{name}.md").read_text(encoding="utf-8")
        assert papers.page(name) == said, f"{name}.md is stale: run `make figures`"
    assert papers.index() == (papers.PAGES / "index.md").read_text(encoding="utf-8"), "run `make figures`"


def test_the_bibliography_is_of_all_papers_as_the_code_says():
    papers = script("papers")
    assert papers.bibliography() == papers.BIBLIOGRAPHY.read_text(encoding="utf-8"), "run `make figures`"
    assert papers.bibtex() == papers.BIBTEX.read_text(encoding="utf-8"), "run `make figures`"
    entries = re.findall(
        r"^@(?:inproceedings|article)\{(\w+),\n((?:  \w+ = \{.+\},\n)+)\}$", papers.bibtex(), re.MULTILINE
    )
    assert len({key for key, _ in entries}) == len(entries) == len(papers.own())
    for key, fields in entries:
        year = re.search(r"  year = \{((?:19|20)\d\d)\}", fields)
        assert year, key
        assert year[1] in key
        assert re.search(r"  author = \{[^,{}]+( and [^,{}]+)+\}", fields), key  # full names, nobody left out


def test_notebooks_are_the_pages_that_the_site_shows():
    """The docs' tests run the pages; here, that a notebook is its page, from equations on, with all that it showed."""
    notebooks = script("notebooks")
    names = sorted(path.stem for path in notebooks.FOLDER.glob("*.ipynb"))
    assert names == sorted(path.stem for path in notebooks.FOLDER.glob("*.md")) == ["c2gan", "cyclegan"]
    for name in names:
        assert notebooks.page(name) == (notebooks.FOLDER / f"{name}.md").read_text(encoding="utf-8"), (
            "run `make figures`"
        )
        notebook = notebooks.read(name)
        assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
        assert "$$" in "".join(notebook["cells"][0]["source"])
        code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
        for file, picture in notebooks.pictures(name).items():
            assert (notebooks.PICTURES / file).read_bytes() == picture


def test_the_gallery_has_every_picture_and_names_every_paper():
    gallery, own = script("gallery"), script("papers").own()
    said = gallery.PAGE.read_text(encoding="utf-8")
    assert gallery.page() == said, "run `make figures`"
    strips = {path.stem for path in (DOCS / "images" / "family").glob("*.png")}
    assert set(re.findall(r"images/family/(\w+)\.png", said)) == strips
    assert set(re.findall(r"\(papers/(\w+)\.md\)", said)) | {"c2gan"} == set(own)


def test_the_table_of_papers_has_the_published_facts():
    rows = (DOCS / "papers" / "index.md").read_text(encoding="utf-8").splitlines()
    cells = {row.split("](")[0][3:]: row.strip("| ").split(" | ")[1:] for row in rows if row.startswith("| [")}
    assert cells["C2GAN"] == ["2019", "2 Image(3), 2 Heatmap(18)", "pairs with keypoints", "3", "2", "2, lsgan"]
    assert cells["CycleGAN"] == ["2017", "2 Image(3)", "unpaired", "2", "2", "2, lsgan"]
    assert cells["StarGAN"][-1] == "1, wgan + wgan_gp"


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
