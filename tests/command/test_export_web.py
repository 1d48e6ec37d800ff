"""`cyclekit export --web`: which runs it takes, what it begins with, which landmarks move together."""

import json
import re
from base64 import b64decode
from pathlib import Path

import onnxruntime
import pytest
import torch
import yaml
from PIL import Image

from cyclekit import NetworkSpec
from cyclekit.command.posing import parts_of
from cyclekit.data import Drawing, PosedImages
from cyclekit.keypoints import COCO_17, FACE_68, HAND_21, OPENPOSE_18, Skeleton, landmark_image
from cyclekit.papers import create_paper

ROOT = Path(__file__).parents[2]
SIZE = (64, 128)

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")


def a_run(folder: Path, paper: str = "c2gan", said: dict | None = None, **options) -> Path:
    """Write what a run leaves, of a model that has learned nothing."""
    network = NetworkSpec("unet_64", base_channels=4)
    model = create_paper(paper, **options).build(generators=network, size=SIZE)
    model.save_pretrained(folder / "model")
    (folder / "options.yaml").write_text(yaml.safe_dump({"size": list(SIZE), **(said or {})}))
    return folder


def some_persons(drawing: Drawing) -> PosedImages:
    random = torch.Generator().manual_seed(0)
    count = len(drawing.skeleton)
    points = torch.rand(2, count, 2, generator=random) * torch.tensor([127.0, 63.0])
    visible = torch.rand(2, count, generator=random) > 0.2
    return PosedImages(torch.randint(256, (2, 3, *SIZE), dtype=torch.uint8), points, visible, drawing, (0, 0))


def files_of(page: Path) -> dict[str, bytes]:
    found = re.findall(r'<script type="text/plain" data-file="([\w.]+)">([^<]+)</script>', page.read_text())
    return {name: b64decode(content) for name, content in found}


