"""A moving average of the weights, which generates better than the weights of any one round."""

from typing import TYPE_CHECKING, Any

from cyclekit._timm import import_timm
from cyclekit.model import CycleModel

if TYPE_CHECKING:
    from timm.utils.model_ema import ModelEmaV3


def moving_average(model: CycleModel, decay: float = 0.999, **options: Any) -> "ModelEmaV3":
    """Return timm's exponential moving average of a model's weights and statistics.

    Its ``update(model)`` goes after each round. Its ``module`` is a `CycleModel` in evaluation mode, to
    generate with and to save. It is a part of a checkpoint as it is.

    Args:
        model: The model, on its device.
        decay: What stays of the average in one round, from 0 to 1.
        **options: Further options of ``timm.utils.ModelEmaV3``: ``use_warmup=True`` averages over fewer
            rounds at the beginning, where ``update(model, step.rounds)`` says how many there were.

    Returns:
        The average, which begins as a copy of the model.

    Source:
        Yazici et al. 2019 (arXiv 1806.04498) for GANs; ``timm.utils.ModelEmaV3``.

    Example:
        ```python
        import torch
        from cyclekit import CycleGraph, Image, NetworkSpec
        from cyclekit.training import AdversarialStep, create_optimizers, moving_average

        graph = CycleGraph({"x": Image(), "y": Image()}, maps="x -G-> y*", losses="y* ~ y")
        model = graph.build(generators=NetworkSpec("unet_64", base_channels=4))
        step = AdversarialStep(model, create_optimizers(model, torch.optim.Adam))
        average = moving_average(model)
        batch = {"x": torch.zeros(2, 3, 64, 64), "y": torch.zeros(2, 3, 64, 64)}
        step(batch)
        average.update(model)
        images = average.module.generate(batch)
        ```
    """
    import_timm()
    from timm.utils.model_ema import ModelEmaV3

    return ModelEmaV3(model, decay=decay, **options)
