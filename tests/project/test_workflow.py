"""The whole workflow at smoke scale, from its commands to the files that it makes.

The outputs go to `results/smoke`, where Snakemake makes only those again whose inputs have changed.
"""

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pandas as pd
import pytest
import yaml

from experiments.workflow import results
from figures import style
from figures.analysis.mutants import POSITIVE, clean, matrix
from figures.tables.mutants import WEAK
from paper import verdicts
from tests.additions import add_sampler
from tests.project import interruption
from tests.project.contents import content
from tests.project.copies import copy_of_project

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "results" / "smoke"
CONFIG = ROOT / "experiments" / "config"
PROTOCOL = yaml.safe_load((CONFIG / "protocol.yaml").read_text(encoding="utf-8"))
SIZES = yaml.safe_load((CONFIG / "smoke.yaml").read_text(encoding="utf-8"))
STUDIES = yaml.safe_load((CONFIG / "studies.yaml").read_text(encoding="utf-8"))["studies"]

pytestmark = pytest.mark.slow

TARGETS = SIZES["mixtures"]["targets"]
DATASETS = SIZES["images"]["datasets"]
RECORDED = [f"{dataset}_recorded" for dataset in PROTOCOL["images"]["recorded"]["datasets"]]
SAMPLED = [
    *(f"mixtures/{t}/{method}" for t in TARGETS for method in PROTOCOL["mixtures"]["methods"]),
    *(f"{dataset}/{method}" for dataset in DATASETS for method in SIZES["images"]["subset"]),
    *(f"mnist_published/{method}" for method in PROTOCOL["images"]["published"]),
]
FLOORS = [
    *(f"mixtures/{target}/exact" for target in TARGETS),
    *(f"{dataset}/exact" for dataset in DATASETS),
]
COMPARED = SIZES["comparison"]["subset"]
TUNED = [name for name in COMPARED if "candidates" in PROTOCOL["comparison"]["methods"][name]]
WRONG_SCORES = [name for name in PROTOCOL["score_errors"]["methods"] if name in COMPARED]
COMPARISON = [
    *(f"comparison/{method}" for method in [*COMPARED, "exact"]),
    *(f"score_errors/{method}" for method in [*WRONG_SCORES, "exact"]),
]
STEPS = [f"mixture_steps/{target}" for target in SIZES["mixture_steps"]["nfe"]]
ON_IMAGES = [f"exact_images/{collection}" for collection in SIZES["exact_images"]["collections"]]
TUNED_ON_IMAGES = [
    name
    for name in SIZES["exact_images"]["subset"]
    if "candidates" in PROTOCOL["comparison"]["methods"][name]
]
TUNED_WITH_NETWORKS = [
    *(("published", name) for name in PROTOCOL["images"]["published"]),
    *(
        ("methods", name)
        for name in SIZES["images"]["subset"]
        if "candidates" in PROTOCOL["images"]["methods"][name]
    ),
]
FLOW = [f"flow_distance/{dataset}" for dataset in SIZES["flow_distance"]["datasets"]]
NETWORKS = [f"energy_networks/{target}" for target in SIZES["energy_networks"]["targets"]]
BEYOND = [f"beyond_mixtures/{target}" for target in PROTOCOL["beyond_mixtures"]["targets"]]
CHECKS = [
    *(study for study, about in STUDIES.items() if not about.get("split")),
    *(
        f"{study}/{target}"
        for study, about in STUDIES.items()
        if about.get("split")
        for target in SIZES[study]["targets"]
    ),
    *BEYOND,
    *ON_IMAGES,
    *NETWORKS,
]
TABLES = [*SAMPLED, *FLOORS, *COMPARISON, *STEPS, *FLOW, *CHECKS]
# Experiments that have a figure, a table for print, and numbers for the article.
FINISHED = [*dict.fromkeys(check.split("/")[0] for check in CHECKS)]
NUMBERS = [
    *FINISHED,
    "mixtures",
    "mixture_order",
    "mixture_steps",
    "calibration",
    *DATASETS,
    "mnist_published",
    *RECORDED,
    "flow_distance",
    "comparison",
    "comparison_error",
    "compute",
    "paper_scale",
    "benchmark",
]
PRINTED = [*NUMBERS, "comparison_protocol", "table_1"]
FIGURES = [
    "mixture_accuracy",
    "mixture_sinkhorn",
    "mixture_mode_weights",
    *(f"mixture_{picture}_{t}" for picture in ("scatter", "histogram") for t in TARGETS),
    *(
        f"comparison_{name}"
        for name in ("curves", "sliced_w2", "energy_distance", "matrix", "error", "scatter")
    ),
    *FINISHED,
    "benchmark",
    "beyond_mixtures_scatter",
    *(f"{run}_{picture}" for run in (*DATASETS, *RECORDED) for picture in ("frechet", "samples")),
    *(f"{dataset}_flow" for dataset in SIZES["flow_distance"]["datasets"]),
]
NOTEBOOKS = [source.stem for source in (ROOT / "experiments" / "notebooks").glob("*.py")]


