"""What a run was told: kept beside it, and held by when it is resumed."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from cyclekit._files import whole_file
from cyclekit._typed import typed
from cyclekit.errors import RunOptionsError

OPTIONS_FILE = "options.yaml"


@typed
def read_options(run: str | Path) -> dict[str, Any]:
    """Return what a run was told.

    Args:
        run: The run's folder.

    Returns:
        Its options by name: numbers, text, lists and dicts.

    Raises:
        RunOptionsError: There are none, or they cannot be read.
    """
    import yaml

    file = Path(run) / OPTIONS_FILE
    try:
        options = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RunOptionsError(f"{run} holds no run: there is no {file}") from error
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise RunOptionsError(f"{file} cannot be read as a run's options: {reason}") from error
    if not isinstance(options, dict) or not all(isinstance(name, str) for name in options):
        raise RunOptionsError(f"{file} cannot be read as a run's options: expected names with values")
    return options


def write_options(run: Path, options: Mapping[str, Any]) -> None:
    """Write what a run is told, for `read_options` and for people."""
    import yaml

    text = yaml.safe_dump(plain(dict(options)), sort_keys=False, allow_unicode=True)
    whole_file(run / OPTIONS_FILE, lambda file: file.write_text(text, encoding="utf-8"))


def check_unchanged(run: Path, before: Mapping[str, Any], now: Mapping[str, Any], may_change: Collection[str]) -> None:
    """Refuse options that would make a resumed run another one.

    Raises:
        RunOptionsError: Some differ; the message names each.
    """
    kept = plain(dict(now))
    old, new = ({name: told[name] for name in told if name not in may_change} for told in (before, kept))
    changed = list(_changes(old, new))
    if changed:
        raise RunOptionsError(
            f"{run} was trained with {'; with '.join(changed)}: a resumed run keeps its options; leave them as they "
            "were, or begin another run in another folder"
        )


def _changes(before: Mapping[str, Any], now: Mapping[str, Any], inside: str = "") -> Iterator[str]:
    """Say of each option that differs what it was and what it is now; of options of options, those that differ."""
    for name in dict.fromkeys((*before, *now)):
        old, new = before.get(name), now.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _changes(old, new, f"{inside}{name}.")
        elif old != new:
            yield f"{inside}{name} {_shown(old)}, not {_shown(new)}"


def plain(value: Any) -> Any:
    """Return a value as YAML gives it back.

    Raises:
        RunOptionsError: YAML cannot hold it.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(part) for part in value]
    raise RunOptionsError(f"options: {value!r} is no number, text, list or dict, and cannot be kept with the run")


def _shown(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
