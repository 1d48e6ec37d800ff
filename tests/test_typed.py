"""The checked doors: what they let in, what they say, and where they step aside."""

import inspect
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import Float, Int
from torch import Tensor, nn

from cyclekit._typed import typed
from cyclekit.errors import ShapeError


@typed
def blend(
    image: Float[Tensor, "batch channels height width"],
    target: Float[Tensor, "batch channels height width"],
    weight: float = 0.5,
) -> Float[Tensor, "batch channels height width"]:
    """Mix two images."""
    return torch.lerp(image, target, weight)


@typed
def first(
    scales: Sequence[Float[Tensor, "batch *rest"]],
    named: Mapping[str, Float[Tensor, "batch n"]] | None = None,
    *sizes: int,
    **words: str,
) -> int:
    return len(scales)


class Doubler(nn.Module):
    @typed
    def forward(self, x: Float[Tensor, "batch features"]) -> Float[Tensor, "batch 2*features"]:
        return torch.cat([x, x], dim=1)


IMAGE = torch.zeros(4, 3, 64, 48)


def message(function, *args, **kwargs) -> str:
    with pytest.raises(ShapeError) as caught:
        function(*args, **kwargs)
    return str(caught.value)


def test_the_message_names_function_argument_symbols_and_what_came():
    assert message(blend, IMAGE, torch.zeros(4, 3, 32)) == (
        "blend() argument 'target': expected Float[Tensor, \"batch channels height width\"] "
        "with batch=4, channels=3, height=64, width=48, got float32 tensor of shape (4, 3, 32)"
    )


def test_nothing_is_bound_before_the_first_tensor():
    assert message(blend, IMAGE.int(), IMAGE) == (
        "blend() argument 'image': expected Float[Tensor, \"batch channels height width\"], "
        "got int32 tensor of shape (4, 3, 64, 48)"
    )


def test_method_result_and_expression():
    class Broken(nn.Module):
        @typed
        def forward(self, x: Float[Tensor, "batch features"]) -> Float[Tensor, "batch 2*features"]:
            return x

    assert message(Broken(), torch.zeros(2, 5)) == (
        'Broken.forward() result: expected Float[Tensor, "batch 2*features"] '
        "with batch=2, features=5, got float32 tensor of shape (2, 5)"
    )


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: blend(IMAGE, IMAGE, "a"), "argument 'weight': expected float, got 'a' (str)"),
        (lambda: blend(IMAGE, None), ", got None"),
        (lambda: blend(IMAGE, nn.ReLU()), ", got ReLU"),
        (lambda: first([], None, 1, "2"), "argument 'sizes[1]': expected int, got '2' (str)"),
        (lambda: first([], None, 1, colour=2), "argument 'colour': expected str, got 2 (int)"),
        (
            lambda: first([torch.zeros(2, 1)], {"a": torch.zeros(2, 4), "b": torch.zeros(2, 3)}),
            "with batch=2, n=4, got dict of 'a': float32 tensor of shape (2, 4), 'b': float32 tensor of shape (2, 3)",
        ),
        (
            lambda: first([torch.zeros(2, 1), torch.zeros(3, 1)]),
            "got list of float32 tensor of shape (2, 1), float32 tensor of shape (3, 1)",
        ),
    ],
)
def test_messages_of_other_values(call, expected):
    assert expected in message(call)


def test_variadic_axes_bind_the_names_at_both_ends():
    @typed
    def pick(x: Float[Tensor, "batch *space channels"], index: Int[Tensor, "batch channels"]) -> None:
        del x, index

    assert "with batch=2, channels=5" in message(pick, torch.zeros(2, 3, 4, 5), torch.zeros(2, 4).long())


def test_python_says_itself_what_a_call_lacks():
    with pytest.raises(TypeError, match=r"blend\(\) missing 1 required positional argument: 'target'"):
        blend(IMAGE)
    with pytest.raises(TypeError, match="unexpected keyword argument 'gain'"):
        blend(IMAGE, IMAGE, gain=1)


def test_an_int_is_a_float():
    assert blend(IMAGE, IMAGE + 1, 1).mean() == 1


@given(st.lists(st.integers(1, 3), min_size=4, max_size=4), st.lists(st.integers(1, 3), min_size=3, max_size=5))
def test_the_second_shape_must_be_the_first(one, other):
    for _ in range(2):  # the second time from memory
        if one == other:
            assert list(blend(torch.zeros(one), torch.zeros(other)).shape) == one
        else:
            with pytest.raises(ShapeError):
                blend(torch.zeros(one), torch.zeros(other))


