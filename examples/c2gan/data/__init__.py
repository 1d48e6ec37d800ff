"""Pairs to train on: embedded faces and persons, and folders of real pictures."""

from examples.c2gan.data.composites import CompositePairs
from examples.c2gan.data.embedded import EmbeddedPairs
from examples.c2gan.data.errors import DataError
from examples.c2gan.data.faces import FacePairs
from examples.c2gan.data.persons import PersonPairs

__all__ = ["CompositePairs", "DataError", "EmbeddedPairs", "FacePairs", "PersonPairs"]
