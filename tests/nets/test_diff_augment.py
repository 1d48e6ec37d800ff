"""DiffAugment: differentiable, of one draw for a tuple, the same for real and generated."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclekit import NetworkSpec, papers
from cyclekit.errors import OptionError, UnknownNameError
from cyclekit.nets import DiffAugment, create_discriminator, diff_augment

POLICY = ("color", "translation", "cutout")


@settings(deadline=None, max_examples=20)
@given(policy=st.lists(st.sampled_from(POLICY), unique=True), seed=st.integers(0, 999))
def test_a_tuple_is_augmented_by_one_draw(policy, seed):
    """Both halves of a tuple of the same picture twice stay the same, whatever is done to it."""
    torch.manual_seed(seed)
    picture = torch.rand(3, 3, 12, 10) * 2 - 1
    both = diff_augment(torch.cat((picture, picture), 1), tuple(policy))
    torch.testing.assert_close(both[:, :3], both[:, 3:])


@pytest.mark.parametrize("name", POLICY)
def test_it_is_differentiable_and_each_sample_has_its_own(name):
    torch.manual_seed(0)
    image = (torch.rand(1, 3, 8, 8, dtype=torch.float64) * 2 - 1).repeat(6, 1, 1, 1).requires_grad_()
    augmented = diff_augment(image, (name,))
    assert len({tuple(sample.flatten().tolist()) for sample in augmented.detach()}) > 3

    def fixed(value):
        torch.manual_seed(0)
        return diff_augment(value, (name,))

    assert torch.autograd.gradcheck(fixed, image[:2].detach().requires_grad_())


def test_translation_shifts_by_at_most_an_eighth_with_zeros_behind():
    torch.manual_seed(0)
    image = torch.arange(1.0, 257).reshape(1, 1, 16, 16).repeat(200, 1, 1, 1)
    shifts = set()
    for sample in diff_augment(image, ("translation",))[:, 0]:
        top = (sample.amax(1) > 0).nonzero().flatten()
        left = (sample.amax(0) > 0).nonzero().flatten()
        kept = sample[top[0] : top[-1] + 1, left[0] : left[-1] + 1]
        y, x = divmod(int(kept[0, 0]) - 1, 16)
        assert torch.equal(kept, image[0, 0, y : y + len(top), x : x + len(left)])
        shifts.add((int(top[0]) - y, int(left[0]) - x))
    assert {y for y, _ in shifts} == {x for _, x in shifts} == set(range(-2, 3))


def test_cutout_leaves_a_hole_of_half_the_size():
    torch.manual_seed(0)
    holes = (diff_augment(torch.ones(300, 2, 8, 12), ("cutout",)) == 0).float()
    assert torch.equal(holes[:, 0], holes[:, 1])
    assert holes[:, 0].sum((1, 2)).amax() == 4 * 6
    assert holes[:, 0].sum((1, 2)).amin() == 2 * 3  # a hole may hang over a corner by half
    assert (holes.mean((0, 1)) > 0.04).all()


def test_colours_of_pictures_alone_change():
    torch.manual_seed(0)
    image = torch.rand(4, 24, 6, 6)
    coloured = diff_augment(image, ("color",), pictures=(0, 21))
    assert torch.equal(coloured[:, 3:21], image[:, 3:21])
    assert not torch.allclose(coloured[:, :3], image[:, :3])
    assert not torch.allclose(coloured[:, 21:], image[:, 21:])
    with pytest.raises(ValueError, match="7 channels are no RGB pictures alone"):
        diff_augment(torch.rand(1, 7, 4, 4))
    with pytest.raises(ValueError, match="no RGB picture begins at channel 5 of 7"):
        diff_augment(torch.rand(1, 7, 4, 4), pictures=(5,))
    with pytest.raises(UnknownNameError, match="there is no 'colour'; did you mean 'color'"):
        create_discriminator("diff_augment", 3, policy=("colour",))


def test_the_discriminator_sees_augmented_tuples_in_training_alone():
    torch.manual_seed(0)
    D = create_discriminator("diff_augment", 6, discriminator="patchgan_16", base_channels=2)
    plain = D.discriminator
    image = torch.rand(2, 6, 16, 16)
    assert torch.equal(D.eval()(image), plain(image))
    D.train()
    torch.manual_seed(1)
    judged = D(image)
    torch.manual_seed(1)
    assert torch.equal(judged, plain(diff_augment(image)))
    torch.manual_seed(1)
    logits, features = D.judge_with_features(image)
    assert torch.equal(logits, judged)
    assert len(features) == 2
    with pytest.raises(OptionError, match="has no option 'depth'"):
        create_discriminator("diff_augment", 3, depth=3)


def test_both_sides_of_a_model_learn_through_it():
    torch.manual_seed(0)
    graph = papers.pix2pix().graph.without("y* ~ y")
    spec = NetworkSpec("diff_augment", discriminator="patchgan_16", base_channels=2, policy=("translation", "cutout"))
    model = graph.build(generators=NetworkSpec("unet_64", base_channels=2), discriminators=spec)
    seen = []
    D = model.discriminators["D"]
    assert isinstance(D, DiffAugment)
    D.discriminator.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    batch = {name: torch.rand(2, 3, 64, 64) + 0.1 for name in "xy"}
    signals = model(batch)
    model.generator_loss(batch).total.backward()
    assert all(weight.grad is not None for weight in model.generators["G"].parameters())
    model.discriminator_loss(batch, signals).total.backward()
    assert all(weight.grad is not None for weight in D.parameters())
    judged = torch.cat(seen)  # generated for the generators; generated and real for the discriminators
    assert len(judged) == 6
    assert ((judged == 0).all(1).flatten(1).sum(1) > 200).all()  # each has its hole


def test_it_compiles_in_one_graph():
    compiled = torch.compile(diff_augment, fullgraph=True, backend="eager")
    image = torch.rand(2, 3, 8, 8)
    torch.manual_seed(0)
    expected = diff_augment(image)
    torch.manual_seed(0)
    torch.testing.assert_close(compiled(image), expected)
