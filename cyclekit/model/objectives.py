"""The two objectives: one side's loss as one forward of one module."""

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from types import MethodType
from typing import NamedTuple

import torch
from torch import Tensor, nn

from cyclekit._typed import with_own_code
from cyclekit.errors import NetworkOutputError
from cyclekit.graph import Adversary, Comparison, LossPlan, Ramp, Regularizer, Term
from cyclekit.losses import AdversarialLoss, Criterion, Penalty, confusion
from cyclekit.model.batch import Batch
from cyclekit.model.calls import called
from cyclekit.model.evaluation import Evaluator, Value, Values, one_tensor


class Losses(NamedTuple):
    """The losses of one side.

    Attributes:
        total: The weighted sum, a scalar; the discriminators' is scaled by the schedule's factor.
        terms: Each term by name, a scalar, neither weighted nor scaled.
        signals: The generated signals computed on the way, by name.
    """

    total: Tensor
    terms: dict[str, Tensor]
    signals: dict[str, Tensor]


class Measures(NamedTuple):
    """How terms are measured, by the names the graph uses."""

    criteria: Mapping[str, Criterion]
    adversarial: Mapping[str, AdversarialLoss]
    penalties: Mapping[str, Penalty]

    def of(self, term: Term) -> Criterion | AdversarialLoss | Penalty:
        """Return what measures a term."""
        kinds = {"criterion": self.criteria, "adversarial loss": self.adversarial, "penalty": self.penalties}
        return kinds[term.measure][term.criterion]


class Objective(nn.Module):
    """One side's loss: what ``torch.compile`` compiles, what DDP wraps, what autocast covers.

    Only the networks that learn are its submodules; the others are used without gradient for their weights.

    Args:
        evaluator: The graph's networks.
        plan: The side's plan.
        terms: The plan's terms, by the names they are reported under.
        learning: The networks that learn.
        measures: Criteria and adversarial losses.
    """

    networks: nn.ModuleDict

    def __init__(
        self,
        evaluator: Evaluator,
        plan: LossPlan,
        terms: Mapping[str, Term],
        learning: Iterable[str],
        measures: Measures,
    ) -> None:
        super().__init__()
        forward = type(self).forward
        self.forward = MethodType(with_own_code(forward, called=forward), self)
        self.plan = plan
        penalised = [term.discriminator for term in terms.values() if isinstance(term, Regularizer)]
        used = {
            name: part
            for name in (*(evaluation.network for evaluation in plan.evaluations), *penalised)
            if isinstance(part := evaluator.parts[name], nn.Module)
        }
        learning = frozenset(learning).difference(_used_as_they_are(plan))
        self.networks = nn.ModuleDict({name: part for name, part in used.items() if name in learning})
        # So do criteria and functions with weights of their own: processes must agree on them.
        helpers = [measures.of(term) for term in terms.values()]
        helpers += [used.pop(name) for name in evaluator.graph.all_functions if name in used]
        self.helpers = nn.ModuleList(
            dict.fromkeys(part for part in helpers if isinstance(part, nn.Module) and _trains(part))
        )
        # Everything else is kept from nn.Module's eyes: the model owns it.
        self._frozen = {name: part for name, part in used.items() if name not in learning}
        self._evaluator = evaluator
        self._groups = evaluator.group(plan.evaluations)
        self._terms = dict(terms)
        self._measures = measures
        self._logits_of = {(e.network, e.inputs): e.outputs[0] for e in plan.evaluations if e.outputs}
        self.ramps = {name: term.weight for name, term in terms.items() if isinstance(term.weight, Ramp)}

    @property
    def terms_by_name(self) -> Mapping[str, Term]:
        """The terms it sums, by the names they are reported under."""
        return self._terms

    def _run(self, values: Values, joined: Mapping[str, Tensor] | None = None) -> None:
        if torch.compiler.is_compiling():
            # Flags cannot be turned inside a compiled region; detached weights say the same at no cost there.
            self._evaluator.run(self._groups, values, joined=joined, detached=frozenset(self._frozen))
        else:
            with _without_weight_gradients(self._frozen.values()):
                self._evaluator.run(self._groups, values, joined=joined)

    def _logits(self, term: Adversary, judged: tuple[str, ...], values: Mapping[str, Value]) -> Value:
        return values[self._logits_of[term.discriminator, judged]]

    def _compared(self, term: Comparison, values: Mapping[str, Value]) -> Tensor:
        signals = {name: one_tensor(values[name], name) for name in term.signals}
        prediction, target = signals[term.prediction], signals[term.target or term.prediction]
        if prediction.ndim == target.ndim == 4 and prediction.shape[2:] != target.shape[2:]:
            raise NetworkOutputError(
                f"the term {term.name!r}: {term.prediction} has shape {tuple(prediction.shape)} and {term.target} "
                f"{tuple(target.shape)}: what is compared has one height and width"
            )
        if term.where is None:
            return self._measured(term, [signals[name] for name in term.signals])
        # sample by sample, since which are there is known to the device alone
        present = one_tensor(values[term.where], term.where).flatten() > 0.5
        each = [
            self._measured(term, [signals[name][place : place + 1] for name in term.signals])
            for place in range(len(present))
        ]
        return torch.where(present, torch.stack(each), 0).sum() / present.sum().clamp(min=1)

    def _measured(self, term: Comparison | Regularizer, given: Sequence[Value]) -> Tensor:
        criterion = self._measures.criteria[term.criterion]
        return self._scalar(term, called(criterion, given, f"the term {term.name!r}", term.criterion))

    def _scalar(self, term: Term, loss: object) -> Tensor:
        if not isinstance(loss, Tensor) or loss.shape != ():
            got = str(tuple(loss.shape)) if isinstance(loss, Tensor) else type(loss).__name__
            raise NetworkOutputError(
                f"the term {term.name!r}: {term.criterion!r} must return a scalar tensor, got {got}"
            )
        return loss

    def _summed(self, losses: Mapping[str, Tensor], weights: Mapping[str, Tensor] | None) -> Tensor:
        now = {name: ramp.at(None) for name, ramp in self.ramps.items()} if weights is None else weights
        weighted = [
            (term.weight if isinstance(term.weight, float | int) else now[name]) * self._scalar(term, losses[name])
            for name, term in self._terms.items()
        ]
        if not weighted:
            return torch.zeros(())
        return sum(weighted[1:], start=weighted[0])


