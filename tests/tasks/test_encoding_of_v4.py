"""encoding on macaque V4: what pixels explain, as it was measured outside the suite."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.calibration import ArrayView, plain_score
from benchmark.common.errors import NotPossible
from benchmark.datasets import DataRoot, join
from benchmark.datasets.readers import macaque
from benchmark.registry import load_registry
from benchmark.runner import Options, Session

pytestmark = [pytest.mark.human_data, pytest.mark.slow]

#: Median correlation of ridge from 16 x 16 pixels
PIXELS = {"190923": 0.213, "210325": 0.246}


@pytest.mark.parametrize("session", PIXELS)
def test_pixels_explain_a_little(human_data, session):
    root = DataRoot(human_data)
    try:
        stimuli = macaque.images(root, name="v4", session=session)
        target = macaque.responses(root, name="r", session=session)
    except NotPossible as error:
        pytest.skip(str(error))
    pixels = Session(Options(data=human_data)).model("pixels", "macaque").model
    layers = {"output": pixels.features(stimuli, ["output"])["output"]}
    task = load_registry().task("encoding").load()()
    view = ArrayView(stimuli, layers)
    result = task.score(view, join(stimuli, target), {}, np.random.default_rng(0))
    # measured elsewhere with other folds and fewer pixels
    assert plain_score(result, "output", "correlation") == pytest.approx(PIXELS[session], abs=0.025)
    assert result.layers["output"].p < 0.01
