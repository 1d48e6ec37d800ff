import pytest
import torch


@pytest.fixture(autouse=True)
def fresh_compiler():
    """All checked functions share one wrapper, of which the compiler keeps a few versions only."""
    torch.compiler.reset()
