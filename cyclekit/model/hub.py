"""Models on the Hugging Face hub: a repository holds what `save_pretrained` writes, and a card."""

import re
import tempfile
from collections.abc import Callable
from pathlib import Path

from cyclekit.errors import HubError
from cyclekit.model.files import FILES, one_line

CARD_FILE = "README.md"
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


def is_repository(name: str | Path) -> bool:
    """Return whether a name is a hub's ``owner/name``, and no folder of that name is there."""
    return isinstance(name, str) and bool(_REPOSITORY.fullmatch(name)) and not Path(name).exists()


def fetched(repository: str, revision: str | None) -> Path:
    """Return a folder with a repository's model, fetched where it is not at hand.

    Raises:
        HubError: It cannot be had.
    """
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(repository, revision=revision, allow_patterns=list(FILES)))
    except Exception as error:  # its client raises what several libraries do
        raise HubError(
            f"{repository!r} is no folder here, and cannot be fetched from the hub: {one_line(error)}"
        ) from error


def pushed(repository: str, write: Callable[[Path], None], card: str, *, private: bool, token: str | None) -> str:
    """Write a model and its card into a repository, in one commit; return its address.

    Raises:
        HubError: The hub refuses, or cannot be reached.
    """
    from huggingface_hub import HfApi

    if not _REPOSITORY.fullmatch(repository):
        raise HubError(f"{repository!r} is no name of a repository: expected owner/name")
    api = HfApi(token=token)
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model"
        write(model)
        (model / CARD_FILE).write_text(card.replace("OWNER/NAME", repository), encoding="utf-8")
        try:
            api.create_repo(repository, private=private, exist_ok=True)
            commit = api.upload_folder(repo_id=repository, folder_path=model, commit_message="A model of cyclekit")
        except Exception as error:  # its client raises what several libraries do
            raise HubError(f"{repository!r} cannot be written to the hub: {one_line(error)}") from error
    return str(commit.commit_url)
