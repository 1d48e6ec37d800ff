"""timm behind its guard, each case in a process of its own because imports happen once."""

import subprocess
import sys

import torch

from cyclekit._timm import import_timm


def run(code: str) -> str:
    result = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise RuntimeError(result.stderr)
    return result.stdout.strip()


def test_cyclekit_alone_imports_neither_timm_nor_torchvision():
    code = "import sys, cyclekit; print([m for m in ('timm', 'torchvision') if m in sys.modules])"
    assert run(code) == "[]"


def test_a_backbone_runs():
    network = import_timm().create_model("resnet18", features_only=True, pretrained=False).eval()
    features = network(torch.zeros(1, 3, 32, 32))
    assert [feature.shape[-1] for feature in features] == [16, 8, 4, 2, 1]


def test_calling_a_missing_operator_keeps_torchvisions_own_message():
    out = run(
        "from cyclekit._timm import import_timm; import_timm()\n"
        "import torch, torchvision\n"
        "try:\n"
        "    print(torchvision.ops.nms(torch.tensor([[0., 0., 1., 1.]]), torch.ones(1), 0.5).tolist())\n"
        "except RuntimeError as error:\n"
        "    print(error)\n"
    )
    assert out == "[0]" or out.startswith("Couldn't load custom C++ ops")


def test_nothing_is_declared_where_the_operators_exist():
    # A healthy install has them; elsewhere they are declared beforehand, which torchvision cannot tell apart.
    out = run(
        "import torch\n"
        "try:\n"
        "    import torchvision\n"
        "except RuntimeError:\n"
        "    library = torch.library.Library('torchvision', 'FRAGMENT')\n"
        "    for name in ('nms', 'qnms'):\n"
        "        library.define(f'{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor')\n"
        "from cyclekit import _timm\n"
        "_timm.import_timm()\n"
        "print(_timm._declare_missing_operators.cache_info().currsize)\n"
    )
    assert out == "0"


def test_only_what_is_missing_is_declared():
    out = run(
        "import torch\n"
        "library = torch.library.Library('torchvision', 'FRAGMENT')\n"
        "library.define('nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor')\n"
        "from cyclekit import _timm\n"
        "_timm._declare_missing_operators()\n"
        "print(hasattr(torch.ops.torchvision, 'qnms'))\n"
    )
    assert out == "True"


def test_other_errors_of_torchvision_pass(tmp_path):
    (tmp_path / "torchvision.py").write_text("raise RuntimeError('something else')\n")
    out = run(
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from cyclekit._timm import import_timm\n"
        "try:\n"
        "    import_timm()\n"
        "except RuntimeError as error:\n"
        "    print(error)\n"
    )
    assert out == "something else"


def test_a_missing_torchvision_is_named():
    out = run(
        "import sys; sys.modules['torchvision'] = None\n"
        "from cyclekit._timm import import_timm\n"
        "try:\n"
        "    import_timm()\n"
        "except ImportError as error:\n"
        "    print(error)\n"
    )
    assert "torchvision" in out


def test_weights_that_cannot_be_had_say_what_to_do():
    out = run(
        "import os; os.environ['HF_HUB_OFFLINE'] = '1'; os.environ['HF_HOME'] = os.devnull\n"
        "from cyclekit.losses import PerceptualLoss\n"
        "from cyclekit.nets import create_discriminator, create_generator\n"
        "makers = (\n"
        "    lambda: PerceptualLoss('test_resnet'),\n"
        "    lambda: create_generator('timm_unet', 3, 3, backbone='test_resnet', pretrained=True),\n"
        "    lambda: create_discriminator('timm_projected', 3, backbone='test_resnet'),\n"
        ")\n"
        "for make in makers:\n"
        "    try:\n"
        "        make()\n"
        "    except OSError as error:\n"
        "        print(error)\n"
    )
    lines = out.splitlines()
    assert len(lines) == 3
    assert all(line.startswith("timm cannot load the weights of 'test_resnet': ") for line in lines)
    assert all(line.endswith("or pass pretrained=False") for line in lines)
