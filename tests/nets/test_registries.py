import pickle

import pytest
from torch import nn

from cyclekit.errors import UnknownNameError
from cyclekit.nets import (
    OptionError,
    create_discriminator,
    create_generator,
    generators,
    list_discriminators,
    list_generators,
    register_discriminator,
    register_generator,
)


def test_names_come_in_natural_order():
    assert list_generators("unet*") == ["unet_64", "unet_128", "unet_256", "unet_512"]
    assert list_discriminators("p*gan*")[:3] == ["patchgan_16", "patchgan_70", "patchgan_286"]


def test_a_nearly_right_name_is_suggested():
    with pytest.raises(UnknownNameError, match=r"no generator is called 'unet256'; did you mean 'unet_256'"):
        create_generator("unet256", 3, 3)
    with pytest.raises(UnknownNameError, match=r"no discriminator is called 'patchgan'"):
        create_discriminator("patchgan", 3)


def test_a_wrong_option_names_the_network_and_what_it_takes():
    message = r"generator 'unet_64' has no option 'nrom'; did you mean 'norm'\?; it takes: activation, base_channels"
    with pytest.raises(OptionError, match=message):
        create_generator("unet_64", 3, 3, nrom="batch")
    with pytest.raises(TypeError, match=r"discriminator 'pixelgan' has no option 'layers'; it takes: activation"):
        create_discriminator("pixelgan", 3, layers=2)


def test_what_a_name_settles_is_no_option():
    with pytest.raises(OptionError, match="'unet_256' has no option 'levels'"):
        create_generator("unet_256", 3, 3, levels=7)


def test_a_nearly_right_value_is_suggested():
    with pytest.raises(UnknownNameError, match="argument 'norm': there is no 'bacth'; did you mean 'batch'"):
        create_generator("unet_64", 3, 3, norm="bacth")


def test_channels_must_be_positive():
    with pytest.raises(ValueError, match=r"in_channels \(=0\) must be a positive integer"):
        create_generator("unet_64", 0, 3)
    with pytest.raises(ValueError, match=r"in_channels \(=-1\) must be a positive integer"):
        create_discriminator("patchgan_16", -1)


def test_a_discriminator_without_heads_refuses_them():
    with pytest.raises(OptionError, match=r"discriminator 'patchgan_70' has no heads; those with heads: "):
        create_discriminator("patchgan_70", 3, heads={"cls": 5})
    assert isinstance(create_discriminator("patchgan_16", 3, heads={}, base_channels=2), nn.Module)


def test_own_factories_get_their_options_unaltered():
    given = {}

    @register_generator("test_own_generator", override=True)
    def own(in_channels, out_channels, **options):
        given.update(options)
        return nn.Conv2d(in_channels, out_channels, 1)

    marker = object()
    network = create_generator("test_own_generator", 2, 5, marker=marker)
    assert given == {"marker": marker}
    assert network.weight.shape == (5, 2, 1, 1)
    with pytest.raises(ValueError, match="registered already"):
        register_generator("test_own_generator")(own)


def test_heads_reach_own_discriminators():
    @register_discriminator("test_own_discriminator", override=True)
    def own(in_channels, *, heads=None):
        return nn.ModuleDict({name: nn.Conv2d(in_channels, size, 1) for name, size in (heads or {}).items()})

    assert set(create_discriminator("test_own_discriminator", 3, heads={"cls": 5})) == {"cls"}
    with pytest.raises(ValueError, match=r"heads\['cls'\] \(=0\)"):
        create_discriminator("test_own_discriminator", 3, heads={"cls": 0})


def test_a_network_pickles():
    network = create_generator("unet_64", 3, 3, base_channels=2)
    copy = pickle.loads(pickle.dumps(network))
    assert copy.state_dict().keys() == network.state_dict().keys()
    assert "unet_64" in generators
