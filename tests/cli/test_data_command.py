"""``bench data``: from files to a row of the leaderboard in two commands."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat
from scipy.spatial.distance import squareform
from scipy.stats import spearmanr

from benchmark.datasets import DataRoot
from benchmark.datasets.mini import images
from benchmark.export import model_rdms
from benchmark.measures import rdm
from benchmark.registry import load_registry
from benchmark.runner import Options, Session

IDS = images(DataRoot(Path()), name="mini_images").concept_ids
#: Two people
PEOPLE = np.stack([rdm(np.random.default_rng(s).normal(size=(len(IDS), 9)), "euclidean") for s in (0, 1)])
PAIRS = np.array([squareform(person, checks=False) for person in PEOPLE])


@pytest.fixture(scope="module")
def expected(shared_cache) -> dict[str, float]:
    """The mean over people of scipy's correlation of their RDM with that of the pixels."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCH_CACHE", str(shared_cache))
        session = Session(Options())
        found = model_rdms(session, "pixels", "mini", None, "mini_images", by="concept", metric="correlation")
    assert found.ids == IDS
    pixels = squareform(found.rdms[0], checks=False)
    return {
        "spearman": float(np.mean([spearmanr(pixels, person)[0] for person in PAIRS])),
        "pearson": float(np.mean([np.corrcoef(pixels, person)[0, 1] for person in PAIRS])),
    }


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ids.txt").write_text("\n".join(IDS))
    return tmp_path


def write_table(path: Path, square: np.ndarray, *, names: bool) -> None:
    lines = [
        [*([name] if names else []), *map(repr, row.tolist())] for name, row in zip(IDS, square, strict=True)
    ]
    path.write_text("\n".join(",".join(line) for line in ([["id", *IDS]] if names else []) + lines))


def write_matlab_73(path: Path) -> None:
    with h5py.File(path, "w", userblock_size=512) as file:
        file.create_dataset("rdms", data=PEOPLE).attrs["MATLAB_class"] = np.bytes_("double")
    with path.open("r+b") as stream:
        stream.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")


def write_rsatoolbox(folder: Path) -> None:
    from rsatoolbox.rdm import RDMs

    RDMs(PAIRS, pattern_descriptors={"concept": list(IDS)}).save(str(folder / "a.h5"), file_type="hdf5")


def write_each(folder: Path, ending: str, *, names: bool) -> None:
    for i, person in enumerate(PEOPLE):
        write_table(folder / f"sub-{i}{ending}", person, names=names)


FORMS = {
    "stack": (lambda f: np.save(f / "a.npy", PEOPLE), ["a.npy", "--ids", "ids.txt"]),
    "npz": (lambda f: np.savez(f / "a.npz", rdms=PEOPLE, ids=IDS), ["a.npz"]),
    "matlab": (
        lambda f: savemat(f / "a.mat", {"rdms": np.moveaxis(PEOPLE, 0, 2)}),
        ["a.mat", "--ids", "ids.txt"],
    ),
    "matlab 7.3": (lambda f: write_matlab_73(f / "a.mat"), ["a.mat", "--ids", "ids.txt"]),
    "csv": (lambda f: write_each(f, ".csv", names=True), ["sub-*.csv"]),
    "csv without names": (lambda f: write_each(f, ".csv", names=False), ["sub-*.csv", "--ids", "ids.txt"]),
    "rsatoolbox": (write_rsatoolbox, ["a.h5"]),
    "pairs": (lambda f: np.save(f / "a.npy", PAIRS), ["a.npy", "--ids", "ids.txt", "--order", "rows"]),
    "similarities": (
        lambda f: np.savez(f / "a.npz", s=30 - PEOPLE, ids=IDS),
        ["a.npz", "--similarity", "max-minus"],
    ),
}


