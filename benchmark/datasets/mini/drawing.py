"""One image of the drawn world: a ground, clutter, the object in a random pose, light and grain."""

from __future__ import annotations

import numpy as np

from benchmark.datasets.mini.canvas import Canvas, Part
from benchmark.datasets.mini.concepts import BY_ID
from benchmark.datasets.mini.draws import Draws
from benchmark.datasets.mini.palette import palette
from benchmark.datasets.mini.scene import any_light, any_pose, clutter, grain, ground, restyle, scrap
from benchmark.datasets.mini.shapes_animals import ANIMALS
from benchmark.datasets.mini.shapes_food_tools import FRUIT_AND_TOOLS
from benchmark.datasets.mini.shapes_home import HOME
from benchmark.datasets.mini.shapes_machines import MACHINES

#: width and height of an image, in pixels
SIZE = 64

SHAPES = {**ANIMALS, **FRUIT_AND_TOOLS, **MACHINES, **HOME}

#: how far an object of a category may be turned from upright, in degrees; 18 for the other categories
SPIN = {"tool": 60.0, "fruit": 35.0, "instrument": 35.0, "clothing": 25.0}


def draw(concept_id: str, stream: str, index: int) -> np.ndarray:
    """Draw one image of a concept.

    The pixels depend only on the three arguments, and are the same on every machine.

    Parameters
    ----------
    concept_id : str
        One of the 48 concepts.
    stream : str
        "train" is for the training of networks. "readout" and "test" make up the scored set. No image is in
        two streams.
    index : int
        Number of the image in its stream, from 0.

    Returns
    -------
    ndarray of uint8, shape (64, 64, 3)
    """
    draws = Draws(f"{concept_id}/{stream}/{index}")
    colours = palette(draws, concept_id)
    canvas = Canvas(SIZE, any_light(draws))
    ground(canvas, draws, avoid=colours.main)
    clutter(canvas, draws, draws.integer(2, 5), 1.0, lambda: _litter(draws))
    pose = any_pose(draws, SIZE, SPIN.get(BY_ID[concept_id].category, 18.0))
    canvas.paint(restyle(SHAPES[concept_id](draws, colours), colours, draws), pose)
    clutter(canvas, draws, draws.integer(0, 3), 0.65, lambda: scrap(draws))
    return grain(canvas, draws)


def _litter(draws: Draws) -> list[Part]:
    """A simple shape, or a fragment of any concept.

    Fragments are there so that a part alone does not show which object the image has.
    """
    if draws.chance(0.6):
        return scrap(draws)
    concept = draws.choice(tuple(SHAPES))
    parts = SHAPES[concept](draws, palette(draws, concept))
    first = draws.integer(0, len(parts) - 1)
    return parts[first : first + 2]
