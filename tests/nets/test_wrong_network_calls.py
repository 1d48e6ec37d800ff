"""Hundreds of wrong calls of the room's doors: each ends in one clear error of ours, none is accepted."""

import functools
import inspect
import itertools
import math
import random
import traceback
from pathlib import Path

import pytest
import torch

import cyclekit
from cyclekit import nets
from cyclekit.nets import NetworkSpec, discriminators, generators

PACKAGE = Path(cyclekit.__file__).parent
NAMES = [3, None, b"unet_64", "", "unet_65", ["unet_64"], object(), 1.5]
COUNTS = [0, -1, 1.5, "3", None, True, 2**40, math.nan, [3], object()]
DEPTHS = [*COUNTS, 17, 1000]
CHOICES = ["zzz", "", 3, None, True, ("relu", "zzz"), object(), ["batch"]]
FLAGS = [1, 0, "yes", None, 0.0, object()]
SIZES = [0, (0, 0), (-16, 16), (16,), (16, 16, 16), ("a", "b"), (16.5, 16.0), None, (2**40, 2**40), "16", (16, True)]
PROBABILITIES = [-0.1, 1.0, math.nan, math.inf, "0.5", None, object()]
BACKBONES = [*NAMES, "resnet_181", "../resnet18"]
FINALS = [*CHOICES, (("tanh", 5),), (("tanh", 3), ("sigmoid", 0)), (("tanh", -1), ("none", 4)), (("zzz", 3),), ()]
HEADS = [3, {"c": 0}, {"c": True}, {"": 2}, {"a.b": 2}, {"training": 2}, {"_modules": 2}, {3: 2}, {"c": "2"}, ["c"]]
IMAGES = [3, None, "x", [], torch.zeros(3), torch.zeros(1, 3), torch.zeros(1, 3, 8), torch.zeros(1, 4, 8, 8)]
IMAGES += [torch.zeros(1, 3, 1, 1), torch.zeros(1, 3, 8, 8, dtype=torch.uint8)]
DEEP = {"levels", "scales", "downsamplings"}


def wrong(option, default):
    """Return values that an option of this name and default refuses."""
    match option, default:
        case ("heads", _):
            return HEADS
        case ("final", _):
            return FINALS
        case ("backbone", _):
            return BACKBONES
        case ("image_size", _):
            return SIZES
        case (_, bool()):
            return FLAGS
        case (_, int()):
            return DEPTHS if option in DEEP else COUNTS
        case (_, float()):
            return PROBABILITIES
        case _:
            return CHOICES


def networks():
    """Yield calls that make each of the library's networks in a wrong way."""
    kinds = ((generators, nets.create_generator, 2), (discriminators, nets.create_discriminator, 1))
    for registry, create, channels in kinds:
        for name in registry.list():
            factory = registry.factory(name)
            if not getattr(factory, "func", factory).__module__.startswith("cyclekit."):
                continue
            base = {"backbone": "test_resnet", "pretrained": False} if name.startswith("timm") else {}
            right = [4] * channels
            for index, count in itertools.product(range(channels), COUNTS):
                given = [*right[:index], count, *right[index + 1 :]]
                yield f"{name}{given}", functools.partial(create, name, *given, **base)
            for option, parameter in list(inspect.signature(factory).parameters.items())[channels:]:
                for value in [] if option in getattr(factory, "keywords", ()) else wrong(option, parameter.default):
                    options = base | {option: value}
                    yield f"{name}({option}={value!r})", functools.partial(create, name, *right, **options)
            yield f"{name}(zzz=1)", functools.partial(create, name, *right, **base, zzz=1)


