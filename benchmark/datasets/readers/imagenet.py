"""Sets of ImageNet images whose concepts are WordNet ids.

Class names are not unique ("crane" is a bird and a machine). So a class is identified by its WordNet id.
Russakovsky et al. 2015, International Journal of Computer Vision.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

import pandas as pd

from benchmark.common.errors import DataError
from benchmark.datasets.readers.class_cues import decisions
from benchmark.datasets.readers.files import locate, read_table
from benchmark.datasets.readers.folders import image_files, image_stimuli, name_variants
from benchmark.datasets.root import DataRoot
from benchmark.datasets.stimuli import Keys, Stimuli

#: Later lemmas of a class that most people do not understand as the class: "killer" is not a killer whale,
#: and "grand" is not a grand piano. They were chosen by reading all lemmas that joined SWOW, EAT or word
#: vectors. For the first lemma of a class, imagenet_cues.csv decides, and gives the words that replace the
#: names.
# fmt: off
_OTHER_SENSE = frozenset({
    "bars", "beam", "bell", "blower", "board", "boa", "bob", "bullet", "carrier", "cell", "chopper",
    "coach", "dipper", "grand", "groin", "head", "horn", "jack", "killer", "mail", "mini", "napkin",
    "nursery", "ounce", "reaper", "rocker", "rubber", "scope", "semi", "site", "spot", "torpedo",
    "trump", "waggon", "wagon",
})
# fmt: on


def sample(root: DataRoot, *, name: str) -> Stimuli:
    """One image of each of the 1000 ILSVRC-2012 classes.

    Reads ``imagenet-sample/classes.csv`` (columns "index", "wnid" and "lemmas", comma separated) and the
    image ``imagenet-sample/images/WNID.jpg`` of each row. The THINGS concepts come from
    ``things/imagenet_overlap.csv`` (columns "unique_id" and "wnid").

    Parameters
    ----------
    root : DataRoot
        The data root.
    name : str
        Name of the dataset in the registry.

    Returns
    -------
    Stimuli
        In the order of ``classes.csv``, which is the order of class indices. Ids and concepts are WordNet
        ids. Keys: "things" (the ``unique_id`` of the THINGS concept with the same WordNet id), "word" and
        "swow" (see :func:`lemma_keys`).

    Raises
    ------
    NotPossible
        If a file or folder is not there.
    DataError
        If a class of ``classes.csv`` has no image.
    """
    folder = locate(root, name, "imagenet-sample/images")
    classes_path = locate(root, name, "imagenet-sample/classes.csv")
    classes = read_table(classes_path, ("index", "wnid", "lemmas"))
    files = [folder / f"{wnid}.jpg" for wnid in classes["wnid"]]
    missing = next((file for file in files if not file.is_file()), None)
    if missing is not None:
        raise DataError(f"{missing}: no image there for a class of {classes_path}")
    wnids = tuple(classes["wnid"])
    return image_stimuli(
        name,
        files,
        wnids,
        wnids,
        keys={**lemma_keys(classes), "things": _things(root, name)},
        labels=_labels(classes),
    )


def tiny_validation(root: DataRoot, *, name: str, halves: bool = True) -> Stimuli:
    """Validation images of Tiny ImageNet, 64 x 64 pixels, several per class (Le & Yang 2015).

    Reads the images ``tiny-imagenet-val/WNID/*`` and ``tiny-imagenet-val/classes.csv`` (columns "wnid" and
    "lemmas", comma separated).

    Parameters
    ----------
    root : DataRoot
        The data root.
    name : str
        Name of the dataset in the registry.
    halves : bool
        Whether the set is split: in each class, the first half of the images (by file name) is in the split
        "train", and the rest in "test". Without a split every image is scored. That is right for a task that
        fits no readout, such as 2 vs 2 and 1 vs 2.

    Returns
    -------
    Stimuli
        In the sorted order of the paths. Ids are "wnid/file", concepts are WordNet ids, and the keys are
        those of :func:`sample`.

    Raises
    ------
    NotPossible
        If a file or folder is not there.
    DataError
        If a folder is not a class of ``classes.csv``.
    """
    folder = locate(root, name, "tiny-imagenet-val")
    classes_path = locate(root, name, "tiny-imagenet-val/classes.csv")
    classes = read_table(classes_path, ("wnid", "lemmas"))
    files = image_files(folder)
    ids = [file.relative_to(folder).with_suffix("").as_posix() for file in files]
    wnids = [file.parent.name for file in files]
    unknown = sorted(set(wnids) - set(classes["wnid"]))
    if unknown:
        raise DataError(f"{folder / unknown[0]}: a folder of images that is no class of {classes_path}")
    return image_stimuli(
        name,
        files,
        ids,
        wnids,
        keys={**lemma_keys(classes), "things": _things(root, name)},
        labels=_labels(classes),
        splits=_halves(wnids) if halves else None,
    )


def lemma_keys(classes: pd.DataFrame) -> dict[str, Keys]:
    """Names that a class may have in a target, made from its lemmas, best known first.

    A lemma is left out if it is not the first one and most people understand something else by it ("killer"
    for a killer whale). If ``imagenet_cues.csv`` says so about the class's own names (a "crane" is a bird or
    a machine), the synonyms that this table gives are used instead of the lemmas.

    Parameters
    ----------
    classes : DataFrame
        Columns "wnid" (WordNet id) and "lemmas" ("tench, Tinca tinca"); one row per class.

    Returns
    -------
    dict of str to Keys
        By key, then by WordNet id. "word": in lower case, single words first, since word vectors have no
        others; then several words with a space, "_" and "-" between. "swow": each lemma as it is written and
        in lower case, in the order of the lemmas, since cues have capitals ("Africa").
    """
    lemmas = {row.wnid: _own_names(row.wnid, row.lemmas) for row in classes.itertuples()}
    return {
        "word": {wnid: name_variants(names) for wnid, names in lemmas.items()},
        "swow": {
            wnid: tuple(dict.fromkeys(form for lemma in names for form in (lemma, lemma.lower())))
            for wnid, names in lemmas.items()
        },
    }


def _own_names(wnid: str, text: str) -> list[str]:
    """The lemmas that people understand as the class, or the synonyms from the curated table."""
    decision = decisions().get(wnid)
    return list(decision.synonyms) if decision and decision.sense else known_lemmas(text)


def known_lemmas(text: str) -> list[str]:
    """The lemmas of a class, without later ones that most people understand as something else.

    Parameters
    ----------
    text : str
        All lemmas of the class, separated by commas ("killer whale, killer, orca").

    Returns
    -------
    list of str
        The first lemma, and those of the others that people understand (["killer whale", "orca"]).
    """
    first, *later = [lemma.replace("_", " ").strip() for lemma in text.split(",")]
    return [first, *(lemma for lemma in later if lemma.lower() not in _OTHER_SENSE)]


@cache
def imagenet_names() -> dict[str, tuple[str, ...]]:
    """Names of the 1,000 classes of ILSVRC-2012 by WordNet id, in the order of the class index."""
    return {row.wnid: tuple(known_lemmas(row.lemmas)) for row in _imagenet_classes().itertuples()}


@cache
def imagenet_keys() -> dict[str, Keys]:
    """The keys of :func:`lemma_keys` for all 1,000 classes of ILSVRC-2012, by key, then by WordNet id."""
    return lemma_keys(_imagenet_classes())


@cache
def _imagenet_classes() -> pd.DataFrame:
    """Columns "wnid" and "lemmas", as timm has them: a network knows its classes without a data root."""
    from timm.data.imagenet_info import ImageNetInfo  # slow to import

    info = ImageNetInfo("imagenet-1k")
    wnids = info.label_names()  # type: ignore[no-untyped-call]
    return pd.DataFrame({"wnid": wnids, "lemmas": [info.label_name_to_description(wnid) for wnid in wnids]})


def _labels(classes: pd.DataFrame) -> dict[str, str]:
    return {row.wnid: known_lemmas(row.lemmas)[0] for row in classes.itertuples()}


def _things(root: DataRoot, name: str) -> Keys:
    path: Path = locate(root, name, "things/imagenet_overlap.csv")
    table = read_table(path, ("unique_id", "wnid"))
    return {row.wnid: (row.unique_id,) for row in table.itertuples()}


def _halves(wnids: list[str]) -> list[str]:
    """Split of each image: "train" for the first half of its class, "test" for the rest."""
    total = Counter(wnids)
    seen: Counter[str] = Counter()
    splits = []
    for wnid in wnids:
        seen[wnid] += 1
        splits.append("train" if seen[wnid] <= total[wnid] // 2 else "test")
    return splits
