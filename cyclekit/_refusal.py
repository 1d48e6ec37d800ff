"""A mistake is said once, however many processes meet it."""

import os
import time
from contextlib import suppress

PATIENCE = 30.0
"""Seconds that a process leaves the first one to speak: a launcher ends all of them when one ends."""


def let_first_speak() -> None:
    """Wait for half a minute in every process but the first, before a script says what is wrong and ends.

    A launcher such as torchrun ends all processes when one ends. Without this it may end the first one before that
    has said anything, since another met the mistake sooner; with it the mistake is said once, or by a process that
    met it alone. Of a single process it returns at once.

    Example:
        ```python
        import sys
        from cyclekit import CycleKitError, papers
        from cyclekit.training import let_first_speak

        try:
            papers.create_paper("cyclegan")
        except CycleKitError as error:
            let_first_speak()
            sys.exit(f"error: {error}")
        ```
    """
    if os.environ.get("RANK", "0") != "0":
        with suppress(KeyboardInterrupt):
            time.sleep(PATIENCE)
