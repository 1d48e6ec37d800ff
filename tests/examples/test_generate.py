"""Use of a run: poses of every format give the picture that their points say, walks, folders, and wrong input."""

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml
from PIL import Image
from torch.utils.data import default_collate

import generate
import train
from cyclekit import CycleGraph, Heatmap, Landmarks, NetworkSpec
from cyclekit.keypoints import FACE_68, OPENPOSE_18, Keypoints, read_keypoint_table
from cyclekit.papers import c2gan
from data import FacePairs, PersonPairs
from data.drawing import drawing_of
from data.embedded import EmbeddedPairs
from data.sources import read_image
from poses import drawn, walk
from trial import leave_trial

ROOT = Path(__file__).resolve().parents[2]
SIZES = {"faces": (64, 64), "persons": (128, 64)}


def leave_run(folder: Path, graph: CycleGraph, task: str, pairs: EmbeddedPairs | None = None) -> Path:
    """Leave what generate.py reads of a run: a model as it is before training, and its options."""
    torch.manual_seed(0)
    network = NetworkSpec("unet_64", base_channels=4)
    discriminator = NetworkSpec("patchgan_16", base_channels=4)
    model = graph.build(generators=network, discriminators=discriminator, size=SIZES[task])
    model.save_pretrained(folder / "model")
    (folder / "options.yaml").write_text(yaml.safe_dump({"task": task, "size": list(SIZES[task]), "data": None}))
    if pairs is not None:
        leave_trial(pairs, folder)
    return folder


@pytest.fixture(scope="module")
def faces() -> FacePairs:
    return FacePairs("test", SIZES["faces"], identities=3)


@pytest.fixture(scope="module")
def persons() -> PersonPairs:
    return PersonPairs("test", SIZES["persons"], identities=3)


@pytest.fixture(scope="module")
def face_run(tmp_path_factory: pytest.TempPathFactory, faces: FacePairs) -> Path:
    return leave_run(tmp_path_factory.mktemp("face_run"), c2gan(Landmarks(3)).graph, "faces", faces)


@pytest.fixture(scope="module")
def person_run(tmp_path_factory: pytest.TempPathFactory, persons: PersonPairs) -> Path:
    """A run whose networks have names of their own: one for each use."""
    graph = c2gan(Heatmap(18), row="non_sharing").graph
    assert "G_K" not in graph.generators
    return leave_run(tmp_path_factory.mktemp("person_run"), graph, "persons", persons)


def made(run: Path, out: Path, *arguments: str | Path) -> Image.Image:
    """Generate from the run's first picture, and return what was written."""
    picture = run / "try" / "images" / "1.png"
    generate.main([*map(str, ("--run", run, "--image", picture, "--out", out, *arguments))])
    with Image.open(out) as picture:
        picture.load()
    return picture


def target_of(pairs: EmbeddedPairs) -> Keypoints:
    """Return the first pair's target pose, as the run's first pose is."""
    target = pairs.drawings_of(0)[1]
    return Keypoints(pairs.points[target : target + 1], pairs.visible[target : target + 1])


def test_the_documented_commands_run_on_what_a_run_leaves(face_run: Path) -> None:
    page = (ROOT / "docs" / "c2gan.md").read_text(encoding="utf-8")
    commands = re.findall(r"^python examples/c2gan/generate.py (.*runs/demo.*)$", page, re.MULTILINE)
    assert len(commands) >= 4
    for command in commands:
        words = shlex.split(command.replace("runs/demo", str(face_run)))
        generate.main(words)
        assert Path(words[words.index("--out") + 1]).exists()


def table(points: torch.Tensor) -> str:
    joints = range(points.shape[0])
    values = ",".join(f"{value:.4f}" for value in points.flatten().tolist())
    return f"name,{','.join(f'x_{joint},y_{joint}' for joint in joints)}\nsomebody.jpg,{values}\n"


def pts(points: torch.Tensor) -> str:
    return f"version: 1\nn_points: {len(points)}\n{{\n" + "".join(f"{x:.4f} {y:.4f}\n" for x, y in points) + "}\n"


def openface(points: torch.Tensor) -> str:
    names = [f"{axis}_{joint}" for axis in "xy" for joint in range(len(points))]
    return "\n".join([", ".join(names), ", ".join(f"{value:.4f}" for value in points.T.flatten().tolist())]) + "\n"


def openpose(points: torch.Tensor, key: str) -> str:
    numbers = torch.cat([points, torch.ones(len(points), 1)], 1).flatten().tolist()
    return json.dumps({"people": [{key: numbers}]})


