"""Damages a checkpoint's folder in many seeded ways, loads it, and counts what comes of it.

python -m tests.training.damaging 3000 tries thousands and prints the counts; `test_damaged.py` tries some hundreds.
"""

import io
import json
import random
import re
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import torch

from cyclekit import CycleModel, GraphError, NetworkSpec
from cyclekit.model import PretrainedError
from cyclekit.training import CheckpointError, load_checkpoint, save_checkpoint
from tests.model.tiny import PIX2PIX, batch_of
from tests.sums import seal
from tests.training.small import stepping

FILES = ("graph.json", "networks.json", "model.safetensors", "training.pt", "SHA256SUMS")
MODEL_FILES = FILES[:3]
ODD: tuple[Any, ...] = (None, True, -1, 0, 2.5, 1e400, "", "x", "x" * 5000, [], {}, [[]], {"": {}}, [None] * 3, 10**30)


def trained() -> tuple[CycleModel, dict[str, Any]]:
    """Return a small model of registered networks, and the parts of its run."""
    torch.manual_seed(0)
    model = PIX2PIX.build(
        generators=NetworkSpec("resnet_6blocks", base_channels=1),
        discriminators=NetworkSpec("patchgan_16", base_channels=1),
    ).to(torch.float64)
    step = stepping(model)
    step(batch_of(PIX2PIX, size=32))
    return model, {"step": step}


def damage_bytes(content: bytes, numbers: random.Random) -> bytes:
    """Return other bytes than these."""
    kind, at, length = numbers.randrange(7), numbers.randrange(len(content)), numbers.randint(1, 64)
    if kind == 0:
        return content[:at]
    if kind == 1:
        return content[:at] + bytes([content[at] ^ 1 << numbers.randrange(8)]) + content[at + 1 :]
    if kind == 2:
        return content[:at] + b"\0" * length + content[at + length + 1 :] + b"\0"
    if kind == 3:
        return content + numbers.randbytes(length)
    if kind == 4:
        return content[:at] + numbers.randbytes(length) + content[at:]
    if kind == 5:
        return numbers.randbytes(length)
    return b'{"a":' * 100_000 if numbers.random() < 0.5 else b"[" * 100_000


def damage_data(data: Any, numbers: random.Random) -> Any:
    """Return nested data with something in it replaced, removed or added."""
    if isinstance(data, dict | list) and data and numbers.random() < 0.85:
        keys = list(data) if isinstance(data, dict) else list(range(len(data)))
        key = numbers.choice(keys)
        data = data.copy()
        kind = numbers.randrange(12)
        if kind == 0:
            del data[key]
        elif kind == 1 and isinstance(data, dict):
            data[numbers.choice(("odd", "x", ""))] = numbers.choice(ODD)
        else:
            data[key] = damage_data(data[key], numbers)
        return data
    if isinstance(data, torch.Tensor) and numbers.random() < 0.5:
        return numbers.choice((data.flatten()[:0], data[None], data.to(torch.float16), data.to(torch.int64)))
    return numbers.choice(ODD)


def damage(folder: Path, numbers: random.Random) -> str:
    """Damage one file; return how: raw bytes, or content that was written so, with checksums that fit."""
    file = folder / numbers.choice(FILES)
    how = numbers.choice(("bytes", "bytes", "sealed bytes", "sealed content", "missing"))
    if how == "missing":
        file.unlink()
    elif how != "sealed content" or file.suffix not in (".json", ".pt"):
        file.write_bytes(damage_bytes(file.read_bytes(), numbers))
    elif file.suffix == ".json":
        file.write_text(json.dumps(damage_data(json.loads(file.read_text()), numbers)))
    else:
        torch.save(damage_data(torch.load(file, weights_only=True), numbers), file)
    if how.startswith("sealed") and file.name != "SHA256SUMS":
        seal(folder)
        return f"{how} of {file.name}"
    return f"{'missing' if how == 'missing' else 'bytes of'} {file.name}"


def everything(model: CycleModel, parts: dict[str, Any]) -> bytes:
    """Return all that a load could replace, as bytes."""
    states = {name: part.state_dict() for name, part in parts.items()}
    content = io.BytesIO()
    torch.save([model.state_dict(), states, torch.get_rng_state(), random.getstate()], content)
    return content.getvalue()


def attempt(count: int, seed: int, folder: Path) -> Counter[str]:
    """Try a number of damages; return how they ended: refused, loaded, or what went wrong."""
    model, parts = trained()
    whole = save_checkpoint(folder / "run", 1, model, parts)
    broken, endings, numbers = folder / "step-00000001", Counter[str](), random.Random(seed)
    before = everything(model, parts)
    for _ in range(count):
        shutil.rmtree(broken, ignore_errors=True)
        shutil.copytree(whole, broken)
        how = damage(broken, numbers)
        harmless = how.startswith("sealed") or "SHA256SUMS" in how
        for name, error_class in (("load_checkpoint", CheckpointError), ("from_pretrained", PretrainedError)):
            numbers_before = random.getstate(), torch.get_rng_state()
            try:
                load_checkpoint(broken, model, parts) if name == "load_checkpoint" else CycleModel.from_pretrained(
                    broken
                )
            except error_class as error:
                one_line = "\n" not in str(error)
                ending = "refused" if one_line else f"FOREIGN: {how}: several lines"
            except GraphError as error:  # a spec that is null says so
                ending = (
                    "refused"
                    if re.search("is a module of your own; pass|or pass build", str(error))
                    else f"FOREIGN: {how}: {error}"
                )
            except Exception as error:
                ending = f"FOREIGN: {how}: {type(error).__name__}: {str(error)[:120]}"
            else:
                read = how.split()[-1] in (FILES if name == "load_checkpoint" else (*MODEL_FILES, "SHA256SUMS"))
                ending = "loaded" if harmless or not read else f"TAKEN: {how}"
                if name == "load_checkpoint":
                    model, parts = trained()
            random.setstate(numbers_before[0])
            torch.set_rng_state(numbers_before[1])
            endings[f"{name} {ending}"] += 1
            if name == "load_checkpoint" and ending == "refused" and everything(model, parts) != before:
                endings[f"{name} REPLACED: {how}"] += 1
                model, parts = trained()
            before = everything(model, parts)
    return endings


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        for ending, times in sorted(attempt(int(sys.argv[1]), 1, Path(place)).items()):
            print(f"{times:6d} {ending}")
