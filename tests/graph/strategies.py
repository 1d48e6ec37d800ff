"""Random valid graphs."""

import warnings
from dataclasses import dataclass, field

from hypothesis import assume
from hypothesis import strategies as st

from cyclekit.graph import CycleGraph, Domain, GraphError, GraphWarning, Heatmap, Image, Label

GATES = ("stop", "reverse")
KINDS: dict[str, Domain] = {"image": Image(2), "map": Heatmap(3)}
LABEL = Label(4)
WEIGHTS = st.sampled_from([0.0, 0.5, 1.0, 2.0])
SIGNED = st.sampled_from([0.0, 0.5, 1.0, 2.0, -1.0])


@dataclass
class _Draft:
    """A graph in the making: every value by its kind, every use by its outputs."""

    inputs: dict[str, str]
    values: dict[str, str] = field(default_factory=dict)
    made: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)  # networks as they are used, stop(G)
    uses: dict[tuple[str, tuple[str, ...]], tuple[str, ...]] = field(default_factory=dict)
    maps: list[str] = field(default_factory=list)
    cycles: list[str] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)
    adversaries: list[str] = field(default_factory=list)
    weights: dict[str, float] = field(default_factory=dict)

    def of_kind(self, kind):
        return [name for name, other in self.values.items() if other == kind]

    def ancestors(self, value):
        value = ungated(value)
        if value not in self.made:
            return set()
        inputs = [ungated(name) for name in self.made[value][1]]
        return set(inputs).union(*map(self.ancestors, inputs))

    def step(self, network, inputs, kinds):
        """Return how a use of a network is written; it is a new use, or the same one again."""
        use = (network, tuple(inputs))
        if use not in self.uses:
            self.uses[use] = tuple(f"s{len(self.made) + i}" for i in range(len(kinds)))
            for name, kind in zip(self.uses[use], kinds, strict=True):
                self.values[name] = kind
                self.made[name] = use
        return f"{node(inputs)} -{network}-> {node(self.uses[use])}"


def ungated(value):
    return value.partition("(")[2].removesuffix(")") or value


def node(names):
    return names[0] if len(names) == 1 else f"[{', '.join(names)}]"


@st.composite
def graphs(draw, heads=True, regularizers=True, gates=True):
    """Return a strategy for graphs that pass `CycleGraph.check`; idle signals are allowed.

    Signals are ``Image(2)``, ``Heatmap(3)`` and, with ``heads``, one ``Label(4)``; generators are ``G0``, ``G1``, ...,
    discriminators ``D0``, ``D1``, heads are called ``cls``. With ``gates`` signals are read in `stop` and
    `reverse`, networks are used as they are, terms are one-sided, maximised, and adversaries two-sided.
    """
    kinds = st.sampled_from(sorted(KINDS))
    inputs = {f"x{i}": draw(kinds) for i in range(draw(st.integers(1, 3)))}
    draft = _Draft(inputs, dict(inputs))
    _draw_maps(draw, draft, kinds, gates)
    _draw_comparisons(draw, draft, gates)
    labelled = _draw_adversaries(draw, draft, heads, regularizers, gates)
    signals = {name: KINDS[kind] for name, kind in draft.values.items()} | ({"k": LABEL} if labelled else {})
    graph = CycleGraph(
        signals,
        cycles="\n".join(draft.cycles),
        maps="\n".join(draft.maps),
        losses=" ; ".join(draft.losses),
        adversaries="\n".join(draft.adversaries),
        weights=draft.weights,
    )
    graph = _with_all_trained(graph, draft)
    frozen = {*graph.frozen, *draw(st.lists(st.sampled_from(graph.generators), unique=True, max_size=2))}
    sound = [candidate for candidate in (graph.replace(frozen=sorted(frozen)), graph) if _sound(candidate)]
    assume(sound)
    return sound[0]


def _gated(draw, value, gates):
    gate = draw(st.sampled_from([*[""] * 6, *GATES])) if gates else ""
    return f"{gate}({value})" if gate else value


def _draw_maps(draw, draft, kinds, gates):
    networks = {}
    for number in range(draw(st.integers(1, 4))):
        takes = draw(st.lists(kinds, min_size=1, max_size=2))
        networks[f"G{number}"] = takes, draw(st.lists(kinds, min_size=1, max_size=2))
    for _ in range(draw(st.integers(1, 6))):
        name = draw(st.sampled_from([*networks, "add"]))
        if name == "add":
            kind = draw(st.sampled_from(sorted(set(draft.values.values()))))
            takes, makes = [kind] * draw(st.integers(2, 3)), [kind]
        else:
            takes, makes = networks[name]
        if all(draft.of_kind(kind) for kind in takes):
            used = f"stop({name})" if gates and name != "add" and draw(st.integers(0, 5)) == 5 else name
            inputs = [_gated(draw, draw(st.sampled_from(draft.of_kind(kind))), gates) for kind in takes]
            draft.maps.append(draft.step(used, inputs, makes))
    if not any("-G" in line for line in draft.maps):
        kind = draft.inputs["x0"]
        draft.maps.append(draft.step("G9", ["x0"], [kind]))


