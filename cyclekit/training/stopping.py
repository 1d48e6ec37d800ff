"""Ctrl-C and SIGTERM: the step is finished first."""

import signal
from collections.abc import Generator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType


class Stop:
    """Which signal has asked a run to end.

    Attributes:
        signal: The signal's number; 0 while there was none.
    """

    def __init__(self) -> None:
        self.signal = 0


@contextmanager
def stop_at_signals() -> Generator[Stop]:
    """Note the first SIGINT or SIGTERM while the block runs; the next one ends the process as it always does.

    Yields:
        What is noted. Outside the main thread, which alone gets signals, nothing ever is.
    """
    stop = Stop()
    if current_thread() is not main_thread():
        yield stop
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def note(number: int, frame: FrameType | None) -> None:
        stop.signal = number
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    try:
        for number in before:
            signal.signal(number, note)
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
