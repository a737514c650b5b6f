"""What the experiments are expected to take at paper scale."""

import copy
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

from experiments.workflow.configuration import joined
from figures.analysis import cost
from figures.tables import paper_scale

STUDIES = joined("studies")["studies"]

WITHOUT_TIME = {
    *((name, "kept") for name in ("mixtures", "beyond_mixtures", "images", "comparison")),
    # The search for cheap runs tries as many start times between other bounds.
    ("convergence", "longest"),
    # Batches of the training are drawn from them.
    ("energy_networks", "draws"),
    # Training and tuning are in the estimate, whether their results are shipped or made.
    ("images", "retrain"),
    ("images", "retune"),
}
"""Settings on which no job's time depends: samples kept, the bounds of a search, data."""


DEFAULT, PAPER = joined("protocol", "default"), joined("protocol", "paper")
CHANGED = [
    (section, key)
    for section, content in PAPER.items()
    if isinstance(content, dict)
    for key in content
    if content[key] != DEFAULT[section].get(key) and (section, key) not in WITHOUT_TIME
]
JOB = {
    "sample_images": "mnist/ddpm",
    "calibrate_images": "fashion_mnist",
    "train_score": "fashion_mnist",
    "images_floor": "fashion_mnist",
    "flow_distance": "mnist",
    "sample_exact_images": "mnist",
    "sample_energy_networks": "circle",
    "log_concavity": "circle",
    "mixture_steps": "circle",
}


def parts(config: dict[str, Any]) -> dict[str, list[float]]:
    """The products of sizes of every rule."""
    found = {
        rule: products(config, JOB.get(rule, "")) for rule, (_, products) in cost.PARTS.items()
    }
    return {rule: [*(p.values() if isinstance(p, dict) else p)] for rule, p in found.items()}


@pytest.mark.parametrize(("section", "key"), CHANGED)
def test_every_size_that_is_larger_at_paper_scale_costs_time(section: str, key: str) -> None:
    config = copy.deepcopy(DEFAULT)
    config[section][key] = copy.deepcopy(PAPER[section][key])
    before, after = parts(DEFAULT), parts(config)
    assert any(b > a for rule in before for a, b in zip(before[rule], after[rule], strict=True))


def test_every_study_has_a_cost() -> None:
    assert {*STUDIES} <= {*cost.PARTS}


@pytest.mark.parametrize("rule", cost.PARTS)
def test_no_job_gets_shorter(rule: str) -> None:
    job = JOB.get(rule, "")
    assert cost.factor(rule, job, DEFAULT, DEFAULT) == 1.0
    assert cost.factor(rule, job, DEFAULT, PAPER) >= 1.0


def test_the_part_that_grows_most_gives_the_factor() -> None:
    """Twice the chains at NFE 10 and 30 instead of 20 make 4, and 3 times the points 9 x 2."""
    metrics = {"sinkhorn": {"points": 100, "replicates": 4}}
    few = {"mixtures": {"chains": 50, "nfe": [20], "metrics": metrics}}
    many = copy.deepcopy(few)
    many["mixtures"] |= {"chains": 100, "nfe": [10, 30]}
    assert cost.factor("simulate_mixture", "", few, many) == 4.0
    many["mixtures"]["metrics"] = {"sinkhorn": {"points": 300, "replicates": 4}}
    assert cost.factor("simulate_mixture", "", few, many) == 18.0


def test_the_target_that_grows_most_gives_the_factor() -> None:
    """Chains by 2 and by 10, although those of all targets together only by 3; and a third target,
    which takes half as long as the two others."""
    tuning = {"separated": 700, "wide": 100}
    here = {"comparison": {"budget": 8, "nfe": [5], "tuning": tuning}}
    there = copy.deepcopy(here)
    there["comparison"]["tuning"] = {"separated": 1400, "wide": 1000}
    assert cost.factor("tune", "ddpm", here, there) == 10.0
    there["comparison"]["tuning"] = {"separated": 1400, "wide": 1000, "mild": 50}
    assert cost.factor("tune", "ddpm", here, there) == 15.0


