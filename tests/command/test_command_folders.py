"""Which pictures of a folder a paper is trained and tested on."""

import shutil

from cyclekit.command.folders import Reading, find_material


def test_celebas_own_partition_is_found(data, tmp_path):
    shutil.copytree(data / "celeba", tmp_path / "celeba")
    names = sorted(path.name for path in (tmp_path / "celeba" / "images").iterdir())
    rows = [f"{name} {2 if place < 2 else 0}" for place, name in enumerate(names)]
    (tmp_path / "celeba" / "list_eval_partition.txt").write_text("\n".join(rows) + "\n")
    material = find_material("stargan", tmp_path / "celeba", Reading())
    sides = {split: [path.name for path in material.open(split, (16, 16)).files] for split in ("train", "test")}
    assert sides == {"train": names[2:], "test": names[:2]}
