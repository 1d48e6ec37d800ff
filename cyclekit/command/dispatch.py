"""From the words of a command line to its subcommand, and from mistakes to one line."""

import os
import signal
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from cyclekit._refusal import let_first_speak
from cyclekit._registry import suggestion
from cyclekit.errors import CycleKitError, GraphWarning, SignalWarning, UsageError

COMMANDS = {
    "list": "The papers, or the networks and criteria, by name.",
    "show": "A paper or a run: equations, table, plan, diagram, recipe.",
    "train": "Train a paper's model on a folder of pictures.",
    "evaluate": "Measure a run on the pictures kept for testing.",
    "translate": "Translate a folder of pictures by a run's model.",
    "export": "Write a run's generator as an ONNX file, checked against torch.",
    "draw": "Draw a run's samples and loss curves.",
}
"""The subcommands; each is the module of its name, with an `Options` and a `run`."""

EXTRA = {"PIL", "accelerate", "matplotlib", "onnx", "onnxruntime", "onnxscript", "rich", "tensorboard", "tyro", "yaml"}
"""What `cyclekit[train]` brings, by the names it is imported under."""

_HELP = ("-h", "--help", "help")


def run_command(words: Sequence[str]) -> int:
    """Run one command line.

    Args:
        words: The words behind ``cyclekit``.

    Returns:
        The exit status: 0, 2 after a mistake that the user can mend, 130 after Ctrl-C.
    """
    warnings.showwarning = _show_warning
    try:
        if not words or words[0] in _HELP:
            print(_overview())
            return 0
        _run(words[0], words[1:])
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # who reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in EXTRA:
            raise
        return _refuse(f"the command needs {missing}, which is not installed: pip install 'cyclekit[train]'")
    except (CycleKitError, OSError) as error:
        return _refuse(error)
    except RuntimeError as error:
        if "out of memory" not in str(error) and "not enough memory" not in str(error):
            raise
        return _refuse("the memory is full: choose a smaller --batch, --size or --base-channels")
    return 0


def _run(name: str, words: Sequence[str]) -> None:
    if name not in COMMANDS:
        raise UsageError(f"cyclekit has no command {name!r}{suggestion(name, COMMANDS)}")
    command: Any = import_module(f"cyclekit.command.{name}")
    from cyclekit.command.options import read

    options = read(command.Options, name, words)
    if hasattr(command, "complete"):
        options = command.complete(options, words)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    command.run(options)


def _overview() -> str:
    commands = "\n".join(f"  {name:<10} {said}" for name, said in COMMANDS.items())
    return f"usage: cyclekit COMMAND ...\n\n{commands}\n\nEach says what it takes by --help."


def _refuse(problem: object) -> int:
    let_first_speak()
    print(f"error: {' '.join(str(problem).split())}", file=sys.stderr)
    return 2


def _show_warning(message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: object) -> None:
    """Print a warning; of the library's own, which say themselves what they are about, what they say alone."""
    own = issubclass(category, GraphWarning | SignalWarning)
    text = f"warning: {message}\n" if own else warnings.formatwarning(message, category, filename, lineno)
    sys.stderr.write(text)
