"""Check a data set once, say what it holds, draw its keypoints, and write the manifest that train.py reads.

python examples/c2gan/prepare.py --dataset market --annotations CSV --images DIR --out DIR
python examples/c2gan/prepare.py --dataset rafd --images DIR --keypoints DIR --out DIR
python examples/c2gan/prepare.py --dataset photographs --images DIR --detector mediapipe-pose --model FILE --out DIR
"""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # while Python imports, Ctrl-C ends at once, without a traceback

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from cyclekit.data import DataError
from cyclekit.keypoints import (
    FACE_68,
    OPENPOSE_18,
    AnnotationError,
    Annotations,
    KeypointDetector,
    KeypointRCNN,
    MediaPipeDetector,
    Skeleton,
    parse_rafd_name,
    sample_pairs,
)
from data.checking import Findings, against_pictures, chosen, count_joints, without_doubles
from data.manifest import Manifest, Part
from data.raw import (
    FaceSplit,
    Pairs,
    Rule,
    detect,
    hold_out,
    pairs_of_faces,
    pairs_of_persons,
    pairs_of_photographs,
    person_of,
    pictures_below,
    read_files_of,
    read_persons,
    subject_of,
)
from errors import UsageError, clear_errors, make_folder
from sheets import keypoint_sheet

SHEET = "contact_sheet.png"
SIZES = {"market": (128, 64), "deepfashion": (256, 256)}


@dataclass
class Options:
    """Check a data set once, and write the manifest that train.py reads."""

    dataset: Literal["market", "deepfashion", "rafd", "photographs"]
    """Market-1501, DeepFashion in the same files, the Radboud Faces, or photographs of your own."""
    out: Path
    """Where the manifest and the contact sheet go."""
    images: Path | None = None
    """The folder of the pictures; market and deepfashion are counted without it, but not trained on."""
    annotations: Path | None = None
    """market, deepfashion: the annotation CSV."""
    pairs: Path | None = None
    """market, deepfashion: a CSV of pairs, from,to; all pairs of each person where it is not given."""
    test_annotations: Path | None = None
    """market, deepfashion: the test set's annotation CSV."""
    test_pairs: Path | None = None
    """market, deepfashion: the test set's pairs."""
    test_images: Path | None = None
    """market, deepfashion: the folder of the test set's pictures; --images where it is not given."""
    sample: int | None = None
    """market, deepfashion: so many test pairs, drawn as the published 12,000 were."""
    keypoints: Path | None = None
    """rafd, photographs: a file of keypoints for all pictures, or a folder with one for each: OpenPose's or COCO's
    JSON, OpenFace's CSV, .pts, or a table name,x_0,y_0,..."""
    skeleton: Literal["body", "face"] = "body"
    """photographs: what --keypoints are of."""
    detector: Literal["mediapipe-face", "mediapipe-pose", "keypoint-rcnn"] | None = None
    """photographs: what finds the keypoints, in place of --keypoints."""
    model: Path | None = None
    """The detector's model: a .task file of MediaPipe, or torchvision's weights."""
    rule: Rule = "neutral"
    """rafd: neutral to each expression, or all to all."""
    split: FaceSplit = "identity"
    """rafd: 67% at random as the paper, by gaze as its released files, or by identity."""
    hold_out: float = 0.1
    """market, deepfashion, photographs without a test set: the share of identities that is kept for testing."""
    size: Annotated[tuple[int, int] | None, tyro.conf.arg(metavar="HEIGHT WIDTH")] = None
    """Size that the annotations are of, where no pictures say it."""


@dataclass
class Prepared:
    """A split, checked."""

    images: Path | None
    annotations: Annotations
    pairs: Pairs
    findings: Findings


