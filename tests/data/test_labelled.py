"""Labelled pictures: classes by folder, attributes by table, and a label to turn each picture into."""

from itertools import islice

import numpy as np
import pytest
import torch

from cyclekit import Image, Label, Vector, papers
from cyclekit.data import DataError, LabelledFolder, SignalLoader, check_signals, read_attributes

ROWS = {"000001.jpg": (1, -1, -1), "000002.jpg": (-1, 1, 1), "000003.jpg": (-1, -1, 1), "000004.jpg": (1, 1, -1)}


@pytest.fixture
def table(draw, tmp_path):
    lines = [str(len(ROWS)), "Black_Hair Blond_Hair Smiling "]
    for name, values in ROWS.items():
        draw(f"celeba/{name}")
        lines.append(f"{name} {' '.join(f'{value:2}' for value in values)}")
    (tmp_path / "list_attr.txt").write_text("\n".join(lines) + "\n")
    return tmp_path / "list_attr.txt"


def test_folders_are_classes(draw, tmp_path):
    for name in ("dogs/1.png", "cats/1.png", "cats/2.png", "emus/1.png"):
        draw(name)
    data = LabelledFolder(tmp_path)
    assert data.classes == ("cats", "dogs", "emus")
    assert data.labels.tolist() == [0, 0, 1, 2]
    assert data.signals == {"x": Image(3), "c0": Label(3), "c": Label(3)}
    sample = data[2, 3]
    assert (sample["c0"].item(), sample["c"].item()) == (1, 2)
    assert torch.equal(data[2]["x"], sample["x"])
    assert str(data) == "4 pictures: 2 cats, 1 dogs, 1 emus"
    check_signals(papers.stargan(3).graph, data)


def test_targets_are_the_batchs_labels_in_another_order(draw, tmp_path):
    for number in range(12):
        draw(f"{'abc'[number % 3]}/{number}.png")
    loader = SignalLoader(LabelledFolder(tmp_path), 12)
    batches = list(islice(loader.batches(), 4))
    for batch in batches:  # a batch of the whole set: the wanted labels are its own, permuted
        assert sorted(batch["c"].tolist()) == sorted(batch["c0"].tolist())
    assert any(not torch.equal(batch["c"], batch["c0"]) for batch in batches)


def test_attributes_are_vectors(table, tmp_path):
    data = LabelledFolder(tmp_path / "celeba", table=table, attributes=["Smiling", "Black_Hair"])
    assert data.signals["c"] == Vector(2)
    assert data.labels.tolist() == [[0, 1], [1, 0], [1, 0], [0, 1]]
    batch = next(SignalLoader(data, 4).batches())
    assert batch["c"].dtype == torch.float32
    assert batch["c0"].shape == (4, 2)
    assert str(data) == "4 pictures: 2 Smiling, 2 Black_Hair"
    assert LabelledFolder(tmp_path / "celeba", table=table).classes == ("Black_Hair", "Blond_Hair", "Smiling")


def test_exclusive_attributes_are_classes(table, tmp_path):
    chosen = ["Black_Hair", "Blond_Hair"]
    data = LabelledFolder(tmp_path / "celeba", table=table, attributes=chosen, exclusive=True)
    assert data.signals["c"] == Label(2)
    assert [path.name for path in data.files] == ["000001.jpg", "000002.jpg"]
    assert data.labels.tolist() == [0, 1]
    assert str(data).endswith("; left out: 2 pictures (000003.jpg, 000004.jpg)")
    with pytest.raises(DataError, match="two or more; got Smiling"):
        LabelledFolder(tmp_path / "celeba", table=table, attributes=["Smiling"], exclusive=True)


def test_one_table_serves_several_folders(table, draw, tmp_path):
    draw("test/000003.jpg")
    draw("test/other.jpg")
    data = LabelledFolder(tmp_path / "test", table=table, names=("image", "own", "wanted"))
    assert data.labels.tolist() == [[0, 0, 1]]
    assert [path.name for path in data.left_out] == ["other.jpg"]
    assert set(data[0]) == {"image", "own", "wanted"}


def test_celebas_partition_shares_the_pictures_out(table, draw, tmp_path):
    file = tmp_path / "list_eval_partition.txt"
    file.write_text("000001.jpg 0\n000002.jpg 0\n000003.jpg 1\n000004.jpg 2\n")
    (tmp_path / "celeba" / "notes.txt").write_text("")

    def names(split):
        data = LabelledFolder(tmp_path / "celeba", table=table, partition=file, split=split)
        return [path.name for path in data.files], str(data)

    train, said = names("train")
    assert train == ["000001.jpg", "000002.jpg"]
    assert said.endswith("; left out: 2 pictures that are not of train, 1 .txt")
    assert (names("val")[0], names("test")[0]) == (["000003.jpg"], ["000004.jpg"])
    for text, error in {
        "000001.jpg 3\n": r"line 1: expected a picture's name and 0, 1 or 2; got '000001\.jpg 3'",
        "a 0\nb\n": "line 2: expected a picture's name",
        "a 0\na 1\n": "line 2: a is listed already",
        "a 2\n": "lists 1 pictures, and none of train, which is 0",
        "a 0\n": "holds no picture that .* has in train",
    }.items():
        file.write_text(text)
        with pytest.raises(DataError, match=error):
            names("train")
    with pytest.raises(DataError, match="are said together"):
        LabelledFolder(tmp_path / "celeba", table=table, split="train")