def budgets_of(name: str) -> list[int]:
    """The numbers of score evaluations of a table of samples."""
    folder = name.split("/")[0].removesuffix("_published")
    budgets: list[int] = (DATASETS[folder] if folder in DATASETS else SIZES[folder])["nfe"]
    return budgets


def snakemake(
    *arguments: str, cwd: Path = ROOT, **variables: str
) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    return subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "2", *arguments],
        cwd=cwd,
        env=environment | {"PYTHONPATH": str(cwd)} | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )


@pytest.fixture(scope="module", autouse=True)
def _workflow() -> None:
    run = snakemake("--config", "scale=smoke")
    assert run.returncode == 0, run.stdout


def test_nothing_is_left_to_do() -> None:
    run = snakemake("--dry-run", "--config", "scale=smoke")
    assert run.returncode == 0
    assert "Nothing to be done" in run.stdout


def test_unknown_scale() -> None:
    run = snakemake("--dry-run", "--config", "scale=huge")
    assert run.returncode != 0
    assert "unknown scale 'huge': choose scale=smoke, scale=default, scale=paper" in run.stdout


def test_unknown_key() -> None:
    run = snakemake("--dry-run", "--config", "scale=smoke", "chains=5")
    assert run.returncode != 0
    assert "'chains' was unexpected" in run.stdout


@pytest.mark.parametrize("scale", ["default", "paper"])
def test_other_scales_have_a_plan(scale: str) -> None:
    run = snakemake("--dry-run", "--quiet", "all", "--config", f"scale={scale}")
    assert run.returncode == 0, run.stdout


def test_every_file_of_the_results_is_expected() -> None:
    files = {str(file.relative_to(RESULTS)) for file in RESULTS.rglob("*") if file.is_file()}
    others = ("logs/", "benchmarks/", *(f"{dataset}/" for dataset in DATASETS))
    files = {file for file in files if not file.startswith(others)}
    assert files == {
        *(f"data/{name}.parquet" for name in TABLES),
        *(f"data/{name}.npz" for name in [*SAMPLED, *FLOW]),
        *(f"data/mixtures/{target}/exact.npz" for target in TARGETS),
        *(f"data/{name}.npz" for name in BEYOND),
        *(f"data/comparison/{method}.npz" for method in [*COMPARED, "exact"]),
        *(f"tuning/{method}.json" for method in [*TUNED, *TUNED_ON_IMAGES]),
        *(f"tuning/{protocol}/{name}.json" for protocol, name in TUNED_WITH_NETWORKS),
        *(f"figures/{name}.{suffix}" for name in FIGURES for suffix in ("pdf", "png")),
        *(f"notebooks/{name}.ipynb" for name in NOTEBOOKS),
        *(f"tables/{name}.csv" for name in PRINTED),
        *(f"numbers/{name}.json" for name in NUMBERS),
        "verdicts.json",
        "paper.pdf",
    }


def test_the_article_has_no_more_pages_than_a_reader_takes() -> None:
    """An expression that Typst takes for text prints what it holds, whole files of numbers."""
    pdf = (RESULTS / "paper.pdf").read_bytes()
    assert 20 <= len(re.findall(rb"/Type */Page\b", pdf)) <= 37


@pytest.mark.parametrize("name", TABLES)
def test_table_is_tidy_and_knows_its_origin(name: str) -> None:
    path = RESULTS / "data" / f"{name}.parquet"
    frame = results.read(path)
    assert list(frame.columns)[: len(results.COLUMNS)] == list(results.COLUMNS)
    experiment, *_ = name.split("/")
    assert set(frame["experiment"]) == {experiment}
    if name in STEPS:
        assert set(frame["target"]) == {Path(name).name}
        assert set(frame["method"]) == {*PROTOCOL["mixture_steps"]["methods"]}
    elif name in FLOW:
        assert set(frame["method"]) == {*PROTOCOL["flow_distance"]["methods"], "exact"}
    elif name not in CHECKS:
        assert set(frame["method"]) == {Path(name).name}
    assert np.isfinite(frame["value"]).all()
    assert not (frame["standard_error"] < 0).any()
    origin = results.provenance(path)
    assert origin["config"]["seed"] == PROTOCOL["seed"]
    assert origin["config_hash"] == results.config_hash(origin["config"])
    assert origin["wall_seconds"] > 0
    assert origin["peak_memory_mb"] > 50