@pytest.mark.parametrize(
    "form",
    [form if form in ("stack", "csv") else pytest.param(form, marks=pytest.mark.slow) for form in FORMS],
)
def test_from_files_to_a_row_in_two_commands(bench, folder, expected, form):
    write, arguments = FORMS[form]
    write(folder)
    done = bench("data", "new", "rdm", "judged", *arguments, "--stimuli", "mini_images")
    assert done.status == 0, done.err
    assert "bench run --model all --target judged --registry mine.yaml" in done.out
    done = bench(
        "run", "--model", "pixels", "--target", "judged", "--registry", "mine.yaml", "--format", "json"
    )
    assert done.status == 0, done.err
    (cell,) = done.cells
    assert cell["suite"] == "judged"
    (path,) = (folder / "results").rglob("judged_rdm_correlation/*.json")
    metrics = json.loads(path.read_text())["layers"][0]["metrics"]
    for metric, value in expected.items():
        assert metrics[metric]["score"] == pytest.approx(value, abs=1e-6)
    assert bench("leaderboard", "build", "--registry", "mine.yaml").status == 0
    rows = list(csv.DictReader((folder / "results" / "leaderboard.csv").open()))
    scores = {row["metric"]: float(row["score"]) for row in rows if row["model"] == "pixels" and row["layer"]}
    assert scores["spearman"] == pytest.approx(expected["spearman"], abs=1e-6)


def files_of(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.is_file()}


def test_the_preview_is_printed_and_saved(bench, folder):
    (folder / "sub").mkdir()
    rdms = PEOPLE[:, :40, :40].copy()
    rdms[0, 0, 1] = rdms[0, 1, 0] = np.nan
    np.save(folder / "sub" / "a.npy", rdms)
    (folder / "sub" / "ids.txt").write_text("\n".join([*IDS[:38], "unicorn", "yeti"]))
    new = ("data", "new", "rdm", "judged", "sub/a.npy", "--ids", "sub/ids.txt", "--stimuli", "mini_images")
    done = bench(*new, "--registry", "sub/own.yaml")
    assert done.status == 0, done.err
    pairs = np.array([squareform(np.nan_to_num(person), checks=False) for person in rdms])
    pairs = pairs[pairs > 0]
    lines = (folder / "sub" / "judged.preview.txt").read_text().splitlines()
    assert lines[:3] == [
        "RDMs: 2 subjects (a 1, a 2), 40 ids (dog, cat, horse, ...)",
        f"range: {pairs.min():.4g} to {pairs.max():.4g}, mean {pairs.mean():.4g}",
        "missing pairs: 1 of 1560; a subject has from 779 to 780",
    ]
    assert lines[3].startswith("noise ceiling: ")
    assert lines[4:] == [
        "joined: 38 of 48 concepts of mini_images and of 40 ids, on the concept id",
        f"lost: 10 concepts of mini_images without a row: {', '.join(map(repr, sorted(IDS[38:])[:3]))}, ...",
        "lost: 2 ids without a concept of mini_images: 'unicorn', 'yeti'",
    ]
    assert all(line in done.out for line in lines)
    assert (folder / "sub" / "judged.preview.png").read_bytes().startswith(b"\x89PNG")
    entry = load_registry([folder / "sub" / "own.yaml"]).dataset("judged").entry
    assert entry.params == {"files": ["a.npy"], "ids": "ids.txt"}


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["a.npy"], "a.npy: has numbers of shape (2, 48, 48) and no ids"),
        (
            ["a.npy", "--ids", "other.txt"],
            "do not join on the concept id: 0 are the same; expected the names of",
        ),
        (["b.npy", "--ids", "ids.txt"], "b.npy is not there"),
        (["a.npy", "--ids", "ids.txt", "--order", "rows", "--on", "thing"], "has no key 'thing' to join on"),
    ],
)
def test_a_refusal_is_one_line_and_writes_nothing(bench, folder, arguments, said):
    np.save(folder / "a.npy", PEOPLE)
    (folder / "other.txt").write_text("\n".join(f"n{i:03}" for i in range(48)))
    before = files_of(folder)
    done = bench("data", "new", "rdm", "judged", *arguments, "--stimuli", "mini_images")
    assert done.status > 0
    assert said in done.err
    assert done.err.count("\n") == 1
    assert files_of(folder) == before


