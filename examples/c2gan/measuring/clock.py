"""What a run took: seconds of processor time, and on what."""

import platform
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch


@contextmanager
def clocked(file: Path) -> Iterator[None]:
    """Add the seconds of processor time that something takes to those in a file, also when it is stopped."""
    before = float(file.read_text()) if file.is_file() else 0.0
    started = time.process_time()
    try:
        yield
    finally:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{before + time.process_time() - started:.1f}\n")


def processor() -> str:
    """Return what trains: a GPU's name, or the processor's and how many of its cores torch uses."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    cpus = Path("/proc/cpuinfo")
    found = re.search(r"^model name\s*: (.*)$", cpus.read_text() if cpus.is_file() else "", re.MULTILINE)
    threads = torch.get_num_threads()
    return f"{found[1].strip() if found else platform.machine()}, {threads} core{'s' if threads > 1 else ''}"