@pytest.mark.parametrize("name", SAMPLED)
def test_no_sampler_takes_more_scores_than_allowed(name: str) -> None:
    frame = results.read(RESULTS / "data" / f"{name}.parquet")
    budgets = budgets_of(name)
    assert sorted(frame["nfe_asked"].unique()) == budgets
    assert (frame["nfe"] > 0).all()
    assert (frame["nfe"] <= frame["nfe_asked"]).all()
    assert not frame.duplicated(["metric", "nfe_asked"]).any()


@pytest.mark.parametrize("name", SAMPLED)
def test_samples_are_kept_for_every_budget(name: str) -> None:
    kept = results.read_arrays(RESULTS / "data" / f"{name}.npz")
    assert list(kept) == [f"nfe_{nfe}" for nfe in budgets_of(name)]
    experiment = "mixtures" if name.startswith("mixtures") else "images"
    shapes = {"mixtures": (2,), "cifar10": (32, 32, 3)}
    shape: tuple[int, ...] = shapes.get(name.split("/")[0], (28, 28))
    for sample in kept.values():
        assert sample.shape == (SIZES[experiment]["kept"], *shape)
        assert np.ptp(sample) > 0


@pytest.mark.parametrize("name", FLOW)
def test_every_sampler_has_a_distance_from_the_flow_at_every_budget(name: str) -> None:
    sizes = SIZES["flow_distance"]
    frame = results.read(RESULTS / "data" / f"{name}.parquet")
    samplers = frame[frame["method"] != "exact"]
    cells = itertools.product(PROTOCOL["flow_distance"]["methods"], sizes["nfe"])
    assert [*zip(samplers["method"], samplers["nfe_asked"], strict=True)] == [*cells]
    assert (samplers["nfe"] <= samplers["nfe_asked"]).all()
    assert (frame["value"] > 0).all()
    kept = results.read_arrays(RESULTS / "data" / f"{name}.npz")
    assert {len(images) for images in kept.values()} == {sizes["images"]}


@pytest.mark.parametrize("method", TUNED)
def test_comparison_runs_what_tuning_chose(method: str) -> None:
    tuned = json.loads((RESULTS / "tuning" / f"{method}.json").read_text(encoding="utf-8"))
    sizes = SIZES["comparison"]
    assert {*tuned["floors"]} == {*sizes["tuning"]}
    assert all(len(tried) == PROTOCOL["comparison"]["budget"] for tried in tuned["tried"].values())
    frame = results.read(RESULTS / "data" / "comparison" / f"{method}.parquet")
    assert {*frame["target"]} == {*sizes["targets"]}
    assert sorted(frame["nfe_asked"].unique()) == sizes["nfe"]
    assert (frame["nfe"] <= frame["nfe_asked"]).all()
    for nfe, rows in frame.groupby("nfe_asked"):
        assert {*map(str, map(json.loads, rows["settings"]))} == {str(tuned["chosen"][str(nfe)])}
    assert not frame.duplicated(["target", "nfe_asked", "metric", "batch"]).any()
    assert {*frame["batch"]} == {*range(sizes["batches"] + 1)}


@pytest.mark.parametrize(
    ("protocol", "method"),
    [
        *(("methods", name) for name in SIZES["images"]["subset"]),
        *(("published", name) for name in PROTOCOL["images"]["published"]),
    ],
)
def test_images_are_sampled_with_what_tuning_chose(protocol: str, method: str) -> None:
    about = PROTOCOL["images"][protocol][method]
    expected = {**about["sampler"]}
    if "candidates" in about:
        path = RESULTS / "tuning" / protocol / f"{method}.json"
        tuned = json.loads(path.read_text(encoding="utf-8"))
        (tried,) = tuned["tried"].values()
        assert len(tried) == PROTOCOL["images"]["budget"]
        best = min(tried, key=lambda record: record["distance"])
        assert [*tuned["chosen"].values()] == [best["candidate"]]
        expected |= best["candidate"]
    for folder in DATASETS if protocol == "methods" else ["mnist_published"]:
        frame = results.read(RESULTS / "data" / folder / f"{method}.parquet")
        assert {*frame["settings"]} == {json.dumps(expected)}


