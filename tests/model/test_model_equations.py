"""C2GAN's losses against Eq. 2 to 13 of the paper (arXiv 1908.00999), written out."""

import pytest
import torch

from tests.model.tiny import C2GAN, batch_of, built


def log_adversary(discriminate, real, fake):
    """Eq. 2, 3, 8, 9: E log D(real) + E log(1 - D(fake)), which G minimises and D maximises."""
    on_real = torch.log(torch.sigmoid(discriminate(real))).mean()
    on_fake = torch.log(1 - torch.sigmoid(discriminate(fake))).mean()
    return on_fake, -(on_real + on_fake)


def least_squares_adversary(discriminate, real, fake):
    """The released code: G brings D(fake) to 1; D real to 1 and fake to 0."""
    to_fool = ((discriminate(fake) - 1) ** 2).mean()
    return to_fool, ((discriminate(real) - 1) ** 2).mean() + (discriminate(fake) ** 2).mean()


@pytest.mark.parametrize("norm", ["none", "batch"])
@pytest.mark.parametrize(("adversarial", "adversary"), [("log", log_adversary), ("lsgan", least_squares_adversary)])
def test_every_term_is_the_papers(adversarial, adversary, norm):
    graph = C2GAN.replace(adversarial=adversarial)
    model, batch = built(graph, norm), batch_of(graph)
    G_I, G_K = model.generators["G_I"], model.generators["G_K"]
    D_I, D_K = model.discriminators["D_I"], model.discriminators["D_K"]
    x, y, Lx, Ly = (batch[name] for name in ("x", "y", "Lx", "Ly"))

    def joined(*signals):
        return torch.cat(signals, dim=1)

    def l1(left, right):
        return (left - right).abs().mean()

    fake_y = G_I(joined(x, Ly))  # Eq. 1
    fake_x = G_I(joined(fake_y, Lx))
    fake_Ly, fake_Lx = G_K(fake_y), G_K(fake_x)  # Eq. 6, 7
    pairs = {
        "D_I(y*)": adversary(D_I, joined(x, Ly, y), joined(x, Ly, fake_y)),  # Eq. 2
        "D_I(x*)": adversary(D_I, joined(y, Lx, x), joined(y, Lx, fake_x)),  # Eq. 3
        "D_K(Ly*)": adversary(D_K, joined(fake_y, Ly), joined(fake_y, fake_Ly)),  # Eq. 8
        "D_K(Lx*)": adversary(D_K, joined(fake_x, Lx), joined(fake_x, fake_Lx)),  # Eq. 9
    }
    image_cycle = l1(fake_x, x)  # Eq. 5
    keypoint_cycles = l1(fake_Ly, Ly), l1(fake_Lx, Lx)  # Eq. 11
    pixel = l1(fake_y, y)  # Eq. 12
    by_generators = sum(fooled for fooled, _ in pairs.values())  # Eq. 4 and 10
    objective = by_generators + 10 * image_cycle + 10 * sum(keypoint_cycles) + 10 * pixel  # Eq. 13

    paid = model.generator_loss(batch)
    expected = {
        "I2I2I": image_cycle,
        "K2G2K": keypoint_cycles[0],
        "K2R2K": keypoint_cycles[1],
        "y* ~ y": pixel,
    }
    expected |= {name: fooled for name, (fooled, _) in pairs.items()}
    assert list(paid.terms) == list(expected)
    torch.testing.assert_close(paid.terms, expected, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(paid.total, objective, rtol=1e-12, atol=1e-12)

    judged = model.discriminator_loss(batch, paid.signals)
    expected = {name: told for name, (_, told) in pairs.items()}
    assert list(judged.terms) == list(expected)
    torch.testing.assert_close(judged.terms, expected, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(judged.total, sum(expected.values()) / 2, rtol=1e-12, atol=1e-12)


def test_a_history_is_judged_in_place_of_the_fakes():
    model, batch = built(C2GAN), batch_of(C2GAN)
    signals = model.generate(batch)
    fakes = model.fakes(batch, signals)
    assert {name: fake.shape[1] for name, fake in fakes.items()} == {
        "D_I(y*)": 3 + 4 + 3,
        "D_I(x*)": 3 + 4 + 3,
        "D_K(Ly*)": 3 + 4,
        "D_K(Lx*)": 3 + 4,
    }
    torch.testing.assert_close(fakes["D_I(y*)"], torch.cat([batch["x"], batch["Ly"], signals["y*"]], dim=1))
    same = model.discriminator_loss(batch, signals, fakes)
    torch.testing.assert_close(same.terms, model.discriminator_loss(batch, signals).terms)

    older = {"D_I(y*)": torch.rand_like(fakes["D_I(y*)"])}
    judged = model.discriminator_loss(batch, signals, older).terms
    D_I = model.discriminators["D_I"]
    real = torch.cat([batch["x"], batch["Ly"], batch["y"]], dim=1)
    expected = ((D_I(real) - 1) ** 2).mean() + (D_I(older["D_I(y*)"]) ** 2).mean()
    torch.testing.assert_close(judged["D_I(y*)"], expected)
    torch.testing.assert_close(judged["D_K(Ly*)"], same.terms["D_K(Ly*)"])


def test_the_generators_of_unshared_c2gan_have_the_papers_size():
    with torch.device("meta"):
        shared = C2GAN_FACES.build(generators="unet_256", discriminators="patchgan_70")
        unshared = C2GAN_FACES.unshare("G_I", "G_K").build(generators="unet_256", discriminators="patchgan_70")

    def count(module):
        return sum(weight.numel() for weight in module.parameters())

    # counted on the released networks; the paper says 217.6M
    assert {name: count(part) for name, part in shared.generators.items()} == {
        "G_I": 54_417_027,
        "G_K": 54_413_955,
    }
    assert {name: count(part) for name, part in shared.discriminators.items()} == {
        "D_I": 2_771_777,
        "D_K": 2_768_705,
    }
    assert count(unshared.generators) == 217_661_964


C2GAN_FACES = C2GAN.replace(signals=dict.fromkeys(("x", "y", "Lx", "Ly"), C2GAN.signals["x"]))