def test_a_name_that_is_taken_is_refused_before_anything_is_read(bench, folder):
    for name, where in (("mini_people", "registry.yaml:"), ("mini", "is that of a suite"), ("a/b", "a/b")):
        done = bench("data", "new", "rdm", name, "nothing.npy", "--stimuli", "mini_images")
        assert done.status == 2
        assert where in done.err or "is not there" in done.err


def test_target_takes_the_bindings_of_one_target(bench, folder):
    run = ("run", "--model", "pixels", "--dry-run")
    done = bench(*run, "--target", "mini_people", "--task", "rdm_correlation,gwot_matching")
    assert "people_rdm" in done.out
    assert "area_early_rdm" not in done.out
    for arguments, said in (
        (["--target", "mini_poeple"], "did you mean mini_people?"),
        (["--target", "mcrae"], "no binding has it as its target"),
        (
            ["--target", "mini_people", "--task", "two_vs_two"],
            "no binding of two_vs_two with target 'mini_people'",
        ),
        ([], "name a model and a task"),
    ):
        done = bench(*run, *arguments)
        assert done.status == 2
        assert said in done.err


def test_a_target_of_two_suites_asks_for_one(bench, folder):
    text = """
suites:
  second:
    miniature: true
    models: [pixels]
    bindings: {again: {task: rdm_correlation, stimuli: mini_images, target: mini_people}}
"""
    (folder / "mine.yaml").write_text(text)
    run = ("run", "--model", "pixels", "--target", "mini_people", "--dry-run", "--registry", "mine.yaml")
    assert "is in the suites mini, second; name one with --suite" in bench(*run).err
    assert "again" in bench(*run, "--suite", "second").out


