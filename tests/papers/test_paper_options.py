"""Options of papers: a wrong one is refused, and never gives another model than was meant."""

import inspect
import re

import pytest

from cyclekit import CycleKitError
from cyclekit.errors import ArgumentError, OptionError, ShapeError
from cyclekit.papers import create_paper, list_papers, pg2, register_paper
from cyclekit.papers.paper import _registry


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("c2gan", {"preset": "code"}, "c2gan(preset='code'): choose 'official' or 'paper'"),
        ("c2gan", {"row": "all"}, "c2gan(row='all'): choose 'I2I2I' or"),
        ("c2gan", {"keypoints": "18"}, "must be a domain, or a whole number from 1"),
        ("c2gan", {"pixel_weight": -1}, "c2gan(pixel_weight=-1): must be a number from 0"),
        ("pg2", {"stage": "third"}, "pg2(stage='third'): choose 'both' or 'first' or 'second'"),
        ("pg2", {"stage": 1}, "pg2(stage=1): choose"),
        ("dpig", {"stage": "third"}, "dpig(stage='third'): choose 'first' or 'second'"),
        ("distancegan", {"cycles": "no"}, "distancegan(cycles='no'): choose True or False"),
        ("gpgan", {"perceptual": "no"}, "choose True or False"),
        ("munit", {"cycle": None}, "munit(cycle=None): must be a number from 0"),
        ("cyclegan", {"identity": float("nan")}, "must be a number from 0"),
        ("stargan_v2", {"diversity": -1}, "must be a number from 0"),
        ("stargan", {"classes": 1}, "the cross entropy of one class, Label(1), is always 0"),
        ("combogan", {"domains": ""}, "combogan(domains=''): expected two capital letters or more"),
        ("combogan", {"domains": "A"}, "expected two capital letters or more"),
        ("combogan", {"domains": 3}, "combogan(domains=3): must be text"),
        ("pix2pix", {"channels": 0}, "pix2pix(channels=0): must be a whole number from 1"),
    ],
)
def test_a_wrong_option_is_refused(name, options, message):
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        create_paper(name, **options)
    assert isinstance(caught.value, CycleKitError)


def test_the_function_itself_looks_too():
    with pytest.raises(ArgumentError, match=re.escape("pg2(stage='fourth')")):
        pg2(stage="fourth")


def test_an_unknown_option_is_one_of_ours():
    with pytest.raises(OptionError, match=r"paper 'pix2pix': .*'colour'; it takes channels, out_channels"):
        create_paper("pix2pix", colour=3)


@pytest.mark.parametrize("name", list_papers())
def test_no_option_takes_what_is_no_value_of_its_kind(name):
    for option, parameter in inspect.signature(_registry.factory(name)).parameters.items():
        nothing = [] if parameter.default is None else [None]
        for odd in (*nothing, object(), -1, float("nan"), "nothing of the kind", []):
            with pytest.raises(CycleKitError):
                create_paper(name, **{option: odd})


def test_a_paper_is_a_paper():
    register_paper("nothing_at_all", override=True)(lambda: None)
    try:
        with pytest.raises(ShapeError, match="must return a Paper, got None"):
            create_paper("nothing_at_all")
    finally:
        del _registry._factories["nothing_at_all"]