def test_files_beside_the_classes_are_counted(draw, tmp_path):
    for name in ("dogs/1.png", "cats/1.png"):
        draw(name)
    (tmp_path / "cats" / "notes.txt").write_text("")
    assert str(LabelledFolder(tmp_path)) == "2 pictures: 1 cats, 1 dogs; left out: 1 .txt in cats"


def test_what_does_not_fit_is_named(table, draw, tmp_path):
    with pytest.raises(DataError, match="has no attribute 'Blonde_Hair'; did you mean 'Blond_Hair'"):
        LabelledFolder(tmp_path / "celeba", table=table, attributes=["Blonde_Hair"])
    draw("strange/a.png")
    with pytest.raises(DataError, match=r"no picture of .*strange stands in .*lists 000001\.jpg.*holds a\.png"):
        LabelledFolder(tmp_path / "strange", table=table)
    with pytest.raises(DataError, match="holds no folders, and labels need two or more, one a class"):
        LabelledFolder(tmp_path / "strange")
    draw("single/a/a.png")
    with pytest.raises(DataError, match="holds 1 folder, and labels need two or more"):
        LabelledFolder(tmp_path / "single")
    (tmp_path / "single" / "empty").mkdir()
    with pytest.raises(DataError, match="empty holds no pictures"):
        LabelledFolder(tmp_path / "single")
    with pytest.raises(DataError, match="no such folder"):
        LabelledFolder(tmp_path / "nowhere")
    with pytest.raises(DataError, match="choose from a table"):
        LabelledFolder(tmp_path / "single", attributes=["Smiling"])
    with pytest.raises(DataError, match="names are three signals"):
        LabelledFolder(tmp_path / "celeba", table=table, names=("x", "c", "c"))


BROKEN = {
    "": "line 1: expected the number of pictures",
    "2\n": "line 1: expected the number of pictures",
    "Smiling\na.jpg 1\n": "line 1: expected the number of pictures",
    "1\n\na.jpg\n": "line 2: expected the attributes' names",
    "1\nYoung Young\na.jpg 1 1\n": "line 2: expected the attributes' names, each once",
    "1\nYoung Smiling\na.jpg 1\n": "line 3: 1 values for 2 attributes",
    "1\nYoung\na.jpg 0\n": "line 3: expected 1 or -1; got '0'",
    "1\nYoung\na.jpg yes\n": "line 3: expected 1 or -1; got 'yes'",
    "2\nYoung\na.jpg 1\na.jpg 1\n": r"line 4: a\.jpg stands in line 3 already",
    "3\nYoung\na.jpg 1\nb.jpg 1\n": "says it has 3 pictures, and lists 2",
}


@pytest.mark.parametrize("text", BROKEN)
def test_broken_tables_are_named_with_their_line(text, tmp_path):
    file = tmp_path / "table.txt"
    file.write_text(text)
    with pytest.raises(DataError, match=rf"table\.txt.*{BROKEN[text]}"):
        read_attributes(file)


def test_files_that_are_no_tables(tmp_path):
    (tmp_path / "bytes.txt").write_bytes(b"1\nYoung\n\xff\xfe 1\n")
    with pytest.raises(DataError, match=r"bytes\.txt is no text"):
        read_attributes(tmp_path / "bytes.txt")
    with pytest.raises(DataError, match="is no file"):
        read_attributes(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_attributes(tmp_path / "nowhere.txt")
    (tmp_path / "table.txt").write_text("1\nYoung\na.jpg 1\n")
    for chosen in ([], ["Young", "Young"]):
        with pytest.raises(DataError, match="expected one or more, each once"):
            read_attributes(tmp_path / "table.txt", chosen)


def test_damaged_tables_end_in_one_error(table):
    """Two hundred seeded damages, each refused by line or read."""
    random = np.random.default_rng(0)
    whole = table.read_bytes()
    refused = []
    for number in range(200):
        damaged = bytearray(whole[: random.integers(0, len(whole) + 1)] if number % 3 == 0 else whole)
        for _ in range(random.integers(1, 5)):
            place = random.integers(0, max(1, len(damaged)))
            damaged[place : place + random.integers(0, 4)] = bytes(random.integers(0, 256, random.integers(0, 4)))
        table.write_bytes(damaged)
        try:
            read = read_attributes(table)
            assert read.values.shape == (len(read.names), len(read.attributes))
        except DataError as error:
            refused.append(str(error))
    assert len(refused) > 100
    assert all("list_attr.txt" in message for message in refused)
