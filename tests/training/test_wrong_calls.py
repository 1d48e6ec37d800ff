"""Wrong calls of the room's doors, some hundreds of them: each ends in one clear line of ours."""

import random
import traceback
from pathlib import Path

import pytest
import torch

import cyclekit
from cyclekit import CycleKitError
from cyclekit.training import (
    AdversarialStep,
    create_optimizers,
    latest_checkpoint,
    linear_decay,
    load_checkpoint,
    moving_average,
    run_lock,
    save_checkpoint,
)
from tests.model.tiny import PIX2PIX, built
from tests.training.small import adam, assert_equal, batches, copied, stepping

ODD = (None, True, -1, 2.5, float("nan"), "x", b"x", (), [], [1], {}, {"x": 1}, object(), int, torch.zeros(2), 10**30)


def right_calls(folder):
    """Return each door with a call that is right: its positional and keyword arguments."""
    model = built(PIX2PIX)
    optimizers = create_optimizers(model, adam)
    step = AdversarialStep(model, optimizers)
    whole = save_checkpoint(folder / "whole", 1, model, {"step": step})
    steps = {"model": model, "optimizers": optimizers, "accumulate": 1, "seed": 0, "wrap": None}
    return model, {
        AdversarialStep: steps,
        create_optimizers: {"model": model, "create": adam},
        linear_decay: {"optimizer": optimizers["generators"], "constant": 2, "decay": 2},
        moving_average: {"model": model, "decay": 0.5},
        save_checkpoint: {"root": folder / "new", "iteration": 1, "model": model, "parts": {"step": step}},
        load_checkpoint: {"folder": whole, "model": model, "parts": {"step": step}},
        latest_checkpoint: {"root": folder},
        run_lock: {"folder": folder},
        step: {"batch": batches(PIX2PIX)[0]},
    }


# What of the odd values is right after all.
ALLOWED = {
    ("AdversarialStep", "accumulate"): (10**30,),
    ("AdversarialStep", "seed"): (-1,),
    ("AdversarialStep", "wrap"): (None, int),  # a function, though it fails of itself
    ("create_optimizers", "create"): (int,),
    ("moving_average", "decay"): (True,),
    ("save_checkpoint", "parts"): ({},),
    ("save_checkpoint", "iteration"): (10**30,),
    ("save_checkpoint", "root"): ("x",),
    ("linear_decay", "constant"): (10**30,),
    ("linear_decay", "decay"): (10**30,),
    ("latest_checkpoint", "root"): ("x",),
    ("run_lock", "folder"): ("x",),
}


def test_wrong_calls_end_in_one_clear_error(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    model, calls = right_calls(tmp_path)
    before, endings, tried = copied(model), [], 0
    for door, arguments in calls.items():
        name = getattr(door, "__name__", "step")
        for argument in arguments:
            for odd in ODD:
                if any(
                    odd is one or (type(odd) is type(one) and odd == one) for one in ALLOWED.get((name, argument), ())
                ):
                    continue
                tried += 1
                try:
                    made = door(**{**arguments, argument: odd})
                    if door is run_lock:
                        made.__enter__()
                except Exception as error:
                    if not clear(error):
                        endings.append(f"{name}({argument}={odd!r}): {type(error).__name__}: {error}")
                else:
                    endings.append(f"{name}({argument}={odd!r}) was accepted")
    assert not endings, "\n".join(endings)
    assert tried > 250
    assert_equal(model.state_dict(), before)


def clear(error):
    """Whether an error is ours: raised by the library on purpose, in one line that says what it got."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    own = Path(last.filename).is_relative_to(Path(cyclekit.__file__).parent) and "raise" in (last.line or "")
    return own and isinstance(error, CycleKitError | ValueError) and "\n" not in str(error)


@pytest.mark.parametrize("seed", range(3))
def test_wrong_batches_change_nothing(seed):
    numbers = random.Random(seed)
    model = built(PIX2PIX)
    step, before = stepping(model), copied(model)
    (batch,) = batches(PIX2PIX)
    for _ in range(40):
        name = numbers.choice(sorted(batch))
        value = numbers.choice((batch[name][:, :1], batch[name][0], batch[name][:0], batch[name].long(), *ODD[:-2]))
        with pytest.raises(CycleKitError) as caught:
            step({**batch, name: value})
        assert "\n" not in str(caught.value)
        assert repr(name) in str(caught.value)
    assert_equal(model.state_dict(), before)
    assert step.iteration == 0
