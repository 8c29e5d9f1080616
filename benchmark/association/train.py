"""The training loop: first the head on frozen features, then the whole network.

A run that was stopped and continued gives the same weights as a run without a stop. For this, no random
number comes from a stream that a stop would lose. The order of the images depends only on the seed and the
epoch. The random changes of an image depend only on the seed, the epoch and the image. What the network draws
itself (dropout) depends only on the seed and the step.
"""

from __future__ import annotations

import contextlib
import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from torch import nn

from benchmark.association.head import encode, fit_head
from benchmark.association.images import DecodedImages
from benchmark.association.network import AssociationNetwork
from benchmark.association.recipe import Recipe, cosine, loss_sum, strengths_of
from benchmark.common.errors import DataError, UsageError
from benchmark.common.files import write_temporary

#: Called as ``report(phase, done, total)`` while the work goes on
Report = Callable[[str, int, int], None]

#: Number of images that are evaluated at once
_EVALUATED = 64


@dataclass(frozen=True)
class TrainingData:
    """The images and strengths that a network is trained on.

    Attributes
    ----------
    images : DecodedImages
        The training and the validation images.
    cues : Tensor of int, shape (images,)
        Row of ``strengths`` for the cue of each image.
    strengths : Tensor, shape (cues, v)
        Strengths of the responses to each cue.
    train, validation : ndarray of int
        Rows of the training images and of the validation images.
    """

    images: DecodedImages
    cues: torch.Tensor
    strengths: torch.Tensor
    train: np.ndarray
    validation: np.ndarray

    @property
    def mean(self) -> torch.Tensor:
        """Mean profile, shape (v,), of the training images."""
        return self.strengths[self.cues[self.train]].mean(0)


@dataclass
class _State:
    """Progress of the training. The state file holds all of it, under the names of these fields.

    ``least`` is the least validation loss so far, ``since`` the number of epochs since then, ``best`` the
    weights with the least loss, ``rows`` the metrics.
    """

    epoch: int = 0
    step: int = 0
    least: float = float("inf")
    since: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)
    best: dict[str, torch.Tensor] = field(default_factory=dict)


