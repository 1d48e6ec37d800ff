"""What a training step does to the weights, against the same written out by hand."""

import pytest
import torch

from cyclekit import GraphError, HistoryPool, Image, Schedule, StandIn
from cyclekit.errors import SignalError
from cyclekit.graph import CycleGraph
from cyclekit.training import AdversarialStep, create_optimizers
from tests.model.tiny import C2GAN, TinyGenerator, built, networks
from tests.training.hand import Hands, stepped
from tests.training.hand import adam as hand_adam
from tests.training.small import adam, batches, changed, copied, scheduled, stepping, trained

SEQUENTIAL = Schedule.sequential("G_I", "D_I", "G_K", "D_K")


def twin(graph):
    """Return the same weights as `built` gives, for the hand."""
    return Hands.of(built(graph))


def assert_same_weights(model, hands):
    for name, network in hands._asdict().items():
        learned = model.generators[name] if name in model.generators else model.discriminators[name]
        torch.testing.assert_close(learned.state_dict(), network.state_dict())


def pools(size):
    """Pools as the step makes them: one for each discriminator, seeded in order."""
    return {"D_I": HistoryPool(size, 0), "D_K": HistoryPool(size, 1)}


@pytest.mark.parametrize("size", [0, 3])
def test_joint_play_is_what_the_hand_writes(size):
    graph, data = scheduled(history=size), batches(count=5)
    model = trained(graph, data)
    hands, history = twin(graph), pools(size)
    assert not torch.equal(model.generators["G_I"].layers[0].weight, hands.G_I.layers[0].weight)
    on_generators, on_discriminators = hand_adam(hands.G_I, hands.G_K), hand_adam(hands.D_I, hands.D_K)
    for batch in data:
        terms, made = hands.terms(batch)
        stepped(on_generators, sum(terms.values()))
        judged = sum(hands.judged(name, batch, made, history[name]) for name in ("D_I", "D_K"))
        stepped(on_discriminators, judged)
    assert_same_weights(model, hands)


def test_a_history_makes_a_difference():
    data = batches(count=5)
    with_pools, without = (trained(scheduled(history=size), data) for size in (3, 0))
    assert changed(with_pools, copied(without)) == {"G_I", "G_K", "D_I", "D_K"}


def test_sequential_play_is_what_the_hand_writes():
    graph, data = C2GAN.replace(schedule=SEQUENTIAL), batches(count=3)
    model = trained(graph, data)
    hands, history = twin(graph), pools(50)
    on = {name: hand_adam(network) for name, network in hands._asdict().items()}
    for batch in data:
        terms, made = hands.terms(batch)
        stepped(on["G_I"], sum(terms.values()))
        stepped(on["D_I"], hands.judged("D_I", batch, made, history["D_I"]))
        terms, made = hands.terms(batch)  # another forward pass: it sees the new G_I and the new D_I
        stepped(on["G_K"], sum(terms[name] for name in ("K2G2K", "K2R2K", "D_K on y*", "D_K on x*")))
        stepped(on["D_K"], hands.judged("D_K", batch, made, history["D_K"]))
    assert_same_weights(model, hands)


def test_sequential_play_changes_each_network_in_its_turn():
    model = built(C2GAN.replace(schedule=SEQUENTIAL))
    optimizers = create_optimizers(model, adam)
    turns, before = [], copied(model)

    def after(*_):
        turns.append(changed(model, before))
        before.update(copied(model))

    for optimizer in reversed(optimizers.values()):
        optimizer.register_step_post_hook(after)
    # the schedule's order counts, not that of the dict
    step = AdversarialStep(model, dict(reversed(optimizers.items())))
    played = step(batches()[0])
    assert turns == [{"G_I"}, {"D_I"}, {"G_K"}, {"D_K"}]
    assert [name for name in played.losses if name.endswith("/total")] == [
        "G_I/total",
        "D_I/total",
        "G_K/total",
        "D_K/total",
    ]
    assert "G_K/y* ~ y" not in played.losses  # which does not train it


def test_discriminators_first_is_what_the_hand_writes():
    graph, data = scheduled(order=("discriminators", "generators")), batches(count=4)
    model = trained(graph, data)
    hands, history = twin(graph), pools(50)
    on_generators, on_discriminators = hand_adam(hands.G_I, hands.G_K), hand_adam(hands.D_I, hands.D_K)
    for batch in data:
        made = hands.generated(batch)
        judged = sum(hands.judged(name, batch, made, history[name]) for name in ("D_I", "D_K"))
        stepped(on_discriminators, judged)
        stepped(on_generators, sum(hands.terms(batch)[0].values()))
    assert_same_weights(model, hands)


