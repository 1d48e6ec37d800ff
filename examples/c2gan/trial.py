"""What a run leaves for generate.py to be tried with."""

from pathlib import Path

from cyclekit.keypoints import Annotations, Keypoints, write_keypoint_table
from data.sources import Pairs, batch_of_pairs, points_of_pairs, spread, write_image

FOLDER = "try"


def leave_trial(pairs: Pairs, run: Path) -> None:
    """Write ``RUN/try``: three pictures of `pairs`, and two poses as tables, or as pictures where panels hold them."""
    folder = run / FOLDER
    for number, index in enumerate(spread(len(pairs), 3), 1):
        write_image(batch_of_pairs(pairs, [index])["x"][0], folder / "images" / f"{number}.png")
    for number, index in enumerate(spread(min(2, len(pairs)), 2), 1):
        points = points_of_pairs(pairs, [index])
        if points is None:
            write_image(batch_of_pairs(pairs, [index])["Ly"][0], folder / f"pose_{number}.png")
        else:
            one = Keypoints(points.points.float(), points.visible)
            write_keypoint_table(Annotations((f"pose_{number}",), one), folder / f"pose_{number}.csv")
