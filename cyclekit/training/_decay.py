"""Learning-rate decay."""

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler


def linear_decay(optimizer: Optimizer, constant: int, decay: int) -> LRScheduler:
    """Keep the rate for some steps, then bring it to 0 in a straight line, where it stays.

    Args:
        optimizer: Whose rate.
        constant: Steps at the full rate.
        decay: Steps from the full rate to 0; the rate stays full where it is 0.

    Returns:
        A scheduler to step once a round.

    Raises:
        ValueError: A number of steps is negative.

    Source:
        CycleGAN (arXiv 1703.10593), section 4, and C2GAN's released code: 100 epochs, then 100 of decay.

    Example:
        ```python
        import torch
        from cyclekit.training import linear_decay

        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        schedule = linear_decay(optimizer, constant=2, decay=2)
        rates = []
        for _ in range(6):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            schedule.step()
        assert rates == [1.0, 1.0, 1.0, 0.5, 0.0, 0.0]
        ```
    """
    if constant < 0 or decay < 0:
        raise ValueError(f"linear_decay(constant={constant}, decay={decay}): steps must be 0 or more")
    return LambdaLR(optimizer, lambda steps: 1.0 - min(1.0, max(0, steps - constant) / decay) if decay else 1.0)
