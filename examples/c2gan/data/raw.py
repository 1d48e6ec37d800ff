"""The files of Market-1501, DeepFashion, the Radboud Faces and folders of photographs: rows, identities, pairs."""

import contextlib
import random
from collections.abc import Callable, Sequence
from itertools import permutations
from pathlib import Path
from typing import Literal

import torch

from cyclekit.data import DataError, find_pictures, read_pairs, read_signal
from cyclekit.keypoints import (
    Annotations,
    KeypointDetector,
    Keypoints,
    Skeleton,
    market_pairs,
    market_rows,
    parse_rafd_name,
    rafd_pairs,
    read_keypoints,
    read_market_csv,
)
from data.checking import Findings, chosen, examples

Rule = Literal["neutral", "all"]
FaceSplit = Literal["paper", "gaze", "identity"]
Pairs = tuple[tuple[int, int], ...]


# ------------------------------------------------------------------ persons: Market-1501, and DeepFashion likewise


def read_persons(csv_file: Path, findings: Findings) -> Annotations:
    """Read an annotation file, and leave out the rows that do not count."""
    unreadable: list[str] = []
    annotations = read_market_csv(csv_file, unreadable)
    findings.rows = len(annotations.names) + len(unreadable)
    if not findings.rows:
        raise DataError(f"{csv_file} holds no annotations")
    findings.reject("row that cannot be read", [said.removeprefix(f"{csv_file}, ") for said in unreadable])
    visible = annotations.keypoints.visible.any(1).tolist()
    counting = set(market_rows(annotations))
    reasons = {
        "no joint at all": lambda row, name: not visible[row],
        "junk or distractor (-1, 0000)": lambda row, name: name.startswith(("-1", "0000")),
        "a shoulder or a hip is missing": lambda row, name: row not in counting,
    }
    for row, name in enumerate(annotations.names):
        reason = next((said for said, holds in reasons.items() if holds(row, name)), None)
        if reason:
            findings.reject(reason, [name])
    if not counting:
        raise DataError(
            f"{csv_file}: of {findings.rows} rows none counts, so there is nothing to train on: "
            + "; ".join(f"{reason}: {len(names)}" for reason, names in findings.rejected.items())
        )
    return chosen(annotations, sorted(counting))


def person_of(name: str) -> str:
    """Return whose picture it is: what stands before the first underscore."""
    return Path(name).name.split("_")[0]


def pairs_of_persons(
    annotations: Annotations, pairs_file: Path | None, known: Sequence[str], findings: Findings
) -> Pairs:
    """Return the pairs of a file, or all of each person.

    Args:
        annotations: The rows that count.
        pairs_file: A file of pairs; None for all.
        known: The names of all rows, also of those that do not count.
        findings: Where pairs are noted that are left out.
    """
    if pairs_file is None:
        pairs = market_pairs(annotations)
        if not pairs:
            raise DataError("no person has two pictures that count, so there are no pairs")
        return pairs
    rows = {name: row for row, name in enumerate(annotations.names)}
    named = read_pairs(pairs_file, Annotations(tuple(known), annotations.keypoints))
    both = [(rows.get(known[one]), rows.get(known[other])) for one, other in named]
    pairs = tuple((one, other) for one, other in both if one is not None and other is not None)
    findings.counts["pairs left out, since a picture of theirs does not count"] = len(named) - len(pairs)
    if not pairs:
        raise DataError(f"{pairs_file}: none of its pairs can be used: their pictures do not count or are absent")
    return pairs


# ------------------------------------------------------------------ faces: the Radboud Faces Database


def pairs_of_faces(names: Sequence[str], rule: Rule, split: FaceSplit) -> dict[str, Pairs]:
    """Pair faces by a rule, and share the pairs out.

    ``"paper"``: of each expression 67% of the pairs at random, as the text says; ``"gaze"``: frontal gaze to test, as
    the released files are; both have every person on both sides. ``"identity"``: a third of the persons to test.
    """
    faces = [parse_rafd_name(name) for name in names]
    pairs = rafd_pairs(faces, rule)
    if split == "gaze":
        test = {pair for pair in pairs if faces[pair[0]].gaze == "frontal"}
    elif split == "identity":
        test = {
            p
            for p, held in zip(pairs, _held_out([str(faces[a].subject) for a, _ in pairs], 1 / 3), strict=True)
            if held
        }
    else:
        test = set[tuple[int, int]]()
        for expression in sorted({face.expression for face in faces}):
            those = [pair for pair in pairs if faces[pair[1]].expression == expression]
            random.Random(expression).shuffle(those)
            test.update(those[round(0.67 * len(those)) :])
    return {
        "train": tuple(pair for pair in pairs if pair not in test),
        "test": tuple(pair for pair in pairs if pair in test),
    }


# ------------------------------------------------------------------ photographs of one's own


def pairs_of_photographs(names: Sequence[str]) -> Pairs:
    """Return all ordered pairs of each subject: a folder's pictures, or those of one name before the underscore."""
    subjects: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        subjects.setdefault(subject_of(name), []).append(row)
    pairs = tuple(pair for rows in subjects.values() for pair in permutations(rows, 2))
    if not pairs:
        raise DataError(
            "no subject has two photographs: put each subject's into a folder of its own, or call them "
            f"anna_1.jpg, anna_2.jpg; found {examples(list(subjects))}"
        )
    return pairs