def test_a_network_of_twice_the_channels_takes_four_times_as_long() -> None:
    """A data set's own settings go before those of all data sets."""
    sizes = {"nfe": [5, 10]}
    here: dict[str, Any] = {
        "images": {
            "score": {},
            "datasets": {"mnist": sizes, "cifar10": sizes},
            "recorded": {"again": False},
        },
        "flow_distance": {"datasets": ["mnist"], "nfe": [10, 20]},
    }
    there = copy.deepcopy(here)
    there["images"]["score"] = {"fine": 64, "coarse": 128}
    there["images"]["datasets"]["cifar10"] = {**sizes, "score": {"fine": 32, "steps": 26_000}}
    assert cost.factor("train_score", "mnist", here, there) == 4.0
    assert cost.factor("calibrate_images", "mnist", here, there) == 4.0
    assert cost.factor("train_score", "cifar10", here, there) == 4.0
    assert cost.factor("calibrate_images", "cifar10", here, there) == 2.0


def test_a_calibration_takes_longer_with_more_solvers() -> None:
    """The sum of all numbers of scores counts, each once: 5 + 10 + 20, then 70 more, then 40."""
    here: dict[str, Any] = {
        "images": {
            "score": {},
            "datasets": {"mnist": {"nfe": [5, 10]}},
            "recorded": {"again": False, "datasets": {"mnist": {"nfe": [10, 40]}}},
        },
        "flow_distance": {"datasets": ["mnist"], "nfe": [10, 20]},
    }
    there = copy.deepcopy(here)
    there["flow_distance"]["nfe"] = [10, 20, 70]
    assert cost.factor("calibrate_images", "mnist", here, there) == 3.0
    there["images"]["recorded"]["again"] = True
    assert cost.factor("calibrate_images", "mnist", here, there) == 145 / 35


@pytest.mark.parametrize("job", ["mnist/ddpm", "mnist_published/ddpm"])
def test_every_seed_of_images_takes_as_long(job: str) -> None:
    there = copy.deepcopy(DEFAULT)
    there["images"]["seeds"] *= 5
    assert cost.factor("sample_images", job, DEFAULT, there) == 5.0


def test_methods_that_run_only_there_count_for_the_others() -> None:
    """Two of ten more than at the scale with a subset of eight. The published ones run at all."""
    there = copy.deepcopy(DEFAULT)
    assert len(there["images"].pop("subset")) == 8
    assert cost.factor("sample_images", "mnist/ddpm", DEFAULT, there) == 10 / 8
    assert cost.factor("sample_images", "mnist_published/ddpm", DEFAULT, there) == 1.0


def write_benchmark(path: Path, seconds: float) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"s\th:m:s\n{seconds}\t0:00:00\n", encoding="utf-8")
    return str(path)


def test_benchmarks_are_read_by_rule_and_job(tmp_path: Path) -> None:
    folder = tmp_path / "benchmarks" / "results" / "benchmarks"
    paths = [
        write_benchmark(folder / "compare" / "dpm++2m.tsv", 5.0),
        write_benchmark(folder / "simulate_mixture" / "circle" / "ddpm.tsv", 6.5),
        write_benchmark(folder / "mixing.tsv", 7.0),
    ]
    assert [*paper_scale.benchmarks(paths)] == [
        {"rule": "compare", "job": "dpm++2m", "seconds": 5.0},
        {"rule": "simulate_mixture", "job": "circle/ddpm", "seconds": 6.5},
        {"rule": "mixing", "job": "", "seconds": 7.0},
    ]


def test_tunings_are_read_from_the_files_of_the_settings(tmp_path: Path) -> None:
    path = tmp_path / "methods" / "dpm++2m.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"seconds": 12.5}), encoding="utf-8")
    expected = {"rule": "tune_images", "job": "methods/dpm++2m", "seconds": 12.5}
    assert [*paper_scale.tunings([str(path)])] == [expected]


