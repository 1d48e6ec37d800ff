"""Wrong calls at the doors of losses, keypoints, metrics and the pool: each ends in a clear error of the library."""

import functools
import random
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

import cyclekit
from cyclekit import keypoints, losses, metrics
from cyclekit.errors import CycleKitError
from cyclekit.keypoints import COCO_17, OPENPOSE_18, Annotations, Keypoints, PosedImage, Skeleton
from cyclekit.pool import HistoryPool

ROOT = str(Path(cyclekit.__file__).parent)
NAN, INF = float("nan"), float("inf")


class Door(NamedTuple):
    """A function, a call that it takes, and values beyond the usual ones that it must refuse."""

    function: Callable[..., object]
    call: dict[str, object]
    bad: Mapping[str, tuple[object, ...]] = MappingProxyType({})
    optional: tuple[str, ...] = ()


def doors() -> dict[str, Door]:
    generator = torch.Generator().manual_seed(0)

    def rand(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator)

    image, other = rand(2, 3, 24, 20), rand(2, 3, 24, 20)
    large = rand(1, 1, 176, 176)
    points, visible = rand(2, 18, 2) * 19, torch.ones(2, 18, dtype=torch.bool)
    found = Keypoints(points, visible)
    posed = PosedImage(image, found, image[:, :1].round(), rand(2, 18, 24, 20))
    size = (24, 20)
    drawn = {"points": points, "size": size, "visible": visible}
    lengths = (0, -1, NAN, INF)
    sizes = ((0, 20), (-1, 20), (24,), (24.5, 20), "24x20", 24)
    draw = {"size": sizes, "radius": (*lengths, 1e6), "width": lengths, "sigma": lengths}
    pairs = {"prediction": image, "target": other}
    scored = {"image": image, "target": other}
    ranges = {"data_range": lengths, "image": (2 * image - 1, 255 * image), "target": (2 * image - 1, 255 * image)}
    logits, classes = rand(2, 1, 5, 5), rand(2, 4)
    wrong_fields = (
        posed._replace(image=image[:1]),
        posed._replace(keypoints=Keypoints(points[:1], visible[:1])),
        posed._replace(keypoints=Keypoints(points, visible[:, :3])),
        posed._replace(keypoints=Keypoints(points, points)),
        posed._replace(masks=image[:, :1, :5]),
        posed._replace(heatmaps=image),
    )
    wrong_points = (
        Keypoints(points[:, :5], visible[:, :5]),
        Keypoints(points, visible[:1]),
        Keypoints(visible, points),
    )
    annotations = Annotations(("a", "b"), found)
    wrong_annotations = (
        Annotations(("a",), found),
        Annotations(("a", "b", "c"), found),
        *(Annotations(("a", "b"), wrong) for wrong in wrong_points),
    )
    matrices = torch.eye(3).repeat(2, 1, 1)
    adversarial = {name: losses.create_adversarial_loss(name) for name in losses.list_adversarial_losses()}
    penalised = {"discriminator": lambda x: x.flatten(1)[:, :1], "real": image}
    features = rand(12, 4)

    def batch_by_batch(batch: Tensor, mask: Tensor, network: Callable[[Tensor], Tensor]) -> Tensor:
        return metrics.extract_features(network, [batch], [mask])

    found_doors = {
        "landmark_image": Door(keypoints.landmark_image, drawn | {"radius": 2, "polarity": "black_on_white"}, draw),
        "render_discs": Door(keypoints.render_discs, drawn | {"radius": 2}, draw),
        "render_limbs": Door(keypoints.render_limbs, drawn | {"skeleton": OPENPOSE_18, "width": 2}, draw),
        "stick_figure": Door(
            keypoints.stick_figure, drawn | {"skeleton": OPENPOSE_18, "background": "black"}, {"skeleton": (COCO_17,)}
        ),
        "render_heatmaps": Door(keypoints.render_heatmaps, drawn | {"sigma": 2}, draw),
        "pose_mask": Door(
            keypoints.pose_mask, drawn | {"protocol": "pg2", "radius": 2}, draw | {"radius": (*lengths, 1e-6, 1e6)}
        ),
        "decode_heatmaps": Door(
            keypoints.decode_heatmaps,
            {"heatmaps": rand(2, 3, 8, 8), "method": "argmax", "threshold": 0.1},
            {"threshold": (NAN,), "heatmaps": (rand(2, 3, 0, 8), rand(2, 3, 8, 0))},
        ),
        "mirror": Door(keypoints.mirror, {"posed": posed, "skeleton": OPENPOSE_18}, {"posed": wrong_fields}),
        "warp": Door(
            keypoints.warp,
            {"posed": posed, "matrices": matrices, "skeleton": OPENPOSE_18, "padding": "zeros"},
            {"posed": wrong_fields, "matrices": (matrices * 0, matrices * 2, matrices + NAN), "skeleton": (COCO_17,)},
        ),
        "random_transforms": Door(
            keypoints.random_transforms,
            {"batch": 2, "size": size, "flip": 0.5, "degrees": 5, "translate": 0.1, "scale": (0.9, 1.1)},
            {
                "batch": (-1, 2.5),
                "size": sizes,
                "flip": (-0.1, 1.1, NAN),
                "degrees": (-1, NAN, INF),
                "translate": (-1, NAN, INF),
                "scale": ((1.1, 0.9), (0, 1), (1, INF), (NAN, 1), (1,)),
            },
        ),
        "convert_keypoints": Door(
            keypoints.convert_keypoints,
            {"keypoints": found, "source": OPENPOSE_18, "target": COCO_17},
            {"keypoints": wrong_points, "source": (COCO_17,), "target": (keypoints.FACE_68,)},
        ),
        "market_rows": Door(keypoints.market_rows, {"annotations": annotations}, {"annotations": wrong_annotations}),
        "market_pairs": Door(keypoints.market_pairs, {"annotations": annotations}, {"annotations": wrong_annotations}),
        "Skeleton": Door(
            functools.partial(Skeleton, "s"),
            {"joints": ("a", "b"), "limbs": ((0, 1),), "pairs": ((0, 1),), "colours": ((0, 1, 0.5),)},
            {
                "joints": ((), ("a", "a"), ["a", "b"], (1, 2)),
                "limbs": (((0, 2),), ((0, 0),), ((0, 1, 1),), ((0.0, 1.0),)),
                "pairs": (((0, 2),), ((0, 1), (1, 0))),
                "colours": (((0, 1, 2),), ((0, NAN, 1),), ((0, 1),), ((0, 1, 0), (0, 1, 0))),
            },
        ),
        "psnr": Door(metrics.psnr, scored | {"data_range": 1.0}, ranges),
        "ssim": Door(metrics.ssim, scored | {"protocol": "skimage", "data_range": 1.0}, ranges, ("data_range",)),
        "mask_ssim": Door(
            metrics.mask_ssim,
            scored | {"mask": image[:, :1].round()},
            ranges | {"mask": (2 * image[:, :1] - 1, 255 * image[:, :1], image)},
        ),
        "ms_ssim": Door(metrics.ms_ssim, {"image": large, "target": large, "data_range": 1.0}, {"data_range": lengths}),
        "dot_f1": Door(
            metrics.dot_f1, scored | {"tolerance": 1, "polarity": "black_on_white"}, {"tolerance": (-1, 1.5)}
        ),
        "landmark_distance": Door(
            metrics.landmark_distance,
            {"points": points, "target": points, "visible": visible, "scale": rand(2)},
            optional=("visible", "scale"),
        ),
        "pckh": Door(
            metrics.pckh,
            {"points": points, "target": points, "head_size": rand(2), "visible": visible, "threshold": 0.5},
            {"threshold": lengths},
            ("visible",),
        ),
        "inception_score": Door(metrics.inception_score, {"logits": features, "splits": 2}, {"splits": (0, -1, 13)}),
        "frechet_distance": Door(
            metrics.frechet_distance, {"features": features, "target": features}, {"target": (features[:1],)}
        ),
        "kernel_distance": Door(
            metrics.kernel_distance,
            {"features": features, "target": features, "subsets": 2, "subset_size": 4},
            {"subsets": (0, -1), "subset_size": (0, 1, 13)},
        ),
        "extract_features": Door(
            batch_by_batch,
            {"batch": image, "mask": image[:, :1].round(), "network": torch.nn.Flatten()},
            {
                "batch": (image[0], image.long()),
                "mask": (image[:, :1] - 2, image[:1, :1]),
                "network": (lambda x: x.flatten(), lambda x: [x], lambda x: x.sum()),
            },
            ("mask",),
        ),
        "masked": Door(losses.masked_l1, pairs | {"mask": image[:, :1]}, {"mask": (image,)}),
        "cross_entropy": Door(losses.cross_entropy, {"prediction": classes, "target": classes}),
        "binary_cross_entropy": Door(losses.binary_cross_entropy, {"prediction": classes, "target": classes}),
        "charbonnier": Door(losses.charbonnier, pairs | {"epsilon": 0.1}, {"epsilon": lengths}),
        "ssim_loss": Door(losses.ssim_loss, pairs | {"window": 5}, {"window": (4, 0, -1, -3, 999)}),
        "total_variation": Door(losses.total_variation, {"image": image}, {"image": (image[..., :1],)}),
        "nearest_neighbour": Door(
            losses.nearest_neighbour, pairs | {"size": 3}, {"size": (2, 0, -1, 33, 999, 10**9 + 1)}
        ),
        "keypoint_distance": Door(
            losses.keypoint_distance,
            pairs | {"sharpness": 50.0, "threshold": 0.1},
            {"sharpness": lengths, "threshold": (NAN,)},
        ),
        "foreground_l1": Door(losses.foreground_l1, pairs | {"weight": 20.0}, {"weight": lengths}),
        "gram": Door(losses.gram_distance, pairs, {"target": (other[:, :1],)}),
        "feature_matching": Door(
            losses.feature_matching,
            {"prediction": [image, other], "target": [image, other]},
            {"target": ([], [image], [image, logits], [image.long(), other]), "prediction": ([],)},
        ),
        "r1": Door(losses.r1_penalty, penalised),
        "r2": Door(losses.r2_penalty, {"discriminator": penalised["discriminator"], "fake": image}),
        "wgan_gp": Door(losses.wgan_gp_penalty, penalised | {"fake": other}),
        "HistoryPool": Door(
            HistoryPool, {"size": 5, "seed": 3}, {"size": (-1, 2.5), "seed": (2**63, -(2**64), 1.5, NAN)}
        ),
    }
    found_doors |= {
        name: Door(getattr(losses, name), pairs, {"target": (other[:1], other[:, :1])}) for name in ("l1", "l2")
    }
    for name, loss in adversarial.items():
        wrong_logits = ([], [logits, "x"], [logits.long()])
        found_doors[f"{name} generator"] = Door(
            loss.generator,
            {"fake": logits} | ({"real": logits} if loss.needs_real else {}),
            {"fake": wrong_logits} | ({"real": (logits[:1],)} if loss.needs_real else {}),
        )
        found_doors[f"{name} discriminator"] = Door(
            loss.discriminator, {"real": logits, "fake": logits}, {"real": wrong_logits, "fake": wrong_logits}
        )
    return {
        name: door._replace(bad={k: v for k, v in door.bad.items() if k in door.call})
        for name, door in found_doors.items()
    }