def test_persons_with_heatmaps_by_the_documented_line(cyclekit, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run, posed = a_run(Path("runs/demo")), some_persons(Drawing(OPENPOSE_18, "heatmaps", width=2))
    posed.write(run)
    text = (ROOT / "docs" / "drag.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^cyclekit (export .*)$", text, re.MULTILINE)
    said = cyclekit(*line.split())
    assert said.status == 0, said.error
    assert "2 images with 18 landmarks each" in said.out
    assert [path.name for path in (tmp_path / "page").iterdir()] == ["index.html"]
    files = files_of(tmp_path / "page" / "index.html")
    assert {"run.json", "generator.onnx", "reader.onnx", "worker.js", "ort.wasm.gz"} <= files.keys()
    run_json = json.loads(files["run.json"])
    assert run_json["size"] == list(SIZE)
    assert [point is not None for point in run_json["images"][1]["points"]] == posed.visible[1].tolist()
    # other points than those it was exported with, some of them missing
    from cyclekit import CycleModel

    model = CycleModel.from_pretrained(run / "model")
    points = torch.rand(1, 18, 2) * 30
    there = torch.rand(1, 18) > 0.3
    x = torch.rand(1, 3, *SIZE) * 2 - 1
    maps = model.graph.domains["Ly"].normalize(posed.drawing.draw(points, there, SIZE))
    wanted = model.generate({"x": x, "Ly": maps}, ["y*", "Ly*"])
    generator, reader = (onnxruntime.InferenceSession(files[f"{name}.onnx"]) for name in ("generator", "reader"))
    missing = torch.where(there[..., None], points, torch.nan)
    (made,) = generator.run(None, {"image": x.numpy(), "points": missing.numpy()})
    assert (torch.from_numpy(made) - wanted["y*"]).abs().max() < 1e-3
    (read,) = reader.run(None, {"image": made})
    assert (torch.from_numpy(read) - wanted["Ly*"]).abs().max() < 1e-3
    # 16 bits a weight
    assert len(files["reader.onnx"]) < 0.6 * sum(4 * w.numel() for w in model.generators["G_K"].parameters())


@pytest.mark.parametrize("paper", [{"paper": "c2gan"}, {}])
def test_dots_of_panels_are_found(paper, tmp_path):
    """A run of the command, and one of a script that says where its panels are."""
    from cyclekit.command.posing import posed_images
    from cyclekit.command.runs import open_fit

    points = torch.tensor([[[10.0, 8.0], [30, 20], [50, 12]]])
    dots = (landmark_image(points, SIZE, 2.0)[0] * 255).round().byte()
    other = (landmark_image(points + torch.tensor([2.0, 3.0]), SIZE, 2.0)[0] * 255).round().byte()
    panels = torch.cat([torch.zeros_like(dots), torch.full_like(dots, 99), dots, other], -1)
    for split in ("train", "test"):
        (tmp_path / "data" / split).mkdir(parents=True)
        Image.fromarray(panels.permute(1, 2, 0).numpy()).save(tmp_path / "data" / split / "1.png")
    said = {"fit": "crop", "direction": "AtoB", "panels": "x y Ly Lx", "attributes": [], "exclusive": False}
    (tmp_path / "options.yaml").write_text(
        yaml.safe_dump({**paper, **said, "size": list(SIZE), "data": str(tmp_path / "data")})
    )
    posed = posed_images(open_fit(tmp_path))
    assert posed.persons == (0, 0)
    assert posed.visible.all()
    assert sorted(posed.images.float().mean((1, 2, 3)).tolist()) == [0, 99]
    of_y = posed.points[int(posed.images[1].float().mean() == 99)]
    assert torch.cdist(points[0], of_y).amin(1).max() < 0.2


def test_other_runs_are_refused_in_one_line(refused, tmp_path):
    run = a_run(tmp_path / "run")
    web = ("--web", tmp_path / "page")
    assert "poses.safetensors" in refused("export", "--run", run, *web)
    some_persons(Drawing(FACE_68, "dark_dots")).write(run)
    assert "drawn as Landmarks(3), and its model takes Heatmap(18)" in refused("export", "--run", run, *web)
    pix2pix = a_run(tmp_path / "other", "pix2pix")
    assert "y* of x" in refused("export", "--run", pix2pix, *web)
    assert "choose what is written" in refused("export", "--run", run)
    assert "--size does not go with --web" in refused("export", "--run", run, *web, "--size", "64")
    (tmp_path / "file").write_text("")
    assert "choose a folder" in refused("export", "--run", run, "--web", tmp_path / "file")
    assert not (tmp_path / "page").exists()


@pytest.mark.parametrize(("joints", "said"), [(("one",), "show 1 dot, too few"), (("one", "two"), "show 2 dots, too")])
def test_panels_without_dots_are_refused(refused, tmp_path, joints, said):
    run = a_run(tmp_path / "run")
    some_persons(Drawing(Skeleton("dots", joints, ()), "dark_dots")).write(run)
    assert said in refused("export", "--run", run, "--web", tmp_path / "page")
    assert not (tmp_path / "page").exists()


def named(skeleton, joints):
    return {skeleton.joints[joint] for joint in joints}


def test_parts_of_a_face_are_its_features():
    parts = parts_of(FACE_68)
    mouth = {name for name in FACE_68.joints if name.startswith("inner_lip")}
    assert named(FACE_68, parts["joint_parts"][62]) == mouth
    assert named(FACE_68, parts["limb_parts"][FACE_68.limbs.index((61, 62))]) == mouth
    assert len(parts["joint_parts"][3]) == 17


def test_parts_of_a_body_hang_on_their_joint():
    parts = parts_of(OPENPOSE_18)
    at = OPENPOSE_18.joints.index
    assert named(OPENPOSE_18, parts["joint_parts"][at("right_elbow")]) == {"right_elbow", "right_wrist"}
    assert named(OPENPOSE_18, parts["joint_parts"][at("nose")]) == {
        *("nose", "right_eye", "left_eye", "right_ear", "left_ear")
    }
    assert parts["joint_parts"][at("neck")] == list(range(18))
    upper_arm = parts["limb_parts"][OPENPOSE_18.limbs.index((5, 6))]
    assert named(OPENPOSE_18, upper_arm) == {"left_shoulder", "left_elbow", "left_wrist"}
    ear = parts["limb_parts"][OPENPOSE_18.limbs.index((2, 16))]
    assert named(OPENPOSE_18, ear) == {"right_shoulder", "right_ear"}


@pytest.mark.parametrize("skeleton", [COCO_17, HAND_21], ids=lambda skeleton: skeleton.name)
def test_every_part_holds_what_is_dragged(skeleton):
    parts = parts_of(skeleton)
    assert all(joint in part for joint, part in enumerate(parts["joint_parts"]))
    assert all({*limb} <= {*part} for limb, part in zip(skeleton.limbs, parts["limb_parts"], strict=True))
