"""CITATION.cff: what citation managers read, and what it shares with the package."""

import tomllib
from pathlib import Path

import yaml

from cyclekit import papers

ROOT = Path(__file__).parents[1]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))


def test_it_has_what_its_format_demands():
    """The keys that the Citation File Format 1.2.0 requires, of the file and of a reference."""
    assert CITATION["cff-version"] == "1.2.0"
    assert {"authors", "message", "title"} <= CITATION.keys()
    assert CITATION["type"] == "software"
    for authors in (CITATION["authors"], *(reference["authors"] for reference in CITATION["references"])):
        assert all({"name"} == author.keys() or {"given-names", "family-names"} == author.keys() for author in authors)
    assert all({"type", "title", "authors"} <= reference.keys() for reference in CITATION["references"])


def test_it_is_of_this_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert str(CITATION["version"]) == project["version"]
    assert CITATION["license"] == project["license"]
    assert [author["name"] for author in CITATION["authors"]] == [author["name"] for author in project["authors"]]
    assert CITATION["keywords"] == project["keywords"]


def test_its_reference_is_c2gans():
    (reference,), source = CITATION["references"], papers.c2gan().source
    names = [f"{author['given-names']} {author['family-names']}" for author in reference["authors"]]
    assert ", ".join(names) == source.authors
    assert reference["title"] == source.title
    assert f"{reference['conference']['name']} {reference['year']}" == source.venue
    assert reference["identifiers"][0]["value"] == f"arXiv:{source.arxiv}"
