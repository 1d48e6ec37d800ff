"""What participants of a perceptual study answered, and the rates that papers report."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from errors import UsageError
from measuring.scoring import interval

REAL, FAKE = "real", "fake"
KINDS = ("real_or_fake", "side_by_side")


class Answer(NamedTuple):
    """What was shown, a picture or two of them by whose they are, and what was said of it."""

    trial: int
    shown: tuple[str, ...]
    answer: str


@dataclass(frozen=True)
class Participant:
    """One participant's answers.

    Args:
        file: Where they stand.
        study: The page's number.
        kind: One of `KINDS`.
        between: What was shown, by name: real pictures and a model's, or those of two models.
        practice: The first answers, to which the page said what was right.
        answers: Those that count.
    """

    file: Path
    study: str
    kind: str
    between: tuple[str, str]
    practice: tuple[Answer, ...]
    answers: tuple[Answer, ...]

    @property
    def right(self) -> int:
        """How many of the practice were right."""
        return sum(one.answer == (REAL if REAL in one.shown else FAKE) for one in self.practice)


def read_answers(file: Path) -> Participant:
    """Read what a page saved or sent.

    Raises:
        UsageError: The file is none of a page's.
    """
    try:
        said = json.loads(file.read_bytes())
        kind, (one, other) = said["kind"], said["between"]
        shown = {(REAL,), (other,)} if kind == "real_or_fake" else {(one, other)}
        warm_up = shown if kind == "real_or_fake" else {(REAL, one), (REAL, other)}
        practice = tuple(_read(said["practice"], kind, warm_up))
        answers = tuple(_read(said["answers"], kind, shown))
        names = isinstance(said["study"], str) and isinstance(one, str) and isinstance(other, str)
        if not names or one == other or (kind == "real_or_fake" and one != REAL):
            raise ValueError("no study is like this")
        if {found.shown for found in answers} != shown:
            raise ValueError(f"answers to {' and '.join(map(' beside '.join, sorted(shown)))} are missing")
        if kind not in KINDS:
            raise ValueError(f"kind {kind!r}")
        return Participant(file, said["study"], kind, (one, other), practice, answers)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        why = error if type(error) is ValueError else "it lacks a part, or has another in its place"
        raise UsageError(f"{file} holds no answers of a page that study.py made: {why}") from error


def _read(given: Any, kind: str, allowed: set[tuple[str, ...]]) -> list[Answer]:
    found = [Answer(one["trial"], tuple(one["shown"]), one["answer"]) for one in given]
    for one in found:
        choices = (REAL, FAKE) if kind == "real_or_fake" else one.shown
        if type(one.trial) is not int or one.shown not in allowed or one.answer not in choices:
            raise ValueError(f"answer {one.answer!r} to {' beside '.join(map(str, one.shown))}")
    if len({one.trial for one in found}) < len(found):
        raise ValueError("a trial is answered twice")
    return found


def score_answers(participants: Sequence[Participant], right: int) -> dict[str, Any]:
    """Return the rates of each model, or of each pair of them.

    A fooling rate is a mean over participants of their shares, and its interval is that of the mean over resampled
    participants: these pictures, shown to others. ``G2R`` is the share of generated pictures that were taken for real
    ones, C2GAN's Table 2 and 3, and ``R2G`` the share of real ones that were taken for generated. Side by side
    ``preferred`` is the share of pairs in which the first one looked more real.

    Args:
        participants: Of one study.
        right: Who has fewer right in the practice is left out.

    Raises:
        UsageError: The answers are not of one study, one participant's came twice, or nobody is left.
    """
    _check_one_study(participants)
    found: dict[str, Any] = {}
    for between, several in groupby(sorted(participants, key=lambda one: one.between), lambda one: one.between):
        everybody = list(several)
        kept = [one for one in everybody if one.right >= right]
        if not kept:
            raise UsageError(
                f"none of the {len(everybody)} participants who judged {' and '.join(between)} had {right} of the "
                "practice right: --right 0 leaves nobody out"
            )
        found[between[1] if kept[0].kind == "real_or_fake" else " over ".join(between)] = {
            "participants": len(kept),
            "left out": [one.file.name for one in everybody if one.right < right],
            **_rates(kept),
        }
    return {"study": participants[0].study, "kind": participants[0].kind, "right in practice": right, "scores": found}


def _check_one_study(participants: Sequence[Participant]) -> None:
    first = participants[0]
    seen: dict[tuple[Answer, ...], Path] = {}
    fullest: dict[tuple[str, str], Participant] = {}
    for one in participants:
        if (one.study, one.kind) != (first.study, first.kind):
            raise UsageError(f"{one.file} is of study {one.study}, {first.file} of {first.study}: score each by itself")
        key = (*one.practice, *one.answers)  # their order is drawn for each participant
        if key in seen:
            raise UsageError(f"{one.file} and {seen[key]} are one participant's: leave one of them out")
        seen[key] = one.file
        known = fullest.setdefault(one.between, one)
        fullest[one.between] = max(known, one, key=lambda participant: len(participant.answers))
    for one in participants:
        whole = fullest[one.between]
        if _shown(one) != _shown(whole):
            raise UsageError(f"{one.file} has answers to other pictures than {whole.file.name}: it is not whole")


def _shown(participant: Participant) -> dict[int, frozenset[str]]:
    """Return what was shown in each trial; which of two was on the left is drawn for each participant."""
    return {one.trial: frozenset(one.shown) for one in participant.answers}


def _rates(participants: Sequence[Participant]) -> dict[str, Any]:
    first = participants[0]
    choices = (REAL, FAKE) if first.kind == "real_or_fake" else first.between
    said = [{one.trial: choices.index(one.answer) for one in person.answers} for person in participants]
    trials = sorted(said[0])
    first_chosen = torch.tensor([[person[trial] == 0 for trial in trials] for person in said], dtype=torch.float64)
    counts = torch.stack([first_chosen.sum(0), (1 - first_chosen).sum(0)], dim=1)
    agreement = {"answers": first_chosen.numel(), "kappa": fleiss_kappa(counts)}
    if first.kind == "side_by_side":
        return {"preferred": _interval(first_chosen), **agreement}
    shown = {one.trial: one.shown for one in first.answers}
    real = torch.tensor([shown[trial] == (REAL,) for trial in trials])
    return {"G2R": _interval(first_chosen[:, ~real]), "R2G": _interval(1 - first_chosen[:, real]), **agreement}


def _interval(values: Tensor) -> dict[str, float | None]:
    """Return the mean of participants' shares and its interval; none where one participant says nothing of others."""
    found = interval(values.mean(1))
    many = len(values) > 1
    return {"mean": found["mean"], "low": found["low"] if many else None, "high": found["high"] if many else None}


def fleiss_kappa(counts: Tensor) -> float | None:
    """Return Fleiss' kappa (1971): how far participants agree beyond chance; 1 is always, 0 as chance would have it.

    Args:
        counts: How many participants chose what, (subjects, categories), as many participants for each subject.

    Returns:
        The kappa, or none where it is not defined: one participant, or one category that everybody chose.
    """
    counts = counts.double()
    raters = counts[0].sum()
    agreed = ((counts * (counts - 1)).sum(1) / (raters * (raters - 1))).mean()
    by_chance = (counts.sum(0) / counts.sum()).square().sum()
    kappa = ((agreed - by_chance) / (1 - by_chance)).item()
    return kappa if math.isfinite(kappa) else None