DOORS = doors()


def wrong_values(value: object) -> Iterator[object]:
    """Give what can never stand in a value's place: other types, dtypes and numbers of axes."""
    yield from (object(), {"a": 1})
    if not isinstance(value, str):
        yield "nowhere"
    if isinstance(value, str):
        yield from ("nowhere", 3, ("nowhere",))
    elif isinstance(value, Tensor):
        yield from (value.tolist(), value.numpy(), value.to(torch.int64), value.to(torch.complex64), 1.0)
    elif isinstance(value, int | float):
        yield from (torch.ones(3), (1, 2), [1], 1j)
    else:
        yield from (3, 2.5)


@pytest.mark.parametrize("name", DOORS)
def test_every_wrong_call_is_refused_by_the_library(name):
    door = DOORS[name]
    door.function(**door.call)
    wrong = [
        (argument, value)
        for argument, right in door.call.items()
        for value in (
            *wrong_values(right),
            *door.bad.get(argument, ()),
            *(() if argument in (*door.optional, "visible", "mask") else (None,)),
        )
    ]
    random.Random(name).shuffle(wrong)
    for argument, value in wrong:
        try:
            result = door.function(**(door.call | {argument: value}))
        except (CycleKitError, ValueError, TypeError) as error:
            refusal = error
        else:
            pytest.fail(f"{name} takes {argument}={value!r} and gives {result!r}")
        raised_in = traceback.extract_tb(refusal.__traceback__)[-1].filename
        assert raised_in.startswith(ROOT), f"{argument}={value!r}: {refusal!r} from {raised_in}"
        assert len(str(refusal)) > 15