def subject_of(name: str) -> str:
    """Return whose photograph it is."""
    return Path(name).parent.as_posix() if len(Path(name).parts) > 1 else person_of(name)


def pictures_below(folder: Path) -> list[str]:
    """List the pictures of a folder and of those inside it, by their paths from there."""
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder of images")
    inside = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    found: list[str] = []
    for place in (folder, *inside):
        with contextlib.suppress(DataError):  # one without pictures
            found += [path.relative_to(folder).as_posix() for path in find_pictures(place).pictures]
    if not found:
        find_pictures(folder)  # says what it holds instead
    return found


def keypoints_by_name(path: Path, skeleton: Skeleton) -> tuple[dict[str, Keypoints], set[str]]:
    """Read one table of keypoints, or a folder with a file for each picture.

    Args:
        path: The file or the folder.
        skeleton: What they are brought to.

    Returns:
        By the picture's name without its ending: of several people the one with most joints; and where there are
        several.
    """
    several: set[str] = set()
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    found: dict[str, Keypoints] = {}
    for file in files:
        if path.is_dir() and file.suffix.lower() not in (".csv", ".json", ".pts"):
            continue
        if not file.is_file():
            raise DataError(f"{file}: no such file of keypoints")
        annotations, _ = read_keypoints(file, skeleton)
        alone = len(set(annotations.names)) == 1 and path.is_dir()
        for row, name in enumerate(annotations.names):
            key = file.stem.removesuffix("_keypoints") if alone else _stem(name)
            one = Keypoints(annotations.keypoints.points[row : row + 1], annotations.keypoints.visible[row : row + 1])
            if key in found:
                several.add(key)
                if int(found[key].visible.sum()) >= int(one.visible.sum()):
                    continue
            found[key] = one
    return found, several


def read_files_of(names: Sequence[str], keypoints: Path, skeleton: Skeleton, findings: Findings) -> Annotations:
    """Read the keypoints of pictures: one table of all, or a folder with a file for each.

    Args:
        names: The pictures' paths.
        keypoints: The file or the folder.
        skeleton: What they are brought to.
        findings: Where pictures without keypoints are noted.
    """
    findings.rows = len(names)
    points = torch.zeros(len(names), len(skeleton), 2)
    visible = torch.zeros(len(names), len(skeleton), dtype=torch.bool)
    found, several = keypoints_by_name(keypoints, skeleton)
    for row, name in enumerate(names):
        one = found.get(_stem(name)) or found.get(Path(name).stem)
        if one is not None:
            points[row], visible[row] = one.points[0], one.visible[0]
    findings.reject("no keypoints for the picture", [n for row, n in enumerate(names) if not visible[row].any()])
    findings.counts["pictures with several people, the one with most joints counts"] = len(several)
    return _with_some(names, Keypoints(points, visible), keypoints)


def detect(
    names: Sequence[str], images: Path, detector: KeypointDetector, findings: Findings, tell: Callable[[int], None]
) -> Annotations:
    """Find the keypoints of photographs: of several people the one with the largest extent."""
    findings.rows = len(names)
    points = torch.zeros(len(names), len(detector.skeleton), 2)
    visible = torch.zeros(len(names), len(detector.skeleton), dtype=torch.bool)
    several = 0
    for row, name in enumerate(names):
        tell(row)
        try:
            people = detector(read_signal(images / name))
        except ValueError as error:
            findings.reject("picture that cannot be read", [f"{name}: {error}"])
            continue
        several += len(people.points) > 1
        if len(people.points):
            spans = people.points.amax(1) - people.points.amin(1)
            best = int(spans.prod(-1).argmax())
            points[row], visible[row] = people.points[best], people.visible[best]
    unseen = [name for row, name in enumerate(names) if not visible[row].any()]
    findings.reject("nobody found", [name for name in unseen if (images / name).is_file()])
    findings.counts["pictures with several people, the largest counts"] = several
    return _with_some(names, Keypoints(points, visible), images)


def _stem(name: str) -> str:
    return Path(name).with_suffix("").as_posix()


def _with_some(names: Sequence[str], keypoints: Keypoints, where: Path) -> Annotations:
    rows = keypoints.visible.any(1).nonzero().flatten().tolist()
    if not rows:
        raise DataError(
            f"{where}: keypoints were found for none of {len(names)} pictures, such as {examples(list(names))}"
        )
    return chosen(Annotations(tuple(names), keypoints), rows)


# ------------------------------------------------------------------ shares


def hold_out(pairs: Pairs, identities: Sequence[str], share: float) -> dict[str, Pairs]:
    """Keep the pairs of some identities for testing: no identity is on both sides."""
    held = _held_out([identities[one] for one, _ in pairs], share)
    return {
        "train": tuple(pair for pair, out in zip(pairs, held, strict=True) if not out),
        "test": tuple(pair for pair, out in zip(pairs, held, strict=True) if out),
    }


def _held_out(identities: Sequence[str], share: float) -> list[bool]:
    """Return which identities are held out: a share of those there are, but for 0 and 1 some on each side."""
    known = sorted(set(identities))
    random.Random(0).shuffle(known)
    count = round(share * len(known))
    if 0 < share < 1 and len(known) > 1:
        count = min(max(count, 1), len(known) - 1)
    chosen_ones = set(known[:count])
    return [identity in chosen_ones for identity in identities]
