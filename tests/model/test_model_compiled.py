"""Both objectives as one full graph, without a recompilation, without a look at a tensor's values."""

import pytest
import torch
from torch._dynamo.testing import CompileCounter

from cyclekit import HistoryPool
from tests.blind import Blind
from tests.model.tiny import C2GAN, FAMILY, batch_of, built

# DualGAN is declared without the clipping of its critics that its loop does.
pytestmark = pytest.mark.filterwarnings("ignore:.*is a wgan without a penalty")


@pytest.fixture(autouse=True)
def _strict_compiler():
    torch.compiler.reset()
    with torch._dynamo.config.patch(error_on_recompile=True):
        yield
    torch.compiler.reset()


def detached(signals):
    """Return signals as a compiled region takes them without a warning from torch."""
    return {name: value.detach() for name, value in signals.items()}


def gradients(model):
    found = {name: weight.grad for name, weight in model.named_parameters() if weight.grad is not None}
    model.zero_grad(set_to_none=True)
    return found


@pytest.mark.parametrize(
    ("name", "norm"),
    [*((name, "none") for name in FAMILY), ("c2gan", "batch"), ("stargan", "batch"), ("pg2_second", "batch")],
)
def test_objectives_are_one_graph(name, norm):
    graph = FAMILY[name]
    model = built(graph, norm)
    twin = built(graph, norm)
    compiled = CompileCounter()
    generators = torch.compile(model.generator_objective(), fullgraph=True, backend=compiled)
    discriminators = torch.compile(model.discriminator_objective(), fullgraph=True, backend=compiled)
    pools = {term: HistoryPool(3) for term in model.fakes(batch_of(graph), model.generate(batch_of(graph)))}
    model.load_state_dict(twin.state_dict())  # what generate did to the statistics of batch normalisation
    for _ in range(3):
        batch = batch_of(graph)
        paid, expected = generators(batch), twin.generator_loss(batch)
        torch.testing.assert_close(paid, expected)
        paid.total.backward()
        expected.total.backward()
        torch.testing.assert_close(gradients(model), gradients(twin))
        if not graph.discriminators:
            continue
        history = {term: pools[term](fake) for term, fake in model.fakes(batch, paid.signals).items()}
        given = model.discriminator_objective().plan.given
        made = model.generate({**batch, **paid.signals}, given)  # what no generator's term needs
        judged = discriminators(batch, detached(made), history)
        expected = twin.discriminator_loss(batch, expected.signals, history)
        torch.testing.assert_close(judged, expected)
        judged.total.backward()
        expected.total.backward()
        torch.testing.assert_close(gradients(model), gradients(twin))
    torch.testing.assert_close(model.state_dict(), twin.state_dict())
    assert compiled.frame_count == (2 if graph.discriminators else 1)


def test_the_models_own_losses_are_one_graph():
    model = built(C2GAN)
    compiled = CompileCounter()
    generator_loss = torch.compile(model.generator_loss, fullgraph=True, backend=compiled)
    discriminator_loss = torch.compile(model.discriminator_loss, fullgraph=True, backend=compiled)
    for _ in range(3):
        batch = batch_of(C2GAN)
        paid = generator_loss(batch)
        torch.testing.assert_close(paid, model.generator_loss(batch))
        signals = detached(paid.signals)
        judged = discriminator_loss(batch, signals)
        torch.testing.assert_close(judged, model.discriminator_loss(batch, signals))
        paid.total.backward()
        assert all(weight.grad is None for weight in model.discriminators.parameters())
    assert compiled.frame_count == 2


def played(model, batch):
    paid = model.generator_loss(batch)
    paid.total.backward()
    judged = model.discriminator_loss(batch, paid.signals, model.fakes(batch, paid.signals))
    if model.graph.discriminators:
        judged.total.backward()


@pytest.mark.parametrize("name", FAMILY)
def test_nothing_waits_for_the_device(name):
    model, batch = built(FAMILY[name], "batch"), batch_of(FAMILY[name])
    with Blind():
        played(model, batch)


@pytest.mark.parametrize("name", FAMILY)
def test_both_losses_run_without_values(name):
    graph = FAMILY[name]
    with torch.device("meta"):
        model = built(graph, "instance")
        batch = {name: torch.empty_like(value, device="meta") for name, value in batch_of(graph).items()}
        played(model, batch)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_no_synchronisation_on_a_gpu():
    model = built(C2GAN).cuda()
    batch = {name: value.cuda() for name, value in batch_of(C2GAN).items()}
    played(model, batch)
    torch.cuda.set_sync_debug_mode("error")
    try:
        played(model, batch)
    finally:
        torch.cuda.set_sync_debug_mode("default")