def _draw_comparisons(draw, draft, gates):
    for number in range(draw(st.integers(0, 4))):
        prediction = draw(st.sampled_from(sorted(draft.made)))
        others = [name for name in draft.of_kind(draft.values[prediction]) if name != prediction]
        if gates and _generated(draft, prediction) and draw(st.integers(0, 4)) == 4:
            draft.losses.append(f"t{number}: kl({prediction})")
            draft.weights[f"t{number}"] = draw(SIGNED)
            continue
        if not others or not _generated(draft, prediction):
            continue
        target, label = draw(st.sampled_from(others)), f"t{number}"
        network, inputs = draft.made[prediction]
        outputs = draft.uses[network, inputs]
        flow = f"{node(inputs)} -{network}-> {node(outputs)}"
        if target in draft.ancestors(prediction):
            said = f"{flow} ; {prediction} ~ {target}" if len(outputs) > 1 else f"{flow} ~ {target}"
            draft.cycles.append(f"{label}: {said}")
        elif draw(st.booleans()) and len(outputs) == 1:
            draft.losses.append(f"{label}: {node(inputs)} -{network}-> _ ~ {_gated(draw, target, gates)}")
        else:
            draft.losses.append(f"{label}: {_gated(draw, prediction, gates)} ~ {_gated(draw, target, gates)}")
        draft.weights[label] = draw(SIGNED if gates else WEIGHTS)


def _draw_adversaries(draw, draft, heads, regularizers, gates):
    """Write adversaries and heads, and say whether a label is needed."""
    labelled = False
    generated = [name for name in draft.made if _generated(draft, name)]
    for number in range(draw(st.integers(0, 2))):
        judged = [draw(st.sampled_from(generated))]
        judged += draw(st.lists(st.sampled_from(sorted(draft.values)), max_size=2))
        seen = set()
        for side in range(draw(st.integers(1, 2))):
            fake = judged if side == 0 else [draw(st.sampled_from(draft.of_kind(draft.values[n]))) for n in judged]
            real = [draw(st.sampled_from(draft.of_kind(draft.values[name]))) for name in fake]
            if fake != real and (tuple(fake), tuple(real)) not in seen and (seen or side == 0):
                seen.add((tuple(fake), tuple(real)))
                known = ["r1", "r2"] + ["feature_matching"] * any(_generated(draft, name) for name in fake)
                behind = draw(st.lists(st.sampled_from(known), unique=True, max_size=2)) if regularizers else []
                sign = draw(st.sampled_from(["vs", "vs", "<>"])) if gates and not behind else "vs"
                draft.adversaries.append(" + ".join([f"D{number}: {node(fake)} {sign} {node(real)}", *behind]))
                draft.weights |= {f"{name}(D{number})": draw(WEIGHTS) for name in behind}
                if heads and draw(st.booleans()):
                    labelled = True
                    value = draw(st.sampled_from([fake, real]))
                    draft.losses.append(f"h{number}_{side}: {node(value)} -D{number}.cls-> _ ~ k")
        if seen:
            draft.weights[f"D{number}"] = draw(WEIGHTS)
    return labelled


def _generated(draft, value):
    return any(draft.made[name][0] != "add" for name in {value, *draft.ancestors(value)} if name in draft.made)


def _with_all_trained(graph, draft):
    """Compare a result of every generator that no term trains yet with something it is not."""
    trained = {name for names in graph.gradient_flow().values() for name in names}
    losses, signals, frozen = [graph.equations["losses"]], dict(graph.to_dict()["signals"]), []
    for name in graph.generators:
        if name not in trained:
            used = [value for value, (network, _) in draft.made.items() if network == name]
            if not used:  # it is only used as it is
                signals |= {value: kind.to_dict() for value, kind in graph.domains.items() if "(" not in value}
                frozen.append(name)
                continue
            value = used[0]
            signals[f"r_{name}"] = graph.domains[value].to_dict()
            losses.append(f"u_{name}: {value} ~ r_{name}")
    data = {**graph.to_dict(), "losses": "\n".join(filter(None, losses)), "signals": signals, "frozen": frozen}
    return CycleGraph.from_dict(data)


def _sound(graph):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GraphWarning)
        try:
            graph.check()
        except GraphError:
            return False
    return True