class Training:
    """A training run. It can be stopped at any moment and continued later.

    Parameters
    ----------
    network : AssociationNetwork
        The network at the start. It is trained in place.
    data : TrainingData
        The images and strengths to train on.
    recipe : Recipe
        Settings of the training.
    state_file : Path
        File of the state of the run. It is written after each epoch. If it exists, training continues from
        it.
    identity : str
        Hash of everything that decides the weights (recipe, sample, norms, start). A state file with another
        identity is refused.
    accelerator : Accelerator
        Device, precision and processes.
    keep_head : bool
        Whether the head is already trained, so that it is not trained alone first.
    report : callable, optional
        Called as ``report(phase, done, total)`` while the work goes on.
    on_epoch : callable, optional
        Called with all rows of the metrics whenever there is a new row.
    """

    def __init__(
        self,
        network: AssociationNetwork,
        data: TrainingData,
        recipe: Recipe,
        state_file: Path,
        identity: str,
        accelerator: Accelerator,
        *,
        keep_head: bool = False,
        report: Report | None = None,
        on_epoch: Callable[[list[dict[str, Any]]], None] | None = None,
    ) -> None:
        self.data = data
        self.recipe = recipe
        self._file = state_file
        self._identity = identity
        self._keep_head = keep_head
        self._accelerator = accelerator
        self._report: Report = report or (lambda *_: None)
        self._on_epoch = on_epoch or (lambda _: None)
        self._state = _State()
        network.encoder.requires_grad_(not recipe.freeze)
        self._plain = network.to(memory_format=torch.channels_last).to(accelerator.device)
        parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
        optimiser = torch.optim.AdamW(parameters, recipe.rate, weight_decay=recipe.weight_decay)
        self._network, self._optimiser = accelerator.prepare(network, optimiser)
        self._strengths = data.strengths.to(accelerator.device)

    def run(self) -> list[dict[str, Any]]:
        """Train the network, and give it the weights with the least validation loss.

        Returns
        -------
        list of dict
            Metrics, one row for each epoch.

        Raises
        ------
        UsageError
            If the state file belongs to another run.
        DataError
            If the loss is not finite.
        """
        if not self._resume():
            self._begin_head()
            self._save()
        epochs = 0 if self.recipe.freeze else self.recipe.epochs
        while self._state.epoch < epochs and self._state.since < self.recipe.patience:
            self._epoch(epochs)
            self._save()
        self._plain.load_state_dict(self._state.best)
        self._plain.eval()
        return self._state.rows

    def _begin_head(self) -> None:
        """Train the head alone, on the features of the encoder, unless it is trained already."""
        data, recipe = self.data, self.recipe
        if self._keep_head or recipe.warmup_epochs == 0:
            self._keep_if_best(self._evaluate())
            return
        started = time.perf_counter()
        self._report("features", 0, 1)
        encoder, device = self._plain.encoder, self._accelerator.device
        train = encode(encoder, data.images, data.train, data.cues, device, mirrored=True)
        validation = encode(encoder, data.images, data.validation, data.cues, device)
        head = copy.deepcopy(self._plain.head).cpu()
        curve = fit_head(head, train, validation, data.strengths, recipe)
        self._plain.head.load_state_dict(head.state_dict())
        for number, losses in enumerate(curve, 1):
            self._state.rows.append({"phase": "head", "epoch": number, **losses})
        metrics = self._evaluate()
        seconds = round(time.perf_counter() - started, 1)
        self._state.rows.append({"phase": "start", "epoch": 0, **metrics, "seconds": seconds})
        self._keep_if_best(metrics)

    def _epoch(self, epochs: int) -> None:
        """Train on every image once."""
        state = self._state
        started = time.perf_counter()
        batches = self._batches(state.epoch)
        total, count = 0.0, 0
        self._train_mode()
        for number, rows in enumerate(batches):
            share = cosine(state.step, epochs * len(batches))
            for group in self._optimiser.param_groups:
                group["lr"] = self.recipe.rate * share
            total += self._step(rows)
            count += len(rows)
            state.step += 1
            self._report(f"epoch {state.epoch + 1}/{epochs}", number + 1, len(batches))
        if not np.isfinite(total):
            raise DataError(f"the loss is not a finite number in epoch {state.epoch + 1}: lower --rate")
        metrics = self._evaluate()
        state.epoch += 1
        state.since += 1
        self._keep_if_best(metrics)
        state.rows.append(
            {
                "phase": "network",
                "epoch": state.epoch,
                "train_loss": total / count,
                **metrics,
                "seconds": round(time.perf_counter() - started, 1),
            }
        )

    def _batches(self, epoch: int) -> list[np.ndarray]:
        """Rows of the training images for each step. The order depends only on the seed and the epoch."""
        # the order for the head is drawn from (seed, epoch); the third number makes this order another one
        order = np.random.default_rng((self.recipe.seed, epoch, 1)).permutation(self.data.train)
        batches = np.split(order, range(self.recipe.batch, len(order), self.recipe.batch))
        return [rows for rows in batches if len(rows) >= self._accelerator.num_processes]

    def _step(self, rows: np.ndarray) -> float:
        """Take one step of the optimiser on a batch that the processes share; give its summed loss."""
        accelerator, recipe = self._accelerator, self.recipe
        torch.manual_seed(recipe.seed * 1_000_003 + self._state.step)
        own_rows = rows[accelerator.process_index :: accelerator.num_processes]
        parts = np.array_split(own_rows, min(recipe.accumulate, len(own_rows)))
        total = torch.zeros((), device=accelerator.device)
        for number, part in enumerate(parts, 1):
            images = self.data.images.augmented(part, recipe.seed, self._state.epoch)
            strengths = self._strengths[self.data.cues[torch.from_numpy(part)].to(accelerator.device)]
            last = number == len(parts)
            with contextlib.nullcontext() if last else accelerator.no_sync(self._network):
                logits = self._network(images.to(accelerator.device))
                loss = loss_sum(recipe.loss, logits.float(), strengths)
                # accelerate averages gradients over the processes; the loss is a mean over the whole batch
                accelerator.backward(loss * accelerator.num_processes / len(rows))
            total += loss.detach()
        self._optimiser.step()
        self._optimiser.zero_grad()
        return float(accelerator.reduce(total, "sum"))

    def _train_mode(self) -> None:
        self._network.train()
        if self.recipe.fixed_statistics:
            for module in self._plain.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()

    def _evaluate(self) -> dict[str, float]:
        """Loss and precision at 10 over the validation images. Each process evaluates all of them."""
        data = self.data
        if not len(data.validation):
            return {"validation_loss": float("nan"), "validation_precision_at_10": float("nan")}
        self._plain.eval()
        total, hits = 0.0, 0.0
        with torch.inference_mode():
            for part in np.array_split(data.validation, -(-len(data.validation) // _EVALUATED)):
                logits = self._plain(data.images.plain(part).to(self._accelerator.device)).float()
                strengths = self._strengths[data.cues[torch.from_numpy(part)].to(logits.device)]
                total += loss_sum(self.recipe.loss, logits, strengths).item()
                hits += _hits(strengths_of(self.recipe.loss, logits), strengths)
        count = len(data.validation)
        return {"validation_loss": total / count, "validation_precision_at_10": hits / count}

    def _keep_if_best(self, metrics: dict[str, float]) -> None:
        """Keep the weights if the validation loss is the least so far, or if there is no validation loss."""
        loss = metrics["validation_loss"]
        if loss < self._state.least or not self._state.best or np.isnan(loss):
            self._state.least, self._state.since = loss, 0
            self._state.best = {
                key: value.detach().cpu().clone() for key, value in self._plain.state_dict().items()
            }

    def _save(self) -> None:
        self._on_epoch(self._state.rows)
        if self._accelerator.is_main_process:
            scaler = self._accelerator.scaler
            content = {
                "identity": self._identity,
                "state": vars(self._state),
                "network": self._plain.state_dict(),
                "optimiser": self._optimiser.state_dict(),
                "scaler": scaler.state_dict() if scaler is not None else None,
            }
            temporary = write_temporary(self._file.parent, lambda stream: torch.save(content, stream))
            temporary.replace(self._file)
        self._accelerator.wait_for_everyone()

    def _resume(self) -> bool:
        """Continue from the state file, if it exists; give whether it does."""
        if not self._file.is_file():
            return False
        content = torch.load(self._file, map_location="cpu", weights_only=True)
        if content["identity"] != self._identity:
            raise UsageError(
                f"{self._file} belongs to a run with other settings, images or norms: give another --output"
            )
        self._state = _State(**content["state"])
        self._plain.load_state_dict(content["network"])
        self._optimiser.load_state_dict(copy.deepcopy(content["optimiser"]))
        if self._accelerator.scaler is not None and content["scaler"]:
            self._accelerator.scaler.load_state_dict(content["scaler"])
        self._on_epoch(self._state.rows)
        return True


def _hits(predicted: torch.Tensor, strengths: torch.Tensor) -> float:
    """Precision at 10, summed over images.

    A prediction among the 10 strongest is a hit if its true strength is that of the 10th strongest response,
    or greater.
    """
    k = min(10, predicted.shape[1])
    tenth = strengths.topk(k, dim=1).values[:, -1:].clamp(min=1e-12)
    chosen = strengths.gather(1, predicted.topk(k, dim=1).indices)
    return float((chosen >= tenth).float().mean(1).sum())