def test_discriminators_step_several_times_for_each_step_of_the_generators():
    graph, data = scheduled(order=("discriminators", "generators"), discriminator_steps=3), batches(count=6)
    model = built(graph)
    step = stepping(model)
    hands, history = twin(graph), pools(50)
    on_generators, on_discriminators = hand_adam(hands.G_I, hands.G_K), hand_adam(hands.D_I, hands.D_K)
    for number, batch in enumerate(data, start=1):
        before = copied(model)
        played = step(batch)
        assert changed(model, before) == {"D_I", "D_K"} | ({"G_I", "G_K"} if number % 3 == 0 else set())
        assert ("generators/total" in played.losses) == (number % 3 == 0)
        made = hands.generated(batch)
        judged = sum(hands.judged(name, batch, made, history[name]) for name in ("D_I", "D_K"))
        stepped(on_discriminators, judged)
        if number % 3 == 0:
            stepped(on_generators, sum(hands.terms(batch)[0].values()))
    assert_same_weights(model, hands)
    assert step.iteration == 6


def test_keypoint_cycles_train_the_image_generator():
    """The released code's mistake: with any weight of the keypoint losses its G_I came out the same."""
    (batch,) = batches()

    def sgd(weights):
        return torch.optim.SGD(weights, 1e-3)

    light, heavy = (
        trained(C2GAN.reweight({"K2G2K": weight}), [batch], create=sgd).generators["G_I"].state_dict()
        for weight in (10, 1000)
    )
    hands = twin(C2GAN)
    names, weights = zip(*hands.G_I.named_parameters(), strict=True)
    gradients = torch.autograd.grad(l1_of_keypoints(hands, batch), weights)
    for name, gradient in zip(names, gradients, strict=True):
        assert gradient.abs().max() > 1e-4
        torch.testing.assert_close(light[name] - heavy[name], 1e-3 * 990 * gradient)


def l1_of_keypoints(hands, batch):
    return (hands.generated(batch)["Ly*"] - batch["Ly"]).abs().mean()


def test_a_step_reports_unweighted_terms_and_detached_signals():
    (batch,) = batches()
    hands = twin(C2GAN)
    terms, made = hands.terms(batch)
    played = stepping(built(C2GAN))(batch)
    torch.testing.assert_close(played.losses["generators/total"], sum(terms.values()).detach())
    torch.testing.assert_close(played.losses["generators/I2I2I"], (terms["I2I2I"] / 10).detach())
    torch.testing.assert_close(played.losses["generators/D_K(Ly*)"], terms["D_K on y*"].detach())
    judged = sum(hands.judged(name, batch, made, pool) for name, pool in pools(50).items())
    torch.testing.assert_close(played.losses["discriminators/total"], judged.detach())
    torch.testing.assert_close(played.signals, {name: signal.detach() for name, signal in made.items()})
    assert not any(value.requires_grad for value in (*played.losses.values(), *played.signals.values()))


def with_a_stand_in(schedule):
    """C2GAN whose G_K waits for three steps, with batch normalisation, which would show any training pass."""
    graph = C2GAN.replace(losses="y* ~ y ; x -G_K-> _ ~ Lx", schedule=schedule)
    parts = networks(graph, "batch")
    torch.manual_seed(5)
    parts["generators"]["pose"] = TinyGenerator(3, (graph.domains["Ly"],), "batch")
    return graph.build(**parts).to(torch.float64)


WAITING = (StandIn("G_K", "pose", 3),)


@pytest.mark.parametrize(
    "schedule",
    [
        Schedule(stand_ins=WAITING),
        Schedule(stand_ins=WAITING, backward="per_cycle"),
        Schedule(stand_ins=WAITING, order=("discriminators", "generators")),
        Schedule(stand_ins=WAITING, order=("G_I", "D_I", "G_K", "D_K")),
        Schedule(stand_ins=WAITING, order=("D_I", "D_K", "G_K", "G_I")),
    ],
    ids=lambda schedule: f"{schedule.backward}-{'-'.join(schedule.order)}",
)
def test_a_stand_in_takes_its_turn_and_goes(schedule):
    model = with_a_stand_in(schedule)
    step = stepping(model)
    pose = model.generators["pose"]
    for number, batch in enumerate(batches(count=5)):
        before = copied(model)
        expected = pose(model.generators["G_I"](torch.cat([batch["x"], batch["Ly"]], 1)))
        model.load_state_dict(before)  # the line above has moved the statistics of batch normalisation
        played = step(batch)
        stands_in = number < 3
        # what a stand-in makes teaches no discriminator
        assert changed(model, before) == {"G_I", "D_I"} | (set() if stands_in else {"G_K", "D_K"})
        trained_by_it = [name for name in played.losses if name.endswith("x -G_K-> _ ~ Lx")]
        assert bool(trained_by_it) != stands_in
        if schedule.order[0] == "generators" and schedule.backward == "joint":
            assert torch.allclose(played.signals["Ly*"], expected) == stands_in


