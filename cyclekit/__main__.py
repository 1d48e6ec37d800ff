"""`python -m cyclekit`, and what the console script `cyclekit` calls."""

import signal
import sys


def main() -> None:
    """Run the command; while Python imports, Ctrl-C ends it at once, without a traceback."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from cyclekit.command import run_command

    sys.exit(run_command(sys.argv[1:]))


if __name__ == "__main__":
    main()
