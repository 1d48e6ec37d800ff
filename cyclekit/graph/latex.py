"""A graph's objective as a paper prints it."""

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from cyclekit.graph.schedule import Ramp
from cyclekit.graph.terms import SIDES, Adversary, Comparison, Regularizer, Side, Term

if TYPE_CHECKING:
    from cyclekit.graph.graph import CycleGraph

_GREEK = frozenset({"mu", "nu", "sigma", "alpha", "beta", "gamma", "phi", "psi", "theta", "lambda"})
_GATES = {"stop": r"\mathrm{sg}", "reverse": r"\mathrm{rev}"}
_IN_A_LINE = 4
"""Terms of a sum that stand in one line."""

_COMPARISONS = {
    "l1": r"\lVert {0} - {1} \rVert_1",
    "l2": r"\lVert {0} - {1} \rVert_2^2",
    "cross_entropy": r"-{{{1}}}^{{\top}} \log \mathrm{{softmax}}({0})",
}

# What a discriminator's logits of real and of generated cost it, and what those of generated cost the generators.
_ADVERSARIAL = {
    "lsgan": (r"({0} - 1)^2", r"{0}^2", r"({0} - 1)^2"),
    "log": (r"-\log \sigma({0})", r"-\log(1 - \sigma({0}))", r"\log(1 - \sigma({0}))"),
    "nonsaturating": (r"-\log \sigma({0})", r"-\log(1 - \sigma({0}))", r"-\log \sigma({0})"),
    "undecided": (
        r"-\log \sigma({0})",
        r"-\log(1 - \sigma({0}))",
        r"-\tfrac{{1}}{{2}} \log \sigma({0}) - \tfrac{{1}}{{2}} \log(1 - \sigma({0}))",
    ),
    "hinge": (r"\max(0, 1 - {0})", r"\max(0, 1 + {0})", r"-{0}"),
    "wgan": (r"-{0}", r"{0}", r"-{0}"),
}
_PENALTIES = {
    "r1": r"\lVert \nabla {real} \rVert_2^2",
    "r2": r"\lVert \nabla {fake} \rVert_2^2",
    "wgan_gp": r"(\lVert \nabla {between} \rVert_2 - 1)^2",
}


def latex(graph: "CycleGraph") -> str:
    """Return the maps, every term, and who minimises what, as one ``aligned`` environment."""
    write = _Writer(graph)
    lines = [*write.maps(), *write.terms(), *write.ramps(), *write.totals()]
    written = " \\\\\n".join(f"  {line}" for line in lines)
    return "\n".join(filter(None, ["\\begin{aligned}", written, "\\end{aligned}"]))


