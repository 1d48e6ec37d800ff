"""Generators and discriminators, and their two registries."""

from cyclekit.nets._checks import ChecksSize, ImageSizeError, OptionError
from cyclekit.nets._registries import (
    create_discriminator,
    create_generator,
    discriminators,
    generators,
    list_discriminators,
    list_generators,
    register_discriminator,
    register_generator,
)
from cyclekit.nets._spec import NetworkSpec
from cyclekit.nets.patchgan import PatchGAN, PixelGAN
from cyclekit.nets.unet import UNet

__all__ = [
    "ChecksSize",
    "ImageSizeError",
    "NetworkSpec",
    "OptionError",
    "PatchGAN",
    "PixelGAN",
    "UNet",
    "create_discriminator",
    "create_generator",
    "discriminators",
    "generators",
    "list_discriminators",
    "list_generators",
    "register_discriminator",
    "register_generator",
]
