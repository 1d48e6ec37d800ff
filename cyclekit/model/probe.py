"""What a function or a criterion does with gradients, found out once, by autograd on tiny tensors."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from cyclekit.graph import Classes, Domain, Label

_SIDE = 32


def without_gradient(part: Callable[..., object], domains: Sequence[Domain]) -> frozenset[int]:
    """Return the places of the inputs that a function or criterion passes no gradient to.

    A module runs with copies of its buffers, so that its statistics stay, and without gradient for its weights.

    Args:
        part: The function or criterion.
        domains: The domain of each of its inputs.

    Returns:
        The places; none where it cannot run on tiny tensors, since then nothing is known.
    """
    if isinstance(part, nn.Module):
        module = part
        state = {name: weight.detach() for name, weight in module.named_parameters()}
        state |= {name: buffer.clone() for name, buffer in module.named_buffers()}
        device = next((held.device for held in state.values()), torch.device("cpu"))

        def run(*inputs: Tensor) -> object:
            return torch.func.functional_call(module, state, inputs)
    else:
        run, device = part, torch.device("cpu")
    with torch.inference_mode(False), torch.enable_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        try:
            inputs = [_sample(domain).to(device).requires_grad_() for domain in domains]
            made = run(*inputs)
            outputs = [made] if isinstance(made, Tensor) else list(made) if isinstance(made, tuple | list) else []
            total = sum((output.sum() for output in outputs), start=torch.zeros(()))
            if not outputs or not total.requires_grad:
                return frozenset(range(len(inputs))) if outputs else frozenset()
            gradients = torch.autograd.grad(total, inputs, allow_unused=True)
        except Exception:  # what it is made for may be larger, or more, than this
            return frozenset()
    return frozenset(place for place, gradient in enumerate(gradients) if gradient is None)  # pyright: ignore[reportUnnecessaryComparison]


def _sample(domain: Domain) -> Tensor:
    if isinstance(domain, Label | Classes):
        one_hot = torch.eye(domain.channels)[torch.arange(2) % domain.channels]
        return one_hot[:, :, None, None].repeat(1, 1, _SIDE, _SIDE) if domain.spatial else one_hot
    shape = (2, domain.channels, _SIDE, _SIDE) if domain.spatial else (2, domain.channels)
    return torch.rand(shape) * 2 - 1
