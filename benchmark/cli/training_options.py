"""The options of ``bench train``: the name, the limits and the help text of each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmark.cli.choices import LossName, PrecisionName

ImagesOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--images",
        help="Folder of images: one subfolder for each class, or one image for each class. Repeatable.",
    ),
]
TrainingNormsOption = Annotated[
    Path | None,
    typer.Option("--norms", help="File of association norms, in the format of strength.SWOW-EN.R1.csv."),
]
RecommendedOption = Annotated[
    bool,
    typer.Option(
        "--recommended", help="Train the recommended network on the data root; the suite human finds it."
    ),
]
RunFolderOption = Annotated[
    Path | None,
    typer.Option("--output", help="Folder of this training run. A stopped run continues from its files."),
]
StartOption = Annotated[
    str,
    typer.Option(
        "--from",
        help="Encoder to start from: a registered MODEL, taskonomy:FEATURE, timm:NAME.TAG or "
        "torchvision:NAME.WEIGHTS. Add @untrained:SEED for random weights. Or the .safetensors file of an "
        "earlier run.",
    ),
]
TrainedNameOption = Annotated[
    str, typer.Option("--name", help="Name of the model in the registry file that the run writes.")
]
LossOption = Annotated[
    LossName,
    typer.Option(
        "--loss",
        help="Loss to minimise: binary cross-entropy (bce), cross-entropy of the softmax (softmax) or "
        "squared error (mse).",
    ),
]
FreezeOption = Annotated[
    bool, typer.Option("--freeze", help="Train only the head. The encoder does not change.")
]
ClassesOption = Annotated[
    bool,
    typer.Option(
        "--classes",
        help="Use the ImageNet classifier of the encoder: the head mixes what people say to the classes that "
        "it sees in an image.",
    ),
]
SizeOption = Annotated[
    int | None,
    typer.Option("--size", min=16, help="Side of the images in pixels. Default: the size of the encoder."),
]
VocabularyOption = Annotated[
    int, typer.Option("--vocabulary", min=1, help="Largest number of responses that the network can give.")
]
PerCueOption = Annotated[int, typer.Option("--per-cue", min=1, help="Largest number of images of a cue.")]
TestOption = Annotated[
    float,
    typer.Option("--test", min=0, max=0.9, help="Share of each cue's images that is held out and scored."),
]
ValidationOption = Annotated[
    float,
    typer.Option(
        "--validation", min=0, max=0.9, help="Share of each cue's images that decides when training stops."
    ),
]
HeldOutOption = Annotated[
    float,
    typer.Option(
        "--held-out",
        min=0,
        max=0.9,
        help="Share of the cues that is held out: no image of them is trained on.",
    ),
]
SetApartOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set-apart",
        help="Images that are never trained on: CLASS/FILE without the ending, separated by commas.",
    ),
]
SampleSeedOption = Annotated[
    int, typer.Option("--sample-seed", min=0, help="Seed that decides which images and cues are held out.")
]
WarmupOption = Annotated[
    int, typer.Option("--warmup-epochs", min=0, help="Number of first epochs that train only the head.")
]
EpochsOption = Annotated[
    int, typer.Option("--epochs", min=0, help="Largest number of epochs that train the whole network.")
]
PatienceOption = Annotated[
    int,
    typer.Option(
        "--patience",
        min=1,
        help="Training stops after this number of epochs without a lower validation loss.",
    ),
]
BatchOption = Annotated[int, typer.Option("--batch", min=1, help="Number of images in a training step.")]
AccumulateOption = Annotated[
    int,
    typer.Option("--accumulate", min=1, help="Number of parts in which a step is computed, to save memory."),
]
RateOption = Annotated[float, typer.Option("--rate", min=0, help="Highest learning rate of the network.")]
HeadRateOption = Annotated[
    float, typer.Option("--head-rate", min=0, help="Highest learning rate of the head in the first epochs.")
]
WeightDecayOption = Annotated[float, typer.Option("--weight-decay", min=0, help="Weight decay of AdamW.")]
PrecisionOption = Annotated[
    PrecisionName, typer.Option("--precision", help="Mixed precision: bf16, fp16, or no mixed precision.")
]
TrainingSeedOption = Annotated[
    int,
    typer.Option(
        "--seed", min=0, help="Seed of the order of the images, of their random changes and of the head."
    ),
]
