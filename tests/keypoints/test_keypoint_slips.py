"""Slips in what keypoints are read and decoded from."""

import json

import pytest
import torch
from torch import nn

from cyclekit.errors import AnnotationError, ArgumentError
from cyclekit.keypoints import decode_heatmaps, read_coco_keypoints, read_openpose_json
from cyclekit.metrics import extract_features


@pytest.mark.parametrize("method", ["argmax", "soft_argmax", "subpixel"])
@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_points_of_maps_that_are_not_finite_are_finite_and_not_there(method, value):
    maps = torch.rand(1, 2, 8, 8)
    maps[0, 1] = value
    points, visible = decode_heatmaps(maps, method=method)
    assert points.isfinite().all()
    assert visible[0, 0]
    assert not (visible[0, 1] and method == "soft_argmax")


def openpose(tmp_path, text):
    file = tmp_path / "person_keypoints.json"
    file.write_text(text)
    return file


def test_a_key_that_is_there_twice(tmp_path):
    person = f'{{"pose_keypoints_2d": {[0.0] * 54}, "pose_keypoints_2d": {[1.0] * 54}}}'
    with pytest.raises(AnnotationError, match="the key 'pose_keypoints_2d' twice in one object"):
        read_openpose_json(openpose(tmp_path, f'{{"people": [{person}]}}'))


def test_a_v_that_coco_does_not_have(tmp_path):
    content = {
        "images": [{"id": 7, "file_name": "7.jpg"}],
        "annotations": [{"image_id": 7, "keypoints": [1, 2, 7] * 17}],
    }
    with pytest.raises(AnnotationError, match="expected a confidence of at most 2; got 7"):
        read_coco_keypoints(openpose(tmp_path, json.dumps(content)))


def test_a_network_in_training_mode_extracts_nothing():
    network = nn.Sequential(nn.Flatten(), nn.Dropout())
    with pytest.raises(ArgumentError, match="expected a module in evaluation mode"):
        extract_features(network, [torch.rand(2, 3, 4, 4)])
    assert extract_features(network.eval(), [torch.rand(2, 3, 4, 4)]).shape == (2, 48)