@pytest.mark.parametrize("name", ON_IMAGES)
def test_images_have_every_method_with_its_tuned_settings(name: str) -> None:
    sizes = SIZES["exact_images"]
    frame = results.read(RESULTS / "data" / f"{name}.parquet")
    methods = frame[frame["part"] == "methods"]
    assert {*methods["method"]} == {*sizes["subset"]}
    assert sorted(methods["nfe_asked"].unique()) == sizes["nfe"]
    assert (frame["nfe"] <= frame["nfe_asked"]).all()
    for (method, nfe), rows in methods.groupby(["method", "nfe_asked"]):
        expected = {}
        if method in TUNED_ON_IMAGES:
            tuned = (RESULTS / "tuning" / f"{method}.json").read_text(encoding="utf-8")
            expected = json.loads(tuned)["chosen"][str(nfe)]
        assert {*rows["settings"]} == {json.dumps(expected)}
    swept = frame[frame["part"] == "segments"]
    is_target = name == f"exact_images/{PROTOCOL['exact_images']['sweep']['target']}"
    assert {*swept["segments"]} == ({*sizes["sweep"]["counts"]} if is_target else set())
    assert {*frame.loc[frame["part"] == "exact", "method"]} == {"exact"}


@pytest.mark.parametrize("method", WRONG_SCORES)
def test_wrong_scores_are_of_every_kind_and_size(method: str) -> None:
    frame = results.read(RESULTS / "data" / "score_errors" / f"{method}.parquet")
    protocol = PROTOCOL["score_errors"]
    cases = {("none", 0.0), *itertools.product(protocol["kinds"], protocol["sizes"])}
    assert {*zip(frame["error"], frame["size"], strict=True)} == cases


@pytest.mark.parametrize("target", TARGETS)
def test_marginal_accuracy_of_samples_lies_below_that_of_exact_ones(target: str) -> None:
    """The excess is at most 5 standard errors of the difference, from 2000 chains each.

    The seeds are fixed.
    """
    exact = one_metric(f"mixtures/{target}/exact")
    assert len(exact) == 1
    for method in PROTOCOL["mixtures"]["methods"]:
        sampled = one_metric(f"mixtures/{target}/{method}")
        assert sampled["value"].between(0, 1).all()
        slack = 5 * np.hypot(sampled["standard_error"], exact["standard_error"].item())
        assert (sampled["value"] <= exact["value"].item() + slack).all(), method


def one_metric(name: str) -> pd.DataFrame:
    frame = results.read(RESULTS / "data" / f"{name}.parquet")
    return frame[frame["metric"] == "marginal_accuracy"]


def test_every_positive_verdict_is_failed_by_a_fault() -> None:
    """All but one. And the verdicts without a fault are those of the default scale.

    The faults are planted at the same sizes at every scale.
    """
    records = json.loads((ROOT / "paper" / "verdicts.json").read_text(encoding="utf-8"))
    ledger = {
        f"{record['name']} {mark}".strip(): judged["verdict"]
        for record in records
        for mark, judged in {"": record, **record["readings"]}.items()
    }
    frame = results.read(RESULTS / "data" / "mutants.parquet")
    outcomes, before = matrix(frame), clean(frame)
    assert before.to_dict() == {rule: ledger[rule] for rule in before.index}
    failed = (outcomes == "noticed").any(axis=1)
    # The article names the exception, a bound too weak for any fault.
    kept = [rule for rule in outcomes.index if before[rule] in POSITIVE and not failed[rule]]
    assert kept == [WEAK]


