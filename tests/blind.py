"""A guard against waiting for a device."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

READERS = ("_local_scalar_dense", "nonzero", "masked_select", "unique", "unique2", "is_nonzero", "equal")


class Blind(TorchDispatchMode):
    """Fails where a tensor's values would be read on the host, but for some tensors that are there already.

    Attributes:
        largest: Bytes of the largest new tensor.
    """

    def __init__(self, on_the_host: Iterable[Tensor] = ()) -> None:
        super().__init__()
        self.on_the_host = {tensor.data_ptr() for tensor in on_the_host}
        self.largest = 0

    def __torch_dispatch__(
        self, function: Any, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        name = function.overloadpacket.__name__
        if name in READERS and args[0].data_ptr() not in self.on_the_host:
            raise AssertionError(f"{name} reads a tensor on the host")
        result = function(*args, **(kwargs or {}))
        if isinstance(result, Tensor) and not name.endswith("_"):
            self.largest = max(self.largest, result.untyped_storage().nbytes())
        return result
