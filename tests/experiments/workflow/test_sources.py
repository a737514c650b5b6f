"""Which files a script runs: imports are followed to the files that define what is used."""

import ast
import re
import shutil
from pathlib import Path

import pytest
import yaml

from experiments.workflow.sources import REGISTRY, digest, sources
from rtk.registry import METHODS
from tests.additions import add_sampler

ROOT = Path(__file__).parents[3]
CONFIG = ROOT / "experiments" / "config"
STUDIES = yaml.safe_load((CONFIG / "studies.yaml").read_text(encoding="utf-8"))["studies"]


def project(folder: Path, **files: str) -> list[str]:
    """The sources of ``script`` in a project of these files; two underscores are a slash."""
    for name, text in files.items():
        file = folder / f"{name.replace('__', '/').replace('INIT', '__init__')}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return sources(str(folder / "script.py"), str(folder))


@pytest.mark.parametrize(
    "script",
    [
        "import package.used",
        "from package import used",
        "from package.used import f",
        "import package\npackage.used.f()",
        "import package as p\np.used.f()",
        "def later():\n    from package import used",
    ],
)
def test_module_of_a_package(tmp_path: Path, script: str) -> None:
    """In functions too; not into the standard library, and not into what stands beside it."""
    found = project(
        tmp_path,
        script=f"import json, numpy\n{script}\n",
        package__INIT='"""Nothing here."""',
        package__used="from package.deep import sibling\ndef f(): ...",
        package__deep__sibling="from . import other\nfrom ..far import x",
        package__deep__other="",
        package__far="x = 1",
        package__unused="raise RuntimeError('nothing may be executed')",
    )
    assert found == [
        "package/deep/other.py",
        "package/deep/sibling.py",
        "package/far.py",
        "package/used.py",
        "script.py",
    ]


DOOR = "from package.one import f\nfrom package.two import g as h\n__all__ = ['f', 'h']"
BEHIND = {"package__INIT": DOOR, "package__one": "def f(): ...", "package__two": "def g(): ..."}


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("import package\npackage.f()", {"one"}),
        ("import package\npackage.h().g.f", {"two"}),
        ("from package import f", {"one"}),
        ("from package import h", {"two"}),
        ("import package.one", {"one"}),
        ("import package", set()),
        ("import package\nshow(package)", {"one", "two"}),
        ("from package import *", {"one", "two"}),
        ("import outer\nouter.package.f()", {"one"}),
        ("from outer import package as p\np.f()", {"one"}),
        ("import package\nx = package.unheard_of", {"__init__"}),
    ],
)
def test_names_behind_a_door(tmp_path: Path, script: str, expected: set[str]) -> None:
    """Those that are used, all of them where the door itself is used, and never the door.

    A name that the door defines itself makes it an input.
    """
    found = project(tmp_path, script=script, outer__INIT="import package", **BEHIND)
    assert {Path(file).stem for file in found} - {"script"} == expected


@pytest.mark.parametrize("statement", ["x = 1", "def f(): ...", "from package.one import *"])
def test_what_does_more_than_pass_on_is_no_door(tmp_path: Path, statement: str) -> None:
    """It runs, whatever part of the package is imported, so it is an input, with its imports."""
    init = {"package__INIT": f"{DOOR}\n{statement}"}
    found = project(tmp_path, script="import package.two", **(BEHIND | init))
    assert found == ["package/__init__.py", "package/one.py", "package/two.py", "script.py"]


# --- this project ---


def test_every_init_is_a_door() -> None:
    """Otherwise a script that imports one module of a package would depend on the whole package."""
    for package in ("rtk", "experiments", "figures"):
        for init in (ROOT / package).rglob("__init__.py"):
            allowed = (ast.Import, ast.ImportFrom)
            lazy = "def __getattr__("
            for statement in ast.parse(init.read_text(encoding="utf-8")).body:
                text = ast.unparse(statement)
                assert (
                    isinstance(statement, allowed)
                    or text[0] in "\"'"
                    or text.startswith(("__", lazy))
                ), f"{init.relative_to(ROOT)}: {text}"


def test_registry_only_names_samplers() -> None:
    """Its content is no input: what it did besides looking names up would go unnoticed."""
    for statement in ast.parse((ROOT / REGISTRY).read_text(encoding="utf-8")).body:
        match statement:
            case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant()):
                pass
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.FunctionDef(name=name):
                assert name in ("METHODS", "methods")
            case _:
                pytest.fail(ast.unparse(statement))


