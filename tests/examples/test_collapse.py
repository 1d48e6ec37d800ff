"""Whether G_K reads: blank maps and maps that are the same for every image are found out, and said."""

import copy

import pytest
import torch
from torch import nn

from cyclekit import Landmarks
from cyclekit.papers import c2gan
from data import EmbeddedPairs, FacePairs, PersonPairs
from measuring.collapse import Look, look_at_reader, reads, verdict
from measuring.reading import polarity_of
from recipe import with_bright_keypoints


class Says(nn.Module):
    """Reads the pictures it has been shown, through ``change`` of all their keypoints."""

    def __init__(self, pairs: EmbeddedPairs, change) -> None:
        super().__init__()
        shown = [pairs[index] for index in range(len(pairs))]
        self.images, keypoints = (torch.stack([pair[name] for pair in shown]) for name in ("y", "Ly"))
        self.keypoints = change(keypoints)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        same = [int((self.images - image).abs().mean((1, 2, 3)).argmin()) for image in images]
        return self.keypoints[same]


@pytest.fixture(scope="module", params=[FacePairs, PersonPairs], ids=["faces", "persons"])
def pairs(request: pytest.FixtureRequest) -> EmbeddedPairs:
    return request.param("test", (64, 64), identities=2)


def blank(keypoints: torch.Tensor) -> torch.Tensor:
    return torch.full_like(keypoints, keypoints.median().sign())


def test_a_reader_that_reads_blank_maps_and_the_same_for_everybody(pairs: EmbeddedPairs) -> None:
    heatmaps = isinstance(pairs, PersonPairs)
    right = look_at_reader(Says(pairs, lambda keypoints: keypoints), pairs, heatmaps)
    assert right.ink == pytest.approx(1)
    assert reads(right, heatmaps)
    figures = "in real images 0." if heatmaps else "F1 of the dots in real images 1.00, 0."
    assert verdict(right, heatmaps).startswith(f"G_K reads: {figures}")
    nothing = look_at_reader(Says(pairs, blank), pairs, heatmaps)
    assert nothing.ink == 0
    assert "what it draws is blank, 0%" in verdict(nothing, heatmaps)
    average = look_at_reader(Says(pairs, lambda keypoints: keypoints[:1].expand_as(keypoints)), pairs, heatmaps)
    assert not reads(average, heatmaps)
    assert "it says nearly the same of every image" in verdict(average, heatmaps, "estimator")
    another = look_at_reader(Says(pairs, lambda keypoints: keypoints.roll(len(pairs) // 2, 0)), pairs, heatmaps)
    assert not reads(another, heatmaps)


def test_what_is_said_holds_at_its_limits() -> None:
    assert reads(Look(ink=0.1, own=8.9, another=10), heatmaps=True)
    assert not reads(Look(ink=0.1, own=9, another=10), heatmaps=True)
    assert not reads(Look(ink=0.09, own=1, another=10), heatmaps=True)
    assert reads(Look(ink=1, own=0.56, another=0.5), heatmaps=False)
    assert not reads(Look(ink=1, own=0.55, another=0.5), heatmaps=False)
    assert not reads(Look(ink=1, own=0.04, another=0), heatmaps=False)


def test_bright_skeletons_are_read_as_dark_dots_are() -> None:
    """GestureGAN's panels are white on black: the same scores with every value turned round."""
    faces = FacePairs("test", (64, 64), identities=2)
    turned = copy.copy(faces)
    turned.__class__ = type("Turned", (FacePairs,), {"__getitem__": lambda self, index: bright(faces[index])})
    dark, light = (
        look_at_reader(Says(pairs, lambda keypoints: keypoints[:1].expand_as(keypoints)), pairs, heatmaps=False)
        for pairs in (faces, turned)
    )
    assert light == pytest.approx(dark)
    assert (polarity_of(faces[0]["Ly"]), polarity_of(turned[0]["Ly"])) == ("black_on_white", "white_on_black")
    criteria = with_bright_keypoints(c2gan(Landmarks(3), "supervised")).graph.criteria
    assert set(criteria.values()) == {"bright_foreground"}
    assert with_bright_keypoints(c2gan(Landmarks(3))).graph == c2gan(Landmarks(3)).graph


def bright(pair: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: -value if name in ("Lx", "Ly") else value for name, value in pair.items()}
