"""What data of a user's own look like: a few lines of text, and a picture of RDMs or of reliabilities."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from scipy.spatial.distance import squareform

from benchmark.common import figures
from benchmark.common.files import write_atomic
from benchmark.common.text import plain
from benchmark.datasets import (
    AssociationTarget,
    RDMSeriesTarget,
    RDMTarget,
    ResponseTarget,
    Stimuli,
    Target,
    TripletTarget,
    VectorTarget,
)
from benchmark.datasets.rdm_check import pairs_of
from benchmark.inference import Reliability, agreement_p, noise_ceiling, series_scores
from benchmark.measures import triplet_ceiling
from benchmark.measures.compare import upper_triangle
from benchmark.submission.own_data import OwnData

_MISSING = "#dddddd"
#: With more rows than this their names do not fit beside the picture
_NAMED = 60
#: RDMs that are drawn of those along an axis
_DRAWN = 6
#: Values of least_reliability that are shown
_THRESHOLDS = (0.1, 0.3, 0.5, 0.7)


def describe(own: OwnData) -> list[str]:
    """Lines that describe the data, and what joined."""
    if isinstance(own.data, RDMTarget):
        lines = _of_rdms(own.data, own.joined.target if own.joined is not None else own.data)
    elif isinstance(own.data, RDMSeriesTarget):
        lines = _of_series(own.data, own.joined.target if own.joined is not None else own.data)
    elif isinstance(own.data, VectorTarget):
        n, dimensions = own.data.vectors.shape
        least, greatest = own.data.vectors.min(), own.data.vectors.max()
        lines = [f"vectors: {n} of {dimensions} dimensions, values from {least:g} to {greatest:g}"]
    elif isinstance(own.data, ResponseTarget):
        lines = _of_responses(own.data, own.reliability)
    elif isinstance(own.data, AssociationTarget):
        people = own.data.respondents
        lines = [
            f"norms: {len(own.data.ids)} cues, {len(own.data.columns)} responses",
            f"responses to a cue: {people.min():g} to {people.max():g}",
        ]
    elif isinstance(own.data, TripletTarget):
        lines = _of_triplets(own.data, own.joined.target if own.joined is not None else own.data)
    else:
        lines = _of_stimuli(own.data)
    return [*lines, *own.lines]


def save(own: OwnData, lines: list[str], folder: Path) -> list[Path]:
    """Save the preview beside the registry file.

    Parameters
    ----------
    own : OwnData
    lines : list of str
        As :func:`describe` gives them.
    folder : Path
        Folder of the registry file.

    Returns
    -------
    list of Path
        NAME.preview.txt, and for RDMs and responses with repeats NAME.preview.png.
    """
    text = folder / f"{own.name}.preview.txt"
    write_atomic(text, ("\n".join(lines) + "\n").encode())
    if isinstance(own.data, RDMTarget):
        figure = _drawn(own.data)
    elif isinstance(own.data, RDMSeriesTarget):
        figure = _drawn_series(own.data)
    elif own.reliability is not None and not np.isnan(own.reliability.value).all():
        figure = _drawn_reliability(own.name, own.reliability)
    else:
        return [text]
    picture = folder / f"{own.name}.preview.png"
    figures.save_figure(figure, picture)
    return [text, picture]


def _of_rdms(target: RDMTarget, joined: Target) -> list[str]:
    pairs = np.array([upper_triangle(rdm) for rdm in target.rdms])
    n, s = len(target.ids), len(target.subjects)
    missing = int(np.isnan(pairs).sum())
    what = "subject" if s == 1 else "subjects"
    lines = [
        f"RDMs: {s} {what} ({_few(target.subjects)}), {n} ids ({_few(target.ids)})",
        f"range: {np.nanmin(pairs):.4g} to {np.nanmax(pairs):.4g}, mean {np.nanmean(pairs):.4g}",
        f"missing pairs: {missing} of {pairs.size}"
        + (
            f"; a subject has from {pairs_of(target.rdms).min()} to {pairs_of(target.rdms).max()}"
            if missing
            else ""
        ),
    ]
    if (pairs < 0).any():
        lines.append(f"negative: {int((pairs < 0).sum())} values are below 0, as those of crossnobis may be")
    if s < 2 or not isinstance(joined, RDMTarget):
        return [*lines, "noise ceiling: none, it needs two subjects"]
    try:
        ceiling = noise_ceiling(joined.rdms)
    except ValueError as error:
        return [*lines, f"noise ceiling: undefined, {error}"]
    return [
        *lines,
        f"noise ceiling: {ceiling.lower:.3f} to {ceiling.upper:.3f} (Spearman, over what joined)",
    ]


def _of_series(target: RDMSeriesTarget, joined: Target) -> list[str]:
    n, s, axis = len(target.ids), len(target.subjects), target.axis
    what = "subject" if s == 1 else "subjects"
    lines = [
        f"RDMs: {s} {what} ({_few(target.subjects)}), {n} ids ({_few(target.ids)})",
        f"axis: {axis.name}, {len(axis)} places ({axis.label(0)} to {axis.label(len(axis) - 1)})",
        f"range: {target.pairs.min():.4g} to {target.pairs.max():.4g}, mean {target.pairs.mean():.4g}",
    ]
    if s < 2 or not isinstance(joined, RDMSeriesTarget):
        return [*lines, "noise ceiling: none, it needs two subjects"]
    found = series_scores(joined.pairs[0, :1], joined.pairs)
    lower = found.lower.mean(axis=0)
    best = int(np.argmax(lower))
    lines.append(
        f"noise ceiling: highest at {axis.label(best)}, {lower[best]:.3f} to "
        f"{found.upper[:, best].mean():.3f} (Spearman, over what joined)"
    )
    p = agreement_p(found.between)
    if not np.isnan(p).any():
        agree = int((p < 0.05).sum())
        lines.append(f"subjects agree at {agree} of {len(axis)} places (p < .05, FDR): a score is over these")
    return lines


def _of_responses(target: ResponseTarget, reliability: Reliability | None) -> list[str]:
    n, channels, _ = target.repeats.shape
    responses = target.responses
    what = "channel" if channels == 1 else "channels"
    lines = [
        f"responses: {n} stimuli ({_few(target.ids)}), {channels} {what} ({_few(target.channels)})",
        f"range: {responses.min():.4g} to {responses.max():.4g}, mean {responses.mean():.4g}",
    ]
    for what, names in (("areas", target.areas), ("subjects", target.subjects)):
        if names is not None:
            lines.append(f"{what}: {_few(tuple(dict.fromkeys(names)))}")
    if reliability is None:
        return [*lines, "repeats: one, so the reliability of the channels and their ceiling are not known"]
    counts = (~np.isnan(target.repeats)).sum(axis=2)
    lines.append(f"repeats: {counts.min()} to {counts.max()} of a stimulus")
    return [*lines, *_of_reliability(target.channels, reliability)]


def _of_reliability(channels: tuple[str, ...], reliability: Reliability) -> list[str]:
    """The range over channels, the two at its ends with their intervals, and what a threshold leaves."""
    value = reliability.value
    known = value[~np.isnan(value)]
    if not len(known):
        return ["reliability: not known, fewer than three stimuli have two repeats"]
    ends = [
        f"{channels[i]} {value[i]:.3f} "
        + (
            "[not known]"  # too few stimuli have two repeats in some of the samples
            if np.isnan(reliability.low[i])
            else f"[{reliability.low[i]:.3f}, {reliability.high[i]:.3f}]"
        )
        for i in (int(np.nanargmin(value)), int(np.nanargmax(value)))
    ]
    none = len(value) - int((known > 0).sum())
    left = [f"{int((known >= least).sum())} of {len(value)} at {least:g}" for least in _THRESHOLDS]
    return [
        f"reliability: {known.min():.3f} to {known.max():.3f}, median {np.median(known):.3f} (split halves, "
        f"Spearman-Brown, over what joined); not above 0 or not known for {none} channels",
        f"least and greatest, with 95 % intervals over stimuli: {', '.join(dict.fromkeys(ends))}",
        f"channels that least_reliability would keep: {', '.join(left)}",
    ]


def _of_triplets(target: TripletTarget, joined: Target) -> list[str]:
    """The first answer is shown in words: whoever knows the data sees whether the odd one out is right."""
    first = [target.ids[row] for row in target.triplets[0]]
    lines = [
        f"choices: {len(target.triplets)} answers about {len(target.ids)} ids ({_few(target.ids)})",
        f"the first: {first[2]} is the odd one out of {', '.join(first)}",
    ]
    if not isinstance(joined, TripletTarget):
        return lines
    lines.append(f"answers of which all three ids joined: {len(joined.triplets)}")
    ceiling = triplet_ceiling(joined.triplets)
    if not ceiling.repeated.any():
        return [*lines, "noise ceiling: none, no triplet was answered twice"]
    return [
        *lines,
        f"noise ceiling: {ceiling.lower:.3f} to {ceiling.upper:.3f} (accuracy, over the "
        f"{ceiling.repeated.sum()} answers to triplets that were answered twice or more often)",
    ]


def _of_stimuli(stimuli: Stimuli | Target) -> list[str]:
    assert isinstance(stimuli, Stimuli)
    sizes = {stimuli.image(i).size for i in range(len(stimuli))}
    shown = " and ".join(f"{width} x {height}" for width, height in sorted(sizes)[:_FEW])
    more = f" and {len(sizes) - _FEW} other sizes" if len(sizes) > _FEW else ""
    concepts = stimuli.concept_ids
    return [
        f"stimuli: {len(stimuli)} images of {len(concepts)} concepts ({_few(concepts)})",
        f"size: {shown} pixels{more}",
    ]


_FEW = 3


def _few(names: tuple[str, ...]) -> str:
    return ", ".join(names[:_FEW]) + (", ..." if len(names) > _FEW else "")


def _drawn_series(target: RDMSeriesTarget) -> Figure:
    """The mean RDM over subjects at up to six places, evenly spread."""
    places = np.unique(np.linspace(0, len(target.axis) - 1, _DRAWN).round().astype(int))
    figure = Figure(figsize=(1.6 * len(places) + 1, 2.2), layout="constrained")
    panels = figure.subplots(1, len(places), squeeze=False)[0]
    means = [squareform(target.pairs[:, place].mean(axis=0, dtype=np.float64)) for place in places]
    least, greatest = min(map(np.min, means)), max(map(np.max, means))
    for panel, place, mean in zip(panels, places, means, strict=True):
        image = panel.imshow(mean, cmap="cividis", vmin=least, vmax=greatest, interpolation="nearest")
        panel.set_title(plain(target.axis.label(place)), fontsize=8, parse_math=False)
        panel.set_xticks([])
        panel.set_yticks([])
    figure.colorbar(image, ax=panels, label="dissimilarity")
    return figure


def _drawn(target: RDMTarget) -> Figure:
    """The mean RDM over the subjects that have a pair; grey where none has it."""
    known = ~np.isnan(target.rdms)
    seen = known.sum(axis=0)
    mean = np.where(known, target.rdms, 0).sum(axis=0) / np.maximum(seen, 1)
    figure = Figure(figsize=(6, 5), layout="constrained")
    axes = figure.add_subplot()
    axes.set_facecolor(_MISSING)
    image = axes.imshow(np.ma.masked_where(seen == 0, mean), cmap="cividis", interpolation="nearest")
    figure.colorbar(image, label="dissimilarity")
    if len(target.ids) <= _NAMED:
        axes.set_yticks(range(len(target.ids)))
        axes.set_yticklabels(map(plain, target.ids), fontsize=5, parse_math=False)
    axes.set_xticks([])
    s = len(target.subjects)
    title = f"{plain(target.name)}: {f'mean of {s} subjects' if s > 1 else '1 subject'}; grey: missing"
    axes.set_title(title, fontsize=9, parse_math=False)
    return figure


def _drawn_reliability(name: str, reliability: Reliability) -> Figure:
    """The reliability of every channel with its interval, from the least to the greatest."""
    order = np.argsort(reliability.value)  # what is not known comes last, and is not drawn
    rank = np.arange(1, len(order) + 1)
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.add_subplot()
    axes.vlines(rank, reliability.low[order], reliability.high[order], color=_MISSING)
    axes.plot(rank, reliability.value[order], "o", markersize=3, color=figures.COLOURS[0])
    axes.axhline(0, color="black", linewidth=0.5)
    axes.locator_params(axis="x", integer=True)
    axes.set_xlabel("channel, in the order of its reliability")
    axes.set_ylabel("reliability, 95 % interval over stimuli")
    axes.set_title(plain(name), fontsize=9, parse_math=False)
    return figure