def prepare(options: Options) -> None:
    """Check, print, draw, write."""
    _check_usage(options)
    skeleton = _skeleton(options)
    size = options.size or SIZES.get(options.dataset)
    if options.dataset in ("market", "deepfashion"):
        parts, size = _persons(options, size)
    else:
        parts, size = _pictures(options, skeleton, size)
    height, width = size or (256, 256)
    make_folder(options.out)

    print(f"dataset: {options.dataset}")
    for findings, splits in _by_findings(parts):
        if len(parts) > 1 and len(splits) < len(parts):
            print(f"{splits[0]} set:")
        print("\n".join(findings.lines()))
    print(f"identities: {len({_identity(options, n) for part in parts.values() for n in part.annotations.names})}")
    print(f"pairs: {sum(len(part.pairs) for part in parts.values())}")
    print(", ".join(f"{split} pairs: {len(part.pairs)}" for split, part in parts.items()))
    if len(parts) == 1:
        print(f"all are {next(iter(parts))} pairs: what trains is tested on the same")

    first = next(iter(parts.values()))
    rows = _spread(len(first.annotations.names), 24)
    sheet = keypoint_sheet(first.annotations, rows, first.images, (height, width), skeleton)
    sheet.save(options.out / SHEET)
    found = {split: asdict(part.findings) for split, part in parts.items()}
    written = {split: Part(part.images, part.annotations, part.pairs) for split, part in parts.items()}
    Manifest(options.dataset, skeleton, (height, width), written, found).write(options.out)
    print(f"manifest: {options.out}; keypoints over images: {options.out / SHEET}")


def _persons(options: Options, size: tuple[int, int] | None) -> tuple[dict[str, Prepared], tuple[int, int] | None]:
    assert options.annotations is not None
    train, size = _person_part(options.annotations, options.pairs, options.images, size)
    if options.test_annotations is not None:
        images = options.test_images or options.images
        test, size = _person_part(options.test_annotations, options.test_pairs, images, size, options.sample)
        both = {person_of(n) for n in train.annotations.names} & {person_of(n) for n in test.annotations.names}
        test.findings.counts["identities that are in the training set too"] = len(both)
        return {"train": train, "test": test}, size
    names = [person_of(name) for name in train.annotations.names]
    return _parts(train, hold_out(train.pairs, names, options.hold_out)), size


def _person_part(
    annotations: Path, pairs: Path | None, images: Path | None, size: tuple[int, int] | None, sample: int | None = None
) -> tuple[Prepared, tuple[int, int] | None]:
    findings = Findings()
    rows = without_doubles(read_persons(annotations, findings), findings)
    known = {*rows.names, *(name for names in findings.rejected.values() for name in names)}
    rows, size = against_pictures(rows, images, size, findings)
    if images is not None:
        findings.counts["pictures that no row names"] = sum(name not in known for name in pictures_below(images))
    count_joints(rows, OPENPOSE_18, findings)
    found = pairs_of_persons(rows, pairs, sorted(known), findings)
    if sample is not None:
        if sample > len(found):
            raise UsageError(f"--sample {sample} is more than the {len(found)} pairs of {annotations}")
        found = sample_pairs(found, sample)
    return Prepared(_absolute(images), rows, found, findings), size


def _pictures(
    options: Options, skeleton: Skeleton, size: tuple[int, int] | None
) -> tuple[dict[str, Prepared], tuple[int, int] | None]:
    assert options.images is not None
    findings = Findings()
    names = pictures_below(options.images)
    if options.dataset == "rafd":
        names = _faces(names, findings)
    if options.keypoints is not None:
        annotations = read_files_of(names, options.keypoints, skeleton, findings)
    else:
        detector = _detector(options)
        annotations = detect(names, options.images, detector, findings, lambda row: None)
    findings.rows = len(names)
    annotations, size = against_pictures(annotations, options.images, size, findings)
    count_joints(annotations, skeleton, findings)
    whole = Prepared(_absolute(options.images), annotations, (), findings)
    if options.dataset == "rafd":
        return _parts(whole, pairs_of_faces(annotations.names, options.rule, options.split)), size
    pairs = pairs_of_photographs(annotations.names)
    return _parts(whole, hold_out(pairs, [subject_of(name) for name in annotations.names], options.hold_out)), size


