"""Planned evaluation against evaluation of every term for itself, with nothing shared."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclekit.graph import Adversary, Label, Ramp, Regularizer
from cyclekit.losses import create_criterion
from tests.graph.strategies import graphs
from tests.model.tiny import CRITERIA, FAMILY, batch_of, built

# DualGAN is declared without the clipping of its critics that its loop does.
pytestmark = pytest.mark.filterwarnings("ignore:.*is a wgan without a penalty")


def naive(model, graph, batch, player, signals=None):
    """Return each term's loss, every value computed anew for every use.

    Args:
        signals: For the discriminators: generated signals, taken as they are.
    """
    makers = {output: call for call in graph.calls for output in call.outputs}
    parts = {**model.generators, **model.discriminators}

    def value(name):
        if name in batch:
            return batch[name]
        if signals is not None and name in signals:
            return signals[name].detach()
        call = makers[name]
        inputs = [value(each) for each in call.inputs]
        if call.network == "stop":
            return inputs[0].detach()
        if call.network == "reverse":
            return Reverse.apply(inputs[0])
        if call.network == "add":
            return sum(inputs[1:], inputs[0])
        if call.network == "warp":
            poses = torch.cat(inputs[1:], dim=1)
            return inputs[0] * poses.mean(1, keepdim=True)
        if call.network in graph.all_functions:
            return model.function(call.network)(*inputs)
        part = parts[call.network]
        weights = {name: w.detach() if call.stopped else w for name, w in part.named_parameters()}
        made = torch.func.functional_call(part, weights, (side_by_side(inputs),))
        if call.head is not None:
            return made[call.head]
        position = call.outputs.index(name)
        if isinstance(made, list):
            return made[position]
        channels = [graph.domains[output].channels for output in call.outputs]
        return made[:, sum(channels[:position]) : sum(channels[: position + 1])]

    def side_by_side(inputs):
        size = next((each.shape[2:] for each in inputs if each.ndim == 4), None)
        if size is None:
            return torch.cat(inputs, dim=1)
        return torch.cat(
            [each if each.ndim == 4 else each[..., None, None].expand(*each.shape, *size) for each in inputs],
            1,
        )

    def judged(term, names):
        made = parts[term.discriminator](side_by_side([value(name) for name in names]))
        return made["source"] if isinstance(made, dict) else made

    def penalty(term, names):
        points = [(graph.domains[name], value(name).detach().requires_grad_()) for name in names]
        made = parts[term.discriminator](side_by_side([point for _, point in points]))
        logits = made["source"] if isinstance(made, dict) else made
        moving = [point for domain, point in points if not isinstance(domain, Label)]
        slopes = torch.autograd.grad(logits.sum(), moving, create_graph=True)
        return sum((slope**2).sum() for slope in slopes) / len(logits)

    def regularized(term):
        if term.criterion == "feature_matching":
            see = parts[term.discriminator].trunk
            left, right = (see(side_by_side([value(n) for n in names])) for names in (term.fake, term.real))
            return (left - right.detach()).abs().mean()
        return penalty(term, {"r1": term.real, "r2": term.fake}[term.criterion])

    def measured(term):
        if isinstance(term, Regularizer):
            return regularized(term)
        if not isinstance(term, Adversary):
            measure = MEASURES.get(term.criterion) or CRITERIA.get(term.criterion) or create_criterion(term.criterion)
            return measure(*[value(name) for name in term.signals])
        fooled, told = ADVERSARIES[term.criterion]
        if term.confused and term.criterion == "undecided" and player == "generators":
            return fooled(judged(term, term.fake)).mean() + fooled(judged(term, term.real)).mean()
        if term.confused and player == "generators":
            return told(judged(term, term.fake), judged(term, term.real)).mean()
        if player == "generators":
            return fooled(judged(term, term.fake)).mean()
        return told(judged(term, term.real), judged(term, term.fake)).mean()

    losses = {term.name: measured(term) for term in graph.minimised_by(player) if graph.learners(term, player)}
    return losses, sum(weight_of(graph.term(name)) * loss for name, loss in losses.items())


def weight_of(term):
    return term.weight.end if isinstance(term.weight, Ramp) else term.weight


def cross_entropy(logits, target):
    return -(target * torch.log_softmax(logits, dim=1)).sum(1).mean()


class Reverse(torch.autograd.Function):
    @staticmethod
    def forward(context, signal):
        return signal.clone()

    @staticmethod
    def backward(context, gradient):
        return -gradient


MEASURES = {
    "kl": lambda mean, log_variance=None: (
        (mean**2).flatten(1).sum(1).mean() / 2
        if log_variance is None
        else (mean**2 + log_variance.exp() - log_variance - 1).flatten(1).sum(1).mean() / 2
    ),
    "perceptual": lambda left, right: ((left - right) ** 2).mean(),
    "l1": lambda left, right: (left - right).abs().mean(),
    "l2": lambda left, right: ((left - right) ** 2).mean(),
    "masked": lambda left, right, mask: ((left - right).abs() * (1 + mask)).mean(),
    "cross_entropy": cross_entropy,
}
ADVERSARIES = {
    "lsgan": (lambda fake: (fake - 1) ** 2, lambda real, fake: (real - 1) ** 2 + fake**2),
    "log": (
        lambda fake: torch.log(1 - torch.sigmoid(fake)),
        lambda real, fake: -torch.log(torch.sigmoid(real)) - torch.log(1 - torch.sigmoid(fake)),
    ),
    "nonsaturating": (
        lambda fake: -torch.log(torch.sigmoid(fake)),
        lambda real, fake: -torch.log(torch.sigmoid(real)) - torch.log(1 - torch.sigmoid(fake)),
    ),
    "undecided": (
        lambda either: -(torch.log(torch.sigmoid(either)) + torch.log(1 - torch.sigmoid(either))) / 2,
        lambda real, fake: -torch.log(torch.sigmoid(real)) - torch.log(1 - torch.sigmoid(fake)),
    ),
    "hinge": (lambda fake: -fake, lambda real, fake: (1 - real).clamp(min=0) + (1 + fake).clamp(min=0)),
    "wgan": (lambda fake: -fake, lambda real, fake: fake - real),
}


def learning(model):
    """Return the weights of the networks that learn; naive evaluation freezes nothing."""
    frozen = {id(weight) for name in model.graph.frozen for weight in model.generators[name].parameters()}
    return [weight for weight in model.parameters() if id(weight) not in frozen and weight.requires_grad]


def gradients(total, model):
    weights = learning(model)
    found = torch.autograd.grad(total, weights, allow_unused=True)
    return [torch.zeros_like(w) if g is None else g for w, g in zip(weights, found, strict=True)]


def only(model, kind, found):
    """Keep the gradients of one player's networks; naive evaluation detaches nothing."""
    own = {id(weight) for weight in getattr(model, kind).parameters()}
    weights = learning(model)
    return [g if id(w) in own else torch.zeros_like(g) for w, g in zip(weights, found, strict=True)]


