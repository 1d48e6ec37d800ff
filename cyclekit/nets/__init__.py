"""Generators and discriminators, and their two registries."""

from cyclekit._spec import NetworkSpec
from cyclekit.errors import ImageSizeError, OptionError
from cyclekit.nets.convert import load_pix2pix_weights
from cyclekit.nets.diff_augment import DiffAugment, diff_augment
from cyclekit.nets.dpig import DPIGEncoder, DPIGStem
from cyclekit.nets.mlp import MLPDiscriminator, ResidualMLP
from cyclekit.nets.multiscale import MultiscalePatchGAN
from cyclekit.nets.patchgan import PatchGAN, PixelGAN
from cyclekit.nets.pg2 import PG2Coarse, PG2Discriminator, PG2Refine
from cyclekit.nets.pix2pixhd import Pix2PixHDLocal
from cyclekit.nets.pointwise import PointwiseMLP
from cyclekit.nets.projected import TimmProjected
from cyclekit.nets.protocols import ChecksSize, Discriminator, Generator, GivesFeatures
from cyclekit.nets.registries import (
    create_discriminator,
    create_generator,
    discriminators,
    generators,
    list_discriminators,
    list_generators,
    register_discriminator,
    register_generator,
)
from cyclekit.nets.resnet import ResNetDecoder, ResNetEncoder, ResNetGenerator
from cyclekit.nets.stargan import StarGANDiscriminator, StarGANGenerator
from cyclekit.nets.style import StyleEncoder
from cyclekit.nets.timm_unet import TimmUNet
from cyclekit.nets.unet import UNet

__all__ = [
    "ChecksSize",
    "DPIGEncoder",
    "DPIGStem",
    "DiffAugment",
    "Discriminator",
    "Generator",
    "GivesFeatures",
    "ImageSizeError",
    "MLPDiscriminator",
    "MultiscalePatchGAN",
    "NetworkSpec",
    "OptionError",
    "PG2Coarse",
    "PG2Discriminator",
    "PG2Refine",
    "PatchGAN",
    "Pix2PixHDLocal",
    "PixelGAN",
    "PointwiseMLP",
    "ResNetDecoder",
    "ResNetEncoder",
    "ResNetGenerator",
    "ResidualMLP",
    "StarGANDiscriminator",
    "StarGANGenerator",
    "StyleEncoder",
    "TimmProjected",
    "TimmUNet",
    "UNet",
    "create_discriminator",
    "create_generator",
    "diff_augment",
    "discriminators",
    "generators",
    "list_discriminators",
    "list_generators",
    "load_pix2pix_weights",
    "register_discriminator",
    "register_generator",
]
