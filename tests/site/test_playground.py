"""The playground: what the page shows is what Python gives, and a reader can type, pick, hover, edit, copy."""

import json
from importlib.util import module_from_spec, spec_from_file_location

import pytest

from cyclekit import CycleGraph, papers
from tests.site.conftest import ROOT

NAMES = papers.list_papers()
STARTED = 60_000  # milliseconds in which Python starts in the page


def the_bridge():
    spec = spec_from_file_location("bridge", ROOT / "docs" / "playground" / "bridge.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


BRIDGE = the_bridge()


@pytest.mark.parametrize("name", NAMES)
def test_fields_say_the_graph_again(name):
    answer = json.loads(BRIDGE.paper(name))
    assert json.loads(BRIDGE.describe(json.dumps(answer["fields"]))) == answer
    namespace: dict[str, object] = {}
    exec(answer["python"], namespace)
    assert namespace["graph"] == BRIDGE.read(answer["fields"]) == papers.create_paper(name).graph


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ({"signals": "x: Image(3)", "maps": "x -> y*"}, "maps", "an arrow carries a network's name"),
        ({"signals": "x Image(3)"}, "signals", "expected a name and its domain"),
        ({"signals": "x: Picture(3)"}, "signals", "name 'Picture' is not defined"),
        ({"signals": "x: Image(0)"}, "signals", "channels must be a positive integer"),
        ({"signals": "x: Image(3), x: Image(1)"}, "signals", "declared twice"),
        ({"signals": "x: __import__('os')"}, "signals", "name '__import__' is not defined"),
        ({"options": "weight={}"}, "options", "no option 'weight'"),
        ({"options": "weights={"}, "options", "is not understood"),
        ({"options": "weights={'z': 1}"}, "options", "z"),
        ({"options": "weights=3"}, "options", "weights"),
    ],
)
def test_errors_stand_by_their_field(fields, field, message):
    answer = json.loads(BRIDGE.describe(json.dumps(fields)))
    assert answer["field"] == field
    assert message in answer["error"]


@pytest.fixture
def playground(page, address):
    """Return the page with C2GAN in it."""
    if "playground" not in page.url:
        page.goto(f"{address}playground/")
        page.wait_for_selector(".playground.ready", timeout=STARTED)
    else:
        drawn_after(page, lambda: page.select_option("[data-part=papers]", "pix2pix"))
        drawn_after(page, lambda: page.select_option("[data-part=papers]", "c2gan"))
    return page


def drawn_after(page, act):
    """Act, and wait for the page to have shown the answer."""
    before = page.evaluate("document.querySelector('.playground').dataset.shown")
    act()
    page.wait_for_function("before => document.querySelector('.playground').dataset.shown !== before", arg=before)


def test_every_paper_is_what_python_gives(playground):
    for name in sorted(NAMES, key="c2gan".__ne__):
        if name != "c2gan":  # which a new reader sees first
            drawn_after(playground, lambda name=name: playground.select_option("[data-part=papers]", name))
        expected = json.loads(BRIDGE.paper(name))
        assert playground.text_content("[data-part=plan]") == expected["plan"]
        assert playground.text_content("[data-part=python]") == expected["python"]
        assert playground.text_content("[data-part=latex] annotation") == expected["latex"]
        assert playground.locator("[data-part=latex] .katex-error").count() == 0
        rows = playground.locator("[data-part=rows] tr").all_text_contents()
        assert rows == ["".join([*row, "without"]) for row in expected["table"]["rows"]]
        nodes = sum(expected["mermaid"].count(opening) for opening in ('["', '{{"', '[/"'))
        assert playground.locator("[data-part=diagram] .node").count() == nodes


def test_a_reader_types_and_sees_the_place_of_a_mistake(playground):
    playground.fill("textarea[name=losses]", "y* ~ yy")
    playground.wait_for_selector("textarea[name=losses][aria-invalid=true]")
    said = playground.text_content("[data-part=losses-error]")
    assert said.splitlines()[-1].index("^") == said.splitlines()[-2].index("yy")
    drawn_after(playground, lambda: playground.fill("textarea[name=losses]", "y* ~ y ; ssim(x* ~ x)"))
    assert playground.text_content("[data-part=losses-error]") == ""
    assert "ssim" in playground.text_content("[data-part=rows]")
    playground.reload()
    playground.wait_for_selector(".playground.ready", timeout=STARTED)
    assert playground.input_value("textarea[name=losses]") == "y* ~ y ; ssim(x* ~ x)"


def test_a_link_carries_the_text(playground, browser):
    drawn_after(playground, lambda: playground.fill("textarea[name=losses]", "y* ~ y ; bright: x* ~ x"))
    other = browser.new_context().new_page()
    other.goto(playground.url)
    other.wait_for_selector(".playground.ready", timeout=STARTED)
    assert other.input_value("textarea[name=losses]") == "y* ~ y ; bright: x* ~ x"


def test_terms_light_up_whom_they_train(playground):

    def lit(term):
        playground.locator("[data-part=rows] tr", has_text=term).first.hover()
        return sorted(playground.locator("[data-part=diagram] .node.lit").all_text_contents())

    assert {name.strip() for name in lit("I2I2I")} == {"G_I"}
    assert {name.strip() for name in lit("K2G2K")} == {"G_I", "G_K"}


def test_edits_change_the_text(playground):
    row = playground.locator("[data-part=rows] tr", has_text="K2R2K")
    drawn_after(playground, lambda: row.get_by_role("button", name="without").click())
    assert "K2R2K" not in playground.input_value("textarea[name=cycles]")
    drawn_after(playground, lambda: playground.get_by_role("button", name="unshare G_I").click())
    assert "G_I_1" in playground.input_value("textarea[name=cycles]")
    factor = playground.get_by_label("weight of I2I2I")
    drawn_after(playground, lambda: (factor.fill("3"), factor.press("Enter")))
    assert '"I2I2I": 3' in playground.input_value("textarea[name=options]")
    playground.get_by_role("tab", name="Python").click()
    playground.get_by_role("button", name="Copy the Python").click()
    namespace: dict[str, object] = {}
    exec(playground.evaluate("navigator.clipboard.readText()"), namespace)
    graph = namespace["graph"]
    assert isinstance(graph, CycleGraph)
    assert graph == papers.c2gan().graph.without("K2R2K").unshare("G_I").reweight({"I2I2I": 3})
