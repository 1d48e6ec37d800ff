"""Drag a landmark: the site's page and one that the command wrote; what they show is what torch makes."""

import json

import pytest
import torch
import yaml

from cyclekit import CycleModel, NetworkSpec
from cyclekit.command.runs import open_fit
from cyclekit.command.web import write_page
from cyclekit.data import Drawing, PosedImages
from cyclekit.graph import Landmarks
from cyclekit.keypoints import FACE_68
from cyclekit.papers import c2gan
from tests.site.conftest import ROOT

STARTED = 60_000  # milliseconds in which onnxruntime starts
SIZE = (64, 64)

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")


def faces() -> PosedImages:
    """The images of the site's page, and their landmarks."""
    said = json.loads((ROOT / "docs" / "drag" / "demo" / "run.json").read_text())
    points = torch.tensor([image["points"] for image in said["images"][:3]])
    images = torch.randint(256, (3, 3, *SIZE), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    there = torch.ones(points.shape[:2], dtype=torch.bool)
    there[1, 20] = False
    return PosedImages(images, points, there, Drawing(FACE_68, "dark_dots", width=0.7), (0, 0, 1))


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> tuple[CycleModel, PosedImages, str]:
    """A model, images, and the address of a page of both on the disk."""
    run = tmp_path_factory.mktemp("run")
    torch.manual_seed(0)
    network = NetworkSpec("unet_64", base_channels=4)
    model = c2gan(Landmarks(3)).build(generators=network, size=SIZE)
    with torch.no_grad():  # an output that moves with its input, as a trained one does
        for weight in model.parameters():
            weight.mul_(3)
    model.save_pretrained(run / "model")
    (run / "options.yaml").write_text(yaml.safe_dump({"size": list(SIZE)}))
    posed = faces()
    posed.write(run)
    write_page(open_fit(run), run / "page")
    return CycleModel.from_pretrained(run / "model"), posed, (run / "page" / "index.html").as_uri()


@pytest.fixture(scope="module")
def from_disk(exported, browser):
    """The page on the disk, opened without any server."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    opened = context.new_page()
    elsewhere: list[str] = []
    opened.on(
        "request",
        lambda request: request.url.startswith((exported[2], "data:", "blob:")) or elsewhere.append(request.url),
    )
    opened.goto(exported[2])
    opened.wait_for_selector(".drag.ready", timeout=STARTED)
    yield opened
    context.close()
    assert elsewhere == []


def drawn_after(page, act) -> dict:
    """Act, wait for the pictures that follow, and return what the last one was made of and shows."""
    before = page.get_attribute(".drag", "data-drawn")
    act()
    page.wait_for_function("before => document.querySelector('.drag').dataset.drawn !== before", arg=before)
    page.wait_for_function("() => !document.querySelector('.drag').classList.contains('busy')")
    plain = "name => Array.from(document.querySelector('.drag').drawn[name] ?? [])"
    return {name: torch.tensor(page.evaluate(plain, name)) for name in ("points", "generated", "keypoints")}


def drag(page, joint: int, across: float, down: float) -> None:
    """Drag a landmark with the mouse, in pixels of the screen."""
    box = page.locator(f'[data-part=keypoints] [data-joint="{joint}"]').bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + across / 2, y + down / 2)
    page.mouse.move(x + across, y + down)
    page.mouse.up()


def drag_by_touch(page, joint: int, across: float, down: float) -> None:
    """Drag a landmark with a finger."""
    box = page.locator(f'[data-part=keypoints] [data-joint="{joint}"]').bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    finger = page.context.new_cdp_session(page)
    finger.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    places = [("touchStart", x, y), *(("touchMove", x + across * part, y + down * part) for part in (0.3, 0.6, 1))]
    for kind, *place in places:
        touched = [dict(zip("xy", place, strict=True))]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touched})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def pixel(page) -> float:
    """A pixel of the image, in those of the screen."""
    return page.locator("[data-part=keypoints]").bounding_box()["width"] / SIZE[1]


def of_torch(model, posed, image: int, points) -> dict[str, torch.Tensor]:
    points = points.view(1, -1, 2)
    maps = model.graph.domains["Ly"].normalize(posed.drawing.draw(points, points.isfinite().all(-1), SIZE))
    return model.generate({"x": posed.images[image : image + 1].float() / 127.5 - 1, "Ly": maps}, ["y*", "Ly*"])


def test_the_picture_is_what_torch_makes(exported, from_disk):
    model, posed, _ = exported
    before = posed.points[0, 30]
    shown = drawn_after(from_disk, lambda: drag(from_disk, 30, 40, 25))
    moved = shown["points"].view(-1, 2)
    # the page knows the points to a hundredth, and the mouse moves by whole pixels
    assert torch.allclose(moved[30] - before, torch.tensor([40.0, 25.0]) / pixel(from_disk), atol=0.3)
    assert torch.allclose(moved[:30], posed.points[0, :30], atol=0.01)
    wanted = of_torch(model, posed, 0, moved)
    assert (shown["generated"].view(3, *SIZE) - wanted["y*"][0]).abs().max() < 1e-3
    unmoved = of_torch(model, posed, 0, posed.points[0])
    assert (wanted["y*"] - unmoved["y*"]).abs().max() > 0.01

    # what is on the screen is that picture, and G_K reads it
    read = drawn_after(from_disk, lambda: from_disk.check("[data-part=read]"))
    assert (read["keypoints"].view(3, *SIZE) - wanted["Ly*"][0]).abs().max() < 1e-3
    script = "() => { const c = document.querySelector('[data-part=generated]'); "
    script += "return Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data) }"
    levels = torch.tensor(from_disk.evaluate(script)).view(*SIZE, 4)[..., :3].permute(2, 0, 1)
    assert (levels - (wanted["y*"][0] + 1) * 127.5).abs().max() < 0.7
    from_disk.uncheck("[data-part=read]")


def test_another_image_with_a_landmark_that_is_missing(exported, from_disk):
    model, posed, _ = exported
    shown = drawn_after(from_disk, lambda: from_disk.get_by_role("button", name="Image 2, person 1").click())
    missing = shown["points"].view(-1, 2).isnan().any(-1)
    assert missing.nonzero().flatten().tolist() == [20]
    assert from_disk.locator('[data-part=keypoints] [data-joint="20"]').count() == 0
    wanted = of_torch(model, posed, 1, shown["points"])["y*"][0]
    assert (shown["generated"].view(3, *SIZE) - wanted).abs().max() < 1e-3


def test_a_part_and_all_move_together(from_disk):
    start = drawn_after(from_disk, lambda: from_disk.get_by_role("button", name="Image 1, person 1").click())
    from_disk.check("input[value=part]")
    moved = drawn_after(from_disk, lambda: drag(from_disk, 48, 0, 20))
    moves = (moved["points"] - start["points"]).view(-1, 2)[:, 1] > 1
    assert moves.nonzero().flatten().tolist() == list(range(48, 60))  # the outer lip
    from_disk.check("input[value=all]")
    again = drawn_after(from_disk, lambda: drag(from_disk, 30, -15, 0))
    shift = (again["points"] - moved["points"]).view(-1, 2)
    assert torch.allclose(shift, shift[:1].expand_as(shift), atol=1e-3)
    assert shift[0, 0] < -1
    reset = drawn_after(from_disk, lambda: from_disk.get_by_role("button", name="Reset").click())
    assert torch.equal(reset["points"], start["points"])
    from_disk.check("input[value=point]")


def test_keys_move_a_landmark(from_disk):
    svg = from_disk.locator("[data-part=keypoints]")
    drawn_after(from_disk, lambda: from_disk.get_by_role("button", name="Image 1, person 1").click())
    svg.press("PageUp")  # the last one, whichever is chosen
    chosen = int(from_disk.get_attribute("[data-part=keypoints] .chosen", "data-joint"))
    before = drawn_after(from_disk, lambda: svg.press("ArrowLeft"))["points"].view(-1, 2)
    after = drawn_after(from_disk, lambda: svg.press("Shift+ArrowDown"))["points"].view(-1, 2)
    assert (after - before)[chosen].tolist() == pytest.approx([0, SIZE[0] / 16], abs=1e-4)
    assert FACE_68.joints[chosen].replace("_", " ") in from_disk.text_content("[data-part=chosen]")


def test_a_walk_goes_from_one_pose_to_the_other(exported, from_disk):
    _, posed, _ = exported
    drawn_after(from_disk, lambda: from_disk.get_by_role("button", name="Image 1, person 1").click())
    half = drawn_after(from_disk, lambda: from_disk.fill("[data-part=walk]", "0.5"))["points"].view(-1, 2)
    both = posed.visible[1]
    assert torch.allclose(half[both], (posed.points[0] + posed.points[1])[both] / 2, atol=0.01)
    drag(from_disk, 8, 0, 30)
    from_disk.locator("[data-part=to]").click()
    dragged = drawn_after(from_disk, lambda: from_disk.fill("[data-part=walk]", "1"))["points"].view(-1, 2)
    assert dragged[8, 1] - half[8, 1] == pytest.approx(30 / pixel(from_disk), abs=0.3)
    first = from_disk.get_attribute(".drag", "data-drawn")
    from_disk.get_by_role("button", name="Walk", exact=True).click()
    from_disk.wait_for_function(
        "first => Number(document.querySelector('.drag').dataset.drawn) > Number(first) + 12", arg=first
    )
    from_disk.get_by_role("button", name="Stop").click()
    said = from_disk.text_content("[data-part=said]")
    assert "First picture after" in said
    assert "ms a picture" in said
    assert "a second" in said


def test_the_site_has_three_models_and_a_phone_shows_all_of_it(page, address):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{address}drag/")
    page.wait_for_selector(".drag.ready", timeout=STARTED)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    before = torch.tensor(page.evaluate("Array.from(document.querySelector('.drag').drawn.generated)"))
    page.locator("[data-part=keypoints]").scroll_into_view_if_needed()
    page.check("input[value=part]")
    place = page.evaluate("scrollY")
    after = drawn_after(page, lambda: drag_by_touch(page, 57, 0, 40))["generated"]
    assert page.evaluate("scrollY") == place
    changed = (after - before).view(3, *SIZE).abs().amax(0)
    mouth = page.evaluate("document.querySelector('.drag').drawn.points.slice(2 * 57, 2 * 58)")
    y, x = round(mouth[1]), round(mouth[0])
    assert changed[y - 4 : y + 4, x - 4 : x + 4].max() > 0.2  # where the mouth went
    page.check("[data-part=read]")
    page.wait_for_function("document.querySelector('.drag').drawn.keypoints")

    # another model goes on with the same image and keypoints
    kept = torch.tensor(page.evaluate("document.querySelector('.drag').drawn.points"))
    page.select_option("[data-part=models]", "painter")
    page.wait_for_selector(".drag:not(.ready)")
    page.wait_for_selector(".drag.ready", timeout=STARTED)
    assert torch.equal(torch.tensor(page.evaluate("document.querySelector('.drag').drawn.points")), kept)
    other = torch.tensor(page.evaluate("Array.from(document.querySelector('.drag').drawn.generated)"))
    assert (other - after).abs().max() > 0.1

    # one of twice the size with the same in its own pixels
    page.select_option("[data-part=models]", "large")
    page.wait_for_selector(".drag:not(.ready)")
    page.wait_for_selector(".drag.ready", timeout=STARTED)
    twice = torch.tensor(page.evaluate("Array.from(document.querySelector('.drag').drawn.points)"))
    assert torch.allclose((twice + 0.5) / 2 - 0.5, kept, atol=0.02)
    assert page.evaluate("document.querySelector('.drag').drawn.generated.length") == 3 * 128 * 128


def test_the_site_stays_small(site):
    assert sum(path.stat().st_size for path in site.rglob("*") if path.is_file()) < 100e6
