"""The training that is recommended, on what a data root holds: one command, with no file to copy."""

from __future__ import annotations

import shlex
from pathlib import Path

from benchmark.association.pipeline import TrainingPlan
from benchmark.association.recipe import Recipe
from benchmark.association.sampling import Shares
from benchmark.common.errors import NotPossible

#: Folders of images under a data root. Those that are there are used
IMAGES = ("imagenet-sample/images", "tiny-imagenet-val", "caltech101-15")
NORMS = "swow-en/strength.SWOW-EN.R1.csv"
#: Where the suite ``human`` looks for the network, under the data root
OUTPUT = "swow_assoc"


def training_command(data: Path) -> str:
    """The command that trains the recommended network on the data root ``data``, for a shell, in one line."""
    return shlex.join(["bench", "train", "swow_assoc", "--recommended", "--data", str(data)])


def recommended_plan(data: Path, seed: int = 0) -> TrainingPlan:
    """The training that did best (docs/explanation/association-model.md).

    MobileNetV1 with its encoder frozen; the head mixes what people say to the classes that it sees.

    Parameters
    ----------
    data : Path
        The data root.
    seed : int
        Seed of the training.

    Returns
    -------
    TrainingPlan
        Its output is where the ``swow_assoc`` of the suite ``human`` is looked for.

    Raises
    ------
    NotPossible
        If the data root has none of the folders of images, or no norms.
    """
    images = tuple(data / folder for folder in IMAGES if (data / folder).is_dir())
    if not images:
        raise NotPossible(
            f"{data} has none of {', '.join(IMAGES)}: docs/how-to/getting-the-data.md says how to get them; "
            "or name your own with --images, --norms and --output"
        )
    if not (data / NORMS).is_file():
        raise NotPossible(
            f"{data / NORMS} is not there: get Small World of Words from smallworldofwords.org; "
            "or name other norms with --images, --norms and --output"
        )
    return TrainingPlan(
        images=images,
        norms=data / NORMS,
        start="mobilenetv1_100",
        output=data / OUTPUT,
        shares=Shares(per_cue=20),
        recipe=Recipe(
            loss="softmax",
            freeze=True,
            warmup_epochs=15,
            batch=32,
            weight_decay=0.05,
            patience=3,
            seed=seed,
        ),
        classes=True,
        size=224,
        name="swow_assoc",
    )
