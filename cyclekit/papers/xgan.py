"""XGAN: two domains that share what they mean."""

from cyclekit._spec import NetworkSpec
from cyclekit.graph import CycleGraph, Image, Label, Schedule, Vector
from cyclekit.papers.paper import Paper, Recipe, Source, register_paper


@register_paper("xgan")
def xgan(channels: int = 3, embedding: int = 1024, teacher: bool = True) -> Paper:
    """Return XGAN.

    Args:
        channels: Of the images of both domains.
        embedding: Length of the shared embedding.
        teacher: Whether a network trained on faces teaches the embedding.

    Returns:
        The paper; its encoders, decoders and teacher are the user's to pass.
    """
    signals = {"A": Image(channels), "B": Image(channels), "is_A": Label(2), "is_B": Label(2)}
    signals |= dict.fromkeys(("a", "b", "ab", "ba"), Vector(embedding)) | (
        {"known": Vector(embedding)} if teacher else {}
    )
    graph = CycleGraph(
        signals,
        maps="A -E_A-> a ; B -E_B-> b ; a -T_B-> AB -E_B-> ab ; b -T_A-> BA -E_A-> ba"
        + (" ; A -P-> known" if teacher else ""),
        cycles="rec_A: a -T_A-> _ ~ A ; rec_B: b -T_B-> _ ~ B  # Eq. 1",
        adversaries="D_B: AB vs B",
        losses="dann_A: reverse(a) -C-> _ ~ is_A ; dann_B: reverse(b) -C-> _ ~ is_B  # Eq. 2\n"
        "sem_A: a ~ ab ; sem_B: b ~ ba                                         # Eq. 3\n"
        + ("teach: a ~ stop(known)" if teacher else ""),
        frozen=["P"] if teacher else (),
        adversarial="nonsaturating",
        schedule=Schedule(history=0),
    )
    return Paper(
        source=Source(
            "XGAN: Unsupervised Image-to-Image Translation for Many-to-Many Mappings",
            "Amélie Royer, Konstantinos Bousmalis, Stephan Gouws, Fred Bertsch, Inbar Mosseri, Forrester Cole, "
            "Kevin Murphy",
            "DADA 2020",
            "1711.05139",
        ),
        supervision="unpaired",
        graph=graph,
        unpaired=("A", "B"),
        recipe=Recipe(
            generators=dict.fromkeys(graph.generators, None) | {"C": NetworkSpec("residual_mlp", blocks=1)},
            discriminators={"D_B": NetworkSpec("patchgan_16", norm="instance")},
            size=(64, 64),
            batch=32,
            rate=1e-4,
            decay="none",
            constant=100_000,
            unit="steps",
        ),
        notes=(
            "No code was released; weights are tuned by data set, and all are 1 here.",
            "The encoders' last and the decoders' first layers are shared, which networks of their own in the flow "
            "say.",
            "Semantic consistency and the adversary may go one way or both.",
        ),
    )
