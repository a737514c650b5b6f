"""Wrong files: data, weights, calibrations and results. None of them is ever executed."""

import gzip
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors.torch import save_file

import rtk
from experiments.images import classifier, data, network, train
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
SIZES = '{"fine": 8, "coarse": 16, "embedding": 8}'


def weights(of: str = "network", metadata: str = SIZES, **changed: torch.Tensor | None) -> Make:
    """The weights of a tiny network or a classifier, some of them changed or, if None, left out."""

    def make(folder: Path) -> Path:
        model = network.ScoreNetwork(TINY) if of == "network" else classifier.Classifier()
        key = "architecture" if of == "network" else "features"
        state: dict[str, Any] = dict(model.state_dict()) | {
            name.replace("__", "."): value for name, value in changed.items()
        }
        state = {name: value.contiguous() for name, value in state.items() if value is not None}
        save_file(state, folder / "weights.safetensors", {key: metadata})
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
    state = train.initial_state(torch.zeros(4, 1, 28, 28).normal_(), settings)
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


def idx(path: Path) -> Any:
    return data.parse_idx(path.read_bytes())


def train_split(path: Path) -> data.Labelled:
    return data.load(path, "train")


IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
HEAD = b"\x00\x00\x08"

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
        "expected (n, 28, 28)",
    ),
    row(
        "data: lengths",
        train_split,
        arrays(**{IMAGES: np.zeros((3, 28, 28)), LABELS: np.zeros(4)}),
        ValueError,
        "labels of shape (4,)",
        "expected (n, 28, 28) and (n,)",
    ),
    Row("data: split", lambda _: data.load("a", "val"), ValueError, ("'train' or 'test'", "'val'")),
    Row("data: name", lambda _: data.fetch("cifar", Path()), ValueError, ("'cifar'", "'mnist'")),
    Row(
        "data: another file",
        lambda _: data.check(dict.fromkeys(data.FILES, b""), "mnist"),
        ValueError,
        ("damaged or not that of mnist", "expected 6bbc9ace898e44ae57da46a324031adb"),
    ),
    *(
        row(f"idx: {name}", idx, holding(content), ValueError, *words)
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
    row("folder: empty", data.from_folder, lambda folder: folder, FileNotFoundError, IMAGES, ".gz"),
    *(
        row(
            f"folder: {name}",
            data.from_folder,
            folder_with(f"{IMAGES}.gz", content),
            ValueError,
            f"{IMAGES}.gz is damaged",
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
    row(
        "classifier: shape",
        classifier.load,
        weights("classifier", head__bias=torch.zeros(11)),
        ValueError,
        "does not fit a Classifier",
        "size mismatch",
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
