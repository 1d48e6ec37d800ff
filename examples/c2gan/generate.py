"""Use a trained C2GAN: bring pictures into poses, walk from one pose to another, or find keypoints.

python examples/c2gan/generate.py --run RUN --image face.png --keypoints pose.csv --out moved.png
python examples/c2gan/generate.py --run RUN --image face.png --keypoints pose.csv other.csv --out walk.gif
python examples/c2gan/generate.py --run RUN --image photographs --keypoints pose.csv --out moved
python examples/c2gan/generate.py --run RUN --image face.png --out keypoints.png
"""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # while Python imports, Ctrl-C ends at once, without a traceback

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
import tyro
from accelerate import Accelerator
from PIL import Image as Picture
from torch import Tensor

from cyclekit import CycleModel, Domain, Heatmap
from cyclekit.data import find_pictures, read_picture, read_signal
from cyclekit.keypoints import Annotations, Keypoints, decode_heatmaps, write_keypoint_table
from data.sources import PICTURES, Size, is_manifest, read_image, write_image
from errors import UsageError, clear_errors, make_folder
from evaluate import load_run
from measuring.scoring import image, reader_of
from poses import drawing_of_run, drawn, read_poses, resized, walk
from report import whole_file
from sheets import grid, to_picture

MOVING = (".gif", ".png", ".webp")
"""What an animation's name ends in."""
MILLISECONDS = 120
"""How long each picture of an animation is shown."""


@dataclass
class Options:
    """Bring pictures into poses, walk from one pose to another, or find keypoints."""

    run: Path
    """The folder train.py wrote."""
    image: Path
    """A picture, or a folder of pictures."""
    out: Path
    """Where the result goes: a picture, or of several poses an animation (.gif, .png, .webp) with a strip beside it; of
    a folder of pictures another folder."""
    keypoints: tuple[Path, ...] = ()
    """The poses: files of OpenPose, COCO, OpenFace, .pts or a table name,x_0,y_0,..., folders of such files, manifests
    of prepare.py, or one picture of keypoints as in training. Several are walked through. The keypoints of the image
    are found where none is given."""
    pose: tuple[str, ...] = ()
    """Which poses of --keypoints; by default the only one there, or the one that is called as the image is."""
    keypoints_size: Annotated[Size | None, tyro.conf.arg(metavar="HEIGHT WIDTH")] = None
    """Size of the pictures that the poses were found in; where it is not given, a picture of a pose's name beside it
    says it, and without one --image does."""
    frames: int = 9
    """Pictures of a walk from one pose to the next, both included."""


@dataclass(frozen=True)
class Job:
    """What becomes of one picture.

    Args:
        picture: The picture.
        target: Where the result goes.
        Ly: The poses that it is brought into, (poses, channels, height, width) in [-1, 1]; None to find its own.
    """

    picture: Path
    target: Path
    Ly: Tensor | None = None


@torch.inference_mode()
def generate(options: Options) -> None:
    """Look at everything first, then make and write one result after the other."""
    model, trained = load_run(options.run)
    model.eval().to(Accelerator().device)
    asked = asked_poses(options)
    jobs = jobs_of(options, asked, model.graph.domains["Ly"], trained)
    keep_inputs(options, jobs, model.graph.domains["Ly"])
    make_folder(jobs[0].target.parent)
    if asked:
        written = [file for job in jobs for file in bring(model, job, trained["size"])]
    else:
        written = find(model, jobs, trained["size"], options)
    print(f"written: {', '.join(map(str, written)) if len(written) < 4 else f'{len(written)} files in {options.out}'}")


def keep_inputs(options: Options, jobs: Sequence[Job], keypoints: Domain) -> None:
    """Refuse to write over a picture or a file of poses that is read.

    Raises:
        UsageError: A result would.
    """
    results = [job.target for job in jobs]
    results += [strip_of(job.target) for job in jobs if job.Ly is not None and len(job.Ly) > 1]
    results += [table_of(options)] if jobs[0].Ly is None and isinstance(keypoints, Heatmap) else []
    read = {path.resolve() for path in (*(job.picture for job in jobs), *options.keypoints)}
    lost = [result for result in results if result.resolve() in read]
    if lost:
        raise UsageError(f"--out {options.out} would write over {lost[0]}, which is read: choose another name")