def test_images_of_ones_own_and_rdms_of_them(bench, folder):
    """The models of the real suite, with its weights, see images that no suite has."""
    for i, name in enumerate(("cat", "dog", "car", "bus")):
        Image.effect_noise((32 + i, 20), 50).save(folder / f"{name}.png")
    (folder / "seen").mkdir()
    for path in folder.glob("*.png"):
        path.rename(folder / "seen" / path.name)
    done = bench("data", "new", "stimuli", "photos", "seen")
    assert done.status == 0, done.err
    assert "stimuli: 4 images of 4 concepts (bus, car, cat, ...)" in done.out
    assert "size: 32 x 20 and 33 x 20 and 34 x 20 pixels and 1 other sizes" in done.out
    np.save(folder / "a.npy", [0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    new = ("data", "new", "rdm", "judged", "a.npy", "--ids", "seen", "--order", "rows", "--stimuli", "photos")
    done = bench(*new, "--registry", "mine.yaml")
    assert done.status == 0, done.err
    registry = load_registry([folder / "mine.yaml"])
    assert registry.suite("judged").extends == "human"
    weights = registry.model("swow_assoc", "judged").entry.checkpoint
    assert weights == registry.model("swow_assoc", "human").entry.checkpoint
    run = ("run", "--model", "pixels", "--target", "judged", "--registry", "mine.yaml", "--format", "json")
    done = bench(*run)
    assert [cell["status"] for cell in done.cells] == ["scored"]
    assert [bench(*run).cells[0]["cached"] for _ in range(2)] == [True, True]
    np.save(folder / "a.npy", [0.1, 0.2, 0.3, 0.4, 0.6, 0.5])
    assert [bench(*run).cells[0]["cached"] for _ in range(2)] == [False, True]
    done = bench("data", "new", "rdm", "again", *new[4:], "--registry", "mine.yaml")
    assert done.status == 0, done.err
    assert load_registry([folder / "mine.yaml"]).suite("again").extends == "human"


def test_own_data_are_listed_and_shown_without_the_suite_that_theirs_extends(bench, folder):
    np.save(folder / "a.npy", PEOPLE)
    (folder / "ids.txt").write_text("\n".join(IDS))
    new = ("data", "new", "rdm", "judged", "a.npy", "--ids", "ids.txt", "--stimuli", "mini_images")
    assert bench(*new).status == 0
    listed = bench("data", "list", "judged", "--registry", "mine.yaml").out
    assert re.findall(r"^(\w+) +(?:stimuli|target) ", listed, flags=re.MULTILINE) == ["judged"]
    shown = bench("info", "judged", "--registry", "mine.yaml").out
    assert "judged_rdm_correlation: {'task': 'rdm_correlation'" in shown
    assert "all of mini: bench info mini" in shown
    assert "people_rdm" not in shown


def test_ids_of_another_kind_are_refused_with_the_key_that_joins(bench, folder):
    (folder / "seen").mkdir()
    for name in ("Cat", "Dog", "Car", "Bus"):
        Image.effect_noise((8, 8), 50).save(folder / "seen" / f"{name}.png")
    bench("data", "new", "stimuli", "photos", "seen")
    (folder / "a.csv").write_text("cat,dog,car,yeti\n0,1,2,3\n1,0,4,5\n2,4,0,6\n3,5,6,0\n")
    new = ("data", "new", "rdm", "judged", "a.csv", "--stimuli", "photos", "--registry", "mine.yaml")
    said = bench(*new).err
    assert "('cat', 'dog', 'car', ...) and 4 concepts of photos ('Bus', 'Car', 'Cat', ...)" in said
    assert "0 are the same; --on word joins 3" in said
    done = bench(*new, "--on", "word")
    assert "joined: 3 of 4 concepts of photos and of 4 ids, on word" in done.out
    assert "lost: 1 ids without a concept of photos: 'yeti'" in done.out
    assert load_registry([folder / "mine.yaml"]).binding("judged", "judged_rdm_correlation").on == "word"


@pytest.mark.parametrize(
    "kind, text, said, task",
    [
        (
            "vectors",
            "\n".join(f"{name} {i} {i * i % 7} -1 {i % 5}" for i, name in enumerate(IDS)),
            "vectors: 48 of 4 dimensions, values from -1 to 47",
            "two_vs_two",
        ),
        (
            "norms",
            "cue\tresponse\tR1\tN\n"
            + "\n".join(f"{name}\tr{i % 5}\t{i + 1}\t90" for i, name in enumerate(IDS)),
            "norms: 48 cues, 5 responses",
            "association_topk",
        ),
    ],
)
def test_vectors_and_norms_of_ones_own(bench, folder, kind, text, said, task):
    (folder / "words.txt").write_text(text)
    done = bench("data", "new", kind, "words", "words.txt", "--stimuli", "mini_images")
    assert done.status == 0, done.err
    assert said in done.out
    assert "joined: 48 of 48 concepts" in (folder / "words.preview.txt").read_text()
    run = ("run", "--model", "pixels", "--target", "words", "--registry", "mine.yaml", "--format", "json")
    (cell,) = bench(*run).cells
    assert (cell["task"], cell["status"]) == (task, "scored")


def test_list_says_what_is_here_and_how_to_get_the_rest(bench, folder):
    np.save(folder / "a.npy", PEOPLE)
    bench("data", "new", "rdm", "judged", "a.npy", "--ids", "ids.txt", "--stimuli", "mini_images")
    list_data = ("data", "list", "--data", folder / "empty", "--registry", "mine.yaml")
    said = [" ".join(line.split()) for line in bench(*list_data, "--all").out.splitlines()]
    assert "mini_people target here mini, judged" in said, "judged extends mini"
    assert "judged target here judged" in said
    assert "glove_840b target missing human" in said, "for the words in common"
    assert "hit target missing human" in said
    assert "cslb target missing human" in said
    assert "mcrae target missing -" in said
    (all_here,) = [line for line in said if line.startswith("suite judged: ")]
    n = int(all_here.split()[2])
    assert all_here == f"suite judged: {n} of {n} data sets are here"
    assert any(line.startswith("suite human: 0 of ") and "word2vec" in line for line in said)
    (how,) = [line for line in said if line.startswith("missing: eat: ")]
    assert "the Edinburgh Associative Thesaurus in the layout" in how
    (folder / "a.npy").unlink()
    assert f"suite judged: {n - 1} of {n} data sets are here; not here: judged" in bench(*list_data).out


def test_list_fits_on_a_screen_and_says_all_of_what_is_named(bench, folder):
    (folder / "root/men").mkdir(parents=True)
    (folder / "root/men/MEN_dataset_natural_form_full").write_text("sun sunlight 50\n", encoding="utf-8")
    list_data = ("data", "list", "--data", folder / "root")
    summary = bench(*list_data).out.splitlines()
    assert len(summary) <= 40
    assert max(map(len, summary)) <= 200
    assert "collections here: men" in summary
    assert any(
        line.split()[:1] == ["swow-en"] and "bench data import swow-en PATH" in line for line in summary
    )
    assert any(line.startswith("suite human: 1 of ") and line.endswith("more") for line in summary)
    for name in ("swow", "swow-en"):
        said = bench(*list_data, name).out
        assert "missing: swow: looked for" in said
        assert "get swow-en: bench data import swow-en PATH" in said
        assert "eat" not in said.split()
    said = bench(*list_data, "macaque").out
    assert "v4_190923" in said
    assert re.search(r"suite macaque: 0 of \d+ data sets are here", said)
    assert "imagenet_sample" not in said
    assert "get glove-6b: bench data pull glove-6b" in bench(*list_data, "glove-6b").out
    refused = bench(*list_data, "swov")
    assert (refused.status, len(refused.err.splitlines())) == (2, 1)
    assert "swow" in refused.err


def test_features_of_an_array_have_their_ids_in_a_list(bench, folder):
    np.save(folder / "net.npy", np.random.default_rng(0).normal(size=(len(IDS), 4)))
    refused = bench("data", "new", "features", "net", "net.npy")
    assert "--ids" in refused.err
    done = bench("data", "new", "features", "net", "net.npy", "--ids", "ids.txt")
    assert done.status == 0, done.err
    assert load_registry([folder / "mine.yaml"]).model("net").entry.params["ids"] == "ids.txt"


def test_features_of_ones_own_are_a_model(bench, folder):
    np.savez(folder / "net.npz", ids=IDS, output=np.random.default_rng(0).normal(size=(len(IDS), 4)))
    done = bench("data", "new", "features", "net", "net.npz")
    assert done.status == 0, done.err
    assert load_registry([folder / "mine.yaml"]).model("net").entry.plugin == "models/features.py:Features"


def test_choices_of_ones_own_are_scored_in_two_commands(bench, folder):
    """As a public file has them: rows of a list of ids from 0, the odd one out last."""
    rng = np.random.default_rng(0)
    answers = np.argsort(rng.random((300, len(IDS))), axis=1)[:, :3]
    np.savetxt("choices.txt", answers, fmt="%d")
    made = bench(
        "data", "new", "triplets", "mine", "choices.txt", "--ids", "ids.txt", "--stimuli", "mini_images"
    )
    assert made.status == 0, made.err
    odd = IDS[answers[0, 2]]
    assert f"the first: {odd} is the odd one out of" in made.out
    assert "answers of which all three ids joined: 300" in made.out
    cell = bench(
        *("run", "-m", "pixels", "--target", "mine", "--registry", "mine.yaml", "--format", "json"),
        *("--output", folder / "results"),
    ).cells[0]
    session = Session(Options())
    found = model_rdms(session, "pixels", "mini", None, "mini_images", by="concept", metric="cosine").rdms[0]
    i, j, o = answers.T
    right = found[i, j] < np.minimum(found[i, o], found[j, o])
    assert cell["score"] == pytest.approx(right.mean(), abs=1e-12)


def test_choices_that_may_count_from_0_or_from_1_are_refused(bench, folder):
    Path("choices.txt").write_text("1 2 3\n2 3 4\n")
    made = bench(
        "data", "new", "triplets", "mine", "choices.txt", "--ids", "ids.txt", "--stimuli", "mini_images"
    )
    assert made.status != 0
    assert "--first decides" in made.err
    assert not Path("mine.yaml").exists()