FORMATS: dict[str, tuple[str, Callable[[torch.Tensor], str]]] = {
    "table": ("csv", table),
    "pts": ("pts", pts),
    "openface": ("csv", openface),
    "openpose_faces": ("json", lambda points: openpose(points, "face_keypoints_2d")),
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_face_takes_the_pose_of_any_format_in_pixels_of_its_picture(
    name: str, faces: FacePairs, face_run: Path, tmp_path: Path
) -> None:
    """The points are of a picture of 480x640, height by width, and land where the run's own pose has them."""
    ending, written = FORMATS[name]
    points = (target_of(faces).points[0] + 0.5) * torch.tensor([10.0, 7.5]) - 0.5
    (tmp_path / f"pose.{ending}").write_text(written(points))
    size = ["--keypoints-size", "480", "640"]
    moved = made(face_run, tmp_path / "a.png", "--keypoints", tmp_path / f"pose.{ending}", *size)
    own = made(face_run, tmp_path / "b.png", "--keypoints", face_run / "try" / "pose_1.csv")
    assert (read(moved) - read(own)).abs().max() <= 2 / 255


def test_the_size_of_a_pose_is_that_of_the_picture_beside_it(face_run: Path, faces: FacePairs, tmp_path: Path) -> None:
    (tmp_path / "poses.csv").write_text(table((target_of(faces).points[0] + 0.5) * 2 - 0.5))
    with pytest.raises(SystemExit, match=r"does not lie in a picture of 64x64, height by width, as 1\.png is"):
        made(face_run, tmp_path / "a.png", "--keypoints", tmp_path / "poses.csv")
    Image.new("RGB", (128, 128)).save(tmp_path / "somebody.jpg")
    moved = made(face_run, tmp_path / "a.png", "--keypoints", tmp_path / "poses.csv")
    own = made(face_run, tmp_path / "b.png", "--keypoints", face_run / "try" / "pose_1.csv")
    assert (read(moved) - read(own)).abs().max() <= 2 / 255


def read(picture: Image.Image) -> torch.Tensor:
    values = torch.tensor(list(picture.convert("RGB").tobytes()))
    return values.reshape(picture.height, picture.width, 3).permute(2, 0, 1) / 255


def test_keypoints_are_drawn_as_in_training(faces: FacePairs, persons: PersonPairs, tmp_path: Path) -> None:
    for pairs, skeleton in ((faces, FACE_68), (persons, OPENPOSE_18)):
        maps = drawn(drawing_of(skeleton, pairs.size), target_of(pairs), pairs.size)
        assert (maps[0] - pairs[0]["Ly"]).abs().max() <= 1 / 127


def test_a_person_takes_a_pose_and_his_own_is_found(person_run: Path, persons: PersonPairs, tmp_path: Path) -> None:
    """The run's picture is what the model makes of the pair, whatever its generators are called."""
    model, _ = generate.load_run(person_run)
    batch = default_collate([persons[0]])
    batch["x"] = read_image(person_run / "try" / "images" / "1.png", persons.size)[None]
    wanted = model.eval().generate({name: batch[name] for name in ("x", "Ly")}, ["y*"])["y*"]
    moved = made(person_run, tmp_path / "a.png", "--keypoints", person_run / "try" / "pose_1.csv")
    assert (read(moved) - (wanted[0] + 1) / 2).abs().max() <= 2 / 255
    found = made(person_run, tmp_path / "found.png")
    assert found.size == (64, 128)
    assert read_keypoint_table(tmp_path / "found-keypoints.csv").names == ("1.png",)
    points, visible = target_of(persons)
    triples = torch.cat([points[0], visible[0, :, None].float()], 1)
    (tmp_path / "p.json").write_text(json.dumps({"people": [{"pose_keypoints_2d": triples.flatten().tolist()}]}))
    again = made(person_run, tmp_path / "b.png", "--keypoints", tmp_path / "p.json")
    assert (read(moved) - read(again)).abs().max() <= 2 / 255


def test_a_walk_goes_straight_from_pose_to_pose_and_back(face_run: Path, tmp_path: Path) -> None:
    poses = [face_run / "try" / f"pose_{number}.csv" for number in (1, 2)]
    for ending in ("png", "webp", "gif"):
        made(face_run, tmp_path / f"walk.{ending}", "--keypoints", *poses, "--frames", "3")
        with Image.open(tmp_path / f"walk.{ending}") as moving:
            assert moving.n_frames == 4
            assert moving.size == (64, 64)
        with Image.open(tmp_path / "walk-strip.png") as strip:
            assert strip.size == (4 * 132 + 4, 2 * 132 + 4)
    with Image.open(tmp_path / "walk.png") as moving:  # nothing is lost in a PNG
        for frame, pose in ((0, poses[0]), (2, poses[1])):
            moving.seek(frame)
            assert (read(moving) - read(made(face_run, tmp_path / "one.png", "--keypoints", pose))).abs().max() == 0


def test_on_the_way_is_a_joint_that_both_poses_have() -> None:
    one = Keypoints(torch.tensor([[[0.0, 0.0], [4.0, 4.0]]]), torch.tensor([[True, True]]))
    other = Keypoints(torch.tensor([[[8.0, 2.0], [0.0, 0.0]]]), torch.tensor([[True, False]]))
    points, visible = walk([one, other, one], 3)
    assert points[:, 0].tolist() == [[0, 0], [4, 1], [8, 2], [4, 1], [0, 0]]
    assert visible[:, 1].tolist() == [True, False, False, False, True]


def test_a_folder_becomes_a_folder_each_picture_in_its_pose(face_run: Path, tmp_path: Path) -> None:
    images, poses = face_run / "try" / "images", tmp_path / "poses"
    poses.mkdir()
    for number, name in enumerate(("1", "2", "3")):
        source = face_run / "try" / f"pose_{1 + number % 2}.csv"
        (poses / f"{name}.csv").write_text(source.read_text())
    arguments = ["--run", str(face_run), "--image", str(images), "--keypoints", str(poses)]
    generate.main([*arguments, "--out", str(tmp_path / "own")])
    generate.main([*arguments, "--pose", "2", "--out", str(tmp_path / "same")])
    generate.main([*arguments, "--pose", "2", "1", "--frames", "2", "--out", str(tmp_path / "walks")])
    generate.main(["--run", str(face_run), "--image", str(images), "--out", str(tmp_path / "found")])
    assert sorted(file.name for file in (tmp_path / "walks").iterdir()) == sorted(
        f"{number}{ending}" for number in (1, 2, 3) for ending in (".gif", "-strip.png")
    )
    for folder in ("own", "same", "found"):
        assert sorted(file.name for file in (tmp_path / folder).iterdir()) == ["1.png", "2.png", "3.png"]
    own, same = ([(tmp_path / folder / f"{n}.png").read_bytes() for n in (1, 2, 3)] for folder in ("own", "same"))
    assert own[1] == same[1]
    assert own[0] != same[0]


def test_wrong_input_ends_in_one_line_and_writes_nothing(face_run: Path, person_run: Path, tmp_path: Path) -> None:
    picture, pose = face_run / "try" / "images" / "1.png", face_run / "try" / "pose_1.csv"
    (tmp_path / "bad.png").write_bytes(b"no picture")
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n")
    (tmp_path / "empty").mkdir()
    points = ",".join(["1"] * 136)
    header = table(torch.zeros(68, 2)).splitlines()[0]
    (tmp_path / "two.csv").write_text(f"{header}\nanna.jpg,{points}\nbert.jpg,{points}\n")
    (tmp_path / "nobody.csv").write_text(f"{header}\nanna.jpg,{',' * 135}\n")
    body = person_run / "try" / "pose_1.csv"
    out = tmp_path / "out"
    cases: list[tuple[list[str | Path], str]] = [
        (["--run", tmp_path], "holds no run: train one"),
        (["--image", tmp_path / "nowhere.png"], "nowhere.png is no file"),
        (["--image", tmp_path / "bad.png"], "bad.png cannot be read as a picture"),
        (["--image", tmp_path / "empty"], "holds no pictures"),
        (["--keypoints", tmp_path / "nowhere.csv"], "nowhere.csv: no such file or folder"),
        (["--keypoints", tmp_path / "bad.csv"], "expected rows of Market-1501"),
        (["--keypoints", tmp_path / "bad.png"], "bad.png cannot be read as a picture"),
        (["--keypoints", tmp_path / "empty"], "holds no keypoints"),
        (["--keypoints", tmp_path / "two.csv"], "holds 2 poses, such as anna, bert; none is called as 1.png is"),
        (["--keypoints", tmp_path / "two.csv", "--pose", "eve"], "--pose eve: .* such as anna, bert"),
        (["--keypoints", tmp_path / "nobody.csv"], "the pose 'anna' has no joint"),
        (["--keypoints", tmp_path / "two.csv", "--pose", "anna"], "these look like shares of width and height"),
        (["--keypoints", body], "openpose_18, which cannot be brought to face_68"),
        (["--keypoints", pose, "--keypoints-size", "4", "4"], "does not lie in a picture of 4x4"),
        (["--keypoints", pose, "--keypoints-size", "0", "4"], "--keypoints-size 0 4: must be 1 or more"),
        (["--keypoints", pose, picture], "a walk goes from point to point"),
        (["--keypoints", pose, pose, "--frames", "1"], "--frames 1: must be 2 or more"),
        (["--keypoints", pose, pose, "--pose", "a", "b", "c"], "--pose names 3 poses, and --keypoints 2 places"),
        (["--pose", "a"], "--pose names 1 poses, and --keypoints 0 places"),
        (["--keypoints", pose, pose, "--out", tmp_path / "a.jpg"], "whose name ends in .gif, .png, .webp"),
        (["--keypoints", pose, "--out", tmp_path / "a.tiff"], "whose name ends in .png, .jpg"),
        (["--image", picture.parent, "--out", tmp_path / "bad.png"], "is a file, and --image .* a folder"),
        (["--image", picture.parent, "--out", picture.parent], "is the folder of the pictures"),
        (["--run", person_run, "--keypoints", picture], "this run takes heatmaps, which a picture cannot hold"),
    ]
    before = {*tmp_path.rglob("*"), *face_run.rglob("*"), *person_run.rglob("*")}
    for case, said in cases:
        given = {
            "--run": [face_run],
            "--image": [picture],
            "--out": [out / "a.gif" if case.count(pose) > 1 else out / "a.png"],
        }
        words = [str(word) for name, value in given.items() if name not in case for word in (name, *value)]
        with pytest.raises(SystemExit) as exit_:
            generate.main([*words, *map(str, case)])
        assert re.search(said, str(exit_.value.code)), exit_.value.code
        assert str(exit_.value.code).startswith("error: ")
    assert {*tmp_path.rglob("*"), *face_run.rglob("*"), *person_run.rglob("*")} == before


def test_panels_are_not_taken_for_a_picture(tmp_path: Path) -> None:
    run = leave_run(tmp_path / "run", c2gan(Landmarks(3)).graph, "faces")
    options = yaml.safe_load((run / "options.yaml").read_text())
    (run / "options.yaml").write_text(yaml.safe_dump({**options, "data": str(tmp_path), "panels": "x y Ly Lx"}))
    Image.new("RGB", (4 * options["size"][1], options["size"][0])).save(tmp_path / "a.png")
    with pytest.raises(SystemExit, match=r"a\.png is as wide as 4 panels side by side"):
        generate.main(["--run", str(run), "--image", str(tmp_path / "a.png"), "--out", str(tmp_path / "b.png")])


def test_points_are_not_drawn_for_a_run_that_saw_bright_skeletons(tmp_path: Path) -> None:
    for split in ("train", "test"):
        (tmp_path / "panels" / split).mkdir(parents=True)
        grey, black = Image.new("RGB", (128, 64), "grey"), Image.new("RGB", (256, 64))
        black.paste(grey)  # x and y; their skeletons, a pixel each, are white on black
        for number, place in enumerate(((140, 20), (200, 40))):
            black.putpixel(place, (255, 255, 255))
            black.save(tmp_path / "panels" / split / f"{number}.png")
    small = ["--steps", "1", "--batch", "2", "--base-channels", "4", "--size", "64"]
    train.main(["--data", str(tmp_path / "panels"), *small, "--out", str(tmp_path / "run")])
    points = torch.rand(68, 2) * 63
    (tmp_path / "pose.csv").write_text(table(points))
    picture = str(tmp_path / "run" / "try" / "images" / "1.png")
    words = ["--run", str(tmp_path / "run"), "--image", picture, "--out", str(tmp_path / "out.png"), "--keypoints"]
    with pytest.raises(SystemExit, match=r"how keypoints are drawn only this run's panels know: give a picture"):
        generate.main([*words, str(tmp_path / "pose.csv")])
    generate.main([*words, str(tmp_path / "run" / "try" / "pose_1.png")])


def test_a_run_without_a_reader_says_so(tmp_path: Path) -> None:
    run = leave_run(tmp_path / "run", c2gan(Landmarks(3), row="I2I2I").graph, "faces")
    Image.new("RGB", (64, 64)).save(tmp_path / "a.png")
    with pytest.raises(SystemExit, match="has no network that finds keypoints"):
        generate.main(["--run", str(run), "--image", str(tmp_path / "a.png"), "--out", str(tmp_path / "b.png")])


@pytest.mark.parametrize(
    "results",
    [["a.png"], ["a.png", "pose.csv"], ["a.gif", "pose.csv", "pose.csv"]],
)
def test_what_is_read_is_not_written_over(person_run: Path, tmp_path: Path, results: list[str]) -> None:
    out, *poses = (tmp_path / name for name in results)
    source = person_run / "try" / "images" / "1.png"
    picture = tmp_path / ("a-strip.png" if len(poses) > 1 else "a.png")
    picture.write_bytes(source.read_bytes())
    for pose in poses:
        pose.write_bytes((person_run / "try" / "pose_1.csv").read_bytes())
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    words = ["--run", person_run, "--image", picture, "--out", out, *(["--keypoints", *poses] if poses else [])]
    with pytest.raises(SystemExit, match="would write over"):
        generate.main([*map(str, words)])
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
