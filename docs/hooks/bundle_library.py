"""Hands the library to the playground's page: cyclekit itself, zipped beside it when the site is built."""

from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

ROOT = Path(__file__).resolve().parents[2]


def on_post_build(config):
    """Write ``playground/cyclekit.zip``: the library's modules, and the bridge that the page speaks to."""
    with ZipFile(Path(config["site_dir"]) / "playground" / "cyclekit.zip", "w", ZIP_DEFLATED) as archive:
        for path in sorted((ROOT / "cyclekit").rglob("*.py")):
            archive.write(path, path.relative_to(ROOT).as_posix())
        archive.write(ROOT / "docs" / "playground" / "bridge.py", "bridge.py")