def strip_of(animation: Path) -> Path:
    """Return where the pictures of an animation lie side by side."""
    return animation.with_name(f"{animation.stem}-strip.png")


def table_of(options: Options) -> Path:
    """Return where the keypoints that are found go as a table."""
    if options.image.is_dir():
        return options.out / "keypoints.csv"
    return options.out.with_name(f"{options.out.stem}-keypoints.csv")


def bring(model: CycleModel, job: Job, size: Size) -> list[Path]:
    """Bring a picture into its poses, and return the files that say how: a picture, or an animation and its strip."""
    assert job.Ly is not None
    Ly = job.Ly.to(next(model.parameters()).device)
    x = read_image(job.picture, size)[None].to(Ly.device)
    made = model.generate({"x": x.expand(len(Ly), -1, -1, -1), "Ly": Ly}, ["y*"])["y*"]
    if len(made) == 1:
        whole_file(job.target, lambda file: write_image(made[0].cpu(), file))
        return [job.target]
    cells = [to_picture(value, max(128, size[0])) for value in (*image(x), *_shown(Ly), *image(made))]
    white = Picture.new("RGB", cells[0].size, "white")
    sheet = grid([white, *cells[1 : len(Ly) + 1], cells[0], *cells[len(Ly) + 1 :]], columns=len(Ly) + 1)
    frames = [to_picture(value, size[0]) for value in image(made)]
    frames += frames[-2:0:-1]  # and back again
    whole_file(
        job.target,
        lambda file: frames[0].save(file, save_all=True, append_images=frames[1:], duration=MILLISECONDS, loop=0),
    )
    strip = strip_of(job.target)
    whole_file(strip, sheet.save)
    return [job.target, strip]


def find(model: CycleModel, jobs: Sequence[Job], size: Size, options: Options) -> list[Path]:
    """Draw the keypoints that are found in each picture; those of heatmaps become a table too.

    Raises:
        UsageError: The model has no network that finds keypoints.
    """
    reader = reader_of(model)
    if reader is None:
        raise UsageError(f"{options.run} has no network that finds keypoints: say a pose by --keypoints PATH")
    device = next(model.parameters()).device
    points: list[Keypoints] = []
    for job in jobs:
        maps = reader(read_image(job.picture, size)[None].to(device)).cpu()
        whole_file(job.target, lambda file, maps=maps: write_image(maps[0], file))
        if isinstance(model.graph.domains["Ly"], Heatmap):
            width, height = read_picture(job.picture).size
            points.append(resized(decode_heatmaps(image(maps), "subpixel"), size, (height, width)))
    written = [job.target for job in jobs]
    if points:
        table = table_of(options)
        every = Keypoints(*(torch.cat(parts) for parts in zip(*points, strict=True)))
        annotations = Annotations(tuple(job.picture.name for job in jobs), every)
        whole_file(table, lambda file: write_keypoint_table(annotations, file))
        written.append(table)
    return written


def asked_poses(options: Options) -> list[tuple[Path, str | None]]:
    """Return where each pose is, and what it is called where that was said.

    Raises:
        UsageError: The options do not go together.
    """
    sources, names = list(options.keypoints), list(options.pose)
    if names and len(sources) not in (1, len(names)):
        raise UsageError(
            f"--pose names {len(names)} poses, and --keypoints {len(sources)} places: give one place for all of them, "
            "or one for each"
        )
    if options.frames < 2:
        raise UsageError(f"--frames {options.frames}: must be 2 or more, the first pose and the last")
    if options.keypoints_size is not None and min(options.keypoints_size) < 1:
        raise UsageError(f"--keypoints-size {' '.join(map(str, options.keypoints_size))}: must be 1 or more")
    return list(zip(sources * len(names), names, strict=False)) if names else [(source, None) for source in sources]


