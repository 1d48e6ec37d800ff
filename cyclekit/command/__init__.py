"""The command `cyclekit`: train, use and show the papers' models; one module a subcommand."""

from cyclekit.command.dispatch import run_command

__all__ = ["run_command"]