def others():
    """Yield wrong calls of everything else the room offers."""
    small = nets.create_generator("resnet_6blocks", 3, 3, base_channels=2)
    judge = nets.create_discriminator("pixelgan", 3, base_channels=2)
    vector = nets.create_generator("residual_mlp", 3, 3, hidden=2)
    one, state = torch.zeros(1), judge.state_dict()

    def registered(register, name, factory=nets.UNet):
        return register(name, override=True)(factory)

    doors = [
        (functools.partial(nets.create_generator, in_channels=3, out_channels=3), NAMES),
        (functools.partial(nets.create_discriminator, in_channels=3), NAMES),
        (generators.factory, NAMES),
        (discriminators.create, NAMES),
        (nets.list_generators, [name for name in NAMES if not isinstance(name, str)]),
        (nets.list_discriminators, [name for name in NAMES if not isinstance(name, str)]),
        (NetworkSpec, [name for name in NAMES if not isinstance(name, str)]),
        (functools.partial(registered, nets.register_generator), [name for name in NAMES if name != "unet_65"]),
        (functools.partial(registered, nets.register_discriminator), [name for name in NAMES if name != "unet_65"]),
        (functools.partial(registered, nets.register_generator, "test_wrong"), [3, None, "unet", [nets.UNet], 1.5]),
        (
            lambda given: nets.create_generator("resnet_6blocks", 3, 3, outputs=given),
            [f for f in FINALS if f is not None],
        ),
        (NetworkSpec.from_dict, [3, None, "x", [], {}, {"name": "a"}, {"name": 3, "options": {}}]),
        (NetworkSpec.from_dict, [{"name": "a", "options": options} for options in ([], {1: 2}, {"x": {}}, None)]),
        (NetworkSpec.from_dict, [{"name": "a", "options": {}, "more": 1}]),
        (lambda given: NetworkSpec("unet_64", option=given), [object(), {1}, {"a": 1}, one, nets.UNet]),
        *((call, IMAGES) for call in (small, judge, judge.judge_with_features)),
        (vector, [3, None, one, torch.zeros(1, 4), torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, dtype=torch.long)]),
        (
            lambda given: small.check_size(*given),
            [(0, 0), (-8, 8), (8.0, 8), ("8", 8), (None, 8), (9, 8), (1, 1), (8,)],
        ),
        (lambda given: nets.load_pix2pix_weights(judge, given), [3, None, [], {}, {"weight": one}, {1: one}]),
        (
            lambda given: nets.load_pix2pix_weights(judge, given),
            [{"a.weight": 3}, {"a.weight": one}, {**state, 3: one}],
        ),
        (lambda given: nets.load_pix2pix_weights(judge, given), [{**state, "blocks.0.0.weight": one}]),
        (lambda given: nets.load_pix2pix_weights(given, state), [3, None, nets.UNet, torch.nn.ParameterList([one])]),
    ]
    for index, (door, values) in enumerate(doors):
        for value in values:
            yield f"door {index}: {value!r}", functools.partial(door, value)


def verdict(call):
    """Return what is wrong with how a wrong call ended, or nothing."""
    try:
        call()
    except (TypeError, ValueError) as error:  # every error of ours is one of the two
        raised_in = Path(traceback.extract_tb(error.__traceback__)[-1].filename)
        if PACKAGE not in raised_in.parents:
            return f"raised in {raised_in}: {error}"
        if not 15 < len(str(error)) < 2000:
            return f"unreadable: {error!s:.200}"
    except Exception as error:
        return f"ended in {type(error).__name__}: {error}"
    else:
        return "accepted"
    return None


@pytest.mark.filterwarnings("error")
def test_every_wrong_call_ends_in_a_clear_error():
    made = list(networks())
    random.Random(0).shuffle(made)
    calls = [*made[:500], *others()]
    assert len(calls) > 600
    failures = {name: reason for name, call in calls if (reason := verdict(call))}
    assert not failures


@pytest.mark.slow
def test_all_of_them():
    failures = {name: reason for name, call in networks() if (reason := verdict(call))}
    assert not failures


@pytest.mark.parametrize("name", ["pg2_coarse", "dpig_encoder"])
def test_a_network_that_no_memory_holds(name):
    message = (
        rf"generator '{name}' is too large to be built with 3 and 3 channels and image_size=\(1048576, 1048576\): "
    )
    with pytest.raises(ValueError, match=message):
        nets.create_generator(name, 3, 3, image_size=(2**20, 2**20))