def _faces(names: Sequence[str], findings: Findings) -> list[str]:
    """Leave out what the database's names do not fit, and mirror images, since training mirrors by itself."""
    kept: list[str] = []
    for name in names:
        try:
            mirrored = parse_rafd_name(name).mirrored
        except AnnotationError:
            findings.reject("name that is none of the Radboud Faces'", [name])
            continue
        if mirrored:
            findings.reject("mirror image (_lr), which training makes by itself", [name])
        else:
            kept.append(name)
    if not kept:
        raise DataError(
            f"none of {len(names)} pictures is called as the Radboud Faces are, such as {names[0]}; for other faces "
            "use --dataset photographs --skeleton face"
        )
    return kept


def _detector(options: Options) -> KeypointDetector:
    if options.model is None:
        raise UsageError(f"--detector {options.detector} takes its model as a file: --model FILE")
    if options.detector == "keypoint-rcnn":
        return KeypointRCNN(options.model)
    return MediaPipeDetector("face" if options.detector == "mediapipe-face" else "pose", options.model)


def _parts(whole: Prepared, shared: dict[str, Pairs]) -> dict[str, Prepared]:
    """Give each split the rows of its pairs; a split without pairs is left out."""
    parts: dict[str, Prepared] = {}
    for split, pairs in shared.items():
        if not pairs:
            continue
        rows = sorted({row for pair in pairs for row in pair})
        place = {row: number for number, row in enumerate(rows)}
        own = tuple((place[one], place[other]) for one, other in pairs)
        parts[split] = Prepared(whole.images, chosen(whole.annotations, rows), own, whole.findings)
    if not parts:
        raise DataError("there are no pairs: no identity has two pictures that can be paired")
    return parts


def _by_findings(parts: dict[str, Prepared]) -> list[tuple[Findings, list[str]]]:
    """Return what was found, each once, and for which splits."""
    found: list[tuple[Findings, list[str]]] = []
    for split, part in parts.items():
        if found and found[-1][0] is part.findings:
            found[-1][1].append(split)
        else:
            found.append((part.findings, [split]))
    return found


def _identity(options: Options, name: str) -> str:
    if options.dataset == "rafd":
        return str(parse_rafd_name(name).subject)
    return subject_of(name) if options.dataset == "photographs" else person_of(name)


def _skeleton(options: Options) -> Skeleton:
    faces = options.dataset == "rafd" or (
        options.dataset == "photographs" and "face" in (options.skeleton, (options.detector or "").partition("-")[2])
    )
    return FACE_68 if faces else OPENPOSE_18


def _check_usage(options: Options) -> None:
    persons = options.dataset in ("market", "deepfashion")
    if persons and options.annotations is None:
        raise UsageError(f"--dataset {options.dataset} takes --annotations CSV")
    if not persons and options.images is None:
        raise UsageError(f"--dataset {options.dataset} takes --images DIR")
    if not persons and (options.keypoints is None) == (options.detector is None):
        raise UsageError(f"--dataset {options.dataset} takes --keypoints PATH, or --detector NAME --model FILE")
    if options.keypoints is not None and not options.keypoints.exists():
        raise DataError(f"{options.keypoints}: no such file or folder of keypoints")
    if options.sample is not None and options.test_annotations is None:
        raise UsageError("--sample draws test pairs: it takes --test-annotations CSV")
    if not 0 <= options.hold_out <= 1:
        raise UsageError(f"--hold-out {options.hold_out}: must be a share, 0 to 1")


def _absolute(images: Path | None) -> Path | None:
    return None if images is None else images.resolve()


def _spread(count: int, most: int) -> list[int]:
    """Return rows spread evenly."""
    return sorted({round(place * (count - 1) / max(1, min(most, count) - 1)) for place in range(min(most, count))})


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and prepare."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with clear_errors():
        prepare(tyro.cli(Options, args=arguments))


if __name__ == "__main__":
    main()
