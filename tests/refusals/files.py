"""Wrong files: data, weights, calibrations and results. None of them is ever executed."""

import gzip
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import torch
from safetensors.torch import save_file

import rtk
from experiments.images import cifar, classifier, data, idx, network, train
from experiments.images.folder import images_of_folder
from experiments.workflow import results
from tests.oracles import skewed
from tests.refusals.rows import Row

TRACE = "executed"
"""A file that only a file which was executed could leave."""


class Bomb:
    """Unpickling one leaves the trace in the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.folder / TRACE),)


Make = Callable[[Path], Path]
"""Writes a file into an empty folder and returns its path."""


def nothing(folder: Path) -> Path:
    return folder / "nowhere"


def holding(content: bytes) -> Make:
    def make(folder: Path) -> Path:
        (folder / "file").write_bytes(content)
        return folder / "file"

    return make


def bomb(folder: Path) -> Path:
    return holding(pickle.dumps(Bomb(folder)))(folder)


def truncated(make: Make) -> Make:
    """Half of the file."""

    def half(folder: Path) -> Path:
        path = make(folder)
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
        return path

    return half


def scrambled(make: Make) -> Make:
    """The file with a hole near its beginning."""

    def hole(folder: Path) -> Path:
        path = make(folder)
        content = path.read_bytes()
        path.write_bytes(content[:100] + bytes(100) + content[200:])
        return path

    return hole


def arrays(**named: Any) -> Make:
    def make(folder: Path) -> Path:
        np.savez(folder / "arrays.npz", **named)
        return folder / "arrays.npz"

    return make


def table(folder: Path) -> Path:
    row: dict[str, Any] = dict.fromkeys(("experiment", "target", "method", "settings"), "a")
    row |= {"seed": 1, "nfe_asked": 1, "nfe": 1, "metric": "a", "value": 1.0}
    path = folder / "table.parquet"
    frame = pd.DataFrame([row | {"standard_error": 0.0}] * 50)
    results.write(frame, path, config={}, seed=0, started=0.0)
    return path


TINY = network.Architecture(fine=8, coarse=16, embedding=8)
SIZES = {
    "network": '{"fine": 8, "coarse": 16, "embedding": 8}',
    "classifier": '{"channels": 3, "side": 16, "classes": 4, "width": 2}',
}


def weights(
    of: str = "network", metadata: str | None = None, **changed: torch.Tensor | None
) -> Make:
    """The weights of a tiny network or a classifier, some of them changed or, if None, left out.

    The metadata are the sizes of the model, or another text.
    """

    def make(folder: Path) -> Path:
        small = classifier.Architecture(channels=3, side=16, classes=4, width=2)
        model = network.ScoreNetwork(TINY) if of == "network" else classifier.Classifier(small)
        key = "architecture" if of == "network" else "sizes"
        state: dict[str, Any] = dict(model.state_dict()) | {
            name.replace("__", "."): value for name, value in changed.items()
        }
        state = {name: value.contiguous() for name, value in state.items() if value is not None}
        text = SIZES[of] if metadata is None else metadata
        save_file(state, folder / "weights.safetensors", {key: text})
        return folder / "weights.safetensors"

    return make


def calibration(folder: Path) -> Path:
    rtk.calibrate(skewed().score, 2).save(folder / "calibration.safetensors")
    return folder / "calibration.safetensors"


def of_format(values: str | None) -> Make:
    """A safetensors file that calls itself a calibration."""

    def make(folder: Path) -> Path:
        metadata = {"format": "rtk calibration 1"}
        metadata |= {} if values is None else {"values": values}
        save_file({"starts": torch.zeros(1)}, folder / "file", metadata)
        return folder / "file"

    return make


def torch_file(folder: Path) -> Path:
    torch.save({"bomb": Bomb(folder)}, folder / "weights.pt")
    return folder / "weights.pt"


def folder_with(name: str, content: bytes) -> Make:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder

    return make


def resume(path: Path) -> None:
    settings = train.Training(fine=8, coarse=16)
    model = train.untrained(torch.zeros(4, 1, 28, 28).normal_(), settings)
    state = train.initial_state(model, settings)
    train.resume(state, settings, path)


def row(
    name: str, read: Callable[[Path], Any], make: Make, error: type[BaseException], *words: str
) -> Row:
    return Row(name, lambda folder: read(make(folder)), error, words)


def every(name: str, read: Callable[[Path], Any], kind: str, good: Make) -> list[Row]:
    """What every reader refuses: no file, and files that are empty, text, a pickle or cut off."""
    return [
        row(f"{name}: missing", read, nothing, FileNotFoundError, "nowhere"),
        row(f"{name}: empty", read, holding(b""), ValueError, "file is damaged or no", kind),
        row(f"{name}: text", read, holding(b"hello, world"), ValueError, "is damaged or no", kind),
        row(f"{name}: pickle", read, bomb, ValueError, "is damaged or no", kind),
        row(f"{name}: truncated", read, truncated(good), ValueError, "is damaged or no", kind),
    ]


def idx_file(path: Path) -> Any:
    return idx.parse(path.read_bytes())


def cifar_file(path: Path) -> Any:
    return cifar.parse(path.read_bytes())


def idx_folder(path: Path) -> Any:
    return data.contents(path, idx.FILES)


def train_split(path: Path) -> data.Labelled:
    return data.load(path, "train")


def known(path: Path) -> None:
    """Fetch a known data set from a folder alone."""
    dataset = data.Dataset({"a": "0"}, idx.splits, {})
    with patch.dict(data.DATASETS, {"tiny": dataset}):
        data.fetch("tiny", path / "tiny.npz", path)


def own(path: Path) -> None:
    """Fetch another data set, which is this folder."""
    data.fetch("imagenet_32", path / "imagenet_32.npz", path)


def split_with(**shapes: tuple[int, ...]) -> Make:
    """A folder of a user with images of bytes; the key is the name of a subfolder."""

    def make(folder: Path) -> Path:
        for name, shape in shapes.items():
            (folder / name).mkdir()
            np.save(folder / name / "images.npy", np.zeros(shape, dtype=np.uint8))
        return folder

    return make


IMAGES, LABELS = "train_images", "train_labels"
FIRST = "train-images-idx3-ubyte"
HEAD = b"\x00\x00\x08"

OWN: list[tuple[str, dict[str, tuple[int, ...]], type[Exception], tuple[str, ...]]] = [
    ("no tests", {"train": (3, 8, 8)}, FileNotFoundError, ("no folder 'test'", "expected train")),
    (
        "no squares",
        {"train": (3, 8, 12), "test": (3, 8, 12)},
        ValueError,
        ("shape (8, 12)", "a multiple of 4"),
    ),
    (
        "two shapes",
        {"train": (3, 8, 8), "test": (3, 12, 12)},
        ValueError,
        ("training images of shape (1, 8, 8)", "tests (1, 12, 12)"),
    ),
]

DATA = [
    *every("data", train_split, ".npz", arrays(a=np.zeros(1000))),
    row("data: keys", train_split, arrays(a=1), ValueError, "['a']", f"expected ['{IMAGES}'"),
    row(
        "data: objects",
        train_split,
        arrays(**{IMAGES: np.array([{}])}),
        ValueError,
        "no .npz file of numbers",
        "allow_pickle=False",
    ),
    row(
        "data: shape",
        train_split,
        arrays(**{IMAGES: np.zeros((3, 5)), LABELS: np.zeros(3)}),
        ValueError,
        "shape (3, 5)",
        "expected (n, channels, side, side) and (n,)",
    ),
    row(
        "data: square",
        train_split,
        arrays(**{IMAGES: np.zeros((3, 1, 28, 24)), LABELS: np.zeros(3)}),
        ValueError,
        "shape (3, 1, 28, 24)",
        "expected (n, channels, side, side) and (n,)",
    ),
    row(
        "data: lengths",
        train_split,
        arrays(**{IMAGES: np.zeros((3, 1, 28, 28)), LABELS: np.zeros(4)}),
        ValueError,
        "labels of shape (4,)",
        "expected (n, channels, side, side) and (n,)",
    ),
    Row("data: split", lambda _: data.load("a", "val"), ValueError, ("'train' or 'test'", "'val'")),
    Row("data: name", lambda _: data.fetch("cifar", Path()), ValueError, ("'cifar'", "'mnist'")),
    Row(
        "data: another file",
        lambda _: data.check(dict.fromkeys(idx.FILES, b""), "mnist"),
        ValueError,
        ("damaged or not that of mnist", "expected 6bbc9ace898e44ae57da46a324031adb"),
    ),
    Row(
        "data: no source",
        known,
        RuntimeError,
        ("tiny could not be fetched from any source", "its files, a,", "holds neither a nor a.gz"),
    ),
    *(
        row(f"own data: {name}", own, split_with(**shapes), error, *words)
        for name, shapes, error, words in OWN
    ),
    row("own data: empty", images_of_folder, split_with(), ValueError, "no images: expected files"),
    *(
        row(f"cifar: {name}", cifar_file, holding(content), ValueError, *words)
        for name, content, words in [
            ("empty", b"", ("0 bytes", "rows of 3073 bytes")),
            ("short", bytes(3072), ("3072 bytes", "rows of 3073 bytes")),
            ("long", bytes(2 * 3073 + 1), ("6147 bytes", "rows of 3073 bytes")),
        ]
    ),
    *(
        row(f"idx: {name}", idx_file, holding(content), ValueError, *words)
        for name, content, words in [
            ("empty", b"", ("not an idx file", "with nothing", "expected 00 00 08")),
            ("header", HEAD + b"\x03\x00\x00", ("not an idx file", "expected 00 00 08")),
            (
                "magic",
                b"\x00\x00\x0d\x01\x00\x00\x00\x01\x05",
                ("00 00 0d 01", "expected 00 00 08"),
            ),
            ("gzip", gzip.compress(b"a"), ("1f 8b", "expected 00 00 08")),
            ("short", HEAD + b"\x01\x00\x00\x00\x05\x00", ("holds 1 values", "expected 5")),
            ("long", HEAD + b"\x01\x00\x00\x00\x01\x00\x00", ("holds 2 values", "expected 1")),
            # 2^31 * 2^31 * 4 overflows 64 bits to 0, the number of values that there are.
            (
                "overflow",
                HEAD + b"\x03\x80\x00\x00\x00\x80\x00\x00\x00\x00\x00\x00\x04",
                ("holds 0 values", "expected 18446744073709551616"),
            ),
        ]
    ),
    row("folder: empty", idx_folder, lambda folder: folder, FileNotFoundError, FIRST, ".gz"),
    *(
        row(
            f"folder: {name}",
            idx_folder,
            folder_with(f"{FIRST}.gz", content),
            ValueError,
            f"{FIRST}.gz is damaged",
            why,
        )
        for name, content, why in [
            ("truncated gzip", gzip.compress(bytes(99))[:-12], "ended before"),
            ("no gzip", b"hello", "Not a gzipped file"),
            ("checksum of gzip", gzip.compress(b"abc")[:-8] + bytes(8), "CRC check failed"),
        ]
    ),
]

CHANGES: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    ("a part", {"unet__input__bias": None}, ("does not fit a ScoreNetwork", "Missing")),
    ("shape", {"unet__input__bias": torch.zeros(3)}, ("not fit", "size mismatch")),
    ("another", {"other": torch.zeros(3)}, ("not fit", "Unexpected key")),
    ("NaN", {"unet__input__bias": torch.full((8,), torch.nan)}, ("not finite", "expected")),
    ("sizes", {"metadata": '{"fine": 8}'}, ("not fit", "size mismatch")),
    ("no sizes", {"metadata": "{"}, ("has the architecture {", "expected the sizes of")),
    ("other sizes", {"metadata": '{"depth": 3}'}, ("'depth'", "expected the sizes of")),
]

CHANGES_OF_CLASSIFIER: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    ("a part", {"head__bias": None}, ("does not fit a Classifier", "Missing")),
    ("shape", {"head__bias": torch.zeros(11)}, ("does not fit a Classifier", "size mismatch")),
    ("NaN", {"head__bias": torch.full((4,), torch.nan)}, ("not finite", "expected")),
    ("sizes", {"metadata": "{}"}, ("not fit", "size mismatch")),
    ("no sizes", {"metadata": "RTK"}, ("has the architecture RTK", "expected the sizes of")),
    ("other sizes", {"metadata": '{"depth": 3}'}, ("'depth'", "['channels', 'side', 'classes',")),
]

WEIGHTS = [
    *every("network", network.load, "safetensors file, expected the weights of a score", weights()),
    *every(
        "classifier",
        classifier.load,
        "safetensors file, expected the weights of a classifier",
        weights("classifier"),
    ),
    row("network: torch", network.load, torch_file, ValueError, "no safetensors file, expected"),
    row(
        "network: a classifier", network.load, weights("classifier"), ValueError, "no score network"
    ),
    row("classifier: a network", classifier.load, weights(), ValueError, "is no classifier"),
    *(
        row(f"network: {name}", network.load, weights(**changes), ValueError, *words)
        for name, changes, words in CHANGES
    ),
    *(
        row(
            f"classifier: {name}", classifier.load, weights("classifier", **changes), ValueError, *w
        )
        for name, changes, w in CHANGES_OF_CLASSIFIER
    ),
    row("training: text", resume, holding(b"hello"), ValueError, "damaged or not the state"),
    row("training: pickle", resume, bomb, ValueError, "damaged or not the state"),
    row("training: torch", resume, torch_file, ValueError, "damaged or not the state"),
    row("training: empty", resume, holding(b""), ValueError, "damaged or not the state"),
]

CALIBRATIONS = [
    *every("calibration", rtk.Calibration.load, "safetensors file", calibration)[1:],
    row(
        "calibration: missing",
        rtk.Calibration.load,
        nothing,
        FileNotFoundError,
        "there is no calibration file",
    ),
    row(
        "calibration: a network",
        rtk.Calibration.load,
        weights(),
        ValueError,
        "its format is None",
        "expected 'rtk calibration 1'",
    ),
    *(
        row(f"calibration: {name}", rtk.Calibration.load, of_format(values), ValueError, *words)
        for name, values, words in [
            ("no values", None, ("is damaged", "expected its values as JSON")),
            ("no JSON", "{", ("is damaged", "expected its values as JSON")),
            ("no parts", "{}", ("does not hold what Calibration.save writes", "expected all")),
        ]
    ),
]

RESULTS = [
    *every("table", results.read, "Parquet file", table),
    row("table: scrambled", results.read, scrambled(table), ValueError, "damaged or no Parquet"),
    row("provenance", results.provenance, truncated(table), ValueError, "damaged or no Parquet"),
    *every("arrays", results.read_arrays, ".npz file", arrays(a=np.zeros(1000))),
    row("arrays: another", results.provenance, arrays(a=1), ValueError, "has no provenance"),
    row("numbers", results.read_numbers, holding(b"{"), ValueError, "damaged or no JSON file"),
    Row("tables: none", lambda _: results.read(), ValueError, ("no result file was given",)),
    Row(
        "numbers: NaN",
        lambda folder: results.write_numbers({"a": float("nan")}, folder / "a"),
        ValueError,
        ("expected finite numbers", "for a"),
    ),
]

ROWS = [*DATA, *WEIGHTS, *CALIBRATIONS, *RESULTS]
