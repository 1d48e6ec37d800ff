"""Folders and panels: which pictures make a sample."""

import re
from pathlib import Path

import pytest
import torch
from PIL import Image

from cyclekit import Landmarks, papers
from cyclekit.data import DataError, PairedFolders, Panels, SignalLoader, UnpairedFolders, check_signals

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "composites"


def test_unpaired_folders_of_any_number(draw, tmp_path):
    for name, count in (("A", 4), ("B", 2), ("C", 3)):
        for number in range(count):
            draw(f"{name}/{number}.png")
    data = UnpairedFolders(A=tmp_path / "A", B=tmp_path / "B", C=tmp_path / "C")
    assert data.lengths == (4, 2, 3)
    assert len(data) == 4
    assert data.groups == (("A",), ("B",), ("C",))
    alone = {name: UnpairedFolders(A=tmp_path / name) for name in "ABC"}
    sample = data[3, 1, 0]
    for name, number in zip("ABC", (3, 1, 0), strict=True):
        assert torch.equal(sample[name], alone[name][number]["A"])
    assert torch.equal(data[3]["B"], alone["B"][1]["A"])
    assert len(list(data)) == 4
    assert "B: 2 pictures in " in str(data)


def test_pairs_are_found_by_stem(draw, tmp_path):
    for name in ("photo/2.png", "photo/1.jpg", "photo/9.png", "map/1.png", "map/2.png", "map/5.png"):
        draw(name)
    data = PairedFolders(x=tmp_path / "photo", y=tmp_path / "map")
    assert len(data) == 2
    assert [path.name for path in data.files["x"]] == ["1.jpg", "2.png"]
    assert [path.name for path in data.files["y"]] == ["1.png", "2.png"]
    assert sorted(path.name for path in data.left_out) == ["5.png", "9.png"]
    assert "left out 2 without a partner: " in str(data)
    assert data[0]["x"].shape == (3, 16, 16)
    assert len(list(data)) == 2


def test_folders_that_do_not_belong_together_are_refused(draw, tmp_path):
    draw("x/a.png")
    draw("y/b.png")
    with pytest.raises(DataError, match=r"no stem is in all folders.*has a; .*has b"):
        PairedFolders(x=tmp_path / "x", y=tmp_path / "y")
    draw("x/a.jpg")
    with pytest.raises(DataError, match=r"has a\.jpg and a\.png: a stem belongs to one picture"):
        PairedFolders(x=tmp_path / "x", y=tmp_path / "y")
    with pytest.raises(DataError, match="no signal is named"):
        UnpairedFolders()
    with pytest.raises(DataError, match="no signal is named"):
        PairedFolders()


@pytest.mark.parametrize("order", ["x y", "y x", "x y Ly Lx", "x y Lx Ly", "a b c"])
def test_panels_come_in_the_order_that_is_said(order, tmp_path):
    names = order.split()
    picture = Image.new("RGB", (8 * len(names), 8))
    for place in range(len(names)):
        picture.paste((50 * place + 5,) * 3, (8 * place, 0, 8 * place + 8, 8))
    picture.save(tmp_path / "a.png")
    sample = Panels(tmp_path, order, size=(4, 4))[0]
    assert [sample[name].unique().tolist() for name in names] == [[50 * place + 5] for place in range(len(names))]


def test_panels_that_are_not_as_many_are_named(draw, tmp_path):
    draw("a.png", 64, 16)
    draw("odd.png", 30, 16)
    with pytest.raises(DataError, match=r"odd\.png has 30x16 pixels.*not 4 panels side by side \(x y Ly Lx\)"):
        Panels(tmp_path, "x y Ly Lx", size=(16, 16))
    (tmp_path / "odd.png").unlink()
    with pytest.raises(DataError, match=r"panel 'x', one of 2 side by side in .*a\.png, has 32x16.*would squash"):
        Panels(tmp_path, "x y", size=(16, 16))
    with pytest.raises(DataError, match="each once"):
        Panels(tmp_path, "x x")
    with pytest.raises(DataError, match="two signals or more"):
        Panels(tmp_path, "x")
    draw("narrow/a.png", 2, 4)
    with pytest.raises(DataError, match=r"not 4 panels"):
        Panels(tmp_path / "narrow", "x y Ly Lx")


@pytest.mark.parametrize("fit", ["crop", "squash"])
@pytest.mark.parametrize(
    ("width", "height", "order", "said"),
    [
        (64, 64, "x y Ly Lx", "(x y Ly Lx) would have 16x64 each, more than 3 times as high as wide; .* 256x64 where"),
        (256, 32, "x y", "(x y) would have 128x32 each, more than 3 times as wide as high; .* 64x32 where"),
    ],
)
def test_pictures_without_panels_are_refused(draw, tmp_path, width, height, order, said, fit):
    draw("a.png", width, height)
    count = len(order.split())
    begin = f"a.png has {width}x{height} pixels, width by height: {count} panels side by side "
    wanted = re.escape(begin) + said.replace("(", r"\(").replace(")", r"\)")
    for size in ((32, 32), (64, 32), None):
        with pytest.raises(DataError, match=wanted):
            Panels(tmp_path, order, size=size, fit=fit)


