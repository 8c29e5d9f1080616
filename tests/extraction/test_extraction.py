"""One forward pass for all layers: what is captured, what is refused, what is left behind."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from benchmark.common.errors import BenchError, DataError, UsageError
from benchmark.datasets import Stimuli
from benchmark.extraction import NetworkModel, pool
from benchmark.extraction.network import BATCH_ON_CPU
from benchmark.model import ModelSpec

N = 70


def make_stimuli(n: int = N, seed: int = 0) -> Stimuli:
    pixels = np.random.default_rng(seed).integers(0, 256, (n, 16, 16, 3), dtype=np.uint8)
    ids = tuple(f"s{i}" for i in range(n))
    return Stimuli("noise", ids, ids, "manifest", lambda i: Image.fromarray(pixels[i]))


class Net(nn.Module):
    """Two convolutions with in-place activations, a linear map, and a module that nobody calls."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3)
        self.relu1 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(4, 5, 3)
        self.relu2 = nn.ReLU(inplace=True)
        self.fc = nn.Linear(5, 6)
        self.idle = nn.Linear(5, 6)
        self.passes = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.passes += 1
        return self.fc(self.relu2(self.conv2(self.relu1(self.conv1(x)))).mean((2, 3)))


class Small(NetworkModel):
    preprocessing = "scale 0..1"
    make: Callable[[], nn.Module] = Net

    def build(self) -> nn.Module:
        return type(self).make()

    def preprocess(self, image: Image.Image) -> torch.Tensor:
        return torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1).float() / 255

    def modules(self) -> dict[str, str]:
        return {"conv1": "conv1", "conv2": "conv2", "relu2": "relu2", "pre_logits": "fc:input"}


def model(make: Callable[[], nn.Module] = Net, **params: object) -> Small:
    kind = type("Small", (Small,), {"make": staticmethod(make)})
    return kind(ModelSpec("small", params, untrained=0))


def test_features_are_what_the_modules_give_one_image_at_a_time() -> None:
    small, stimuli = model(), make_stimuli()
    found = small.features(stimuli, small.layers)
    net = small.network
    for i in (0, BATCH_ON_CPU - 1, BATCH_ON_CPU, N - 1):
        x = small.preprocess(stimuli.image(i))[None]
        with torch.no_grad():
            conv1 = net.conv1(x).clone()
            conv2 = net.conv2(conv1.relu()).clone()
            penultimate = conv2.relu().mean((2, 3))
        expected = {
            "conv1": conv1.mean((2, 3)),
            "conv2": conv2.mean((2, 3)),
            "relu2": penultimate,
            "pre_logits": penultimate,
            "output": net.fc(penultimate),
        }
        for layer, value in expected.items():
            assert found[layer][i] == pytest.approx(value[0].detach().numpy(), abs=1e-5), layer
    assert all(f.dtype == np.float32 and len(f) == N for f in found.values())


def test_one_forward_pass_a_batch_for_all_layers() -> None:
    small = model()
    small.features(make_stimuli(), small.layers)
    assert small.network.passes == -(-N // BATCH_ON_CPU)


def test_no_hook_is_left_even_after_an_error() -> None:
    small = model(layers=["conv1", "idle", "fc"])
    with pytest.raises(BenchError):
        small.features(make_stimuli(3), small.layers)
    hooks = [m for m in small.network.modules() if m._forward_hooks or m._forward_pre_hooks]
    assert hooks == []


def test_only_the_layers_asked_for_come_back() -> None:
    assert list(model().features(make_stimuli(3), ["conv2"])) == ["conv2"]


def test_twice_the_same_and_alone_the_same_as_in_a_batch() -> None:
    small, stimuli = model(), make_stimuli()
    first, again = (small.features(stimuli, small.layers) for _ in range(2))
    one = Stimuli("one", ("x",), ("x",), "m", lambda _: stimuli.image(40))
    alone = small.features(one, small.layers)
    for layer in small.layers:
        assert np.array_equal(first[layer], again[layer])
        assert np.allclose(alone[layer][0], first[layer][40], atol=1e-5)


def test_order_of_stimuli_is_the_order_of_rows() -> None:
    small, stimuli = model(), make_stimuli()
    order = np.random.default_rng(1).permutation(N)
    shuffled = Stimuli(
        "s", tuple(map(str, order)), tuple(map(str, order)), "m", lambda i: stimuli.image(order[i])
    )
    straight = small.features(stimuli, ["output"])["output"]
    assert np.allclose(small.features(shuffled, ["output"])["output"], straight[order], atol=1e-5)


def test_seed_decides_the_untrained_weights_and_the_random_state_is_left_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    weights = [Small(ModelSpec("s", untrained=seed)).network.conv1.weight for seed in (0, 0, 1)]
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_network_is_in_eval_mode() -> None:
    small = model(lambda: nn.Sequential(nn.Dropout(0.5), nn.Flatten(), nn.Linear(768, 4)), layers=[])
    stimuli = make_stimuli(3)
    first, again = (small.features(stimuli, ["output"])["output"] for _ in range(2))
    assert np.array_equal(first, again)


def test_layer_never_called_is_named() -> None:
    small = model(layers=["conv1", "idle"])
    with pytest.raises(BenchError, match="'idle' is never called"):
        small.features(make_stimuli(3), small.layers)


def test_layer_called_twice_is_refused() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.conv(self.conv(x)).mean((2, 3))

    small = model(Twice, layers=["conv"])
    with pytest.raises(BenchError, match="'conv' is called more than once"):
        small.features(make_stimuli(3), small.layers)


def test_unknown_layer_names_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"no layer 'conv3'.*conv"):
        model().features(make_stimuli(3), ["conv3"])
    with pytest.raises(UsageError, match=r"no layer 'con1'.*conv1"):
        _ = model(layers=["con1"]).layers


