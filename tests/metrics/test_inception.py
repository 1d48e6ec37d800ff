"""Inception behind torch-fidelity, with weights of the real structure made here."""

import subprocess
import sys

import pytest
import torch

from cyclekit._timm import import_over_torchvision
from cyclekit.metrics import InceptionFeatures, extract_features, frechet_distance


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    module = import_over_torchvision("torch_fidelity.feature_extractor_inceptionv3")

    class Fresh(module.FeatureExtractorInceptionV3):
        """The network with the weights that torch draws, where a release is loaded otherwise."""

        def load_state_dict(self, state_dict, strict=True, assign=False):
            assert state_dict == {}

    path = tmp_path_factory.mktemp("inception") / "weights.pth"
    torch.save({}, path)
    torch.manual_seed(0)
    torch.save(Fresh("fresh", ["2048"], feature_extractor_weights_path=path).state_dict(), path)
    return path


@pytest.fixture(scope="module")
def images():
    return torch.rand(2, 3, 32, 40, generator=torch.Generator().manual_seed(1))


def test_features_and_logits_are_torch_fidelitys(weights, images):
    module = import_over_torchvision("torch_fidelity.feature_extractor_inceptionv3")
    layers = ["2048", "logits_unbiased"]
    theirs = module.FeatureExtractorInceptionV3("theirs", layers, feature_extractor_weights_path=weights)
    with torch.no_grad():
        expected = theirs((255 * images).round().to(torch.uint8))
    for output, features, length in zip(("features", "logits"), expected, (2048, 1008), strict=True):
        network = InceptionFeatures(weights, output)
        assert not any(weight.requires_grad for weight in network.parameters())
        found = extract_features(network, [images])
        assert found.shape == (2, length)
        torch.testing.assert_close(found, features.double())
    scaled = extract_features(network, [images * 2 - 0.5])  # what lies outside [0, 1] is cut off, not wrapped around
    torch.testing.assert_close(scaled, extract_features(network, [(images * 2 - 0.5).clamp(0, 1)]))
    assert frechet_distance(found, found) < 1e-6


def test_an_image_that_is_not_finite_has_no_features(weights, images):
    network = InceptionFeatures(weights)
    broken = images.clone()
    broken[0, 1, 2, 3] = torch.nan
    found = extract_features(network, [broken])
    assert found[0].isnan().all()
    torch.testing.assert_close(found[1:], extract_features(network, [images[1:]]))


@pytest.mark.slow
def test_compiles_as_one_graph(weights, images):
    network = InceptionFeatures(weights)
    compiled = torch.compile(network, fullgraph=True, backend="eager")
    torch.testing.assert_close(extract_features(compiled, [images]), extract_features(network, [images]))


def test_missing_weights_say_where_they_are(tmp_path):
    message = r"no Inception weights at .*absent\.pth; .*fetch weights-inception-2015-12-05-6726825d\.pth from"
    with pytest.raises(FileNotFoundError, match=message):
        InceptionFeatures(tmp_path / "absent.pth")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<html>Not Found</html>", "holds no weights that can be read"),
        (b"", "holds no weights that can be read"),
        ({"fc.weight": torch.zeros(10, 2048)}, "holds the weights of another network"),
        ([1, 2], "holds the weights of another network"),
    ],
)
def test_other_files_are_refused(tmp_path, content, message):
    path = tmp_path / "weights.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    with pytest.raises(ValueError, match=rf"weights\.pth {message}; fetch weights-inception"):
        InceptionFeatures(path)


def test_a_truncated_file_is_refused(tmp_path, weights):
    path = tmp_path / "weights.pth"
    path.write_bytes(weights.read_bytes()[:1_000_000])
    with pytest.raises(ValueError, match="holds no weights that can be read"):
        InceptionFeatures(path)


def test_code_in_a_file_never_runs(tmp_path):
    class Malicious:
        def __reduce__(self):
            return print, ("run",)

    path = tmp_path / "weights.pth"
    torch.save(Malicious(), path)
    with pytest.raises(ValueError, match="holds no weights that can be read"):
        InceptionFeatures(path)


def test_without_torch_fidelity_the_extra_is_named(weights):
    code = (
        "import sys; sys.modules['torch_fidelity'] = None\n"
        "from cyclekit.metrics import InceptionFeatures\n"
        "try:\n"
        f"    InceptionFeatures({str(weights)!r})\n"
        "except ImportError as error:\n"
        "    print(error)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "InceptionFeatures needs torch-fidelity: pip install torch-fidelity"
