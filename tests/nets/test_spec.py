import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclekit.nets import NetworkSpec

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)
OPTIONS = st.dictionaries(st.text(min_size=1, max_size=8), VALUES, max_size=4)


@given(st.text(), OPTIONS)
def test_round_trips(name, options):
    spec = NetworkSpec(name, **options)
    for copy in (
        NetworkSpec.from_dict(json.loads(json.dumps(spec.to_dict()))),
        pickle.loads(pickle.dumps(spec)),
    ):
        assert copy == spec
        assert hash(copy) == hash(spec)
    assert spec.name == name
    assert spec.options.keys() == options.keys()


def test_the_order_of_options_does_not_matter():
    assert NetworkSpec("a", x=1, y=2) == NetworkSpec("a", y=2, x=1)
    assert NetworkSpec("a", x=1) != NetworkSpec("b", x=1)
    assert NetworkSpec("a", x=1) != NetworkSpec("a", x=2)


def test_repr():
    assert repr(NetworkSpec("unet_256", norm="instance")) == "NetworkSpec('unet_256', norm='instance')"
    assert repr(NetworkSpec("unet_256")) == "NetworkSpec('unet_256')"


def test_is_immutable():
    spec = NetworkSpec("unet_256", size=[128, 64])
    with pytest.raises(AttributeError):
        spec.name = "unet_128"
    spec.options["size"] = 1
    assert spec.options == {"size": (128, 64)}


def test_only_plain_data():
    with pytest.raises(TypeError, match=r"option 'act' .* is not plain data"):
        NetworkSpec("unet_256", act=object())


@pytest.mark.parametrize("data", [{}, {"name": 1, "options": {}}, {"name": "a"}, {"name": "a", "options": {}, "x": 1}])
def test_bad_data(data):
    with pytest.raises(ValueError, match="a network spec is"):
        NetworkSpec.from_dict(data)
