"""Images with keypoints as points: written, read, and found in landmark pictures."""

import pytest
import torch

from cyclekit.data import DataError, Drawing, PosedImages
from cyclekit.data.posed_images import POSES_FILE
from cyclekit.keypoints import COCO_17, FACE_68, landmark_image


def posed(**changes):
    fields = {
        "images": torch.arange(2 * 3 * 4 * 5, dtype=torch.uint8).view(2, 3, 4, 5),
        "points": torch.rand(2, 17, 2) * 4,
        "visible": torch.rand(2, 17) > 0.5,
        "drawing": Drawing(COCO_17, "heatmaps", width=1.5),
        "persons": (0, 4),
    }
    return PosedImages(**{**fields, **changes})


def test_what_is_written_is_read(tmp_path):
    written = posed()
    written.write(tmp_path)
    read = PosedImages.read(tmp_path)
    assert (read.drawing, read.persons) == (written.drawing, written.persons)
    for name in ("images", "points", "visible"):
        assert torch.equal(getattr(read, name), getattr(written, name))


def test_what_does_not_belong_together_is_refused(tmp_path):
    with pytest.raises(DataError, match="one person an image"):
        posed(persons=(0,))
    with pytest.raises(DataError, match="face_68 has 68 joints; got 17"):
        posed(drawing=Drawing(FACE_68, "dark_dots"))
    with pytest.raises(FileNotFoundError):
        PosedImages.read(tmp_path)
    (tmp_path / POSES_FILE).write_bytes(b"nothing")
    with pytest.raises(DataError, match=f"{POSES_FILE} cannot be read"):
        PosedImages.read(tmp_path)


@pytest.mark.parametrize(("polarity", "radius"), [("black_on_white", 0.9), ("white_on_black", 2.0)])
def test_dots_are_found_where_they_were_drawn(polarity, radius):
    """On a grid, moved at random; the second picture is the first one shifted, and a dot of it is missing."""
    random = torch.Generator().manual_seed(0)
    grid = torch.cartesian_prod(torch.arange(3.0), torch.arange(3.0)) * 11 + 8
    points = torch.stack([grid, grid]) + torch.rand(2, 9, 2, generator=random) * 2 + torch.tensor([[[0.0]], [[3.0]]])
    there = torch.ones(2, 9, dtype=torch.bool)
    there[1, 4] = False
    pictures = landmark_image(points, (40, 48), radius, polarity, there)
    images = torch.zeros(2, 3, 40, 48, dtype=torch.uint8)
    found = PosedImages.of_dots(images, pictures, (0, 1))
    assert found.visible.sum(1).tolist() == [9, 8]
    assert found.drawing.width == pytest.approx(radius, abs=0.15)
    order = torch.cdist(points[0], found.points[0]).argmin(1)
    assert order.unique().numel() == 9
    assert torch.allclose(found.points[0, order], points[0], atol=0.1)
    assert torch.equal(found.visible[1, order], there[1])
    assert torch.allclose(found.points[1, order][there[1]], points[1][there[1]], atol=0.1)
    drawn = (found.drawing.draw(found.points, found.visible, (40, 48)) - pictures).abs().mean()
    assert drawn < 0.1 * (pictures - pictures.median()).abs().mean()


def test_areas_are_no_dots():
    """Of a map of segments, hundreds of tiny discs would make the picture as well."""
    segments = (torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(0)) > 0.7).float().expand(1, 3, 64, 64)
    with pytest.raises(DataError, match="or areas that dots do not make"):
        PosedImages.of_dots(torch.zeros(1, 3, 64, 64, dtype=torch.uint8), segments, (0,))


def test_blank_pictures_hold_no_dots():
    images = torch.zeros(1, 3, 16, 16, dtype=torch.uint8)
    with pytest.raises(DataError, match="no dots"):
        PosedImages.of_dots(images, torch.ones(1, 3, 16, 16), (0,))
