"""prepare.py: what is counted, what is refused, what a manifest gives back."""

import re
import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image

import prepare
from cyclekit.data import BatchTransform, DataError, SignalLoader, read_signal
from cyclekit.keypoints import (
    FACE_68,
    Annotations,
    Keypoints,
    read_keypoint_table,
    read_market_csv,
    render_heatmaps,
    write_keypoint_table,
)
from data.manifest import Manifest
from data.sources import open_split
from tests.keypoints.test_keypoint_files import MARKET
from tests.keypoints.test_tables_and_names import RAFD, rafd


def run(*arguments: object) -> None:
    prepare.main([str(argument) for argument in arguments])


def said(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """Return what was printed, by what stands before the colon."""
    lines = [line.partition(": ") for line in capsys.readouterr().out.splitlines()]
    return {name.strip(): value for name, _, value in lines}


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    with pytest.raises(SystemExit) as caught:
        run(*arguments)
    assert str(caught.value).startswith("error: ")
    return str(caught.value)


@pytest.mark.skipif(not MARKET.is_file(), reason="the real annotations are not there")
def test_the_real_annotations(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("--dataset", "market", "--annotations", MARKET, "--out", tmp_path)
    found = said(capsys)
    assert found["pairs"] == "263632"
    assert found["rows"] == "12936"
    assert found["no joint at all"].startswith("419 ")
    assert found["images"].startswith("12116 ")


def test_persons_with_their_pictures(market: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    annotations, images = market / "annotations.csv", market / "images"
    run("--dataset", "market", "--annotations", annotations, "--images", images, "--out", tmp_path, "--hold-out", 0.2)
    found = said(capsys)
    assert found["pairs"] == str(5 * 4 * 3)
    assert found["train pairs"] == f"{4 * 4 * 3}, test pairs: {4 * 3}"
    assert found["identities"] == "5"
    assert found["image size"].startswith("128x64")
    visible = read_market_csv(annotations).keypoints.visible
    assert found["missing joints"] == f"{int((~visible).sum())} of {visible.numel()}"
    assert sum(file.stat().st_size for file in tmp_path.glob("*.[cj]s*")) < 20_000
    with Image.open(tmp_path / "contact_sheet.png") as sheet:
        assert min(sheet.size) > 192

    manifest = Manifest.read(tmp_path)
    people = {split: {name[:4] for name in part.annotations.names} for split, part in manifest.parts.items()}
    assert not people["train"] & people["test"]
    data = manifest.open("train", (128, 64), mask=True)
    batch = next(SignalLoader(data, 4, transform=BatchTransform(data)).batches())
    assert batch["Ly"].shape == (4, 18, 128, 64)
    assert batch["M"].shape == (4, 1, 128, 64)


def test_heatmaps_are_those_of_the_points(market: Path, tmp_path: Path) -> None:
    """Worked out from the annotation file alone; at twice the size, pixel centres move by half a pixel."""
    annotations = market / "annotations.csv"
    run("--dataset", "market", "--annotations", annotations, "--images", market / "images", "--out", tmp_path)
    names, keypoints = read_market_csv(annotations)
    part = Manifest.read(tmp_path).parts["train"]
    row = names.index(part.annotations.names[part.pairs[0][0]])
    points, visible = keypoints.points[row : row + 1], keypoints.visible[row : row + 1]
    for size, moved in (((128, 64), points), ((256, 128), 2 * points + 0.5)):
        data = Manifest.read(tmp_path).open("train", size)
        sample = {name: value[None] for name, value in data[0].items()}
        drawn = BatchTransform(data)(sample, None)["Lx"]  # pyright: ignore[reportArgumentType]
        expected = render_heatmaps(moved, size, 6 * size[0] / 128, visible) * 2 - 1
        torch.testing.assert_close(drawn, expected, atol=1e-5, rtol=0)


def test_pairs_of_a_file(market: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = read_market_csv(market / "annotations.csv").names
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("from,to\n" + "".join(f"{names[4]},{names[row]}\n" for row in (5, 6, 17)))
    base = ("--dataset", "market", "--annotations", market / "annotations.csv", "--images", market / "images")
    run(*base, "--pairs", pairs, "--hold-out", 0, "--out", tmp_path)
    assert said(capsys)["pairs"] == "3"
    part = Manifest.read(tmp_path).parts["train"]
    assert [tuple(part.annotations.names[row] for row in pair) for pair in part.pairs] == [
        (names[4], names[row]) for row in (5, 6, 17)
    ]
    pairs.write_text(f"from,to\n{names[4]},{names[5]}\n{names[0]},9999_c1s1_000000_00.jpg\n")
    message = refused(capsys, *base, "--pairs", pairs, "--out", tmp_path / "other")
    assert "line 3: '9999_c1s1_000000_00.jpg' is not annotated; the annotations are of another set" in message
    assert not (tmp_path / "other").exists()


def test_a_test_set_of_its_own_sampled(market: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = ("--dataset", "market", "--annotations", market / "annotations.csv", "--images", market / "images")
    run(*base, "--test-annotations", market / "annotations.csv", "--sample", 7, "--out", tmp_path)
    printed = capsys.readouterr().out
    assert "train pairs: 60, test pairs: 7" in printed
    assert "identities that are in the training set too: 5" in printed
    assert "--sample 61 is more" in refused(
        capsys, *base, "--test-annotations", market / "annotations.csv", "--sample", 61, "--out", tmp_path
    )


def test_every_bad_row_and_picture_has_its_reason(
    market: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(market / "images", tmp_path / "images")
    lines = (market / "annotations.csv").read_text().splitlines()
    (tmp_path / "images" / lines[1].split(":")[0]).unlink()
    (tmp_path / "images" / lines[2].split(":")[0]).write_bytes(b"no picture")
    name = lines[3].split(":")[0]
    lines[3] = lines[3].replace(": [", ": [x, ", 1)  # a row that cannot be read
    lines[4] = f"{lines[4].split(':')[0]}: {[-1] * 18}: {[-1] * 18}"
    lines[5] = f"{lines[5].split(':')[0]}: {[-1] * 2 + [9] * 16}: {[-1] * 3 + [9] * 15}"
    lines[6] = f"{lines[6].split(':')[0]}: {[9] * 18}: {[9] * 17 + [400]}"  # an ear outside the image
    lines += ["-1_c1s1_000001_00.jpg: " + lines[7].partition(": ")[2], lines[8]]
    (tmp_path / "annotations.csv").write_text("\n".join(lines) + "\n")
    run(
        *("--dataset", "market", "--annotations", tmp_path / "annotations.csv", "--images", tmp_path / "images"),
        *("--out", tmp_path / "out"),
    )
    found = said(capsys)
    assert found["rows"] == "22"
    assert found["rejected rows"] == "7"
    assert found["pictures that no row names"] == "1", "that of the row that cannot be read"
    assert found["picture named but absent"].startswith("1 ")
    assert found["picture that cannot be read"].startswith("1 ")
    assert re.match(r"1 \(line 4.*such as \[8, 23, -1\]", found["row that cannot be read"])
    assert found["no joint at all"].startswith("1 ")
    assert found["a shoulder or a hip is missing"].startswith("1 ")
    assert found["junk or distractor (-1, 0000)"].startswith("1 ")
    assert found["picture annotated twice, the first row counts"].startswith("1 ")
    assert found["joints outside their image, now missing"] == "1"
    assert int(found["persons seen from behind (no nose, no eyes)"]) >= 1
    assert name not in {n for part in Manifest.read(tmp_path / "out").parts.values() for n in part.annotations.names}


def test_what_leaves_nothing_to_train_on_is_refused(
    market: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty.csv"
    empty.write_text(f"name:keypoints_y:keypoints_x\n0002_c1.jpg: {[-1] * 18}: {[-1] * 18}\n")
    base = ("--dataset", "market", "--out", tmp_path / "out")
    assert "of 1 rows none counts, so there is nothing to train on: no joint at all: 1" in refused(
        capsys, *base, "--annotations", empty
    )
    (tmp_path / "images").mkdir()
    assert "no annotated picture can be used" in refused(
        capsys, *base, "--annotations", market / "annotations.csv", "--images", tmp_path / "images"
    )
    assert "no such folder of images" in refused(
        capsys, *base, "--annotations", market / "annotations.csv", "--images", tmp_path / "nowhere"
    )
    nowhere = tmp_path / "nowhere.csv"
    assert refused(capsys, *base, "--annotations", nowhere) == f"error: {nowhere}: No such file or directory"
    assert "takes --annotations CSV" in refused(capsys, *base)
    assert not (tmp_path / "out").exists()
    run(*base, "--annotations", market / "annotations.csv")
    with pytest.raises(ValueError, match=r"checked without pictures.*again with --images"):
        Manifest.read(tmp_path / "out").open("train", (128, 64))
    with pytest.raises(ValueError, match=r"holds no whole manifest"):
        Manifest.read(tmp_path)


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """Pictures called as the Radboud Faces are, of three subjects, one camera, and a table of landmarks."""
    names = [name for name in rafd() if name.startswith("Rafd090")]
    (tmp_path / "faces").mkdir()
    for name in [*names, RAFD.format(90, 1, "angry", "left", "_lr")]:
        Image.new("RGB", (64, 64), "grey").save(tmp_path / "faces" / name)
    Image.new("RGB", (64, 64)).save(tmp_path / "faces" / "holiday.jpg")
    points = torch.rand(len(names), 68, 2, generator=torch.Generator().manual_seed(0)) * 60
    keypoints = Keypoints(points, torch.ones(len(names), 68, dtype=torch.bool))
    write_keypoint_table(Annotations(tuple(names), keypoints), tmp_path / "landmarks.csv")
    return tmp_path


def test_faces_are_shared_out_in_three_ways(faces: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = ("--dataset", "rafd", "--images", faces / "faces", "--keypoints", faces / "landmarks.csv")
    sides: dict[str, dict[str, set[str]]] = {}
    for split in ("paper", "gaze", "identity"):
        run(*base, "--split", split, "--out", faces / split)
        found = said(capsys)
        assert found["pairs"] == str(3 * 3 * 7)
        assert found["mirror image (_lr), which training makes by itself"].startswith("1 ")
        assert found["name that is none of the Radboud Faces'"].startswith("1 (holiday.jpg)")
        manifest = Manifest.read(faces / split)
        assert manifest.skeleton == FACE_68
        sides[split] = {
            side: {part.annotations.names[b] for _, b in part.pairs} for side, part in manifest.parts.items()
        }
    assert all("_frontal" in name for name in sides["gaze"]["test"])
    assert not any("_frontal" in name for name in sides["gaze"]["train"])
    assert len(sides["paper"]["train"]) == 7 * round(0.67 * 9)
    subjects = {side: {name.split("_")[1] for name in names} for side, names in sides["identity"].items()}
    assert not subjects["train"] & subjects["test"]
    run(*base, "--rule", "all", "--out", faces / "all")
    assert said(capsys)["pairs"] == str(3 * 3 * 8 * 7)


def test_photographs_with_a_file_each(market: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Openpose's files beside pictures in a folder of each subject; one has none, one shows two people."""
    import json

    names, keypoints = read_market_csv(market / "annotations.csv")
    for row, name in enumerate(names[:8]):
        folder = tmp_path / "photos" / name[:4]
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(market / "images" / name, folder / name)
        person = torch.cat((keypoints.points[row], keypoints.visible[row, :, None].float()), -1).flatten().tolist()
        stranger = [1.0, 1.0, 0.9] + [0.0] * 51
        people = (
            [{"pose_keypoints_2d": stranger}, {"pose_keypoints_2d": person}]
            if row == 1
            else [{"pose_keypoints_2d": person}]
        )
        (tmp_path / "json").mkdir(exist_ok=True)
        if row:
            (tmp_path / "json" / f"{name.removesuffix('.jpg')}_keypoints.json").write_text(
                json.dumps({"people": people})
            )
    base = ("--dataset", "photographs", "--images", tmp_path / "photos", "--out", tmp_path / "out")
    run(*base, "--keypoints", tmp_path / "json", "--hold-out", 0.5)
    found = said(capsys)
    assert found["no keypoints for the picture"].startswith("1 ")
    assert found["pictures with several people, the one with most joints counts"] == "1"
    assert found["pairs"] == str(3 * 2 + 4 * 3)
    assert len(open_split("persons", tmp_path / "out", "train", (128, 64), "")) in (3 * 2, 4 * 3)
    assert "takes --keypoints PATH, or --detector" in refused(capsys, *base)
    assert "takes its model as a file" in refused(capsys, *base, "--detector", "mediapipe-pose")
    assert "no such model" in refused(capsys, *base, "--detector", "mediapipe-pose", "--model", tmp_path / "no.task")


@pytest.mark.parametrize(
    ("factor", "message"),
    [
        (10, "all joints of all 20 rows lie outside their images, such as 0001_c1s1_000000_00.jpg"),
        (1 / 128, "these look like shares of width and height; multiply them by both"),
    ],
)
def test_keypoints_that_are_not_in_pixels_of_the_pictures_are_refused(
    market: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], factor: float, message: str
) -> None:
    names, (points, visible) = read_market_csv(market / "annotations.csv")
    points = (points + 7 if factor > 1 else points) * factor
    write_keypoint_table(Annotations(names, Keypoints(points, visible)), tmp_path / "table.csv")
    base = ("--dataset", "photographs", "--images", market / "images", "--out", tmp_path / "out")
    assert message in refused(capsys, *base, "--keypoints", tmp_path / "table.csv")
    assert not (tmp_path / "out").exists()


def test_a_picture_whose_joints_all_lie_outside_does_not_count(
    market: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names, (points, visible) = read_market_csv(market / "annotations.csv")
    points[3] += 500
    write_keypoint_table(Annotations(names, Keypoints(points, visible)), tmp_path / "table.csv")
    run(
        *("--dataset", "photographs", "--images", market / "images", "--out", tmp_path / "out"),
        *("--keypoints", tmp_path / "table.csv"),
    )
    assert said(capsys)["all joints outside the image"] == f"1 ({names[3]})"
    parts = Manifest.read(tmp_path / "out").parts.values()
    assert names[3] not in {name for part in parts for name in part.annotations.names}


def test_a_detector_fills_in_for_files(market: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a detector of the user's own, that looks the pictures up: what it finds is what the manifest holds."""
    names, keypoints = read_market_csv(market / "annotations.csv")
    known = {read_signal(market / "images" / name).numpy().tobytes(): row for row, name in enumerate(names)}

    class Lookup:
        skeleton = prepare.OPENPOSE_18

        def __call__(self, image: torch.Tensor) -> Keypoints:
            row = known[image.numpy().tobytes()]
            return Keypoints(keypoints.points[row : row + 1], keypoints.visible[row : row + 1])

    monkeypatch.setattr(prepare, "MediaPipeDetector", lambda kind, model: Lookup())
    run(
        *("--dataset", "photographs", "--images", market / "images", "--detector", "mediapipe-pose"),
        *("--model", "a.task", "--hold-out", 0, "--out", tmp_path),
    )
    again = read_keypoint_table(tmp_path / "train-keypoints.csv")
    assert again.names == names
    assert torch.equal(again.keypoints.visible, keypoints.visible)


def test_pairs_of_pictures_that_do_not_count_are_left_out(
    market: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header, *lines = (market / "annotations.csv").read_text().splitlines()
    names = [line.split(":")[0] for line in lines]
    lines[1] = f"{names[1]}: {[-1] * 18}: {[-1] * 18}"
    annotations, pairs = tmp_path / "annotations.csv", tmp_path / "pairs.csv"
    annotations.write_text("\n".join([header, *lines]) + "\n")
    base = ("--dataset", "market", "--annotations", annotations, "--pairs", pairs, "--out", tmp_path / "out")
    pairs.write_text(f"from,to\n{names[0]},{names[1]}\n{names[0]},{names[2]}\n")
    run(*base)
    found = said(capsys)
    assert found["pairs left out, since a picture of theirs does not count"] == "1"
    assert found["pairs"] == "1"
    pairs.write_text(f"from,to\n{names[0]},{names[1]}\n")
    assert "none of its pairs can be used" in refused(capsys, *base)
    annotations.write_text("picture,x,y\n")
    assert "line 1: expected the header name:keypoints_y:keypoints_x" in refused(capsys, *base)


def test_one_person_is_tested_on_what_trained(market: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = (market / "annotations.csv").read_text().splitlines()
    (tmp_path / "one.csv").write_text("\n".join(lines[:4]) + "\n")
    base = ("--dataset", "market", "--images", market / "images", "--out", tmp_path)
    run(*base, "--annotations", tmp_path / "one.csv")
    assert "all are train pairs: what trains is tested on the same" in capsys.readouterr().out
    assert len(open_split("persons", tmp_path, "test", (128, 64), "")) == 6
    assert f"{tmp_path} has no test pairs: its train pairs stand in for them" in capsys.readouterr().out
    (tmp_path / "alone.csv").write_text("\n".join(lines[:2]) + "\n")
    assert "no person has two pictures that count" in refused(capsys, *base, "--annotations", tmp_path / "alone.csv")


def test_pictures_that_go_or_break_after_they_were_prepared(market: Path, tmp_path: Path) -> None:
    shutil.copytree(market / "images", tmp_path / "images")
    files = ("--annotations", market / "annotations.csv", "--images", tmp_path / "images")
    run("--dataset", "market", *files, "--hold-out", 0, "--out", tmp_path / "out")
    first, *_, last = sorted((tmp_path / "images").iterdir())
    last.write_bytes(b"no picture")
    data = Manifest.read(tmp_path / "out").open("train", (128, 64))
    broken = next(place for place, pair in enumerate(data.pairs.tolist()) if last == data.files[pair[0]])
    with pytest.raises(DataError, match=f"{last.name} cannot be read as a picture"):
        data[broken]
    first.unlink()
    with pytest.raises(DataError, match=f"1 of 20 annotated pictures are not in .*: {first.name}"):
        Manifest.read(tmp_path / "out").open("train", (128, 64))