@pytest.mark.parametrize(
    ("width", "height", "order", "size"),
    [
        (1024, 256, "x y Ly Lx", (64, 64)),
        (512, 256, "x y", (64, 64)),
        (256, 128, "x y Ly Lx", (128, 64)),  # persons
        (128, 128, "x y", (128, 64)),
        (96, 32, "x y", (128, 64)),
        (256, 32, "x y", (16, 64)),  # long as the size is
        (32, 64, "x y", (64, 16)),
    ],
)
def test_panels_of_usual_proportions_are_taken(draw, tmp_path, width, height, order, size):
    draw("a.png", width, height)
    assert Panels(tmp_path, order, size=size, fit="crop")[0]["x"].shape == (3, *size)


def test_how_large_panels_are_is_said(draw, tmp_path):
    draw("a.png", 64, 16)
    said = f"{tmp_path}: 1 pictures of the panels x y, 32x16 pixels each, width by height"
    assert str(Panels(tmp_path, "x y", size=(8, 16))) == said
    assert str(Panels(tmp_path, "x y", size=(16, 8), fit="crop")) == f"{said}, cut to 8x16"
    assert str(Panels(tmp_path, "x y", size=(16, 8), fit="squash")) == f"{said}, squashed to 8x16"
    draw("b.png", 128, 64)
    said = f"{tmp_path}: 2 pictures of the panels x y, 32x16 to 64x64 pixels each, width by height, cut to 8x8"
    assert str(Panels(tmp_path, "x y", size=(8, 8), fit="crop")) == said
    unseen = Panels(tmp_path, "x y", size=(8, 8), fit="crop", check=False)
    assert str(unseen) == f"{tmp_path}: 2 pictures of the panels x y"


def test_what_is_left_out_is_said(draw, tmp_path):
    draw("a.png", 32)
    (tmp_path / "notes.txt").write_text("")
    panels = Panels(tmp_path, "x y")
    left_out = "left out 1 that are no pictures: notes.txt"
    said = f"{tmp_path}: 1 pictures of the panels x y, 16x16 pixels each, width by height; {left_out}"
    assert str(panels) == said
    with pytest.raises(IndexError):
        panels[1]


@pytest.mark.skipif(not REAL.is_dir(), reason="the optional real samples are not here")
@pytest.mark.parametrize("name", ["senz3d", "dayton"])
def test_real_panels_train_gesturegan(name):
    graph = papers.gesturegan().graph
    for split in ("train", "test"):
        panels = Panels(REAL / name / split, "x y Lx Ly", size=(64, 64), domains=graph.signals)
        check_signals(graph, panels)
        batch = next(SignalLoader(panels, 2).batches())
        assert all(value.shape == (2, 3, 64, 64) and value.abs().max() <= 1 for value in batch.values())
        if name == "senz3d":  # white sticks on black: none is thinned out
            assert all((value[:, 0] == 1).any() for value in (batch["Lx"], batch["Ly"]))


def test_a_graph_and_data_that_do_not_fit_are_told_apart(draw, tmp_path):
    draw("a.png", 64, 16)
    graph = papers.c2gan(Landmarks(3)).graph
    check_signals(graph, Panels(tmp_path, "x y Ly Lx", domains=graph.signals))
    with pytest.raises(DataError, match=re.escape("reads 'Lx' as Landmarks(3), and the data carry it as Image(3)")):
        check_signals(graph, Panels(tmp_path, "x y Ly Lx"))
    with pytest.raises(DataError, match=r"reads 'Ly' \(Landmarks\(3\)\), which the data do not carry.*'LY'"):
        check_signals(graph, Panels(tmp_path, "x y LY Lx", domains=graph.signals))


def test_noise_and_what_optional_terms_read_need_not_be_carried(draw, tmp_path):
    draw("A/a.png")
    draw("B/a.png")
    check_signals(papers.munit().graph, UnpairedFolders(A=tmp_path / "A", B=tmp_path / "B"))
    graph = papers.cyclegan().graph
    data = UnpairedFolders(A=tmp_path / "A", B=tmp_path / "B")
    check_signals(graph, data)
    paired = graph.replace(losses=f"{graph.losses}; extra: B* ~ P", signals={**graph.signals, "P": graph.signals["A"]})
    with pytest.raises(DataError, match="reads 'P'"):
        check_signals(paired, data)
    check_signals(paired.replace(optional=["extra"]), data)


def test_what_is_left_out_of_a_folder_is_said(draw, tmp_path):
    draw("A/1.png")
    for name in ("2.gif", "3.GIF", ".hidden"):
        (tmp_path / "A" / name).write_bytes(b"")
    (tmp_path / "A" / "more").mkdir()
    assert str(UnpairedFolders(A=tmp_path / "A")).endswith("; left out: 2 .gif, 1 folder")
    draw("B/1.png")
    (tmp_path / "B" / "notes.txt").write_text("")
    paired = PairedFolders(A=tmp_path / "A", B=tmp_path / "B")
    assert str(paired).endswith("; left out: 2 .gif, 1 folder in A, 1 .txt in B")