@pytest.mark.parametrize("name", FIGURES)
def test_figure_shows_something(name: str) -> None:
    assert (RESULTS / "figures" / f"{name}.pdf").read_bytes().startswith(b"%PDF-")
    pixels = plt.imread(RESULTS / "figures" / f"{name}.png")
    height, width = pixels.shape[:2]
    assert width in (990, 2040)
    assert 300 < height < 3000
    inked = (pixels[..., :3] < 0.9).any(axis=2)
    assert 0.005 < inked.mean() < 0.9


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebook_is_executed(name: str) -> None:
    """Every cell was executed, in order and without a warning, and there is a picture."""
    notebook = nbformat.read(RESULTS / "notebooks" / f"{name}.ipynb", as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == [*range(1, len(code) + 1)]
    outputs = [output for cell in code for output in cell.outputs]
    assert not [output.text for output in outputs if output.get("name") == "stderr"]
    assert any("image/png" in output.get("data", {}) for output in outputs)


def test_html_report(tmp_path: Path) -> None:
    """The report has every figure with its caption, and loads nothing from the network."""
    report = tmp_path / "report.html"
    run = snakemake("--report", str(report), "--config", "scale=smoke")
    assert run.returncode == 0, run.stdout
    page = report.read_text(encoding="utf-8")
    for name in FIGURES:
        assert f"{name}.png" in page
    assert "Results of a reproducibility companion" in page
    assert not re.findall(r"<(?:script|link)[^>]*(?:src|href)=.https?:", page)


def test_calibration_table() -> None:
    table = pd.read_csv(RESULTS / "tables" / "calibration.csv")
    assert len(table) > 0
    assert set(table["method"]) <= {look.label for look in style.METHODS.values()}


@pytest.mark.parametrize("name", PRINTED)
def test_table_fits_print(name: str) -> None:
    table = pd.read_csv(RESULTS / "tables" / f"{name}.csv")
    assert 0 < len(table) <= 20
    assert table.shape[1] <= 10


def test_every_number_of_the_verdicts_is_recorded() -> None:
    """The ledger of a run follows from its rules and from the numbers that it records."""
    records = json.loads((RESULTS / "verdicts.json").read_text(encoding="utf-8"))
    assert records == verdicts.ledger(verdicts.load(), verdicts.evidence(records))


def test_every_job_has_a_log_and_a_benchmark() -> None:
    logs = jobs(RESULTS / "logs", ".log")
    assert logs == jobs(RESULTS / "benchmarks", ".tsv")
    for name in SAMPLED:
        rule = "simulate_mixture" if name.startswith("mixtures/") else "sample_images"
        assert Path(rule, name.removeprefix("mixtures/")) in logs


def jobs(folder: Path, suffix: str) -> set[Path]:
    return {file.relative_to(folder).with_suffix("") for file in folder.rglob(f"*{suffix}")}


def test_no_job_asks_for_more_than_one_thread() -> None:
    """Snakemake gives BLAS and OpenMP the threads of the rule. More would overload the cores."""
    rules = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "experiments" / "rules").glob("*.smk")
    )
    assert set(re.findall(r"threads: *(.*)", rules)) == {"1"}


def test_a_new_date_alone_changes_nothing() -> None:
    """Scripts and modules count by their content, so a checkout alone makes no job run again."""
    for name in ("experiments/mixtures/sample.py", "rtk/mcmc/mala.py", "figures/style.py"):
        (ROOT / name).touch()
    test_nothing_is_left_to_do()


@pytest.mark.parametrize(
    ("old", "new", "repeated"),
    [
        ("0.25 * step_size", "0.5 * step_size", True),
        ('"""Metropolis-adjusted Langevin', '"""Langevin', False),
        ("\nimport math", "\n# A comment.\n\nimport math", False),
    ],
    ids=["code", "docstring", "comment"],
)
def test_changed_code_is_noticed(tmp_path: Path, old: str, new: str, repeated: bool) -> None:
    """Jobs run again if what their modules do has changed, but not for docstrings or comments."""
    project = copy_of_project(tmp_path, "environment.yml", "results", ".snakemake/metadata")
    module = project / "rtk" / "mcmc" / "mala.py"
    text = module.read_text(encoding="utf-8")
    assert text.count(old) == 1
    module.write_text(text.replace(old, new), encoding="utf-8")
    run = snakemake("--dry-run", "--config", "scale=smoke", cwd=project)
    assert run.returncode == 0, run.stdout
    made = "".join(re.findall(r"^    output: (.*)$", run.stdout, re.MULTILINE))
    assert ("results/smoke/data/mixtures/circle/rtk-mala.parquet" in made) is repeated
    assert "results/smoke/data/mixtures/circle/ddpm.parquet" not in made
    assert ("Nothing to be done" in run.stdout) is not repeated


