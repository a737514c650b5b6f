"""Wrong configurations of the workflow, and command lines."""

import copy
import runpy
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from snakemake.exceptions import WorkflowError
from snakemake.utils import validate

from experiments.images import train_score
from experiments.workflow import job
from experiments.workflow.configuration import joined
from tests.refusals.rows import Row

CONFIG = Path(__file__).parents[2] / "experiments" / "config"


@cache
def smoke() -> dict[str, Any]:
    """The configuration as the workflow joins it at smoke scale."""
    return {"scale": "smoke"} | joined("studies", "protocol", "smoke")


def changed(path: str, value: Any) -> Callable[[Path], None]:
    """Validate the configuration with one entry changed; its keys are joined by slashes."""

    def do(folder: Path) -> None:
        config = copy.deepcopy(smoke())
        part, *keys = config, *path.split("/")
        for key in keys[:-1]:
            part = part[key]
        part[keys[-1]] = value
        validate(config, str(CONFIG / "schema.yaml"))

    return do


def command(*arguments: str) -> Callable[[Path], None]:
    """``python -m`` with these arguments, whose message is that of the exit or of the error."""

    def do(folder: Path) -> None:
        with patch.object(sys, "argv", [*arguments]):
            runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)

    return do


def train_with(*arguments: str) -> Callable[[Path], None]:
    """The command line of the training, whose usage errors become errors."""

    def do(folder: Path) -> None:
        with (
            patch.object(sys, "argv", ["train", *arguments]),
            patch("argparse.ArgumentParser.error", lambda _, message: fail(message)),
        ):
            train_score.command_line()

    return do


def fail(message: str) -> None:
    raise ValueError(message)


PATHS = ("--dataset", "mnist", "--data", "a.npz", "--weights", "b", "--history", "c")

METHOD = "mixtures/methods/rtk-uld/sampler"

ROWS = [
    *(
        Row(f"configuration: {name}", changed(path, value), WorkflowError, words)
        for name, path, value, words in [
            ("unknown key", "chains", 5, ("'chains' was unexpected",)),
            ("unknown key below", "mixtures/chain", 5, ("'chain' was unexpected",)),
            ("negative size", "mixtures/chains", -5, ("-5 is less than the minimum of 1",)),
            ("no chains", "mixtures/chains", 0, ("0 is less than the minimum of 1",)),
            ("size is text", "mixtures/chains", "5", ("'5' is not of type 'integer'",)),
            ("size is a float", "mixtures/chains", 2.5, ("2.5 is not of type 'integer'",)),
            ("size is true", "mixtures/chains", True, ("True is not of type 'integer'",)),
            ("no budgets", "mixtures/nfe", [], ("[] should be non-empty",)),
            ("same budgets", "mixtures/nfe", [5, 5], ("[5, 5] has non-unique elements",)),
            ("budget", "mixtures/nfe", 5, ("5 is not of type 'array'",)),
            ("unknown target", "mixtures/targets", ["moon"], ("'moon' is not one of", "'circle'")),
            ("no seed", "seed", None, ("None is not of type 'integer'",)),
            ("negative seed", "seed", -1, ("-1 is less than the minimum of 0",)),
            ("unknown scale", "scale", "huge", ("'huge' is not one of", "'smoke'")),
            ("accuracy", "segment_count/accuracies", [0.1, 0.01, 0.0], ("0.0 is less than or",)),
            ("odd dimension", "segment_count/dimension", 3, ("3 is not a multiple of 2",)),
            ("negative time", "log_concavity/times", [-0.1], ("-0.1 is less than the minimum",)),
            ("unknown data", "images/datasets/CIFAR-10", {}, ("'CIFAR-10' does not match",)),
            ("no data", "images/datasets", {}, ("'mnist' is a required property",)),
            ("data", "images/datasets/imagenet_32", {}, ("'title' is a required property",)),
            ("flip", "images/datasets/mnist/score", {"flip": 1}, ("1 is not of type 'boolean'",)),
            (
                "width",
                "images/datasets/mnist/classifier",
                {"width": 0},
                ("0 is less than the minimum of 1",),
            ),
            ("images", "images/retrain", "no", ("'no' is not of type 'boolean'",)),
            ("steps", "images/score/steps", 0, ("0 is less than the minimum of 1",)),
            ("layers", "images/score/layers", 3, ("'layers' was unexpected",)),
            ("unknown method", f"{METHOD}/method", "euler", ("'euler' is not one of", "'ddim'")),
            ("method", f"{METHOD}/method", 3, ("3 is not one of", "'ddim'")),
            ("unknown option", f"{METHOD}/friktion", 1.0, ("'friktion' was unexpected",)),
            (
                "friction",
                f"{METHOD}/friction",
                -1.0,
                ("-1.0 is less than or equal to the minimum",),
            ),
            ("energy", f"{METHOD}/energy", "foo", ("'foo' is not one of", "'taylor'")),
            ("start", f"{METHOD}/warm_start", "hot", ("'hot' is not one of", "'gaussian'")),
            ("name", "mixtures/methods/RTK ULD", {}, ("'RTK ULD' does not match",)),
            (
                "rule",
                "mixtures/methods/rtk-uld/grid/rule",
                "sin",
                ("'sin' is not one of", "'power'"),
            ),
            ("study", "studies/mixing/needs", ["gpu"], ("'gpu' is not one of", "'score'")),
        ]
    ),
    Row("training: nothing", train_with(), ValueError, ("are required", "--data")),
    Row("training: text", train_with(*PATHS, "--steps", "ten"), ValueError, ("--steps", "'ten'")),
    Row("training: unknown", train_with(*PATHS, "--layers", "3"), ValueError, ("--layers",)),
    Row(
        "training: too short",
        train_with(*PATHS, "--steps", "-3"),
        ValueError,
        ("-3 steps are fewer than 200 of warm-up",),
    ),
    Row("training: no data", train_with(*PATHS), FileNotFoundError, ("a.npz",)),
    Row(
        "job: a script alone",
        command("experiments.mixtures.floor"),
        RuntimeError,
        ("a job of the workflow: ask snakemake for its output",),
    ),
    Row("job: no workflow", lambda _: job.start(), RuntimeError, ("ask snakemake",)),
]
