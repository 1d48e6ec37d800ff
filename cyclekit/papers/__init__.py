"""Published models, each as its paper declares it: a graph, and its recipe as data."""

from typing import TYPE_CHECKING

from cyclekit._registry import suggestion
from cyclekit.papers.attentiongan import attentiongan
from cyclekit.papers.augmented_cyclegan import augmented_cyclegan
from cyclekit.papers.bicyclegan import bicyclegan
from cyclekit.papers.c2gan import c2gan
from cyclekit.papers.combogan import combogan
from cyclekit.papers.cut import cut
from cyclekit.papers.cycada import cycada
from cyclekit.papers.cyclegan import cyclegan
from cyclekit.papers.discogan import discogan
from cyclekit.papers.distancegan import distancegan
from cyclekit.papers.dpig import dpig
from cyclekit.papers.drit import drit
from cyclekit.papers.dualgan import dualgan
from cyclekit.papers.g2gan import g2gan
from cyclekit.papers.gcgan import gcgan
from cyclekit.papers.gesturegan import gesturegan
from cyclekit.papers.gpgan import gpgan
from cyclekit.papers.munit import munit
from cyclekit.papers.paper import Paper, Recipe, Source, create_paper, list_papers, register_paper
from cyclekit.papers.pg2 import pg2
from cyclekit.papers.pix2pix import pix2pix
from cyclekit.papers.pix2pixhd import pix2pixhd
from cyclekit.papers.posegan import posegan
from cyclekit.papers.recycle_gan import recycle_gan
from cyclekit.papers.selectiongan import selectiongan
from cyclekit.papers.spade import spade
from cyclekit.papers.stargan import stargan
from cyclekit.papers.stargan_v2 import stargan_v2
from cyclekit.papers.ugatit import ugatit
from cyclekit.papers.unit import unit
from cyclekit.papers.xgan import xgan

__all__ = [
    "Paper",
    "Recipe",
    "Source",
    "attentiongan",
    "augmented_cyclegan",
    "bicyclegan",
    "c2gan",
    "combogan",
    "create_paper",
    "cut",
    "cycada",
    "cyclegan",
    "discogan",
    "distancegan",
    "dpig",
    "drit",
    "dualgan",
    "g2gan",
    "gcgan",
    "gesturegan",
    "gpgan",
    "list_papers",
    "munit",
    "pg2",
    "pix2pix",
    "pix2pixhd",
    "posegan",
    "recycle_gan",
    "register_paper",
    "selectiongan",
    "spade",
    "stargan",
    "stargan_v2",
    "ugatit",
    "unit",
    "xgan",
]

if not TYPE_CHECKING:  # a type checker finds a misspelt paper by itself

    def __getattr__(name: str) -> object:
        """Name the papers near one that there is not."""
        message = f"module {__name__!r} has no attribute {name!r}{suggestion(name, __all__)}"
        raise AttributeError(message, name=name)  # with the name said, Python adds no guess of its own