class _Writer:
    """Writes the parts of one graph."""

    def __init__(self, graph: "CycleGraph") -> None:
        self.graph = graph
        self.makers = {value: call for call in graph.calls for value in call.outputs}

    def maps(self) -> Iterator[str]:
        for call in self.graph.calls:
            if call.network in _GATES or all("(" in value for value in call.outputs):
                continue  # written where it is read
            made = [self.value(value) if "(" not in value else r"\cdot" for value in call.outputs]
            yield f"{_tuple(made)} &= {self.use(call.network, call.head, call.inputs, stopped=call.stopped)}"

    def terms(self) -> Iterator[str]:
        for term in self.graph.terms:
            for side in SIDES:
                if term in self.graph.minimised_by(side):
                    yield f"{self.name(term, side)} &= {self.formula(term, side)}"

    def ramps(self) -> Iterator[str]:
        for term in self.graph.terms:
            if isinstance(term.weight, Ramp):
                ramp, start = term.weight, term.weight.after
                yield (
                    f"{self.weight(term)} &\\colon {_number(ramp.start)} \\to {_number(ramp.end)}, "
                    f"\\; t = {start} \\ldots {start + ramp.steps}"
                )

    def totals(self) -> Iterator[str]:
        for side in SIDES:
            terms = self.graph.minimised_by(side)
            learn = [_symbol(name) for name in getattr(self.graph, side) if name not in self.graph.frozen]
            if not terms or not learn:
                continue
            parts = [self.weighed(term, side) for term in terms]
            scale = self.graph.schedule.discriminator_scale if side == "discriminators" else 1
            sums = [
                " ".join(part if part.startswith("-") else f"+ {part}" for part in parts[first : first + _IN_A_LINE])
                for first in range(0, len(parts), _IN_A_LINE)
            ]
            sums[0] = sums[0].removeprefix("+ ")
            opened, closed = ("", "") if scale == 1 else (f"{_number(scale)} \\, \\big[", "\\big]")
            # \big brackets, since those of \left and \right cannot span two lines
            sums[0] = opened + sums[0]
            sums[-1] += closed
            yield f"\\min_{{{', '.join(learn)}}} &\\; {sums[0]}"
            yield from (f"&\\quad {part}" for part in sums[1:])

    def weighed(self, term: Term, side: Side) -> str:
        weight = self.weight(term)
        return f"{weight}{' ' if weight not in ('', '-') else ''}{self.name(term, side)}"

    def weight(self, term: Term) -> str:
        """Return a term's factor; 1 is not written."""
        if isinstance(term.weight, Ramp):
            return f"\\lambda_{{{self.subscript(term)}}}(t)"
        return {1.0: "", -1.0: "-"}.get(term.weight, _number(term.weight))

    def name(self, term: Term, side: Side) -> str:
        if isinstance(term, Adversary) and term.trains:
            return f"\\mathcal{{L}}^{{\\mathrm{{{side[:3]}}}}}_{{{self.subscript(term)}}}"
        return f"\\mathcal{{L}}_{{{self.subscript(term)}}}"

    def subscript(self, term: Term) -> str:
        if isinstance(term, Comparison):
            return f"\\mathrm{{{_escaped(term.name)}}}" if term.name.isidentifier() else self.equation(term)
        if isinstance(term, Regularizer):
            return f"\\mathrm{{{_escaped(term.written)}}}({self.adversary(term.adversary)})"
        return self.adversary(term.name)

    def adversary(self, name: str) -> str:
        """Return an adversary's name, ``D_I(y*)``."""
        network, _, judged = name.partition("(")
        if not judged:
            network, _, judged = name.partition(": ")
            return f"{_symbol(network)}({_escaped(judged)})"
        return f"{_symbol(network)}({', '.join(map(self.value, _split(judged.removesuffix(')'))))})"

    def equation(self, term: Comparison) -> str:
        """Return what stands for a comparison without a name."""
        sides = [self.value(value) for value in term.signals]
        if term.target is None:
            return f"\\mathrm{{{_escaped(term.criterion)}}}({', '.join(sides)})"
        extras = "".join(f", {side}" for side in sides[2:])
        measured = "" if term.criterion == "l1" else f"\\mathrm{{{_escaped(term.criterion)}}},\\,"
        return f"{measured}{sides[0]} \\sim {sides[1]}{extras}"

    def formula(self, term: Term, side: Side) -> str:
        if isinstance(term, Comparison):
            sides = [self.value(value) for value in term.signals]
            known = _COMPARISONS.get(term.criterion)
            if known and len(sides) == 2 and term.target is not None:
                return f"\\mathbb{{E}} \\, {known.format(*sides)}"
            return f"\\mathbb{{E}} \\, \\mathrm{{{_escaped(term.criterion)}}}({', '.join(sides)})"
        fake, real = (self.use(term.discriminator, None, judged) for judged in (term.fake, term.real))
        if isinstance(term, Regularizer):
            return self.regularized(term, fake, real)
        return self.judged(term, side, fake, real)

    def judged(self, term: Adversary, side: Side, fake: str, real: str) -> str:
        if term.criterion not in _ADVERSARIAL:
            loss = f"\\ell^{{\\mathrm{{{side[:3]}}}}}_{{\\mathrm{{{_escaped(term.criterion)}}}}}"
            return f"\\mathbb{{E}} \\, {loss}({real}, {fake})"
        on_real, on_fake, to_fool = _ADVERSARIAL[term.criterion]
        if side == "discriminators":
            costs = [on_real.format(real), on_fake.format(fake)]
        elif not term.confused:
            costs = [to_fool.format(fake)]
        elif term.criterion == "undecided":
            costs = [to_fool.format(fake), to_fool.format(real)]
        else:
            costs = [on_real.format(fake), on_fake.format(real)]
        return " + ".join(f"\\mathbb{{E}} \\, [{cost}]" for cost in costs)

    def regularized(self, term: Regularizer, fake: str, real: str) -> str:
        if term.side == "generators":
            return f"\\textstyle\\sum_i \\mathbb{{E}} \\, \\lVert {fake}_i - {real}_i \\rVert_1"
        if term.criterion in _PENALTIES:
            between = f"{_symbol(term.discriminator)}(\\hat{{x}})"
            return f"\\mathbb{{E}} \\, {_PENALTIES[term.criterion].format(fake=fake, real=real, between=between)}"
        return f"\\mathbb{{E}} \\, \\mathrm{{{_escaped(term.criterion)}}}({real}, {fake})"

    def use(self, network: str, head: str | None, inputs: Iterable[str], *, stopped: bool = False) -> str:
        called = f"\\mathrm{{sg}}({_symbol(network)})" if stopped else _symbol(network)
        called += f"_{{\\mathrm{{{_escaped(head)}}}}}" if head else ""
        return f"{called}({', '.join(map(self.value, inputs))})"

    def value(self, name: str) -> str:
        """Return a signal by its name, or how it is made where it has none."""
        call = self.makers.get(name)
        if "(" not in name or call is None:
            return _symbol(name)
        if call.network in _GATES:
            return f"{_GATES[call.network]}({self.value(call.inputs[0])})"
        made = self.use(call.network, call.head, call.inputs, stopped=call.stopped)
        return made if len(call.outputs) == 1 else f"{made}_{{{call.outputs.index(name) + 1}}}"


def _symbol(name: str) -> str:
    """Return a name as a symbol: ``G_I``, ``y*``, ``y1`` with its index below."""
    bare = name.rstrip("*")
    stars = name[len(bare) :]
    match = re.fullmatch(r"([^_]+)_(.+)", bare) or re.fullmatch(r"([^\W\d_]+)(\d+)", bare)
    head, index = (_letters(part) for part in match.groups()) if match else (_letters(bare), "")
    return head + (f"_{{{index}}}" if index else "") + (f"^{{{stars}}}" if stars else "")


def _letters(part: str) -> str:
    if part in _GREEK:
        return f"\\{part}"
    return _escaped(part) if len(part) == 1 else f"\\mathit{{{_escaped(part)}}}"


def _escaped(text: str) -> str:
    return re.sub(r"([_%&#{}$])", r"\\\1", text).replace("~", r"\sim ").replace(" ", "\\ ")


def _split(judged: str) -> list[str]:
    """Return the signals between a pair of brackets, ``stop(y*), x`` by their commas."""
    return re.split(r", (?![^(]*\))", judged)


def _tuple(values: list[str]) -> str:
    return values[0] if len(values) == 1 else f"({', '.join(values)})"


def _number(value: float) -> str:
    mantissa, _, exponent = f"{value:g}".partition("e")
    if not exponent:
        return mantissa
    factor = {"1": "", "-1": "-"}.get(mantissa, f"{mantissa} \\cdot ")
    return f"{factor}10^{{{int(exponent)}}}"