def test_optional_terms_follow_the_batch():
    graph = CycleGraph(
        {"x": Image(1), "y": Image(1), "z": Image(1)},
        maps="x -G-> y* ; x -H-> z*",
        losses="y* ~ y ; z* ~ z",
        adversaries="D: z* vs z",
        optional=["z* ~ z", "D"],
    )
    model = built(graph)
    wraps = []
    step = stepping(model, wrap=lambda objective: wraps.append(objective) or objective)
    full = batches(graph)[0]
    for names, learned, paid in [
        ("xyz", {"G", "H", "D"}, {"y* ~ y", "z* ~ z", "D(z*)"}),
        ("xy", {"G"}, {"y* ~ y"}),
        ("xyz", {"G", "H", "D"}, {"y* ~ y", "z* ~ z", "D(z*)"}),
    ]:
        before = copied(model)
        played = step({name: full[name] for name in names})
        assert changed(model, before) == learned
        assert {name.partition("/")[2] for name in played.losses} == paid | {"total"}
    assert step.pools["D"].seen == 4
    assert len(wraps) == 3  # generators with all terms, generators with one, the discriminator


def test_frozen_generators_stay():
    graph = C2GAN.replace(frozen=["G_K"])
    model = built(graph, "batch")
    before = copied(model)
    step = stepping(model)
    for batch in batches(count=2):
        step(batch)
    assert changed(model, before) == {"G_I", "D_I", "D_K"}
    alone = graph.replace(schedule=Schedule.sequential("G_I", "G_K", "D_I", "D_K"))
    assert list(create_optimizers(built(alone), adam)) == ["G_I", "D_I", "D_K"]


@pytest.mark.parametrize("backward", ["joint", "per_cycle"])
def test_every_objective_is_wrapped_once(backward):
    wraps = []
    model = with_a_stand_in(Schedule(stand_ins=WAITING, backward=backward))
    step = stepping(model, wrap=lambda objective: wraps.append(objective) or objective)
    for batch in batches(count=5):
        step(batch)
    assert len(wraps) == len(set(wraps))
    kinds = [type(objective).__name__ for objective in wraps]
    assert kinds.count("DiscriminatorObjective") == 2  # without D_K while the stand-in is there, and with it
    # per cycle: two passes and the comparison of G_K(x) alone once G_K is there
    assert kinds.count("GeneratorObjective") == {"joint": 2, "per_cycle": 3 + 4}[backward]


def test_backward_is_the_callers():
    seen = []

    def backward(loss):
        seen.append(loss.item())
        loss.backward()

    played = stepping(built(C2GAN), backward=backward)(batches()[0])
    assert seen == [played.losses["generators/total"].item(), played.losses["discriminators/total"].item()]


def test_each_discriminator_has_one_pool_for_both_directions():
    model = built(scheduled(history=7))
    step = stepping(model, seed=3)
    step(batches(samples=2)[0])
    assert list(step.pools) == ["D_I", "D_K"]
    assert [int(pool.seed) for pool in step.pools.values()] == [3, 4]
    assert [int(pool.seen) for pool in step.pools.values()] == [4, 4]
    assert step.pools["D_I"].stored_0.shape[:2] == (7, 10)


def test_optimisers_must_be_the_players():
    model = built(C2GAN)
    optimizers = create_optimizers(model, adam)
    with pytest.raises(
        GraphError, match=r"^the players are generators, discriminators; got optimisers for generators$"
    ):
        AdversarialStep(model, {"generators": optimizers["generators"]})
    with pytest.raises(GraphError, match="got optimisers for none"):
        AdversarialStep(model, {})
    with pytest.raises(GraphError, match="generators, discriminators, G_I"):
        AdversarialStep(model, {**optimizers, "G_I": optimizers["generators"]})


def test_a_graph_without_adversaries_has_one_player():
    graph = CycleGraph({"x": Image(1), "y": Image(1)}, maps="x -G-> y*", losses="y* ~ y")
    model = built(graph)
    step = stepping(model)
    before = copied(model)
    assert list(step(batches(graph)[0]).losses) == ["generators/total", "generators/y* ~ y"]
    assert changed(model, before) == {"G"}
    assert list(step.optimizers) == ["generators"]


def test_create_optimizers_gives_each_player_its_own_weights():
    model = built(C2GAN)
    optimizers = create_optimizers(model, adam)
    for player, modules in (("generators", model.generators), ("discriminators", model.discriminators)):
        (group,) = optimizers[player].param_groups
        assert [id(weight) for weight in group["params"]] == [id(weight) for weight in modules.parameters()]


def test_the_first_batch_is_looked_at_and_no_other():
    step, batch = stepping(built(C2GAN)), batches()[0]
    with pytest.raises(SignalError, match=r"'x' is Image.*divide bytes by 255"):
        step({**batch, "x": batch["x"] * 255})
    assert step.iteration == 0
    step(batch)
    step({**batch, "x": batch["x"] * 255})
    assert step.iteration == 2
