"""The sample of images for an association network: which are trained on, and which are held out.

Every choice depends on a hash of the seed and of the name of what is chosen, not on a stream of random
numbers. So the same folders give the same sample on every machine. To add or to remove a class changes
nothing about the other classes.
"""

from __future__ import annotations

import hashlib
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import pandas as pd

from benchmark.association.mapping import Match, class_cues, class_names
from benchmark.common.errors import DataError, UsageError
from benchmark.common.files import write_atomic
from benchmark.datasets.readers.files import read_table
from benchmark.datasets.readers.folders import image_files

Role = Literal["train", "validation", "test", "unreadable"]

_COLUMNS = ("id", "folder", "file", "class", "cue", "role", "held_out")


@dataclass(frozen=True)
class SampledImage:
    """One image of a sample.

    Attributes
    ----------
    id : str
        Unique in the sample: the number of the folder, a slash, and the path of the file in it without
        ending.
    path : Path
        The file.
    class_id : str
        Its class, a WordNet id or a name: the name of its subfolder; in a flat folder the name of the file.
    cue : str
        The cue of its class.
    role : {"train", "validation", "test", "unreadable"}
        "train": it is trained on. "validation": it decides when training stops. "test": it is scored.
        "unreadable": it could not be decoded.
    held_out : bool
        Whether its cue is held out. No image of such a cue is trained on.
    """

    id: str
    path: Path
    class_id: str
    cue: str
    role: Role
    held_out: bool


@dataclass(frozen=True)
class Shares:
    """How a sample is drawn.

    Attributes
    ----------
    per_cue : int
        Largest number of images of a cue. They are divided evenly among the classes that share the cue.
    test, validation : float
        Share of each cue's images that gets this role. The number is rounded down, so that a cue with few
        images gives none.
    held_out : float
        Share of the cues that is held out.
    set_apart : tuple of str
        Names of images (``n02099601``, ``n02099601/0001``) that are always "test". Their cues are not held
        out, unless a cue has no other image.
    seed : int
        Seed of all choices.
    """

    per_cue: int = 200
    test: float = 0.2
    validation: float = 0.1
    held_out: float = 0.1
    set_apart: tuple[str, ...] = ()
    seed: int = 0


@dataclass(frozen=True)
class Sample:
    """The images for an association network, each with its role.

    Attributes
    ----------
    images : tuple of SampledImage
        Sorted by id.
    unmatched : dict of str to str
        Classes that have no cue, with the reason. Their images are left out.
    """

    images: tuple[SampledImage, ...]
    unmatched: Mapping[str, str]

    def with_role(self, role: Role) -> list[SampledImage]:
        """The images that have ``role``, with those of held-out cues."""
        return [image for image in self.images if image.role == role]

    @property
    def cues(self) -> tuple[str, ...]:
        """Every cue of a readable image, sorted."""
        return tuple(sorted({image.cue for image in self.images if image.role != "unreadable"}))

    @property
    def hash(self) -> str:
        """sha256 of the choices: ids, classes, cues and roles. Paths do not count."""
        rows = [(i.id, i.class_id, i.cue, i.role, i.held_out) for i in self.images]
        return hashlib.sha256(repr(rows).encode()).hexdigest()

    def without(self, unreadable: Iterable[str]) -> Sample:
        """The same sample, with the role "unreadable" for the images with the ids ``unreadable``."""
        ids = frozenset(unreadable)
        images = tuple(replace(i, role="unreadable") if i.id in ids else i for i in self.images)
        return replace(self, images=images)


def draw_sample(folders: Sequence[Path], cues: Iterable[str], shares: Shares) -> Sample:
    """Draw a sample from the images whose classes have a cue, and give each image its role.

    Parameters
    ----------
    folders : sequence of Path
        Each is either a folder with one subfolder for each class (WordNet ids or names), or a flat folder
        with one image for each class.
    cues : iterable of str
        The cues of the norms.
    shares : Shares
        How the sample is drawn.

    Returns
    -------
    Sample

    Raises
    ------
    DataError
        If a folder has no image, or no class has a cue.
    UsageError
        If no image is left to train on, or an image of ``set_apart`` does not exist.
    """
    entries = [entry for number, folder in enumerate(folders) for entry in _entries(number, folder)]
    matches = class_cues(class_names(dict.fromkeys(entry[2] for entry in entries)), frozenset(cues))
    unmatched = {name: str(match) for name, match in matches.items() if match.cue is None}
    by_cue: dict[str, list[tuple[str, Path, str]]] = defaultdict(list)
    for entry in entries:
        match: Match = matches[entry[2]]
        if match.cue is not None:
            by_cue[match.cue].append(entry)
    if not by_cue:
        example = next(iter(unmatched))
        raise DataError(
            f"{', '.join(map(str, folders))}: none of the {len(unmatched)} classes has a cue in the norms "
            f"({example}: {unmatched[example]}); name the folders of the classes by words or WordNet ids"
        )
    _require_known(shares.set_apart, [entry for of_cue in by_cue.values() for entry in of_cue])
    images = [image for cue in sorted(by_cue) for image in _assign_roles(cue, by_cue[cue], shares)]
    if not any(image.role == "train" for image in images):
        raise UsageError("no image is left to train on: lower --held-out, --test or --validation")
    return Sample(tuple(sorted(images, key=lambda image: image.id)), unmatched)


