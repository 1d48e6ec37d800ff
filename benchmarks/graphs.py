"""How long large graphs take to read, to plan and to group: each doubling of the size should double the time.

Run with

    python benchmarks/graphs.py [--largest 1000]
"""

import argparse
import time
from collections.abc import Callable

from cyclekit import CycleGraph, Image, Noise, Ramp, Schedule, Vector


def names_late(size: int) -> CycleGraph:
    """A chain whose results get their names only after they are used."""
    chain = " ".join(["-G-> _"] * size)
    names = "\n".join(f"{'x' if i == 0 else f's{i}'} -G-> s{i + 1}" for i in range(size))
    return CycleGraph({"x": Image(3)}, maps=f"x {chain}\n{names}", losses=f"s{size} ~ x")


def cycles(size: int) -> CycleGraph:
    """Many cycles, each with networks of its own."""
    signals = {f"x{i}": Image(3) for i in range(size)}
    text = "\n".join(f"c{i}: x{i} -G{i}-> y{i}* -F{i}-> x{i}* ~ x{i}" for i in range(size))
    return CycleGraph(signals | {f"y{i}": Image(3) for i in range(size)}, cycles=text)


def planned(size: int) -> object:
    """The plan of many cycles, and who learns from each."""
    graph = cycles(size)
    return graph.plan(), graph.gradient_flow()


def every_construct(size: int) -> object:
    """The plan of as many cycles with all that the notation has: gates, one-sided terms, patterns, ramps, two sides."""
    signals = {f"x{i}": Image(3) for i in range(size)} | {f"z{i}": Noise(8) for i in range(size)}
    signals |= {name: Vector(8) for i in range(size) for name in (f"m{i}", f"v{i}", f"n{i}")}
    graph = CycleGraph(
        signals,
        maps="\n".join(f"x{i} -E{i}-> [m{i}, v{i}] -sample-> e{i} ; [x{i}, z{i}] -G{i}-> x{i}*" for i in range(size)),
        cycles="\n".join(f"back{i}: [x{i}*, stop(e{i})] -F{i}-> x{i}** ~ x{i}" for i in range(size)),
        adversaries="\n".join(
            f"D{i}: x{i}* vs x{i} + r1 + feature_matching ; C{i}: reverse(e{i}) <> z{i}" for i in range(size)
        ),
        losses="\n".join(f"kl(m{i}, v{i}) ; code{i}: x{i}* -stop(E{i})-> [n{i}, _] ; n{i} ~ z{i}" for i in range(size)),
        weights={"kl": 0.01, "back*": 10, "code*": Ramp(1, 0, steps=1000), "r1": 5},
    )
    return graph.plan(), graph.gradient_flow()


def grouped(size: int) -> object:
    """The backward passes of many cycles, one by one."""
    graph = cycles(size).replace(schedule=Schedule(backward="per_cycle"))
    return graph.backward_groups([term.name for term in graph.terms])


VARIANTS: dict[str, Callable[[int], object]] = {
    "names found late": names_late,
    "cycles read": cycles,
    "cycles planned": planned,
    "cycles grouped": grouped,
    "every construct": every_construct,
}


def main() -> None:
    """Print seconds by size, and the ratio of the last two."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--largest", type=int, default=1000)
    largest = parser.parse_args().largest
    sizes = [largest // 8, largest // 4, largest // 2, largest]
    print(f"{'seconds':<18}" + "".join(f"{size:>9}" for size in sizes) + "   last doubling")
    for name, make in VARIANTS.items():
        seconds: list[float] = []
        for size in sizes:
            begin = time.perf_counter()
            make(size)
            seconds.append(time.perf_counter() - begin)
        print(f"{name:<18}" + "".join(f"{s:9.3f}" for s in seconds) + f"   x{seconds[-1] / seconds[-2]:.1f}")


if __name__ == "__main__":
    main()
