"""Folders of pictures, one a signal: with nothing in common, or with a partner of the same name."""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path

from torch import Tensor

from cyclekit._typed import typed
from cyclekit.data.dataset import Index, SignalDataset
from cyclekit.data.pictures import check_all, examples, find_pictures, read_picture
from cyclekit.data.reader import Fit, Reader
from cyclekit.errors import DataError
from cyclekit.graph import Domain, Image

Folder = str | PathLike[str]


class UnpairedFolders(SignalDataset):
    """Pictures of several domains with no partners, as CycleGAN trains on: a folder a signal.

    Every signal has an order of its own, so a sample is one picture of each, whichever meet. An index is one number
    a folder; a single number ``i`` gives the ``i``-th of each, beginning again where a folder has fewer.

    Args:
        size: Height and width that pictures are brought to; as they are, all of one size, where it is not given.
        fit: What happens to pictures of other proportions: ``"exact"`` refuses them, ``"crop"`` cuts what stands
            out, ``"squash"`` squashes them, as the published CycleGAN does.
        domains: What each signal is; ``Image(3)`` where it is not given.
        check: Read every picture once, now, so that a broken one is named before training.
        **folders: The folder of each signal.

    Raises:
        DataError: A folder or its pictures are missing, a picture cannot be read or does not fit the size, or a
            domain is not one that a picture file can hold.

    Source:
        Zhu et al., Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks
        (arXiv 1703.10593), its data as released: ``trainA``, ``trainB``, ``testA``, ``testB``.

    Example:
        ```python
        from pathlib import Path
        from tempfile import TemporaryDirectory
        from PIL import Image
        from cyclekit.data import SignalLoader, UnpairedFolders

        with TemporaryDirectory() as root:
            for name, count in (("trainA", 3), ("trainB", 5)):
                Path(root, name).mkdir()
                for number in range(count):
                    Image.new("RGB", (32, 32), (number, 0, 0)).save(Path(root, name, f"{number}.png"))
            data = UnpairedFolders(A=Path(root, "trainA"), B=Path(root, "trainB"))
            batch = next(SignalLoader(data, batch_size=2).batches())
        assert data.lengths == (3, 5)
        assert batch["A"].shape == batch["B"].shape == (2, 3, 32, 32)
        ```
    """

    @typed
    def __init__(
        self,
        *,
        size: tuple[int, int] | None = None,
        fit: Fit = "exact",
        domains: Mapping[str, Domain] | None = None,
        check: bool = True,
        **folders: Folder,
    ) -> None:
        self.signals = signal_domains(folders, domains)
        self._found = {name: find_pictures(folder) for name, folder in folders.items()}
        self.files = {name: found.pictures for name, found in self._found.items()}
        self._readers = open_readers(self.signals, self.files, size, fit, check)

    @property
    def lengths(self) -> tuple[int, ...]:
        """How many pictures each folder holds."""
        return tuple(len(files) for files in self.files.values())

    @property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """Every signal by itself."""
        return tuple((name,) for name in self.signals)

    def __len__(self) -> int:
        """Return the number of pictures in the largest folder."""
        return max(self.lengths)

    def __getitem__(self, index: Index) -> dict[str, Tensor]:
        """Return one picture of each folder."""
        if isinstance(index, int):
            check_index(index, len(self))
            index = tuple(index % length for length in self.lengths)
        chosen = zip(self.files.items(), index, strict=True)
        return {name: self._readers[name].read(files[number]) for (name, files), number in chosen}

    def __str__(self) -> str:
        """Return where the pictures come from, how many they are, and what is left out."""
        return "\n".join(
            f"{name}: {len(files)} pictures in {files[0].parent}{self._found[name].rest}"
            for name, files in self.files.items()
        )


