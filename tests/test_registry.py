"""Registries: what they keep, find, list and refuse."""

import itertools
from importlib.metadata import EntryPoint, EntryPoints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclekit import _registry
from cyclekit._registry import Registry, suggestion
from cyclekit.errors import UnknownNameError

NAMES = st.text("abz_019", min_size=1, max_size=8)


def networks(*names: str) -> Registry[object]:
    registry: Registry[object] = Registry("generator")
    for name in names:
        registry.register(name)(lambda *args, name=name, **options: (name, args, options))
    return registry


def test_arguments_reach_the_factory_unaltered():
    value = object()
    assert networks("unet").create("unet", 1, norm=value, name_="x") == (
        "unet",
        (1,),
        {"norm": value, "name_": "x"},
    )


def test_an_option_may_be_called_anything():
    registry: Registry[dict[str, object]] = Registry("loss")
    registry.register("any")(lambda **options: options)
    assert registry.create("any", name="a", self="b") == {"name": "a", "self": "b"}


def test_the_decorator_returns_the_factory():
    def factory() -> int:
        return 1

    registry: Registry[int] = Registry("number")
    assert registry.register("one")(factory) is factory
    assert registry.factory("one") is factory


def test_a_duplicate_raises_unless_overridden():
    registry = networks("unet")
    with pytest.raises(ValueError, match=r"generator 'unet' is registered already; .* override=True"):
        registry.register("unet")(lambda: None)
    assert registry.create("unet") == ("unet", (), {})
    registry.register("unet", override=True)(lambda: "new")
    assert registry.create("unet") == "new"


def test_what_cannot_be_registered():
    registry = networks()
    for name in (3, None, b"unet", ["unet"]):
        with pytest.raises(TypeError, match="the name of a generator is a text, got "):
            registry.register(name)
        with pytest.raises(TypeError, match="the name of a generator is a text, got "):
            registry.create(name)
        assert name not in registry
    with pytest.raises(ValueError, match="the name of a generator must not be empty"):
        registry.register(" ")
    with pytest.raises(TypeError, match="generator 'unet' must be a class or function that makes one, got 3"):
        registry.register("unet")(3)
    assert registry.list() == []


def test_an_unknown_name_raises_with_the_nearest():
    registry = networks("unet_128", "unet_256", "resnet_9blocks")
    with pytest.raises(UnknownNameError, match="generator is called 'unet_257'; did you mean 'unet_256' or"):
        registry.create("unet_257")
    with pytest.raises(ValueError, match="known names: resnet_9blocks, unet_128, unet_256"):
        registry.factory("xyz")
    with pytest.raises(UnknownNameError, match="none is known"):
        networks().create("x")


def test_listing_is_in_natural_order_and_by_pattern():
    registry = networks("unet_512", "unet_64", "unet_128", "resnet_9blocks", "resnet_18")
    assert registry.list() == ["resnet_9blocks", "resnet_18", "unet_64", "unet_128", "unet_512"]
    assert registry.list("unet_*") == ["unet_64", "unet_128", "unet_512"]
    assert registry.list("UNET*") == []


@given(st.sets(NAMES))
def test_listing_holds_every_name_once_and_changes_nothing(names):
    registry = networks(*names)
    assert sorted(registry.list()) == sorted(names)
    assert registry.list() == registry.list()
    assert all(name in registry for name in names)


@given(st.lists(st.tuples(NAMES, st.integers(0, 10**6)), min_size=1, max_size=8, unique_by=lambda item: item[1]))
def test_numbers_in_names_count_as_numbers(items):
    numbers = [number for _, number in items]
    registry = networks(*(f"net_{number}" for number in numbers))
    assert registry.list() == [f"net_{number}" for number in sorted(numbers)]


@pytest.fixture
def installed(monkeypatch):
    """Offer two entry points in the group ``cyclekit.generators`` and count how often they are looked up."""
    lookups = itertools.count()
    entries = EntryPoints(
        [
            EntryPoint("ordered", "collections:OrderedDict", "cyclekit.generators"),
            EntryPoint("unet", "collections:Counter", "cyclekit.generators"),
        ]
    )

    def find(*, group: str) -> EntryPoints:
        next(lookups)
        return entries.select(group=group)

    monkeypatch.setattr(_registry, "entry_points", find)
    return lookups


def test_entry_points_are_found_when_needed(installed):
    registry: Registry[object] = Registry("generator", "cyclekit.generators")
    registry.register("unet")(lambda: "own")
    assert registry.create("unet") == "own"
    assert next(installed) == 0, "a known name needs no look-up"
    assert type(registry.create("ordered")).__name__ == "OrderedDict"
    assert registry.list() == ["ordered", "unet"]
    assert registry.create("unet") == "own", "what is registered here wins"
    assert next(installed) == 2, "one look-up serves for good"


def test_a_broken_plugin_hides_no_other(monkeypatch):
    group = "cyclekit.generators"
    entries = EntryPoints(
        [
            EntryPoint("first", "collections:OrderedDict", group),
            EntryPoint("missing", "no_such_module:thing", group),
            EntryPoint("absent", "collections:NoSuchThing", group),
            EntryPoint("constant", "math:pi", group),
            EntryPoint("last", "collections:Counter", group),
        ]
    )
    monkeypatch.setattr(_registry, "entry_points", lambda *, group: entries.select(group=group))
    registry: Registry[object] = Registry("generator", group)
    with pytest.warns(RuntimeWarning) as warned:
        assert registry.list() == ["first", "last"]
    messages = [str(warning.message) for warning in warned]
    assert [message.split("'")[1] for message in messages] == ["missing", "absent", "constant"]
    assert "its plugin 'no_such_module:thing' does not load (ModuleNotFoundError" in messages[0]
    assert registry.list() == ["first", "last"], "and says so once"
    with pytest.raises(UnknownNameError, match=r"the generator 'constant' cannot be had: .*3\.14.* cannot be called"):
        registry.create("constant")
    registry.register("constant", override=True)(lambda: "mended")
    assert registry.create("constant") == "mended"


def test_membership_looks_at_entry_points(installed):
    registry: Registry[object] = Registry("generator", "cyclekit.generators")
    assert "ordered" in registry
    assert "absent" not in registry


def test_suggestion():
    assert suggestion("unet", ["unet_64"]) == "; did you mean 'unet_64'?"
    assert suggestion("l3", ["l1", "hinge"]) == "; did you mean 'l1'?"
    assert suggestion("q", ["b", "a"]) == "; known names: a, b"
    assert suggestion("q", []) == "; none is known"
