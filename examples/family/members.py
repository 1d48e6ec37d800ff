"""The family: which paper is trained on what, how wide, how long."""

from collections.abc import Mapping
from dataclasses import dataclass

from cyclekit import NetworkSpec as Spec
from cyclekit import papers
from cyclekit.papers import Paper
from tasks import (
    DAY_NIGHT,
    SEASONS,
    SUMMER_WINTER,
    MakeTask,
    bags_and_shoes,
    classes_to_street,
    domains,
    gestures,
    hair_by_label,
    horses_and_zebras,
    outline_to_shoes,
    seasons_by_label,
    sketch_to_landscape,
)


@dataclass(frozen=True)
class Member:
    """A published model, and how it is trained here; what is not said is its recipe's.

    Args:
        title: Its name, as its authors write it.
        asked: What it is asked for.
        paper: The model.
        task: What it is trained on and asked.
        generators: The networks, one for all or by name; narrow, for a few minutes on one core.
        discriminators: Likewise.
        steps: Training steps; the rate stays for half of them and then falls to 0.
        batch: Samples in a batch.
        rate: The learning rate.
        clip: Discriminators' weights are clipped to this after each of their steps; ``None`` for not at all.
        remark: What there is to say about its answers.
    """

    title: str
    asked: str
    paper: Paper
    task: MakeTask
    generators: Spec | Mapping[str, Spec]
    discriminators: Spec | Mapping[str, Spec]
    steps: int
    batch: int = 4
    rate: float = 4e-4
    clip: float | None = None
    remark: str = ""


JUDGE = Spec("patchgan_16", norm="instance", base_channels=16)
RESNET = Spec("resnet_6blocks", norm="instance", upsample="nearest", base_channels=16)
LABEL_JUDGE = Spec("stargan", image_size=(64, 64), layers=4, base_channels=16)