def write_manifest(sample: Sample, path: Path) -> None:
    """Write a sample as a CSV table with one row for each image. Classes without a cue are not in it.

    Parameters
    ----------
    sample : Sample
        The sample.
    path : Path
        The file to write.
    """
    rows = [(i.id, i.path.parent, i.path.name, i.class_id, i.cue, i.role, i.held_out) for i in sample.images]
    text = io.StringIO()
    pd.DataFrame(rows, columns=list(_COLUMNS)).to_csv(text, index=False, lineterminator="\n")
    write_atomic(path, text.getvalue().encode())


def read_manifest(path: Path) -> Sample:
    """Read the sample that :func:`write_manifest` wrote to ``path``.

    Raises
    ------
    DataError
        If the file does not exist or is not a manifest.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such manifest; bench train writes it beside the checkpoint")
    table = read_table(path, _COLUMNS)
    roles = {"train", "validation", "test", "unreadable"}
    unknown = table.loc[~table["role"].isin(roles), "role"]
    if len(unknown):
        raise DataError(
            f"{path}, line {unknown.index[0] + 2}: role {unknown.iloc[0]!r} is unknown; "
            f"known: {', '.join(sorted(roles))}"
        )
    images = tuple(
        SampledImage(id_, Path(folder) / file, class_id, cue, role, held_out == "True")
        for id_, folder, file, class_id, cue, role, held_out in table[list(_COLUMNS)].itertuples(index=False)
    )
    return Sample(images, {})


def _entries(number: int, folder: Path) -> list[tuple[str, Path, str]]:
    """Id, file and class of every image in a folder."""
    entries = []
    for file in image_files(folder):
        relative = file.relative_to(folder).with_suffix("").as_posix()
        entries.append((f"{number}/{relative}", file.resolve(), relative.split("/")[0]))
    return entries


def _draw(shares: Shares, *names: str) -> float:
    """A number in [0, 1) that depends only on the seed and the names."""
    digest = hashlib.sha256("\0".join((str(shares.seed), *names)).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _name(image_id: str) -> str:
    """Id of an image without the number of its folder."""
    return image_id.partition("/")[2]


def _assign_roles(cue: str, entries: list[tuple[str, Path, str]], shares: Shares) -> list[SampledImage]:
    """The sampled images of one cue, with their roles."""
    set_apart = [entry for entry in entries if _name(entry[0]) in shares.set_apart]
    available = [entry for entry in entries if _name(entry[0]) not in shares.set_apart]
    # a cue whose images are all set apart is not trained on either
    held_out = not available or (not set_apart and _draw(shares, "cue", cue) < shares.held_out)
    kept = _balanced(available, shares)
    tests, validations = int(len(kept) * shares.test), int(len(kept) * shares.validation)
    images = []
    for rank, (image_id, path, class_id) in enumerate(kept):
        role: Role = "train"
        if held_out or rank < tests:
            role = "test"
        elif rank < tests + validations:
            role = "validation"
        images.append(SampledImage(image_id, path, class_id, cue, role, held_out))
    return images + [SampledImage(id_, path, name, cue, "test", held_out) for id_, path, name in set_apart]


def _balanced(entries: list[tuple[str, Path, str]], shares: Shares) -> list[tuple[str, Path, str]]:
    """At most ``per_cue`` images, taken from each class in turn, in the order of their hashes."""
    by_class: dict[str, list[tuple[float, tuple[str, Path, str]]]] = defaultdict(list)
    for entry in entries:
        by_class[entry[2]].append((_draw(shares, "image", _name(entry[0])), entry))
    turns = [
        (turn, draw, entry)
        for members in by_class.values()
        for turn, (draw, entry) in enumerate(sorted(members))
    ]
    kept = sorted(turns, key=lambda item: (item[0], item[1], item[2][0]))[: shares.per_cue]
    return [entry for _, _, entry in sorted(kept, key=lambda item: (item[1], item[2][0]))]


def _require_known(names: Sequence[str], entries: list[tuple[str, Path, str]]) -> None:
    known = {_name(entry[0]) for entry in entries}
    missing = [name for name in names if name not in known]
    if missing:
        raise UsageError(
            f"--set-apart {missing[0]}: no class with a cue has an image of that name; "
            "write CLASS/FILE without the ending, or FILE for a flat folder"
        )