def assert_planned_is_naive(graph, norm="none"):
    model, batch = built(graph, norm), batch_of(graph)
    paid = model.generator_loss(batch)
    losses, total = naive(model, graph, batch, "generators")
    torch.testing.assert_close(paid.terms, losses, rtol=1e-9, atol=1e-9)
    if losses:
        torch.testing.assert_close(paid.total, total, rtol=1e-9, atol=1e-9)
        torch.testing.assert_close(
            gradients(paid.total, model),
            only(model, "generators", gradients(total, model)),
            rtol=1e-8,
            atol=1e-9 * max(1.0, total.item()),  # of a bias before a normalisation, what large terms leave of 0
        )
    if not graph.minimised_by("discriminators"):
        return
    signals = {name: value.detach() for name, value in paid.signals.items()}
    judged = model.discriminator_loss(batch, signals)
    losses, total = naive(model, graph, batch, "discriminators", signals)
    total = total * graph.schedule.discriminator_scale
    torch.testing.assert_close(judged.terms, losses, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(judged.total, total, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(
        gradients(judged.total, model),
        only(model, "discriminators", gradients(total, model)),
        rtol=1e-8,
        atol=1e-9,
    )


@pytest.mark.parametrize("norm", ["none", "instance", "batch"])
@pytest.mark.parametrize("name", FAMILY)
def test_the_family(name, norm):
    assert_planned_is_naive(FAMILY[name], norm)


@pytest.mark.filterwarnings("ignore::cyclekit.GraphWarning")
@settings(max_examples=25, deadline=None)
@given(graphs(), st.sampled_from(sorted(ADVERSARIES)), st.sampled_from(["none", "instance", "batch"]))
def test_random_graphs(graph, adversarial, norm):
    assert_planned_is_naive(graph.replace(adversarial=adversarial), norm)