MEMBERS: dict[str, Member] = {
    "pix2pix": Member(
        "pix2pix",
        "landscapes from their outlines",
        papers.pix2pix(),
        sketch_to_landscape,
        Spec("unet_64", norm="batch", base_channels=16),
        Spec("patchgan_16", norm="batch", base_channels=16),
        steps=600,
        batch=4,
        remark="Colours and shading are right where they follow from the outlines; windows and roofs are blurred.",
    ),
    "pix2pixhd": Member(
        "pix2pixHD",
        "streets from maps of classes",
        papers.pix2pixhd(classes=12, perceptual=False),
        classes_to_street,
        Spec("pix2pixhd_global", upsample="nearest", base_channels=16),
        Spec("multiscale_patchgan", scales=2, base_channels=16),
        steps=800,
        batch=2,
        remark=(
            "A copy is the map painted with each class's mean colour, which is hard to beat. Houses, cars and trees "
            "are in their places, and a pattern lies over the plain regions; the discriminators have won by then. "
            "Transposed convolutions and 300 steps came to 15.9 dB. VGG's features, a part of the paper's objective, "
            "are left out."
        ),
    ),
    "cyclegan": Member(
        "CycleGAN",
        "summer and winter, without pairs",
        papers.cyclegan(),
        domains(SUMMER_WINTER, "A B"),
        RESNET,
        JUDGE,
        steps=450,
        batch=1,
        remark=(
            "It beats a copy and the mean both ways. Houses are lost: white roofs on snow say little of them. With "
            "transposed convolutions and 320 steps a checkerboard lay over all, and 19.2 and 17.3 dB did not beat the "
            "mean."
        ),
    ),
    "dualgan": Member(
        "DualGAN",
        "day and night, without pairs",
        papers.dualgan(cycle=100),
        domains(DAY_NIGHT, "u v"),
        Spec("unet_64", norm="batch", base_channels=16),
        JUDGE,
        steps=500,
        batch=2,
        clip=0.01,
        remark=(
            "By day and by night colours come out right, but light and dark are exchanged in trees, sun and moon: both "
            "ways do so, and undo it, so that the cycles do not mind. It beats a copy, and not the mean. With the "
            "recipe's critics (batch normalisation, whose scales are clipped, too) and cycles that weigh 500, 1,000 "
            "steps came to 17.8 and 8.8 dB."
        ),
    ),
    "discogan": Member(
        "DiscoGAN",
        "bags and shoes, without pairs",
        papers.discogan(),
        bags_and_shoes,
        Spec("pix2pixhd_global", norm="batch", upsample="nearest", base_channels=8),
        Spec("patchgan_70", norm="batch", base_channels=16),
        steps=350,
        batch=4,
        remark=(
            "What is asked for appears, one shoe and one bag for all: their colours and places are not found. "
            "It beats neither answer. A U-Net with a discriminator of smaller patches, trained as long, came to 15.0 "
            "and 14.5 dB: bags stayed bags, since skip connections keep outlines where they are."
        ),
    ),
    "combogan": Member(
        "ComboGAN",
        "three seasons, an encoder and a decoder each",
        papers.combogan(features=64),
        domains(SEASONS, "A B C"),
        {
            **dict.fromkeys(("E_A", "E_B", "E_C"), Spec("resnet_encoder", norm="instance")),
            **dict.fromkeys(("T_A", "T_B", "T_C"), Spec("resnet_decoder", norm="instance", upsample="nearest")),
        },
        JUDGE,
        steps=180,
        batch=1,
        remark=(
            "Winter comes out right; summer and autumn have sky and earth exchanged, which the cycles undo and the "
            "small patches that are judged allow. 180 steps are few for nine networks."
        ),
    ),
    "g2gan": Member(
        "G²GAN",
        "three seasons, by a label",
        papers.g2gan(classes=3),
        seasons_by_label,
        Spec("stargan", upsample="nearest", base_channels=16),
        LABEL_JUDGE,
        steps=400,
        batch=2,
        remark=(
            "The label decides about the season, and the scene can be made out; it beats a copy, and not the mean."
        ),
    ),
    "stargan": Member(
        "StarGAN",
        "hair of three colours, by a label",
        papers.stargan(classes=3),
        hair_by_label,
        Spec("stargan", upsample="nearest", base_channels=16),
        LABEL_JUDGE,
        steps=1500,
        batch=2,
        rate=8e-4,
        remark=(
            "Hair takes the colour that the label asks for, at the cost of the face: the generator steps once in five, "
            "300 times in all. A copy, which is right but for the hair, is ahead but between black and blond."
        ),
    ),
    "gesturegan": Member(
        "GestureGAN",
        "a hand in another gesture",
        papers.gesturegan(),
        gestures,
        Spec("unet_64", norm="instance", base_channels=16),
        JUDGE,
        steps=900,
        batch=2,
        remark="The hand of the first picture in the gesture of the skeleton; fingers that were hidden are guessed.",
    ),
    "bicyclegan": Member(
        "BicycleGAN",
        "shoes from outlines, coloured like another shoe",
        papers.bicyclegan(),
        outline_to_shoes,
        {
            "E": Spec("style_encoder", base_channels=16),
            "G": Spec("unet_64", norm="instance", init="xavier", base_channels=16),
        },
        Spec("multiscale_patchgan", scales=2, layers=2, base_channels=16),
        steps=1200,
        batch=2,
        remark=(
            "The encoded colours of one shoe on the outline of another; a copy is that other shoe. After 400 steps "
            "(20.1 dB) all shoes had the same colours still."
        ),
    ),
    "attentiongan": Member(
        "AttentionGAN",
        "horses and zebras, without pairs, with masks",
        papers.attentiongan(),
        horses_and_zebras,
        RESNET,
        JUDGE,
        steps=450,
        batch=1,
        remark=(
            "The masks close, and what comes out is a copy: to change nothing costs least at first, since the pixel "
            "losses and the masks' total variation ask for that, and the discriminators do not insist enough in 450 "
            "steps."
        ),
    ),
    "cut": Member(
        "CUT",
        "winter from summer, without pairs or cycles",
        papers.cut(features=64),
        domains(SUMMER_WINTER, "x y"),
        {
            "E": Spec("resnet_encoder", norm="instance", init="xavier"),
            "T": Spec("resnet_decoder", norm="instance", upsample="nearest", init="xavier"),
            "H": Spec("pointwise_mlp", init="xavier"),
        },
        Spec("patchgan_16", norm="instance", init="xavier", base_channels=16),
        steps=450,
        batch=1,
        remark=(
            "Snow and trees are where they belong, and colours are pale: beside CycleGAN, on the same pictures, one "
            "generator learns for less, and after as many steps is worse."
        ),
    ),
}
