"""ComboGAN: an encoder and a decoder for each of several domains."""

from itertools import permutations

from cyclekit._spec import NetworkSpec
from cyclekit.errors import ArgumentError
from cyclekit.graph import CycleGraph, Image, Latent
from cyclekit.papers.paper import Paper, Recipe, Source, register_paper


@register_paper("combogan")
def combogan(domains: str = "ABC", channels: int = 3, features: int = 256) -> Paper:
    """Return ComboGAN.

    Args:
        domains: A capital letter for each domain.
        channels: Of the images of every domain.
        features: Channels of what lies between an encoder and a decoder.

    Returns:
        The paper.

    Raises:
        ArgumentError: ``domains`` are not two different capital letters or more.
    """
    if len(set(domains)) < max(2, len(domains)) or not (domains.isalpha() and domains.isupper()):
        raise ArgumentError(f"combogan(domains={domains!r}): expected two capital letters or more, each once: 'ABC'")
    pairs = list(permutations(domains, 2))
    cycles = [f"{s}{t}{s}: {s} -E_{s}-> {s.lower()} -T_{t}-> {s}{t} -E_{t}-> _ -T_{s}-> _ ~ {s}" for s, t in pairs]
    judged = {t: " ; ".join(f"{s}{t} vs {t}" for s, other in pairs if other == t) for t in domains}
    graph = CycleGraph(
        signals={name: Image(channels) for name in domains} | {name.lower(): Latent(features) for name in domains},
        cycles="\n".join(cycles),
        adversaries="\n".join(f"D_{name}: {lines}" for name, lines in judged.items()),
        weights={f"{s}{t}{s}": 10 for s, t in pairs},
    )
    return Paper(
        source=Source(
            "ComboGAN: Unrestrained Scalability for Image Domain Translation",
            "Asha Anoosheh, Eirikur Agustsson, Radu Timofte, Luc Van Gool",
            "CVPR workshops 2018",
            "1712.06909",
            "AAnoosheh/ComboGAN",
        ),
        supervision="unpaired",
        graph=graph,
        unpaired=tuple(domains),
        recipe=Recipe(
            generators={f"E_{name}": NetworkSpec("resnet_encoder", norm="instance") for name in domains}
            | {f"T_{name}": NetworkSpec("resnet_decoder", norm="instance") for name in domains},
            discriminators={f"D_{name}": NetworkSpec("patchgan_70", norm="instance") for name in domains},
        ),
        notes=(
            "Cycles are measured by a smooth l1 in the released code, whose discriminators see colours and edges "
            "apart.",
            "The released code draws one pair of domains for each step; here a step takes all of them.",
        ),
    )
