"""The Radboud Faces Database: what its file names say."""

import re
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Literal, NamedTuple

from cyclekit._typed import typed
from cyclekit.errors import AnnotationError

_NAME = re.compile(
    r"Rafd(?P<angle>\d{3})_(?P<subject>\d+)_(?P<ethnicity>[A-Za-z]+)_(?P<sex>[A-Za-z]+)_(?P<expression>[A-Za-z]+)"
    r"_(?P<gaze>frontal|left|right)",
    re.IGNORECASE,
)


class RafdName(NamedTuple):
    """What the name of a picture of the Radboud Faces Database says.

    Attributes:
        angle: Of the camera, in degrees: 0, 45, 90 (from the front), 135 or 180.
        subject: The person's number.
        ethnicity: As the name has it, ``Caucasian``, ``Moroccan`` or ``Kid``.
        sex: ``female`` or ``male``.
        expression: One of eight, ``neutral`` among them.
        gaze: ``frontal``, ``left`` or ``right``.
        mirrored: Whether it is a mirror image, whose name ends in ``_lr``.
    """

    angle: int
    subject: int
    ethnicity: str
    sex: str
    expression: str
    gaze: str
    mirrored: bool


@typed
def parse_rafd_name(name: str | PathLike[str]) -> RafdName:
    """Parse the name of a picture of the Radboud Faces Database.

    Args:
        name: ``Rafd045_01_Caucasian_female_angry_left.jpg``, with or without folders.

    Returns:
        What it says.

    Raises:
        AnnotationError: The name is not like this.

    Source:
        Langner et al., Presentation and validation of the Radboud Faces Database (2010).

    Example:
        ```python
        from cyclekit.keypoints import parse_rafd_name

        face = parse_rafd_name("Rafd045_01_Caucasian_female_angry_left.jpg")
        assert (face.angle, face.subject, face.expression, face.gaze) == (45, 1, "angry", "left")
        ```
    """
    stem = Path(name).stem
    mirrored = stem.endswith("_lr")
    match = _NAME.fullmatch(stem.removesuffix("_lr"))
    if match is None:
        raise AnnotationError(
            f"{Path(name).name!r} is no name of the Radboud Faces Database, such as "
            "Rafd045_01_Caucasian_female_angry_left.jpg"
        )
    said = match.groupdict()
    return RafdName(
        int(said["angle"]),
        int(said["subject"]),
        said["ethnicity"],
        said["sex"].lower(),
        said["expression"].lower(),
        said["gaze"].lower(),
        mirrored,
    )


@typed
def rafd_pairs(faces: Sequence[RafdName], rule: Literal["neutral", "all"] = "neutral") -> tuple[tuple[int, int], ...]:
    """Pair the pictures of each person that were taken from one angle, with one gaze.

    Args:
        faces: What the names say.
        rule: ``"neutral"`` pairs the neutral face with each other expression, as the pictures shared with C2GAN
            do; ``"all"`` each expression with each other.

    Returns:
        Places (from, to) in ``faces``.

    Raises:
        ShapeError: ``rule`` is another word.

    Example:
        ```python
        from cyclekit.keypoints import parse_rafd_name, rafd_pairs

        name = "Rafd090_01_Caucasian_female_{}_frontal.jpg"
        faces = [parse_rafd_name(name.format(word)) for word in ("angry", "happy", "neutral")]
        assert rafd_pairs(faces) == ((2, 0), (2, 1))
        assert len(rafd_pairs(faces, "all")) == 6
        ```
    """
    scenes: dict[tuple[object, ...], list[int]] = {}
    for place, face in enumerate(faces):
        scenes.setdefault((face.subject, face.ethnicity, face.angle, face.gaze, face.mirrored), []).append(place)
    return tuple(
        (one, other)
        for places in scenes.values()
        for one in places
        if rule == "all" or faces[one].expression == "neutral"
        for other in places
        if faces[one].expression != faces[other].expression
    )
