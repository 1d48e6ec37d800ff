"""Pairs to train on: embedded faces and persons, and folders of real pictures."""

from data.composites import CompositePairs
from data.embedded import EmbeddedPairs
from data.faces import FacePairs
from data.persons import PersonPairs

__all__ = ["CompositePairs", "EmbeddedPairs", "FacePairs", "PersonPairs"]
