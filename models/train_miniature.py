"""Train every small network of the drawn world again: ``python models/train_miniature.py``.

The script writes ``models/weights/mini_*.safetensors`` (float16) and prints the sha256 of each, which
``registry.yaml`` records. It takes about ten minutes on two cores. It is seeded: the same machine and the
same version of torch give the same files. Another version of torch may round differently, and then the hashes
are new.

The networks are trained only on drawings of the stream "train". Of the streams that are scored ("readout" and
"test"), the script uses "test", and only for the accuracy that it prints.

Parameters that many functions share:

``images``
    uint8 drawings, shape (n, 64, 64, 3), as :func:`draw_all` gives them for training.
``tests``
    The same for the test stream, for the accuracy.
``concepts``
    Tensor, shape (n,): the number of the concept in each image.
``module``
    The network, which is changed in place.
``name``
    Name of the network, for printing, or of its file without the ending.
``epochs``
    How often every image is seen.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from joblib import Parallel, delayed
from miniature import (
    CAPTIONS,
    CONCEPT_IDS,
    FORM_RATINGS,
    FORMS,
    VOCABULARY,
    Classifier,
    Clip,
    EncoderWithHead,
    Miniature,
    ObjectEncoder,
    PlainNetwork,
    SwowAssociation,
    TwoTowers,
    association_strengths,
    caption,
    form_caption,
    property_caption,
    property_norms,
    to_tensor,
)
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

from benchmark.datasets import AssociationTarget, DataRoot, mini
from benchmark.datasets.mini.concepts import CONCEPTS
from benchmark.model import ModelSpec

WEIGHTS = Path(__file__).parent / "weights"
SEED = 0
BATCH = 64
#: drawings of each concept
IMAGES = 400
#: of these, the ones on which the encoder is trained: fewer, since it stands for a network with another
#: purpose
ENCODER_IMAGES = 300

#: share of a soft label for the concept that is shown, and how widely the rest is spread (less is narrower)
OWN = 0.3
SPREAD = 0.3
#: shares of captions that name the concept, that say a property of it, and that say its form
KINDS = (0.4, 0.35, 0.25)

#: from the images of a batch and their row numbers to the loss
Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def draw_concept(concept: str, stream: str, count: int) -> np.ndarray:
    """The first ``count`` drawings of one ``concept`` in a ``stream``, uint8 (count, 64, 64, 3)."""
    return np.stack([mini.draw(concept, stream, index) for index in range(count)])


def draw_all(stream: str, count: int) -> np.ndarray:
    """The first ``count`` drawings of each concept in a ``stream``, uint8 (48 count, 64, 64, 3).

    They are sorted by concept.
    """
    return np.concatenate(Parallel(n_jobs=2)(delayed(draw_concept)(c, stream, count) for c in CONCEPT_IDS))


def shift(images: torch.Tensor, most: int = 4) -> torch.Tensor:
    """All ``images`` of a batch (n, c, h, w), moved by up to ``most`` pixels, with their border repeated."""
    padded = functional.pad(images, (most,) * 4, mode="replicate")
    down, right = torch.randint(0, 2 * most + 1, (2, len(images))).tolist()
    size = images.shape[-1]
    return torch.stack(
        [x[:, d : d + size, r : r + size] for x, d, r in zip(padded, down, right, strict=True)]
    )


def fit(name: str, module: nn.Module, images: np.ndarray, loss: Loss, epochs: int, rate: float) -> None:
    """Minimise ``loss`` over shifted ``images`` with AdamW and a one-cycle schedule of greatest ``rate``."""
    torch.manual_seed(SEED)
    module.train().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(module.parameters(), weight_decay=0.05)
    steps = epochs * -(-len(images) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps, pct_start=0.2)
    started = time.perf_counter()
    for epoch in range(epochs):
        values = []
        order = torch.randperm(len(images))
        for start in range(0, len(images), BATCH):
            rows = order[start : start + BATCH]
            batch = shift(to_tensor(images[rows.numpy()])).to(memory_format=torch.channels_last)
            value = loss(batch, rows)
            optimiser.zero_grad()
            value.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            values.append(value.item())
        seconds = time.perf_counter() - started
        print(f"{name}  epoch {epoch + 1}/{epochs}  loss {np.mean(values):.3f}  {seconds:.0f} s", flush=True)
    module.eval().to(memory_format=torch.contiguous_format)


def soft_labels() -> torch.Tensor:
    """Class probabilities that a network learns for an image of each concept, shape (48, 48).

    The Taskonomy encoder was distilled from a teacher network. Such a teacher gives some probability to
    classes that are similar to the object. Here that share is spread by the similarity of concepts in the
    authored tables: the cosine of their property norms, and, with half the weight, the similarity of their
    ratings of form.
    """
    profiles = torch.from_numpy(property_norms().counts.toarray()).float()
    alike = functional.normalize(profiles) @ functional.normalize(profiles).T
    forms = torch.from_numpy(FORM_RATINGS).float()
    distances = torch.cdist(forms, forms)
    alike += 0.5 * (1 - distances / distances.max())
    return OWN * torch.eye(len(alike)) + (1 - OWN) * functional.softmax(alike / SPREAD, dim=1)


def train_classifier(
    name: str, module: nn.Module, images: np.ndarray, concepts: torch.Tensor, epochs: int
) -> None:
    """Train a network to classify the concept of an image, with soft labels."""
    labels = soft_labels()
    fit(
        name,
        module,
        images,
        lambda x, rows: functional.cross_entropy(module(x), labels[concepts[rows]]),
        epochs,
        4e-3,
    )


def train_associations(
    encoder: EncoderWithHead,
    norms: AssociationTarget,
    images: np.ndarray,
    concepts: torch.Tensor,
    epochs: int,
) -> EncoderWithHead:
    """Fine-tune a copy of ``encoder``, end to end, to the association strengths (``norms``) of concepts.

    Images and norms of held-out concepts are not used.
    """
    torch.manual_seed(SEED)
    module = EncoderWithHead(len(norms.columns))
    module.encoder.load_state_dict(encoder.encoder.state_dict())
    strengths = torch.from_numpy(association_strengths(norms)[norms.rows(CONCEPT_IDS)]).float()
    held_out = torch.tensor([concept.held_out for concept in CONCEPTS])
    # start with the mean profile: then the first steps change the encoder little
    mean = strengths[~held_out].mean(0).clamp(1e-4, 1 - 1e-4)
    with torch.no_grad():
        module.head.bias.copy_(torch.logit(mean))
    used = ~held_out[concepts]
    images, concepts = images[used.numpy()], concepts[used]

    def loss(x: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        entropy = functional.binary_cross_entropy_with_logits(
            module(x), strengths[concepts[rows]], reduction="sum"
        )
        return entropy / len(rows)

    fit("swow_assoc", module, images, loss, epochs, 3e-3)
    return module


def captions_of(shown: torch.Tensor) -> tuple[list[str], torch.Tensor]:
    """A random caption for each concept ``shown`` (b,), and its truth for every concept, shape (b, 48).

    There are three kinds of captions. Some name the concept. Some say one property of it; properties are
    drawn by their production frequency in the norms, and the caption is true of every concept that has the
    property. Some say its form; their truth for a concept is its rating of this form, from 0 to 1.
    """
    norms = property_norms()
    frequency = torch.from_numpy(norms.counts.toarray()).float()
    ratings = torch.from_numpy(FORM_RATINGS).float()
    template = torch.randint(0, len(CAPTIONS), (len(shown),)).tolist()
    column = torch.multinomial(frequency[shown], 1)[:, 0].tolist()
    form = torch.multinomial(ratings[shown], 1)[:, 0].tolist()
    kinds = torch.multinomial(torch.tensor(KINDS), len(shown), replacement=True).tolist()
    texts, truths = [], []
    for i, (concept, kind) in enumerate(zip(shown.tolist(), kinds, strict=True)):
        names = (
            caption(concept, template[i]),
            property_caption(norms.columns[column[i]]),
            form_caption(FORMS[form[i]]),
        )
        texts.append(names[kind])
        same = torch.zeros(len(frequency))
        same[concept] = 1.0
        truths.append((same, (frequency[:, column[i]] > 0).float(), ratings[:, form[i]] / 10)[kind])
    return texts, torch.stack(truths)


def train_clip(module: TwoTowers, images: np.ndarray, concepts: torch.Tensor, epochs: int) -> None:
    """Train both towers to predict, for every image and caption of a batch, how true the caption is.

    This is the sigmoid loss of Zhai et al. (2023). Each pair counts by itself. So a caption may be true of
    many images, and more true of some than of others.
    """

    def loss(x: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        texts, truths = captions_of(concepts[rows])
        logits = module.scale.exp() * module(x) @ module.encode_text(texts).T + module.bias
        labels = truths[:, concepts[rows]].T  # image (row), caption (column)
        return functional.binary_cross_entropy_with_logits(logits, labels, reduction="sum") / len(rows)

    fit("clip", module, images, loss, epochs, 3e-3)


def save(module: nn.Module, name: str, vocabulary: tuple[str, ...] | None = None) -> Path:
    """Write the weights as float16 safetensors, with the ``vocabulary`` of responses if there is one.

    Returns
    -------
    Path
        The file.
    """
    state = {
        key: (value.half() if value.is_floating_point() else value).contiguous()
        for key, value in module.state_dict().items()
    }
    metadata = {VOCABULARY: json.dumps(vocabulary)} if vocabulary else None
    WEIGHTS.mkdir(exist_ok=True)
    path = WEIGHTS / f"{name}.safetensors"
    save_file(state, path, metadata)
    return path


def report(plugin: type[Miniature], path: Path, tests: np.ndarray) -> None:
    """Print the size, the sha256 and the accuracy of the checkpoint at ``path``, loaded by ``plugin``."""
    model = plugin(ModelSpec(path.stem, weights=path))
    with torch.inference_mode():
        output = model.network(to_tensor(tests)).numpy()
    predicted = model.classify(output).probabilities.argmax(1)
    concepts = np.repeat(np.arange(len(CONCEPT_IDS)), len(tests) // len(CONCEPT_IDS))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    accuracy = (predicted == concepts).mean()
    print(f"{path.name}  {path.stat().st_size} bytes  accuracy {accuracy:.3f}  sha256 {digest}", flush=True)


def encoder_then_associations(images: np.ndarray, tests: np.ndarray) -> None:
    """Train the encoder, then ``swow_assoc`` from it; write and report both."""
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    concepts = torch.arange(len(CONCEPT_IDS)).repeat_interleave(IMAGES)
    for_encoder = np.arange(len(images)) % IMAGES < ENCODER_IMAGES
    encoder = EncoderWithHead(len(CONCEPT_IDS))
    train_classifier("encoder", encoder, images[for_encoder], concepts[for_encoder], epochs=12)
    report(ObjectEncoder, save(encoder, "mini_encoder"), tests)
    norms = mini.associations(DataRoot(Path()), name="mini_associations")
    swow_assoc = train_associations(encoder, norms, images, concepts, epochs=10)
    report(SwowAssociation, save(swow_assoc, "mini_swow_assoc", norms.columns), tests)


def classifier_alone(images: np.ndarray, tests: np.ndarray) -> None:
    """Train, write and report the plain classifier."""
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    classifier = PlainNetwork(len(CONCEPT_IDS))
    concepts = torch.arange(len(CONCEPT_IDS)).repeat_interleave(IMAGES)
    train_classifier("classifier", classifier, images, concepts, epochs=10)
    report(Classifier, save(classifier, "mini_classifier"), tests)


def clip_alone(images: np.ndarray, tests: np.ndarray) -> None:
    """Train, write and report CLIP."""
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    clip = TwoTowers()
    concepts = torch.arange(len(CONCEPT_IDS)).repeat_interleave(IMAGES)
    train_clip(clip, images, concepts, epochs=16)
    report(Clip, save(clip, "mini_clip"), tests)


def main() -> None:
    """Draw the images and train on two cores. A network does not depend on the order of training."""
    print(f"drawing {IMAGES} images of each of {len(CONCEPT_IDS)} concepts", flush=True)
    images, tests = draw_all("train", IMAGES), draw_all("test", 6)
    jobs = (encoder_then_associations, classifier_alone, clip_alone)
    Parallel(n_jobs=2)(delayed(train)(images, tests) for train in jobs)


if __name__ == "__main__":
    main()