def test_nan_names_the_layer_and_the_first_stimulus() -> None:
    class Breaks(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = x.mean((2, 3))
            return torch.where(y == y.max(), torch.nan, y)

    means = [np.asarray(make_stimuli(5).image(i)).mean((0, 1)).max() for i in range(5)]
    small = model(Breaks, layers=[])
    with pytest.raises(DataError, match=f"'output' gives NaN.*'s{int(np.argmax(means))}'"):
        small.features(make_stimuli(5), small.layers)


def test_a_layer_that_gives_no_tensor_or_no_row_a_stimulus_is_refused() -> None:
    class Pair(nn.Module):
        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return x, x

    with pytest.raises(BenchError, match="'output' gives a tuple"):
        model(Pair, layers=[]).features(make_stimuli(3), ["output"])

    class Tokens(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.flatten(2).permute(2, 0, 1)  # (t, n, c): the order of old transformers

    with pytest.raises(BenchError, match="first axis must be the stimuli"):
        model(Tokens, layers=[]).features(make_stimuli(3), ["output"])


def test_error_of_an_image_reaches_the_caller() -> None:
    def broken(index: int) -> Image.Image:
        raise DataError(f"stimulus {index} is truncated")

    stimuli = Stimuli("s", ("a", "b"), ("a", "b"), "m", broken)
    with pytest.raises(DataError, match="stimulus 0 is truncated"):
        model().features(stimuli, ["output"])


def test_progress_counts_to_the_end() -> None:
    seen: list[tuple[int, int]] = []
    model().features(make_stimuli(), ["output"], progress=lambda done, total: seen.append((done, total)))
    assert seen == [(done, N) for done in (*range(BATCH_ON_CPU, N, BATCH_ON_CPU), N)]


@pytest.mark.parametrize(
    ("shape", "how", "width"),
    [
        ((2, 7), "average", 7),
        ((2, 3, 4, 5), "average", 3),
        ((2, 3, 4, 5), "cls", 3),
        ((2, 3, 4, 5), "none", 60),
        ((2, 6, 8), "cls", 8),
        ((2, 6, 8), "average", 8),
        ((2, 6, 8), "max", 8),
        ((2, 2, 2, 2, 2), "none", 16),
    ],
)
def test_pooled_shapes(shape: tuple[int, ...], how: str, width: int) -> None:
    assert pool(torch.rand(shape), how, leading=1).shape == (2, width)


def test_pooled_values() -> None:
    maps = torch.rand(2, 3, 4, 5)
    assert torch.allclose(pool(maps, "max"), maps.amax((2, 3)))
    assert torch.allclose(pool(maps, "average"), maps.mean((2, 3)))
    tokens = torch.rand(2, 6, 8)
    assert torch.equal(pool(tokens, "cls", leading=2), tokens[:, 0])
    with pytest.raises(ValueError, match="prefix_tokens = NUMBER"):
        pool(tokens, "cls")
    with pytest.raises(ValueError, match="there is no class token"):
        pool(tokens, "cls", leading=0)
    assert torch.allclose(pool(tokens, "average"), tokens.mean(1))
    for half in (maps.bfloat16(), maps.bfloat16().contiguous(memory_format=torch.channels_last)):
        found = pool(half, "average")
        assert found.dtype == torch.float32
        assert torch.allclose(found, half.float().mean((2, 3)), rtol=1e-5)


def test_pooling_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown pooling 'median'"):
        model(pooling="median")
    with pytest.raises(ValueError, match="expected"):
        pool(torch.rand(2, 2, 2, 2, 2), "average")


@pytest.mark.gpu
def test_gpu_agrees_with_cpu() -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    small, stimuli = model(), make_stimuli()
    here = small.features(stimuli, small.layers)
    there = small.features(stimuli, small.layers, device="cuda")
    for layer in small.layers:
        assert np.allclose(here[layer], there[layer], atol=1e-3), layer


def test_features_of_halved_batches_are_those_of_whole_ones(caplog: pytest.LogCaptureFixture) -> None:
    class Cramped(Net):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            found = super().forward(x)
            if len(x) > 3:  # after every layer gave its activation
                raise torch.OutOfMemoryError("CUDA out of memory")
            return found

    stimuli = make_stimuli()
    whole, halved = (model(make).features(stimuli, ("conv1", "relu2", "output")) for make in (Net, Cramped))
    for layer, features in whole.items():
        np.testing.assert_allclose(halved[layer], features, rtol=1e-5, atol=1e-6)
    assert [message.split("; ")[1] for message in caplog.messages] == [
        "batches of 4 stimuli from here on",
        "batches of 2 stimuli from here on",
    ]