def test_a_mixture_depends_on_its_own_sampler_alone() -> None:
    script = "experiments/mixtures/sample.py"
    found = {method: sources(script, methods=[method]) for method in ("ddpm", "rtk-mala")}
    assert "rtk/samplers/ddpm.py" in found["ddpm"]
    assert {"rtk/samplers/reverse_transition.py", "rtk/mcmc/mala.py"} <= {*found["rtk-mala"]}
    assert "rtk/samplers/reverse_transition.py" not in found["ddpm"]
    everything = sources(script)
    assert {*found["ddpm"], *found["rtk-mala"]} < {*everything}
    assert "rtk/samplers/dpm_solver.py" in everything
    for name in ("rtk/__init__.py", str(REGISTRY), "figures/style.py"):
        assert name not in everything


def test_unknown_sampler() -> None:
    with pytest.raises(ValueError, match=r"no sampler is called \['ddpn'\]: known are \['ddpm'"):
        sources("experiments/mixtures/sample.py", methods=["ddpm", "ddpn"])


def test_a_study_without_samplers_knows_no_registry() -> None:
    """The laws of `inner_chain` come from steps, not from names of samplers."""
    found = sources("experiments/theory/inner_chain.py", methods=[])
    assert "rtk/samplers/reverse_transition.py" not in found
    assert "rtk/laws/affine.py" in found


@pytest.mark.parametrize("study", STUDIES)
def test_studies_declare_the_samplers_that_they_name(study: str) -> None:
    """A sampler that a script takes by name and does not declare could change unnoticed."""
    tree = ast.parse((ROOT / "experiments/theory" / f"{study}.py").read_text(encoding="utf-8"))
    code = ast.unparse(tree)
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    named = texts & METHODS.keys() if re.search(r"\bMETHODS\b|rtk\.sample\(", code) else set()
    declared = set(STUDIES[study].get("samplers", []))
    assert named <= declared
    assert bool(named) == bool(declared)


@pytest.fixture
def extended(tmp_path: Path) -> Path:
    """A copy of the code with another sampler: a file, its line in the registry, and its export."""
    for package in ("rtk", "experiments", "figures", "paper"):
        ignored = shutil.ignore_patterns("__pycache__", "checkpoint")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignored)
    add_sampler(tmp_path)
    return tmp_path


def test_a_new_sampler_runs_nothing_else_again(extended: Path) -> None:
    """No study of the theory, and no job of another sampler; what asks for all of them does."""
    scripts = {
        f"experiments/theory/{study}.py": about.get("samplers", [])
        for study, about in STUDIES.items()
    }
    scripts["experiments/mixtures/sample.py"] = ["ddpm"]
    scripts |= {f"experiments/{name}/floor.py": [] for name in ("mixtures", "images")}
    for script, methods in scripts.items():
        found = sources(str(extended / script), str(extended), methods)
        assert found == sources(script, str(ROOT), methods)
        for file in found:
            assert (extended / file).read_bytes() == (ROOT / file).read_bytes(), (script, file)
    script = str(extended / "experiments/mixtures/sample.py")
    assert "rtk/samplers/new.py" in sources(script, str(extended))
    assert "rtk/samplers/new.py" in sources(script, str(extended), ["new"])


CODE = """
import math


def area(r: float) -> float:
    return math.pi * r**2
"""


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("r**2", "r ** 2  # squared", True),
        ("float:\n", 'float:\n    """Of a disc."""\n', True),
        ("\nimport", '"""Areas."""\n\nimport', True),
        ("r**2", "r**3", False),
        ("return", 'print("""Of a disc.""")\n    return', False),
    ],
)
def test_digest_is_of_what_code_does(tmp_path: Path, old: str, new: str, same: bool) -> None:
    """The digest of a script follows a module that it imports, but for comments and docstrings."""
    (tmp_path / "script.py").write_text("from disc import area\n", encoding="utf-8")
    digests = []
    for text in (CODE, CODE.replace(old, new, 1)):
        (tmp_path / "disc.py").write_text(text, encoding="utf-8")
        digests.append(digest(str(tmp_path / "script.py"), str(tmp_path)))
    assert (digests[0] == digests[1]) is same


def test_digest_depends_on_the_files_names(tmp_path: Path) -> None:
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text(CODE, encoding="utf-8")
    first, second = (digest(str(tmp_path / name), str(tmp_path)) for name in ("a.py", "b.py"))
    assert first != second
