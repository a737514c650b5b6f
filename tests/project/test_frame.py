"""The project around the code: pins, configuration, commands, citation, and tracked files."""

import ast
import copy
import dataclasses
import importlib
import json
import os
import re
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from jsonschema import ValidationError
from snakemake.exceptions import WorkflowError
from snakemake.utils import update_config, validate

import rtk
from experiments.comparison.methods import candidates, check_budget
from experiments.images import grid as images
from experiments.mixtures import grid as mixtures
from experiments.workflow import results
from experiments.workflow.configuration import joined
from figures import style

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "experiments" / "config"
SCALES = ("smoke", "default", "paper")


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def configuration(scale: str) -> dict[str, Any]:
    """The studies, the protocol and the sizes of a scale, joined as the Snakefile does it."""
    return {"scale": scale} | joined("studies", "protocol", scale)


def paths(config: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path to every mapping in a nested configuration."""
    if isinstance(config, dict):
        yield path
        for key, value in config.items():
            yield from paths(value, (*path, key))


def pins() -> dict[str, str]:
    """The pinned version of every package."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = [line for line in lines if line and not line.startswith("#")]
    versions = dict(line.split("==") for line in wanted)
    assert len(versions) == len(wanted), "a package is pinned twice"
    return versions


def tracked() -> list[Path]:
    """The files that git tracks, and those that it does not ignore and could track next."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        encoding="utf-8",
    ).stdout
    files = [ROOT / name for name in listed.split("\0") if name]
    return [file for file in files if file.is_file()]


# Environment


def test_pins_are_exact_versions_without_addresses() -> None:
    for name, version in pins().items():
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name)
        assert re.fullmatch(r"[0-9]+(\.[0-9]+)*(\.post[0-9]+)?", version), name


def test_environment_holds_the_pins() -> None:
    """The installed versions are the pinned ones. A label such as +cpu depends on the platform."""
    installed = {name: metadata.version(name).split("+")[0] for name in pins()}
    assert installed == pins()


def test_conda_installs_the_same_pins() -> None:
    *others, pip = load(ROOT / "environment.yml")["dependencies"]
    assert others == ["python=3.11", "pip"]
    assert dict(pin.split("==") for pin in pip["pip"]) == pins(), "run `make environment.yml`"


def test_python_versions_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["requires-python"] == ">=3.11"
    assert project["tool"]["mypy"]["python_version"] == "3.11"
    assert project["tool"]["ruff"]["target-version"] == "py311"


def test_package_declares_what_it_imports() -> None:
    lines = [
        line
        for file in (ROOT / "rtk").rglob("*.py")
        for line in file.read_text(encoding="utf-8").splitlines()
    ]
    words = [line.split() for line in lines if line.lstrip().startswith(("import ", "from "))]
    imported = {name.split(".")[0] for first, name, *_ in words}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    optional = project["optional-dependencies"]["diffusers"]
    declared = {re.split("[>=]", each)[0] for each in [*project["dependencies"], *optional]}
    assert declared <= set(pins())
    others = imported - set(sys.stdlib_module_names) - {"rtk"}
    assert others == {{"POT": "ot"}.get(name, name) for name in declared}


# Configuration


@pytest.mark.parametrize("scale", SCALES)
def test_scale_is_valid(scale: str) -> None:
    config = configuration(scale)
    before = copy.deepcopy(config)
    validate(config, str(CONFIG / "schema.yaml"))
    assert config == before


@pytest.mark.parametrize("path", list(paths(configuration("smoke"))), ids=".".join)
def test_unknown_key_is_an_error(path: tuple[str, ...]) -> None:
    """An unknown key is an error at every level, and the message has the key."""
    config = configuration("smoke")
    place = config
    for key in path:
        place = place[key]
    place["chians"] = 1
    with pytest.raises((WorkflowError, ValidationError), match=r"chians|1 is not of type"):
        validate(config, str(CONFIG / "schema.yaml"))


def test_the_grid_of_the_flow_needs_its_start() -> None:
    config = configuration("smoke")
    del config["flow_distance"]["grid"]["t_start"]
    with pytest.raises((WorkflowError, ValidationError), match="t_start"):
        validate(config, str(CONFIG / "schema.yaml"))


@pytest.mark.parametrize("scale", SCALES)
def test_scales_hold_sizes_only(scale: str) -> None:
    """Methods, metrics and seeds are in the protocol, and a scale changes none of its numbers."""
    config = configuration(scale)
    update_config(config, load(CONFIG / "protocol.yaml"))
    assert config == configuration(scale)


@pytest.mark.parametrize("scale", SCALES)
def test_every_study_takes_the_settings_of_its_scale(scale: str) -> None:
    """No setting is missing and none is superfluous; shared ones and input files count too."""
    config = configuration(scale)
    for study, about in config["studies"].items():
        given = set(config[study]) | set(about.get("needs", []))
        for other, names in about.get("shares", {}).items():
            assert set(names) <= set(config[other])
            given |= set(names)
        if about.get("split"):
            given = (given - {"targets"}) | {"target"}
        settings = importlib.import_module(f"experiments.theory.{study}").Settings
        assert given == {field.name for field in dataclasses.fields(settings)}, study


def test_studies_are_those_that_have_a_script() -> None:
    """Every module that starts a study is in the configuration, and has a plot and a table.

    Other modules of the folder are libraries of the studies.
    """
    folder = ROOT / "experiments" / "theory"
    scripts = {
        path.stem
        for path in folder.glob("*.py")
        if "job.study(" in path.read_text(encoding="utf-8")
    }
    assert scripts == set(configuration("smoke")["studies"])
    for study in scripts:
        assert (ROOT / "figures" / "plots" / f"{study}.py").exists()
        assert (ROOT / "figures" / "tables" / f"{study}.py").exists()


NORMAL = rtk.GaussianMixture(torch.ones(1), torch.zeros(1, 2), 1.0)


@pytest.mark.parametrize("scale", SCALES)
def test_every_method_on_mixtures_can_spend_every_budget(scale: str) -> None:
    """All samplers take their options, and keep within the smallest budget of the scale."""
    settings = configuration(scale)["mixtures"]
    nfe = min(settings["nfe"])
    for method, options in settings["methods"].items():
        sampler, times = options["sampler"], mixtures.grid(nfe=nfe, **options["grid"])
        log_prob = NORMAL.log_prob if sampler.get("energy") == "exact" else None
        result = rtk.sample(
            NORMAL.score, 2, 4, nfe=nfe, log_prob=log_prob, segments=times, **sampler
        )
        assert 0 < result.nfe <= nfe, method


@pytest.mark.parametrize("scale", SCALES)
def test_every_method_on_images_can_spend_every_budget(scale: str) -> None:
    """The same for all candidates, of which there are as many as the budget, and as published."""
    settings = configuration(scale)["images"]
    runs = [*settings["datasets"].values(), *settings["recorded"]["datasets"].values()]
    nfe = min(min(each["nfe"]) for each in [settings["tuning"], *runs])
    for name, method in [*settings["methods"].items(), *settings["published"].items()]:
        if "candidates" in method:
            check_budget(name, method, settings["budget"])
        for candidate in candidates(method):
            keywords = images.keywords(method["sampler"], candidate, NORMAL.score, nfe)
            result = rtk.sample(NORMAL.score, 2, 4, nfe=nfe, **keywords)
            assert 0 < result.nfe <= nfe, (name, candidate)


def test_shipped_settings_are_those_of_the_protocol() -> None:
    """Whoever changes a candidate or the sizes of the tuning has to tune again."""
    images = configuration("default")["images"]
    shipped = {}
    for path in (ROOT / "experiments" / "images" / "tuned").rglob("*.json"):
        shipped[path.parent.name, path.stem] = json.loads(path.read_text(encoding="utf-8"))
    tuned = {
        (protocol, name): method
        for protocol in ("methods", "published")
        for name, method in images[protocol].items()
        if "candidates" in method
    }
    assert {*shipped} == {*tuned}
    for name, record in shipped.items():
        assert record["sampler"] == tuned[name]["sampler"], name
        assert record["images"] == images["tuning"]["images"]
        assert [*map(int, record["tried"])] == images["tuning"]["nfe"]
        for nfe, tried in record["tried"].items():
            assert [each["candidate"] for each in tried] == candidates(tuned[name]), name
            best = min(tried, key=lambda each: each["distance"])
            assert record["chosen"][nfe] == best["candidate"]


ON_IMAGES = configuration("default")["images"]


@pytest.mark.parametrize("method", ["exact", *ON_IMAGES["methods"]])
@pytest.mark.parametrize("dataset", ON_IMAGES["recorded"]["datasets"])
def test_recorded_results_are_those_of_the_protocol(dataset: str, method: str) -> None:
    """Whoever changes a method, its settings or the sizes of a run has to make it again."""
    config, kept_images = configuration("default"), ON_IMAGES["recorded"]["kept"]
    sizes = ON_IMAGES["recorded"]["datasets"][dataset]
    path = ROOT / "experiments" / "images" / "recorded" / dataset / f"{method}.parquet"
    made, frame = results.provenance(path)["config"], results.read(path)
    assert (made["experiment"], made["dataset"]) == (f"{dataset}_recorded", dataset)
    assert (made["images"], made["seed"]) == (sizes["images"], config["seed"])
    assert set(frame["method"]) == {method}
    if method == "exact":
        return
    about = ON_IMAGES["methods"][method]
    assert (made["about"], made["kept"], made["nfe"]) == (about, kept_images, sizes["nfe"])
    assert sorted(set(frame["nfe_asked"])) == sizes["nfe"]
    tuned = path.parents[2] / "tuned" / "methods" / f"{method}.json"
    for nfe in sizes["nfe"]:
        candidate = images.chosen(tuned, nfe) if "candidates" in about else {}
        rows = frame[frame["nfe_asked"] == nfe]
        assert {*rows["settings"]} == {json.dumps({**about["sampler"], **candidate})}
    kept = results.read_arrays(path.with_suffix(".npz"))
    assert {len(kept[f"nfe_{nfe}"]) for nfe in sizes["nfe"]} == {kept_images}


def test_every_method_has_a_look() -> None:
    config = configuration("default")
    for experiment in ("mixtures", "images"):
        assert set(config[experiment]["methods"]) <= set(style.METHODS)


# Commands


def make(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    # Under `make test` this is a make within a make, which would announce its folder.
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, encoding="utf-8")


def test_help_lists_the_targets() -> None:
    listed = [line.split()[0] for line in make("help").stdout.splitlines()]
    assert listed == [
        *("all", "smoke", "report", "notebooks", "check", "test", "lint", "env"),
        *("environment.yml", "readme", "benchmark", "clean", "help"),
    ]
    for target in listed:
        assert make("--dry-run", target).returncode == 0


def copy_of_makefile(folder: Path) -> Path:
    for name in ("Makefile", "requirements.txt"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    return folder


@pytest.mark.parametrize(
    "name", ["a b", "a\tb", " a", "a ", "a:b", "a'b", 'a"b', "a$b", "a{b}", "a;b"]
)
@pytest.mark.parametrize("target", ["env", "smoke", "test"])
def test_path_that_the_workflow_cannot_take_is_refused(
    tmp_path: Path, name: str, target: str
) -> None:
    """The path is refused before any file is made.

    Snakemake puts the path of its Python into commands without quotes.
    """
    folder = tmp_path / name
    folder.mkdir()
    run = make(target, f"PYTHON={sys.executable}", cwd=copy_of_makefile(folder))
    assert run.returncode != 0
    assert "move the repository to another folder" in run.stderr
    assert sorted(path.name for path in folder.iterdir()) == ["Makefile", "requirements.txt"]


@pytest.mark.parametrize("name", ["plain", "a-b_c.d+e=f", "Würfel", "a,b@c%d~e"])
def test_other_paths_are_taken(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    assert make("--dry-run", "env", cwd=copy_of_makefile(folder)).returncode == 0


def test_old_python_is_refused(tmp_path: Path) -> None:
    """The Python is refused before any file is made. The stand-in is this Python, called 3.10."""
    copy_of_makefile(tmp_path)
    python = tmp_path / "python"
    python.write_text(
        f"#!{sys.executable}\nimport sys\nsys.version_info = (3, 10, 13)\nexec(sys.argv[2])\n",
        encoding="utf-8",
    )
    python.chmod(0o755)
    run = make("env", f"PYTHON={python}", cwd=tmp_path)
    assert run.returncode != 0
    assert "Python 3.11 or newer is needed" in run.stderr
    assert not (tmp_path / ".venv").exists()


def test_environment_is_installed_once_and_again_when_the_pins_change(tmp_path: Path) -> None:
    """A stand-in for Python makes the folder and records the commands that it receives."""
    copy_of_makefile(tmp_path)
    python = tmp_path / "python"
    python.write_text(
        f'#!/bin/sh\necho "$*" >> {tmp_path}/asked\n'
        f'if [ "$2" = venv ]; then mkdir -p .venv/bin; cp {python} .venv/bin/python; fi\n',
        encoding="utf-8",
    )
    python.chmod(0o755)
    for _ in range(2):
        assert make("env", f"PYTHON={python}", cwd=tmp_path).returncode == 0
    asked = (tmp_path / "asked").read_text(encoding="utf-8")
    assert asked.count("-m venv") == asked.count("--requirement requirements.txt") == 1
    os.utime(tmp_path / ".venv" / "requirements.installed", (0, 0))
    assert make("env", f"PYTHON={python}", cwd=tmp_path).returncode == 0
    assert (tmp_path / "asked").read_text(encoding="utf-8").count(
        "--requirement requirements.txt"
    ) == 2


def test_environment_that_was_not_finished_is_built_anew(tmp_path: Path) -> None:
    """The stand-in kills the first installation, as well as the `make` that asked for it."""
    copy_of_makefile(tmp_path)
    python = tmp_path / "python"
    python.write_text(
        f'#!/bin/sh\necho "$*" >> {tmp_path}/asked\n'
        f'if [ "$2" = venv ]; then mkdir -p .venv/bin; cp {python} .venv/bin/python; fi\n'
        f'if [ "$3" = install ] && mkdir {tmp_path}/killed; then kill -9 0; fi\n',
        encoding="utf-8",
    )
    python.chmod(0o755)
    command = ["make", "env", f"PYTHON={python}"]
    killed = subprocess.run(command, cwd=tmp_path, start_new_session=True, capture_output=True)
    assert killed.returncode == -signal.SIGKILL
    assert make("env", f"PYTHON={python}", cwd=tmp_path).returncode == 0
    asked = (tmp_path / "asked").read_text(encoding="utf-8").splitlines()
    assert [line for line in asked if "venv" in line] == ["-m venv .venv", "-m venv --clear .venv"]
    assert sorted(path.name for path in (tmp_path / ".venv").iterdir()) == [
        "bin",
        "requirements.installed",
    ]


def test_continuous_integration_runs_make_test() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    lines = script.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "#!/usr/bin/env bash"
    assert lines[1] == "set -euo pipefail"
    assert lines[-1] == "make test"


# Citation and licence


def test_citation() -> None:
    citation = load(ROOT / "CITATION.cff")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["dynamic"] == ["version"]
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert citation["version"] == rtk.__version__
    assert citation["license"] == project["license"] == "MIT"
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith("MIT License")
    (paper,) = citation["references"]
    assert paper["identifiers"] == [{"type": "other", "value": "arXiv:2405.16387"}]
    assert [author["family-names"] for author in paper["authors"]] == [
        *("Huang", "Zou", "Dong", "Zhang", "Ma", "Zhang")
    ]


# What is tracked


def calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """Every call of a function or method, with the name of that function or method."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield getattr(node.func, "attr", getattr(node.func, "id", "")), node


def test_text_is_utf_8_whatever_the_locale() -> None:
    """All code that reads or writes text, or reads the output of a program, states the encoding.

    A file that is opened with a mode such as "wb" is not text, and neither are those that
    `os.open`, `tarfile.open` and `Image.open` open.
    """
    without = []
    for file in tracked():
        if file.suffix != ".py":
            continue
        for name, call in calls(ast.parse(file.read_text(encoding="utf-8"))):
            code = ast.unparse(call)
            keywords = {keyword.arg for keyword in call.keywords}
            binary = re.search(r"""open\(.*['"][rwxa]\+?b\+?['"]""", code)
            opens = (
                name == "open" and not binary and not code.startswith(("os.", "tarfile.", "Image."))
            )
            text = opens or name in ("read_text", "write_text") or "text" in keywords
            if text and "encoding" not in keywords:
                without.append(f"{file.relative_to(ROOT)}:{call.lineno}: {code}")
    for file in [ROOT / "Snakefile", *(ROOT / "experiments" / "rules").glob("*.smk")]:
        assert not re.search(r"(read|write)_text\((?!.*encoding)", file.read_text(encoding="utf-8"))
    assert not without


def test_no_address_of_a_registry_and_no_path_of_a_machine() -> None:
    registries = ["pypi" + ".org", "python" + "hosted", "npm" + "js.", "deb" + ".debian"]
    folders = ["/" + "work/", "/" + "root/", "/" + "home/", "/" + "opt/wheels", "/" + "Users/"]
    forbidden = re.compile("|".join(map(re.escape, registries + folders)))
    matches = []
    for file in tracked():
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        matches += [f"{file.name}: {match[0]}" for match in forbidden.finditer(text)]
    assert not matches


def test_nothing_large_or_generated_is_tracked() -> None:
    files = tracked()
    assert files
    for file in files:
        assert file.stat().st_size < 10 * 2**20, file
        assert file.relative_to(ROOT).parts[0] not in ("results", ".venv", ".snakemake")
