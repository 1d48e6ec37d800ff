"""Damaged checkpoints end in one error of ours, and nothing of the running training is replaced."""

import pytest

from tests.training.damaging import attempt


@pytest.mark.parametrize("count", [60, pytest.param(1000, marks=pytest.mark.slow)])
def test_damages_are_refused_in_one_line(tmp_path, count):
    endings = attempt(count, 7, tmp_path)
    assert {ending for ending in endings if ending.split()[1] not in ("refused", "loaded")} == set()
    assert endings["load_checkpoint refused"] > 0.75 * count
    assert endings["from_pretrained refused"] > 0.5 * count
