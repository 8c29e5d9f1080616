"""The options of ``bench`` that take one of a few words: the words each can take."""

from __future__ import annotations

from enum import Enum


class Device(str, Enum):
    """Where networks run; ``auto`` takes a GPU if there is one."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"
    mps = "mps"


class ResultFormat(str, Enum):
    """How ``bench run`` prints its results."""

    table = "table"
    json = "json"


class MapFormat(str, Enum):
    """How ``bench association map`` prints the cues of the classes."""

    table = "table"
    csv = "csv"


class FeatureFormat(str, Enum):
    """Format of a file that holds features."""

    npy = "npy"
    csv = "csv"


class RDMFormat(str, Enum):
    """Format of a file that holds an RDM."""

    npy = "npy"
    csv = "csv"
    rsatoolbox = "rsatoolbox"


class SimilarityFormat(str, Enum):
    """How ``bench similarity`` prints its results."""

    table = "table"
    json = "json"
    csv = "csv"


class AssociatesFormat(str, Enum):
    """How ``bench associate`` prints the words."""

    table = "table"
    json = "json"
    csv = "csv"


class RowUnit(str, Enum):
    """What a row of an RDM stands for."""

    stimulus = "stimulus"
    concept = "concept"


class Dissimilarity(str, Enum):
    """Distance between two rows of features."""

    correlation = "correlation"
    cosine = "cosine"
    euclidean = "euclidean"
    sqeuclidean = "sqeuclidean"
    cityblock = "cityblock"
    chebyshev = "chebyshev"
    canberra = "canberra"
    braycurtis = "braycurtis"
    jensenshannon = "jensenshannon"


class Backend(str, Enum):
    """What scores the cells of a run."""

    loky = "loky"
    dask = "dask"


class Pooling(str, Enum):
    """How the layers of a network become vectors."""

    average = "average"
    max = "max"


class RuleName(str, Enum):
    """How association profiles are compared."""

    logits = "logits"
    strengths = "strengths"
    hellinger = "hellinger"
    ppmi = "ppmi"
    spread = "spread"


class LossName(str, Enum):
    """Loss between the outputs of an association network and the strengths that people gave."""

    bce = "bce"
    softmax = "softmax"
    mse = "mse"


class PrecisionName(str, Enum):
    """Arithmetic of the forward pass."""

    no = "no"
    bf16 = "bf16"
    fp16 = "fp16"


class PluginKind(str, Enum):
    """What ``bench new`` can write."""

    model = "model"
    task = "task"
    dataset = "dataset"


class EntryKind(str, Enum):
    """What ``bench list`` can list."""

    models = "models"
    tasks = "tasks"
    datasets = "datasets"
    suites = "suites"
    ids = "ids"


class LeaderboardFormat(str, Enum):
    """What ``bench leaderboard build`` writes."""

    html = "html"
    csv = "csv"
    json = "json"
    md = "md"
    tex = "tex"


class FigureKind(str, Enum):
    """What ``bench plot`` draws."""

    profile = "profile"
    rdm = "rdm"
    plan = "plan"
    compare = "compare"
    similarity = "similarity"
    curve = "curve"
