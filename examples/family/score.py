"""What a trained model answers, and how far that is from the truth, beside two answers that need no training."""

from collections.abc import Sequence

import torch
from torch import Tensor

from cyclekit import CycleModel
from cyclekit.metrics import psnr, ssim
from tasks import Question

Scores = dict[str, dict[str, float]]


@torch.inference_mode()
def ask(model: CycleModel, question: Question) -> dict[str, Tensor]:
    """Return a model's answer and masks in [0, 1], by signal."""
    domains = model.graph.domains
    given = {
        name: domains[name].normalize(value / 255) if value.dtype == torch.uint8 else value
        for name, value in question.given.items()
    }
    was_training = model.training
    made = model.eval().generate(given, [question.answer, *question.masks])
    model.train(was_training)
    return {name: domains[name].denormalize(value).clamp(0, 1) for name, value in made.items()}


def score(model: CycleModel, question: Question) -> Scores:
    """Return PSNR in dB and SSIM of the model's answer, of copying, and of the mean, against the truth.

    Where the model makes masks, their intersection with the true ones over their union is beside them.
    """
    made, truth = ask(model, question), question.truth / 255
    answers = {"model": made[question.answer], "copy": question.copied / 255, "mean": question.mean.expand_as(truth)}
    scores = {
        name: {"psnr": psnr(answer, truth).mean().item(), "ssim": ssim(answer, truth).mean().item()}
        for name, answer in answers.items()
    }
    for name, true in question.masks.items():
        inside, wanted = made[name] > 0.5, true > 127
        scores["model"]["iou"] = ((inside & wanted).sum() / (inside | wanted).sum().clamp_min(1)).item()
    return scores


def mean_scores(scores: Sequence[Scores]) -> Scores:
    """Return the means over several questions."""
    return {
        name: {kind: sum(one[name][kind] for one in scores) / len(scores) for kind in scores[0][name]}
        for name in scores[0]
    }
