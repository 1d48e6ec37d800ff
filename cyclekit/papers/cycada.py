"""CyCADA: a translation that keeps what a classifier sees."""

from cyclekit._spec import NetworkSpec
from cyclekit.graph import CycleGraph, Image, Label, Schedule
from cyclekit.papers.paper import Paper, Recipe, Source, register_paper


@register_paper("cycada")
def cycada(classes: int = 10, channels: int = 3) -> Paper:
    """Return CyCADA for classes of images.

    Args:
        classes: The number of classes.
        channels: Of the images of both domains.

    Returns:
        The paper; its classifiers are the user's to pass, the source's trained already.
    """
    kinds = dict.fromkeys(("p_s", "p_t", "q_s", "q_t"), Label(classes))
    graph = CycleGraph(
        {"s": Image(channels), "t": Image(channels), "c": Label(classes)} | kinds,
        maps="""
            s -F_S-> _ -argmax-> p_s ; t -F_S-> _ -argmax-> p_t  # what the source's classifier says
            t* -F_T-> q_s ; t -F_T-> q_t
        """,
        cycles="""
            s_cycle: s -G_T-> t* -G_S-> s** ~ s                  # Eq. 3
            t_cycle: t -G_S-> s* -G_T-> t** ~ t
        """,
        adversaries="""
            D_T: t* vs t ; D_S: s* vs s                          # Eq. 2
            D_feat: q_t vs q_s
        """,
        losses="""
            task: stop(t*) -F_T-> _ ~ c                          # Eq. 1
            sem_s: t* -F_S-> _ ~ p_s                             # Eq. 4
            sem_t: s* -F_S-> _ ~ p_t
        """,
        weights={"*_cycle": 10},
        frozen=["F_S"],
        schedule=Schedule(history=50),
    )
    generator, judge = NetworkSpec("resnet_9blocks", norm="instance"), NetworkSpec("patchgan_70", norm="instance")
    return Paper(
        source=Source(
            "CyCADA: Cycle-Consistent Adversarial Domain Adaptation",
            "Judy Hoffman, Eric Tzeng, Taesung Park, Jun-Yan Zhu, Phillip Isola, Kate Saenko, Alexei A. Efros, "
            "Trevor Darrell",
            "ICML 2018",
            "1711.03213",
            "jhoffman/cycada_release",
        ),
        supervision="labels of one domain",
        graph=graph,
        unpaired=("s", "t"),
        recipe=Recipe(
            generators={"F_S": None, "G_T": generator, "G_S": generator, "F_T": None},
            discriminators={"D_T": judge, "D_S": judge, "D_feat": NetworkSpec("mlp")},
        ),
        notes=(
            "The released code trains in stages: the translation, then the classifier, then its features; here all is "
            "one.",
            "Its cycles weigh 1 on digits, and its semantic terms wait until the classifier's own loss is below 1.",
            "Images of digits have 32 pixels a side, which asks for a discriminator of a smaller field.",
        ),
    )