def test_trainings_are_read_from_the_networks(tmp_path: Path) -> None:
    path = tmp_path / "mnist" / "score.safetensors"
    path.parent.mkdir()
    save_file({"w": torch.zeros(1)}, path, metadata={"record": json.dumps({"seconds": 12.5})})
    expected = {"rule": "train_score", "job": "mnist", "seconds": 12.5}
    assert [*paper_scale.trainings([str(path)])] == [expected]


def test_all_seconds_but_those_of_the_start_grow() -> None:
    """A start of 4 s. Mutants have one size at all scales; comparison has twice the chains."""
    here = copy.deepcopy(DEFAULT)
    there = copy.deepcopy(DEFAULT)
    there["comparison"]["targets"] = {n: 2 * k for n, k in here["comparison"]["targets"].items()}
    jobs = pd.DataFrame(
        [("mutants", "", 4.0), ("compare", "ddpm", 10.0), ("compare", "ddim", 7.0)],
        columns=["rule", "job", "seconds"],
    )
    jobs = paper_scale.expected(jobs, here, there)
    assert jobs["there"].tolist() == pytest.approx([4 / 3600, 16 / 3600, 10 / 3600])
    assert jobs["here"].tolist() == pytest.approx([4 / 3600, 10 / 3600, 7 / 3600])
    assert paper_scale.numbers(jobs) == pytest.approx(
        {"hours": 30 / 3600, "longest": 16 / 3600, "path": 16 / 3600}
    )


def test_the_longest_path_is_that_of_a_network_and_what_samples_with_it() -> None:
    """5 + 3 h on MNIST. Elsewhere 6 + 1, 1 + 2 with its own settings, and 4 + 3.5 with all.

    Images wait for the tuning of their method as well, here for 6.5 hours, and those of the
    published protocol, which take 4 hours, for 7 hours.
    """
    jobs = pd.DataFrame(
        [
            ("train_score", "mnist", 5.0),
            ("sample_images", "mnist/ddpm", 3.0),
            ("train_score", "fashion_mnist", 6.0),
            ("sample_images", "fashion_mnist/ddpm", 1.0),
            ("tune", "heun", 4.0),
            ("tune", "ddpm", 1.0),
            ("compare", "ddpm", 2.0),
            ("sample_exact_images", "mnist", 3.5),
        ],
        columns=["rule", "job", "there"],
    )
    assert paper_scale.longest_path(jobs) == 8.0
    assert paper_scale.longest_path(jobs[~jobs["rule"].isin(["train_score"])]) == 7.5
    assert paper_scale.longest_path(jobs[jobs["job"] == "ddpm"]) == 3.0
    tuning = pd.DataFrame([("tune_images", "methods/ddpm", 6.5)], columns=jobs.columns)
    assert paper_scale.longest_path(pd.concat([jobs, tuning])) == 9.5
    rows = [("sample_images", "mnist_published/ddpm", 4.0), ("tune_images", "published/ddpm", 7.0)]
    published = pd.DataFrame(rows, columns=jobs.columns)
    assert paper_scale.longest_path(pd.concat([jobs, published[:1]])) == 9.0
    assert paper_scale.longest_path(pd.concat([jobs, tuning, published])) == 11.0


def test_the_longest_experiment_stands_first_and_short_ones_last() -> None:
    jobs = pd.DataFrame(
        {"experiment": name, "here": 0.01, "there": hours}
        for name, hours in (("c", 0.04), ("a", 0.9), ("d", 0.05), ("b", 2.0), ("a", 0.8))
    )
    table = paper_scale.table(jobs).set_index("experiment")
    assert table.index.tolist() == ["b", "a", paper_scale.OTHERS]
    assert table["jobs"].tolist() == [1, 2, 2]
    assert table["hours at paper scale"].tolist() == pytest.approx([2.0, 1.7, 0.09])
    assert table["longest job (hours)"].tolist() == pytest.approx([2.0, 0.9, 0.05])