def test_there_are_a_few_hundred_wrong_calls():
    assert sum(len(list(wrong_values(value))) for door in DOORS.values() for value in door.call.values()) > 500


@pytest.mark.parametrize("seed", [-(2**63), -1, 0, 2**63 - 1])
def test_a_pool_takes_every_seed_of_64_bits(seed):
    pool = HistoryPool(2, seed)
    assert pool(torch.rand(8, 3)).shape == (8, 3)
    assert pool.seed.item() == seed


def test_the_widest_neighbourhood_ends():
    image = torch.rand(1, 3, 16, 16)
    assert losses.nearest_neighbour(image.flip(-1), image, size=31) == 0


def test_as_many_masks_as_batches():
    images, masks = [torch.rand(2, 3, 8, 8)] * 2, [torch.ones(2, 1, 8, 8)]
    for some, of_them in ((images, masks), (images[:1], masks * 2)):
        with pytest.raises(ValueError, match="masks: expected as many batches as of images; one of both ends after 1"):
            metrics.extract_features(torch.nn.Flatten(), some, of_them)


def test_what_has_no_scale_has_no_distance():
    points = torch.zeros(3, 2, 2)
    distance = metrics.landmark_distance(points + 1, points, scale=torch.tensor([1.0, 0.0, -1.0]))
    assert distance.isnan().tolist() == [False, True, True]