def test_a_new_sampler_runs_only_what_takes_any_sampler(tmp_path: Path) -> None:
    """Only five notebooks take any sampler. No study and no earlier sampler runs again."""
    project = copy_of_project(tmp_path, "environment.yml", "results", ".snakemake/metadata")
    run = snakemake("--dry-run", "--config", "scale=smoke", cwd=project)
    assert "Nothing to be done" in run.stdout
    add_sampler(project)
    run = snakemake("--dry-run", "--config", "scale=smoke", cwd=project)
    assert run.returncode == 0, run.stdout
    made = re.findall(r"^    output: (.*)$", run.stdout, re.MULTILINE)
    names = ("tour", "own_score", "calibrate", "inner_chains", "pipeline")
    assert set(made) == {f"results/smoke/notebooks/{name}.ipynb" for name in names}


def test_a_data_set_of_the_user_needs_a_folder_and_a_file_of_settings(tmp_path: Path) -> None:
    """Colour images of 16 by 16 pixels in two classes, in the form of ImageNet-32's batches."""
    project = copy_of_project(tmp_path, "environment.yml")
    generator = np.random.default_rng(0)
    for split, n in (("train", 300), ("test", 60)):
        labels = 1 + np.arange(n) % 2
        pixels = generator.integers(0, 100, (n, 768)) + 70 * labels[:, None]
        (tmp_path / "mine" / split).mkdir(parents=True)
        batch: dict[str, Any] = {"data": pixels.astype(np.uint8), "labels": labels}
        np.savez(tmp_path / "mine" / split / "batch.npz", **batch)
    mine: dict[str, Any] = {
        "title": "mine",
        "local": str(tmp_path / "mine"),
        "images": 40,
        "nfe": [5, 8],
    }
    mine["score"] = {"held_out": 20, "validation_images": 10}
    settings = tmp_path / "mine.json"
    settings.write_text(json.dumps({"images": {"datasets": {"mine": mine}}}), encoding="utf-8")
    made = [f"results/smoke/{name}" for name in ("figures/mine_samples.pdf", "tables/mine.csv")]
    options = ("--configfile", str(settings), "--config", "scale=smoke", "--", *made)
    run = snakemake(*options, cwd=project)
    assert run.returncode == 0, run.stdout
    kept = results.read_arrays(project / "results" / "smoke" / "data" / "mine" / "ddpm.npz")
    assert kept["nfe_8"].shape == (16, 16, 16, 3)


CHEEGER = "results/smoke/tables/cheeger.csv"


def test_second_run_is_refused_and_a_killed_one_goes_on(tmp_path: Path) -> None:
    """No command is needed between the kill and the next run. The first run takes minutes."""
    project = copy_of_project(tmp_path, "environment.yml")
    targets = [CHEEGER, "results/smoke/tables/mutants.csv"]
    first = interruption.start(project, cores=2, targets=targets)
    log = project / "results/smoke/logs/cheeger.log"
    deadline = time.monotonic() + 120
    while not log.exists():
        assert first.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    second = snakemake("--config", "scale=smoke", "--", CHEEGER, cwd=project)
    assert second.returncode != 0
    assert "Another Snakemake is at work in this folder" in second.stdout
    assert "LockException" in second.stdout
    assert first.poll() is None
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    assert list((project / ".snakemake" / "locks").iterdir())
    run = snakemake("--config", "scale=smoke", "--", CHEEGER, cwd=project)
    assert run.returncode == 0, run.stdout
    assert (project / CHEEGER).read_bytes() == (ROOT / CHEEGER).read_bytes()


def test_workflow_that_was_killed_has_the_results_of_one_that_was_not(tmp_path: Path) -> None:
    """The moments are fixed; what they meet depends on the machine, the results do not."""
    project = copy_of_project(tmp_path, "environment.yml")
    targets = [CHEEGER, "results/smoke/figures/cheeger.pdf"]
    assert interruption.disturb(project, [2.0, 6.0, 9.0], 1, targets)
    made = interruption.contents(project)
    assert {*targets} <= made.keys()
    assert made == {name: content(ROOT / name) for name in made}


def test_locale_without_utf_8(tmp_path: Path) -> None:
    """The plan, a study and its table work, though the sources have letters outside the locale."""
    project = copy_of_project(tmp_path, "environment.yml")
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    run = snakemake("--dry-run", "--config", "scale=smoke", cwd=project, **locale)
    assert run.returncode == 0, run.stdout
    run = snakemake("--config", "scale=smoke", "--", CHEEGER, cwd=project, **locale)
    assert run.returncode == 0, run.stdout
    assert (project / CHEEGER).read_bytes() == (ROOT / CHEEGER).read_bytes()