class GeneratorObjective(Objective):
    """The generators' loss: comparisons, and how far they are from fooling the discriminators."""

    def forward(self, batch: Batch, weights: Mapping[str, Tensor] | None = None) -> Losses:
        """Return the generators' losses.

        Args:
            batch: The plan's input signals by name, images and maps in [-1, 1].
            weights: The present weights of `ramps`, scalars; by default those they end at.

        Returns:
            Total, terms, and the generated signals with their gradient.
        """
        values: Values = {name: batch[name] for name in self.plan.inputs}
        self._run(values)
        losses = {name: self._loss(term, values) for name, term in self._terms.items()}
        generated = [name for name in self._evaluator.graph.generated if name in values]
        signals = {name: one_tensor(values[name], name) for name in generated}
        return Losses(self._summed(losses, weights), losses, signals)

    def _loss(self, term: Term, values: Mapping[str, Value]) -> Tensor:
        if isinstance(term, Comparison):
            return self._compared(term, values)
        if isinstance(term, Regularizer):
            return self._measured(term, [values[name] for name in term.features])
        measure = self._measures.adversarial[term.criterion]
        fake = self._logits(term, term.fake, values)
        if term.confused:
            return confusion(measure, fake, self._logits(term, term.real, values))
        if not measure.needs_real:
            return measure.generator(fake)
        # The real side trains the discriminator alone, whatever it holds.
        return measure.generator(fake, _detached(self._logits(term, term.real, values)))


class DiscriminatorObjective(Objective):
    """The discriminators' loss: telling real from generated, and what their heads say of real inputs."""

    def forward(
        self,
        batch: Batch,
        signals: Batch,
        history: Batch | None = None,
        weights: Mapping[str, Tensor] | None = None,
    ) -> Losses:
        """Return the discriminators' losses.

        Args:
            batch: The plan's input signals by name, images and maps in [-1, 1].
            signals: The generated signals the plan takes as given; they are detached here.
            history: By adversary, what its discriminator judges as generated in place of this batch's
                signals: the fake tuple as `CycleModel.fakes` gives it, from a history pool.
            weights: The present weights of `ramps`, scalars; by default those they end at.

        Returns:
            Total, scaled by the schedule's factor, and terms.
        """
        values: Values = {name: batch[name] for name in self.plan.inputs}
        values.update({name: signals[name].detach() for name in self.plan.given})
        joined = {
            self._logits_of[term.discriminator, term.fake]: history[name].detach()
            for name, term in self._terms.items()
            if history is not None and name in history and isinstance(term, Adversary)
        }
        self._run(values, joined)
        losses = {name: self._loss(term, values, history or {}) for name, term in self._terms.items()}
        scale = self._evaluator.graph.schedule.discriminator_scale
        return Losses(self._summed(losses, weights) * scale, losses, {})

    def _loss(self, term: Term, values: Mapping[str, Value], history: Batch) -> Tensor:
        if isinstance(term, Comparison):
            return self._compared(term, values)
        if isinstance(term, Regularizer):
            return self._penalty(term, values, history)
        real, fake = (self._logits(term, judged, values) for judged in (term.real, term.fake))
        return self._measures.adversarial[term.criterion].discriminator(real, fake)

    def _penalty(self, term: Regularizer, values: Mapping[str, Value], history: Batch) -> Tensor:
        evaluator, name = self._evaluator, term.discriminator
        if term.adversary in history:
            fake = evaluator.points_of_history(name, term.fake, history[term.adversary])
        else:
            fake = evaluator.points(name, term.fake, values)
        real = evaluator.points(name, term.real, values)
        judge = evaluator.judge(name, term.real, values, detached=name in self._frozen)
        try:
            return self._measures.penalties[term.criterion](judge, real, fake)
        except (RuntimeError, TypeError, ValueError) as error:
            error.add_note(f"while computing {term.name}")
            raise


def _used_as_they_are(plan: LossPlan) -> frozenset[str]:
    """Return the networks that a plan uses, but never trains."""
    uses = {evaluation.network: evaluation.stopped for evaluation in plan.evaluations}
    uses.update((e.network, False) for e in plan.evaluations if not e.stopped)
    return frozenset(name for name, stopped in uses.items() if stopped)


def _trains(part: nn.Module) -> bool:
    return any(weight.requires_grad for weight in part.parameters())


def _detached(value: Value) -> Value:
    return value.detach() if isinstance(value, Tensor) else [scale.detach() for scale in value]


@contextmanager
def _without_weight_gradients(modules: Iterable[nn.Module]) -> Generator[None]:
    weights = [weight for module in modules for weight in module.parameters() if weight.requires_grad]
    for weight in weights:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in weights:
            weight.requires_grad_(True)