def test_a_remembered_call_still_has_its_result_checked():
    lengths = iter([2, 2, 3])

    @typed
    def drifting(x: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
        return x.new_zeros(next(lengths))

    for _ in range(2):
        assert len(drifting(torch.zeros(2))) == 2
    assert "with n=2, got float32 tensor of shape (3,)" in message(drifting, torch.zeros(2))


def test_a_remembered_call_forgives_nothing_else():
    @typed
    def take(x: Float[Tensor, " n"], flag: bool, names: list[str], **options: int) -> None:
        del x, flag, names, options

    take(torch.zeros(2), True, ["a"], size=1)
    for bad in (
        lambda: take(torch.zeros(2).int(), True, ["a"], size=1),
        lambda: take(torch.zeros(2, 1), True, ["a"], size=1),
        lambda: take(torch.zeros(2), 1, ["a"], size=1),
        lambda: take(torch.zeros(2), True, [1], size=1),
        lambda: take(torch.zeros(2), True, ("a",), size=1),
        lambda: take(torch.zeros(2), True, ["a"], size="1"),
    ):
        message(bad)


def test_more_calls_than_are_remembered():
    for size in range(1, 600):
        assert blend(torch.zeros(1, 1, 1, size), torch.zeros(1, 1, 1, size)).shape[-1] == size


def test_long_lists_are_checked_every_time():
    good = [torch.zeros(2, 1)] * 100
    for _ in range(2):
        assert first(good) == 100
        message(first, [*good, torch.zeros(3, 1)])


def test_no_tensor_is_kept_alive():
    import gc
    import weakref

    image = torch.zeros(1, 1, 2, 2)
    blend(image, image)
    gone = weakref.ref(image)
    del image
    gc.collect()
    assert gone() is None


def test_signature_docstring_and_name_stay():
    assert blend.__name__ == "blend"
    assert blend.__doc__ == "Mix two images."
    assert list(inspect.signature(blend).parameters) == ["image", "target", "weight"]


def test_static_class_methods_and_properties():
    class Holder:
        @staticmethod
        @typed
        def static(x: int) -> int:
            return x

        @classmethod
        @typed
        def of(cls, x: int) -> str:
            return cls.__name__ * x

        @property
        @typed
        def size(self) -> int:
            return "one"

    assert Holder.static(1) == 1
    assert Holder.of(2) == "HolderHolder"
    assert "Holder.static() argument 'x'" in message(Holder.static, "1")
    assert "Holder.size() result: expected int, got 'one' (str)" in message(lambda: Holder().size)


def test_fullgraph_compile():
    compiled = torch.compile(Doubler(), fullgraph=True, backend="eager")
    assert compiled(torch.ones(2, 3)).shape == (2, 6)
    assert torch.compile(blend, fullgraph=True, backend="eager")(IMAGE, IMAGE).shape == IMAGE.shape


def test_compiled_modules_do_not_share_a_recompilation_limit():
    for factor in range(2 * torch._dynamo.config.recompile_limit):

        class Scale(nn.Module):
            @typed
            def forward(self, x: Float[Tensor, " n"], factor: int = factor) -> Float[Tensor, " n"]:
                return x * factor

        compiled = torch.compile(Scale(), fullgraph=True, backend="eager")
        assert compiled(torch.ones(2)).tolist() == [factor, factor]


@pytest.mark.parametrize("strict", [True, False])
def test_export(strict):
    batch = torch.export.Dim("batch", min=2, max=16)
    program = torch.export.export(Doubler(), (torch.ones(4, 3),), dynamic_shapes={"x": {0: batch}}, strict=strict)
    assert program.module()(torch.ones(7, 3)).shape == (7, 6)


def test_under_vmap_and_grad():
    def total(x: Tensor) -> Tensor:
        return Doubler()(x).sum()

    torch.testing.assert_close(torch.func.grad(total)(torch.ones(2, 3)), torch.full((2, 3), 2.0))
    assert torch.func.vmap(Doubler())(torch.ones(5, 2, 3)).shape == (5, 2, 6)


def test_the_environment_turns_it_off():
    code = "from cyclekit._typed import typed\ndef f(x: int) -> int: return x\nprint(typed(f) is f)"
    for value, expected in (("0", "True"), ("1", "False")):
        environment = {**os.environ, "CYCLEKIT_TYPECHECK": value}
        result = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
        )
        assert result.stdout.strip() == expected


def test_one_wrong_pair_among_very_many_is_found():
    @typed
    def count(pairs: Sequence[tuple[int, int]]) -> int:
        return len(pairs)

    pairs = [(number, number) for number in range(100_000)]
    assert count(pairs) == 100_000
    for wrong in ((1, 2.5), (1, 2, 3), [1, 2], (1, (2,)), 7):
        with pytest.raises(ShapeError, match=r"argument 'pairs'"):
            count([*pairs[:50_000], wrong, *pairs[50_000:]])  # pyright: ignore[reportArgumentType]