def jobs_of(
    options: Options, asked: Sequence[tuple[Path, str | None]], keypoints: Domain, trained: Mapping[str, Any]
) -> list[Job]:
    """Return what is to be made and where it goes, with every picture and pose looked at.

    Raises:
        UsageError: Pictures, poses and results do not go together.
        CycleKitError: A file cannot be read.
    """
    pictures = find_pictures(options.image).pictures if options.image.is_dir() else (options.image,)
    data = trained.get("data")  # of panels, or a manifest
    panels = len(str(trained["panels"]).split()) if data and not is_manifest(Path(str(data))) else 1
    height, width = trained["size"]
    for picture in pictures:
        found = read_picture(picture)  # what is broken is named before anything is written
        if panels > 1 and found.width * height == panels * found.height * width:
            raise UsageError(f"{picture} is as wide as {panels} panels side by side: give a picture that is cut out")
    targets = targets_of(options, pictures, ".gif" if len(asked) > 1 else ".png")
    if not asked:
        return [Job(*both) for both in zip(pictures, targets, strict=True)]
    maps = maps_of(options, asked, keypoints, trained, pictures)
    return [Job(*all_three) for all_three in zip(pictures, targets, maps, strict=True)]


def targets_of(options: Options, pictures: Sequence[Path], ending: str) -> list[Path]:
    """Return where the result of each picture goes.

    Raises:
        UsageError: It cannot go there.
    """
    if not options.image.is_dir():
        allowed = MOVING if ending == ".gif" else PICTURES
        if options.out.is_dir() or options.out.suffix.lower() not in allowed:
            what = "an animation" if ending == ".gif" else "a picture"
            raise UsageError(f"--out {options.out}: {what} is written, whose name ends in {', '.join(allowed)}")
        return [options.out]
    if options.out.exists() and not options.out.is_dir():
        raise UsageError(f"--out {options.out} is a file, and --image {options.image} a folder: name a folder")
    if options.out.resolve() == options.image.resolve():
        raise UsageError(f"--out {options.out} is the folder of the pictures: name another one")
    stems = [picture.stem for picture in pictures]
    twice = [picture.name for picture in pictures if stems.count(picture.stem) > 1]
    if twice:
        raise UsageError(f"{options.image}: {', '.join(twice)} would have one result's name: rename one of them")
    return [options.out / f"{stem}{ending}" for stem in stems]


def maps_of(
    options: Options,
    asked: Sequence[tuple[Path, str | None]],
    keypoints: Domain,
    trained: Mapping[str, Any],
    pictures: Sequence[Path],
) -> list[Tensor]:
    """Return the poses of each picture as the model takes them.

    Raises:
        UsageError: A pose cannot be used.
        CycleKitError: A file cannot be read.
    """
    size, (first, _) = trained["size"], asked[0]
    panels = [source for source, _ in asked if source.suffix.lower() in PICTURES and source.is_file()]
    if panels and isinstance(keypoints, Heatmap):
        raise UsageError(f"--keypoints {panels[0]}: this run takes heatmaps, which a picture cannot hold: give points")
    if panels and len(asked) > 1:
        raise UsageError(
            f"--keypoints {panels[0]}: a walk goes from point to point, and a picture has none: give points"
        )
    if panels:
        return [read_signal(first, keypoints, size, "squash").float()[None] / 127.5 - 1] * len(pictures)
    drawing = drawing_of_run(keypoints, trained)
    if drawing is None:
        raise UsageError(f"--keypoints {first}: how keypoints are drawn only this run's panels know: give a picture")
    known = {source: read_poses(source, drawing.skeleton) for source in dict.fromkeys(source for source, _ in asked)}
    found: list[Tensor] = []
    for picture in pictures:
        poses: list[Keypoints] = []
        for source, name in asked:
            chosen = known[source].pick(name, picture)
            poses.append(known[source].scaled(chosen, size, options.keypoints_size, picture))
        found.append(drawn(drawing, walk(poses, options.frames), size))
    return found


def _shown(maps: Tensor) -> Tensor:
    """Return keypoints as pictures in [0, 1]: of heatmaps the largest joint at each pixel."""
    return image(maps if maps.shape[1] == 3 else maps.amax(1, keepdim=True).expand(-1, 3, -1, -1))


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and generate."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with clear_errors():
        generate(tyro.cli(Options, args=arguments))


if __name__ == "__main__":
    main()
