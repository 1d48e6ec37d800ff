"""The playground: what the page shows is what Python gives, and a reader can type, pick, hover, edit, copy."""

import json
import re
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
        ({"signals": "Image(3)"}, "signals", "'Image(3)': expected a name and its domain, such as x: Image(3)"),
        ({"signals": "x: Image(3) y: Image(3)"}, "signals", "a comma or a new line stands before the next signal"),
        (
            {"signals": "x: Imag(3)"},
            "signals",
            "there is no domain 'Imag': did you mean Image? There are Classes, Heat",
        ),
        ({"signals": "x: Picture(3)"}, "signals", "there is no domain 'Picture'; there are Classes, Heatmap, Image,"),
        ({"signals": "x: Image.foo"}, "signals", "'Image.foo' is not understood: a domain is written such as Image(3)"),
        ({"signals": "x: Image(channel=3)"}, "signals", "Image(...) got an unexpected keyword argument 'channel'"),
        ({"signals": "x: 3"}, "signals", "signals['x'] must be a domain such as Image(3), got 3"),
        ({"signals": "x: Image(0)"}, "signals", "channels must be a positive integer"),
        ({"signals": "x: Image(3), x: Image(1)"}, "signals", "declared twice"),
        ({"signals": "x: __import__('os')"}, "signals", "there is no domain '__import__'"),
        ({"options": "weight={}"}, "options", "no option 'weight': did you mean weights? There are adversarial,"),
        ({"options": "weights={}, weights={}"}, "options", "the option 'weights' is said twice"),
        ({"options": "weights={"}, "options", "'weights={' is not understood: options are written as Python keywords"),
        (
            {"options": 'adversarial="hinge",\nweights: c 10'},
            "options",
            "'weights: c 10' is not understood: options are written as Python keywords, such as weights={\"c\": 10}",
        ),
        ({"options": "adversarial=hinge"}, "options", "'hinge' is not understood: a name stands in quotes, \"hinge\""),
        ({"options": "weights={'z': Rampp(1)}"}, "options", "'Rampp' is not understood: did you mean Ramp?"),
        ({"options": "weights={'z': Ramp(by=1)}"}, "options", "Ramp(...) got an unexpected keyword argument 'by'"),
        ({"options": "weights=1/0"}, "options", "'1 / 0' is not understood: it is written such as weights={\"c\": 10}"),
        ({"options": "weights={'z': 1}"}, "options", "z"),
        ({"options": "weights=3"}, "options", "weights"),
    ],
)
def test_errors_stand_by_their_field(fields, field, message):
    answer = json.loads(BRIDGE.describe(json.dumps(fields)))
    assert answer["field"] == field
    assert message in answer["error"]
    assert not re.search(r"Error|dict\(|__init__", answer["error"])  # nothing of what reads the fields


@pytest.mark.parametrize("name", NAMES)
def test_signals_are_read_as_a_graph_prints_them(name):
    graph = papers.create_paper(name).graph
    printed = re.search(r"signals: (.+)", str(graph))[1]
    for text in (printed, f"signals: {printed}", printed.replace(", ", "\n")):
        assert BRIDGE.read_signals(text).items() >= graph.signals.items()


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


def test_a_note_goes_with_the_text_it_was_about(playground):
    drawn_after(playground, lambda: playground.fill("textarea[name=losses]", "y* ~ y ; one: stop(y*) ~ x"))
    assert "one" in playground.text_content("[data-part=notes]")
    playground.fill("textarea[name=losses]", "y* ~ y")
    playground.fill("textarea[name=options]", "weights: c 10")
    playground.wait_for_selector("textarea[name=options][aria-invalid=true]")
    assert playground.text_content("[data-part=notes]") == ""


def test_an_empty_field_shows_what_could_stand_in_it(playground):
    fields = {
        area.get_attribute("name"): area.get_attribute("placeholder") for area in playground.locator("textarea").all()
    }
    graph = BRIDGE.read(fields)
    assert set(graph.signals) == {"x", "y"}
    assert graph.weights == {"x_cycle": 10}


CUT = """[...document.querySelectorAll(".playground textarea")]
    .filter(area => area.scrollHeight > area.clientHeight || area.scrollWidth > area.clientWidth)
    .map(area => area.name)"""


def test_fields_are_as_high_as_their_text(playground, browser):
    long = " ; ".join(["y* ~ y", *(f"long_{number}: y* ~ x" for number in range(20))])
    older = browser.new_context().new_page()
    older.add_init_script("CSS.supports = () => false")
    older.goto(playground.url)
    older.wait_for_selector(".playground.ready", timeout=STARTED)
    older.add_style_tag(content="textarea { field-sizing: fixed !important; }")
    for there in (playground, older):
        for width in (1280, 390):
            there.set_viewport_size({"width": width, "height": 900})
            drawn_after(there, lambda there=there, width=width: there.fill("textarea[name=losses]", f"{long} #{width}"))
            assert there.evaluate(CUT) == []
            assert there.evaluate("document.documentElement.scrollWidth") == width
    older.context.close()


def test_a_phone_shows_where_something_goes_on_and_the_place_of_a_mistake(playground):
    playground.set_viewport_size({"width": 390, "height": 900})
    playground.get_by_role("tab", name="Who learns").click()
    for part in ("diagram", "terms-panel"):
        shown = playground.locator(f"[data-part={part}]")
        shown.scroll_into_view_if_needed()

        def edges(shown=shown):
            box = shown.bounding_box()
            left, right = box["x"], box["x"] + box["width"]
            clips = [{"x": x, "y": box["y"] + 2, "width": 1, "height": 1} for x in (left, right - 1)]
            return [playground.screenshot(clip=clip) for clip in clips]

        assert shown.evaluate("shown => shown.scrollWidth > shown.clientWidth")
        plain, shadow = edges()
        assert plain != shadow
        shown.evaluate("shown => { shown.scrollLeft = shown.scrollWidth }")
        left, right = edges()
        assert left != plain == right
    playground.fill(
        "textarea[name=cycles]", "K2G2K: [x, Ly] -G_I-> y* -G_K-> Ly* ~ Ly ; other: [y, Lx] -G_I-> xx* ~ xx"
    )
    playground.wait_for_selector("textarea[name=cycles][aria-invalid=true]")
    place = playground.locator("[data-part=cycles-error] code")
    assert place.inner_text().splitlines()[-1].index("^") == place.inner_text().splitlines()[0].rindex("xx")
    assert place.evaluate("place => getComputedStyle(place).whiteSpace") == "pre"
    assert place.evaluate("place => place.scrollLeft + place.clientWidth >= place.scrollWidth - 1")  # the caret's end
    assert playground.evaluate("document.documentElement.scrollWidth") == 390
    playground.set_viewport_size({"width": 1400, "height": 950})
