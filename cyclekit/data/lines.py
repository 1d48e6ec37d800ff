"""Text files that are read line by line."""

from pathlib import Path

from cyclekit.errors import DataError


def read_lines(path: Path) -> list[str]:
    """Return a text file's lines, with or without a byte order mark.

    Raises:
        DataError: It is a folder, a pipe or a device, or no text in UTF-8.
        OSError: It cannot be read.
    """
    if path.exists() and not path.is_file():
        raise DataError(f"{path} is no file")
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no text: byte {error.start} is not UTF-8") from error
