"""The final activation, one for all outputs or one for each; the weights' names do not depend on it."""

import pytest
import torch

from cyclekit.nets import create_generator, register_generator

IMAGE_AND_MASK = (("tanh", 3), ("sigmoid", 1))


def test_each_output_has_its_own():
    torch.manual_seed(0)
    bare = create_generator("unet_64", 3, 4, base_channels=2, dropout=0.0, final="none").eval()
    ended = create_generator("unet_64", 3, 4, base_channels=2, dropout=0.0, outputs=IMAGE_AND_MASK).eval()
    ended.load_state_dict(bare.state_dict())
    image = torch.randn(2, 3, 64, 64)
    made, expected = ended(image), bare(image)
    torch.testing.assert_close(made[:, :3], expected[:, :3].tanh())
    torch.testing.assert_close(made[:, 3:], expected[:, 3:].sigmoid())


def test_several_compile_and_export():
    torch.manual_seed(0)
    network = create_generator("stargan", 3, 4, base_channels=2, outputs=IMAGE_AND_MASK).eval()
    image = torch.randn(2, 3, 8, 8)
    compiled = torch.compile(network, fullgraph=True, backend="eager")
    exported = torch.export.export(network, (image,)).module()
    for again in (compiled, exported):
        torch.testing.assert_close(again(image), network(image))


def test_outputs_of_one_kind_end_in_one_activation():
    network = create_generator("resnet_6blocks", 3, 4, base_channels=2, outputs=(("tanh", 3), ("tanh", 1)))
    assert repr(network) == repr(create_generator("resnet_6blocks", 3, 4, base_channels=2, final="tanh"))


def test_the_option_final_wins():
    network = create_generator("residual_mlp", 3, 4, hidden=2, final="sigmoid", outputs=(("tanh", 4),))
    assert isinstance(network.layers[-1], torch.nn.Sigmoid)


def test_an_own_network_gets_final_where_it_takes_it():
    given = []

    @register_generator("test_own_final", override=True)
    def own(in_channels, out_channels, *, final="tanh"):
        given.append(final)
        return torch.nn.Identity()

    register_generator("test_own_without", override=True)(lambda in_channels, out_channels: torch.nn.Identity())
    create_generator("test_own_final", 1, 4)
    create_generator("test_own_final", 1, 4, outputs=IMAGE_AND_MASK)
    assert given == ["tanh", IMAGE_AND_MASK]
    create_generator("test_own_without", 1, 4, outputs=IMAGE_AND_MASK)


@pytest.mark.parametrize(
    ("final", "message"),
    [
        ((("tanh", 3), ("sigmoid", 2)), "must have as many channels as the output, 4"),
        ((("tanh", 4), ("sigmoid", 0)), r"final\[1\] channels \(=0\) must be a positive integer"),
        ((), "must have as many channels as the output, 4"),
        ("softmax", "argument 'final': there is no 'softmax'; known names: none, sigmoid, tanh"),
    ],
)
def test_what_cannot_be(final, message):
    with pytest.raises(ValueError, match=message):
        create_generator("unet_64", 3, 4, base_channels=2, final=final)