class PairedFolders(SignalDataset):
    """Pictures with partners: a folder a signal, and files of one stem (``007.jpg``, ``007.png``) belong together.

    Args:
        size: Height and width that pictures are brought to; as they are, all of one size, where it is not given.
        fit: What happens to pictures of other proportions: ``"exact"`` refuses them, ``"crop"`` cuts what stands
            out, ``"squash"`` squashes them.
        domains: What each signal is; ``Image(3)`` where it is not given. A mask is ``Mask()``, a map of classes
            ``Classes(n)``, dots or sticks on a plain ground ``Landmarks()``: each is resized as it must be.
        check: Read every picture once, now, so that a broken one is named before training.
        **folders: The folder of each signal.

    Raises:
        DataError: A folder or its pictures are missing, no stem is in all folders or one is in a folder twice,
            a picture cannot be read or does not fit the size, or a domain is not one that a picture file can hold.

    Example:
        ```python
        from pathlib import Path
        from tempfile import TemporaryDirectory
        from PIL import Image
        from cyclekit import Mask
        from cyclekit.data import PairedFolders

        with TemporaryDirectory() as root:
            for name in ("photos", "masks"):
                Path(root, name).mkdir()
                Image.new("L", (32, 32)).save(Path(root, name, "007.png"))
            data = PairedFolders(x=Path(root, "photos"), M=Path(root, "masks"), domains={"M": Mask()})
            assert data[0]["x"].shape == (3, 32, 32)
            assert data[0]["M"].shape == (1, 32, 32)
        ```
    """

    @typed
    def __init__(
        self,
        *,
        size: tuple[int, int] | None = None,
        fit: Fit = "exact",
        domains: Mapping[str, Domain] | None = None,
        check: bool = True,
        **folders: Folder,
    ) -> None:
        self.signals = signal_domains(folders, domains)
        self._found = {name: find_pictures(folder) for name, folder in folders.items()}
        stems = {name: _by_stem(found.pictures) for name, found in self._found.items()}
        common = sorted(set.intersection(*map(set, stems.values())))
        if not common:
            shown = "; ".join(f"{folders[name]} has {examples(found)}" for name, found in stems.items())
            raise DataError(f"no stem is in all folders, so there are no pairs: {shown}")
        self.files = {name: tuple(found[stem] for stem in common) for name, found in stems.items()}
        self.left_out = tuple(
            path for found in stems.values() for stem, path in found.items() if stem not in set(common)
        )
        """Pictures that lack a partner."""
        self._readers = open_readers(self.signals, self.files, size, fit, check)

    def __len__(self) -> int:
        """Return the number of pairs."""
        return min(map(len, self.files.values()))

    def __getitem__(self, index: Index) -> dict[str, Tensor]:
        """Return the pictures of one stem."""
        number = only(index)
        check_index(number, len(self))
        return {name: self._readers[name].read(files[number]) for name, files in self.files.items()}

    def __str__(self) -> str:
        """Return where the pictures come from, how many belong together, and which lack a partner."""
        folders = ", ".join(f"{name} in {files[0].parent}" for name, files in self.files.items())
        alone = examples(path.name for path in self.left_out)
        rest = f"; left out {len(self.left_out)} without a partner: {alone}" if self.left_out else ""
        others = ", ".join(f"{found.others} in {name}" for name, found in self._found.items() if found.others)
        return f"{len(self)} pictures of each: {folders}{rest}" + (f"; left out: {others}" if others else "")


def only(index: Index) -> int:
    """Return the number of a sample, given bare or as a tuple of one."""
    if isinstance(index, int):
        return index
    (number,) = index
    return number


def check_index(index: int, count: int) -> None:
    """Raise what ends a loop over a data set."""
    if not 0 <= index < count:
        raise IndexError(index)


def signal_domains(names: Mapping[str, object], domains: Mapping[str, Domain] | None) -> dict[str, Domain]:
    """Return the domain of every signal; those of others, as a whole graph's, are left aside.

    Raises:
        DataError: There is no signal.
    """
    given = dict(domains or {})
    if not names:
        raise DataError("no signal is named: give each its folder, such as A=..., B=...")
    return {name: given.get(name, Image(3)) for name in names}


def open_readers(
    signals: Mapping[str, Domain],
    files: Mapping[str, tuple[Path, ...]],
    size: tuple[int, int] | None,
    fit: Fit,
    check: bool,
) -> dict[str, Reader]:
    """Return a reader for each signal, once they have looked at their files."""
    if size is None:
        width, height = read_picture(next(iter(files.values()))[0]).size
        readers = {name: Reader(domain, (height, width), "same") for name, domain in signals.items()}
    else:
        readers = {name: Reader(domain, size, fit) for name, domain in signals.items()}
    for name, reader in readers.items():
        if check:
            check_all(files[name], reader.check)
    return readers


def _by_stem(pictures: tuple[Path, ...]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in pictures:
        if path.stem in found:
            raise DataError(f"{path.parent} has {found[path.stem].name} and {path.name}: a stem belongs to one picture")
        found[path.stem] = path
    return found
