import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.morphology import closing

from cyclekit.errors import ArgumentError, ShapeError
from cyclekit.keypoints import limb_radius, pose_mask

HEIGHT, WIDTH, R = 44, 30, 4
# As both releases list them, counted from 1.
LIMBS = [
    *[(2, 3), (2, 6), (3, 4), (4, 5), (6, 7), (7, 8), (2, 9), (9, 10), (10, 11), (2, 12), (12, 13), (13, 14)],
    *[(2, 1), (1, 15), (15, 17), (1, 16), (16, 18), (2, 17), (2, 18), (9, 12), (12, 6), (9, 3), (17, 18)],
]
Joints = list[tuple[int, int] | None]
joint = st.one_of(st.none(), st.tuples(st.integers(0, WIDTH - 1), st.integers(0, HEIGHT - 1)))
PIXELS = [(x, y) for y in range(HEIGHT) for x in range(WIDTH)]


def pg2(joints: Joints) -> set[tuple[int, int]]:
    marked: set[tuple[int, int]] = set()

    def dot(cx: int, cy: int) -> None:
        marked.update((cx + i, cy + j) for i in range(-R, R + 1) for j in range(-R, R + 1) if i * i + j * j <= R * R)

    for a, b in LIMBS:
        p, q = joints[a - 1], joints[b - 1]
        if p is None or q is None:
            continue
        dot(*p)
        dot(*q)
        samples = int(((p[0] - q[0]) ** 2 + (p[1] - q[1]) ** 2) ** 0.5 / R)
        for i in range(1, samples):
            dot(p[0] + (q[0] - p[0]) * i // samples, p[1] + (q[1] - p[1]) * i // samples)
    return marked


def posegan(joints: Joints) -> set[tuple[int, int]]:
    """Rectangles by whole-number arithmetic: |cross| <= R * length and 0 <= dot <= length squared."""
    marked = {(x, y) for c in joints if c is not None for x, y in PIXELS if (x - c[0]) ** 2 + (y - c[1]) ** 2 < R * R}
    for a, b in LIMBS:
        p, q = joints[a - 1], joints[b - 1]
        if p is None or q is None or p == q:
            continue
        dx, dy = q[0] - p[0], q[1] - p[1]
        square = dx * dx + dy * dy
        for x, y in PIXELS:
            cross, dot = (x - p[0]) * dy - (y - p[1]) * dx, (x - p[0]) * dx + (y - p[1]) * dy
            if cross * cross <= R * R * square and 0 <= dot <= square:
                marked.add((x, y))
    return marked


@pytest.mark.parametrize(("protocol", "oracle"), [("pg2", pg2), ("posegan", posegan)])
@settings(max_examples=12, deadline=None)
@given(joints=st.lists(joint, min_size=18, max_size=18))
def test_masks_are_those_of_the_releases(protocol, oracle, joints):
    points = torch.tensor([[c or (0, 0) for c in joints]], dtype=torch.float32)
    visible = torch.tensor([[c is not None for c in joints]])
    thick = torch.zeros(HEIGHT, WIDTH, dtype=torch.uint8)
    for x, y in oracle(joints):
        if 0 <= x < WIDTH and 0 <= y < HEIGHT:
            thick[y, x] = 1
    expected = torch.from_numpy(closing(thick.numpy(), torch.ones(5, 5, dtype=torch.uint8).numpy()))
    found = pose_mask(points, (HEIGHT, WIDTH), protocol, visible=visible)
    assert found.shape == (1, 1, HEIGHT, WIDTH)
    assert torch.equal(found[0, 0].to(torch.uint8), expected)


def test_a_joint_alone_counts_for_posegan_only():
    points = torch.full((1, 18, 2), float("nan"))
    points[0, 4] = torch.tensor([10.0, 10.0])
    assert pose_mask(points, (20, 20), "pg2").sum() == 0
    assert pose_mask(points, (20, 20), "posegan")[0, 0, 10, 10] == 1


@pytest.mark.parametrize("protocol", ["pg2", "posegan"])
def test_masks_compile_whole(protocol):
    points = torch.rand(2, 18, 2) * 20
    compiled = torch.compile(pose_mask, fullgraph=True, backend="eager")
    assert torch.equal(compiled(points, (24, 20), protocol), pose_mask(points, (24, 20), protocol))


def test_a_mask_needs_eighteen_joints():
    with pytest.raises(ShapeError, match="points"):
        pose_mask(torch.zeros(1, 17, 2), (8, 8))
    with pytest.raises(ValueError, match=r"radius .* positive"):
        pose_mask(torch.zeros(1, 18, 2), (8, 8), radius=0)


def test_limbs_are_as_thick_at_every_height():
    assert [limb_radius(height) for height in (8, 64, 128, 256)] == [0.5, 2, 4, 8]
    with pytest.raises(ArgumentError):
        limb_radius(0)
