"""Hands the page "Drag a landmark" what `cyclekit export --web` puts into every page, when the site is built."""

from pathlib import Path
from shutil import copyfile

PAGE = Path(__file__).resolve().parents[2] / "cyclekit" / "command" / "page"


def on_post_build(config):
    """Copy onnxruntime, the script and its worker, and the style beside the models in ``drag``."""
    for file in PAGE.iterdir():
        if file.name != "page.html":
            copyfile(file, Path(config["site_dir"]) / "drag" / file.name)
