"""Damaged checkpoints end in one error of ours, and nothing of the running training is replaced."""

from tests.training.damaging import attempt


def test_damages_are_refused_in_one_line(tmp_path):
    endings = attempt(200, 7, tmp_path)
    assert {ending for ending in endings if ending.split()[1] not in ("refused", "loaded")} == set()
    assert endings["load_checkpoint refused"] > 150
    assert endings["from_pretrained refused"] > 100
