"""Data sets that are not here, read from small files of the form in which their authors publish them."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.io import savemat
from scipy.spatial.distance import pdist, squareform

from benchmark.common.errors import DataError, NotPossible, UsageError
from benchmark.datasets.catalogue import bring
from benchmark.datasets.readers import algonauts
from benchmark.datasets.readers.norms import associations
from benchmark.datasets.readers.things_fmri import things_fmri
from benchmark.datasets.readers.usf import usf
from benchmark.datasets.readers.word_pairs import ratings
from benchmark.datasets.root import DataRoot
from benchmark.registry import load_registry
from benchmark.registry.choose import chosen_collections

REGISTRY = load_registry()
USF = {
    "A-B": "AARDVARK, ANT, YES, 152, 30, .197, 0.000, .0170\n"
    "AARDVARK, ANIMAL, NO, 152, 19, .125, \xa5, .0000\n",
    "C": "CAT, DOG, YES, 144, 74, .514, .676, 0.000\n",
}


def page(rows: str) -> bytes:
    header = "CUE, TARGET, NORMED?, #G, #P, FSG, BSG, MSG\n"
    return f"<HTML>\r\n<BODY>\r\n<pre>\r\n{header}{rows}</pre>\n</BODY>\n</HTML>\n".encode("latin-1")


@pytest.fixture
def appendix(tmp_path: Path) -> DataRoot:
    (tmp_path / "usf").mkdir()
    for part, rows in USF.items():
        (tmp_path / "usf" / f"Cue_Target_Pairs.{part}").write_bytes(page(rows))
    return DataRoot(tmp_path)


def test_usf(appendix):
    norms = usf(appendix, name="usf")
    assert norms.ids == ("aardvark", "cat")
    assert norms.columns == ("ant", "animal", "dog")
    assert norms.counts.toarray().tolist() == [[30, 19, 0], [0, 0, 74]]
    assert norms.respondents.tolist() == [152, 144]
    assert usf.hash_of(appendix, name="usf") == norms.hash


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("#G", "G", "A-B, line 4: reads 'CUE, TARGET, NORMED?, G"),
        (", 30,", ", many,", "A-B, line 5: 'many' is not a whole number"),
        ("ANIMAL", "ANT", "A-B, line 6: cue 'aardvark' with response 'ant' occurs twice"),
        ("NO, 152", "NO, 151", "A-B, line 6: #G of cue 'aardvark' is 151"),
        (", 30,", ", 150,", "'aardvark' are more than its #G"),
        ("AARDVARK, ANIMAL", "AARDVARK", "A-B, line 6"),
    ],
)
def test_usf_names_the_line_of_a_fault(appendix, old, new, said):
    file = appendix.path / "usf/Cue_Target_Pairs.A-B"
    file.write_bytes(file.read_bytes().replace(old.encode(), new.encode(), 1))
    with pytest.raises(DataError, match=said.replace("?", r"\?")) as caught:
        usf(appendix, name="usf")
    assert "\n" not in str(caught.value)


def test_usf_is_imported_though_its_files_are_pages(appendix, tmp_path):
    (collection,) = chosen_collections(REGISTRY, "usf")
    (brought,) = bring(collection, collection.files, appendix.path / "usf", tmp_path / "root")
    assert (brought.outcome, brought.n) == ("imported", 2)
    assert usf(DataRoot(tmp_path / "root"), name="usf").ids == ("aardvark", "cat")


def test_three_responses_of_small_world_of_words(tmp_path):
    rows = "cue\tresponse\tR123\tN\tR123.Strength\na\tb\t3\t4\t0.75\na\tc\t1\t4\t0.25\n"
    path = "swow-en-r123/strength.SWOW-EN.R123.csv"
    (tmp_path / "published.20180827").mkdir()
    (tmp_path / "published.20180827/strength.SWOW-EN.R123.20180827.csv").write_text(rows, encoding="utf-8")
    (collection,) = chosen_collections(REGISTRY, "swow-en-r123")
    bring(collection, collection.files, tmp_path / "published.20180827", tmp_path)
    norms = associations(DataRoot(tmp_path), name="swow_r123", path=path)
    assert norms.counts.toarray().tolist() == [[3, 1]]
    assert norms.respondents.tolist() == [4]


@pytest.mark.parametrize(("name", "mark"), [("combined.csv", ","), ("combined.tab", "\t")])
def test_wordsim_in_either_form(tmp_path, name, mark):
    rows = [("Word 1", "Word 2", "Human (mean)"), ("tiger", "cat", "7.35"), ("book", "paper", "7.46")]
    rows += [("money", "cash", "9.08"), ("money", "cash", "9.15")]
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / name).write_text("\r\n".join(mark.join(row) for row in rows), encoding="utf-8")
    (collection,) = chosen_collections(REGISTRY, "wordsim353")
    bring(collection, collection.files, tmp_path / "set", tmp_path)
    found = ratings(DataRoot(tmp_path), name="wordsim", **REGISTRY.dataset("wordsim").entry.params)
    assert found.ids == ("tiger", "cat", "book", "paper", "money", "cash")
    assert found.ratings.tolist() == pytest.approx([7.35, 7.46, 9.115])
    assert found.repeated == 1


def test_wordsim_similarity_has_no_header(tmp_path):
    (tmp_path / "wordsim353").mkdir()
    file = tmp_path / "wordsim353/wordsim_similarity_goldstandard.txt"
    file.write_text("tiger\tcat\t7.35\nplane\tcar\t5.77\n", encoding="utf-8")
    entry = REGISTRY.dataset("wordsim_similarity").entry
    assert ratings(DataRoot(tmp_path), name="w", **entry.params).ratings.tolist() == [7.35, 5.77]


def algonauts_rdms(n: int) -> np.ndarray:
    features = np.random.default_rng(n).normal(size=(15, n, 4))
    return np.stack([squareform(pdist(person, "correlation")) for person in features])


@pytest.mark.parametrize("form", ["5", "7.3"])
def test_algonauts(tmp_path, form):
    rdms = algonauts_rdms(78)
    published = tmp_path / "algonautsChallenge2019/Training_Data/78_Image_Set"
    (published / "78images").mkdir(parents=True)
    for i in range(1, 79):
        Image.new("RGB", (4, 4), (i, 0, 0)).save(published / f"78images/image_{i}.png")
    arrays = {"EVC_RDMs": rdms, "IT_RDMs": rdms**2}
    if form == "5":
        savemat(published / "target_fmri.mat", arrays)
    else:
        with h5py.File(published / "target_fmri.mat", "w", userblock_size=512) as file:
            for name, values in arrays.items():
                file[name] = values.T
                file[name].attrs["MATLAB_class"] = np.bytes_("double")
        with (published / "target_fmri.mat").open("r+b") as stream:
            stream.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\2IM")
    # the file of the other set has the same name, and is another
    other = tmp_path / "algonautsChallenge2019/Training_Data/118_Image_Set"
    other.mkdir()
    savemat(other / "target_fmri.mat", {"EVC_RDMs": algonauts_rdms(118)})
    (collection,) = chosen_collections(REGISTRY, "algonauts2019")
    bring(collection, collection.files, tmp_path / "algonautsChallenge2019", tmp_path)
    root = DataRoot(tmp_path)
    images = algonauts.images(root, name="images", number=78)
    target = algonauts.fmri(root, name="it", number=78, area="IT")
    assert images.ids == target.ids
    # image 2 comes before image 10
    assert [images.image(i).getpixel((0, 0))[0] for i in range(78)] == list(range(1, 79))
    np.testing.assert_allclose(target.rdms, rdms**2, atol=1e-12)
    assert algonauts.fmri(root, name="evc", number=118, area="EVC").rdms.shape == (15, 118, 118)
    assert algonauts.fmri.hash_of(root, name="it", number=78, area="IT") == target.hash
    with pytest.raises(DataError, match="no array 'IT_RDMs'"):
        algonauts.fmri(root, name="it", number=118, area="IT")
    (tmp_path / "algonauts2019/78_Image_Set/78images/image_3.png").unlink()
    with pytest.raises(DataError, match=r"77 images .* expected 78"):
        algonauts.images(root, name="images", number=78)


@pytest.fixture
def betas(tmp_path: Path) -> tuple[DataRoot, pd.DataFrame, dict[str, np.ndarray]]:
    """Two people, 30 voxels, three concepts with four training trials in two sessions, and one test image."""
    folder = tmp_path / "things-fmri/betas_csv"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    trials = pd.DataFrame(
        {
            "trial_type": ["train"] * 12 + ["test"] * 4,
            "session": np.tile([1, 2], 8),
            "stimulus": [f"c_{i:02d}s.jpg" for i in range(16)],
            "concept": [*np.repeat(["dog", "cat", "bus"], 4), *["owl"] * 4],
        }
    )
    voxels = pd.DataFrame(
        {"voxel_id": range(30), "V1": [1] * 10 + [0] * 20, "V2": [0] * 10 + [1] * 5 + [0] * 15}
    )
    responses = {}
    for subject in ("01", "02"):
        responses[subject] = rng.normal(loc=5, size=(30, 16))
        trials.to_csv(folder / f"sub-{subject}_StimulusMetadata.csv", index=False)
        voxels.to_csv(folder / f"sub-{subject}_VoxelMetadata.csv", index=False)
        with h5py.File(folder / f"sub-{subject}_ResponseData.h5", "w") as file:
            group = file.create_group("ResponseData")
            group["axis1"] = np.arange(30)
            group["block0_values"] = responses[subject]
            group["block1_values"] = np.arange(30)[:, None]
    return DataRoot(tmp_path), trials, responses


def test_things_fmri(betas):
    root, trials, responses = betas
    options = {"name": "v", "rois": ["V1", "V2"], "subjects": ["01", "02"]}
    target = things_fmri(root, **options)
    assert target.ids == ("bus", "cat", "dog")
    for rdm, values in zip(target.rdms, responses.values(), strict=True):
        kept = values[:15, :12].copy()
        for session in (1, 2):
            of = (trials["session"][:12] == session).to_numpy()
            kept[:, of] -= kept[:, of].mean(axis=1, keepdims=True)
            kept[:, of] /= kept[:, of].std(axis=1, keepdims=True)
        means = [kept[:, (trials["concept"][:12] == c).to_numpy()].mean(axis=1) for c in target.ids]
        np.testing.assert_allclose(rdm, squareform(pdist(means, "correlation")), atol=1e-12)
    assert things_fmri.hash_of(root, **options) == target.hash
    assert things_fmri.hash_of(root, **{**options, "rois": ["V1"]}) != target.hash


def test_things_fmri_says_what_does_not_fit(betas):
    root = betas[0]
    folder = root.path / "things-fmri/betas_csv"
    for change, error, said in (
        ({"rois": ["IT"]}, DataError, "no column 'IT'"),
        ({"rois": "V1"}, UsageError, "write a list"),
        ({"trials": "all"}, UsageError, "train, test"),
        ({"subjects": ["01", "03"]}, NotPossible, "sub-03"),
    ):
        with pytest.raises(error, match=said):
            things_fmri(root, **{"name": "v", "rois": ["V1"], "subjects": ["01", "02"], **change})
    table = (folder / "sub-02_StimulusMetadata.csv").read_text(encoding="utf-8").splitlines()
    (folder / "sub-02_StimulusMetadata.csv").write_text("\n".join(table[:-1]), encoding="utf-8")
    with pytest.raises(DataError, match="no table of 30 voxels and 15 trials"):
        things_fmri(root, name="v", rois=["V1"], subjects=["01", "02"])
