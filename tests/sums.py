"""Checksums as `sha256sum` writes them, to change a folder's files on purpose."""

import hashlib
from pathlib import Path


def seal(folder: Path) -> None:
    """Make a folder's checksums those of what stands in it."""
    (folder / "SHA256SUMS").unlink(missing_ok=True)
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(folder.iterdir())]
    (folder / "SHA256SUMS").write_text("".join(lines))
