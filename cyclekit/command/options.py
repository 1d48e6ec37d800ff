"""The options of a subcommand, from words and from a YAML file; mistakes in one line."""

import io
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stderr
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import tyro

from cyclekit._registry import suggestion
from cyclekit.errors import UsageError

T = TypeVar("T")

POSITIONAL = "paper"
"""The one option that has no flag."""

RECORDED = ("classes", "order")
"""What a run's file says beside its options."""

NESTED: Mapping[str, Mapping[str, str]] = {
    "optimisation": {
        "rate": "learning_rate",
        "betas": "betas",
        "weight_decay": "weight_decay",
        "decay": "decay",
        "constant": "constant",
        "decaying": "decaying",
        "average": "average",
    },
    "checkpoints": {
        "minutes": "checkpoint_minutes",
        "steps": "checkpoint_steps",
        "last": "keep",
        "daily": "keep_daily",
    },
}
"""Options that a run's file holds under one name; those that are not here follow from the paper."""

_UNREADABLE = re.compile(r"Error parsing (\S+): no type matching (.+?) could be instantiated from \[(.*?)\]")
_MISSHAPEN = re.compile(r"Error parsing (\S+): .*(?:for arguments: |\]\} could be instantiated from )\[(.*?)\]")
_LISTED = re.compile(r"^[│ ]+(--[a-z]\S*) (\S.*?)[│ ]*$", re.MULTILINE)
"""Options of which a box of tyro's speaks, and what they take."""
_FRAME = "╭╮╰╯│─ "


def read(options: type[T], command: str, words: Sequence[str]) -> T:
    """Read a subcommand's words; ``--help`` prints and ends.

    Raises:
        UsageError: A word is none of the subcommand's options, or a value cannot be read.
    """
    known = {f"--{flag_of(field.name)}" for field in fields(options)}  # type: ignore
    known |= {f"--no-{flag_of(name)}" for name, kind in get_type_hints(options).items() if kind is bool}
    for word in words:
        flag = word.partition("=")[0]
        if re.match("--[a-zA-Z]", word) and flag not in {*known, "--help"}:
            near = suggestion(flag, known) if flag != "--" else ""
            raise UsageError(f"cyclekit {command} has no option {flag}{near}")
    if {"-h", "--help"} & {*words}:
        return tyro.cli(options, args=words, prog=f"cyclekit {command}")
    said = io.StringIO()
    try:
        with redirect_stderr(said):
            return tyro.cli(options, args=words, prog=f"cyclekit {command}")
    except SystemExit as end:
        if not end.code:
            raise
        text = _one_line(said.getvalue())
        if text.startswith("Unrecognized options: ") and "--data" in known:
            text += f"; did you mean --data {text.rpartition(': ')[2]}?"
        raise UsageError(f"cyclekit {command}: {text}") from None


def flag_of(field: str) -> str:
    """Return ``base-channels`` of ``base_channels``."""
    return field.replace("_", "-")


def words_of(file: Path, options: type[Any]) -> list[str]:
    """Return a YAML file's options as the words that say the same.

    Raises:
        UsageError: The file cannot be read, or holds a key that is no option.
    """
    known = [field.name for field in fields(options)]
    words: list[str] = []
    for key, value in _flat(read_yaml(file)):
        name = str(key).replace("-", "_")
        if name not in known:
            raise UsageError(f"{file}: there is no option {key!r}{suggestion(name, known)}")
        if value is None or value == [] or value == {}:
            continue
        if isinstance(value, bool):
            words.append(f"--{'' if value else 'no-'}{flag_of(name)}")
        elif name == POSITIONAL:
            words.insert(0, str(value))
        else:
            words += [f"--{flag_of(name)}", *_words(value)]
    return words


def _flat(data: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield a file's options, those that `cyclekit.training.fit` writes by the names that the command has for them."""
    for key, value in data.items():
        if key in RECORDED:
            continue
        if key not in NESTED or not isinstance(value, Mapping):
            yield key, value
            continue
        for name, part in value.items():
            if name in NESTED[key]:
                yield NESTED[key][name], 0 if part is None else part


def read_yaml(file: Path) -> dict[str, Any]:
    """Return what a YAML file of options says.

    Raises:
        UsageError: It cannot be read, or holds no mapping.
    """
    import yaml

    try:
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise UsageError(f"{file} cannot be read as options: {error}") from error
    if not isinstance(data, Mapping) or not all(isinstance(key, str) for key in data):
        raise UsageError(f"{file} cannot be read as options: expected lines `option: value`")
    return dict(data)


def _words(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from (str(key), str(item))
    elif isinstance(value, list):
        yield from map(str, value)
    else:
        yield str(value)


def _one_line(box: str) -> str:
    """Return what tyro's box says, without its frame and what follows the first rule."""
    lines: list[str] = []
    for line in box.splitlines()[1:]:
        inner = line.strip(_FRAME)
        if inner.strip("-"):  # where the terminal is ASCII alone, rules are of these
            lines.append(inner)
        elif lines:
            break
    text = " ".join(lines)
    listed = dict(_LISTED.findall(box))
    if text.startswith("Missing from") and listed:
        return f"say {', '.join(f'{flag} {kind}' for flag, kind in listed.items())}"
    if (misshapen := _MISSHAPEN.search(text)) and misshapen[1] in listed:
        return f"{misshapen[1]} {misshapen[2].replace(', ', ' ')}: expected {listed[misshapen[1]]}"
    if unreadable := _UNREADABLE.search(text):
        flag, kind, got = unreadable.groups()
        return f"{flag} {got.replace(', ', ' ')}: expected {kind.replace('{None}|', '')}"
    return text or box.strip() or f"the options cannot be read: {sys.argv[1:]}"
